package sandbox

import (
	"context"
	"time"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/commerce/payment"
)

// Payment is what the bank knows of an order.
type Payment struct {
	OrderNo     string
	Page        string // the part of its page's address that nobody guesses
	Description string
	Amount      commerce.Money
	State       payment.State // Pending, Paid, Closed or Failed
	ReturnURL   string
	CreatedAt   time.Time
	ExpiresAt   time.Time
	// Late tells that it will be paid after it has expired, whatever the shop was told meanwhile.
	Late bool
	// Transactions are the payments that were made, oldest first.
	Transactions []Transaction
}

// Transaction is one payment of an order.
type Transaction struct {
	ID       string // "sbx_…"
	OrderNo  string
	At       time.Time
	Reported bool // the shop has taken note
}

// Refund is money that went back.
type Refund struct {
	No            string
	OrderNo       string
	TransactionID string
	Amount        commerce.Money
	At            time.Time
}

// Ledger keeps the bank's books. Each method is one transaction; NotFound says that there is no such thing.
type Ledger interface {
	// OpenSandboxPayment stores a payment, or returns the one that its order has.
	OpenSandboxPayment(ctx context.Context, p Payment) (Payment, error)
	SandboxPayment(ctx context.Context, orderNo string) (Payment, error)
	SandboxPaymentOfPage(ctx context.Context, page string) (Payment, error)
	// ChangeSandboxPayment locks a payment, changes it and stores what became of it with its new transactions.
	ChangeSandboxPayment(ctx context.Context, orderNo string, change func(*Payment) error) (Payment, error)
	// LateSandboxPayments are those to be paid late that expired before an instant.
	LateSandboxPayments(ctx context.Context, before time.Time, limit int) ([]string, error)
	// UnreportedSandbox are transactions of which the shop has not taken note, the oldest first.
	UnreportedSandbox(ctx context.Context, limit int) ([]Transaction, error)
	SandboxReported(ctx context.Context, transactionID string) error
	// AddSandboxRefund stores a refund, or returns the one of its number. Conflict: the transaction has not as much left.
	AddSandboxRefund(ctx context.Context, r Refund) (Refund, error)
	SandboxRefund(ctx context.Context, no string) (Refund, error)
}
