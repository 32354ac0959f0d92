// Package webhook carries the events of stores to merchants' servers over HTTP.
package webhook

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/vitrine-live/vitrine/commerce/webhook"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/netguard"
)

const (
	// userAgent names this server to those who run endpoints.
	userAgent = "Vitrine (webhooks)"
	// maxAnswer is how much of an answer is read, so that its connection can be used again; beyond it the connection is
	// closed. What an answer says beside its status is of no interest.
	maxAnswer = 64 << 10
)

// Sender sends messages. It is safe for concurrent use. Close it when done.
type Sender struct {
	guard  netguard.Guard
	client *http.Client
	now    func() time.Time
}

// New makes a Sender. allowPrivate lets it send to addresses that are not of the public internet.
func New(allowPrivate bool) *Sender {
	s := &Sender{guard: netguard.Guard{AllowPrivate: allowPrivate, Setting: "webhooks.allow_private"}, now: time.Now}
	s.client = s.guard.Client(webhook.SendTimeout)
	s.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return s
}

// Close lets idle connections go.
func (s *Sender) Close() { s.client.CloseIdleConnections() }

// Check refuses an address that Send would refuse, where that can be told without resolving a name. Forbidden.
func (s *Sender) Check(address string) error {
	u, err := url.Parse(address)
	if err != nil {
		return err
	}
	if u.Hostname() == "localhost" {
		return s.guard.Check("127.0.0.1")
	}
	return s.guard.Check(u.Hostname())
}

// Send posts a message once. Redirects are answers like any other. Forbidden: the address may not be sent to; Unavailable:
// no answer came, with the reason in words.
func (s *Sender) Send(ctx context.Context, m webhook.Message) (webhook.Answer, error) {
	const op = "webhook.Send"
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, m.URL, bytes.NewReader(m.Body))
	if err != nil {
		return webhook.Answer{}, errs.As(errs.Invalid, op, err, "the address cannot be used")
	}
	for name, value := range m.Headers {
		req.Header.Set(name, value)
	}
	req.Header.Set("User-Agent", userAgent)
	res, err := s.client.Do(req)
	if err != nil {
		return webhook.Answer{}, inWords(op, err)
	}
	defer res.Body.Close()
	// The status counts: an endpoint that answers and then dawdles has taken the event.
	_, _ = io.CopyN(io.Discard, res.Body, maxAnswer)
	return webhook.Answer{Status: res.StatusCode, RetryAfter: s.retryAfter(res)}, nil
}

// retryAfter is what an endpoint that is busy asks for (RFC 9110, 10.2.3).
func (s *Sender) retryAfter(res *http.Response) time.Duration {
	if res.StatusCode != http.StatusTooManyRequests && res.StatusCode != http.StatusServiceUnavailable {
		return 0
	}
	v := res.Header.Get("Retry-After")
	if seconds, err := strconv.ParseInt(v, 10, 32); err == nil {
		return max(0, time.Duration(seconds)*time.Second)
	}
	if at, err := http.ParseTime(v); err == nil {
		return max(0, at.Sub(s.now()))
	}
	return 0
}

// inWords says why no answer came.
func inWords(op string, err error) error {
	var ours *errs.Error
	var dns *net.DNSError
	var timeout net.Error
	switch {
	case errors.As(err, &ours):
		return ours
	case errors.As(err, &dns):
		return errs.As(errs.Unavailable, op, err, "the name %s cannot be resolved", dns.Name)
	case errors.As(err, &timeout) && timeout.Timeout():
		return errs.As(errs.Unavailable, op, err, "the endpoint did not answer within %v: take the event, answer, and do the work afterwards", webhook.SendTimeout)
	}
	return errs.As(errs.Unavailable, op, err, "the endpoint cannot be reached: %v", root(err))
}

// root is the innermost error: what the system or TLS said.
func root(err error) error {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err
		}
		err = next
	}
}
