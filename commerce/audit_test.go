package commerce

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vitrine-live/vitrine/internal/errs"
)

func TestClaims(t *testing.T) {
	for _, c := range []struct {
		text string
		want []string
	}{
		{"手作青瓷茶杯", nil},
		{"最近上新，最后三件，最多两件", nil},
		{"第一次拼团，第一天发货，第一章", nil},
		{"全网最低价", []string{"全网最低", "最低"}},
		{"最佳口感", []string{"最佳"}},
		{"最 * 佳口感", []string{"最佳"}},
		{"最\u200b好的茶", []string{"最好"}},
		{"国家级非遗", []string{"国家级"}},
		{"销量第一", []string{"第一"}},
		{"ＮＯ．１ 护手霜", []string{"no.1"}},
		{"The best tea, 100% effective", []string{"100% effective", "The best"}},
		{"Best served warm", nil},
		{"WORLD'S BEST mug", []string{"WORLD'S BEST"}},
		{"no side effects", []string{"no side effects"}},
		{"Topping no. 12", nil},
	} {
		if got := claimsIn(c.text); !slices.Equal(got, c.want) {
			t.Errorf("%q: got %q, want %q", c.text, got, c.want)
		}
	}
}

func TestRulesLook(t *testing.T) {
	rules := Rules{Words: []string{"走私", "Replica"}, Domains: []string{"shop.example"}, RequireImage: true}
	if err := rules.Validate(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		change func(*Product)
		want   []string // rule field
	}{
		{"as it is", func(*Product) {}, nil},
		{"word", func(p *Product) { p.Title = "走 私 手表" }, []string{"word title"}},
		{"word in another case", func(p *Product) { p.Points = []string{"a REPLICA"} }, []string{"word points"}},
		{"word of a variant", func(p *Product) { p.SKUs[0].Attributes = []Attribute{{"type", "replica"}} }, []string{"word attributes"}},
		{"claim", func(p *Product) { p.Points = []string{"口感最佳"} }, []string{"claim points"}},
		{"free", func(p *Product) { p.SKUs[0].Price = 0 }, []string{"free price"}},
		{"original below", func(p *Product) { p.SKUs[0].Original = 99 }, []string{"original_price price"}},
		{"no image", func(p *Product) { p.Images = nil }, []string{"image images"}},
		{"no image elsewhere", func(p *Product) { p.Images, p.URL, p.Link = nil, "https://a.shop.example/x", LinkURL }, nil},
		{"domain", func(p *Product) { p.URL, p.Link = "https://evil-shop.example/x", LinkURL }, []string{"domain url"}},
		{"mini-program", func(p *Product) { p.URL, p.Link = "weapp:/pages/x", LinkMiniProgram }, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := Product{Title: "Lamp", Images: []string{"/a.jpg"}, Price: Money{100, "CNY"}}
			p.summarise()
			c.change(&p)
			var got []string
			for _, r := range rules.look(&p, changedFields(&p, nil)) {
				got = append(got, r.Rule+" "+r.Field)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	for _, bad := range []Rules{{Words: []string{"x"}}, {Domains: []string{"https://x"}}, {Domains: []string{".x"}}} {
		if errs.KindOf(bad.Validate()) != errs.Invalid {
			t.Errorf("%+v is accepted", bad)
		}
	}
}

// step is one edit of a product with what the audit says after it.
func TestAuditOfEdits(t *testing.T) {
	c := NewCatalogue(nil, func() time.Time { return time.UnixMilli(5) })
	p := Product{Title: "Lamp", Price: Money{1000, "CNY"}, StoreID: "s"}
	if err := c.settle(&p, nil, nil); err != nil {
		t.Fatal(err)
	}
	edit := func(what string, want AuditState, rules string, u ProductUpdate) {
		t.Helper()
		before := p.clone()
		if err := u.apply(&p); err != nil {
			t.Fatal(err)
		}
		if err := c.settle(&p, &before, nil); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range p.Audit.Reasons {
			got = append(got, r.Rule)
		}
		if p.Audit.State != want || strings.Join(got, " ") != rules {
			t.Fatalf("%s: %s %q, want %s %q", what, p.Audit.State, got, want, rules)
		}
	}
	decide := func(approve bool) {
		p.Audit.Reasons, p.Audit.State = nil, Rejected
		if approve {
			p.Audit.State, p.Audit.Prices = Approved, p.prices()
		}
	}
	edit("nine times the price", Approved, "", ProductUpdate{Price: new(int64(9000))})
	edit("the price of before", Approved, "", ProductUpdate{Price: new(int64(1000))})
	edit("ten times the price", Flagged, "price_jump", ProductUpdate{Price: new(int64(10_000))})
	edit("a claim beside it", Flagged, "price_jump claim", ProductUpdate{Title: new("The best lamp")})
	edit("the price mended", Flagged, "claim", ProductUpdate{Price: new(int64(1100))})
	decide(true)
	edit("another field", Approved, "", ProductUpdate{Points: &[]string{"oak"}})
	edit("the same title", Approved, "", ProductUpdate{Title: new("The best lamp")})
	edit("another title with the claim", Flagged, "claim", ProductUpdate{Title: new("The best lamp ever")})
	decide(false)
	edit("nothing that matters", Rejected, "", ProductUpdate{Display: new(DisplayOne)})
	edit("mended after the rejection", Flagged, ruleRejected, ProductUpdate{Title: new("Lamp")})
	edit("mended again", Flagged, ruleRejected, ProductUpdate{Title: new("A lamp")})
	decide(true)
	edit("free", Flagged, "free", ProductUpdate{Price: new(int64(0))})
}
