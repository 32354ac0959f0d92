package certs

import (
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/vitrine-live/vitrine/internal/atomicfile"
	"github.com/vitrine-live/vitrine/internal/errs"
)

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// computer is a machine that is called as a test says.
type computer struct {
	name string
	at   []string
}

func (c *computer) hostname() string { return c.name }

func (c *computer) addresses() (list []netip.Addr) {
	for _, a := range c.at {
		list = append(list, netip.MustParseAddr(a))
	}
	return list
}

func open(t *testing.T, dir string, m machine, configured ...string) *localKeeper {
	t.Helper()
	k, err := openLocal(Config{Mode: Local, Dir: dir, Domains: configured}, m, quiet(), NewMetrics(prometheus.NewRegistry()))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// trusts reports whether a device that trusts the authority takes the certificate for name.
func trusts(a *Authority, leaf *tls.Certificate, name string) error {
	roots := x509.NewCertPool()
	roots.AddCert(a.cert)
	_, err := leaf.Leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: name})
	return err
}

func TestLocalSpeaksForTheMachine(t *testing.T) {
	m := &computer{name: "Shop", at: []string{"192.168.1.20", "2001:db8::7", "fe80::1", "203.0.113.9"}}
	k := open(t, t.TempDir(), m, "studio.example.com", "198.51.100.4")
	for _, name := range []string{"localhost", "127.0.0.1", "::1", "shop", "shop.local", "192.168.1.20", "2001:db8::7", "203.0.113.9", "studio.example.com", "198.51.100.4"} {
		if err := trusts(k.authority, k.leaf, name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"example.com", "fe80::1", "192.168.1.21"} {
		if trusts(k.authority, k.leaf, name) == nil {
			t.Errorf("%s is in the certificate", name)
		}
	}
	if life := k.leaf.Leaf.NotAfter.Sub(k.leaf.Leaf.NotBefore); life > 398*24*time.Hour {
		t.Errorf("a certificate of %v is refused by devices", life)
	}
}

// What leaks must not let anybody pretend to be somebody else.
func TestAuthorityIsConfined(t *testing.T) {
	dir := t.TempDir()
	first := open(t, dir, &computer{name: "shop"})
	wide := *first.authority
	widened := *wide.cert
	widened.PermittedDNSDomains, widened.PermittedIPRanges = []string{"bank.example"}, []*net.IPNet{{IP: net.IPv4(198, 51, 100, 1).To4(), Mask: net.CIDRMask(32, 32)}}
	wide.cert = &widened // a thief does not keep to the rules
	forged, _, err := wide.sign(names{host: "bank.example", hosts: []string{"bank.example"}, addresses: []netip.Addr{netip.MustParseAddr("198.51.100.1")}}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"bank.example", "198.51.100.1"} {
		if trusts(first.authority, forged, name) == nil {
			t.Errorf("a forged certificate for %s is taken", name)
		}
	}
}

func TestAuthorityIsKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tls")
	m := &computer{name: "shop"}
	first := open(t, dir, m)
	for name, want := range map[string]os.FileMode{"": 0o700, "ca.key": 0o600} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: mode %v, error %v, want %v", name, info.Mode().Perm(), err, want)
		}
	}
	second := open(t, dir, m)
	if err := trusts(first.authority, second.leaf, "shop.local"); err != nil {
		t.Errorf("a device that trusted the authority before a restart: %v", err)
	}
	if f := second.authority.Fingerprint(); len(f) != 32*3-1 || f != first.authority.Fingerprint() {
		t.Errorf("fingerprint %q", f)
	}
	late := open(t, dir, m, "new.example.com") // beyond what the authority may speak for
	if trusts(late.authority, late.leaf, "new.example.com") == nil || slices.Contains(late.leaf.Leaf.DNSNames, "new.example.com") {
		t.Error("the authority speaks for a name that it was not made for")
	}
	if err := os.WriteFile(filepath.Join(dir, "ca.key"), []byte("spoilt"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := openLocal(Config{Dir: dir}, m, quiet(), NewMetrics(prometheus.NewRegistry()))
	if errs.KindOf(err) != errs.Invalid || !strings.Contains(errs.MessageOf(err), "delete ca.crt and ca.key") {
		t.Errorf("a spoilt key: %v", err)
	}
}

func TestLocalRenewsByItself(t *testing.T) {
	k := open(t, t.TempDir(), &computer{name: "shop"})
	first, now := k.leaf, time.Now()
	k.tend(now.Add(leafLife / 2))
	if k.leaf != first {
		t.Error("renewed at half its life")
	}
	k.tend(now.Add(leafLife - renewBefore + time.Hour))
	if k.leaf == first {
		t.Fatal("not renewed at two thirds of its life")
	}
	if until := k.expiry(); !until.After(first.Leaf.NotAfter) {
		t.Errorf("the new certificate ends at %v, the old one at %v", until, first.Leaf.NotAfter)
	}
}

// arrival is a connection at a local address.
type arrival struct {
	net.Conn
	at net.IP
}

func (a arrival) LocalAddr() net.Addr { return &net.TCPAddr{IP: a.at, Port: 8443} }

func TestLocalFollowsTheMachine(t *testing.T) {
	m := &computer{name: "shop", at: []string{"192.168.1.20"}}
	k := open(t, t.TempDir(), m)
	m.at = []string{"192.168.1.77"} // the router gave it another
	hello := &tls.ClientHelloInfo{Conn: arrival{at: net.IPv4(192, 168, 1, 77)}}
	leaf, err := k.certificate(hello)
	if err != nil {
		t.Fatal(err)
	}
	if err := trusts(k.authority, leaf, "192.168.1.77"); err != nil {
		t.Errorf("a handshake at the new address: %v", err)
	}
	if again, _ := k.certificate(hello); again != leaf {
		t.Error("signed anew for nothing")
	}
	if other, _ := k.certificate(&tls.ClientHelloInfo{ServerName: "elsewhere.example.com", Conn: arrival{at: net.IPv4(192, 168, 1, 77)}}); other != leaf {
		t.Error("signed anew for a name that is not ours")
	}
}

// pair writes a certificate for name and its key where the files are expected.
func pair(t *testing.T, dir, name string) (cert, key string) {
	t.Helper()
	from := open(t, t.TempDir(), &computer{name: name})
	leaf := from.leaf
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	keyPEM, err := keyToPEM(leaf.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	for path, b := range map[string][]byte{cert: (&Authority{cert: leaf.Leaf}).PEM(), key: keyPEM} {
		if err := atomicfile.Write(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

func TestFilesAreReadAgain(t *testing.T) {
	dir := t.TempDir()
	cert, key := pair(t, dir, "first")
	m := NewMetrics(prometheus.NewRegistry())
	k, err := openFiles(cert, key, quiet(), m)
	if err != nil {
		t.Fatal(err)
	}
	serves := func(host string) bool {
		c, err := k.certificate(nil)
		return err == nil && c.Leaf.VerifyHostname(host) == nil
	}
	k.tend(time.Now())
	if !serves("first") || testutil.ToFloat64(m.changed) != 1 {
		t.Fatal("read again without a change")
	}
	old, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	pair(t, dir, "second")
	fresh, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	if err := atomicfile.Write(key, old, 0o600); err != nil { // a renewal half done
		t.Fatal(err)
	}
	k.tend(time.Now())
	k.tend(time.Now())
	if !serves("first") || testutil.ToFloat64(m.failures) != 1 {
		t.Fatalf("half a renewal: serves first %v, %v failures", serves("first"), testutil.ToFloat64(m.failures))
	}
	if err := atomicfile.Write(key, fresh, 0o600); err != nil {
		t.Fatal(err)
	}
	k.tend(time.Now())
	if !serves("second") {
		t.Fatal("the renewed certificate is not served")
	}
	if err := os.Remove(cert); err != nil {
		t.Fatal(err)
	}
	k.tend(time.Now())
	if !serves("second") {
		t.Fatal("a missing file took the certificate away")
	}
}

func TestFilesThatCannotBeUsed(t *testing.T) {
	_, err := Open(Config{Mode: Files, CertFile: "/nowhere/cert.pem", KeyFile: "/nowhere/key.pem"}, quiet(), NewMetrics(prometheus.NewRegistry()))
	if errs.KindOf(err) != errs.Invalid || !strings.Contains(errs.MessageOf(err), "/nowhere/cert.pem") {
		t.Fatalf("%v", err)
	}
}

func TestValidate(t *testing.T) {
	for _, c := range []struct {
		name  string
		cfg   Config
		field string // "" when sound
	}{
		{"files", Config{Mode: Files, CertFile: "a", KeyFile: "b"}, ""},
		{"files without key", Config{Mode: Files, CertFile: "a"}, "CertFile"},
		{"acme", Config{Mode: ACME, Domains: []string{"live.example.com"}, Dir: "d"}, ""},
		{"acme without a domain", Config{Mode: ACME, Dir: "d"}, "Domains"},
		{"acme for an address", Config{Mode: ACME, Domains: []string{"192.0.2.1"}, Dir: "d"}, "Domains"},
		{"acme for a local name", Config{Mode: ACME, Domains: []string{"shop"}, Dir: "d"}, "Domains"},
		{"acme from a plain directory", Config{Mode: ACME, Domains: []string{"live.example.com"}, CA: "http://ca.example.com", Dir: "d"}, "CA"},
		{"local", Config{Mode: Local, Domains: []string{"192.0.2.1", "shop"}, Dir: "d"}, ""},
		{"local with rubbish", Config{Mode: Local, Domains: []string{"https://shop"}, Dir: "d"}, "Domains"},
		{"no folder", Config{Mode: Local}, "Dir"},
		{"no mode", Config{Dir: "d"}, "Mode"},
	} {
		if err := c.cfg.Validate(); errs.FieldOf(err) != c.field {
			t.Errorf("%s: %v, want a complaint about %q", c.name, err, c.field)
		}
	}
}

func TestExpiryIsTold(t *testing.T) {
	m := NewMetrics(prometheus.NewRegistry())
	c := &Certificates{keeper: open(t, t.TempDir(), &computer{name: "shop"}), log: quiet(), metrics: m}
	c.observe(time.Now())
	if got := testutil.ToFloat64(m.expiry); got != float64(c.keeper.expiry().Unix()) {
		t.Errorf("metric %v", got)
	}
	if !c.warned.IsZero() {
		t.Error("warned of a fresh certificate")
	}
	late := c.keeper.expiry().Add(-time.Hour)
	if c.observe(late); c.warned != late {
		t.Error("no warning an hour before the end")
	}
	if c.observe(late.Add(time.Minute)); c.warned != late {
		t.Error("a warning every minute")
	}
}
