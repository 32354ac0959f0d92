package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/configs"
)

func TestCheckTLS(t *testing.T) {
	now := time.Now()
	cert, key := certificateFiles(t, now.Add(30*24*time.Hour))
	files := configs.TLS{Mode: "files", Cert: cert, Key: key}
	for _, c := range []struct {
		name      string
		tls       configs.TLS
		publicURL string
		now       time.Time
		want      verdict
		text      string
	}{
		{"off", configs.TLS{Mode: "off"}, "", now, worth, "off"},
		{"in front", configs.TLS{Mode: "off"}, "https://live.example.com", now, good, "in front"},
		{"local", configs.TLS{Mode: "local"}, "", now, good, "private authority"},
		{"files", files, "", now, good, "shop.example"},
		{"files, soon to end", files, "", now.Add(25 * 24 * time.Hour), worth, "shop.example"},
		{"files, ended", files, "", now.Add(31 * 24 * time.Hour), bad, "shop.example"},
		{"files that are not there", configs.TLS{Mode: "files", Cert: "/nowhere", Key: "/nowhere"}, "", now, bad, "/nowhere"},
		{"files without key", configs.TLS{Mode: "files", Cert: cert}, "", now, bad, "needs the PEM files"},
		{"acme without a public name", configs.TLS{Mode: "acme", Domains: []string{"shop"}}, "", now, bad, "no public domain"},
	} {
		c.tls.Addr = "127.0.0.1:0"
		found := checkTLS(t.Context(), configs.Config{TLS: c.tls, HTTP: configs.HTTP{PublicURL: c.publicURL}}, c.now)
		f := found[0]
		if f.verdict != c.want || !strings.Contains(f.text, c.text) || f.verdict != good && f.hint == "" {
			t.Errorf("%s: %+v", c.name, f)
		}
		if ports := len(found) - 1; c.want == good && c.tls.On() != (ports == 1) {
			t.Errorf("%s: %d ports looked at", c.name, ports)
		}
	}
}

// certificateFiles makes a certificate for shop.example that ends at a time.
func certificateFiles(t *testing.T, end time.Time) (cert, key string) {
	t.Helper()
	secret, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{NotBefore: end.Add(-time.Hour * 24 * 60), NotAfter: end, DNSNames: []string{"shop.example"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, secret.Public(), secret)
	if err != nil {
		t.Fatal(err)
	}
	secretDER, err := x509.MarshalPKCS8PrivateKey(secret)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: secretDER}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}
