package order

import (
	"context"
	"sync"
	"time"

	"github.com/vitrine-live/vitrine/commerce/stock"
	"github.com/vitrine-live/vitrine/internal/errs"
)

// bubbleEvery is how often a show hears of orders. Of those in between only the newest is told.
const bubbleEvery = time.Second

// maxNews bounds how many shows wait to be told of. Beyond it bubbles are dropped: they are decoration.
const maxNews = 4096

// announcer tells others of changes after they are committed, without making anybody wait.
type announcer struct {
	s    *Service
	wake chan struct{} // a token in it says that there is news

	mu      sync.Mutex
	pools   map[string]bool // of flash sales; each is told, at once
	bubbles map[string]bubble
	next    map[string]time.Time // when a show may hear of an order again
}

// bubble is the data of an "order" event of the timeline.
type bubble struct {
	ProductID string `json:"product_id"`
	Buyer     string `json:"buyer"`
	Quantity  int64  `json:"quantity"`
}

func newAnnouncer(s *Service) *announcer {
	return &announcer{
		s: s, wake: make(chan struct{}, 1), pools: map[string]bool{}, bubbles: map[string]bubble{}, next: map[string]time.Time{},
	}
}

// changed takes note of what became of an order and of the pools that it touched.
func (a *announcer) changed(ctx context.Context, o *Order, before State, left []stock.Left) {
	bought := o.State == Paid && before != Paid
	if len(left) > 0 {
		skus := make([]string, len(left))
		for i, l := range left {
			skus[i] = l.SKU
		}
		a.s.StockChanged(ctx, skus)
	}
	if a.note(o, bought, left) {
		select {
		case a.wake <- struct{}{}:
		default: // it will look anyway
		}
	}
}

// note keeps what is to be told. It reports whether there is anything.
func (a *announcer) note(o *Order, bought bool, left []stock.Left) (news bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, l := range left {
		if l.Kind == stock.Flash {
			a.pools[l.PoolID], news = true, true
		}
	}
	if !bought || a.s.Shows == nil {
		return news
	}
	for _, l := range o.Lines {
		show := l.Attribution.ShowID
		if _, waits := a.bubbles[show]; show == "" || !waits && len(a.bubbles) >= maxNews {
			continue
		}
		a.bubbles[show], news = bubble{ProductID: l.ProductID, Buyer: Mask(o.Buyer), Quantity: l.Quantity}, true
	}
	return news
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
	pools, bubbles := a.take(a.s.Now())
	for id := range pools {
		a.s.PoolChanged(ctx, id)
	}
	for show, b := range bubbles {
		a.send(ctx, show, b)
	}
}

// take takes the news whose time has come: pools at once, of a show's orders one in a while.
func (a *announcer) take(now time.Time) (pools map[string]bool, bubbles map[string]bubble) {
	a.mu.Lock()
	defer a.mu.Unlock()
	pools, a.pools = a.pools, map[string]bool{}
	bubbles = map[string]bubble{}
	for show, b := range a.bubbles {
		if at := a.next[show]; now.Before(at) && at.Sub(now) <= bubbleEvery { // farther off: the clock was set back
			continue
		}
		bubbles[show] = b
		delete(a.bubbles, show)
	}
	for show, at := range a.next {
		if !now.Before(at) {
			delete(a.next, show)
		}
	}
	for show := range bubbles {
		a.next[show] = now.Add(bubbleEvery)
	}
	return pools, bubbles
}

// send places a bubble onto the timeline of a show. One that is not on air any more has nobody to hear it.
func (a *announcer) send(ctx context.Context, showID string, b bubble) {
	_, err := a.s.Shows.Tell(ctx, showID, "order", nil, b)
	if err != nil && errs.KindOf(err) != errs.Conflict && errs.KindOf(err) != errs.NotFound && ctx.Err() == nil {
		a.s.Log.WarnContext(ctx, "could not tell a show of an order", "show", showID, "error", err)
	}
}
