package sandbox

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"time"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/commerce/payment"
	"github.com/vitrine-live/vitrine/internal/errs"
)

// The headers of a report: when it was signed, in seconds, and HMAC-SHA256 over that instant, a dot and the body, in hex.
const (
	timestampHeader = "Sandbox-Timestamp"
	signatureHeader = "Sandbox-Signature"
)

// tolerance is how old a report may be, and how far ahead its clock.
const tolerance = 5 * time.Minute

// Report is what the sandbox tells of a transaction.
type Report struct {
	ID            string `json:"id"`
	OrderNo       string `json:"order_no"`
	TransactionID string `json:"transaction_id"`
	Amount        int64  `json:"amount"`
	Currency      string `json:"currency"`
	PaidAt        int64  `json:"paid_at_ms"`
}

func (p *Provider) sign(r Report) (header map[string][]string, body []byte, err error) {
	if body, err = json.Marshal(r); err != nil {
		return nil, nil, err
	}
	at := strconv.FormatInt(p.now().Unix(), 10)
	return map[string][]string{timestampHeader: {at}, signatureHeader: {hex.EncodeToString(p.mac(at, body))}}, body, nil
}

func (p *Provider) mac(at string, body []byte) []byte {
	m := hmac.New(sha256.New, p.cfg.Secret)
	m.Write([]byte(at))
	m.Write([]byte{'.'})
	m.Write(body)
	return m.Sum(nil)
}

// Notification implements payment.Provider.
func (p *Provider) Notification(_ context.Context, header map[string][]string, body []byte) (payment.Notification, error) {
	const op = "sandbox.Notification"
	at := first(header[timestampHeader])
	sent, err := hex.DecodeString(first(header[signatureHeader]))
	if err != nil || !hmac.Equal(sent, p.mac(at, body)) {
		return payment.Notification{}, errs.New(errs.Unauthorized, op, "the report is not signed by the sandbox")
	}
	seconds, err := strconv.ParseInt(at, 10, 64)
	if age := p.now().Sub(time.Unix(seconds, 0)); err != nil || age > tolerance || age < -tolerance {
		return payment.Notification{}, errs.New(errs.Unauthorized, op, "the report is too old")
	}
	var r Report
	if err := json.Unmarshal(body, &r); err != nil {
		return payment.Notification{}, errs.As(errs.Invalid, op, err, "the report is not JSON")
	}
	return payment.Notification{ID: r.ID, Payment: &payment.Result{
		OrderNo: r.OrderNo, TransactionID: r.TransactionID, State: payment.Paid,
		Amount: commerce.Money{Amount: r.Amount, Currency: r.Currency}, PaidAt: time.UnixMilli(r.PaidAt).UTC(),
	}}, nil
}

func first(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}
