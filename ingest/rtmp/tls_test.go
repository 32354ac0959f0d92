package rtmp

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
)

// certificate makes a certificate for 127.0.0.1 and the pool that trusts it.
func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}

// serveTLS is a harness behind TLS, and what its publishers trust.
func serveTLS(t *testing.T, cfg Config) (*harness, *x509.CertPool) {
	t.Helper()
	cert, roots := certificate(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return serveOn(t, cfg, tls.NewListener(l, &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{cert}})), roots
}

func dialTLS(t *testing.T, addr string, roots *x509.CertPool) *client {
	t.Helper()
	conn, err := tls.Dial("tcp", addr, &tls.Config{RootCAs: roots})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	c := newClient(t, conn)
	c.handshake()
	return c
}

func TestRTMPS(t *testing.T) {
	h, roots := serveTLS(t, Config{})
	c := dialTLS(t, h.addr, roots)
	c.mustPublish(goodKey)
	pub := h.next()
	if got := h.gate.request(0).Protocol; got != "rtmps" {
		t.Errorf("protocol %q", got)
	}
	big := filled(idr, 200_000) // more than a TLS record
	c.video(0, avcFrame(0, big))
	c.audio(0, aacFrame)
	c.video(33, avcFrame(0, slice))
	pub.waitSamples(t, 3)
	if video := pub.of(media.Video); len(video[0].Payload) != 4+len(big) {
		t.Errorf("%d bytes", len(video[0].Payload))
	}
	c.command(1, "deleteStream", 6.0, nil, 1.0)
	if r := pub.waitClosed(t); r != media.Unpublished {
		t.Errorf("closed as %v", r)
	}
	c.Close()
	h.endedBy(Unpublished)
}

// What the server has to say when it ends a publish arrives through TLS too.
func TestRTMPSDisplaced(t *testing.T) {
	h, roots := serveTLS(t, Config{})
	c := dialTLS(t, h.addr, roots)
	c.mustPublish(goodKey)
	pub := h.next()
	if !h.gate.request(0).Remote.IsValid() {
		t.Error("the publisher's address is not known")
	}
	pub.kick(errs.New(errs.Conflict, "op", "the show has ended"))
	if code, description := c.status(); code != codeRejected || description != "the show has ended" {
		t.Errorf("%s: %s", code, description)
	}
	c.Close()
	pub.waitClosed(t)
}

// A refusal must reach the publisher through TLS as well.
func TestRTMPSRefusal(t *testing.T) {
	h, roots := serveTLS(t, Config{})
	c := dialTLS(t, h.addr, roots)
	if code, description := c.publish("guess"); code != codeDenied || description == "" {
		t.Errorf("%s: %s", code, description)
	}
	c.closedByServer()
	h.endedBy(WrongKey)
}

func TestNoTLS(t *testing.T) {
	t.Run("RTMP at the port of RTMPS", func(t *testing.T) {
		h, _ := serveTLS(t, Config{})
		c := connect(t, h.addr)
		_ = c.try(hello()[:1+1536])
		c.closedByServer()
		h.endedBy(NotTLS)
	})
	t.Run("a publisher that does not trust us", func(t *testing.T) {
		h, _ := serveTLS(t, Config{})
		c := connect(t, h.addr)
		if tls.Client(c.Conn, &tls.Config{RootCAs: x509.NewCertPool(), ServerName: "127.0.0.1"}).Handshake() == nil {
			t.Fatal("it trusts us")
		}
		c.closedByServer()
		h.endedBy(NotTLS)
	})
	t.Run("a publisher that says nothing", func(t *testing.T) {
		h, _ := serveTLS(t, Config{HandshakeTimeout: 50 * time.Millisecond})
		c := connect(t, h.addr)
		if _, err := io.Copy(io.Discard, c); err != nil {
			t.Fatal(err)
		}
		h.endedBy(HandshakeTimeout)
	})
	t.Run("TLS at the port of RTMP", func(t *testing.T) {
		h := serve(t, Config{})
		c := connect(t, h.addr)
		if tls.Client(c.Conn, &tls.Config{InsecureSkipVerify: true}).Handshake() == nil {
			t.Fatal("it speaks TLS")
		}
		c.closedByServer()
		h.endedBy(NotRTMP)
	})
}
