package order

import (
	"context"
	"sync"
	"time"

	"github.com/vitrine-live/vitrine/commerce/stock"
	"github.com/vitrine-live/vitrine/internal/errs"
)

// How often a show hears of orders, and of the stock of one SKU. What happens in between is summed up by the newest.
const (
	bubbleEvery = time.Second
	stockEvery  = 2 * time.Second
)

// maxNews bounds how many shows, and pairs of show and SKU, wait to be told of. Beyond it news is dropped: it is
// decoration, and what is next says more.
const maxNews = 4096

// announcer tells others of changes after they are committed, without making anybody wait.
type announcer struct {
	s    *Service
	wake chan struct{} // a token in it says that there is news

	mu      sync.Mutex
	pools   map[string]bool // of flash sales; each is told, at once
	bubbles map[string]bubble
	stocks  map[shown]string // the product, by show and SKU
	// when a show may be told next
	nextBubble map[string]time.Time
	nextStock  map[shown]time.Time
}

// shown is a SKU in a show.
type shown struct{ show, sku string }

// bubble is the data of an "order" event of the timeline.
type bubble struct {
	ProductID string `json:"product_id"`
	Buyer     string `json:"buyer"`
	Quantity  int64  `json:"quantity"`
}

// stockNews is the data of a "stock" event of the timeline.
type stockNews struct {
	ProductID string `json:"product_id"`
	SKU       string `json:"sku_id"`
	Available int64  `json:"available"`
}

func newAnnouncer(s *Service) *announcer {
	return &announcer{
		s: s, wake: make(chan struct{}, 1), pools: map[string]bool{}, bubbles: map[string]bubble{}, stocks: map[shown]string{},
		nextBubble: map[string]time.Time{}, nextStock: map[shown]time.Time{},
	}
}

// changed takes note of what became of an order.
func (a *announcer) changed(o *Order, before State, left []stock.Left) {
	bought := o.State == Paid && before != Paid
	if len(left) == 0 && !bought {
		return
	}
	a.mu.Lock()
	for _, l := range left {
		if l.Kind == stock.Flash {
			a.pools[l.PoolID] = true
		}
	}
	for _, l := range o.Lines {
		show := l.Attribution.ShowID
		if show == "" || a.s.Shows == nil {
			continue
		}
		if _, waits := a.stocks[shown{show, l.SKU}]; l.PoolID != "" && (waits || len(a.stocks) < maxNews) {
			a.stocks[shown{show, l.SKU}] = l.ProductID
		}
		if _, waits := a.bubbles[show]; bought && (waits || len(a.bubbles) < maxNews) {
			a.bubbles[show] = bubble{ProductID: l.ProductID, Buyer: Mask(o.Buyer), Quantity: l.Quantity}
		}
	}
	a.mu.Unlock()
	select {
	case a.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// run tells news until ctx ends.
func (a *announcer) run(ctx context.Context) {
	tick := time.NewTicker(bubbleEvery / 2) // for what had to wait
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-a.wake:
		case <-tick.C:
		}
		a.tell(ctx)
	}
}

// tell tells what may be told now.
func (a *announcer) tell(ctx context.Context) {
	pools, bubbles, stocks := a.take(a.s.Now())
	for id := range pools {
		a.s.PoolChanged(ctx, id)
	}
	for show, b := range bubbles {
		a.send(ctx, show, "order", b)
	}
	for at, product := range stocks {
		found, err := a.s.Store.PoolsForSale(ctx, at.show, []string{at.sku})
		if err != nil {
			a.s.Log.DebugContext(ctx, "could not tell a show of its stock", "show", at.show, "sku", at.sku, "error", err)
			continue
		}
		a.send(ctx, at.show, "stock", stockNews{ProductID: product, SKU: at.sku, Available: forSale(found[at.sku])})
	}
}

// take takes the news whose time has come.
func (a *announcer) take(now time.Time) (pools map[string]bool, bubbles map[string]bubble, stocks map[shown]string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	pools, a.pools = a.pools, map[string]bool{}
	return pools, due(a.bubbles, a.nextBubble, now, bubbleEvery), due(a.stocks, a.nextStock, now, stockEvery)
}

// due moves out of waiting what may be told now, and notes when its like may be told again.
func due[K comparable, V any](waiting map[K]V, next map[K]time.Time, now time.Time, every time.Duration) map[K]V {
	out := map[K]V{}
	for k, v := range waiting {
		if at := next[k]; now.Before(at) && at.Sub(now) <= every { // farther off: the clock was set back
			continue
		}
		out[k], next[k] = v, now.Add(every)
		delete(waiting, k)
	}
	for k, at := range next {
		if !now.Before(at) {
			delete(next, k)
		}
	}
	return out
}

// send places an event onto the timeline of a show. One that is not on air any more has nobody to hear it.
func (a *announcer) send(ctx context.Context, showID, typ string, data any) {
	_, err := a.s.Shows.Tell(ctx, showID, typ, nil, data)
	if err != nil && errs.KindOf(err) != errs.Conflict && errs.KindOf(err) != errs.NotFound && ctx.Err() == nil {
		a.s.Log.WarnContext(ctx, "could not tell a show", "show", showID, "type", typ, "error", err)
	}
}
