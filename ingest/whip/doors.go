package whip

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/vitrine-live/vitrine/internal/clientaddr"
)

// maxAddresses bounds how many addresses are remembered. When all places are taken by addresses that still owe, further
// ones are not remembered for their wrong keys: the gate refuses those all the same.
const maxAddresses = 1 << 16

// doorkeeper decides who may have a session and who may try a key. Safe for concurrent use.
type doorkeeper struct {
	cfg Config

	mu        sync.Mutex
	open      int // sessions
	addresses map[netip.Prefix]*address
}

// address is what is known of one address.
type address struct {
	sessions  int
	wrongKeys *rate.Limiter // full when all is forgiven
}

func newDoorkeeper(cfg Config) *doorkeeper {
	return &doorkeeper{cfg: cfg, addresses: map[netip.Prefix]*address{}}
}

// enter admits a session, or says why not.
func (d *doorkeeper) enter(from netip.Addr, now time.Time) *refusal {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.open >= d.cfg.MaxSessions {
		return busy(TooManySessions, "the server has as many publishers as it takes (%d): try again later", d.cfg.MaxSessions)
	}
	a := d.address(clientaddr.Network(from), now)
	if a.sessions >= d.cfg.MaxSessionsPerAddress {
		return busy(TooManySessions, "this address has as many sessions as it may have (%d): end one first", d.cfg.MaxSessionsPerAddress)
	}
	d.open++
	a.sessions++
	return nil
}

// leave lets a session out that enter let in.
func (d *doorkeeper) leave(from netip.Addr, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.open--
	p := clientaddr.Network(from)
	if a := d.addresses[p]; a != nil {
		a.sessions = max(a.sessions-1, 0)
		if a.blank(now) {
			delete(d.addresses, p)
		}
	}
}

// mayTry reports whether a key from this address will be looked at.
func (d *doorkeeper) mayTry(from netip.Addr, now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	a := d.addresses[clientaddr.Network(from)]
	return a == nil || a.wrongKeys.TokensAt(now) >= 1
}

// wrongKey holds a wrong key against the address.
func (d *doorkeeper) wrongKey(from netip.Addr, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.address(clientaddr.Network(from), now).wrongKeys.AllowN(now, 1)
}

// address returns the record of an address, made if there is room for it.
func (d *doorkeeper) address(p netip.Prefix, now time.Time) *address {
	if a := d.addresses[p]; a != nil {
		return a
	}
	if len(d.addresses) >= maxAddresses {
		d.sweep(now)
	}
	a := &address{wrongKeys: rate.NewLimiter(rate.Limit(float64(d.cfg.MaxWrongKeys)/60), d.cfg.MaxWrongKeys)}
	if len(d.addresses) < maxAddresses {
		d.addresses[p] = a
	}
	return a
}

// sweep takes away the records that say nothing.
func (d *doorkeeper) sweep(now time.Time) {
	for p, a := range d.addresses {
		if a.blank(now) {
			delete(d.addresses, p)
		}
	}
}

func (a *address) blank(now time.Time) bool {
	return a.sessions == 0 && a.wrongKeys.TokensAt(now) >= float64(a.wrongKeys.Burst())
}
