// Package reconcile compares the books of payment providers with ours: payments whose report never came, money that is in
// one book only, amounts that differ, refunds that hang. What can be mended is, through the orders themselves; what cannot
// is kept for somebody to look into.
package reconcile

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/vitrine-live/vitrine/commerce/order"
	"github.com/vitrine-live/vitrine/commerce/payment"
	"github.com/vitrine-live/vitrine/internal/cursor"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/ids"
)

const (
	// batch is how many orders one run looks at; the others have their turn in the next, the oldest first.
	batch = 200
	// settle is how long an order must have been left alone, so that a report that is being taken note of does not look like
	// one that is missing.
	settle = time.Minute
	// askTimeout bounds one question to a provider.
	askTimeout = 20 * time.Second
	// slow is how long a refund may take until somebody should ask.
	slow    = 3 * 24 * time.Hour
	maxPage = 200
)

// Kind says in what the books differ.
type Kind string

// The kinds.
const (
	UnknownPayment Kind = "unknown_payment" // money came in for an order that is not here
	UnknownThere   Kind = "unknown_there"   // we took note of money, and the provider knows no such order
	PaidHereOnly   Kind = "paid_here_only"  // we took note of money, and the provider calls the order unpaid
	AmountDiffers  Kind = "amount_differs"
	RefundFailed   Kind = "refund_failed"  // the provider cannot carry it out
	RefundSlow     Kind = "refund_slow"    // the provider has been at it for days
	RefundDiffers  Kind = "refund_differs" // done in one book, not in the other, or another amount
)

// Discrepancy is something in which the books differ and that could not be mended.
type Discrepancy struct {
	ID       string // "dis_…"
	StoreID  string // empty: of no order of ours
	Provider string
	Kind     Kind
	OrderID  string
	OrderNo  string
	RefundNo string // empty: about the payment
	Detail   string
	FoundAt  time.Time
	SeenAt   time.Time // when it was found again
	// ResolvedAt is when the books agreed, or somebody said that it is dealt with; zero: it is open.
	ResolvedAt time.Time
	Resolution string
}

// orders are the orders as they are run: *order.Service.
type orders interface {
	Get(ctx context.Context, s order.Scope, id string) (order.Order, error)
	Notified(ctx context.Context, provider string, n payment.Notification) error
}

// books keeps what was compared. Each method is one transaction.
type books interface {
	// ChecksDue lists orders with a payment begun or a refund made since an instant, untouched since before, that changed
	// since they were compared, or were compared before recheck while something of them is open: their payment, a refund, a
	// discrepancy. The longest untouched come first.
	ChecksDue(ctx context.Context, since, before, recheck time.Time, limit int) ([]string, error)
	// KeepCheck notes that an order was compared as it is, and what was found: open discrepancies of the order that were not
	// found any more are resolved. It returns how many are new.
	KeepCheck(ctx context.Context, o *order.Order, found []Discrepancy, at time.Time) (fresh int, err error)
	// KeepStrays opens a discrepancy for each payment of no order of ours that has none, and tells how many are new.
	KeepStrays(ctx context.Context, at time.Time) (fresh int, err error)
	// Discrepancies lists newest first, those before the key: those of a store, or all with storeID "".
	Discrepancies(ctx context.Context, storeID string, openOnly bool, before cursor.Key, limit int) ([]Discrepancy, error)
	// ResolveDiscrepancy closes an open one. NotFound.
	ResolveDiscrepancy(ctx context.Context, storeID, id, resolution string, at time.Time) (Discrepancy, error)
}

// Config says how often and how far back books are compared. The zero value of each field stands for the default beside it.
type Config struct {
	// Every is how often, 1 min to 24 h. Default 5 min.
	Every time.Duration
	// Back is for how long after a payment was begun or a refund was made an order is compared, 1 h to 30 days. Default 72 h.
	Back time.Duration
}

func (c Config) withDefaults() Config {
	if c.Every == 0 {
		c.Every = 5 * time.Minute
	}
	if c.Back == 0 {
		c.Back = 72 * time.Hour
	}
	return c
}

