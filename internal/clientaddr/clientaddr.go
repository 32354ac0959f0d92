// Package clientaddr finds out which address an HTTP request really comes from when proxies stand before the server.
package clientaddr

import (
	"net/http"
	"net/netip"
	"strings"
)

// Finder knows the proxies whose word on a client's address is taken. The zero value believes nobody: a request comes
// from where its connection does. It is safe for concurrent use.
type Finder struct{ trusted []netip.Prefix }

// Trusting returns a Finder that believes X-Forwarded-For when a proxy within one of the prefixes has sent it.
func Trusting(proxies []netip.Prefix) Finder { return Finder{trusted: proxies} }

// Of returns the client's address, the zero Addr when the request does not tell one. Each proxy appends whom it heard
// from, so the newest entry that no trusted proxy made is the client; what stands before it anybody may have written.
func (f Finder) Of(r *http.Request) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	addr := peer.Addr().Unmap()
	for hops := forwarded(r); f.trusts(addr) && len(hops) > 0; hops = hops[:len(hops)-1] {
		before, err := netip.ParseAddr(strings.TrimSpace(hops[len(hops)-1]))
		if err != nil {
			return addr
		}
		addr = before.Unmap()
	}
	return addr
}

func forwarded(r *http.Request) []string {
	header := strings.Join(r.Header.Values("X-Forwarded-For"), ",")
	if header == "" {
		return nil
	}
	return strings.Split(header, ",")
}

func (f Finder) trusts(addr netip.Addr) bool {
	for _, p := range f.trusted {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}
