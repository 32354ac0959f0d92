// Package certs keeps the certificates of the server's TLS listeners: read from files and again when they change,
// obtained from an ACME server, or signed by a private authority of this installation.
package certs

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// Mode says where certificates come from.
type Mode string

// The modes.
const (
	Files Mode = "files" // a certificate and its key in PEM files that somebody else renews
	ACME  Mode = "acme"  // from an ACME server (RFC 8555), Let's Encrypt by default
	Local Mode = "local" // from a private authority made here, which devices are told to trust
)

// Config says where certificates come from and for which names.
type Config struct {
	Mode Mode

	// CertFile and KeyFile are the PEM files of mode Files: the certificate followed by its intermediates, and the key.
	CertFile, KeyFile string

	// Domains are the names of mode ACME. For mode Local they are further names and addresses, beside those that
	// this machine knows of itself: what phones use to reach it through a router or a container's host.
	Domains []string

	// Email is where the ACME server may write to about certificates; may be empty.
	Email string
	// CA is the directory URL of the ACME server. Default: Let's Encrypt.
	CA string
	// CARoots is a PEM file of authorities that the ACME server's own certificate is checked against. Default: the
	// system's.
	CARoots string
	// HTTPPort and TLSPort are where this server listens for HTTP and HTTPS: challenges arrive there. The ACME server
	// asks on ports 80 and 443, which must lead to these.
	HTTPPort, TLSPort int

	// Dir is the folder in which the modes ACME and Local keep keys and certificates. It is made, for this user alone.
	Dir string
}

// Validate reports the first field that cannot work as an Invalid error.
func (c Config) Validate() error {
	const op = "certs.Config"
	switch c.Mode {
	case Files:
		if c.CertFile == "" || c.KeyFile == "" {
			return errs.Field(op, "CertFile", "mode files needs the PEM files of a certificate and its key")
		}
		return nil
	case ACME:
		return c.validateACME()
	case Local:
		for _, d := range c.Domains {
			if _, err := netip.ParseAddr(d); err != nil && !validHost(d) {
				return errs.Field(op, "Domains", "%q is neither a host name nor an address", d)
			}
		}
	default:
		return errs.Field(op, "Mode", "must be files, acme or local, got %q", c.Mode)
	}
	if c.Dir == "" {
		return errs.Field(op, "Dir", "must name a folder")
	}
	return nil
}

func (c Config) validateACME() error {
	const op = "certs.Config"
	if len(c.Domains) == 0 {
		return errs.Field(op, "Domains", "mode acme needs the domains under which this server is reached")
	}
	for _, d := range c.Domains {
		if !validHost(d) || !strings.Contains(d, ".") {
			return errs.Field(op, "Domains", "%q is no public domain; mode local serves names and addresses of a private network", d)
		}
	}
	if u, err := url.Parse(c.CA); c.CA != "" && (err != nil || u.Scheme != "https" || u.Host == "") {
		return errs.Field(op, "CA", "must be the https address of an ACME directory, got %q", c.CA)
	}
	if c.Dir == "" {
		return errs.Field(op, "Dir", "must name a folder")
	}
	return nil
}

// validHost reports whether s can be a DNS host name (RFC 1123, 2.1), ASCII and without a trailing dot.
func validHost(s string) bool {
	if s == "" || len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, r := range label {
			if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' {
				return false
			}
		}
	}
	if _, err := netip.ParseAddr(s); err == nil {
		return false
	}
	return true
}

// keeper is one mode at work. Its methods are safe for concurrent use.
type keeper interface {
	// certificate answers a handshake.
	certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error)
	// tend renews or reloads what is due. It is called now and then by one goroutine.
	tend(now time.Time)
	// expiry tells when the first of the certificates in use ends; zero when there is none.
	expiry() time.Time
}

// Certificates are the certificates of one server. Safe for concurrent use.
type Certificates struct {
	keeper  keeper
	log     *slog.Logger
	metrics *Metrics
	warned  time.Time // the last warning about an expiry; Run's
}

// Open finds or makes the first certificate, but for mode ACME, which obtains its own while Run works. cfg must be valid.
// Files that cannot be read are an Invalid error, a folder that cannot be written an Unavailable one.
func Open(cfg Config, log *slog.Logger, m *Metrics) (*Certificates, error) {
	c := &Certificates{log: log.With("tls", string(cfg.Mode)), metrics: m}
	var err error
	switch cfg.Mode {
	case Files:
		c.keeper, err = openFiles(cfg.CertFile, cfg.KeyFile, c.log, m)
	case ACME:
		c.keeper, err = openACME(cfg, c.log, m)
	default:
		c.keeper, err = openLocal(cfg, thisMachine{}, c.log, m)
	}
	if err != nil {
		return nil, err
	}
	c.observe(time.Now())
	return c, nil
}

// tendEvery is how often files are looked at and renewals considered.
const tendEvery = 10 * time.Second

// Run keeps the certificates fresh until ctx ends. It is called once.
func (c *Certificates) Run(ctx context.Context) error {
	if a, ok := c.keeper.(*acmeKeeper); ok {
		defer a.stop()
		if err := a.manage(ctx); err != nil {
			return err
		}
	}
	tick := time.NewTicker(tendEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-tick.C:
			c.keeper.tend(now)
			c.observe(now)
		}
	}
}

// The last days of a certificate that should have been renewed long ago are worth a word a day.
const (
	warnBefore = 10 * 24 * time.Hour
	warnEvery  = 24 * time.Hour
)

// observe tells of the expiry.
func (c *Certificates) observe(now time.Time) {
	end := c.keeper.expiry()
	if end.IsZero() {
		return
	}
	c.metrics.expiry.Set(float64(end.Unix()))
	if end.Sub(now) < warnBefore && now.Sub(c.warned) > warnEvery {
		c.warned = now
		c.log.Warn("a certificate ends soon and was not renewed", "not_after", end.UTC().Format(time.RFC3339))
	}
}

// Server returns the TLS configuration of a listener that speaks the given protocols (ALPN, RFC 7301), the most wanted
// first; none for a protocol without ALPN, such as RTMPS.
func (c *Certificates) Server(protocols ...string) *tls.Config {
	if _, ok := c.keeper.(*acmeKeeper); ok && len(protocols) > 0 {
		protocols = append(protocols, acmeTLS)
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: c.keeper.certificate, NextProtos: protocols}
}

// Challenge answers a request that an ACME server makes over HTTP to see that the domain is ours (RFC 8555, 8.3), and
// reports whether it was one.
func (c *Certificates) Challenge(w http.ResponseWriter, r *http.Request) bool {
	a, ok := c.keeper.(*acmeKeeper)
	return ok && a.challenge(w, r)
}

// Authority returns the private authority that devices must trust, nil but in mode Local.
func (c *Certificates) Authority() *Authority {
	if l, ok := c.keeper.(*localKeeper); ok {
		return l.authority
	}
	return nil
}

// makeDir makes a folder for keys.
func makeDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return errs.As(errs.Unavailable, "certs.Open", err, "cannot make the folder %s for keys and certificates", dir)
	}
	return nil
}
