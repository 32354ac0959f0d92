package mall

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/internal/errs"
)

// The limits of a report.
const (
	MaxReport   = 256 << 10 // bytes
	maxLines    = 200
	maxNo       = 64 // characters
	maxTitle    = 200
	maxQuantity = 1_000_000
	clockSlack  = 5 * time.Minute
)

// State is where an external order stands.
type State string

// The states.
const (
	Paid     State = "paid"
	Refunded State = "refunded" // all of it
)

// Report is what a mall says of an order that was made there.
type Report struct {
	No         string       `json:"order_no"`
	State      State        `json:"state"`
	Currency   string       `json:"currency"`
	Total      int64        `json:"total"`
	Refunded   int64        `json:"refunded,omitempty"` // of the total, given back so far
	PaidAt     time.Time    `json:"paid_at"`
	RefundedAt time.Time    `json:"refunded_at,omitzero"`
	ClickID    string       `json:"click_id,omitempty"` // of all lines that have none of their own
	Lines      []ReportLine `json:"lines"`
}

// ReportLine is one thing that was bought.
type ReportLine struct {
	ProductID   string                `json:"product_id,omitempty"` // of this server; empty: that of the click
	Code        string                `json:"code,omitempty"`       // the mall's
	Title       string                `json:"title,omitempty"`
	Quantity    int64                 `json:"quantity"`
	Amount      int64                 `json:"amount"` // paid for the line
	ClickID     string                `json:"click_id,omitempty"`
	Attribution *commerce.Attribution `json:"attribution,omitempty"` // where there is no click
}

// Parse reads a report. Invalid names the field.
func Parse(body []byte) (Report, error) {
	const op = "mall.Parse"
	var r Report
	if len(body) > MaxReport {
		return r, errs.New(errs.Invalid, op, "the report is longer than %d KiB", MaxReport>>10)
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) {
			return Report{}, errs.Field(op, wrong.Field, "must be of another type than %s", wrong.Value)
		}
		return Report{}, errs.As(errs.Invalid, op, err, "the report is not JSON of the documented form: %v", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Report{}, errs.New(errs.Invalid, op, "something follows the report")
	}
	return r, r.validate(op)
}

func (r *Report) validate(op string) error {
	if r.State == Refunded && r.Refunded == 0 {
		r.Refunded = r.Total
	}
	switch {
	case r.No == "" || !plain(r.No, maxNo) || strings.TrimSpace(r.No) != r.No:
		return errs.Field(op, "order_no", "must be the mall's number of the order, 1 to %d characters", maxNo)
	case r.State != Paid && r.State != Refunded:
		return errs.Field(op, "state", "must be paid or refunded")
	case (commerce.Money{Amount: 0, Currency: r.Currency}).Validate() != nil:
		return errs.Field(op, "currency", "must be an ISO 4217 code such as CNY")
	case r.Total < 0 || r.Total > commerce.MaxAmount:
		return errs.Field(op, "total", "must be 0 to %d minor units", commerce.MaxAmount)
	case r.Refunded < 0 || r.Refunded > r.Total:
		return errs.Field(op, "refunded", "must be 0 to the total")
	case !sane(r.PaidAt):
		return errs.Field(op, "paid_at", "must say when the order was paid, such as 2026-11-22T12:00:00+08:00")
	case !r.RefundedAt.IsZero() && !sane(r.RefundedAt):
		return errs.Field(op, "refunded_at", "must be a time such as 2026-11-22T12:00:00+08:00")
	case len(r.Lines) == 0 || len(r.Lines) > maxLines:
		return errs.Field(op, "lines", "must be 1 to %d lines", maxLines)
	}
	for i := range r.Lines {
		l := &r.Lines[i]
		switch {
		case l.Quantity < 1 || l.Quantity > maxQuantity:
			return errs.Field(op, "lines", "line %d: the quantity must be 1 to %d", i+1, maxQuantity)
		case l.Amount < 0 || l.Amount > commerce.MaxAmount:
			return errs.Field(op, "lines", "line %d: the amount must be 0 to %d minor units", i+1, commerce.MaxAmount)
		case !plain(l.Title, maxTitle) || !plain(l.Code, maxNo) || !plain(l.ProductID, maxNo):
			return errs.Field(op, "lines", "line %d: title, code and product must be plain text of at most %d and %d characters", i+1, maxTitle, maxNo)
		}
	}
	return nil
}

// sane are instants that can be stored and shown.
func sane(t time.Time) bool { return t.Year() >= 2000 && t.Year() < 3000 }

func plain(s string, most int) bool {
	return utf8.RuneCountInString(s) <= most && utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

// hash is of what may not change between two reports of one order.
func (r *Report) hash() string {
	fixed := *r
	fixed.State, fixed.Refunded, fixed.RefundedAt = "", 0, time.Time{}
	fixed.PaidAt = fixed.PaidAt.UTC()
	doc, err := json.Marshal(fixed)
	if err != nil {
		return "" // it came out of JSON
	}
	sum := sha256.Sum256(doc)
	return hex.EncodeToString(sum[:])
}
