package certs

import (
	"crypto/tls"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
)

// localKeeper serves a certificate for everything this machine is called, signed by the private authority and kept in
// memory alone. It follows the machine's addresses: a handshake that arrives at a new one gets a certificate with it.
type localKeeper struct {
	authority  *Authority
	machine    machine
	configured []string
	log        *slog.Logger
	metrics    *Metrics

	mu      sync.Mutex
	leaf    *tls.Certificate
	names   names
	looked  time.Time // at the machine's names
	strange map[string]bool
}

const (
	// renewBefore is how long before its end a certificate is replaced.
	renewBefore = leafLife / 3
	// lookEvery bounds how often handshakes make us look for new addresses.
	lookEvery = 5 * time.Second
	// maxStrange bounds how many wrongly named visits are told of.
	maxStrange = 16
)

func openLocal(cfg Config, m machine, log *slog.Logger, metrics *Metrics) (*localKeeper, error) {
	now := time.Now()
	n := namesOf(m, cfg.Domains)
	authority, fresh, err := openAuthority(cfg.Dir, n, now)
	if err != nil {
		return nil, err
	}
	k := &localKeeper{authority: authority, machine: m, configured: cfg.Domains, log: log, metrics: metrics, strange: map[string]bool{}}
	if fresh {
		log.Info("made a private authority; devices that publish must trust it, see /trust", "name", authority.Name(), "sha256", authority.Fingerprint())
	}
	return k, k.renew(n, now)
}

func (k *localKeeper) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.covers(hello) && time.Since(k.looked) > lookEvery {
		k.look(time.Now())
	}
	if name := strings.ToLower(hello.ServerName); name != "" && k.leaf.Leaf.VerifyHostname(name) != nil && !k.strange[name] && len(k.strange) < maxStrange {
		k.strange[name] = true
		k.log.Warn("a visitor knows this server by a name that its certificate does not hold; add it to tls.domains", "name", name)
	}
	return k.leaf, nil
}

// covers reports whether the certificate holds the address at which the handshake arrived. A visitor who goes by address
// sends no name (RFC 6066, 3).
func (k *localKeeper) covers(hello *tls.ClientHelloInfo) bool {
	if hello.ServerName != "" || hello.Conn == nil {
		return true
	}
	at, ok := hello.Conn.LocalAddr().(*net.TCPAddr)
	if !ok {
		return true
	}
	addr, _ := netip.AddrFromSlice(at.IP)
	return slices.Contains(k.names.addresses, addr.Unmap())
}

func (k *localKeeper) tend(now time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.look(now)
}

// look renews the certificate when its end is near or the machine is called otherwise.
func (k *localKeeper) look(now time.Time) {
	k.looked = now
	n := namesOf(k.machine, k.configured)
	if n.equal(k.names) && k.leaf.Leaf.NotAfter.Sub(now) > renewBefore {
		return
	}
	if err := k.renew(n, now); err != nil {
		k.metrics.failures.Inc()
		k.log.Error("cannot sign a certificate; the old one stays", "error", err)
	}
}

func (k *localKeeper) renew(n names, now time.Time) error {
	leaf, refused, err := k.authority.sign(n, now)
	if err != nil {
		return err
	}
	k.leaf, k.names = leaf, n
	k.metrics.changed.Inc()
	k.log.Info("certificate signed", "hosts", n.hosts, "addresses", n.addresses, "not_after", leaf.Leaf.NotAfter.UTC().Format(time.RFC3339))
	if len(refused) > 0 {
		k.log.Warn("the private authority may not speak for these; to change that delete ca.crt and ca.key in its folder, and let every device trust the new one", "names", refused)
	}
	return nil
}

func (k *localKeeper) expiry() time.Time {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.leaf.Leaf.NotAfter
}
