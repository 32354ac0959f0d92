package api

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/vitrine-live/vitrine/internal/clientaddr"
)

const (
	defaultMaxWrongKeys = 10 // a minute
	// maxNetworks bounds how many networks are remembered for their wrong keys. When all places are taken by networks that
	// still owe, further ones are not remembered.
	maxNetworks = 1 << 16
)

// wrongKeys limits how many wrong stream keys a network may try. Safe for concurrent use.
type wrongKeys struct {
	perMinute int

	mu       sync.Mutex
	networks map[netip.Prefix]*rate.Limiter
}

func newWrongKeys(perMinute int) *wrongKeys {
	if perMinute <= 0 {
		perMinute = defaultMaxWrongKeys
	}
	return &wrongKeys{perMinute: perMinute, networks: map[netip.Prefix]*rate.Limiter{}}
}

// mayTry reports whether a key from this address will be looked at.
func (k *wrongKeys) mayTry(from netip.Addr, now time.Time) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	l := k.networks[clientaddr.Network(from)]
	return l == nil || l.TokensAt(now) >= 1
}

// wrong holds a wrong key against the address.
func (k *wrongKeys) wrong(from netip.Addr, now time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	network := clientaddr.Network(from)
	l := k.networks[network]
	if l == nil {
		if len(k.networks) >= maxNetworks {
			k.sweep(now)
		}
		l = rate.NewLimiter(rate.Every(time.Minute/time.Duration(k.perMinute)), k.perMinute)
		if len(k.networks) < maxNetworks {
			k.networks[network] = l
		}
	}
	l.AllowN(now, 1)
}

// sweep forgets those to whom all is forgiven.
func (k *wrongKeys) sweep(now time.Time) {
	for network, l := range k.networks {
		if l.TokensAt(now) >= float64(k.perMinute) {
			delete(k.networks, network)
		}
	}
}
