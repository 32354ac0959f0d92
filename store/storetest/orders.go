package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/commerce/order"
	"github.com/vitrine-live/vitrine/commerce/payment"
	"github.com/vitrine-live/vitrine/commerce/stock"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/live"
	"github.com/vitrine-live/vitrine/providers/sandbox"
)

type orderStore interface {
	order.Store
	sandbox.Ledger

	OpenPool(ctx context.Context, p stock.Pool) error
	SetAllotment(ctx context.Context, showID, skuID string, pieces int64) (stock.Pool, error)
	Allotments(ctx context.Context, showID string) ([]stock.Pool, error)
	ReturnAllotments(ctx context.Context, showID, skuID string) (int, error)
	EndedAllotments(ctx context.Context) ([]string, error)
}

// withSKU makes a main pool with pieces.
func withSKU(t *testing.T, s Store, sku string, pieces int64) {
	t.Helper()
	ok(t, s.OpenPool(t.Context(), stock.Pool{ID: sku, SKU: sku, Kind: stock.Main, Level: stock.Level{Total: pieces}}))
}

// newOrder is an order of two pieces of each SKU, from their main pools.
func newOrder(viewer string, at time.Time, skus ...string) order.Placement {
	o := order.Order{
		StoreID: account.DefaultStore, ViewerID: viewer, Buyer: "小明", State: order.Pending, Currency: "CNY",
		Address: order.Address{Name: "王小明", Phone: "+86 138-0013-8000", Region: "上海市 徐汇区", Detail: "1 号 '甲'"},
		Remark:  "快一点", CreatedAt: at, UpdatedAt: at, ExpiresAt: at.Add(15 * time.Minute),
		History: []order.Entry{{At: at, Code: order.WasPlaced, Actor: order.Buyer}},
	}
	o.ID, o.No = order.NewID(at)
	p := order.Placement{}
	for i, sku := range skus {
		o.Lines = append(o.Lines, order.Line{
			N: i + 1, SKU: sku, ProductID: "prod_1", Quantity: 2, Unit: 500, Amount: 1000, Source: "list", Hold: order.Held,
			Item: order.Item{Title: "台灯", Attributes: []commerce.Attribute{{Name: "颜色", Value: "红"}}, List: 600},
			Attribution: commerce.Attribution{
				ShowID: "show_1", PinID: "pin_1", ShowTimeMS: 61_000, Source: commerce.SourceReplay, ShareCode: "s", Channel: "c",
			},
		})
		p.Pools = append(p.Pools, []string{sku})
		o.Subtotal += 1000
	}
	o.Total = o.Subtotal
	p.Order = o
	return p
}

func placed(t *testing.T, s Store, p order.Placement) order.Order {
	t.Helper()
	must(s.PlaceOrder(t.Context(), p))(t)
	return must(s.Order(t.Context(), order.Scope{}, p.Order.ID))(t)
}

// level checks the sum of a SKU's pools, each of which must be whole.
func level(t *testing.T, s Store, sku string, want stock.Level) {
	t.Helper()
	pools := must(s.Pools(context.WithoutCancel(t.Context()), sku))(t)
	for _, p := range pools {
		if !p.Whole() {
			t.Errorf("pool %+v is not whole", p)
		}
	}
	if got := stock.Sum(pools); got != want {
		t.Errorf("SKU %s: %+v, want %+v", sku, got, want)
	}
}

func change(s Store, id string, f func(ctx context.Context, o *order.Order, l order.Ledger) error) error {
	_, _, err := s.ChangeOrder(context.Background(), order.Scope{}, id, f)
	return err
}

func receipt(o *order.Order, transaction string, amount int64, at time.Time) order.Receipt {
	return order.Receipt{Provider: "sandbox", TransactionID: transaction, Money: o.Money(amount), PaidAt: at}
}

func pay(s Store, o *order.Order, transaction string, amount int64, at time.Time) error {
	return change(s, o.ID, func(ctx context.Context, now *order.Order, l order.Ledger) error {
		return now.Receive(ctx, l, receipt(o, transaction, amount, at), at)
	})
}

