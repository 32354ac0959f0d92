package certs

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/mholt/acmez/v3"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// acmeTLS is the protocol of challenges over TLS (RFC 8737, 6.2).
const acmeTLS = acmez.ACMETLS1Protocol

// acmeKeeper obtains and renews certificates from an ACME server. Challenges over HTTP and over TLS are answered by the
// server's own listeners.
type acmeKeeper struct {
	domains []string
	cache   *certmagic.Cache
	config  *certmagic.Config
	issuer  *certmagic.ACMEIssuer
}

func openACME(cfg Config, log *slog.Logger, m *Metrics) (*acmeKeeper, error) {
	roots, err := readRoots(cfg.CARoots)
	if err != nil {
		return nil, err
	}
	if err := makeDir(cfg.Dir); err != nil {
		return nil, err
	}
	logger := zapLogger(log)
	k := &acmeKeeper{domains: cfg.Domains}
	k.cache = certmagic.NewCache(certmagic.CacheOptions{
		GetConfigForCert: func(certmagic.Certificate) (*certmagic.Config, error) { return k.config, nil }, Logger: logger,
	})
	k.config = certmagic.New(k.cache, certmagic.Config{
		Storage: &certmagic.FileStorage{Path: cfg.Dir}, Logger: logger, OnEvent: counting(m),
	})
	ca := cfg.CA
	if ca == "" {
		ca = certmagic.LetsEncryptProductionCA
	}
	k.issuer = certmagic.NewACMEIssuer(k.config, certmagic.ACMEIssuer{
		CA: ca, TestCA: ca, Email: cfg.Email, Agreed: true, TrustedRoots: roots, Logger: logger,
		AltHTTPPort: cfg.HTTPPort, AltTLSALPNPort: cfg.TLSPort,
	})
	k.config.Issuers = []certmagic.Issuer{k.issuer}
	return k, nil
}

// readRoots reads the authorities in a PEM file, nil for the system's.
func readRoots(path string) (*x509.CertPool, error) {
	if path == "" {
		return nil, nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, errs.As(errs.Invalid, "certs.Open", err, "cannot read the authorities of the ACME server")
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(b) {
		return nil, errs.New(errs.Invalid, "certs.Open", "%s holds no certificate in PEM form", path)
	}
	return pool, nil
}

// counting counts what became of orders; certmagic logs them.
func counting(m *Metrics) func(context.Context, string, map[string]any) error {
	return func(_ context.Context, event string, _ map[string]any) error {
		switch event {
		case "cert_obtained":
			m.changed.Inc()
		case "cert_failed":
			m.failures.Inc()
		}
		return nil
	}
}

// manage obtains what is missing and renews what is due, in the background and again and again until ctx ends.
func (k *acmeKeeper) manage(ctx context.Context) error {
	return k.config.ManageAsync(ctx, k.domains)
}

func (k *acmeKeeper) stop() { k.cache.Stop() }

func (k *acmeKeeper) challenge(w http.ResponseWriter, r *http.Request) bool {
	return k.issuer.HandleHTTPChallenge(w, r)
}

func (k *acmeKeeper) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	if hello.ServerName == "" { // by address, or an old encoder without SNI: the first domain's will do
		with := *hello
		with.ServerName = k.domains[0]
		hello = &with
	}
	return k.config.GetCertificate(hello)
}

func (k *acmeKeeper) tend(time.Time) {} // certmagic tends its own

func (k *acmeKeeper) expiry() (first time.Time) {
	for _, d := range k.domains {
		for _, c := range k.cache.AllMatchingCertificates(d) {
			if first.IsZero() || c.Leaf.NotAfter.Before(first) {
				first = c.Leaf.NotAfter
			}
		}
	}
	return first
}
