package certs

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"
	"github.com/miekg/dns"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// acmeServer is Let's Encrypt's own test server, in this process. It asks for challenges at the given ports.
type acmeServer struct {
	directory string
	roots     string // PEM file of its own certificate
	issued    *x509.CertPool
}

func startACME(t *testing.T, httpPort, tlsPort int) acmeServer {
	t.Helper()
	t.Setenv("PEBBLE_VA_NOSLEEP", "1")
	silent := slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)
	store := db.NewMemoryStore()
	authority := ca.New(silent, store, "", "ecdsa", 0, 1, map[string]ca.Profile{"default": {ValidityPeriod: 7776000}})
	validator := va.New(silent, httpPort, tlsPort, false, resolver(t), store)
	front := wfe.New(silent, store, validator, authority, nil, false, false, 1, 1)
	srv := httptest.NewUnstartedServer(front.Handler())
	srv.Config.ErrorLog = silent
	srv.StartTLS()
	t.Cleanup(srv.Close)
	roots := filepath.Join(t.TempDir(), "roots.pem")
	if err := os.WriteFile(roots, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	issued := x509.NewCertPool()
	issued.AppendCertsFromPEM(authority.GetRootCert(0).PEM())
	return acmeServer{directory: srv.URL + wfe.DirectoryPath, roots: roots, issued: issued}
}

// resolver answers that every name is at 127.0.0.1.
func resolver(t *testing.T) string {
	t.Helper()
	l, _ := listenLocal(t) // it asks over TCP
	srv := &dns.Server{Listener: l, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg).SetReply(q)
		if q.Question[0].Qtype == dns.TypeA {
			m.Answer = append(m.Answer, &dns.A{Hdr: dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET}, A: net.IPv4(127, 0, 0, 1)})
		}
		_ = w.WriteMsg(m)
	})}
	started := make(chan struct{})
	srv.NotifyStartedFunc = func() { close(started) }
	var served sync.WaitGroup
	served.Go(func() { _ = srv.ActivateAndServe() })
	<-started
	t.Cleanup(func() {
		_ = srv.Shutdown()
		served.Wait()
	})
	return l.Addr().String()
}

func listenLocal(t *testing.T) (net.Listener, int) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l, l.Addr().(*net.TCPAddr).Port
}

// Each kind of challenge must do alone: the other one's port leads nowhere.
func TestACME(t *testing.T) {
	nowhere, deadPort := listenLocal(t)
	nowhere.Close()
	t.Run("over HTTP", func(t *testing.T) { obtain(t, true, deadPort) })
	t.Run("over TLS", func(t *testing.T) { obtain(t, false, deadPort) })
}

func obtain(t *testing.T, overHTTP bool, deadPort int) {
	plain, httpPort := listenLocal(t)
	raw, tlsPort := listenLocal(t)
	asked := map[bool][2]int{true: {httpPort, deadPort}, false: {deadPort, tlsPort}}[overHTTP]
	acme := startACME(t, asked[0], asked[1])
	const domain = "live.example.com"
	cfg := Config{
		Mode: ACME, Domains: []string{domain}, CA: acme.directory, CARoots: acme.roots, Dir: filepath.Join(t.TempDir(), "tls"),
		HTTPPort: httpPort, TLSPort: tlsPort,
	}
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	m := NewMetrics(prometheus.NewRegistry())
	c, err := Open(cfg, quiet(), m)
	if err != nil {
		t.Fatal(err)
	}
	var challenges atomic.Int64
	web := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c.Challenge(w, r) {
			challenges.Add(1)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	serveUntilEnd(t, plain, web)
	serveUntilEnd(t, tls.NewListener(raw, c.Server("h2", "http/1.1")), web)
	runUntilEnd(t, c)

	leaf := await(t, raw.Addr().String(), domain, acme.issued)
	if got := testutil.ToFloat64(m.changed); got != 1 {
		t.Errorf("%v certificates counted", got)
	}
	if !c.keeper.expiry().Equal(leaf.NotAfter) {
		t.Errorf("expiry %v, the certificate ends %v", c.keeper.expiry(), leaf.NotAfter)
	}
	if overHTTP != (challenges.Load() > 0) {
		t.Errorf("%d challenges answered over HTTP", challenges.Load())
	}
	bare, err := tls.Dial("tcp", raw.Addr().String(), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}}) // by address: no SNI
	if err != nil {
		t.Fatalf("a visitor without a name: %v", err)
	}
	defer bare.Close()
	if state := bare.ConnectionState(); !state.PeerCertificates[0].Equal(leaf) || state.NegotiatedProtocol != "h2" {
		t.Errorf("a visitor without a name got %v over %q", state.PeerCertificates[0].DNSNames, state.NegotiatedProtocol)
	}
}

func serveUntilEnd(t *testing.T, l net.Listener, h http.Handler) {
	t.Helper()
	srv := &http.Server{Handler: h, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)}
	var served sync.WaitGroup
	served.Go(func() { _ = srv.Serve(l) })
	t.Cleanup(func() {
		srv.Close()
		served.Wait()
	})
}

func runUntilEnd(t *testing.T, c *Certificates) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// await asks until the server shows a certificate for domain that the ACME server issued.
func await(t *testing.T, addr, domain string, roots *x509.CertPool) *x509.Certificate {
	t.Helper()
	var last error
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		conn, err := tls.Dial("tcp", addr, &tls.Config{ServerName: domain, RootCAs: roots})
		if err != nil {
			last = err
			continue
		}
		defer conn.Close()
		return conn.ConnectionState().PeerCertificates[0]
	}
	t.Fatalf("no certificate within a minute: %v", last)
	return nil
}
