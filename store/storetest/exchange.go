package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/commerce/exchange"
	"github.com/vitrine-live/vitrine/commerce/stock"
	"github.com/vitrine-live/vitrine/internal/errs"
)

func newImport(n int) exchange.Import {
	return exchange.Import{
		ID: "imp_" + string(rune('0'+n)), StoreID: account.DefaultStore, Format: exchange.CSV, State: exchange.Waiting, By: "admin",
		CreatedAt: epoch0.Add(time.Duration(n) * time.Second),
	}
}

func testImports(t *testing.T, s Store) {
	ctx := t.Context()
	a, b := newImport(1), newImport(2)
	b.DryRun, b.Format = true, exchange.JSON
	ok(t, s.CreateImport(ctx, a))
	ok(t, s.CreateImport(ctx, b))
	a.State, a.Read, a.Valid, a.Reason, a.EndedAt = exchange.Failed, 3, 2, "one thing is wrong", epoch0.Add(time.Minute)
	a.Errors = []commerce.RowError{{Row: 3, Column: "price", Message: "\"x\" is no price"}}
	ok(t, s.SaveImport(ctx, a))
	equal(t, must(s.Import(ctx, a.StoreID, a.ID))(t), a)
	_, err := s.Import(ctx, "store_x", a.ID)
	kind(t, err, errs.NotFound)
	kind(t, s.SaveImport(ctx, newImport(9)), errs.NotFound)
	equal(t, must(s.Imports(ctx, a.StoreID, "", 9))(t), []exchange.Import{b, a})
	equal(t, must(s.Imports(ctx, a.StoreID, b.ID, 9))(t), []exchange.Import{a})
	equal(t, must(s.OpenImports(ctx))(t), []exchange.Import{b})
}

func testImportTargets(t *testing.T, s Store) {
	ctx := t.Context()
	a, b, other := newGoods(1), newGoods(2), newGoods(3)
	other.StoreID = "store_x"
	for _, p := range []commerce.Product{a, b, other} {
		ok(t, s.CreateProduct(ctx, p))
	}
	products, owners, err := s.ImportTargets(ctx, a.StoreID, []string{a.ID, other.ID, "prod_x"}, []string{"B", a.SKUs[0].Code, b.SKUs[0].Code, other.SKUs[0].Code})
	ok(t, err)
	equal(t, products, map[string]commerce.Product{a.ID: a, b.ID: b})
	equal(t, owners, map[string]string{a.SKUs[0].Code: a.ID, b.SKUs[0].Code: b.ID})
}

// testApplyImport writes all of a plan with its import, or nothing of either.
func testApplyImport(t *testing.T, s Store) {
	ctx := t.Context()
	old, fresh, done := newGoods(1), newGoods(2), newImport(1)
	ok(t, s.CreateProduct(ctx, old))
	ok(t, s.CreateImport(ctx, done))
	done.State, done.Applied, done.EndedAt = exchange.Done, 2, epoch0
	plan := &commerce.ImportPlan{StoreID: old.StoreID, Updates: []commerce.PlannedUpdate{{
		Row: 2, ID: old.ID, Change: func(p *commerce.Product) error { p.Title = "New"; return nil },
		Stock: []commerce.StockChange{{SKU: old.SKUs[0].ID, Total: new(int64(50))}},
	}}}
	clash := fresh
	clash.SKUs = append([]commerce.SKU(nil), fresh.SKUs...)
	clash.SKUs[1].Code = old.SKUs[0].Code
	plan.Creates = []commerce.PlannedCreate{{Row: 3, Product: clash}}
	err := s.ApplyImport(ctx, plan, done)
	kind(t, err, errs.Conflict)
	var at *commerce.RowError
	if !errors.As(err, &at) || at.Row != 3 || at.Column != "code" {
		t.Errorf("got %v", err)
	}
	equal(t, must(s.Product(ctx, old.ID))(t), old)
	equal(t, must(s.Import(ctx, done.StoreID, done.ID))(t).State, exchange.Waiting)

	plan.Creates[0].Product = fresh
	ok(t, s.ApplyImport(ctx, plan, done))
	got := must(s.Product(ctx, old.ID))(t)
	equal(t, got.Title, "New")
	equal(t, got.SKUs[0].Total, int64(50))
	equal(t, must(s.Product(ctx, fresh.ID))(t), fresh)
	equal(t, must(s.Import(ctx, done.StoreID, done.ID))(t), done)
	equal(t, stock.Sum(must(s.Pools(ctx, old.SKUs[0].ID))(t)), stock.Level{Total: 50, Available: 50})
}

// testSellable sells what may be sold, at the price of the show while it holds.
func testSellable(t *testing.T, s Store) {
	ctx := t.Context()
	now := epoch0
	c := commerce.NewCatalogue(s, func() time.Time { return now })
	show := withShow(t, s, 1, "live")
	p := newGoods(1)
	ok(t, s.CreateProduct(ctx, p))
	a, b := p.SKUs[1].ID, p.SKUs[0].ID
	must(c.SetShowPrice(ctx, commerce.ShowPrice{ShowID: show.ID, SKU: a, Price: 9900, ReplayHours: 2}))(t)
	one := func(skuID, showID string) commerce.Sellable {
		t.Helper()
		return must(c.Sellable(ctx, []string{skuID}, showID, now))(t)[0]
	}
	if got := one(a, show.ID); got.Show == nil || got.Show.Unit != 9900 || got.Show.Ref == "" || got.Price != 19900 || got.Refused != "" {
		t.Errorf("%+v", got)
	}
	for name, skuShow := range map[string][2]string{"another SKU": {b, show.ID}, "no show": {a, ""}} {
		if got := one(skuShow[0], skuShow[1]); got.Show != nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
	show.State, show.EndedAt = "ended", now
	ok(t, s.UpdateShow(ctx, show))
	for after, holds := range map[time.Duration]bool{0: true, 119 * time.Minute: true, 2 * time.Hour: false} {
		if now = epoch0.Add(after); (one(a, show.ID).Show != nil) != holds {
			t.Errorf("%v after the end it holds: %v", after, !holds)
		}
	}
	both := must(c.Sellable(ctx, []string{b, a}, "", now))(t)
	equal(t, []string{both[0].SKU, both[1].SKU}, []string{b, a})
	_, err := c.Sellable(ctx, []string{a, "sku_x"}, "", now)
	kind(t, err, errs.NotFound)
	refused := func(why string) {
		t.Helper()
		if one(a, "").Refused == "" {
			t.Errorf("%s is sold", why)
		}
	}
	change := func(u commerce.ProductUpdate) {
		t.Helper()
		must(c.Update(ctx, p.StoreID, p.ID, u))(t)
	}
	change(commerce.ProductUpdate{Title: new("国家级茶杯")})
	refused("what is flagged")
	change(commerce.ProductUpdate{Title: new("茶杯"), URL: new("https://shop.example/")})
	refused("what is sold elsewhere")
	change(commerce.ProductUpdate{URL: new("")})
	equal(t, one(a, "").Refused, "")
	ok(t, c.Delete(ctx, p.StoreID, p.ID))
	refused("what is deleted")
}
