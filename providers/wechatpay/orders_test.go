package wechatpay_test

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/commerce/order"
	"github.com/vitrine-live/vitrine/commerce/payment"
	"github.com/vitrine-live/vitrine/commerce/reconcile"
	"github.com/vitrine-live/vitrine/commerce/stock"
	"github.com/vitrine-live/vitrine/internal/cursor"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/wechatpaytest"
	"github.com/vitrine-live/vitrine/providers/wechatpay"
	"github.com/vitrine-live/vitrine/store/sqldb"
	"github.com/vitrine-live/vitrine/store/sqldb/sqldbtest"
)

const openID = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"

var buyer = account.Viewer{ID: "wechat:" + wechatpaytest.AppID + ":" + openID, OpenID: openID, AppID: wechatpaytest.AppID}

// shop is a store whose orders are paid at the stand-in, over a real database. Its clock is the bank's.
type shop struct {
	t      *testing.T
	db     *sqldb.DB
	bank   *wechatpaytest.Server
	orders *order.Service
	books  *reconcile.Service
	mu     sync.Mutex
	offset time.Duration
	counts []string
}

func newShop(t *testing.T) *shop {
	t.Helper()
	db := sqldbtest.Open(t)
	s := &shop{t: t, db: db, bank: wechatpaytest.New(t)}
	private, _ := s.bank.Files()
	transport := &http.Transport{}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	log := slog.New(slog.DiscardHandler)
	p, err := wechatpay.New(wechatpay.Config{
		MchID: wechatpaytest.MchID, AppID: wechatpaytest.AppID, APIv3Key: wechatpaytest.APIv3Key, CertSerial: s.bank.CertSerial(), PrivateKeyFile: private,
		NotifyURL: "https://shop.example/n", BaseURL: s.bank.URL,
	}, transport, log, wechatpay.NewMetrics(prometheus.NewRegistry()), nil)
	if err != nil {
		t.Fatal(err)
	}
	providers := []payment.Provider{p}
	s.orders = order.New(order.Config{PublicURL: "https://shop.example"}, order.Deps{Store: db, Providers: providers, Log: log, Now: s.now})
	s.books = reconcile.New(reconcile.Config{}, s.orders, db, providers, log, func(what string) { s.counts = append(s.counts, what) }, s.now)
	if err := db.OpenPool(t.Context(), stock.Pool{ID: "sku_1", SKU: "sku_1", Kind: stock.Main, Level: stock.Level{Total: 2}}); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *shop) now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Now().Add(s.offset)
}

func (s *shop) later(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.offset += d
}

// begun is an order of two pieces, all there are, whose payment was begun.
func (s *shop) begun() order.Order {
	s.t.Helper()
	at := s.now().UTC().Truncate(time.Millisecond)
	o := order.Order{
		StoreID: account.DefaultStore, ViewerID: buyer.ID, State: order.Pending, Currency: "CNY", Subtotal: 1000, Total: 1000,
		CreatedAt: at, UpdatedAt: at, ExpiresAt: at.Add(15 * time.Minute),
		Lines: []order.Line{{N: 1, SKU: "sku_1", ProductID: "prod_1", Quantity: 2, Unit: 500, Amount: 1000, Source: "list", Hold: order.Held, Item: order.Item{Title: "春茶"}}},
	}
	o.ID, o.No = order.NewID(at)
	if _, err := s.db.PlaceOrder(s.t.Context(), order.Placement{Order: o, Pools: [][]string{{"sku_1"}}}); err != nil {
		s.t.Fatal(err)
	}
	intent, err := s.orders.Pay(s.t.Context(), buyer, o.ID, order.PayAsk{Method: payment.JSAPI})
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.bank.VerifyRequestPayment(intent.Params); err != nil {
		s.t.Fatal(err)
	}
	return o
}

func (s *shop) pay(o order.Order) {
	s.t.Helper()
	if err := s.bank.Pay(o.No, openID); err != nil {
		s.t.Fatal(err)
	}
}

func (s *shop) hears(m wechatpaytest.Message) error {
	return s.orders.Notification(s.t.Context(), wechatpay.Name, m.Header, m.Body)
}

// is checks the state of an order and the pieces that go with it.
func (s *shop) is(o order.Order, want order.State, pieces stock.Level) order.Order {
	s.t.Helper()
	got, err := s.orders.Get(s.t.Context(), order.Scope{}, o.ID)
	if err != nil || got.State != want {
		s.t.Fatalf("the order is %s (%v), want %s", got.State, err, want)
	}
	pools, err := s.db.Pools(s.t.Context(), "sku_1")
	if level := stock.Sum(pools); err != nil || level != pieces {
		s.t.Fatalf("the pieces: %+v (%v), want %+v", level, err, pieces)
	}
	return got
}

var (
	free = stock.Level{Total: 2, Available: 2}
	held = stock.Level{Total: 2, Reserved: 2}
	sold = stock.Level{Total: 2, Sold: 2}
)

func (s *shop) discrepancies() []reconcile.Discrepancy {
	s.t.Helper()
	all, err := s.db.Discrepancies(s.t.Context(), "", true, cursor.Key{}, 10)
	if err != nil {
		s.t.Fatal(err)
	}
	return all
}

