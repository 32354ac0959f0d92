package sandbox_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/commerce/payment"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/providers/sandbox"
	"github.com/vitrine-live/vitrine/store/sqldb/sqldbtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// desk is the sandbox with a shop that keeps what it is told.
type desk struct {
	*testing.T
	p    *sandbox.Provider
	now  time.Time
	told []payment.Result
	deaf error // what the shop answers instead
}

func open(t *testing.T) *desk {
	t.Helper()
	db := sqldbtest.Open(t)
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	d := &desk{T: t, now: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)}
	d.p = sandbox.New(sandbox.Config{Secret: make([]byte, 32), BaseURL: "https://shop.example"}, db, slog.New(slog.DiscardHandler), func() time.Time { return d.now })
	d.p.Connect(func(ctx context.Context, header map[string][]string, body []byte) error {
		n, err := d.p.Notification(ctx, header, body)
		if err != nil || d.deaf != nil {
			return errors.Join(err, d.deaf)
		}
		d.told = append(d.told, *n.Payment)
		return nil
	})
	return d
}

const no = "20260304abcdefgh"

func (d *desk) request() payment.Request {
	return payment.Request{
		OrderNo: no, Description: "茶壶 <b>", Amount: commerce.Money{Amount: 12345, Currency: "CNY"}, Method: payment.Sandbox,
		ExpiresAt: d.now.Add(15 * time.Minute), ReturnURL: "https://shop.example/r/x",
	}
}

// start begins a payment and returns the path of its page.
func (d *desk) start() string {
	d.Helper()
	i, err := d.p.Start(d.Context(), d.request())
	if err != nil {
		d.Fatal(err)
	}
	page, ours := strings.CutPrefix(i.PayURL, "https://shop.example")
	if !ours || len(page) < len(sandbox.PagePath)+32 {
		d.Fatalf("pay at %q", i.PayURL)
	}
	return page
}

