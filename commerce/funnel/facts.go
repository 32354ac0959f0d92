package funnel

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/internal/errs"
)

const (
	// factsFor is how long what is known of a show, a product or a share code is believed, and that there is none.
	factsFor = 10 * time.Second
	// pinsFor is how soon a pin that is not known is looked for again: it may be new.
	pinsFor = time.Second
	// maxFacts bounds what is remembered of each kind. Beyond it all is forgotten and asked for anew.
	maxFacts = 10_000
)

// facts remembers what events are checked against: thousands of viewers tell of the same few shows.
type facts struct {
	Deps
	flight singleflight.Group

	mu       sync.Mutex
	shows    map[string]showFacts
	products map[string]known
	codes    map[string]known
}

type showFacts struct {
	commerce.Show
	pins map[string]string // products by pins
	at   time.Time         // when that was so
	none bool              // there is no such show
}

// known is the store that something belongs to; empty: there is no such thing.
type known struct {
	storeID string
	at      time.Time
}

func newFacts(deps Deps) *facts {
	return &facts{Deps: deps, shows: map[string]showFacts{}, products: map[string]known{}, codes: map[string]known{}}
}

// reach is how far the show's clock can have come.
func (f *showFacts) reach(now time.Time) time.Duration {
	at := time.Duration(f.PositionMS) * time.Millisecond
	if f.Ended() {
		return at + time.Second // players round
	}
	return at + max(now.Sub(f.at), 0) + slack
}

// show returns a show that has the pin, where one is named.
func (f *facts) show(ctx context.Context, id, pin string) (showFacts, Reason, error) {
	now := f.Now()
	f.mu.Lock()
	s, ok := f.shows[id]
	f.mu.Unlock()
	_, pinned := s.pins[pin]
	fresh := ok && now.Sub(s.at) < factsFor && (pin == "" || pinned || s.none || now.Sub(s.at) < pinsFor)
	if !fresh {
		v, err, _ := f.flight.Do("show "+id, func() (any, error) { return f.loadShow(context.WithoutCancel(ctx), id, now) })
		if err != nil {
			return s, "", err
		}
		s, _ = v.(showFacts)
		_, pinned = s.pins[pin]
	}
	switch {
	case s.none:
		return s, NoShow, nil
	case pin != "" && !pinned:
		return s, NoPin, nil
	}
	return s, "", nil
}

func (f *facts) loadShow(ctx context.Context, id string, now time.Time) (showFacts, error) {
	s := showFacts{at: now}
	var err error
	if s.Show, err = f.Shows.ShopShow(ctx, id); err == nil {
		s.pins, err = f.Pins(ctx, id)
	}
	if s.none = errs.KindOf(err) == errs.NotFound; err != nil && !s.none {
		return s, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.shows) >= maxFacts {
		clear(f.shows)
	}
	f.shows[id] = s
	return s, nil
}

// product returns the store of a product.
func (f *facts) product(ctx context.Context, id string) (storeID string, why Reason, err error) {
	if id == "" {
		return "", NoProduct, nil
	}
	storeID, err = f.storeOf(ctx, f.products, id, f.Store.ProductStore)
	if err == nil && storeID == "" {
		why = NoProduct
	}
	return storeID, why, err
}

// shareCode reports whether a store has a share code.
func (f *facts) shareCode(ctx context.Context, code, storeID string) (bool, error) {
	if !validCode(code) {
		return false, nil
	}
	of, err := f.storeOf(ctx, f.codes, code, func(ctx context.Context, code string) (string, error) {
		c, err := f.Store.ShareCode(ctx, code)
		return c.StoreID, err
	})
	return of == storeID, err
}

// storeOf asks for the store of a thing, and remembers it.
func (f *facts) storeOf(ctx context.Context, of map[string]known, id string, ask func(context.Context, string) (string, error)) (string, error) {
	now := f.Now()
	f.mu.Lock()
	k, ok := of[id]
	f.mu.Unlock()
	if ok && now.Sub(k.at) < factsFor {
		return k.storeID, nil
	}
	storeID, err := ask(ctx, id)
	if err != nil && errs.KindOf(err) != errs.NotFound {
		return "", err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(of) >= maxFacts {
		clear(of)
	}
	of[id] = known{storeID, now}
	return storeID, nil
}
