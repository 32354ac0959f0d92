package wechatpay

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/vitrine-live/vitrine/commerce/payment"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/wechatpaytest"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// house is a provider before the stand-in, on a clock that moves when the test says so.
type house struct {
	*Provider
	bank   *wechatpaytest.Server
	offset time.Duration // of the clock, for what the SDK does not read itself
}

func (h *house) now() time.Time { return time.Now().Add(h.offset) }

func configOf(bank *wechatpaytest.Server) Config {
	private, _ := bank.Files()
	return Config{
		MchID: wechatpaytest.MchID, AppID: wechatpaytest.AppID, APIv3Key: wechatpaytest.APIv3Key, CertSerial: bank.CertSerial(),
		PrivateKeyFile: private, NotifyURL: "https://shop.example/api/v1/payments/wechatpay/notify", BaseURL: bank.URL,
	}
}

func newHouse(t *testing.T, change ...func(*Config)) *house {
	t.Helper()
	h := &house{bank: wechatpaytest.New(t)}
	cfg := configOf(h.bank)
	for _, f := range change {
		f(&cfg)
	}
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	p, err := New(cfg, transport, slog.New(slog.DiscardHandler), NewMetrics(prometheus.NewRegistry()), h.now)
	if err != nil {
		t.Fatal(err)
	}
	h.Provider = p
	return h
}

func (h *house) request(method payment.Method) payment.Request {
	return payment.Request{
		OrderNo: "20261122ABCDEF0001", Description: "春茶 250 克", Amount: money(19900), Method: method, PayerID: "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o",
		ClientIP: "203.0.113.9", ExpiresAt: h.bank.Now().Add(15 * time.Minute), ReturnURL: "https://shop.example/o?a=1&b=2",
	}
}

