package pricing

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// coupon is valid at noon, for all products, alone.
func coupon(id string, change ...func(*Coupon)) Coupon {
	c := Coupon{
		ClaimID: "clm_" + id, CouponID: "cpn_" + id, Title: id, Stacks: StacksNone,
		ValidFrom: noon, ValidUntil: noon.Add(time.Hour),
	}
	for _, f := range change {
		f(&c)
	}
	return c
}

func amount(n int64) func(*Coupon) { return func(c *Coupon) { c.Amount = n } }
func percent(n, maxOff int64) func(*Coupon) {
	return func(c *Coupon) { c.Percent, c.MaxOff = n, maxOff }
}
func from(min int64) func(*Coupon)              { return func(c *Coupon) { c.MinSpend = min } }
func products(products ...string) func(*Coupon) { return func(c *Coupon) { c.Products = products } }
func stacks(c *Coupon)                          { c.Stacks = StacksOther }

// tea and cup cost 100.00 and 30.00.
func tea(n int64) Line { return Line{SKU: "sku_tea", ProductID: "prod_tea", Quantity: n, List: 10_000} }

func cup(n int64) Line { return Line{SKU: "sku_cup", ProductID: "prod_cup", Quantity: n, List: 3_000} }

func TestSourceOfThePrice(t *testing.T) {
	flash, show := &Special{Ref: "fls_1", Unit: 5_000, Limit: 2}, &Special{Ref: "shp_1", Unit: 8_000, Limit: -1}
	for _, c := range []struct {
		name string
		line Line
		want QuotedLine
		code Code
		need int64
	}{
		{"list", tea(3), QuotedLine{Source: ListPrice, Unit: 10_000, Amount: 30_000}, "", 0},
		{"show before list", Line{Show: show, Quantity: 9}, QuotedLine{Source: ShowPrice, Ref: "shp_1", Unit: 8_000, Amount: 72_000}, "", 0},
		{"flash before show", Line{Show: show, Flash: flash, Quantity: 2}, QuotedLine{Source: FlashPrice, Ref: "fls_1", Unit: 5_000, Amount: 10_000}, "", 0},
		{"beyond the limit", Line{Flash: flash, Quantity: 3}, QuotedLine{}, OverLimit, 2},
		{"none left", Line{Flash: &Special{Ref: "fls_1", Unit: 1, Limit: 0}, Quantity: 1}, QuotedLine{}, OverLimit, 0},
		{"free", Line{Flash: &Special{Ref: "fls_1", Limit: -1}, Quantity: 1}, QuotedLine{Source: FlashPrice, Ref: "fls_1"}, "", 0},
		{"no pieces", tea(0), QuotedLine{}, BadQuantity, 0},
		{"fewer than none", tea(-5), QuotedLine{}, BadQuantity, 0},
		{"beyond all bounds", tea(1 << 62), QuotedLine{}, BadAmount, 0},
		{"negative price", Line{List: -1, Quantity: 1}, QuotedLine{}, BadAmount, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			line := c.line
			line.SKU, line.ProductID, line.List = "sku_tea", "prod_tea", max(min(line.List, 10_000), -1)
			q := Price(Input{Lines: []Line{line}, Now: noon})
			if c.code != "" {
				if len(q.Lines) != 0 || len(q.Rejected) != 1 || q.Rejected[0].Code != c.code || q.Rejected[0].SKU != line.SKU ||
					q.Rejected[0].Need != c.need || q.Rejected[0].Message == "" {
					t.Fatalf("got %+v", q)
				}
				return
			}
			c.want.SKU, c.want.ProductID, c.want.Quantity, c.want.List = line.SKU, line.ProductID, line.Quantity, line.List
			if diff := cmp.Diff([]QuotedLine{c.want}, q.Lines); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Two lines of one flash sale share its limit.
func TestLimitOfASaleIsForAllItsLines(t *testing.T) {
	flash := &Special{Ref: "fls_1", Unit: 1, Limit: 3}
	q := Price(Input{Lines: []Line{
		{SKU: "sku_a", Quantity: 2, Flash: flash}, {SKU: "sku_a", Quantity: 2, Flash: flash}, {SKU: "sku_b", Quantity: 2, List: 5},
	}, Now: noon})
	if len(q.Lines) != 1 || q.Lines[0].SKU != "sku_b" || len(q.Rejected) != 2 {
		t.Errorf("got %+v", q)
	}
}

func TestTooManyLines(t *testing.T) {
	q := Price(Input{Lines: make([]Line, MaxLines+1), Now: noon})
	if len(q.Lines) != 0 || len(q.Rejected) != MaxLines+1 || q.Rejected[0].Code != TooMany {
		t.Errorf("got %d lines, %d rejected", len(q.Lines), len(q.Rejected))
	}
}

// couponCase is a cart and what its coupons come to.
type couponCase struct {
	name    string
	lines   []Line
	coupons []Coupon
	best    bool
	off     []int64 // of the lines
	applied map[string]int64
	refused map[string]Code
}

func TestCoupons(t *testing.T) {
	for _, c := range couponCases() {
		t.Run(c.name, func(t *testing.T) {
			q := Price(Input{Currency: "CNY", Lines: c.lines, Coupons: c.coupons, Best: c.best, Now: noon})
			check(t, q)
			for i, l := range q.Lines {
				if l.Off != c.off[i] {
					t.Errorf("%d are off line %d, want %d", l.Off, i, c.off[i])
				}
			}
			var applied map[string]int64
			for _, a := range q.Applied {
				applied = put(applied, a.ClaimID, a.Off)
			}
			var refused map[string]Code
			for _, r := range q.Rejected {
				refused = put(refused, r.ClaimID, r.Code)
			}
			if diff := cmp.Diff(c.applied, applied) + cmp.Diff(c.refused, refused); diff != "" {
				t.Error(diff)
			}
		})
	}
}

//nolint:funlen // a table
func couponCases() []couponCase {
	return []couponCase{
		{
			"an amount is shared in proportion",
			[]Line{tea(1), cup(1)},
			[]Coupon{coupon("a", amount(1_000))},
			false,
			[]int64{769, 231},
			map[string]int64{"clm_a": 1_000},
			nil,
		},
		{
			"a percentage is rounded up",
			[]Line{{SKU: "s", Quantity: 1, List: 101}},
			[]Coupon{coupon("a", percent(1_500, 0))},
			false,
			[]int64{16},
			map[string]int64{"clm_a": 16},
			nil,
		},
		{
			"a percentage has a cap",
			[]Line{tea(1)},
			[]Coupon{coupon("a", percent(5_000, 700))},
			false,
			[]int64{700},
			map[string]int64{"clm_a": 700},
			nil,
		},
		{
			"nothing costs less than nothing",
			[]Line{cup(1)},
			[]Coupon{coupon("a", amount(9_999))},
			false,
			[]int64{3_000},
			map[string]int64{"clm_a": 3_000},
			nil,
		},
		{
			"a scope",
			[]Line{tea(1), cup(2)},
			[]Coupon{coupon("a", amount(9_000), products("prod_cup", "prod_x"))},
			false,
			[]int64{0, 6_000},
			map[string]int64{"clm_a": 6_000},
			nil,
		},
		{
			"reasons",
			[]Line{tea(1)},
			[]Coupon{
				coupon("spend", amount(1), from(10_001)), coupon("scope", amount(1), products("prod_cup")),
				coupon("early", amount(1), func(c *Coupon) { c.ValidFrom = noon.Add(1) }),
				coupon("late", amount(1), func(c *Coupon) { c.ValidUntil = noon }),
				coupon("spent", amount(1), func(c *Coupon) { c.Refused = Spent }), coupon("unknown", func(c *Coupon) { c.Refused = Unknown }),
				coupon("yen", amount(1), func(c *Coupon) { c.Currency = "JPY" }),
				coupon("none"), coupon("both", amount(1), percent(1, 0)), coupon("less", amount(-1)), coupon("late", amount(1)),
			},
			false,
			[]int64{0},
			nil,
			map[string]Code{"clm_spend": TooLittle, "clm_scope": OutOfScope, "clm_early": NotYet, "clm_late": Repeated, "clm_none": BadTerms, "clm_both": BadTerms, "clm_less": BadTerms, "clm_spent": Spent, "clm_unknown": Unknown, "clm_yen": BadCurrency},
		},
		{
			"minimum spend is met to the unit",
			[]Line{tea(1)},
			[]Coupon{coupon("a", amount(1), from(10_000))},
			false,
			[]int64{1},
			map[string]int64{"clm_a": 1},
			nil,
		},
		{
			"coupons that stack",
			[]Line{tea(1)},
			[]Coupon{coupon("a", amount(100), stacks), coupon("b", percent(1_000, 0), stacks)},
			false,
			[]int64{1_100},
			map[string]int64{"clm_a": 100, "clm_b": 1_000},
			nil,
		},
		{
			"one that does not stack beats two that do",
			[]Line{tea(1)},
			[]Coupon{coupon("a", amount(100), stacks), coupon("b", amount(100), stacks), coupon("c", amount(201))},
			false,
			[]int64{201},
			map[string]int64{"clm_c": 201},
			map[string]Code{"clm_a": NoStacking, "clm_b": NoStacking},
		},
		{
			"one coupon of each campaign",
			[]Line{tea(1)},
			[]Coupon{coupon("a", amount(100), stacks), coupon("b", amount(200), stacks, func(c *Coupon) { c.CouponID = "cpn_a" })},
			false,
			[]int64{200},
			map[string]int64{"clm_b": 200},
			map[string]Code{"clm_a": NoStacking},
		},
		{
			"the wider makes way for the narrower",
			[]Line{tea(1), cup(1)},
			[]Coupon{coupon("a", amount(12_000), stacks), coupon("b", amount(3_000), stacks, products("prod_cup"))},
			false,
			[]int64{10_000, 3_000},
			map[string]int64{"clm_a": 10_000, "clm_b": 3_000},
			nil,
		},
		{
			"best keeps what is not needed",
			[]Line{cup(1)},
			[]Coupon{coupon("a", amount(3_000), stacks), coupon("b", amount(500), stacks)},
			true,
			[]int64{3_000},
			map[string]int64{"clm_a": 3_000},
			map[string]Code{"clm_b": NothingLeft},
		},
		{
			"free goods need no coupon",
			[]Line{{SKU: "s", Quantity: 1}},
			[]Coupon{coupon("a", amount(3_000))},
			true,
			[]int64{0},
			nil,
			map[string]Code{"clm_a": NothingLeft},
		},
	}
}

func put[V any](m map[string]V, k string, v V) map[string]V {
	if m == nil {
		m = map[string]V{}
	}
	m[k] = v
	return m
}

func TestWhatMinimumSpendNeeds(t *testing.T) {
	q := Price(Input{Currency: "CNY", Lines: []Line{tea(1)}, Coupons: []Coupon{coupon("a", amount(1), from(12_050))}, Now: noon})
	want := []Rejection{{ClaimID: "clm_a", Code: TooLittle, Message: "add goods for 20.50 CNY that the coupon is for", Need: 2_050}}
	if diff := cmp.Diff(want, q.Rejected); diff != "" {
		t.Error(diff)
	}
}

// check fails when a quote does not add up.
func check(t interface{ Fatalf(string, ...any) }, q Quote) {
	var subtotal, off, applied int64
	for _, l := range q.Lines {
		if l.Amount != l.Unit*l.Quantity || l.Off < 0 || l.Off > l.Amount {
			t.Fatalf("line %+v", l)
		}
		subtotal += l.Amount
		off += l.Off
	}
	for _, a := range q.Applied {
		if a.Off <= 0 {
			t.Fatalf("a coupon is used up for nothing: %+v", a)
		}
		applied += a.Off
	}
	if subtotal != q.Subtotal || off != q.Off || applied != q.Off || q.Total != q.Subtotal-q.Off || q.Total < 0 {
		t.Fatalf("the sums of %+v are %d - %d, coupons %d", q, subtotal, off, applied)
	}
	for _, r := range q.Rejected {
		if r.Code == "" || r.Message == "" {
			t.Fatalf("no reason in %+v", r)
		}
	}
}