func testOrders(t *testing.T, s Store) {
	ctx := t.Context()
	withSKU(t, s, "sku_a", 10)
	withSKU(t, s, "sku_b", 10)
	p := newOrder("visitor:1", epoch0, "sku_b", "sku_a")
	left := must(s.PlaceOrder(ctx, p))(t)
	equal(t, left, []stock.Left{{PoolID: "sku_a", SKU: "sku_a", Kind: stock.Main, Available: 8}, {PoolID: "sku_b", SKU: "sku_b", Kind: stock.Main, Available: 8}})
	want := p.Order
	want.Lines[0].PoolID, want.Lines[1].PoolID = "sku_b", "sku_a"
	equal(t, must(s.Order(ctx, order.Scope{}, want.ID))(t), want)
	equal(t, must(s.Order(ctx, order.Scope{StoreID: want.StoreID, ViewerID: "visitor:1"}, want.ID))(t), want)
	for _, scope := range []order.Scope{{StoreID: "store_x"}, {ViewerID: "visitor:2"}} {
		_, err := s.Order(ctx, scope, want.ID)
		kind(t, err, errs.NotFound)
		_, _, err = s.ChangeOrder(ctx, scope, want.ID, func(context.Context, *order.Order, order.Ledger) error { return nil })
		kind(t, err, errs.NotFound)
	}
	level(t, s, "sku_a", stock.Level{Total: 10, Available: 8, Reserved: 2})

	short := newOrder("visitor:1", epoch0, "sku_a", "sku_b") // not even partially
	short.Order.Lines[1].Quantity = 9
	_, err := s.PlaceOrder(ctx, short)
	kind(t, err, errs.Conflict)
	var sold *order.SoldOut
	if !errors.As(err, &sold) || sold.SKU != "sku_b" {
		t.Errorf("got %v, want that sku_b is sold out", err)
	}
	level(t, s, "sku_a", stock.Level{Total: 10, Available: 8, Reserved: 2})
	_, err = s.Order(ctx, order.Scope{}, short.Order.ID)
	kind(t, err, errs.NotFound)

	refused := errors.New("refused")
	if err := change(s, want.ID, func(ctx context.Context, o *order.Order, l order.Ledger) error {
		ok(t, o.CancelBy(ctx, l, order.Who{Actor: order.Buyer}, "", epoch0))
		return refused
	}); !errors.Is(err, refused) {
		t.Errorf("got %v, want %v", err, refused)
	}
	equal(t, must(s.Order(ctx, order.Scope{}, want.ID))(t), want) // nothing is written
	uncounted := newOrder("visitor:1", epoch0, "sku_none")
	uncounted.Pools[0] = nil
	o := placed(t, s, uncounted)
	ok(t, pay(s, &o, "t", 1000, epoch0))
	equal(t, must(s.Order(ctx, order.Scope{}, o.ID))(t).State, order.Paid)
}

func testOrderList(t *testing.T, s Store) {
	ctx := t.Context()
	withSKU(t, s, "sku_a", 100)
	var all []string // newest first
	for n := range 5 {
		p := newOrder(fmt.Sprintf("visitor:%d", n%2), epoch0.Add(time.Duration(n)*time.Second), "sku_a")
		p.Order.Address.Name = fmt.Sprintf("Li_%d", n)
		all = append([]string{placed(t, s, p).ID}, all...)
	}
	find := func(f order.Filter) []string {
		t.Helper()
		if f.Limit == 0 {
			f.Limit = 50
		}
		ids := []string{}
		for _, o := range must(s.Orders(ctx, f))(t) {
			ids = append(ids, o.ID)
		}
		return ids
	}
	store := order.Scope{StoreID: account.DefaultStore}
	equal(t, find(order.Filter{Scope: store}), all)
	equal(t, find(order.Filter{Scope: order.Scope{StoreID: "store_x"}}), []string{})
	equal(t, find(order.Filter{Scope: order.Scope{ViewerID: "visitor:1"}}), []string{all[1], all[3]})
	equal(t, find(order.Filter{Scope: store, Since: epoch0.Add(time.Second), Until: epoch0.Add(3 * time.Second)}), all[2:4])
	equal(t, find(order.Filter{Scope: store, State: order.Paid}), []string{})
	equal(t, find(order.Filter{Scope: store, State: order.Pending, ShowID: "show_1"}), all)
	equal(t, find(order.Filter{Scope: store, ShowID: "show_2"}), []string{})
	equal(t, find(order.Filter{Scope: store, Text: "li_3"}), all[1:2])
	equal(t, find(order.Filter{Scope: store, Text: "l%"}), []string{})
	equal(t, find(order.Filter{Scope: store, Text: "0013"}), all)
	third := must(s.Order(ctx, store, all[2]))(t)
	equal(t, find(order.Filter{Scope: store, Text: third.No}), all[2:3])
	equal(t, find(order.Filter{Scope: store, After: third.ID, Limit: 1}), all[3:4])
	for _, bought := range []struct {
		viewer, store, show string
		want                bool
	}{{"visitor:0", account.DefaultStore, "", true}, {"visitor:0", account.DefaultStore, "show_1", true}, {"visitor:0", account.DefaultStore, "show_2", false}, {"visitor:0", "store_x", "", false}, {"visitor:1", account.DefaultStore, "", false}} {
		if bought.want {
			ok(t, pay(s, &third, "t", third.Total, epoch0))
		}
		equal(t, must(s.HasBought(ctx, bought.viewer, bought.store, bought.show))(t), bought.want)
	}
}

