package pricing

import (
	"fmt"
	"slices"
)

// Price returns what a cart costs. It is a pure function that never fails: what does not hold is left out and stands in
// Rejected.
//
//   - Each line costs its flash price, else its show price, else its list price.
//   - A coupon asks for MinSpend of the lines in its scope before any coupon, and takes its Amount, or its Percent of
//     those lines rounded up to the next minor unit (in the buyer's favour), at most MaxOff and never more than they cost.
//   - What a coupon takes off is shared among the lines in its scope in proportion to what they cost, by the method of the
//     largest remainder: shares sum exactly and none is above its line's amount.
//   - Of coupons that may not go together, those that save most are taken. When Best, coupons without which as much is
//     saved are kept for another order.
//
// The order of lines and coupons in the input changes nothing but the order in the quote.
func Price(in Input) Quote {
	q := Quote{Currency: in.Currency}
	q.Lines, q.Rejected = priceLines(in.Lines)
	for _, l := range q.Lines {
		q.Subtotal += l.Amount
	}
	fit, refused := eligible(in, q.Lines)
	taken, left := choose(fit, q.Lines, in.Best)
	q.Rejected = append(q.Rejected, inOrder(append(refused, left...), in.Coupons)...)
	q.apply(share(q.Lines, taken), taken)
	q.Total = q.Subtotal - q.Off
	return q
}

func (q *Quote) apply(s *shares, taken []candidate) {
	for c, t := range taken {
		a := Applied{ClaimID: t.ClaimID, CouponID: t.CouponID, Title: t.Title}
		for i, off := range s.off[c] {
			q.Lines[i].Off += off
			a.Off += off
		}
		q.Off += a.Off
		q.Applied = append(q.Applied, a)
	}
}

// priceLines finds the price of each line. A limit holds for all lines of the same special price together.
func priceLines(lines []Line) (quoted []QuotedLine, refused []Rejection) {
	if len(lines) > MaxLines {
		for _, l := range lines {
			refused = append(refused, Rejection{SKU: l.SKU, Code: TooMany, Message: fmt.Sprintf("order at most %d lines at once", MaxLines)})
		}
		return nil, refused
	}
	wanted := map[string]int64{} // pieces at each special price
	for _, l := range lines {
		if _, s := l.price(); s != nil && l.Quantity > 0 {
			wanted[s.Ref] = min(wanted[s.Ref]+min(l.Quantity, MaxLineAmount), MaxLineAmount)
		}
	}
	for _, l := range lines {
		q, special := l.quoted()
		if r := l.refuse(q, special, wanted); r != nil {
			refused = append(refused, *r)
		} else {
			q.Amount = q.Unit * q.Quantity
			quoted = append(quoted, q)
		}
	}
	return quoted, refused
}

// price returns where the price of the line comes from, with what is special about it.
func (l *Line) price() (Source, *Special) {
	switch {
	case l.Flash != nil:
		return FlashPrice, l.Flash
	case l.Show != nil:
		return ShowPrice, l.Show
	}
	return ListPrice, nil
}

func (l *Line) quoted() (QuotedLine, *Special) {
	source, special := l.price()
	q := QuotedLine{SKU: l.SKU, ProductID: l.ProductID, Quantity: l.Quantity, Source: source, Unit: l.List, List: l.List}
	if special != nil {
		q.Ref, q.Unit = special.Ref, special.Unit
	}
	return q, special
}

func (l *Line) refuse(q QuotedLine, special *Special, wanted map[string]int64) *Rejection {
	switch {
	case l.Quantity < 1:
		return &Rejection{SKU: l.SKU, Code: BadQuantity, Message: "order at least one piece"}
	case q.Unit < 0 || q.Unit > 0 && l.Quantity > MaxLineAmount/q.Unit || l.Quantity > MaxLineAmount:
		return &Rejection{SKU: l.SKU, Code: BadAmount, Message: "this is more than one order may cost: order fewer pieces"}
	case special != nil && special.Limit >= 0 && wanted[special.Ref] > special.Limit:
		return &Rejection{SKU: l.SKU, Code: OverLimit, Message: limitMessage(special.Limit), Need: special.Limit}
	}
	return nil
}

func limitMessage(left int64) string {
	if left == 0 {
		return "you have had all the pieces that one buyer may have at this price"
	}
	return fmt.Sprintf("you may have %d more at this price: lower the quantity", left)
}

// inOrder sorts the rejections of coupons as the coupons stand in the input.
func inOrder(rejected []Rejection, coupons []Coupon) []Rejection {
	place := make(map[string]int, len(coupons))
	for i, c := range coupons {
		if _, ok := place[c.ClaimID]; !ok {
			place[c.ClaimID] = i
		}
	}
	slices.SortStableFunc(rejected, func(a, b Rejection) int { return place[a.ClaimID] - place[b.ClaimID] })
	return rejected
}