// paid is an order that a buyer has paid.
func (h *house) paid(t *testing.T) payment.Request {
	t.Helper()
	r := h.request(payment.JSAPI)
	if _, err := h.Start(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if err := h.bank.Pay(r.OrderNo, r.PayerID); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestConfigNamesTheKey(t *testing.T) {
	bank := wechatpaytest.New(t)
	good := configOf(bank)
	if err := good.Validate(); err != nil || !good.Enabled() {
		t.Fatal(err)
	}
	if err := (Config{NotifyURL: "x"}).Validate(); err != nil {
		t.Errorf("without an account: %v", err)
	}
	for key, change := range map[string]func(*Config){
		"mch_id":           func(c *Config) { c.MchID = "" },
		"app_id":           func(c *Config) { c.AppID = "8888" },
		"api_v3_key":       func(c *Config) { c.APIv3Key = "secret-but-short" },
		"cert_serial":      func(c *Config) { c.CertSerial = "ZZ" },
		"private_key_file": func(c *Config) { c.PrivateKeyFile = "" },
		"public_key_id":    func(c *Config) { c.PublicKeyID = "PUB_KEY_ID_1" },
		"notify_url":       func(c *Config) { c.NotifyURL = "http://shop.example/x" },
		"base_url":         func(c *Config) { c.BaseURL = "http://elsewhere.example" },
		"methods":          func(c *Config) { c.Methods = []payment.Method{"app"} },
	} {
		c := good
		change(&c)
		err := c.Validate()
		if errs.FieldOf(err) != key {
			t.Errorf("%s: %v", key, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("a secret in an error: %v", err)
		}
	}
}

func TestNewReadsTheKeys(t *testing.T) {
	bank := wechatpaytest.New(t)
	junk := filepath.Join(t.TempDir(), "junk.pem")
	if err := os.WriteFile(junk, []byte("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for key, change := range map[string]func(*Config){
		"private_key_file": func(c *Config) { c.PrivateKeyFile = junk },
		"public_key_file":  func(c *Config) { c.PublicKeyID, c.PublicKeyFile = "PUB_KEY_ID_1", "/nowhere" },
	} {
		c := configOf(bank)
		change(&c)
		_, err := New(c, nil, slog.New(slog.DiscardHandler), NewMetrics(prometheus.NewRegistry()), nil)
		if errs.FieldOf(err) != key || strings.Contains(err.Error(), "AAAA") {
			t.Errorf("%s: %v", key, err)
		}
	}
}

func TestHappyPath(t *testing.T) {
	_, public := wechatpaytest.New(t).Files()
	for mode, change := range map[string]func(*Config){
		"certificates": func(*Config) {},
		"public key":   func(c *Config) { c.PublicKeyID, c.PublicKeyFile = wechatpaytest.PublicKeyID, public },
	} {
		t.Run(mode, func(t *testing.T) {
			h := newHouse(t, change)
			r := h.request(payment.JSAPI)
			intent, err := h.Start(t.Context(), r)
			if err != nil {
				t.Fatal(err)
			}
			if err := h.bank.VerifyRequestPayment(intent.Params); err != nil {
				t.Error(err)
			}
			again, err := h.Start(t.Context(), r) // a buyer who comes back
			if err != nil || again.Params["package"] == intent.Params["package"] {
				t.Errorf("the second start: %+v, %v", again, err)
			}
			res, err := h.Query(t.Context(), r.OrderNo)
			if err != nil || res.State != payment.Pending || res.OrderNo != r.OrderNo {
				t.Errorf("before it is paid: %+v, %v", res, err)
			}
			if err := h.bank.Pay(r.OrderNo, r.PayerID); err != nil {
				t.Fatal(err)
			}
			want, err := h.Query(t.Context(), r.OrderNo)
			if err != nil || want.State != payment.Paid || want.Amount != r.Amount || want.PayerID != r.PayerID || want.TransactionID == "" || h.now().Sub(want.PaidAt) > time.Minute {
				t.Errorf("paid: %+v, %v", want, err)
			}
			m := h.bank.PaymentReport(r.OrderNo)
			if mode == "public key" {
				m = h.bank.SignPublic(m)
			}
			n, err := h.Notification(t.Context(), m.Header, m.Body)
			if err != nil || n.ID == "" || n.Refund != nil || n.Payment == nil {
				t.Fatalf("the report: %+v, %v", n, err)
			}
			if diff := cmp.Diff(&want, n.Payment); diff != "" {
				t.Errorf("the report differs from the answer: %s", diff)
			}
			if m.URL != "https://shop.example/api/v1/payments/wechatpay/notify" {
				t.Errorf("reported to %s", m.URL)
			}
			if _, err := h.Start(t.Context(), r); errs.KindOf(err) != errs.Conflict {
				t.Errorf("started when paid: %v", err)
			}
			if err := h.Close(t.Context(), r.OrderNo); errs.KindOf(err) != errs.Conflict {
				t.Errorf("closed when paid: %v", err)
			}
		})
	}
}

func TestMethods(t *testing.T) {
	h := newHouse(t)
	r := h.request(payment.H5)
	intent, err := h.Start(t.Context(), r)
	if err != nil || !strings.HasPrefix(intent.PayURL, "https://wx.tenpay.com/") || !strings.HasSuffix(intent.PayURL, "&redirect_url=https%3A%2F%2Fshop.example%2Fo%3Fa%3D1%26b%3D2") {
		t.Errorf("h5: %+v, %v", intent, err)
	}
	if until := intent.ExpiresAt.Sub(h.now()); until > pageLives || until < pageLives-time.Minute {
		t.Errorf("h5 works for %v", until)
	}
	r = h.request(payment.Native)
	r.OrderNo, r.Description, r.PayerID, r.ExpiresAt = "20261122ABCDEF0002", strings.Repeat("茶", 200), "", h.now().Add(24*time.Hour)
	intent, err = h.Start(t.Context(), r)
	if err != nil || !strings.HasPrefix(intent.QRCode, "weixin://wxpay/") || intent.PayURL != "" || intent.Params != nil {
		t.Errorf("native: %+v, %v", intent, err)
	}
	if until := intent.ExpiresAt.Sub(h.now()); until > prepayLives {
		t.Errorf("native works for %v", until)
	}
	if got := h.Methods(); len(got) != 3 || h.Name() != "wechatpay" {
		t.Errorf("%s by %v", h.Name(), got)
	}
}

func TestStartRefuses(t *testing.T) {
	h := newHouse(t, func(c *Config) { c.Methods = []payment.Method{payment.JSAPI, payment.H5} })
	for name, c := range map[string]struct {
		change func(*payment.Request)
		kind   errs.Kind
	}{
		"a method that is off":  {func(r *payment.Request) { r.Method = payment.Native }, errs.Invalid},
		"a number too short":    {func(r *payment.Request) { r.OrderNo = "12345" }, errs.Invalid},
		"a number with a slash": {func(r *payment.Request) { r.OrderNo = "../../refund" }, errs.Invalid},
		"dollars":               {func(r *payment.Request) { r.Amount.Currency = "USD" }, errs.Invalid},
		"nothing to pay":        {func(r *payment.Request) { r.Amount.Amount = 0 }, errs.Invalid},
		"no payer":              {func(r *payment.Request) { r.PayerID = "" }, errs.Invalid},
		"h5 without an address": {func(r *payment.Request) { r.Method, r.ClientIP = payment.H5, "" }, errs.Invalid},
		"too late":              {func(r *payment.Request) { r.ExpiresAt = h.now().Add(59 * time.Second) }, errs.Conflict},
	} {
		r := h.request(payment.JSAPI)
		c.change(&r)
		if _, err := h.Start(t.Context(), r); errs.KindOf(err) != c.kind || errs.MessageOf(err) == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := h.bank.Orders(); len(got) != 0 {
		t.Errorf("WeChat Pay heard of %v", got)
	}
	r := h.request(payment.JSAPI)
	if _, err := h.Start(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	r.Amount.Amount++
	if _, err := h.Start(t.Context(), r); errs.KindOf(err) != errs.Conflict || !strings.Contains(errs.MessageOf(err), "OUT_TRADE_NO_USED") {
		t.Errorf("with another amount: %v", err)
	}
}

func TestClose(t *testing.T) {
	h := newHouse(t)
	r := h.request(payment.JSAPI)
	if err := h.Close(t.Context(), r.OrderNo); errs.KindOf(err) != errs.NotFound {
		t.Errorf("unknown: %v", err)
	}
	if _, err := h.Query(t.Context(), r.OrderNo); errs.KindOf(err) != errs.NotFound {
		t.Errorf("unknown: %v", err)
	}
	if _, err := h.Start(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := h.Close(t.Context(), r.OrderNo); err != nil {
			t.Error(err)
		}
	}
	if err := h.bank.Pay(r.OrderNo, r.PayerID); err == nil {
		t.Error("paid when closed")
	}
	res, err := h.Query(t.Context(), r.OrderNo)
	if err != nil || res.State != payment.Closed {
		t.Errorf("%+v, %v", res, err)
	}
	if _, err := h.Start(t.Context(), r); errs.KindOf(err) != errs.Conflict {
		t.Errorf("started when closed: %v", err)
	}
}

func TestRefunds(t *testing.T) {
	h := newHouse(t)
	r := h.paid(t)
	ask := payment.RefundRequest{OrderNo: r.OrderNo, RefundNo: "R1", Reason: strings.Repeat("不要了", 20), Amount: money(5000), Total: r.Amount}
	for range 2 { // the second is the first
		res, err := h.Refund(t.Context(), ask)
		if err != nil || res.State != payment.Pending || res.Amount != ask.Amount || res.RefundNo != "R1" || res.ProviderID == "" {
			t.Fatalf("%+v, %v", res, err)
		}
	}
	for status, want := range map[string]payment.State{"SUCCESS": payment.Refunded, "CLOSED": payment.Failed, "ABNORMAL": payment.Failed} {
		h.bank.Settle("R1", status)
		res, err := h.QueryRefund(t.Context(), "R1")
		if err != nil || res.State != want || res.OrderNo != r.OrderNo {
			t.Errorf("%s: %+v, %v", status, res, err)
		}
		m := h.bank.RefundReport("R1")
		n, err := h.Notification(t.Context(), m.Header, m.Body)
		if err != nil || n.Payment != nil || n.Refund == nil || *n.Refund != res {
			t.Errorf("%s: the report %+v (%v) differs from the answer %+v", status, n.Refund, err, res)
		}
	}
	if res, err := h.Query(t.Context(), r.OrderNo); err != nil || res.State != payment.Paid {
		t.Errorf("the order: %+v, %v", res, err)
	}
	ask.RefundNo, ask.Amount = "R2", money(20000)
	if _, err := h.Refund(t.Context(), ask); errs.KindOf(err) != errs.Invalid {
		t.Errorf("more than was paid: %v", err)
	}
	ask.Amount = money(15000)
	if _, err := h.Refund(t.Context(), ask); errs.KindOf(err) != errs.Conflict || !strings.Contains(errs.MessageOf(err), "INVALID_REQUEST") {
		t.Errorf("more than is left: %v", err)
	}
	h.bank.SetBalance(0)
	ask.Amount = money(100)
	if _, err := h.Refund(t.Context(), ask); errs.KindOf(err) != errs.Unavailable || !strings.Contains(errs.MessageOf(err), "top it up") {
		t.Errorf("without a balance: %v", err)
	}
	h.bank.SetBalance(100)
	if _, err := h.Refund(t.Context(), ask); err != nil {
		t.Error(err)
	}
	if _, err := h.QueryRefund(t.Context(), "R9"); errs.KindOf(err) != errs.NotFound {
		t.Error(err)
	}
}

func TestErrorsOfWeChatPay(t *testing.T) {
	h := newHouse(t)
	r := h.request(payment.JSAPI)
	for code, c := range map[string]struct {
		status int
		kind   errs.Kind
	}{
		"SYSTEM_ERROR": {500, errs.Unavailable}, "FREQUENCY_LIMITED": {429, errs.Unavailable}, "SIGN_ERROR": {401, errs.Internal},
		"NO_AUTH": {403, errs.Internal}, "RULE_LIMIT": {403, errs.Conflict}, "OPENID_MISMATCH": {400, errs.Invalid}, "NOTENOUGH": {403, errs.Unavailable},
		"ORDERCLOSED": {400, errs.Conflict}, "SOMETHING_NEW": {400, errs.Invalid}, "NEW_TROUBLE": {502, errs.Unavailable}, "": {503, errs.Unavailable},
	} {
		h.bank.Refuse("/v3/pay/transactions/jsapi", c.status, code)
		_, err := h.Start(t.Context(), r)
		if errs.KindOf(err) != c.kind || !strings.Contains(errs.MessageOf(err), code) {
			t.Errorf("%s: %v", code, err)
		}
		if strings.Contains(err.Error(), "Wechatpay") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: the error carries the answer: %v", code, err)
		}
	}
}

func TestUnreachable(t *testing.T) {
	h := newHouse(t)
	gone := httptest.NewServer(nil)
	gone.Close()
	cfg := h.cfg
	cfg.BaseURL = gone.URL
	p, err := New(cfg, nil, slog.New(slog.DiscardHandler), NewMetrics(prometheus.NewRegistry()), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Query(t.Context(), "20261122ABCDEF0001"); errs.KindOf(err) != errs.Unavailable {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.Query(ctx, "20261122ABCDEF0001"); errs.KindOf(err) != errs.Unavailable {
		t.Error(err)
	}
	m := h.bank.PaymentReport(h.paid(t).OrderNo) // that certificates cannot be fetched does not make a report a forgery
	if _, err := p.Notification(t.Context(), m.Header, m.Body); errs.KindOf(err) != errs.Unavailable {
		t.Error(err)
	}
}

// TestAnswersAreVerified checks that an answer is believed only as WeChat Pay signed it.
func TestAnswersAreVerified(t *testing.T) {
	h := newHouse(t)
	r := h.paid(t)
	for name, f := range map[string]func(header http.Header, body []byte) []byte{
		"another body": func(_ http.Header, body []byte) []byte {
			return []byte(strings.Replace(string(body), "SUCCESS", "NOTPAY!", 1))
		},
		"no signature": func(h http.Header, body []byte) []byte { h.Del("Wechatpay-Signature"); return body },
		"a probe": func(h http.Header, body []byte) []byte { // WeChat Pay sends some, to see who verifies
			h.Set("Wechatpay-Signature", "WECHATPAY/SIGNTEST/"+h.Get("Wechatpay-Signature"))
			return body
		},
		"an unknown key": func(h http.Header, body []byte) []byte { h.Set("Wechatpay-Serial", "1234567890ABCDEF"); return body },
		"another time":   func(h http.Header, body []byte) []byte { h.Set("Wechatpay-Timestamp", "1"); return body },
		"another nonce":  func(h http.Header, body []byte) []byte { h.Set("Wechatpay-Nonce", "x"); return body },
	} {
		h.bank.Tamper(f)
		if res, err := h.Query(t.Context(), r.OrderNo); errs.KindOf(err) != errs.Unavailable || res.State != "" {
			t.Errorf("%s: %+v, %v", name, res, err)
		}
	}
	h.bank.Tamper(nil)
	if _, err := h.Query(t.Context(), r.OrderNo); err != nil {
		t.Error(err)
	}
}
