package commerce

import (
	"strings"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
)

func TestProductValidate(t *testing.T) {
	stock := func(n int64) *int64 { return &n }
	for _, c := range []struct {
		name   string
		change func(*Product)
		field  string
	}{
		{"as it is", func(*Product) {}, ""},
		{"title of 120 characters", func(p *Product) { p.Title = strings.Repeat("字", 120) }, ""},
		{"title of 121 characters", func(p *Product) { p.Title = strings.Repeat("字", 121) }, "title"},
		{"no title", func(p *Product) { p.Title = " " }, "title"},
		{"two lines", func(p *Product) { p.Title = "a\nb" }, "title"},
		{"not UTF-8", func(p *Product) { p.Title = "a\xff" }, "title"},
		{"negative price", func(p *Product) { p.Price.Amount = -1 }, "price"},
		{"bad currency", func(p *Product) { p.Price.Currency = "yuan" }, "currency"},
		{"bad link", func(p *Product) { p.URL = "javascript:alert(1)" }, "url"},
		{"bad image", func(p *Product) { p.Images = []string{"data:image/png;base64,"} }, "images"},
		{"no stock left", func(p *Product) { p.Stock = stock(0) }, ""},
		{"negative stock", func(p *Product) { p.Stock = stock(-1) }, "stock"},
		{"too much stock", func(p *Product) { p.Stock = stock(MaxStock + 1) }, "stock"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := Product{Title: "Lamp", Price: Money{19900, "CNY"}, URL: "https://shop.example/lamp", Images: []string{"/img/lamp.jpg"}}
			p.summarise()
			c.change(&p)
			if err := p.Validate(); errs.FieldOf(err) != c.field {
				t.Errorf("got %v, want an error for %q", err, c.field)
			}
		})
	}
}

func TestLinks(t *testing.T) {
	for _, c := range []struct {
		raw          string
		asURL, asImg bool
	}{
		{"", true, true},
		{"https://shop.example/p?id=1#top", true, true},
		{"http://127.0.0.1:8080/x", true, true},
		{"HTTPS://shop.example/", true, true},
		{"weapp:/pages/goods/detail?id=1", true, false},
		{"weapp://wx0123456789abcdef/pages/goods/detail?id=1", true, false},
		{"/img/lamp.jpg", false, true},
		{"/", false, true},
		{"//evil.example/x.jpg", false, false},
		{"/\\evil.example/x.jpg", false, false},
		{"img/lamp.jpg", false, false},
		{"https://", false, false},
		{"https:///path", false, false},
		{"https://shop.example@evil.example/", false, false},
		{"ftp://shop.example/", false, false},
		{"javascript:alert(1)", false, false},
		{"java\tscript:alert(1)", false, false},
		{" https://shop.example/", false, false},
		{"weapp:pages/goods", false, false},
		{"weapp:/", false, false},
		{"weapp:", false, false},
		{"https://shop.example/%zz", false, false},
		{"https://shop.example/" + strings.Repeat("a", MaxURL), false, false},
	} {
		if got := CheckURL(c.raw) == nil; got != c.asURL {
			t.Errorf("CheckURL(%.60q) accepts: %v, want %v", c.raw, got, c.asURL)
		}
		if got := CheckImageURL(c.raw) == nil; got != c.asImg {
			t.Errorf("CheckImageURL(%.60q) accepts: %v, want %v", c.raw, got, c.asImg)
		}
	}
}

func TestCursorRoundTrip(t *testing.T) {
	key := ProductKey{CreatedAt: time.UnixMilli(1_795_348_800_123).UTC(), ID: "prod_0123456789abcdef"}
	got, err := parseCursor(key.cursor())
	if err != nil || got != key {
		t.Errorf("got %v, %v, want %v", got, err, key)
	}
	for _, bad := range []string{"!", "aGVsbG8", "LnByb2Q", "MTIzLg"} {
		if _, err := parseCursor(bad); errs.FieldOf(err) != "cursor" {
			t.Errorf("%q: got %v, want an error for the cursor", bad, err)
		}
	}
}

// A link that is accepted leads where it says under any reading: what a browser drops or rewrites never gets through.
func FuzzCheckURL(f *testing.F) {
	for _, seed := range []string{"https://a.b/c", "weapp:/p/q", "/x", "java\nscript:x", "https://a\\@b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		if raw == "" || CheckURL(raw) != nil {
			return
		}
		lower := strings.ToLower(raw)
		if !strings.HasPrefix(lower, "http://") && !strings.HasPrefix(lower, "https://") && !strings.HasPrefix(lower, "weapp:/") {
			t.Errorf("accepted %q", raw)
		}
		if strings.ContainsAny(raw, "\\\r\n\t ") || len(raw) > MaxURL {
			t.Errorf("accepted %q", raw)
		}
	})
}
