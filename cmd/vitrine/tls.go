package main

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/vitrine-live/vitrine/configs"
	"github.com/vitrine-live/vitrine/ingest/rtmp"
	"github.com/vitrine-live/vitrine/internal/certs"
	"github.com/vitrine-live/vitrine/internal/trust"
)

// secure is what a server that speaks TLS has beside one that does not.
type secure struct {
	certificates atomic.Pointer[certs.Certificates] // nil when off
	https, rtmps net.Listener                       // of TLS; nil when off
}

// startTLS serves over HTTPS what HTTP serves, and listens for RTMPS publishers.
func (s *server) startTLS(ctx context.Context) (stop func(context.Context) error, err error) {
	c := s.config.TLS
	if !c.On() {
		return nil, nil
	}
	https, err := listen(ctx, c.Addr, "tls.addr")
	if err != nil {
		return nil, err
	}
	var rtmps net.Listener
	if c.RTMPSAddr != "" {
		if rtmps, err = listen(ctx, c.RTMPSAddr, "tls.rtmps_addr"); err != nil {
			return nil, errors.Join(err, https.Close())
		}
	}
	certificates, err := s.openCertificates(port(s.http), port(https))
	if err != nil {
		if rtmps != nil {
			err = errors.Join(err, rtmps.Close())
		}
		return nil, errors.Join(err, https.Close())
	}
	s.certificates.Store(certificates)
	s.https = tls.NewListener(https, certificates.Server("h2", "http/1.1"))
	if rtmps != nil {
		s.rtmps = tls.NewListener(rtmps, certificates.Server())
	}
	stopWeb, stopKeeping := s.serveWeb(s.https), s.background(ctx, certificates.Run)
	return func(ctx context.Context) error { return errors.Join(stopWeb(ctx), stopKeeping(ctx)) }, nil
}

func (s *server) openCertificates(httpPort, tlsPort int) (*certs.Certificates, error) {
	cfg := certificateConfig(s.config)
	cfg.HTTPPort, cfg.TLSPort, cfg.Dir = httpPort, tlsPort, s.data.file("tls")
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	return certs.Open(cfg, s.log, certs.NewMetrics(s.metrics))
}

func certificateConfig(c configs.Config) certs.Config {
	t := c.TLS
	return certs.Config{
		Mode: certs.Mode(t.Mode), CertFile: t.Cert, KeyFile: t.Key, Domains: t.Domains, Email: t.Email, CA: t.CA, CARoots: t.CARoots,
	}
}

// challenged answers an ACME server's question, and reports whether it was one. It comes before everything else, because
// certificates may be needed before the surface is there.
func (s *server) challenged(w http.ResponseWriter, r *http.Request) bool {
	certificates := s.certificates.Load()
	return certificates != nil && certificates.Challenge(w, r)
}

// withTrust serves the page that brings a phone to HTTPS, beside everything else.
func (s *server) withTrust(next http.Handler) http.Handler {
	cfg := trust.Config{HTTPPort: port(s.http), HTTPSPort: port(s.https), PublicURL: s.config.HTTP.PublicURL}
	if certificates := s.certificates.Load(); certificates != nil {
		if a := certificates.Authority(); a != nil {
			cfg.Authority = a
		}
	}
	page := trust.New(cfg)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/trust" || strings.HasPrefix(r.URL.Path, "/trust/") {
			page.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// serveRTMP takes publishers at every listener there is for them.
func (s *server) serveRTMP(ctx context.Context, srv *rtmp.Server) error {
	var listeners errgroup.Group
	listeners.Go(func() error { return srv.Serve(ctx, s.rtmp) })
	if s.rtmps != nil {
		listeners.Go(func() error { return srv.Serve(ctx, s.rtmps) })
	}
	return listeners.Wait()
}

// port is where a listener listens, 0 for none.
func port(l net.Listener) int {
	if l == nil {
		return 0
	}
	if a, ok := l.Addr().(*net.TCPAddr); ok {
		return a.Port
	}
	return 0
}

// addr is where a listener listens, "" for none.
func addr(l net.Listener) string {
	if l == nil {
		return ""
	}
	return l.Addr().String()
}
