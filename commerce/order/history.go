package order

import "time"

// Entry is one line of an order's history. Both sides read it, but for those of the staff alone.
type Entry struct {
	At    time.Time `json:"at"`
	Code  string    `json:"code"` // machine-readable: one of those below
	Actor Actor     `json:"actor"`
	By    string    `json:"by,omitempty"`    // of staff: who; the merchant sees it
	Text  string    `json:"text,omitempty"`  // what a person wrote
	Staff bool      `json:"staff,omitempty"` // not for the buyer
	// Amount is of payments and refunds.
	Amount int64 `json:"amount,omitempty"`
	// Refund is the number of the repayment that the entry is about.
	Refund string `json:"refund,omitempty"`
}

// The codes of entries.
const (
	WasPlaced       = "placed"
	WasPaid         = "paid"
	WasPaidLate     = "paid_late"    // after the order had expired; the pieces were still there
	WasRefusedLate  = "refused_late" // after the order had ended; the money goes back
	WasPaidTwice    = "paid_twice"   // the second payment goes back
	WasPaidWrongly  = "amount_wrong" // not the amount of the order; it goes back
	WasCancelled    = "cancelled"
	WasExpired      = "expired"
	WasShipped      = "shipped"
	WasCompleted    = "completed"
	WasNoted        = "note"
	RefundWasAsked  = "refund_asked"
	RefundWasDone   = "refund_done"
	RefundWasFailed = "refund_failed" // the provider will not: the merchant has to act
)

// Who is whoever acts on an order.
type Who struct {
	Actor Actor
	Name  string // of staff; for the history
}

func (o *Order) tell(at time.Time, who Who, code string, more ...func(*Entry)) {
	e := Entry{At: at, Code: code, Actor: who.Actor, By: who.Name}
	for _, f := range more {
		f(&e)
	}
	o.History = append(o.History, e)
	o.UpdatedAt = at
}
