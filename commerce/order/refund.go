package order

import (
	"context"
	"time"

	"github.com/vitrine-live/vitrine/commerce/payment"
	"github.com/vitrine-live/vitrine/internal/errs"
)

// RefundAsk is what a merchant gives back of an order.
type RefundAsk struct {
	// Amount is in minor units; 0: all that is left.
	Amount int64
	Reason string
	// Restock makes all pieces of the order available again, Return some of them.
	Restock bool
	Return  []Return
}

// Return is pieces of a line that are for sale again.
type Return struct {
	Line   int
	Pieces int64
}

// GiveBack notes that a merchant gives money back. When nothing is left the order is Refunding, and Refunded once the
// provider has said that all is back; a free order at once. Conflict: nothing is left, or nothing was paid.
func (o *Order) GiveBack(ctx context.Context, l Ledger, who Who, ask RefundAsk, at time.Time) error {
	const op = "order.GiveBack"
	left := o.Refundable()
	if ask.Amount == 0 {
		ask.Amount = left
	}
	switch {
	case o.State == Refunded, o.State == Refunding && (left == 0 || o.PaidAt.IsZero()):
		return errs.New(errs.Conflict, op, "all that was paid is refunded or on its way already")
	case ask.Amount < 0 || ask.Amount > left:
		return errs.Field(op, "amount", "at most %s can still be given back", o.Money(left))
	}
	whole, unsent := ask.Amount == left, o.State == Paid
	if whole && o.State != Refunding {
		if err := o.step(ctx, l, Refund, who, at); err != nil {
			return err
		}
	} else if _, _, err := Next(o.State, Refund, who.Actor); err != nil && o.State != Refunding {
		return err
	}
	if err := o.putBack(ctx, l, ask); err != nil {
		return err
	}
	if whole && unsent {
		if err := l.ReleaseCoupons(ctx, o); err != nil {
			return err
		}
	}
	return o.send(ctx, l, who, ask, at)
}

// send asks for the repayment, or has nothing to send where the order was free.
func (o *Order) send(ctx context.Context, l Ledger, who Who, ask RefundAsk, at time.Time) error {
	r, paid := o.counted()
	if !paid {
		o.tell(at, who, RefundWasAsked, func(e *Entry) { e.Text = ask.Reason })
		return o.settle(ctx, l, at)
	}
	p := o.repay(r, ask.Amount, ByMerchant, ask.Reason, at)
	o.tell(at, who, RefundWasAsked, func(e *Entry) { e.Text, e.Amount, e.Refund = ask.Reason, ask.Amount, p.No })
	return nil
}

func (o *Order) putBack(ctx context.Context, l Ledger, ask RefundAsk) error {
	const op = "order.GiveBack"
	if ask.Restock {
		ask.Return = nil
		for _, line := range o.Lines {
			ask.Return = append(ask.Return, Return{line.N, line.Quantity - line.Returned})
		}
	}
	for _, r := range ask.Return {
		if r.Line < 1 || r.Line > len(o.Lines) {
			return errs.Field(op, "return", "the order has no line %d", r.Line)
		}
		line := &o.Lines[r.Line-1]
		if r.Pieces < 0 || r.Pieces > line.Quantity-line.Returned {
			return errs.Field(op, "return", "line %d has only %d pieces left to return", r.Line, line.Quantity-line.Returned)
		}
		if r.Pieces == 0 || line.Hold != Sold {
			continue
		}
		if err := l.PutBack(ctx, line, r.Pieces); err != nil {
			return err
		}
	}
	return nil
}

// Retry asks again for a repayment that the provider would not carry out, under a new number. Conflict: it did not fail.
func (o *Order) Retry(who Who, no string, at time.Time) error {
	const op = "order.Retry"
	for i := range o.Repayments {
		old := &o.Repayments[i]
		if old.No != no {
			continue
		}
		if old.State != RepaymentFailed {
			return errs.New(errs.Conflict, op, "the refund did not fail: it is %s", old.State)
		}
		if old.Cause == ByMerchant && old.Money.Amount > o.Refundable() {
			return errs.New(errs.Conflict, op, "only %s can still be given back", o.Money(o.Refundable()))
		}
		old.State = RepaymentReplaced
		r := Receipt{Provider: old.Provider, TransactionID: old.TransactionID, Money: old.Paid}
		p := o.repay(r, old.Money.Amount, old.Cause, old.Reason, at)
		o.tell(at, who, RefundWasAsked, func(e *Entry) { e.Amount, e.Refund = p.Money.Amount, p.No })
		return nil
	}
	return errs.New(errs.NotFound, op, "the order has no refund %s", no)
}

// RefundReported takes note of what a provider says of a repayment; what is known already changes nothing. next is when
// it is asked again about one that is not done. It reports whether the order has such a repayment.
func (o *Order) RefundReported(ctx context.Context, l Ledger, r payment.RefundResult, next, at time.Time) (known bool, err error) {
	for i := range o.Repayments {
		p := &o.Repayments[i]
		if p.No != r.RefundNo {
			continue
		}
		if p.State != RepaymentAsked && p.State != RepaymentPending {
			return true, nil
		}
		switch r.State {
		case payment.Refunded:
			p.State, p.AskAt, p.DoneAt, p.Error = Repaid, time.Time{}, at, ""
			o.tell(at, Who{Actor: Provider}, RefundWasDone, about(p))
		case payment.Failed, payment.Closed:
			p.State, p.AskAt = RepaymentFailed, time.Time{}
			o.tell(at, Who{Actor: Provider}, RefundWasFailed, about(p))
		case payment.Pending, payment.Paid:
			p.State, p.AskAt = RepaymentPending, next
		}
		if p.State == Repaid && p.Cause == ByMerchant {
			o.Refunded += p.Money.Amount
		}
		return true, o.settle(ctx, l, at)
	}
	return false, nil
}

func about(p *Repayment) func(*Entry) {
	return func(e *Entry) { e.Amount, e.Refund = p.Money.Amount, p.No }
}

// settle ends an order that waits for its money to be back once all of it is.
func (o *Order) settle(ctx context.Context, l Ledger, at time.Time) error {
	if o.State != Refunding || !o.allBack() {
		return nil
	}
	return o.step(ctx, l, RefundDone, Who{Actor: Provider}, at)
}

// allBack reports whether what was taken for the order is back: what was paid in time, or else what came too late.
func (o *Order) allBack() bool {
	if _, paid := o.counted(); paid {
		return o.Refunded == o.Total
	}
	for _, p := range o.Repayments {
		if p.Cause == ForLate && p.State != Repaid && p.State != RepaymentReplaced {
			return false
		}
	}
	return true
}
