package order

import (
	"slices"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// State is where an order stands.
type State string

// The states.
const (
	Pending   State = "pending_payment" // its pieces are held until it is paid or expires
	Paid      State = "paid"
	Shipped   State = "shipped"
	Completed State = "completed"
	Cancelled State = "cancelled" // before it was paid
	Expired   State = "expired"   // nobody paid in time
	Refunding State = "refunding" // all that was paid is on its way back
	Refunded  State = "refunded"
)

// States lists all states.
var States = []State{Pending, Paid, Shipped, Completed, Cancelled, Expired, Refunding, Refunded}

// Event is what moves an order on.
type Event string

// The events.
const (
	Pay        Event = "pay"         // the right amount has come in
	PayLate    Event = "pay_late"    // it came after the order had expired, and the pieces could be had again
	RefuseLate Event = "refuse_late" // it came after the order had ended, and goes back
	Cancel     Event = "cancel"
	Expire     Event = "expire"
	Ship       Event = "ship"
	Complete   Event = "complete"
	Refund     Event = "refund"      // all of it
	RefundDone Event = "refund_done" // all of it is back
)

// Events lists all events.
var Events = []Event{Pay, PayLate, RefuseLate, Cancel, Expire, Ship, Complete, Refund, RefundDone}

// Actor is who brings an event about.
type Actor string

// The actors.
const (
	Buyer    Actor = "buyer"
	Merchant Actor = "merchant"
	Provider Actor = "payment" // a report of the provider
	Clock    Actor = "clock"
)

// Effect is what an event does to the pieces and coupons of an order, in the transaction that changes its state.
type Effect string

// The effects.
const (
	NoEffect Effect = ""
	Sell     Effect = "sell"    // held pieces are sold
	Release  Effect = "release" // held pieces are free again, coupons may be used again
	Retake   Effect = "retake"  // released pieces and coupons are taken once more and sold
)

// transition is one row of the table.
type transition struct {
	from   State
	event  Event
	to     State
	by     []Actor
	effect Effect
}

// transitions is the one table of what may happen to an order. What stands not here does not happen.
var transitions = []transition{
	{Pending, Pay, Paid, []Actor{Provider}, Sell},
	{Pending, Cancel, Cancelled, []Actor{Buyer, Merchant}, Release},
	{Pending, Expire, Expired, []Actor{Clock}, Release},

	{Expired, PayLate, Paid, []Actor{Provider}, Retake},
	{Expired, RefuseLate, Refunding, []Actor{Provider}, NoEffect},
	{Cancelled, RefuseLate, Refunding, []Actor{Provider}, NoEffect}, // whoever cancelled does not want it any more

	{Paid, Ship, Shipped, []Actor{Merchant}, NoEffect},
	{Shipped, Complete, Completed, []Actor{Buyer, Clock}, NoEffect},

	{Paid, Refund, Refunding, []Actor{Merchant}, NoEffect}, // which pieces are for sale again is the merchant's word
	{Shipped, Refund, Refunding, []Actor{Merchant}, NoEffect},
	{Completed, Refund, Refunding, []Actor{Merchant}, NoEffect},
	{Refunding, RefundDone, Refunded, []Actor{Provider}, NoEffect},
}

// Next returns the state that an event leads to and what it does to the pieces. Conflict says why it does not happen.
func Next(from State, e Event, by Actor) (State, Effect, error) {
	for _, t := range transitions {
		if t.from == from && t.event == e && slices.Contains(t.by, by) {
			return t.to, t.effect, nil
		}
	}
	return "", NoEffect, errs.New(errs.Conflict, "order.Next", "%s", refusal(from, e))
}

// Over reports whether nothing is expected of the order any more.
func (s State) Over() bool { return s == Cancelled || s == Expired || s == Refunded }

// refusal tells a person why an event cannot happen now.
func refusal(from State, e Event) string {
	switch {
	case e == Cancel && from != Cancelled && from != Expired:
		return "the order is paid already: it can be refunded, not cancelled"
	case e == Ship && from == Pending:
		return "the order is not paid yet: ship it once it is"
	case e == Refund && from == Pending:
		return "nothing was paid yet: cancel the order instead"
	case e == Complete && from == Paid:
		return "the order was not shipped yet"
	}
	return "the order is " + words[from] + " and stays so"
}

var words = map[State]string{
	Pending: "waiting for its payment", Paid: "paid", Shipped: "shipped", Completed: "completed", Cancelled: "cancelled",
	Expired: "expired", Refunding: "being refunded", Refunded: "refunded",
}
