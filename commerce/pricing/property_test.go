package pricing

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// drawCart draws carts that collide: few products, amounts of all magnitudes, coupons whose scopes overlap.
func drawCart(t *rapid.T) Input {
	top := rapid.SampledFrom([]int64{3, 50, 10_000, 1_000_000_000_000}).Draw(t, "top")
	in := Input{Currency: "CNY", Now: noon}
	for i := range rapid.IntRange(0, 5).Draw(t, "lines") {
		l := Line{
			SKU: fmt.Sprintf("sku_%d", i), ProductID: fmt.Sprintf("prod_%d", rapid.IntRange(0, 3).Draw(t, "product")),
			Quantity: rapid.Int64Range(0, 1_000).Draw(t, "quantity"), List: rapid.Int64Range(0, top).Draw(t, "list"),
		}
		l.Show, l.Flash = drawSpecial(t, "shp", i, top), drawSpecial(t, "fls", i, top)
		in.Lines = append(in.Lines, l)
	}
	for i := range rapid.IntRange(0, 6).Draw(t, "coupons") {
		in.Coupons = append(in.Coupons, drawCoupon(t, i, top))
	}
	return in
}

func drawSpecial(t *rapid.T, kind string, i int, top int64) *Special {
	if rapid.IntRange(0, 3).Draw(t, kind) != 0 {
		return nil
	}
	return &Special{
		Ref: fmt.Sprintf("%s_%d", kind, i), Unit: rapid.Int64Range(0, top).Draw(t, "unit"), Limit: rapid.Int64Range(-1, 1_000).Draw(t, "limit"),
	}
}

// drawCoupon draws a claim of one of sixteen campaigns. The claims of a campaign differ in value alone.
func drawCoupon(t *rapid.T, i int, top int64) Coupon {
	c := coupon(fmt.Sprint(i))
	campaign := rapid.IntRange(0, 15).Draw(t, "campaign")
	c.CouponID = fmt.Sprintf("cpn_%d", campaign)
	for p := range 4 {
		if campaign&(1<<p) != 0 {
			c.Products = append(c.Products, fmt.Sprintf("prod_%d", p))
		}
	}
	if campaign%5 != 4 {
		c.Stacks = StacksOther
	}
	if rapid.Bool().Draw(t, "percent") {
		c.Percent = rapid.Int64Range(1, 10_000).Draw(t, "hundredths")
		c.MaxOff = rapid.Int64Range(0, top).Draw(t, "max off")
	} else {
		c.Amount = rapid.Int64Range(1, top*10).Draw(t, "amount")
	}
	c.MinSpend = rapid.Int64Range(0, top).Draw(t, "min spend")
	c.ValidFrom = noon.Add(time.Duration(rapid.IntRange(-9, 1).Draw(t, "from")) * time.Hour)
	c.ValidUntil = noon.Add(time.Duration(rapid.IntRange(0, 9).Draw(t, "until")) * time.Hour)
	return c
}

func TestQuotesAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawCart(t)
		in.Best = rapid.Bool().Draw(t, "best")
		q := Price(in)
		check(t, q)
		if len(q.Lines)+len(q.Applied)+len(q.Rejected) != len(in.Lines)+len(in.Coupons) {
			t.Fatalf("something of %+v is neither taken nor refused: %+v", in, q)
		}
		if diff := cmp.Diff(q, Price(in)); diff != "" {
			t.Fatalf("the same cart costs something else the next time: %s", diff)
		}
	})
}

// The largest cart that is priced leaves no sum beyond 64 bits.
func TestLargestAmounts(t *testing.T) {
	in := Input{Currency: "CNY", Now: noon, Best: true}
	for i := range MaxLines {
		in.Lines = append(in.Lines, Line{SKU: fmt.Sprintf("sku_%04d", i), ProductID: "p", Quantity: 1, List: MaxLineAmount - int64(i%7)})
	}
	for i := range 5 {
		in.Coupons = append(in.Coupons, coupon(fmt.Sprint(i), percent(int64(2_000+i), 0), stacks))
	}
	q := Price(in)
	check(t, q)
	if q.Total != 0 || q.Subtotal < 900_000_000_000_000_000 || len(q.Applied) != 5 {
		t.Errorf("subtotal %d, off %d, %d coupons", q.Subtotal, q.Off, len(q.Applied))
	}
}

