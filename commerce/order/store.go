package order

import (
	"context"
	"time"

	"github.com/vitrine-live/vitrine/commerce/stock"
)

// Placement is an order with the pools that its pieces may come from.
type Placement struct {
	Order Order // complete, but for the pools of its lines
	// Pools names for each line the pools to take all its pieces from, the first that has them; none: nobody counts them.
	Pools [][]string
}

// Scope limits an operation to the orders of a store or of a viewer. The zero Scope is everything.
type Scope struct {
	StoreID  string
	ViewerID string
}

// Filter selects orders, newest first.
type Filter struct {
	Scope
	State  State  // empty: any
	ShowID string // lines that were ordered from this show; empty: any
	Text   string // an order number, or part of a recipient's name or phone number; empty: any
	Since  time.Time
	Until  time.Time // exclusive; zero: none
	After  string    // the last order of the page before; empty: from the newest
	Limit  int
}

// Change changes an order within a transaction, with what else it touches. An error undoes everything.
type Change func(ctx context.Context, o *Order, l Ledger) error

// Store keeps orders. Each method is one transaction.
type Store interface {
	// PlaceOrder takes the pieces, uses the coupons and stores the order, all or nothing, within the limits per buyer that
	// its lines state. It returns what the pools have left. SoldOut, a *SoldOut; a Conflict for a limit or a coupon.
	PlaceOrder(ctx context.Context, p Placement) ([]stock.Left, error)
	// Order returns an order within a scope, or NotFound.
	Order(ctx context.Context, s Scope, id string) (Order, error)
	Orders(ctx context.Context, f Filter) ([]Order, error)
	// ChangeOrder locks an order, changes it and returns it, with what the pools it touched have left. NotFound.
	ChangeOrder(ctx context.Context, s Scope, id string, change Change) (Order, []stock.Left, error)

	// DueOrders are those waiting for a payment whose time is up, the oldest first.
	DueOrders(ctx context.Context, at time.Time, limit int) ([]string, error)
	// ShippedOrders are those shipped before an instant and not completed.
	ShippedOrders(ctx context.Context, before time.Time, limit int) ([]string, error)
	// DueCloses are orders with a payment under way that is to be closed.
	DueCloses(ctx context.Context, at time.Time, limit int) ([]string, error)
	// DueRepayments are those to ask a provider for, or about, by now.
	DueRepayments(ctx context.Context, at time.Time, limit int) ([]Repayment, error)
	// KeepReceipt notes money that came in for no order of ours; it reports whether it is new.
	KeepReceipt(ctx context.Context, r Receipt) (bool, error)

	// PoolsForSale are the open pools of some SKUs, by SKU: the show's before the main one, and those of flash sales. The
	// zero show has none of its own.
	PoolsForSale(ctx context.Context, showID string, skuIDs []string) (map[string][]stock.Pool, error)
	// Pools are all pools of a SKU.
	Pools(ctx context.Context, skuID string) ([]stock.Pool, error)
	// HasBought reports whether a viewer paid for something of a store, or, showID given, from a show, and kept it.
	HasBought(ctx context.Context, viewerID, storeID, showID string) (bool, error)
}
