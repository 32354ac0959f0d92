// Package netguard keeps requests to addresses that others name (webhooks, origins, images) out of the networks that only
// this machine can reach. What counts is the address that is dialled, after names are resolved: neither a redirect nor a
// name that changes its mind leads inside.
package netguard

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// dialTimeout bounds a connection attempt.
const dialTimeout = 10 * time.Second

// Guard decides where connections may go. The zero value lets them go to the public internet alone.
type Guard struct {
	// AllowPrivate lets every address through.
	AllowPrivate bool
	// Setting is the configuration key that allows private addresses, for the error's words; empty: not said.
	Setting string
}

// DialContext connects as net.Dialer does. Forbidden: the address is not of the public internet.
func (g Guard) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	d := &net.Dialer{Timeout: dialTimeout}
	if !g.AllowPrivate {
		d.Control = g.control
	}
	return d.DialContext(ctx, network, address)
}

// Client makes an HTTP client whose requests, and whatever redirects lead to, pass the guard. It uses no proxy, which
// would dial in its own name, keeps few connections, and bounds a request by timeout, its body included. Redirects are
// followed as net/http does; set CheckRedirect for other rules.
func (g Guard) Client(timeout time.Duration) *http.Client {
	return &http.Client{Timeout: timeout, Transport: g.Transport()}
}

// Transport makes the transport of Client. Close its idle connections when done.
func (g Guard) Transport() *http.Transport {
	return &http.Transport{
		DialContext: g.DialContext, ForceAttemptHTTP2: true, TLSHandshakeTimeout: dialTimeout,
		MaxIdleConns: 64, MaxIdleConnsPerHost: 4, IdleConnTimeout: 30 * time.Second, MaxResponseHeaderBytes: 64 << 10,
	}
}

// Check reports whether the address of a host may be dialled, where the host is an address and no name. It lets a form
// refuse at once what the dialer would refuse later; names are left to the dialer. Forbidden as DialContext.
func (g Guard) Check(host string) error {
	a, err := netip.ParseAddr(host)
	if err != nil || g.AllowPrivate || Public(a) {
		return nil
	}
	return g.refusal(a)
}

// control is a net.Dialer's Control: it sees the address that is really dialled.
func (g Guard) control(network, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("netguard: %s %s: %w", network, address, err)
	}
	if !Public(to.Addr()) {
		return g.refusal(to.Addr())
	}
	return nil
}

func (g Guard) refusal(a netip.Addr) error {
	hint := ""
	if g.Setting != "" {
		hint = "; if that is meant, set " + g.Setting
	}
	return errs.New(errs.Forbidden, "netguard.dial", "the address leads to %v, which is not of the public internet%s", a.Unmap(), hint)
}
