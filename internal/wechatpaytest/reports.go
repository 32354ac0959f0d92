package wechatpaytest

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// Orders lists the numbers of all orders.
func (s *Server) Orders() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.orders))
}

// PaymentReport is the report on an order that is paid, signed now. Each call makes another one.
func (s *Server) PaymentReport(no string) Message {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.orders[no]
	if o == nil || o.transactionID == "" {
		s.t.Fatalf("order %s is not paid", no)
	}
	t := o.transaction()
	t["trade_state"] = "SUCCESS" // as it was at that time, whatever came later
	return s.report(o.NotifyURL, "TRANSACTION.SUCCESS", "transaction", t)
}

// RefundReport is the report on a refund as it stands.
func (s *Server) RefundReport(refundNo string) Message {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.refunds[refundNo]
	if f == nil {
		s.t.Fatalf("there is no refund %s", refundNo)
	}
	content := map[string]any{
		"mchid": MchID, "transaction_id": f.order.transactionID, "out_trade_no": f.OutTradeNo, "refund_id": f.id, "out_refund_no": f.OutRefundNo,
		"refund_status": f.status, "user_received_account": "招商银行信用卡0403",
		"amount": map[string]any{"total": f.Amount.Total, "refund": f.Amount.Refund, "payer_total": f.Amount.Total, "payer_refund": f.Amount.Refund},
	}
	if !f.done.IsZero() {
		content["success_time"] = f.done.Format(time.RFC3339)
	}
	return s.report(f.NotifyURL, "REFUND."+f.status, "refund", content)
}

// Report is a signed report with any content, for tests of what nobody expects.
func (s *Server) Report(eventType, original string, content any) Message {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.report(s.URL, eventType, original, content)
}

func (s *Server) report(to, eventType, original string, content any) Message {
	plain, err := json.Marshal(content)
	if err != nil {
		s.t.Fatal(err)
	}
	resource := s.seal(original, plain)
	resource["original_type"] = original
	s.serial++
	body, err := json.Marshal(map[string]any{
		"id": "EV-" + s.Now().Format("20060102150405") + strconv.Itoa(s.serial), "create_time": s.Now().Format(time.RFC3339), "resource_type": "encrypt-resource",
		"event_type": eventType, "summary": "通知", "resource": resource,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return s.resigned(Message{URL: to, Body: body})
}

// Sign signs the body of a report anew, as the platform would: what is in it may be the test's.
func (s *Server) Sign(m Message) Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.resigned(m)
}

func (s *Server) resigned(m Message) Message {
	m.Header = http.Header{"Content-Type": {"application/json"}}
	newest := s.platform[len(s.platform)-1]
	s.sign(m.Header, newest.serial, newest.key, m.Body)
	return m
}

// SignPublic signs a report with the platform's public key's other half.
func (s *Server) SignPublic(m Message) Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	m.Header = http.Header{"Content-Type": {"application/json"}}
	s.sign(m.Header, PublicKeyID, s.public, m.Body)
	return m
}

// SignWrong signs a report with the merchant's own key under the platform's serial number: a forgery.
func (s *Server) SignWrong(m Message) Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	m.Header = http.Header{"Content-Type": {"application/json"}}
	s.sign(m.Header, s.platform[len(s.platform)-1].serial, s.merchant.key, m.Body)
	return m
}
