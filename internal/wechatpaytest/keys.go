package wechatpaytest

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// PublicKeyID names the platform's public key.
const PublicKeyID = "PUB_KEY_ID_0119000001092024000000000000000001"

// identity is a key and its certificate.
type identity struct {
	key    *rsa.PrivateKey
	cert   *x509.Certificate
	serial string
}

// Keys take a while to make: all servers of a test program share them.
var (
	merchantKey  = sync.OnceValue(newKey)
	publicKey    = sync.OnceValue(newKey)
	platformKeys = [2]func() *rsa.PrivateKey{sync.OnceValue(newKey), sync.OnceValue(newKey)}

	merchantIdentity = sync.OnceValue(func() *identity {
		return newIdentity(merchantKey(), time.Now().Add(-time.Hour), time.Now().Add(5*365*24*time.Hour))
	})
)

func platformKey(n int) *rsa.PrivateKey { return platformKeys[n%len(platformKeys)]() }

func newKey() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
}

func newIdentity(key *rsa.PrivateKey, from, until time.Time) *identity {
	serial := make([]byte, 20)
	_, _ = rand.Read(serial)
	serial[0] |= 1 // no leading zero, which the hexadecimal form would lose
	template := &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(serial), Subject: pkix.Name{CommonName: "Stand-in of WeChat Pay"}, NotBefore: from, NotAfter: until,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return &identity{key: key, cert: cert, serial: fmt.Sprintf("%X", cert.SerialNumber.Bytes())}
}

func (i *identity) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: i.cert.Raw})
}

// Rotate gives the platform a new certificate, valid from and until, which signs from now on.
func (s *Server) Rotate(from, until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.platform = append(s.platform, newIdentity(platformKey(len(s.platform)), from, until))
}

// CertSerial is the serial number of the merchant's API certificate.
func (s *Server) CertSerial() string { return s.merchant.serial }

// Files writes the merchant's key and the platform's public key as PEM files into a folder of the test.
func (s *Server) Files() (privateKey, public string) {
	s.t.Helper()
	dir := s.t.TempDir()
	privateKey, public = filepath.Join(dir, "apiclient_key.pem"), filepath.Join(dir, "pub_key.pem")
	key, err := x509.MarshalPKCS8PrivateKey(s.merchant.key)
	if err != nil {
		s.t.Fatal(err)
	}
	pub, err := x509.MarshalPKIXPublicKey(&s.public.PublicKey)
	if err != nil {
		s.t.Fatal(err)
	}
	for path, b := range map[string]*pem.Block{privateKey: {Type: "PRIVATE KEY", Bytes: key}, public: {Type: "PUBLIC KEY", Bytes: pub}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(b), 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
	return privateKey, public
}

// seal encrypts as WeChat Pay does: AES-256-GCM under the merchant's API key.
func (s *Server) seal(associated string, plain []byte) map[string]any {
	block, err := aes.NewCipher([]byte(APIv3Key))
	if err != nil {
		panic(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	nonce := random(12)
	return map[string]any{
		"algorithm": "AEAD_AES_256_GCM", "nonce": nonce, "associated_data": associated,
		"ciphertext": base64.StdEncoding.EncodeToString(gcm.Seal(nil, []byte(nonce), plain, []byte(associated))),
	}
}
