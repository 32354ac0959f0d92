package payment

import (
	"context"
	"time"

	"github.com/vitrine-live/vitrine/commerce"
)

// Method is a way to pay that a buyer chooses.
type Method string

// The methods.
const (
	Sandbox Method = "sandbox" // a page of this server that plays the bank
	JSAPI   Method = "jsapi"   // within WeChat: mini-program or page
	H5      Method = "h5"      // a phone's browser that opens WeChat
	Native  Method = "native"  // a QR code that WeChat scans
)

// Request asks a provider to take money for an order.
type Request struct {
	OrderNo     string // unique at the provider, 6 to 32 of [0-9A-Za-z_*-]
	Description string // what the buyer reads, at most 127 characters
	Amount      commerce.Money
	Method      Method
	PayerID     string    // the provider's name of the payer (WeChat: openid); JSAPI needs it
	ClientIP    string    // of the buyer; H5 needs it
	ExpiresAt   time.Time // the last moment to pay
	NotifyURL   string    // where the provider reports to
	ReturnURL   string    // where the buyer's browser goes afterwards; may be empty
}

// Intent is how the buyer goes on. What a method does not need is empty.
type Intent struct {
	Method    Method
	PayURL    string            // a page to open
	QRCode    string            // the content of a QR code to show
	Params    map[string]string // for wx.requestPayment
	ExpiresAt time.Time
}

// State is where a payment stands at the provider.
type State string

// The states of payments and of refunds.
const (
	Pending State = "pending"
	Paid    State = "paid"
	Closed  State = "closed" // nobody can pay any more
	Failed  State = "failed"
	// Refunded is the end of a refund; a refund that cannot be carried out is Failed.
	Refunded State = "refunded"
)

// Result is what a provider knows of a payment.
type Result struct {
	OrderNo       string
	TransactionID string // the provider's, once paid
	State         State
	Amount        commerce.Money
	PaidAt        time.Time
	PayerID       string
}

// RefundRequest asks to give money back. It may be repeated: RefundNo makes it one.
type RefundRequest struct {
	OrderNo       string
	TransactionID string
	RefundNo      string // unique at the provider, 1 to 64 of [0-9A-Za-z_*@-]
	Reason        string
	Amount        commerce.Money // of this refund
	Total         commerce.Money // that was paid
	NotifyURL     string
}

// RefundResult is what a provider knows of a refund.
type RefundResult struct {
	OrderNo    string
	RefundNo   string
	ProviderID string
	State      State // Pending, Refunded or Failed
	Amount     commerce.Money
	At         time.Time // when it was done
}

// Notification is a report of a provider, checked to be its own. One of the two is set.
type Notification struct {
	ID      string // unique of the provider; the same report may come again with the same one
	Payment *Result
	Refund  *RefundResult
}

// Provider moves money. Methods may be called by many goroutines. Calls that may be repeated come to the same.
//
// Errors: Invalid for what the provider will never take; NotFound for orders and refunds it does not know; Conflict where
// the state forbids it (closing what is paid); Unavailable when it does not answer and the call may be repeated.
type Provider interface {
	// Name is the provider's name in configuration, addresses and orders.
	Name() string
	// Methods are the ways to pay that it is set up for.
	Methods() []Method
	// Start begins or continues a payment. It may be called again for the same order and amount.
	Start(ctx context.Context, r Request) (Intent, error)
	Query(ctx context.Context, orderNo string) (Result, error)
	// Close makes sure that nobody can pay the order any more. Conflict: it is paid.
	Close(ctx context.Context, orderNo string) error
	Refund(ctx context.Context, r RefundRequest) (RefundResult, error)
	QueryRefund(ctx context.Context, refundNo string) (RefundResult, error)
	// Notification reads a report. Unauthorized: it is not the provider's, or too old. header has canonical keys.
	Notification(ctx context.Context, header map[string][]string, body []byte) (Notification, error)
}