func testOrderPayments(t *testing.T, s Store) {
	ctx := t.Context()
	withSKU(t, s, "sku_a", 10)
	o := placed(t, s, newOrder("visitor:1", epoch0, "sku_a"))
	begin := func(_ context.Context, o *order.Order, _ order.Ledger) error { return o.Begin("sandbox", epoch0) }
	ok(t, change(s, o.ID, begin))
	ok(t, change(s, o.ID, begin)) // again
	paid := epoch0.Add(time.Minute)
	ok(t, pay(s, &o, "t1", o.Total+1, paid))
	level(t, s, "sku_a", stock.Level{Total: 10, Available: 8, Reserved: 2})
	var wg sync.WaitGroup
	for range 10 { // the same report many times
		wg.Go(func() {
			if err := pay(s, &o, "t2", o.Total, paid); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	ok(t, pay(s, &o, "t3", o.Total, paid))
	level(t, s, "sku_a", stock.Level{Total: 10, Available: 8, Sold: 2})
	got := must(s.Order(ctx, order.Scope{}, o.ID))(t)
	equal(t, got.State, order.Paid)
	equal(t, got.PaidAt, paid)
	equal(t, got.TransactionID, "t2")
	equal(t, len(got.Attempts), 1)
	outcomes := map[string]order.Outcome{}
	for _, r := range got.Receipts {
		outcomes[r.TransactionID] = r.Outcome
	}
	equal(t, outcomes, map[string]order.Outcome{"t1": order.Mismatch, "t2": order.Accepted, "t3": order.Surplus})
	due := must(s.DueRepayments(ctx, paid, 10))(t) // what must not be kept goes back
	equal(t, len(due), 2)
	for _, r := range due {
		equal(t, r.OrderNo, o.No)
		ok(t, change(s, o.ID, func(ctx context.Context, o *order.Order, l order.Ledger) error {
			_, err := o.RefundReported(ctx, l, payment.RefundResult{RefundNo: r.No, State: payment.Refunded}, paid, paid)
			return err
		}))
	}
	equal(t, len(must(s.DueRepayments(ctx, paid.Add(time.Hour), 10))(t)), 0)
	equal(t, must(s.Order(ctx, order.Scope{}, o.ID))(t).State, order.Paid)

	stray := order.Receipt{Provider: "sandbox", TransactionID: "t9", OrderNo: "x", Money: o.Money(5), Outcome: order.Unknown, PaidAt: paid, ReceivedAt: paid}
	equal(t, must(s.KeepReceipt(ctx, stray))(t), true)
	equal(t, must(s.KeepReceipt(ctx, stray))(t), false)
}

func testOrderRefunds(t *testing.T, s Store) {
	ctx := t.Context()
	withSKU(t, s, "sku_a", 10)
	o := placed(t, s, newOrder("visitor:1", epoch0, "sku_a"))
	ok(t, pay(s, &o, "t1", o.Total, epoch0))
	merchant := order.Who{Actor: order.Merchant, Name: "staff_1"}
	giveBack := func(ask order.RefundAsk) error {
		return change(s, o.ID, func(ctx context.Context, o *order.Order, l order.Ledger) error {
			return o.GiveBack(ctx, l, merchant, ask, epoch0)
		})
	}
	ok(t, giveBack(order.RefundAsk{Amount: 300, Return: []order.Return{{Line: 1, Pieces: 1}}}))
	level(t, s, "sku_a", stock.Level{Total: 10, Available: 9, Sold: 1})
	kind(t, giveBack(order.RefundAsk{Amount: 701}), errs.Invalid)
	kind(t, giveBack(order.RefundAsk{Amount: 1, Return: []order.Return{{Line: 1, Pieces: 2}}}), errs.Invalid)
	ok(t, giveBack(order.RefundAsk{Restock: true, Reason: "sorry"}))
	kind(t, giveBack(order.RefundAsk{}), errs.Conflict)
	level(t, s, "sku_a", stock.Level{Total: 10, Available: 10})
	for i, r := range must(s.DueRepayments(ctx, epoch0, 10))(t) {
		equal(t, must(s.Order(ctx, order.Scope{}, o.ID))(t).State, order.Refunding)
		for range 2 { // reports come twice
			ok(t, change(s, o.ID, func(ctx context.Context, o *order.Order, l order.Ledger) error {
				_, err := o.RefundReported(ctx, l, payment.RefundResult{RefundNo: r.No, State: payment.Refunded}, epoch0, epoch0)
				return err
			}))
		}
		equal(t, i < 2, true)
	}
	got := must(s.Order(ctx, order.Scope{}, o.ID))(t)
	equal(t, got.State, order.Refunded)
	equal(t, got.Refunded, o.Total)
	equal(t, got.Lines[0].Returned, int64(2))
	equal(t, must(s.HasBought(ctx, o.ViewerID, o.StoreID, ""))(t), false)
}

// testOrdersCompete lets many buyers come at once for few pieces.
func testOrdersCompete(t *testing.T, s Store) {
	const buyers, pieces = 60, 20
	withSKU(t, s, "sku_a", pieces)
	withSKU(t, s, "sku_b", pieces)
	var sold atomic.Int64
	var wg sync.WaitGroup
	for n := range buyers {
		wg.Go(func() {
			skus := []string{"sku_a", "sku_b"}
			if n%2 == 0 {
				skus = []string{"sku_b", "sku_a"}
			}
			_, err := s.PlaceOrder(t.Context(), newOrder(fmt.Sprintf("visitor:%d", n), epoch0, skus...))
			switch {
			case err == nil:
				sold.Add(1)
			case errs.KindOf(err) != errs.Conflict:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	equal(t, sold.Load(), int64(pieces/2))
	level(t, s, "sku_a", stock.Level{Total: pieces, Reserved: pieces})
	level(t, s, "sku_b", stock.Level{Total: pieces, Reserved: pieces})
}

// testOrderLimits lets one buyer try to have more than allowed by asking many times at once.
func testOrderLimits(t *testing.T, s Store) {
	withSKU(t, s, "sku_a", 100)
	limited := func(flash bool) order.Placement {
		p := newOrder("visitor:1", epoch0, "sku_a")
		if l := &p.Order.Lines[0]; flash {
			l.Source, l.Ref, l.Item.FlashPerBuyer = "flash", "fls_1", 3
		} else {
			l.Item.PerBuyer = 7
		}
		return p
	}
	try := func(times int, flash bool) (got []order.Order) {
		t.Helper()
		var mu sync.Mutex
		var wg sync.WaitGroup
		for range times {
			wg.Go(func() {
				p := limited(flash)
				_, err := s.PlaceOrder(t.Context(), p)
				if err != nil && errs.KindOf(err) != errs.Conflict {
					t.Error(err)
				}
				if err == nil {
					mu.Lock()
					defer mu.Unlock()
					got = append(got, p.Order)
				}
			})
		}
		wg.Wait()
		return got
	}
	flash := try(10, true)
	equal(t, len(flash), 1) // 2 of at most 3
	equal(t, len(try(10, false)), 2)
	for n := range 2 { // others are not concerned
		p := limited(true)
		p.Order.ViewerID = fmt.Sprintf("visitor:%d", n+2)
		must(s.PlaceOrder(t.Context(), p))(t)
	}
	ok(t, change(s, flash[0].ID, func(ctx context.Context, o *order.Order, l order.Ledger) error {
		return o.CancelBy(ctx, l, order.Who{Actor: order.Buyer}, "", epoch0)
	}))
	equal(t, len(try(5, true)), 1) // what came back may be had again
	level(t, s, "sku_a", stock.Level{Total: 100, Available: 90, Reserved: 10})
}

func testOrdersExpireOnce(t *testing.T, s Store) {
	ctx := t.Context()
	withSKU(t, s, "sku_a", 10)
	var all []order.Order
	for n := range 5 {
		all = append(all, placed(t, s, newOrder("visitor:1", epoch0.Add(time.Duration(n)*time.Minute), "sku_a")))
	}
	ok(t, change(s, all[0].ID, func(_ context.Context, o *order.Order, _ order.Ledger) error { return o.Begin("sandbox", epoch0) }))
	at := all[2].ExpiresAt
	due := must(s.DueOrders(ctx, at, 10))(t)
	equal(t, due, []string{all[0].ID, all[1].ID, all[2].ID})
	equal(t, must(s.DueOrders(ctx, at, 1))(t), due[:1])
	var wg sync.WaitGroup
	for _, o := range append(all, all...) { // two sweepers, and orders that are not due
		wg.Go(func() {
			if err := change(s, o.ID, func(ctx context.Context, o *order.Order, l order.Ledger) error { return o.ExpireAt(ctx, l, at) }); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	level(t, s, "sku_a", stock.Level{Total: 10, Available: 6, Reserved: 4})
	equal(t, len(must(s.DueOrders(ctx, at, 10))(t)), 0)
	equal(t, must(s.Order(ctx, order.Scope{}, all[0].ID))(t).State, order.Expired)
	equal(t, must(s.DueCloses(ctx, at, 10))(t), []string{all[0].ID})

	ship := all[4]
	ok(t, pay(s, &ship, "t", ship.Total, at))
	ok(t, change(s, ship.ID, func(ctx context.Context, o *order.Order, l order.Ledger) error {
		return o.ShipAs(ctx, l, order.Who{Actor: order.Merchant}, order.Shipping{Carrier: "SF", Number: "1"}, at)
	}))
	equal(t, len(must(s.ShippedOrders(ctx, at, 10))(t)), 0)
	equal(t, must(s.ShippedOrders(ctx, at.Add(1e6), 10))(t), []string{ship.ID})
}

// testLatePayment pays orders that have expired: pieces, coupons and limits decide.
func testLatePayment(t *testing.T, s Store) {
	ctx := t.Context()
	withSKU(t, s, "sku_a", 4)
	p := newOrder("visitor:1", epoch0, "sku_a")
	p.Order.Lines[0].Item.PerBuyer = 2
	lucky := placed(t, s, p)
	unlucky := placed(t, s, newOrder("visitor:2", epoch0, "sku_a"))
	at := lucky.ExpiresAt
	for _, o := range []order.Order{lucky, unlucky} {
		ok(t, change(s, o.ID, func(ctx context.Context, o *order.Order, l order.Ledger) error { return o.ExpireAt(ctx, l, at) }))
	}
	other := placed(t, s, newOrder("visitor:3", at, "sku_a"))
	ok(t, pay(s, &lucky, "t1", lucky.Total, at))
	ok(t, pay(s, &unlucky, "t2", unlucky.Total, at))
	level(t, s, "sku_a", stock.Level{Total: 4, Reserved: 2, Sold: 2})
	got := must(s.Order(ctx, order.Scope{}, lucky.ID))(t)
	equal(t, got.State, order.Paid)
	equal(t, got.Receipts[0].Outcome, order.Late)
	equal(t, got.Lines[0].Hold, order.Sold)
	got = must(s.Order(ctx, order.Scope{}, unlucky.ID))(t)
	equal(t, got.State, order.Refunding)
	equal(t, got.Lines[0].Hold, order.Released)
	equal(t, got.Repayments[0].Cause, order.ForLate)

	ok(t, change(s, other.ID, func(ctx context.Context, o *order.Order, l order.Ledger) error { // there is stock again
		return o.CancelBy(ctx, l, order.Who{Actor: order.Merchant}, "", at)
	}))
	ok(t, pay(s, &other, "t3", other.Total, at)) // who cancelled does not want it
	equal(t, must(s.Order(ctx, order.Scope{}, other.ID))(t).State, order.Refunding)
	second := newOrder("visitor:1", epoch0, "sku_a") // the limit is used up by the first
	second.Order.State, second.Order.Lines[0].Hold = order.Pending, order.Held
	late := placed(t, s, second)
	ok(t, change(s, late.ID, func(ctx context.Context, o *order.Order, l order.Ledger) error {
		o.Lines[0].Item.PerBuyer = 2
		return o.ExpireAt(ctx, l, at)
	}))
	ok(t, change(s, late.ID, func(ctx context.Context, o *order.Order, l order.Ledger) error {
		o.Lines[0].Item.PerBuyer = 2
		return o.Receive(ctx, l, receipt(o, "t4", o.Total, at), at)
	}))
	equal(t, must(s.Order(ctx, order.Scope{}, late.ID))(t).State, order.Refunding)
	level(t, s, "sku_a", stock.Level{Total: 4, Available: 2, Sold: 2})
}

func testAllotments(t *testing.T, s Store) {
	ctx := t.Context()
	withSKU(t, s, "sku_a", 10)
	show := withShow(t, s, 1, live.Live)
	pool := must(s.SetAllotment(ctx, show.ID, "sku_a", 3))(t)
	_, err := s.SetAllotment(ctx, show.ID, "sku_a", 11)
	kind(t, err, errs.Conflict)
	equal(t, must(s.SetAllotment(ctx, show.ID, "sku_a", 4))(t).Available, int64(4))
	found := must(s.PoolsForSale(ctx, show.ID, []string{"sku_a", "sku_b"}))(t)
	equal(t, len(found), 1)
	equal(t, []string{found["sku_a"][0].ID, found["sku_a"][1].ID}, []string{pool.ID, "sku_a"})
	equal(t, len(must(s.PoolsForSale(ctx, "", []string{"sku_a"}))(t)["sku_a"]), 1)
	order1 := newOrder("visitor:1", epoch0, "sku_a")
	order1.Pools[0] = []string{pool.ID, "sku_a"}
	o := placed(t, s, order1)
	equal(t, o.Lines[0].PoolID, pool.ID)
	_, err = s.SetAllotment(ctx, show.ID, "sku_a", 1)
	kind(t, err, errs.Conflict)
	big := newOrder("visitor:1", epoch0, "sku_a")
	big.Pools[0], big.Order.Lines[0].Quantity = []string{pool.ID, "sku_a"}, 3
	equal(t, placed(t, s, big).Lines[0].PoolID, "sku_a") // never partly from one, partly from the other

	equal(t, len(must(s.EndedAllotments(ctx))(t)), 0)
	show.State = live.Ended
	ok(t, s.UpdateShow(ctx, show))
	equal(t, must(s.EndedAllotments(ctx))(t), []string{show.ID})
	var back atomic.Int64
	var wg sync.WaitGroup
	for range 5 {
		wg.Go(func() {
			n, err := s.ReturnAllotments(context.Background(), show.ID, "")
			if err != nil {
				t.Error(err)
			}
			back.Add(int64(n))
		})
	}
	wg.Wait()
	equal(t, len(must(s.EndedAllotments(ctx))(t)), 0)
	level(t, s, "sku_a", stock.Level{Total: 10, Available: 5, Reserved: 5})
	ok(t, change(s, o.ID, func(ctx context.Context, o *order.Order, l order.Ledger) error {
		return o.CancelBy(ctx, l, order.Who{Actor: order.Buyer}, "", epoch0)
	}))
	pools := must(s.Pools(ctx, "sku_a"))(t) // what comes back to a closed pool goes to the main one
	equal(t, pools[0].Level, stock.Level{Total: 10, Available: 7, Reserved: 3})
	equal(t, pools[1].Level, stock.Level{})
	equal(t, len(must(s.Allotments(ctx, show.ID))(t)), 1)
	must(s.SetAllotment(ctx, show.ID, "sku_a", 1))(t) // and another one may be made
	equal(t, must(s.ReturnAllotments(ctx, show.ID, "sku_b"))(t), 0)
	equal(t, must(s.ReturnAllotments(ctx, show.ID, "sku_a"))(t), 1)
}
