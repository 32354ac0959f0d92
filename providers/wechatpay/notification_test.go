package wechatpay

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/commerce/payment"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/wechatpaytest"
)

// TestForgeries checks all that may pass for a report and is none.
func TestForgeries(t *testing.T) {
	h := newHouse(t)
	r := h.paid(t)
	good := h.bank.PaymentReport(r.OrderNo)
	header := func(name, value string) wechatpaytest.Message {
		m := good
		m.Header = m.Header.Clone()
		m.Header.Set(name, value)
		return m
	}
	body := func(old, now string) wechatpaytest.Message {
		m := good
		if !bytes.Contains(m.Body, []byte(old)) {
			t.Fatalf("no %s in %s", old, m.Body)
		}
		m.Body = bytes.Replace(m.Body, []byte(old), []byte(now), 1)
		return m
	}
	stripped := good
	stripped.Header = http.Header{}
	for name, m := range map[string]wechatpaytest.Message{
		"unsigned":             stripped,
		"another key":          h.bank.SignWrong(good),
		"another body":         body("TRANSACTION", "TRANSACTIOM"),
		"another nonce inside": body(`"nonce":"`, `"nonce":"0`),
		"another nonce":        header("Wechatpay-Nonce", "0000000000000000"),
		"a later time":         header("Wechatpay-Timestamp", "9999999999"),
		"a time of letters":    header("Wechatpay-Timestamp", "now"),
		"a time with a plus":   header("Wechatpay-Timestamp", "+"+good.Header.Get("Wechatpay-Timestamp")),
		"a probe":              header("Wechatpay-Signature", "WECHATPAY/SIGNTEST/"+good.Header.Get("Wechatpay-Signature")),
		"an unknown key":       header("Wechatpay-Serial", "1234567890ABCDEF"),
		"another method":       header("Wechatpay-Signature-Type", "WECHATPAY2-SM2-WITH-SM3"),
		"the public key's":     h.bank.SignPublic(good), // this account has none
		"too long":             {Header: good.Header, Body: make([]byte, MaxNotification+1)},
		"a very long header":   header("Wechatpay-Nonce", strings.Repeat("x", maxHeaderValue+1)),
	} {
		n, err := h.Notification(t.Context(), m.Header, m.Body)
		if errs.KindOf(err) != errs.Unauthorized || n.Payment != nil {
			t.Errorf("%s: %+v, %v", name, n, err)
		}
	}
	if _, err := h.Notification(t.Context(), good.Header, good.Body); err != nil {
		t.Errorf("the genuine one: %v", err)
	}
}

// TestReplayedReport checks that what was recorded is of no use later.
func TestReplayedReport(t *testing.T) {
	h := newHouse(t)
	m := h.bank.PaymentReport(h.paid(t).OrderNo)
	for offset, want := range map[time.Duration]bool{
		4 * time.Minute: true, -4 * time.Minute: true, 6 * time.Minute: false, -6 * time.Minute: false, 24 * time.Hour: false,
	} {
		h.offset = offset
		if _, err := h.Notification(t.Context(), m.Header, m.Body); (err == nil) != want {
			t.Errorf("after %v: %v", offset, err)
		} else if err != nil && (errs.KindOf(err) != errs.Unauthorized || !strings.Contains(errs.MessageOf(err), "clock")) {
			t.Errorf("after %v: %v", offset, err)
		}
	}
}

