package order

import (
	"sync"
	"time"
)

// goneFor is how long the gate's word that a SKU is sold out holds without asking again. Whoever comes when a sale is over
// is turned away from memory; pieces that come back are for sale this much later at most.
const goneFor = 100 * time.Millisecond

// maxGone is how many SKUs are remembered; beyond it all are forgotten, and the gate is asked again.
const maxGone = 10_000

// want is what a line asks for: the pools that it may be served from follow from it.
type want struct {
	sku, show string
	pieces    int64
}

// gone remembers what the gate has just refused. Safe for concurrent use.
type gone struct {
	mu    sync.Mutex
	until map[want]time.Time
}

// note remembers that nothing is left for w.
func (g *gone) note(w want, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.until == nil || len(g.until) >= maxGone {
		g.until = map[want]time.Time{}
	}
	g.until[w] = now.Add(goneFor)
}

// is reports whether w was refused so lately that asking again is no use.
func (g *gone) is(w want, now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	until, known := g.until[w]
	if known && !now.Before(until) {
		delete(g.until, w)
	}
	return known && now.Before(until)
}

// forget makes everything be asked for again: pieces have come back.
func (g *gone) forget() {
	g.mu.Lock()
	defer g.mu.Unlock()
	clear(g.until)
}
