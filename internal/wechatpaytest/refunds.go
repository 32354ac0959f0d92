package wechatpaytest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"time"
)

type refundRequest struct {
	TransactionID string `json:"transaction_id"`
	OutTradeNo    string `json:"out_trade_no"`
	OutRefundNo   string `json:"out_refund_no"`
	Reason        string `json:"reason"`
	NotifyURL     string `json:"notify_url"`
	Amount        struct {
		Refund   int64  `json:"refund"`
		Total    int64  `json:"total"`
		Currency string `json:"currency"`
	} `json:"amount"`
}

type refund struct {
	refundRequest
	order  *order
	id     string
	status string
	made   time.Time
	done   time.Time
}

func (s *Server) refund(_ *http.Request, body []byte) (int, any) {
	var r refundRequest
	if err := json.Unmarshal(body, &r); err != nil {
		return refused(http.StatusBadRequest, "PARAM_ERROR", err.Error())
	}
	o := s.orders[r.OutTradeNo]
	notify, err := url.Parse(r.NotifyURL)
	switch {
	case r.OutRefundNo == "" || r.Amount.Refund < 1 || r.Amount.Currency != "CNY" || len(r.Reason) > 80 || err != nil || notify.RawQuery != "":
		return refused(http.StatusBadRequest, "PARAM_ERROR", "a field")
	case o == nil || o.transactionID == "":
		return refused(http.StatusNotFound, "RESOURCE_NOT_EXISTS", "there is no such order")
	case r.Amount.Total != o.Amount.Total:
		return refused(http.StatusBadRequest, "INVALID_REQUEST", "the total is another")
	}
	if known := s.refunds[r.OutRefundNo]; known != nil {
		if known.OutTradeNo != r.OutTradeNo || known.Amount != r.Amount {
			return refused(http.StatusBadRequest, "INVALID_REQUEST", "the refund's number is used")
		}
		return http.StatusOK, known.answer()
	}
	switch {
	case o.refunded+r.Amount.Refund > o.Amount.Total:
		return refused(http.StatusBadRequest, "INVALID_REQUEST", "more than was paid")
	case s.balance < r.Amount.Refund:
		return refused(http.StatusForbidden, "NOT_ENOUGH", "the balance is too low")
	}
	s.balance -= r.Amount.Refund
	o.refunded += r.Amount.Refund
	o.state = "REFUND"
	f := &refund{refundRequest: r, order: o, id: "50300" + random(23), status: "PROCESSING", made: s.Now()}
	s.refunds[r.OutRefundNo] = f
	return http.StatusOK, f.answer()
}

func (f *refund) answer() map[string]any {
	out := map[string]any{
		"refund_id": f.id, "out_refund_no": f.OutRefundNo, "transaction_id": f.order.transactionID, "out_trade_no": f.OutTradeNo, "channel": "ORIGINAL",
		"user_received_account": "招商银行信用卡0403", "create_time": f.made.Format(time.RFC3339), "status": f.status, "funds_account": "AVAILABLE",
		"amount": map[string]any{
			"total": f.Amount.Total, "refund": f.Amount.Refund, "payer_total": f.Amount.Total, "payer_refund": f.Amount.Refund,
			"settlement_refund": f.Amount.Refund, "settlement_total": f.Amount.Total, "discount_refund": 0, "currency": "CNY",
		},
	}
	if !f.done.IsZero() {
		out["success_time"] = f.done.Format(time.RFC3339)
	}
	return out
}

func (s *Server) queryRefund(r *http.Request, _ []byte) (int, any) {
	f := s.refunds[r.PathValue("no")]
	if f == nil {
		return refused(http.StatusNotFound, "RESOURCE_NOT_EXISTS", "there is no such refund")
	}
	return http.StatusOK, f.answer()
}

// Settle ends a refund: "SUCCESS", "CLOSED" or "ABNORMAL".
func (s *Server) Settle(refundNo, status string) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.refunds[refundNo]
	if f == nil {
		s.t.Fatalf("there is no refund %s", refundNo)
	}
	f.status = status
	if status == "SUCCESS" {
		f.done = s.Now()
	}
}
