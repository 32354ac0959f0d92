package certs

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/vitrine-live/vitrine/internal/atomicfile"
	"github.com/vitrine-live/vitrine/internal/errs"
)

// Lifetimes. A device trusts the authority once; iOS takes no server certificate of more than 825 days.
const (
	authorityLife = 10 * 365 * 24 * time.Hour
	leafLife      = 90 * 24 * time.Hour
	clockSkew     = time.Hour // a phone's clock may be behind
)

// Authority signs the certificates of this installation. Its key never leaves the data folder. It is immutable.
type Authority struct {
	cert *x509.Certificate
	key  crypto.Signer
}

// DER returns the authority's certificate, for devices.
func (a *Authority) DER() []byte { return a.cert.Raw }

// PEM returns the authority's certificate, for tools.
func (a *Authority) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw})
}

// Name is how devices list the authority.
func (a *Authority) Name() string { return a.cert.Subject.CommonName }

// Fingerprint is the SHA-256 of the certificate as devices show it: AB:CD:...
func (a *Authority) Fingerprint() string {
	sum := sha256.Sum256(a.cert.Raw)
	return strings.ReplaceAll(fmt.Sprintf("% X", sum[:]), " ", ":")
}

// openAuthority reads the authority from dir, or makes one for the names and addresses of scope.
func openAuthority(dir string, scope names, now time.Time) (a *Authority, fresh bool, err error) {
	certFile, keyFile := filepath.Join(dir, "ca.crt"), filepath.Join(dir, "ca.key")
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if errors.Is(err, fs.ErrNotExist) {
		a, err = makeAuthority(dir, certFile, keyFile, scope, now)
		return a, true, err
	}
	if err != nil {
		return nil, false, errs.As(errs.Invalid, "certs.Open", err, "the private authority in %s cannot be used; delete ca.crt and ca.key there to make a new one, which every device must trust anew", dir)
	}
	signer, ok := pair.PrivateKey.(crypto.Signer)
	if !ok || !pair.Leaf.IsCA {
		return nil, false, errs.New(errs.Invalid, "certs.Open", "%s is no authority's certificate; delete it and ca.key to make a new one", certFile)
	}
	if pair.Leaf.NotAfter.Sub(now) < leafLife {
		return nil, false, errs.New(errs.Invalid, "certs.Open", "the private authority in %s ends on %s; delete ca.crt and ca.key there to make a new one, which every device must trust anew",
			dir, pair.Leaf.NotAfter.Format(time.DateOnly))
	}
	return &Authority{cert: pair.Leaf, key: signer}, false, nil
}

func makeAuthority(dir, certFile, keyFile string, scope names, now time.Time) (*Authority, error) {
	if err := makeDir(dir); err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	ranges, domains := permitted(scope)
	template := &x509.Certificate{
		Subject:   pkix.Name{CommonName: fmt.Sprintf("Vitrine %s %s", scope.host, now.UTC().Format(time.DateOnly)), Organization: []string{"Vitrine private authority"}},
		NotBefore: now.Add(-clockSkew), NotAfter: now.Add(authorityLife),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		// Whoever steals the key can pretend to be a machine of this network, not a bank. Not critical, although RFC
		// 5280 (4.2.1.10) wants that: a device that does not know constraints shall still let the anchor in.
		PermittedDNSDomains: domains, PermittedIPRanges: ranges,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	keyPEM, err := keyToPEM(key)
	if err != nil {
		return nil, err
	}
	a := &Authority{cert: cert, key: key}
	err = atomicfile.Write(keyFile, keyPEM, 0o600)
	if err == nil { // the certificate last: with it the authority exists
		err = atomicfile.Write(certFile, a.PEM(), 0o644)
	}
	if err != nil {
		return nil, errs.As(errs.Unavailable, "certs.Open", err, "cannot keep the private authority in %s", dir)
	}
	return a, nil
}

func keyToPEM(key crypto.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// sign makes the certificate of a server for all the names that the authority may speak for; the others it returns.
func (a *Authority) sign(n names, now time.Time) (cert *tls.Certificate, refused []string, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	template := &x509.Certificate{
		Subject:   pkix.Name{CommonName: n.host},
		NotBefore: now.Add(-clockSkew), NotAfter: now.Add(leafLife),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
	for _, host := range n.hosts {
		if a.permitsHost(host) {
			template.DNSNames = append(template.DNSNames, host)
		} else {
			refused = append(refused, host)
		}
	}
	for _, addr := range n.addresses {
		ip := net.IP(addr.AsSlice())
		if a.permitsIP(ip) {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			refused = append(refused, addr.String())
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		return nil, nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, refused, nil
}

func (a *Authority) permitsHost(host string) bool {
	return slices.ContainsFunc(a.cert.PermittedDNSDomains, func(d string) bool {
		return strings.EqualFold(host, d) || len(host) > len(d) && strings.EqualFold(host[len(host)-len(d)-1:], "."+d)
	})
}

func (a *Authority) permitsIP(ip net.IP) bool {
	return slices.ContainsFunc(a.cert.PermittedIPRanges, func(r *net.IPNet) bool { return r.Contains(ip) })
}

// privateRanges and privateDomains never mean anything outside a private network (RFC 1918, 4193, 6598, 3927, 6762, 8375,
// and ICANN's reservation of .internal).
var (
	privateRanges = []string{
		"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "::1/128", "fc00::/7", "fe80::/10",
	}
	privateDomains = []string{"localhost", "local", "lan", "home", "internal", "home.arpa", "test"}
)

// permitted is what an authority may sign for: private networks, and what the machine was called when it was made.
func permitted(scope names) (ranges []*net.IPNet, domains []string) {
	for _, cidr := range privateRanges {
		_, r, _ := net.ParseCIDR(cidr) // constants
		ranges = append(ranges, r)
	}
	for _, addr := range scope.addresses {
		ip := net.IP(addr.AsSlice())
		if !slices.ContainsFunc(ranges, func(r *net.IPNet) bool { return r.Contains(ip) }) {
			ranges = append(ranges, &net.IPNet{IP: ip, Mask: net.CIDRMask(addr.BitLen(), addr.BitLen())})
		}
	}
	domains = slices.Clone(privateDomains)
	for _, host := range scope.hosts {
		if !slices.Contains(domains, host) {
			domains = append(domains, host)
		}
	}
	return ranges, domains
}
