// Package webhook tells merchants' servers what happened in their stores: endpoints that they register, events that are
// signed and delivered to them, attempts that are repeated for a day, and what could not be delivered, kept to be sent
// again. It follows the convention of Standard Webhooks (https://www.standardwebhooks.com). It speaks no HTTP itself.
//
// An event is delivered at least once: when this server dies between sending and noting so, or when an answer comes too
// late, the same event is sent again with the same id. The order of events is not kept: each says when it happened.
package webhook

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// The limits of endpoints.
const (
	MaxEndpoints   = 20 // of one store
	maxURL         = 2048
	maxDescription = 200
)

// TestType is the type of the event that a merchant has sent to try an endpoint. It goes there whatever it asked for.
const TestType = "webhook.test"

// Types lists the types of events that endpoints may ask for.
var Types = []string{
	"order.created", "order.paid", "order.shipped", "order.completed", "order.cancelled", "order.expired", "order.refunding", "order.refunded",
	"order.updated",
	"reminder.due",
}

// Endpoint is an address of a merchant's server that hears of what happens in a store.
type Endpoint struct {
	ID          string // "whk_…"
	StoreID     string
	URL         string
	Description string
	Events      []string // of Types; none: all
	Enabled     bool
	// DisabledReason says why the server disabled it; empty when a person did.
	DisabledReason string
	// FailingSince is when the present series of failures began; zero: the newest attempt succeeded, or there was none.
	FailingSince time.Time
	// Secret signs what is sent; OldSecret does too until OldSecretUntil.
	Secret         string
	OldSecret      string
	OldSecretUntil time.Time

	CreatedAt time.Time
	UpdatedAt time.Time
}

// Wants reports whether the endpoint asked for events of a type.
func (e *Endpoint) Wants(kind string) bool {
	return e.Enabled && (len(e.Events) == 0 || slices.Contains(e.Events, kind))
}

// Secrets are those that sign at an instant, the newest first.
func (e *Endpoint) Secrets(at time.Time) []string {
	if e.OldSecret != "" && at.Before(e.OldSecretUntil) {
		return []string{e.Secret, e.OldSecret}
	}
	return []string{e.Secret}
}

// validate returns an Invalid error that names the first field that breaks a rule.
func (e *Endpoint) validate(op string, allowHTTP bool) error {
	if err := checkURL(op, e.URL, allowHTTP); err != nil {
		return err
	}
	if utf8.RuneCountInString(e.Description) > maxDescription || !utf8.ValidString(e.Description) || strings.ContainsFunc(e.Description, unicode.IsControl) {
		return errs.Field(op, "description", "must be plain text on one line of at most %d characters", maxDescription)
	}
	for i, kind := range e.Events {
		if !slices.Contains(Types, kind) {
			return errs.Field(op, "events", "there are no events of type %q; there are: %s", kind, strings.Join(Types, ", "))
		}
		if slices.Contains(e.Events[:i], kind) {
			return errs.Field(op, "events", "%q stands there twice", kind)
		}
	}
	return nil
}

func checkURL(op, raw string, allowHTTP bool) error {
	bad := func(r rune) bool { return r == '\\' || unicode.IsControl(r) || unicode.IsSpace(r) }
	u, err := url.Parse(raw)
	if err != nil || len(raw) > maxURL || strings.ContainsFunc(raw, bad) || u.Hostname() == "" || u.User != nil || u.Fragment != "" {
		return errs.Field(op, "url", "must be an address such as https://shop.example/vitrine, without credentials or #, at most %d bytes", maxURL)
	}
	switch {
	case u.Scheme == "https", u.Scheme == "http" && allowHTTP:
		return nil
	case u.Scheme == "http":
		return errs.Field(op, "url", "must be an https address, because orders hold names and addresses; the operator of the server may set webhooks.allow_http")
	}
	return errs.Field(op, "url", "must be an https address")
}

// Event is something that happened in a store.
type Event struct {
	ID      string // "evt_…": the same however often and wherever it is sent
	StoreID string
	Type    string
	At      time.Time
	Data    json.RawMessage
}

// Body is what is sent, the same bytes each time.
func (e *Event) Body() ([]byte, error) {
	return json.Marshal(struct {
		ID        string          `json:"id"`
		Type      string          `json:"type"`
		CreatedAt string          `json:"created_at"`
		StoreID   string          `json:"store_id"`
		Data      json.RawMessage `json:"data"`
	}{e.ID, e.Type, e.At.UTC().Format("2006-01-02T15:04:05.000Z"), e.StoreID, e.Data})
}