func (d *desk) visit(method, page, language, button string) *httptest.ResponseRecorder {
	d.Helper()
	r := httptest.NewRequest(method, page, strings.NewReader(url.Values{"do": {button}}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept-Language", language)
	w := httptest.NewRecorder()
	d.p.ServeHTTP(w, r)
	return w
}

func (d *desk) press(page, button string) {
	d.Helper()
	if w := d.visit(http.MethodPost, page, "en", button); w.Code != http.StatusSeeOther || w.Header().Get("Location") != page {
		d.Errorf("%s: %d to %s", button, w.Code, w.Header().Get("Location"))
	}
}

// says checks what the page says, in English.
func (d *desk) says(page, want string) {
	d.Helper()
	if body := d.visit(http.MethodGet, page, "en", "").Body.String(); !strings.Contains(body, want) {
		d.Errorf("the page does not say %q:\n%s", want, body)
	}
}

func TestPage(t *testing.T) {
	d := open(t)
	page := d.start()
	if again := d.start(); again != page {
		t.Errorf("asked again it is at %s, not at %s", again, page)
	}
	for language, want := range map[string]string{"zh-CN,zh;q=0.9": "沙箱支付", "zh-TW": "沙箱支付", "en": "Sandbox payment", "": "Sandbox payment", "fr": "Sandbox payment"} {
		w := d.visit(http.MethodGet, page, language, "")
		body := w.Body.String()
		if w.Code != http.StatusOK || !strings.Contains(body, want) || !strings.Contains(body, "¥123.45") || !strings.Contains(body, ">15 ") || !strings.Contains(body, "茶壶 &lt;b&gt;") {
			t.Errorf("%s: %d %s", language, w.Code, body)
		}
		if w.Header().Get("Cache-Control") != "no-store" || !strings.Contains(w.Header().Get("Content-Security-Policy"), "frame-ancestors 'none'") {
			t.Errorf("%s: %v", language, w.Header())
		}
	}
	for path, want := range map[string]int{sandbox.PagePath: 404, sandbox.PagePath + "x": 404, page + "0": 404} {
		if w := d.visit(http.MethodGet, path, "en", ""); w.Code != want {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	if w := d.visit(http.MethodDelete, page, "en", ""); w.Code != http.StatusMethodNotAllowed {
		t.Errorf("%d", w.Code)
	}
	other := d.request()
	other.Amount.Amount++
	if _, err := d.p.Start(t.Context(), other); errs.KindOf(err) != errs.Invalid {
		t.Errorf("another amount: %v", err)
	}
}

func TestButtons(t *testing.T) {
	d := open(t)
	page := d.start()
	d.press(page, "rob")
	d.press(page, "fail")
	d.says(page, "refused")
	d.press(page, "twice")
	d.press(page, "pay") // it is paid
	d.says(page, "Paid twice")
	if len(d.told) != 4 || d.told[0].TransactionID != d.told[1].TransactionID || d.told[2].TransactionID == d.told[0].TransactionID {
		t.Errorf("two payments, each told twice: %+v", d.told)
	}
	if err := d.p.Close(t.Context(), no); errs.KindOf(err) != errs.Conflict {
		t.Errorf("closed what is paid: %v", err)
	}
	got, err := d.p.Query(t.Context(), no)
	if err != nil || got.State != payment.Paid || got.TransactionID != d.told[0].TransactionID || got.Amount != d.request().Amount {
		t.Errorf("%+v %v", got, err)
	}
}

func TestClosedAndExpired(t *testing.T) {
	d := open(t)
	page := d.start()
	if err := d.p.Close(t.Context(), no); err != nil {
		t.Fatal(err)
	}
	d.press(page, "pay")
	d.says(page, "closed")
	if err := d.p.Close(t.Context(), "unknown"); errs.KindOf(err) != errs.NotFound {
		t.Errorf("%v", err)
	}
	d.now = d.now.Add(time.Hour)
	d.says(page, "over")
	if len(d.told) != 0 {
		t.Errorf("told of %+v", d.told)
	}
}

// A late payment is made after the order expired, although it was closed meanwhile, and the shop hears of it until it has
// taken note.
func TestLate(t *testing.T) {
	d := open(t)
	page := d.start()
	d.press(page, "late")
	d.says(page, "on its way")
	work := func() error { return d.p.Work(t.Context()) }
	if err := errors.Join(work(), d.p.Close(t.Context(), no), work()); err != nil || len(d.told) != 0 {
		t.Fatalf("%v, told %+v", err, d.told)
	}
	d.now = d.now.Add(16 * time.Minute)
	d.deaf = errors.New("the shop is down")
	if err := work(); !errors.Is(err, d.deaf) {
		t.Errorf("%v", err)
	}
	d.deaf = nil
	for range 3 {
		if err := work(); err != nil {
			t.Error(err)
		}
	}
	if len(d.told) != 2 || d.told[0].OrderNo != no || !d.told[0].PaidAt.Equal(d.now) {
		t.Errorf("told %+v", d.told)
	}
}

func TestReportsAreSigned(t *testing.T) {
	d := open(t)
	var header map[string][]string
	var body []byte
	d.p.Connect(func(_ context.Context, h map[string][]string, b []byte) error { header, body = h, b; return nil })
	d.press(d.start(), "pay")
	if _, err := d.p.Notification(t.Context(), header, body); err != nil {
		t.Fatal(err)
	}
	forged := []byte(strings.Replace(string(body), "12345", "12346", 1))
	old := func() error {
		d.now = d.now.Add(6 * time.Minute)
		_, err := d.p.Notification(t.Context(), header, body)
		return err
	}
	_, unsigned := d.p.Notification(t.Context(), nil, body)
	_, changed := d.p.Notification(t.Context(), header, forged)
	for _, err := range []error{unsigned, changed, old()} {
		if errs.KindOf(err) != errs.Unauthorized {
			t.Errorf("%v", err)
		}
	}
}

func TestRefund(t *testing.T) {
	d := open(t)
	d.press(d.start(), "pay")
	r := payment.RefundRequest{OrderNo: no, TransactionID: d.told[0].TransactionID, RefundNo: "r1", Amount: commerce.Money{Amount: 12000, Currency: "CNY"}, Total: d.request().Amount}
	for range 2 { // asked twice it is one
		got, err := d.p.Refund(t.Context(), r)
		if err != nil || got.State != payment.Refunded || got.Amount != r.Amount {
			t.Errorf("%+v %v", got, err)
		}
	}
	if got, err := d.p.QueryRefund(t.Context(), "r1"); err != nil || got.RefundNo != "r1" {
		t.Errorf("%+v %v", got, err)
	}
	more, unknown := r, r
	more.RefundNo, unknown.RefundNo, unknown.TransactionID = "r2", "r3", "x"
	if _, err := d.p.Refund(t.Context(), more); errs.KindOf(err) != errs.Conflict {
		t.Errorf("more than was paid: %v", err)
	}
	if _, err := d.p.Refund(t.Context(), unknown); errs.KindOf(err) != errs.NotFound {
		t.Errorf("of nothing: %v", err)
	}
	if _, err := d.p.QueryRefund(t.Context(), "r2"); errs.KindOf(err) != errs.NotFound {
		t.Errorf("%v", err)
	}
}

func TestRunEnds(t *testing.T) {
	d := open(t)
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		d.p.Run(ctx)
	})
}
