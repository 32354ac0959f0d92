package rtmp

import (
	"net/netip"
	"sync"
	"time"

	"github.com/vitrine-live/vitrine/internal/clientaddr"
)

// bucket is a token bucket whose user waits when it is empty. It is for one goroutine.
type bucket struct {
	rate   float64 // tokens a second
	burst  float64
	tokens float64
	last   time.Time
}

func newBucket(rate, burst float64, now time.Time) bucket {
	return bucket{rate: rate, burst: burst, tokens: burst, last: now}
}

// take spends n tokens and returns how long the caller must wait for those that are missing, usually 0. now may lie
// behind: what was waited for is not counted twice.
func (b *bucket) take(now time.Time, n int) time.Duration {
	b.refill(now)
	b.tokens -= float64(n)
	if b.tokens >= 0 {
		return 0
	}
	wait := time.Duration(-b.tokens / b.rate * float64(time.Second))
	b.tokens = 0
	b.last = b.last.Add(wait)
	return wait
}

func (b *bucket) refill(now time.Time) {
	if d := now.Sub(b.last); d > 0 {
		b.tokens = min(b.tokens+d.Seconds()*b.rate, b.burst)
		b.last = now
	}
}

// maxAddresses bounds how many addresses are remembered for their wrong keys. When all places are taken by addresses
// that still owe, further ones are not remembered: their connections are limited all the same.
const maxAddresses = 1 << 16

// doorkeeper decides who may connect and who may try a key. Safe for concurrent use.
type doorkeeper struct {
	cfg Config

	mu        sync.Mutex
	open      int // connections
	strangers int // of them, without an accepted publish
	addresses map[netip.Prefix]*address
}

// address is what is known of one address.
type address struct {
	strangers int
	wrongKeys bucket // full when all is forgiven
}

func newDoorkeeper(cfg Config) *doorkeeper {
	return &doorkeeper{cfg: cfg, addresses: map[netip.Prefix]*address{}}
}

// enter admits a connection as a stranger, or returns why not and "" when it is in.
func (d *doorkeeper) enter(from netip.Addr, now time.Time) Reason {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.open >= d.cfg.MaxConnections || d.strangers >= max(d.cfg.MaxConnections/2, 1) {
		return ConnectionCap
	}
	a := d.address(clientaddr.Network(from), now)
	if a.strangers >= d.cfg.MaxConnectionsPerAddress {
		return AddressCap
	}
	d.open++
	d.strangers++
	a.strangers++
	return ""
}

// recognise makes a stranger a publisher.
func (d *doorkeeper) recognise(from netip.Addr) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.forget(clientaddr.Network(from))
}

// leave lets a connection out that enter let in.
func (d *doorkeeper) leave(from netip.Addr, stranger bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.open--
	if stranger {
		d.forget(clientaddr.Network(from))
	}
}

// mayTry reports whether a key from this address will be looked at.
func (d *doorkeeper) mayTry(from netip.Addr, now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	a := d.addresses[clientaddr.Network(from)]
	if a == nil {
		return true
	}
	a.wrongKeys.refill(now)
	return a.wrongKeys.tokens >= 1
}

// wrongKey holds a wrong key against the address.
func (d *doorkeeper) wrongKey(from netip.Addr, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	a := d.address(clientaddr.Network(from), now)
	a.wrongKeys.refill(now)
	a.wrongKeys.tokens = max(a.wrongKeys.tokens-1, 0)
}

// address returns the record of an address, made if there is room for it.
func (d *doorkeeper) address(p netip.Prefix, now time.Time) *address {
	if a := d.addresses[p]; a != nil {
		return a
	}
	if len(d.addresses) >= maxAddresses {
		d.sweep(now)
	}
	perMinute := float64(d.cfg.MaxWrongKeys)
	a := &address{wrongKeys: newBucket(perMinute/60, perMinute, now)}
	if len(d.addresses) < maxAddresses {
		d.addresses[p] = a
	}
	return a
}

// forget takes one stranger off the address, and the record away when it says nothing.
func (d *doorkeeper) forget(p netip.Prefix) {
	d.strangers--
	a := d.addresses[p]
	if a == nil {
		return
	}
	a.strangers = max(a.strangers-1, 0)
	if a.strangers == 0 && a.wrongKeys.tokens >= a.wrongKeys.burst {
		delete(d.addresses, p)
	}
}

// sweep takes away the records that say nothing.
func (d *doorkeeper) sweep(now time.Time) {
	for p, a := range d.addresses {
		a.wrongKeys.refill(now)
		if a.strangers == 0 && a.wrongKeys.tokens >= a.wrongKeys.burst {
			delete(d.addresses, p)
		}
	}
}
