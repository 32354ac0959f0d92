package order

import (
	"time"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/internal/ids"
)

// Attempt is a payment that was begun at a provider, noted before the provider heard of it.
type Attempt struct {
	Provider  string
	StartedAt time.Time
	// Closed tells that nobody can pay it any more.
	Closed bool
	// CloseAt is when closing it is tried next; zero: it need not be.
	CloseAt time.Time
	Tries   int
}

// Receipt is money that came in for an order.
type Receipt struct {
	Provider      string
	TransactionID string
	OrderID       string // empty: it is of no order of ours
	OrderNo       string
	Money         commerce.Money
	Outcome       Outcome
	PaidAt        time.Time
	ReceivedAt    time.Time
}

// Outcome is what became of money that came in.
type Outcome string

// The outcomes. All but the first two go back, Unknown by hand.
const (
	Accepted Outcome = "accepted"
	Late     Outcome = "late"     // after the order had expired, and accepted all the same
	Refused  Outcome = "refused"  // after the order had ended
	Surplus  Outcome = "surplus"  // the order was paid already
	Mismatch Outcome = "mismatch" // not the amount of the order
	Unknown  Outcome = "unknown"  // no order has this number: the operator has to look
)

// Repayment is money that goes back. It is stored before the provider is asked, and asked for until the provider says how
// it ended.
type Repayment struct {
	No            string // "rfd_…"
	OrderID       string
	OrderNo       string
	Provider      string
	TransactionID string
	Money         commerce.Money
	Paid          commerce.Money // what the transaction had brought
	Cause         Cause
	Reason        string
	State         RepaymentState
	Tries         int
	Error         string // of the last try, for the merchant
	CreatedAt     time.Time
	AskAt         time.Time // when the provider is asked next; zero: never again
	DoneAt        time.Time
}

// Cause is why money goes back.
type Cause string

// The causes.
const (
	ByMerchant  Cause = "merchant"
	ForLate     Cause = "late"
	ForSurplus  Cause = "surplus"
	ForMismatch Cause = "mismatch"
)

// RepaymentState is where a repayment stands.
type RepaymentState string

// The states of repayments.
const (
	RepaymentAsked    RepaymentState = "asked"   // the provider may not know it yet
	RepaymentPending  RepaymentState = "pending" // the provider works on it
	Repaid            RepaymentState = "refunded"
	RepaymentFailed   RepaymentState = "failed"   // the provider will not: the merchant has to act
	RepaymentReplaced RepaymentState = "replaced" // it failed, and another one was asked for in its place
)

// Alive reports whether the money is back or on its way.
func (s RepaymentState) Alive() bool {
	return s == RepaymentAsked || s == RepaymentPending || s == Repaid
}

// repay notes that money of a receipt goes back. An order that was free has nothing to send: its repayment is done at
// once.
func (o *Order) repay(r Receipt, amount int64, cause Cause, reason string, at time.Time) *Repayment {
	p := Repayment{
		No: ids.New("rfd"), OrderID: o.ID, OrderNo: o.No, Provider: r.Provider, TransactionID: r.TransactionID,
		Money: commerce.Money{Amount: amount, Currency: r.Money.Currency}, Paid: r.Money, Cause: cause, Reason: reason,
		State: RepaymentAsked, CreatedAt: at, AskAt: at,
	}
	o.Repayments = append(o.Repayments, p)
	return &o.Repayments[len(o.Repayments)-1]
}

// counted is the receipt that the order was paid with; ok is false for one that was free or is not paid.
func (o *Order) counted() (r Receipt, ok bool) {
	for _, r := range o.Receipts {
		if r.Outcome == Accepted || r.Outcome == Late {
			return r, true
		}
	}
	return Receipt{}, false
}

// Refundable is what can still be given back of what was paid: the total without what is back or on its way.
func (o *Order) Refundable() int64 {
	left := o.Total
	for _, r := range o.Repayments {
		if r.Cause == ByMerchant && r.State.Alive() {
			left -= r.Money.Amount
		}
	}
	return left
}
