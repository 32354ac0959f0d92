package order

import (
	"context"
	"log/slog"
	"time"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/commerce/payment"
	"github.com/vitrine-live/vitrine/commerce/pricing"
	"github.com/vitrine-live/vitrine/commerce/stock"
	"github.com/vitrine-live/vitrine/internal/errs"
)

// goods tells what is sold, at which price: *commerce.Catalogue.
type goods interface {
	// Sellable returns the SKUs in the order asked; NotFound names one that is not there.
	Sellable(ctx context.Context, skuIDs []string, showID string, at time.Time) ([]commerce.Sellable, error)
}

// offers tells what makes it cheaper.
type offers interface {
	// FlashFor returns the flash sales that run for SKUs, by SKU.
	FlashFor(ctx context.Context, skuIDs []string, viewerID string, at time.Time) (map[string]Flash, error)
	// Coupons returns a viewer's claims: those named, or all that may be used where claimIDs is nil.
	Coupons(ctx context.Context, storeID, viewerID string, claimIDs []string, at time.Time) ([]pricing.Coupon, error)
}

// Flash is a running flash sale of a SKU. PoolID is where its pieces lie; Unit is minor units a piece.
type Flash = struct {
	ID, PoolID   string
	Unit         int64
	PerBuyerLeft int64 // pieces that this buyer may still have; negative: any number
}

// shows are the broadcasts: *live.Rooms.
type shows interface {
	// Tell places an event onto the timeline of a show. Conflict: it is not on air.
	Tell(ctx context.Context, showID, typ string, atMS *int64, data any) (showTimeMS int64, err error)
	ShopShow(ctx context.Context, showID string) (commerce.Show, error)
}

// Gate turns buyers away before they reach the database when it is sure that nothing is left. The database stays the
// truth: an error of the gate means to go on without it.
type Gate interface {
	// Take takes pieces from the counter of a pool; known is false where there is none: Set it and try again.
	Take(ctx context.Context, pool string, pieces int64) (taken, known bool, err error)
	Give(ctx context.Context, pool string, pieces int64) error
	// Set makes a counter where there is none.
	Set(ctx context.Context, pool string, available int64) error
}

// allotments set pieces aside for shows.
type allotments interface {
	SetAllotment(ctx context.Context, showID, skuID string, pieces int64) (stock.Pool, error)
	Allotments(ctx context.Context, showID string) ([]stock.Pool, error)
	ReturnAllotments(ctx context.Context, showID, skuID string) (int, error)
	EndedAllotments(ctx context.Context) ([]string, error)
}

// Deps are what a Service works with.
type Deps struct {
	Store interface {
		Store
		allotments
	}
	Goods  goods
	Offers offers // nil: there are no coupons and no flash sales
	Shows  shows  // nil: nobody is told
	Gate   Gate   // nil: none
	// Providers move money. The first takes new payments; the others still carry through those that they began.
	Providers []payment.Provider
	// PoolChanged hears, after each commit, of pools of flash sales that pieces were taken from or came back to. It may be
	// called late and for several changes once.
	PoolChanged func(ctx context.Context, poolID string)
	// StockChanged hears, after each commit, of SKUs whose pieces changed. It must return at once.
	StockChanged func(ctx context.Context, skuIDs []string)
	// Count hears of what happened, in words fit for a label of a metric; nil: nobody does.
	Count func(what string)
	Log   *slog.Logger
	Now   func() time.Time // nil: time.Now
}

// Service carries out what buyers, merchants, providers and the clock do to orders. Safe for concurrent use. Its Run does
// what is due.
type Service struct {
	Deps
	cfg      Config
	announce *announcer
	gone     gone // what the gate has just refused
}

// New makes a Service. Nothing starts before its Run.
func New(cfg Config, d Deps) *Service {
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Count == nil {
		d.Count = func(string) {}
	}
	if d.PoolChanged == nil {
		d.PoolChanged = func(context.Context, string) {}
	}
	if d.StockChanged == nil {
		d.StockChanged = func(context.Context, []string) {}
	}
	s := &Service{Deps: d, cfg: cfg.withDefaults()}
	s.announce = newAnnouncer(s)
	return s
}

// at is the instant of an operation, as it is kept.
func (s *Service) at() time.Time { return s.Now().UTC().Truncate(time.Millisecond) }

func (s *Service) provider(name string) (payment.Provider, error) {
	for _, p := range s.Providers {
		if p.Name() == name {
			return p, nil
		}
	}
	return nil, errs.New(errs.NotFound, "order.provider", "there is no payment provider %q here", name)
}

// change changes an order and tells those who want to know.
func (s *Service) change(ctx context.Context, sc Scope, id string, c Change) (Order, error) {
	var before State
	o, left, err := s.Store.ChangeOrder(ctx, sc, id, func(ctx context.Context, o *Order, l Ledger) error {
		before = o.State
		return c(ctx, o, l)
	})
	if err != nil {
		return Order{}, err
	}
	if o.State != before {
		s.Count(string(o.State))
		s.openGate(ctx, &o, before)
	}
	s.announce.changed(ctx, &o, before, left)
	return o, nil
}

// Get returns an order within a scope, or NotFound.
func (s *Service) Get(ctx context.Context, sc Scope, id string) (Order, error) {
	o, err := s.Store.Order(ctx, sc, id)
	return o, errs.Wrap("order.Get", err)
}

// List returns a page of orders, newest first.
func (s *Service) List(ctx context.Context, f Filter) ([]Order, error) {
	all, err := s.Store.Orders(ctx, f)
	return all, errs.Wrap("order.List", err)
}

// Bought reports whether a viewer paid for something of a store, or, showID given, from a show, and kept it.
func (s *Service) Bought(ctx context.Context, viewerID, storeID, showID string) (bool, error) {
	bought, err := s.Store.HasBought(ctx, viewerID, storeID, showID)
	return bought, errs.Wrap("order.Bought", err)
}
