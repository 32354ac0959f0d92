// Package webpush sends reminders to browsers: Web Push (RFC 8030), encrypted to the browser (RFC 8291) and signed by this
// server (VAPID, RFC 8292).
package webpush

import (
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	webpush "github.com/SherClockHolmes/webpush-go"

	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/commerce/reminder"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/printable"
)

const (
	maxEndpoint = 2048 // bytes
	maxAnswer   = 4096 // bytes of a push service's answer that are read
	// ttl is how long a push service may keep a message for a browser that is away (RFC 8030, 5.2): a show that began
	// long ago is no news.
	ttl = 30 * time.Minute
)

// Config is what the sender needs to know.
type Config struct {
	// PrivateKey is the VAPID key as NewKey makes it.
	PrivateKey string
	// Subject is whom a push service may turn to: an https: or mailto: address (RFC 8292, 2.1).
	Subject string
	// AllowHTTP lets subscriptions name plain http addresses, for tests.
	AllowHTTP bool
}

// Sender is the provider of reminders by Web Push. Safe for concurrent use.
type Sender struct {
	cfg    Config
	public string
	client *http.Client
}

// NewKey makes a VAPID key: a P-256 private key in base64url. It is made once, because browsers subscribe to its public half.
func NewKey() (string, error) {
	key, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(key.Bytes()), nil
}

// New makes a sender. client must not reach what subscriptions, which anybody may make up, must not reach; it must not follow
// redirects. Invalid: the key or the subject cannot be used.
func New(cfg Config, client *http.Client) (*Sender, error) {
	const op = "webpush.New"
	raw, err := base64.RawURLEncoding.DecodeString(cfg.PrivateKey)
	if err != nil {
		return nil, errs.As(errs.Invalid, op, err, "the VAPID key is not base64url")
	}
	key, err := ecdh.P256().NewPrivateKey(raw)
	if err != nil {
		return nil, errs.As(errs.Invalid, op, err, "the VAPID key is no key of P-256")
	}
	if !strings.HasPrefix(cfg.Subject, "https:") && !strings.HasPrefix(cfg.Subject, "mailto:") {
		return nil, errs.Field(op, "subject", "the subject of Web Push must begin with https: or mailto:, got %q", cfg.Subject)
	}
	return &Sender{cfg: cfg, public: base64.RawURLEncoding.EncodeToString(key.PublicKey().Bytes()), client: client}, nil
}

// PublicKey is what a browser subscribes with (applicationServerKey), in base64url.
func (s *Sender) PublicKey() string { return s.public }

// Target takes the browser's subscription. Invalid names the field.
func (s *Sender) Target(_ account.Viewer, r reminder.Request) (reminder.Target, error) {
	const op = "webpush.Target"
	u, err := url.Parse(r.Endpoint)
	plain := err == nil && u.Scheme == "http" && s.cfg.AllowHTTP
	if err != nil || len(r.Endpoint) > maxEndpoint || u.Scheme != "https" && !plain || u.Host == "" || u.User != nil {
		return reminder.Target{}, errs.Field(op, "endpoint", "the endpoint must be the https address that the browser's subscription names")
	}
	if key, err := decode(r.P256dh); err != nil || !onCurve(key) {
		return reminder.Target{}, errs.Field(op, "p256dh", "p256dh must be the subscription's public key in base64url")
	}
	if auth, err := decode(r.Auth); err != nil || len(auth) != 16 { // RFC 8291, 3.2
		return reminder.Target{}, errs.Field(op, "auth", "auth must be the subscription's 16 bytes in base64url")
	}
	return reminder.Target{Endpoint: r.Endpoint, P256dh: r.P256dh, Auth: r.Auth}, nil
}

// Payload is what the page's service worker is given.
type Payload struct {
	Type        string `json:"type"` // "reminder"
	ID          string `json:"id"`
	Title       string `json:"title"`
	URL         string `json:"url"`
	RoomID      string `json:"room_id"`
	ShowID      string `json:"show_id"`
	Started     bool   `json:"started"`
	ScheduledAt int64  `json:"scheduled_at,omitempty"` // Unix time in milliseconds
}

