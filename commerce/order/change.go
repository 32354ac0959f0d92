package order

import (
	"context"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// Ledger is what a change of an order may touch beside the order, within the transaction that changes it. Each method
// keeps the holds of the order's lines true.
type Ledger interface {
	// Sell turns held pieces into sold ones.
	Sell(ctx context.Context, o *Order) error
	// Release frees held pieces and lets the coupons be used again.
	Release(ctx context.Context, o *Order) error
	// Retake takes released pieces and the coupons once more and sells them, within the limits per buyer; ok is false,
	// and nothing is changed, where one of them cannot be had.
	Retake(ctx context.Context, o *Order) (ok bool, err error)
	// PutBack makes sold pieces of a line available again.
	PutBack(ctx context.Context, line *Line, pieces int64) error
	// ReleaseCoupons lets the coupons be used again.
	ReleaseCoupons(ctx context.Context, o *Order) error
}

// step carries out an event by the table, with its effect.
func (o *Order) step(ctx context.Context, l Ledger, e Event, who Who, at time.Time) error {
	to, effect, err := Next(o.State, e, who.Actor)
	if err != nil {
		return err
	}
	switch effect {
	case Sell:
		err = l.Sell(ctx, o)
	case Release:
		err = l.Release(ctx, o)
	case Retake, NoEffect: // whether pieces could be retaken decided the event
	}
	if err != nil {
		return err
	}
	o.State = to
	o.stamp(to, at)
	return nil
}

func (o *Order) stamp(s State, at time.Time) {
	switch s {
	case Paid:
		o.PaidAt, o.EndedAt = at, time.Time{}
	case Shipped:
		o.ShippedAt = at
	case Completed:
		o.CompletedAt = at
	case Cancelled, Expired, Refunded:
		o.EndedAt = at
	case Pending, Refunding:
	}
}

// Receive takes note of money that came in. What was received already changes nothing. Money that does not fit the order
// goes back: see Outcome.
func (o *Order) Receive(ctx context.Context, l Ledger, r Receipt, at time.Time) error {
	for _, known := range o.Receipts {
		if known.Provider == r.Provider && known.TransactionID == r.TransactionID {
			return nil
		}
	}
	r.OrderID, r.OrderNo, r.ReceivedAt = o.ID, o.No, at
	err := o.judge(ctx, l, &r, at)
	o.Receipts = append(o.Receipts, r)
	return err
}

func (o *Order) judge(ctx context.Context, l Ledger, r *Receipt, at time.Time) error {
	switch {
	case r.Money != o.Money(o.Total):
		r.Outcome = Mismatch
		o.sendBack(*r, ForMismatch, WasPaidWrongly, at)
		return nil
	case o.State == Pending:
		return o.accept(ctx, l, r, Pay, at)
	case o.State == Expired:
		ok, err := l.Retake(ctx, o)
		if err != nil {
			return err
		}
		if ok {
			return o.accept(ctx, l, r, PayLate, at)
		}
		return o.refuse(ctx, l, r, at)
	case o.State == Cancelled:
		return o.refuse(ctx, l, r, at)
	}
	r.Outcome = Surplus
	o.sendBack(*r, ForSurplus, WasPaidTwice, at)
	return nil
}

func (o *Order) accept(ctx context.Context, l Ledger, r *Receipt, e Event, at time.Time) error {
	code := WasPaid
	r.Outcome = Accepted
	if e == PayLate {
		code, r.Outcome = WasPaidLate, Late
	}
	if err := o.step(ctx, l, e, Who{Actor: Provider}, at); err != nil {
		return err
	}
	o.Provider, o.TransactionID = r.Provider, r.TransactionID
	o.tell(at, Who{Actor: Provider}, code, func(e *Entry) { e.Amount = r.Money.Amount })
	return nil
}

func (o *Order) refuse(ctx context.Context, l Ledger, r *Receipt, at time.Time) error {
	r.Outcome = Refused
	if err := o.step(ctx, l, RefuseLate, Who{Actor: Provider}, at); err != nil {
		return err
	}
	o.sendBack(*r, ForLate, WasRefusedLate, at)
	return nil
}

// sendBack returns all of a receipt.
func (o *Order) sendBack(r Receipt, cause Cause, code string, at time.Time) {
	p := o.repay(r, r.Money.Amount, cause, "", at)
	o.tell(at, Who{Actor: Provider}, code, func(e *Entry) { e.Amount, e.Refund = r.Money.Amount, p.No })
}

// ExpireAt lets the order expire. It does nothing where the order is not waiting for its payment any more, or still has
// time at the instant.
func (o *Order) ExpireAt(ctx context.Context, l Ledger, at time.Time) error {
	if o.State != Pending || at.Before(o.ExpiresAt) {
		return nil
	}
	if err := o.step(ctx, l, Expire, Who{Actor: Clock}, at); err != nil {
		return err
	}
	o.closeAttempts(at)
	o.tell(at, Who{Actor: Clock}, WasExpired)
	return nil
}

// CancelBy cancels an order that is not paid. Cancelling it again changes nothing.
func (o *Order) CancelBy(ctx context.Context, l Ledger, who Who, reason string, at time.Time) error {
	if o.State == Cancelled {
		return nil
	}
	if err := o.step(ctx, l, Cancel, who, at); err != nil {
		return err
	}
	o.closeAttempts(at)
	o.tell(at, who, WasCancelled, func(e *Entry) { e.Text = reason })
	return nil
}

// closeAttempts asks for payments under way to be closed.
func (o *Order) closeAttempts(at time.Time) {
	for i := range o.Attempts {
		if a := &o.Attempts[i]; !a.Closed && a.CloseAt.IsZero() {
			a.CloseAt = at
		}
	}
}

// ShipAs notes how the parcel travels. A shipped order may be corrected.
func (o *Order) ShipAs(ctx context.Context, l Ledger, who Who, s Shipping, at time.Time) error {
	if o.State != Shipped {
		if err := o.step(ctx, l, Ship, who, at); err != nil {
			return err
		}
	}
	if o.Shipping == s {
		return nil
	}
	o.Shipping = s
	o.tell(at, who, WasShipped, func(e *Entry) { e.Text = s.Carrier + " " + s.Number })
	return nil
}

// CompleteBy notes that the parcel has arrived. Completing it again changes nothing.
func (o *Order) CompleteBy(ctx context.Context, l Ledger, who Who, at time.Time) error {
	if o.State == Completed {
		return nil
	}
	if err := o.step(ctx, l, Complete, who, at); err != nil {
		return err
	}
	o.tell(at, who, WasCompleted)
	return nil
}

// Begin notes that a payment begins at a provider. Conflict: the order is not waiting for one, or its time is up.
func (o *Order) Begin(provider string, at time.Time) error {
	const op = "order.Begin"
	if o.State != Pending {
		return errs.New(errs.Conflict, op, "the order is %s: nothing is to be paid", words[o.State])
	}
	if !at.Before(o.ExpiresAt) {
		return errs.New(errs.Conflict, op, "the time to pay this order is over: order again")
	}
	for i := range o.Attempts {
		if a := &o.Attempts[i]; a.Provider == provider {
			a.Closed, a.CloseAt, a.Tries = false, time.Time{}, 0
			return nil
		}
	}
	o.Attempts = append(o.Attempts, Attempt{Provider: provider, StartedAt: at})
	return nil
}
