package commerce

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// How often viewers hear of the pieces of a SKU: that it is sold out or back, and how the last few go, within newsPause;
// of more than few, once in plentyPause.
const (
	newsPause   = 500 * time.Millisecond
	plentyPause = 10 * time.Second
	few         = 10
)

// maxNews is how many SKUs may wait to be told of. Beyond it a change is left out: the next one of its SKU, or the next
// snapshot, tells how it stands.
const maxNews = 10_000

// typeStock is overlay.TypeStock.
const typeStock = "stock"

// onAir is where viewers are told; *live.Rooms is one.
type onAir interface {
	OnAirNow(roomID string) (showID string, atMS int64, ok bool)
	Tell(ctx context.Context, showID, typ string, atMS *int64, data any) (showTimeMS int64, err error)
}

// StockNews tells the viewers of shows on air how many pieces of a SKU are left, many changes at once. Safe for
// concurrent use.
type StockNews struct {
	catalogue *Catalogue
	rooms     onAir
	log       *slog.Logger
	wake      chan struct{} // holds one: there is something to tell

	mu      sync.Mutex
	waiting map[string]bool // SKUs

	told map[string]toldStock // by SKU; Run's alone
}

type toldStock struct {
	available int64
	at        time.Time
}

// stockNews is overlay.StockData.
type stockNews struct {
	ProductID string `json:"product_id"`
	SKU       string `json:"sku_id"`
	Available int64  `json:"available"`
}

// NewStockNews makes StockNews; Run tells what it is told.
func NewStockNews(c *Catalogue, rooms onAir, log *slog.Logger) *StockNews {
	return &StockNews{catalogue: c, rooms: rooms, log: log, wake: make(chan struct{}, 1), waiting: map[string]bool{}, told: map[string]toldStock{}}
}

// StockChanged notes that the pieces of SKUs changed: call it once the change is committed. It returns at once.
func (n *StockNews) StockChanged(_ context.Context, skuIDs []string) {
	n.mu.Lock()
	for _, id := range skuIDs {
		if len(n.waiting) < maxNews {
			n.waiting[id] = true
		}
	}
	n.mu.Unlock()
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

// Run tells until ctx ends.
func (n *StockNews) Run(ctx context.Context) {
	pause := time.NewTimer(newsPause)
	defer pause.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-n.wake:
		}
		pause.Reset(newsPause)
		select {
		case <-ctx.Done():
			return
		case <-pause.C:
		}
		if err := n.tell(ctx); err != nil && ctx.Err() == nil {
			n.log.WarnContext(ctx, "viewers were not told how many pieces are left", "error", err)
		}
	}
}

// tell tells of all SKUs that wait; those whose turn has not come go on waiting.
func (n *StockNews) tell(ctx context.Context) error {
	const op = "commerce.StockNews"
	n.mu.Lock()
	ids := make([]string, 0, len(n.waiting))
	for id := range n.waiting {
		ids = append(ids, id)
	}
	clear(n.waiting)
	n.mu.Unlock()
	if len(n.told) > maxNews {
		clear(n.told) // only how often is forgotten
	}
	products, err := n.catalogue.productsOf(ctx, ids)
	if err != nil {
		return errs.Wrap(op, err)
	}
	for id, skus := range products {
		later, err := n.tellOf(ctx, id, skus)
		if err != nil {
			return errs.Wrap(op, err)
		}
		if len(later) > 0 {
			n.StockChanged(ctx, later)
		}
	}
	return nil
}

// tellOf tells of SKUs of one product and returns those whose turn has not come.
func (n *StockNews) tellOf(ctx context.Context, productID string, skuIDs map[string]bool) (later []string, err error) {
	p, err := n.catalogue.store.Product(ctx, productID)
	if errs.KindOf(err) == errs.NotFound {
		return nil, nil // it was deleted meanwhile
	} else if err != nil {
		return nil, err
	}
	rooms, err := n.catalogue.store.RoomsWithProduct(ctx, productID)
	if err != nil {
		return nil, err
	}
	for i := range p.SKUs {
		s := &p.SKUs[i]
		if !skuIDs[s.ID] || !s.Tracked {
			continue
		}
		now, turn := n.turn(s)
		if !turn {
			later = append(later, s.ID)
			continue
		}
		if n.told[s.ID].at.IsZero() || n.told[s.ID].available != s.Available {
			n.say(ctx, rooms, stockNews{p.ID, s.ID, s.Available})
		}
		n.told[s.ID] = toldStock{s.Available, now}
	}
	return later, nil
}

// turn reports whether viewers hear of the SKU now.
func (n *StockNews) turn(s *SKU) (now time.Time, yes bool) {
	now = n.catalogue.now()
	last := n.told[s.ID]
	urgent := s.Available <= few || last.available == 0
	return now, urgent || now.Sub(last.at) >= plentyPause
}

func (n *StockNews) say(ctx context.Context, rooms []string, news stockNews) {
	for _, room := range rooms {
		show, _, ok := n.rooms.OnAirNow(room)
		if !ok {
			continue
		}
		if _, err := n.rooms.Tell(ctx, show, typeStock, nil, news); err != nil && errs.KindOf(err) != errs.Conflict { // it has just ended
			n.log.WarnContext(ctx, "viewers were not told how many pieces are left", "show", show, "error", err)
		}
	}
}

// productsOf finds the products of SKUs.
func (c *Catalogue) productsOf(ctx context.Context, skuIDs []string) (map[string]map[string]bool, error) {
	const atOnce = 500
	products := map[string]map[string]bool{}
	for len(skuIDs) > 0 {
		some := skuIDs[:min(atOnce, len(skuIDs))]
		skuIDs = skuIDs[len(some):]
		found, err := c.store.OfferedSKUs(ctx, some)
		if err != nil {
			return nil, err
		}
		for id, o := range found {
			if products[o.ProductID] == nil {
				products[o.ProductID] = map[string]bool{}
			}
			products[o.ProductID][id] = true
		}
	}
	return products, nil
}