// TestGenuineButUseless are reports that WeChat Pay signed and that cannot be what they should.
func TestGenuineButUseless(t *testing.T) {
	h := newHouse(t)
	transaction := func(change map[string]any) map[string]any {
		out := map[string]any{
			"appid": wechatpaytest.AppID, "mchid": wechatpaytest.MchID, "out_trade_no": "20261122ABCDEF0001", "transaction_id": "42", "trade_state": "SUCCESS",
			"success_time": "2026-11-22T12:00:00+08:00", "amount": map[string]any{"total": 1},
		}
		for k, v := range change {
			out[k] = v
		}
		return out
	}
	refund := map[string]any{"mchid": wechatpaytest.MchID, "out_refund_no": "R1", "refund_status": "SUCCESS", "amount": map[string]any{"refund": 1}}
	if m := h.bank.Report("TRANSACTION.SUCCESS", "transaction", transaction(nil)); m.Body != nil {
		if _, err := h.Notification(t.Context(), m.Header, m.Body); err != nil {
			t.Fatal(err)
		}
	}
	resource := func(change string) wechatpaytest.Message {
		m := h.bank.Report("TRANSACTION.SUCCESS", "transaction", transaction(nil))
		var doc map[string]any
		if err := json.Unmarshal(m.Body, &doc); err != nil {
			t.Fatal(err)
		}
		if change == "resource" {
			delete(doc, "resource")
		} else {
			doc["resource"].(map[string]any)[change] = "x" //nolint:forcetypeassert // made above
		}
		m.Body, _ = json.Marshal(doc)
		return h.bank.Sign(m)
	}
	with := func(base map[string]any, key string, value any) map[string]any {
		out := map[string]any{}
		for k, v := range base {
			out[k] = v
		}
		out[key] = value
		return out
	}
	for name, c := range map[string]struct {
		m    wechatpaytest.Message
		kind errs.Kind
	}{
		"another merchant":        {h.bank.Report("TRANSACTION.SUCCESS", "transaction", transaction(map[string]any{"mchid": "1"})), errs.Unauthorized},
		"another app":             {h.bank.Report("TRANSACTION.SUCCESS", "transaction", transaction(map[string]any{"appid": "wx1"})), errs.Unauthorized},
		"another merchant's gift": {h.bank.Report("REFUND.SUCCESS", "refund", with(refund, "mchid", "1")), errs.Unauthorized},
		"no amount":               {h.bank.Report("TRANSACTION.SUCCESS", "transaction", transaction(map[string]any{"amount": nil})), errs.Invalid},
		"no transaction":          {h.bank.Report("TRANSACTION.SUCCESS", "transaction", transaction(map[string]any{"transaction_id": ""})), errs.Invalid},
		"a bad time":              {h.bank.Report("TRANSACTION.SUCCESS", "transaction", transaction(map[string]any{"success_time": "today"})), errs.Invalid},
		"an unknown state":        {h.bank.Report("TRANSACTION.SUCCESS", "transaction", transaction(map[string]any{"trade_state": "HALF"})), errs.Unavailable},
		"another kind":            {h.bank.Report("PAYSCORE.USER_PAID", "payscore", refund), errs.Invalid},
		"a refund of nothing":     {h.bank.Report("REFUND.SUCCESS", "refund", with(refund, "amount", nil)), errs.Invalid},
		"a refund without number": {h.bank.Report("REFUND.SUCCESS", "refund", with(refund, "out_refund_no", "")), errs.Invalid},
		"no JSON":                 {h.bank.Sign(wechatpaytest.Message{Body: []byte("<xml>")}), errs.Invalid},
		"no object":               {h.bank.Report("TRANSACTION.SUCCESS", "transaction", "x"), errs.Invalid},
		"no id":                   {h.bank.Sign(wechatpaytest.Message{Body: []byte("{}")}), errs.Invalid},
		"no resource":             {resource("resource"), errs.Internal},
		"a short nonce":           {resource("nonce"), errs.Internal},
		"another cipher":          {resource("algorithm"), errs.Internal},
		"not base64":              {resource("ciphertext"), errs.Internal},
		"other associated data":   {resource("associated_data"), errs.Internal},
	} {
		if _, err := h.Notification(t.Context(), c.m.Header, c.m.Body); errs.KindOf(err) != c.kind {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWrongAPIKeyIsOurFault(t *testing.T) {
	_, public := wechatpaytest.New(t).Files()
	h := newHouse(t, func(c *Config) {
		c.PublicKeyID, c.PublicKeyFile = wechatpaytest.PublicKeyID, public
		c.APIv3Key = strings.Repeat("x", 32)
	})
	m := h.bank.SignPublic(h.bank.PaymentReport(h.paid(t).OrderNo))
	_, err := h.Notification(t.Context(), m.Header, m.Body)
	if errs.KindOf(err) != errs.Internal || !strings.Contains(err.Error(), "api_v3_key") || strings.Contains(err.Error(), "xxx") {
		t.Error(err)
	}
}

// TestCertificatesChange follows the platform from one certificate to the next.
func TestCertificatesChange(t *testing.T) {
	h := newHouse(t)
	r := h.paid(t)
	old := h.bank.PaymentReport(r.OrderNo)
	if _, err := h.Notification(t.Context(), old.Header, old.Body); err != nil {
		t.Fatal(err)
	}
	fetched := h.bank.Requests("/v3/certificates")
	h.bank.Rotate(time.Now().Add(-time.Minute), time.Now().Add(time.Hour))
	fresh := h.bank.PaymentReport(r.OrderNo)
	// Right after a fetch an unknown serial number fetches nothing: anybody can send one.
	if _, err := h.Notification(t.Context(), fresh.Header, fresh.Body); errs.KindOf(err) != errs.Unauthorized {
		t.Errorf("unknown, right after a fetch: %v", err)
	}
	h.offset = renewPause
	for range 3 {
		if _, err := h.Notification(t.Context(), fresh.Header, fresh.Body); err != nil {
			t.Errorf("the new certificate: %v", err)
		}
	}
	if got := h.bank.Requests("/v3/certificates"); got != fetched+1 {
		t.Errorf("fetched %d times for one change", got-fetched)
	}
	if _, err := h.Notification(t.Context(), old.Header, old.Body); err != nil {
		t.Errorf("the old one, still valid: %v", err)
	}
	if _, err := h.Query(t.Context(), r.OrderNo); err != nil {
		t.Error(err)
	}
}

func TestExpiredCertificate(t *testing.T) {
	h := newHouse(t)
	r := h.paid(t)
	for name, span := range map[string][2]time.Duration{"expired": {-time.Hour, -time.Minute}, "not yet": {10 * time.Minute, time.Hour}} {
		h.bank.Rotate(time.Now().Add(span[0]), time.Now().Add(span[1]))
		h.offset += renewPause
		m := h.bank.PaymentReport(r.OrderNo)
		if _, err := h.Notification(t.Context(), m.Header, m.Body); errs.KindOf(err) != errs.Unauthorized || !strings.Contains(errs.MessageOf(err), "valid from") {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := h.Query(t.Context(), r.OrderNo); errs.KindOf(err) != errs.Unavailable {
			t.Errorf("%s: %v", name, err)
		}
	}
	h.bank.Rotate(time.Now().Add(-time.Minute), time.Now().Add(time.Hour))
	h.offset += renewPause
	if _, err := h.Query(t.Context(), r.OrderNo); err != nil {
		t.Errorf("after the change: %v", err)
	}
}

// TestOldListIsRenewed checks that certificates are fetched again before the known ones run out.
func TestOldListIsRenewed(t *testing.T) {
	h := newHouse(t)
	r := h.paid(t)
	if _, err := h.Query(t.Context(), r.OrderNo); err != nil {
		t.Fatal(err)
	}
	before := h.bank.Requests("/v3/certificates")
	h.platform.mu.Lock()
	h.platform.got, h.platform.tried = h.now().Add(-renewAfter-1), time.Time{}
	h.platform.mu.Unlock()
	h.bank.Refuse("/v3/certificates", 500, "SYSTEM_ERROR") // what is known goes on working meanwhile
	for range 3 {
		if _, err := h.Query(t.Context(), r.OrderNo); err != nil {
			t.Error(err)
		}
	}
	if got := h.bank.Requests("/v3/certificates"); got != before+1 {
		t.Errorf("fetched %d times", got-before)
	}
}

func FuzzEnvelope(f *testing.F) {
	f.Add([]byte(`{"id":"EV-1","event_type":"TRANSACTION.SUCCESS","resource":{"algorithm":"AEAD_AES_256_GCM","nonce":"0123456789ab","ciphertext":"AAAA","associated_data":"x"}}`))
	f.Add([]byte(`{"id":"EV-1","resource":{"algorithm":"AEAD_AES_256_GCM","nonce":""}}`))
	f.Add([]byte(`{"id":"EV-1","resource":null}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		_, text, err := readEnvelope(wechatpaytest.APIv3Key, body)
		if err == nil {
			t.Errorf("%q was decrypted to %q", body, text)
		}
	})
}

// FuzzReports reads what decrypted reports may hold.
func FuzzReports(f *testing.F) {
	f.Add([]byte(`{"mchid":"1900000109","appid":"wx8888888888888888","out_trade_no":"1","transaction_id":"2","trade_state":"SUCCESS","success_time":"2026-11-22T12:00:00+08:00","amount":{"total":1,"currency":"CNY"},"payer":{}}`))
	f.Add([]byte(`{"mchid":"1900000109","out_refund_no":"1","refund_status":"ABNORMAL","amount":{"refund":1}}`))
	f.Add([]byte(`{"amount":null,"payer":null}`))
	f.Add([]byte(`null`))
	p := &Provider{cfg: Config{MchID: wechatpaytest.MchID, AppID: wechatpaytest.AppID}}
	f.Fuzz(func(t *testing.T, text []byte) {
		if r, err := p.paymentReport(text); err == nil && r.State == payment.Paid && (r.OrderNo == "" || r.Amount.Amount < 1 || r.PaidAt.IsZero()) {
			t.Errorf("%q: %+v", text, r)
		}
		if r, err := p.refundReport(text); err == nil && (r.RefundNo == "" || r.Amount.Amount < 1) {
			t.Errorf("%q: %+v", text, r)
		}
	})
}