// Service compares. Safe for concurrent use; one Run of all servers of a database is enough, and more do no harm.
type Service struct {
	cfg       Config
	orders    orders
	books     books
	providers map[string]payment.Provider
	log       *slog.Logger
	count     func(what string)
	now       func() time.Time
}

// New makes a Service. count hears of what happened, in words fit for a label of a metric; now nil: time.Now.
func New(cfg Config, o orders, b books, providers []payment.Provider, log *slog.Logger, count func(string), now func() time.Time) *Service {
	if now == nil {
		now = time.Now
	}
	s := &Service{cfg: cfg.withDefaults(), orders: o, books: b, providers: map[string]payment.Provider{}, log: log, count: count, now: now}
	for _, p := range providers {
		s.providers[p.Name()] = p
	}
	return s
}

// Run compares now and then until ctx ends.
func (s *Service) Run(ctx context.Context) {
	tick := time.NewTicker(s.cfg.Every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := s.Once(ctx); err != nil && ctx.Err() == nil {
				s.count("failed")
				s.log.WarnContext(ctx, "the books of a payment provider could not be compared: it is tried again", "error", err)
			}
		}
	}
}

// Once compares all orders that are due. A provider that does not answer keeps those of others from nothing.
func (s *Service) Once(ctx context.Context) error {
	at := s.instant()
	due, err := s.books.ChecksDue(ctx, at.Add(-s.cfg.Back), at.Add(-settle), at.Add(-s.cfg.Every/2), batch)
	if err != nil {
		return err
	}
	down := map[string]error{}
	for _, id := range due {
		if err := s.check(ctx, id, down); err != nil {
			return err
		}
	}
	fresh, err := s.books.KeepStrays(ctx, at)
	if err != nil {
		return err
	}
	s.found(ctx, fresh, "")
	for name, err := range down {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// check compares one order. One that a provider gave no answer about stays due.
func (s *Service) check(ctx context.Context, id string, down map[string]error) error {
	o, err := s.orders.Get(ctx, order.Scope{}, id)
	if err != nil {
		return err
	}
	c := &comparison{Service: s, order: &o, down: down}
	if err := c.run(ctx); err != nil || c.unsure {
		return err
	}
	if c.mended {
		return nil // it has changed: it is compared again when it has settled
	}
	fresh, err := s.books.KeepCheck(ctx, &o, c.found, s.instant())
	if err != nil {
		return err
	}
	s.count("checked")
	s.found(ctx, fresh, o.ID)
	return nil
}

func (s *Service) found(ctx context.Context, n int, orderID string) {
	if n == 0 {
		return
	}
	s.count("discrepancy")
	s.log.ErrorContext(ctx, "the books of a payment provider differ from ours: look at the list of discrepancies", "new", n, "order", orderID)
}

// List returns discrepancies of a store, or of all with storeID "", newest first, and where the next page begins.
func (s *Service) List(ctx context.Context, storeID string, openOnly bool, after string, limit int) ([]Discrepancy, string, error) {
	const op = "reconcile.List"
	before, err := cursor.Parse(after)
	if err != nil {
		return nil, "", errs.Wrap(op, err)
	}
	if limit < 1 || limit > maxPage {
		return nil, "", errs.Field(op, "limit", "must be 1 to %d", maxPage)
	}
	all, err := s.books.Discrepancies(ctx, storeID, openOnly, before, limit+1)
	if err != nil || len(all) <= limit {
		return all, "", errs.Wrap(op, err)
	}
	last := all[limit-1]
	return all[:limit], cursor.Key{At: last.FoundAt, ID: last.ID}.String(), nil
}

// Resolve closes a discrepancy that somebody has dealt with. One that is found again is opened again.
func (s *Service) Resolve(ctx context.Context, storeID, id, who, note string) (Discrepancy, error) {
	d, err := s.books.ResolveDiscrepancy(ctx, storeID, id, who+": "+note, s.instant())
	return d, errs.Wrap("reconcile.Resolve", err)
}

func (s *Service) instant() time.Time { return s.now().UTC().Truncate(time.Millisecond) }

// newID names a discrepancy.
func newID() string { return ids.New("dis") }