// Send hands one message to the push service.
func (s *Sender) Send(ctx context.Context, m reminder.Message) reminder.Result {
	p := Payload{Type: "reminder", ID: m.ID, Title: m.Show.Title, URL: m.URL, RoomID: m.Show.RoomID, ShowID: m.Show.ID, Started: m.Started}
	if !m.Show.ScheduledAt.IsZero() {
		p.ScheduledAt = m.Show.ScheduledAt.UnixMilli()
	}
	doc, err := json.Marshal(p)
	if err != nil {
		return reminder.Result{Verdict: reminder.Refused, Reason: err.Error()}
	}
	resp, err := webpush.SendNotificationWithContext(ctx, doc,
		&webpush.Subscription{Endpoint: m.Target.Endpoint, Keys: webpush.Keys{Auth: m.Target.Auth, P256dh: m.Target.P256dh}},
		&webpush.Options{
			HTTPClient: s.client, Subscriber: strings.TrimPrefix(s.cfg.Subject, "mailto:"), TTL: int(ttl.Seconds()), Urgency: webpush.UrgencyHigh,
			Topic: topic(m.Show.ID), VAPIDPublicKey: s.public, VAPIDPrivateKey: s.cfg.PrivateKey,
		})
	if err != nil {
		return failure(err)
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	return verdict(resp, string(text))
}

// topic replaces an undelivered message about the same show (RFC 8030, 5.4: at most 32 characters of base64url).
func topic(showID string) string {
	if len(showID) > 32 {
		return showID[len(showID)-32:]
	}
	return showID
}

// failure judges a request without an answer. Only where no connection came about is it sure that nothing was sent.
func failure(err error) reminder.Result {
	var op *net.OpError
	var asked *url.Error
	switch {
	case errs.KindOf(err) == errs.Forbidden:
		return reminder.Result{Verdict: reminder.Refused, Reason: "the subscription leads to an address that may not be reached"}
	case !errors.As(err, &asked):
		return reminder.Result{Verdict: reminder.Refused, Reason: "the message cannot be made: " + err.Error()} // before any request
	case errors.As(err, &op) && op.Op == "dial":
		return reminder.Result{Verdict: reminder.NotSent, Reason: "the push service cannot be reached: " + op.Error()}
	}
	return reminder.Result{Reason: "the push service did not answer: " + asked.Err.Error()}
}

// verdict reads an answer (RFC 8030, 5 and 8; RFC 9110, 15.6).
func verdict(resp *http.Response, text string) reminder.Result {
	said := fmt.Sprintf("the push service answered %d %s", resp.StatusCode, printable.Clip(text))
	switch code := resp.StatusCode; {
	case code == http.StatusOK || code == http.StatusCreated || code == http.StatusAccepted || code == http.StatusNoContent:
		return reminder.Result{Verdict: reminder.Accepted}
	case code == http.StatusNotFound || code == http.StatusGone:
		return reminder.Result{Verdict: reminder.Refused, Reason: "the browser's subscription has ended"}
	case code == http.StatusTooManyRequests || code == http.StatusServiceUnavailable:
		return reminder.Result{Verdict: reminder.NotSent, Reason: said, After: retryAfter(resp.Header.Get("Retry-After"))}
	case code >= 300 && code < 500:
		return reminder.Result{Verdict: reminder.Refused, Reason: said}
	}
	return reminder.Result{Reason: said}
}

// maxRetryAfter bounds what a push service may ask for.
const maxRetryAfter = time.Hour

func retryAfter(header string) time.Duration {
	seconds, err := strconv.Atoi(header)
	if err != nil || seconds < 0 {
		return 0
	}
	return min(time.Duration(seconds)*time.Second, maxRetryAfter)
}

func onCurve(key []byte) bool {
	_, err := ecdh.P256().NewPublicKey(key)
	return err == nil
}

// decode reads base64url with or without padding; browsers give it without.
func decode(s string) ([]byte, error) {
	return base64.RawURLEncoding.DecodeString(strings.TrimRight(s, "="))
}