func TestPercentages(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		amount, p := rapid.Int64Range(0, MaxLines*MaxLineAmount).Draw(t, "amount"), rapid.Int64Range(0, wholePercent).Draw(t, "hundredths")
		want := new(big.Int).Mul(big.NewInt(amount), big.NewInt(p))
		want.Add(want, big.NewInt(wholePercent-1)).Div(want, big.NewInt(wholePercent))
		if got := percentOf(amount, p); got != want.Int64() {
			t.Fatalf("%d of 10000 parts of %d are %d, want %v", p, amount, got, want)
		}
	})
}

// The parts differ from the exact proportion by less than one, sum exactly, and stay within their weights.
func TestLargestRemainder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		weights := rapid.SliceOfN(rapid.Int64Range(0, MaxLineAmount), 1, 30).Draw(t, "weights")
		var all int64
		for _, w := range weights {
			all += w
		}
		value := rapid.Int64Range(0, all).Draw(t, "value")
		var sum int64
		for i, part := range proportional(value, weights) {
			exact := new(big.Int).Mul(big.NewInt(value), big.NewInt(weights[i]))
			floor := exact.Div(exact, big.NewInt(max(all, 1))).Int64()
			if part < floor || part > floor+1 || part > weights[i] {
				t.Fatalf("part %d of %d by %v is %d", i, value, weights, part)
			}
			sum += part
		}
		if sum != value {
			t.Fatalf("the parts of %d sum to %d", value, sum)
		}
	})
}

func TestOrderOfTheCartDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawCart(t)
		in.Best = rapid.Bool().Draw(t, "best")
		mixed := in
		mixed.Lines, mixed.Coupons = rapid.Permutation(in.Lines).Draw(t, "mixed lines"), rapid.Permutation(in.Coupons).Draw(t, "mixed coupons")
		if diff := cmp.Diff(sorted(Price(in)), sorted(Price(mixed))); diff != "" {
			t.Fatal(diff)
		}
	})
}

func sorted(q Quote) Quote {
	slices.SortFunc(q.Lines, func(a, b QuotedLine) int { return strings.Compare(a.SKU, b.SKU) })
	slices.SortFunc(q.Applied, func(a, b Applied) int { return strings.Compare(a.ClaimID, b.ClaimID) })
	slices.SortFunc(q.Rejected, func(a, b Rejection) int { return strings.Compare(a.SKU+a.ClaimID, b.SKU+b.ClaimID) })
	return q
}

func TestMoreCouponsNeverCostMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawCart(t)
		in.Best = true
		more := in
		more.Coupons = append(slices.Clone(in.Coupons), drawCoupon(t, 99, 10_000))
		if a, b := Price(in).Total, Price(more).Total; b > a {
			t.Fatalf("%d becomes %d by one more coupon", a, b)
		}
	})
}

// No combination that the rules allow saves more than the best.
func TestBestIsBest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawCart(t)
		best := in
		best.Best = true
		want := Price(best)
		for set := range 1 << len(in.Coupons) {
			some := in
			some.Coupons = nil
			for i, c := range in.Coupons {
				if set&(1<<i) != 0 {
					some.Coupons = append(some.Coupons, c)
				}
			}
			if q := Price(some); q.Total < want.Total {
				t.Fatalf("%v cost %d, the best %d", some.Coupons, q.Total, want.Total)
			}
		}
	})
}

// Asking for the coupons that a quote applies gives the same quote: what the buyer saw is what the order costs. And none
// of them could be left out for the same total.
func TestAskingForTheBest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawCart(t)
		in.Best = true
		q := Price(in)
		again := in
		again.Best, again.Coupons = false, taken(in.Coupons, q)
		r := Price(again)
		if diff := cmp.Diff(q.Lines, r.Lines) + cmp.Diff(q.Applied, r.Applied); diff != "" {
			t.Fatal(diff)
		}
		for i := range again.Coupons {
			fewer := again
			fewer.Coupons = slices.Delete(slices.Clone(again.Coupons), i, i+1)
			if Price(fewer).Total <= q.Total {
				t.Fatalf("%s is used up for nothing", again.Coupons[i].ClaimID)
			}
		}
	})
}

func taken(coupons []Coupon, q Quote) (some []Coupon) {
	for _, c := range coupons {
		if slices.ContainsFunc(q.Applied, func(a Applied) bool { return a.ClaimID == c.ClaimID }) {
			some = append(some, c)
		}
	}
	return some
}

// Nothing of what is handed in is changed.
func TestInputStaysAsItIs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawCart(t)
		before := in
		before.Lines, before.Coupons = slices.Clone(in.Lines), slices.Clone(in.Coupons)
		Price(in)
		if diff := cmp.Diff(before, in); diff != "" {
			t.Fatal(diff)
		}
	})
}
