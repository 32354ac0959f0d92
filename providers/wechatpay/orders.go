package wechatpay

import (
	"context"
	"time"

	"github.com/wechatpay-apiv3/wechatpay-go/services/payments"
	"github.com/wechatpay-apiv3/wechatpay-go/services/payments/jsapi"
	"github.com/wechatpay-apiv3/wechatpay-go/services/refunddomestic"

	"github.com/vitrine-live/vitrine/commerce/payment"
	"github.com/vitrine-live/vitrine/internal/errs"
)

// Query implements payment.Provider. A payment that was refunded later is Paid.
func (p *Provider) Query(ctx context.Context, orderNo string) (payment.Result, error) {
	const op = "wechatpay.Query"
	t, _, err := p.jsapi.QueryOrderByOutTradeNo(ctx, jsapi.QueryOrderByOutTradeNoRequest{OutTradeNo: &orderNo, Mchid: &p.cfg.MchID})
	p.metrics.asked("query", err)
	if err != nil {
		return payment.Result{}, inWords(op, err)
	}
	r, err := p.result(op, t)
	if err == nil && r.OrderNo != orderNo {
		err = errs.New(errs.Unavailable, op, "WeChat Pay answered about another order")
	}
	return r, err
}

// result reads what WeChat Pay says of a payment.
func (p *Provider) result(op string, t *payments.Transaction) (payment.Result, error) {
	if val(t.Mchid) != p.cfg.MchID {
		return payment.Result{}, errs.New(errs.Unauthorized, op, "it is about another merchant")
	}
	r := payment.Result{OrderNo: val(t.OutTradeNo), TransactionID: val(t.TransactionId)}
	switch state := val(t.TradeState); state {
	case "SUCCESS", "REFUND":
		r.State = payment.Paid
	case "NOTPAY", "USERPAYING", "ACCEPT":
		r.State = payment.Pending
	case "CLOSED", "REVOKED":
		r.State = payment.Closed
	case "PAYERROR":
		r.State = payment.Failed
	default:
		return r, errs.New(errs.Unavailable, op, "WeChat Pay names a state %.20q that is not known here", state)
	}
	if t.Amount != nil {
		r.Amount = money(val(t.Amount.Total))
		if c := val(t.Amount.Currency); c != "" {
			r.Amount.Currency = c
		}
	}
	if t.Payer != nil {
		r.PayerID = val(t.Payer.Openid)
	}
	if r.State != payment.Paid {
		return r, nil
	}
	at, err := time.Parse(time.RFC3339, val(t.SuccessTime))
	if err != nil || r.OrderNo == "" || r.TransactionID == "" || r.Amount.Amount < 1 {
		return r, errs.New(errs.Invalid, op, "WeChat Pay calls an order paid without saying when, which or how much")
	}
	r.PaidAt = at.UTC()
	return r, nil
}

// Close implements payment.Provider. Closing again is no error.
func (p *Provider) Close(ctx context.Context, orderNo string) error {
	const op = "wechatpay.Close"
	_, err := p.jsapi.CloseOrder(ctx, jsapi.CloseOrderRequest{OutTradeNo: &orderNo, Mchid: &p.cfg.MchID})
	p.metrics.asked("close", err)
	err = inWords(op, err)
	if code := codeOf(err); code == "ORDER_CLOSED" || code == "ORDERCLOSED" {
		return nil
	}
	return err
}

// Refund implements payment.Provider. Pending: WeChat Pay is at it and reports when it is done. Failed: it cannot be carried
// out (the payer's card is gone, say) and must be dealt with on the merchant platform.
func (p *Provider) Refund(ctx context.Context, r payment.RefundRequest) (payment.RefundResult, error) {
	const op = "wechatpay.Refund"
	switch {
	case !refundNos.MatchString(r.RefundNo):
		return payment.RefundResult{}, errs.New(errs.Invalid, op, "the refund's number must be 1 to 64 of 0-9 A-Z a-z _ - | * @")
	case r.Amount.Currency != currency || r.Total.Currency != currency:
		return payment.RefundResult{}, errs.New(errs.Invalid, op, "WeChat Pay refunds %s alone", currency)
	case r.Amount.Amount < 1 || r.Amount.Amount > r.Total.Amount:
		return payment.RefundResult{}, errs.New(errs.Invalid, op, "a refund must be at least 0.01 and at most what was paid")
	}
	notify := p.notifyURL(r.NotifyURL)
	req := refunddomestic.CreateRequest{
		OutTradeNo: &r.OrderNo, OutRefundNo: &r.RefundNo, NotifyUrl: &notify,
		Amount: &refunddomestic.AmountReq{Refund: &r.Amount.Amount, Total: &r.Total.Amount, Currency: new(currency)},
	}
	if reason := shortened(r.Reason, maxReason); reason != "" {
		req.Reason = &reason
	}
	res, _, err := p.refunds.Create(ctx, req)
	p.metrics.asked("refund", err)
	if err != nil {
		return payment.RefundResult{}, inWords(op, err)
	}
	return refundResult(op, res, r.RefundNo)
}

// shortened keeps at most n bytes of whole characters.
func shortened(s string, n int) string {
	if len(s) <= n {
		return s
	}
	at := 0
	for i := range s {
		if i > n {
			break
		}
		at = i
	}
	return s[:at]
}

// QueryRefund implements payment.Provider.
func (p *Provider) QueryRefund(ctx context.Context, refundNo string) (payment.RefundResult, error) {
	const op = "wechatpay.QueryRefund"
	res, _, err := p.refunds.QueryByOutRefundNo(ctx, refunddomestic.QueryByOutRefundNoRequest{OutRefundNo: &refundNo})
	p.metrics.asked("query_refund", err)
	if err != nil {
		return payment.RefundResult{}, inWords(op, err)
	}
	return refundResult(op, res, refundNo)
}

func refundResult(op string, r *refunddomestic.Refund, refundNo string) (payment.RefundResult, error) {
	if val(r.OutRefundNo) != refundNo {
		return payment.RefundResult{}, errs.New(errs.Unavailable, op, "WeChat Pay answered about another refund")
	}
	state, err := refundState(op, string(val(r.Status)))
	out := payment.RefundResult{OrderNo: val(r.OutTradeNo), RefundNo: refundNo, ProviderID: val(r.RefundId), State: state}
	if r.Amount != nil {
		out.Amount = money(val(r.Amount.Refund))
	}
	if at := val(r.SuccessTime); !at.IsZero() {
		out.At = at.UTC()
	}
	return out, err
}

func refundState(op, status string) (payment.State, error) {
	switch status {
	case "SUCCESS":
		return payment.Refunded, nil
	case "PROCESSING":
		return payment.Pending, nil
	case "CLOSED", "ABNORMAL":
		return payment.Failed, nil
	}
	return "", errs.New(errs.Unavailable, op, "WeChat Pay names a state %.20q of a refund that is not known here", status)
}
