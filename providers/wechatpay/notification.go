package wechatpay

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/wechatpay-apiv3/wechatpay-go/services/payments"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/commerce/payment"
	"github.com/vitrine-live/vitrine/internal/errs"
)

// MaxNotification is the longest report that is read, in bytes.
const MaxNotification = 64 << 10

const algorithm = "AEAD_AES_256_GCM"

// envelope is a report as it comes.
type envelope struct {
	ID        string   `json:"id"`
	EventType string   `json:"event_type"`
	Resource  resource `json:"resource"`
}

// resource is something encrypted with the API v3 key.
type resource struct {
	Algorithm      string `json:"algorithm"`
	Ciphertext     string `json:"ciphertext"`
	AssociatedData string `json:"associated_data"`
	Nonce          string `json:"nonce"`
	OriginalType   string `json:"original_type"`
}

// Notification implements payment.Provider. Unauthorized: WeChat Pay did not sign it just now, or it is about another
// merchant. Internal: it is genuine and cannot be decrypted, so the key is wrong. Invalid: it is about something else than
// payments and refunds. Unavailable: the certificates cannot be fetched; WeChat Pay reports again later.
//
// The SDK's own reader of reports is not used: it ends the program when a report lacks its resource or has a nonce of
// another length.
func (p *Provider) Notification(ctx context.Context, header map[string][]string, body []byte) (payment.Notification, error) {
	n, err := p.notification(ctx, header, body)
	p.metrics.notified(err)
	return n, err
}

func (p *Provider) notification(ctx context.Context, header http.Header, body []byte) (n payment.Notification, err error) {
	const op = "wechatpay.Notification"
	if len(body) > MaxNotification {
		return n, errs.New(errs.Unauthorized, op, "the report is longer than any of WeChat Pay's")
	}
	if err := p.platform.verify(ctx, header, body); err != nil {
		return n, errs.Wrap(op, err)
	}
	e, text, err := readEnvelope(p.cfg.APIv3Key, body)
	if err != nil {
		return n, err
	}
	n.ID = e.ID
	switch {
	case strings.HasPrefix(e.EventType, "TRANSACTION."):
		n.Payment, err = p.paymentReport(text)
	case strings.HasPrefix(e.EventType, "REFUND."):
		n.Refund, err = p.refundReport(text)
	default:
		err = errs.New(errs.Invalid, op, "reports of the type %.40q are not read", e.EventType)
	}
	return n, err
}

// readEnvelope takes a report whose signature is right apart.
func readEnvelope(apiKey string, body []byte) (e envelope, text []byte, err error) {
	const op = "wechatpay.Notification"
	if err := json.Unmarshal(body, &e); err != nil || e.ID == "" {
		return e, nil, errs.New(errs.Invalid, op, "the report is not one of WeChat Pay's")
	}
	text, err = open(apiKey, e.Resource)
	if err != nil {
		return e, nil, errs.As(errs.Internal, op, err, "a report of WeChat Pay cannot be decrypted: check payment.wechatpay.api_v3_key")
	}
	return e, text, nil
}

// open decrypts a resource.
func open(apiKey string, r resource) ([]byte, error) {
	if r.Algorithm != algorithm {
		return nil, errors.New("encrypted by a method that is not known here")
	}
	sealed, err := base64.StdEncoding.DecodeString(r.Ciphertext)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher([]byte(apiKey))
	if err != nil {
		return nil, err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	if len(r.Nonce) != gcm.NonceSize() {
		return nil, errors.New("the nonce has a wrong length")
	}
	return gcm.Open(nil, []byte(r.Nonce), sealed, []byte(r.AssociatedData))
}

func (p *Provider) paymentReport(text []byte) (*payment.Result, error) {
	const op = "wechatpay.Notification"
	var t payments.Transaction
	if err := json.Unmarshal(text, &t); err != nil {
		return nil, errs.As(errs.Invalid, op, err, "the report on a payment cannot be read")
	}
	if val(t.Appid) != p.cfg.AppID {
		return nil, errs.New(errs.Unauthorized, op, "the report is about another app than payment.wechatpay.app_id")
	}
	r, err := p.result(op, &t)
	return &r, err
}

// refundReport is what a report on a refund holds; it has other names than the answers about refunds.
func (p *Provider) refundReport(text []byte) (*payment.RefundResult, error) {
	const op = "wechatpay.Notification"
	var t struct {
		MchID       string    `json:"mchid"`
		OutTradeNo  string    `json:"out_trade_no"`
		OutRefundNo string    `json:"out_refund_no"`
		RefundID    string    `json:"refund_id"`
		Status      string    `json:"refund_status"`
		SuccessTime time.Time `json:"success_time"`
		Amount      struct {
			Refund int64 `json:"refund"`
		} `json:"amount"`
	}
	if err := json.Unmarshal(text, &t); err != nil {
		return nil, errs.As(errs.Invalid, op, err, "the report on a refund cannot be read")
	}
	if t.MchID != p.cfg.MchID {
		return nil, errs.New(errs.Unauthorized, op, "the report is about another merchant")
	}
	if t.OutRefundNo == "" || t.Amount.Refund <= 0 {
		return nil, errs.New(errs.Invalid, op, "the report on a refund lacks its number or amount")
	}
	state, err := refundState(op, t.Status)
	return &payment.RefundResult{
		OrderNo: t.OutTradeNo, RefundNo: t.OutRefundNo, ProviderID: t.RefundID, State: state,
		Amount: commerce.Money{Amount: t.Amount.Refund, Currency: currency}, At: t.SuccessTime.UTC(),
	}, err
}
