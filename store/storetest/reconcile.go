package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/commerce/order"
	"github.com/vitrine-live/vitrine/commerce/reconcile"
	"github.com/vitrine-live/vitrine/internal/cursor"
	"github.com/vitrine-live/vitrine/internal/errs"
)

type reconcileStore interface {
	ChecksDue(ctx context.Context, since, before, recheck time.Time, limit int) ([]string, error)
	KeepCheck(ctx context.Context, o *order.Order, found []reconcile.Discrepancy, at time.Time) (int, error)
	KeepStrays(ctx context.Context, at time.Time) (int, error)
	Discrepancies(ctx context.Context, storeID string, openOnly bool, before cursor.Key, limit int) ([]reconcile.Discrepancy, error)
	ResolveDiscrepancy(ctx context.Context, storeID, id, resolution string, at time.Time) (reconcile.Discrepancy, error)
}

// begun is an order whose payment was begun.
func begun(t *testing.T, s Store) order.Order {
	t.Helper()
	withSKU(t, s, "sku_1", 10)
	o := placed(t, s, newOrder("v1", epoch0, "sku_1"))
	ok(t, change(s, o.ID, func(_ context.Context, o *order.Order, _ order.Ledger) error { return o.Begin("sandbox", epoch0) }))
	return must(s.Order(t.Context(), order.Scope{}, o.ID))(t)
}

func testPaymentChecks(t *testing.T, s Store) {
	ctx := t.Context()
	o := begun(t, s)
	placed(t, s, newOrder("v2", epoch0, "sku_1")) // nobody began to pay it
	hour := epoch0.Add(time.Hour)
	due := func(since, before, recheck time.Time) []string {
		t.Helper()
		return must(s.ChecksDue(ctx, since, before, recheck, 10))(t)
	}
	equal(t, due(epoch0, hour, epoch0), []string{o.ID})
	equal(t, due(epoch0.Add(time.Millisecond), hour, epoch0), []string(nil)) // too long ago
	equal(t, due(epoch0, epoch0, epoch0), []string(nil))                     // just changed

	equal(t, must(s.KeepCheck(ctx, &o, nil, hour))(t), 0)
	equal(t, due(epoch0, hour, hour), []string(nil))
	equal(t, due(epoch0, hour, hour.Add(1*time.Millisecond)), []string{o.ID}) // it still waits for its payment

	ok(t, pay(s, &o, "tx_1", o.Total, epoch0.Add(time.Minute)))
	equal(t, due(epoch0, hour, hour), []string{o.ID}) // it changed
	paid := must(s.Order(ctx, order.Scope{}, o.ID))(t)
	must(s.KeepCheck(ctx, &paid, nil, hour))(t)
	equal(t, due(epoch0, hour, hour.Add(time.Hour)), []string(nil))
}

func testDiscrepancies(t *testing.T, s Store) {
	ctx := t.Context()
	o := begun(t, s)
	at := epoch0.Add(time.Hour)
	d := reconcile.Discrepancy{
		ID: "dis_1", StoreID: o.StoreID, Provider: "sandbox", Kind: reconcile.PaidHereOnly, OrderID: o.ID, OrderNo: o.No, Detail: "为什么",
		FoundAt: at, SeenAt: at,
	}
	equal(t, must(s.KeepCheck(ctx, &o, []reconcile.Discrepancy{d}, at))(t), 1)
	list := func(storeID string, open bool) []reconcile.Discrepancy {
		t.Helper()
		return must(s.Discrepancies(ctx, storeID, open, cursor.Key{}, 10))(t)
	}
	equal(t, list(o.StoreID, true), []reconcile.Discrepancy{d})
	equal(t, list("", true), []reconcile.Discrepancy{d})
	equal(t, len(list(elsewhere, false)), 0)
	equal(t, must(s.ChecksDue(ctx, epoch0, at, at.Add(time.Millisecond), 10))(t), []string{o.ID})

	again := d
	again.ID, again.Detail = "dis_2", "darum"
	equal(t, must(s.KeepCheck(ctx, &o, []reconcile.Discrepancy{again}, at.Add(time.Hour)))(t), 0)
	d.Detail, d.SeenAt = "darum", at.Add(time.Hour)
	equal(t, list(o.StoreID, true), []reconcile.Discrepancy{d})

	equal(t, must(s.KeepCheck(ctx, &o, nil, at.Add(2*time.Hour)))(t), 0) // the books agree
	d.ResolvedAt, d.Resolution = at.Add(2*time.Hour), "the books agree"
	equal(t, len(list(o.StoreID, true)), 0)
	equal(t, list(o.StoreID, false), []reconcile.Discrepancy{d})

	must(s.KeepCheck(ctx, &o, []reconcile.Discrepancy{again}, at.Add(3*time.Hour)))(t)
	_, err := s.ResolveDiscrepancy(ctx, elsewhere, again.ID, "x", at)
	kind(t, err, errs.NotFound)
	got := must(s.ResolveDiscrepancy(ctx, o.StoreID, again.ID, "admin: paid back", at.Add(4*time.Hour)))(t)
	equal(t, got.Resolution, "admin: paid back")
	_, err = s.ResolveDiscrepancy(ctx, o.StoreID, again.ID, "x", at)
	kind(t, err, errs.NotFound)
	equal(t, must(s.Discrepancies(ctx, "", false, cursor.Key{At: got.FoundAt, ID: got.ID}, 10))(t), []reconcile.Discrepancy{d})
}

func testStrays(t *testing.T, s Store) {
	ctx := t.Context()
	stray := order.Receipt{
		Provider: "wechatpay", TransactionID: "42", OrderNo: "elsewhere-1", Money: commerce.Money{Amount: 100, Currency: "CNY"}, Outcome: order.Unknown,
		PaidAt: epoch0, ReceivedAt: epoch0,
	}
	equal(t, must(s.KeepReceipt(ctx, stray))(t), true)
	equal(t, must(s.KeepStrays(ctx, epoch0))(t), 1)
	all := must(s.Discrepancies(ctx, "", true, cursor.Key{}, 10))(t)
	if len(all) != 1 || all[0].Kind != reconcile.UnknownPayment || all[0].OrderNo != stray.OrderNo || all[0].StoreID != "" {
		t.Fatalf("%+v", all)
	}
	equal(t, len(must(s.Discrepancies(ctx, account.DefaultStore, true, cursor.Key{}, 10))(t)), 0)
	must(s.ResolveDiscrepancy(ctx, "", all[0].ID, "given back", epoch0))(t)
	equal(t, must(s.KeepStrays(ctx, epoch0))(t), 0) // what was dealt with stays so
}
