package pricing

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/vitrine-live/vitrine/commerce"
)

// candidate is a coupon that holds for a cart by its own terms.
type candidate struct {
	Coupon
	lines []int // the quoted lines in its scope, in the order of their SKUs whichever their order in the cart
	base  int64 // what they cost
	want  int64 // what it takes off when no other coupon is in the way; 1 to base
}

// eligible tells the coupons that hold from those that do not, each by itself.
func eligible(in Input, lines []QuotedLine) (fit []candidate, refused []Rejection) {
	seen := map[string]bool{}
	for _, c := range in.Coupons {
		if seen[c.ClaimID] {
			refused = append(refused, Rejection{ClaimID: c.ClaimID, Code: Repeated, Message: "the coupon stands in the list twice: name it once"})
			continue
		}
		seen[c.ClaimID] = true
		k := candidate{Coupon: c}
		k.measure(lines)
		if r := k.refuse(in); r != nil {
			r.ClaimID = c.ClaimID
			refused = append(refused, *r)
		} else {
			fit = append(fit, k)
		}
	}
	slices.SortFunc(fit, byScope)
	return fit, refused
}

// byScope orders coupons as they are applied, the narrowest first: it has the fewest lines to take from.
func byScope(a, b candidate) int {
	return cmp.Or(cmp.Compare(a.base, b.base), strings.Compare(a.ClaimID, b.ClaimID))
}

func (k *candidate) measure(lines []QuotedLine) {
	for i, l := range lines {
		if len(k.Products) == 0 || slices.Contains(k.Products, l.ProductID) {
			k.lines = append(k.lines, i)
			k.base += l.Amount
		}
	}
	slices.SortStableFunc(k.lines, func(a, b int) int {
		return cmp.Or(strings.Compare(lines[a].SKU, lines[b].SKU), cmp.Compare(lines[a].Amount, lines[b].Amount))
	})
	k.want = k.Amount
	if k.Percent > 0 {
		k.want = percentOf(k.base, min(k.Percent, wholePercent))
	}
	if k.MaxOff > 0 {
		k.want = min(k.want, k.MaxOff)
	}
	k.want = min(k.want, k.base)
}

// wholePercent is 100 % in hundredths of a percent.
const wholePercent = 10_000

// percentOf rounds up. It is written so that no product leaves 64 bits.
func percentOf(amount, hundredths int64) int64 {
	return amount/wholePercent*hundredths + (amount%wholePercent*hundredths+wholePercent-1)/wholePercent
}

func (k *candidate) refuse(in Input) *Rejection {
	switch {
	case k.Refused == Spent:
		return &Rejection{Code: Spent, Message: "another order has the coupon: choose another coupon, or cancel that order"}
	case k.Refused != "":
		return &Rejection{Code: k.Refused, Message: "you have no such coupon: choose one of your list"}
	case k.Currency != "" && k.Currency != in.Currency:
		return &Rejection{Code: BadCurrency, Message: fmt.Sprintf("the coupon is for prices in %s: choose another", k.Currency)}
	case k.Amount < 0 || k.Percent < 0 || (k.Amount == 0) == (k.Percent == 0):
		return &Rejection{Code: BadTerms, Message: "the coupon takes nothing off: choose another"}
	case in.Now.Before(k.ValidFrom):
		return &Rejection{Code: NotYet, Message: "the coupon is not valid yet: use it later"}
	case !in.Now.Before(k.ValidUntil):
		return &Rejection{Code: Expired, Message: "the coupon is not valid any more: choose another"}
	case len(k.lines) == 0:
		return &Rejection{Code: OutOfScope, Message: "the coupon is for other products: add one of them, or choose another coupon"}
	case k.base < k.MinSpend:
		missing := commerce.Money{Amount: k.MinSpend - k.base, Currency: in.Currency}
		return &Rejection{Code: TooLittle, Message: fmt.Sprintf("add goods for %s that the coupon is for", missing), Need: missing.Amount}
	case k.want == 0:
		return &Rejection{Code: NothingLeft, Message: "the goods cost nothing without the coupon already"}
	}
	return nil
}

// choose picks the coupons to apply: those that stack, one of each campaign, or the best single one, whichever saves more.
// Because shares are moved about until no more can be taken off, more coupons never save less, and no search is needed.
// The result is in the order of application.
func choose(fit []candidate, lines []QuotedLine, best bool) (taken []candidate, left []Rejection) {
	single, stack := bestSingle(fit), stackable(fit)
	saved := share(lines, stack)
	if single != nil && (single.want > saved.total() || best && single.want == saved.total()) {
		taken = []candidate{*single}
	} else {
		taken = needed(stack, saved, lines, best)
	}
	return taken, leftOver(fit, taken, stack)
}

// bestSingle is the coupon that saves most alone; of equals the one that expires first.
func bestSingle(fit []candidate) *candidate {
	if len(fit) == 0 {
		return nil
	}
	return new(slices.MinFunc(fit, preferred))
}

func preferred(a, b candidate) int {
	return cmp.Or(cmp.Compare(b.want, a.want), a.ValidUntil.Compare(b.ValidUntil), strings.Compare(a.ClaimID, b.ClaimID))
}

// stackable returns the coupons that may go together: of each campaign the claim worth most. The claims of a campaign have
// one scope, so that claim saves at least as much as any other in every combination.
func stackable(fit []candidate) (stack []candidate) {
	place := map[string]int{}
	for _, k := range fit {
		if k.Stacks != StacksOther {
			continue
		}
		if i, ok := place[k.CouponID]; !ok {
			place[k.CouponID] = len(stack)
			stack = append(stack, k)
		} else if preferred(k, stack[i]) < 0 {
			stack[i] = k
		}
	}
	slices.SortFunc(stack, byScope)
	return stack
}

// needed leaves out coupons that take nothing off, and when best those without which as much is saved, the smallest first.
func needed(stack []candidate, saved *shares, lines []QuotedLine, best bool) []candidate {
	idle := func(k candidate) bool {
		return !slices.ContainsFunc(saved.off[slices.IndexFunc(stack, k.same)], positive)
	}
	kept := slices.DeleteFunc(slices.Clone(stack), idle)
	if !best || saved.met() {
		return kept
	}
	total := saved.total()
	small := slices.Clone(kept)
	slices.SortFunc(small, func(a, b candidate) int { return preferred(b, a) })
	for _, k := range small {
		without := slices.DeleteFunc(slices.Clone(kept), k.same)
		if share(lines, without).total() == total {
			kept = without
		}
	}
	return kept
}

func positive(off int64) bool { return off > 0 }

func (k candidate) same(other candidate) bool { return k.ClaimID == other.ClaimID }

func leftOver(fit, taken, stack []candidate) (left []Rejection) {
	for _, k := range fit {
		if slices.ContainsFunc(taken, k.same) {
			continue
		}
		r := Rejection{ClaimID: k.ClaimID, Code: NoStacking, Message: "the coupon cannot be used together with those that save more"}
		if slices.ContainsFunc(stack, k.same) && stacked(taken) {
			r.Code, r.Message = NothingLeft, "the other coupons take off all there is: keep this one for another order"
		}
		left = append(left, r)
	}
	return left
}

func stacked(taken []candidate) bool {
	return !slices.ContainsFunc(taken, func(k candidate) bool { return k.Stacks != StacksOther })
}