// compare looks at the books after what was done has settled.
func (s *shop) compare() {
	s.t.Helper()
	s.later(2 * time.Minute)
	if err := s.books.Once(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

func TestPaidOnceHoweverOftenReported(t *testing.T) {
	s := newShop(t)
	o := s.begun()
	s.is(o, order.Pending, held)
	s.pay(o)
	forged := s.bank.SignWrong(s.bank.PaymentReport(o.No))
	if err := s.hears(forged); errs.KindOf(err) != errs.Unauthorized {
		t.Errorf("forged: %v", err)
	}
	s.is(o, order.Pending, held)
	m := s.bank.PaymentReport(o.No)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if err := s.hears(m); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := s.is(o, order.Paid, sold); len(got.Receipts) != 1 || got.TransactionID == "" || len(got.Repayments) != 0 {
		t.Errorf("%+v", got)
	}
	s.compare()
	if !slices.Contains(s.counts, "checked") || len(s.discrepancies()) != 0 {
		t.Errorf("%v %+v", s.counts, s.discrepancies())
	}
}

// expires lets an order end although the bank does not close its payment.
func (s *shop) expires(o order.Order) {
	s.t.Helper()
	for range 10 {
		s.bank.Refuse("/v3/pay/transactions/out-trade-no/"+o.No+"/close", http.StatusInternalServerError, "SYSTEM_ERROR")
	}
	s.later(15*time.Minute + time.Second)
	s.orders.Sweep(s.t.Context())
	s.is(o, order.Pending, held) // it waits for the bank's word
	s.later(2 * time.Minute)
	s.orders.Sweep(s.t.Context())
	s.is(o, order.Expired, free)
}

// A payment that the buyer makes after the order has ended here is accepted if the pieces are still there.
func TestLatePayment(t *testing.T) {
	s := newShop(t)
	o := s.begun()
	s.expires(o)
	s.pay(o)
	if err := s.hears(s.bank.PaymentReport(o.No)); err != nil {
		t.Fatal(err)
	}
	s.is(o, order.Paid, sold)
}

// A late payment goes back when somebody else has the pieces, and the refund's report may come before the answer.
func TestLatePaymentGoesBack(t *testing.T) {
	s := newShop(t)
	o := s.begun()
	s.expires(o)
	s.begun() // by somebody else
	s.pay(o)
	if err := s.hears(s.bank.PaymentReport(o.No)); err != nil {
		t.Fatal(err)
	}
	got := s.is(o, order.Refunding, held)
	s.orders.Sweep(t.Context())
	no := got.Repayments[0].No
	s.bank.Settle(no, "SUCCESS")
	for range 2 {
		if err := s.hears(s.bank.RefundReport(no)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.hears(s.bank.PaymentReport(o.No)); err != nil { // the payment's report once more, out of order
		t.Fatal(err)
	}
	if got := s.is(o, order.Refunded, held); len(got.Receipts) != 1 || got.Repayments[0].State != order.Repaid {
		t.Errorf("%+v", got)
	}
}

// A report that never comes is found out by asking.
func TestReconciliationFindsLostReports(t *testing.T) {
	s := newShop(t)
	o := s.begun()
	s.pay(o)
	s.compare()
	s.is(o, order.Paid, sold)
	if !slices.Contains(s.counts, "mended_payment") {
		t.Errorf("%v", s.counts)
	}
	got, err := s.orders.Refund(t.Context(), account.DefaultStore, order.Who{Actor: order.Merchant, Name: "m"}, o.ID, order.RefundAsk{Reason: "坏了"})
	if err != nil {
		t.Fatal(err)
	}
	s.orders.Sweep(t.Context())
	s.bank.Settle(got.Repayments[0].No, "SUCCESS")
	s.compare()
	s.is(o, order.Refunded, sold)
	if !slices.Contains(s.counts, "mended_refund") || len(s.discrepancies()) != 0 {
		t.Errorf("%v %+v", s.counts, s.discrepancies())
	}
}

// What cannot be mended is listed, and taken off the list when the books agree.
func TestReconciliationListsTheRest(t *testing.T) {
	s := newShop(t)
	o := s.begun()
	s.pay(o)
	if err := s.hears(s.bank.PaymentReport(o.No)); err != nil {
		t.Fatal(err)
	}
	got, err := s.orders.Refund(t.Context(), account.DefaultStore, order.Who{Actor: order.Merchant, Name: "m"}, o.ID, order.RefundAsk{Amount: 100})
	if err != nil {
		t.Fatal(err)
	}
	no := got.Repayments[0].No
	s.orders.Sweep(t.Context())
	s.bank.Settle(no, "ABNORMAL")
	if err := s.hears(s.bank.RefundReport(no)); err != nil {
		t.Fatal(err)
	}
	s.compare()
	all := s.discrepancies()
	if len(all) != 1 || all[0].Kind != reconcile.RefundFailed || all[0].RefundNo != no || all[0].OrderID != o.ID {
		t.Fatalf("%+v", all)
	}
	s.bank.Settle(no, "SUCCESS") // somebody dealt with it on the merchant platform
	s.later(5 * time.Minute)
	s.compare()
	if all := s.discrepancies(); len(all) != 1 || all[0].Kind != reconcile.RefundDiffers {
		t.Errorf("%+v", all)
	}
	s.bank.Refuse("/v3/pay/transactions/out-trade-no/", http.StatusInternalServerError, "SYSTEM_ERROR")
	s.later(5 * time.Minute)
	if err := s.books.Once(context.WithoutCancel(t.Context())); err == nil {
		t.Error("a bank that does not answer is no failure")
	}
}

// Money for an order that is not here is kept and listed.
func TestStrayPayment(t *testing.T) {
	s := newShop(t)
	if err := s.orders.Notified(t.Context(), wechatpay.Name, payment.Notification{Payment: &payment.Result{
		OrderNo: "elsewhere-1", TransactionID: "42", State: payment.Paid, PaidAt: s.now(),
	}}); err != nil {
		t.Fatal(err)
	}
	s.compare()
	if all := s.discrepancies(); len(all) != 1 || all[0].Kind != reconcile.UnknownPayment {
		t.Errorf("%+v", all)
	}
}
