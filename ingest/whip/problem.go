package whip

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// Reason names why a request was refused, as metrics do.
type Reason string

// The reasons.
const (
	BadRequest      Reason = "bad_request"       // a body or a header that cannot be read
	UnusableOffer   Reason = "unusable_offer"    // an offer of which the server can take nothing, or not enough
	NoKey           Reason = "no_key"            // no stream key in the request
	WrongKey        Reason = "wrong_key"         // a stream key that the gate, or the session, does not know
	TooManyKeys     Reason = "too_many_keys"     // too many wrong keys from this address
	TooManySessions Reason = "too_many_sessions" // a limit on sessions
	Refused         Reason = "refused"           // the gate's other refusals
	UnknownSession  Reason = "unknown_session"   // a session that has ended, or never was
	StaleSession    Reason = "stale_session"     // a PATCH about an earlier ICE session, or about none
	NoSuchMethod    Reason = "no_such_method"    // a method or path that means nothing here
	Stopping        Reason = "stopping"          // the server starts or stops
	Failed          Reason = "failed"            // a defect or failure on this side
)

// Reasons lists every reason.
var Reasons = []Reason{
	BadRequest, UnusableOffer, NoKey, WrongKey, TooManyKeys, TooManySessions, Refused, UnknownSession, StaleSession,
	NoSuchMethod, Stopping, Failed,
}

// refusal is the answer to a request that is not carried out.
type refusal struct {
	reason Reason
	status int
	detail string // for the publisher
	err    error  // for the log alone
}

// Error implements error.
func (r *refusal) Error() string { return fmt.Sprintf("%d: %s", r.status, r.detail) }

// Unwrap returns the cause.
func (r *refusal) Unwrap() error { return r.err }

func refuse(reason Reason, status int, format string, args ...any) *refusal {
	return &refusal{reason: reason, status: status, detail: fmt.Sprintf(format, args...)}
}

func busy(reason Reason, format string, args ...any) *refusal {
	return refuse(reason, http.StatusTooManyRequests, format, args...)
}

func unusable(format string, args ...any) *refusal {
	return refuse(UnusableOffer, http.StatusUnprocessableEntity, format, args...)
}

// failure is a refusal for which the publisher can do nothing.
func failure(err error) *refusal {
	return &refusal{reason: Failed, status: http.StatusInternalServerError, detail: "something went wrong on the server; its log says more", err: err}
}

// gateStatuses says how the gate's errors are answered. Invalid speaks of an offer that could be read.
var gateStatuses = map[errs.Kind]int{
	errs.Internal:     http.StatusInternalServerError,
	errs.Invalid:      http.StatusUnprocessableEntity,
	errs.NotFound:     http.StatusNotFound,
	errs.Conflict:     http.StatusConflict,
	errs.Unauthorized: http.StatusUnauthorized,
	errs.Forbidden:    http.StatusForbidden,
	errs.Exhausted:    http.StatusTooManyRequests,
	errs.Unavailable:  http.StatusServiceUnavailable,
}

// gateRefusal makes the answer out of an error of the gate.
func gateRefusal(err error) *refusal {
	kind := errs.KindOf(err)
	r := &refusal{reason: Refused, status: gateStatuses[kind], detail: errs.MessageOf(err), err: err}
	switch kind {
	case errs.Unauthorized:
		r.reason = WrongKey
	case errs.Internal:
		return failure(err)
	}
	if r.detail == "" {
		r.detail = http.StatusText(r.status)
	}
	return r
}

// retryAfter is what a publisher that came too early is told to wait, in seconds.
var retryAfter = map[int]int{http.StatusTooManyRequests: 10, http.StatusServiceUnavailable: 2}

// problemDetails is the body of a refusal (RFC 9457).
type problemDetails struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
}

// write answers with the refusal.
func (r *refusal) write(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	if r.status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="stream key"`) // RFC 6750, 3
	}
	if seconds := retryAfter[r.status]; seconds > 0 {
		h.Set("Retry-After", strconv.Itoa(seconds))
	}
	w.WriteHeader(r.status)
	_ = json.NewEncoder(w).Encode(problemDetails{Title: http.StatusText(r.status), Status: r.status, Detail: r.detail})
}
