// Package pushtest is a push service for tests: it checks what it is sent as browsers' makers do (RFC 8292) and opens it as a
// browser does (RFC 8291).
package pushtest

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/vitrine-live/vitrine/commerce/reminder"
)

// Message is what the service was sent.
type Message struct {
	Header http.Header
	Text   []byte // opened
	Err    error  // why it was not taken: refused before Answer is asked
}

// Service is a running push service with one browser behind it.
type Service struct {
	*httptest.Server
	// Answer says what a message is answered with; nil: 201. It is called when the message has been taken note of.
	Answer func(n int, m Message) (status int, header http.Header)

	key    *ecdh.PrivateKey
	auth   []byte
	public string // of the sender

	mu  sync.Mutex
	got []Message
}

// New starts a service that takes messages of one sender, by its public key. Close it.
func New(senderKey string) (*Service, error) {
	key, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	s := &Service{key: key, auth: make([]byte, 16), public: senderKey}
	_, _ = rand.Read(s.auth) // never fails
	s.Server = httptest.NewServer(http.HandlerFunc(s.take))
	return s, nil
}

// Request is the subscription of the browser, as its page sends it.
func (s *Service) Request() reminder.Request {
	return reminder.Request{
		Channel: reminder.WebPush, Endpoint: s.URL + "/push/1", P256dh: base64.RawURLEncoding.EncodeToString(s.key.PublicKey().Bytes()),
		Auth: base64.RawURLEncoding.EncodeToString(s.auth),
	}
}

// Messages are those sent so far.
func (s *Service) Messages() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Message(nil), s.got...)
}

func (s *Service) take(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	m := Message{Header: r.Header.Clone(), Err: err}
	if m.Err == nil {
		m.Err = s.checkSender(r)
	}
	if m.Err == nil {
		m.Text, m.Err = s.open(body)
	}
	s.mu.Lock()
	s.got = append(s.got, m)
	n := len(s.got)
	s.mu.Unlock()
	switch {
	case m.Err != nil:
		http.Error(w, m.Err.Error(), http.StatusForbidden)
	case s.Answer != nil:
		status, header := s.Answer(n, m)
		for k := range header {
			w.Header().Set(k, header.Get(k))
		}
		w.WriteHeader(status)
	default:
		w.WriteHeader(http.StatusCreated)
	}
}

// checkSender checks the signature (RFC 8292, 2 and 3).
func (s *Service) checkSender(r *http.Request) error {
	rest, ok := strings.CutPrefix(r.Header.Get("Authorization"), "vapid t=")
	token, key, found := strings.Cut(rest, ", k=")
	if !ok || !found || key != s.public {
		return fmt.Errorf("authorization %q", r.Header.Get("Authorization"))
	}
	raw, err := base64.RawURLEncoding.DecodeString(key)
	if err != nil {
		return err
	}
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), raw)
	if err != nil {
		return err
	}
	var claims jwt.RegisteredClaims
	_, err = jwt.ParseWithClaims(token, &claims, func(*jwt.Token) (any, error) { return public, nil }, jwt.WithValidMethods([]string{"ES256"}), jwt.WithAudience(s.URL), jwt.WithExpirationRequired())
	if err == nil && (claims.Subject == "" || time.Until(claims.ExpiresAt.Time) > 24*time.Hour) {
		err = fmt.Errorf("claims %+v", claims)
	}
	return err
}

// open decrypts a message (RFC 8188, 2; RFC 8291, 3.4).
func (s *Service) open(body []byte) ([]byte, error) {
	if len(body) < 16+4+1+65+17 || body[20] != 65 {
		return nil, fmt.Errorf("a body of %d bytes", len(body))
	}
	salt, sender, sealed := body[:16], body[21:86], body[86:]
	public, err := ecdh.P256().NewPublicKey(sender)
	if err != nil {
		return nil, err
	}
	secret, err := s.key.ECDH(public)
	if err != nil {
		return nil, err
	}
	info := "WebPush: info\x00" + string(s.key.PublicKey().Bytes()) + string(sender)
	ikm, err1 := hkdf.Key(sha256.New, secret, s.auth, info, 32)
	cek, err2 := hkdf.Key(sha256.New, ikm, salt, "Content-Encoding: aes128gcm\x00", 16)
	nonce, err3 := hkdf.Key(sha256.New, ikm, salt, "Content-Encoding: nonce\x00", 12)
	block, err4 := aes.NewCipher(cek)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return nil, err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	text, err := gcm.Open(nil, nonce, sealed, nil)
	if err != nil {
		return nil, err
	}
	record, last := bytes.CutSuffix(bytes.TrimRight(text, "\x00"), []byte{2})
	if !last {
		return nil, errors.New("the record is not the last one")
	}
	return record, nil
}
