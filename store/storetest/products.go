package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/commerce/stock"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/live"
)

// catalogueStore is what package commerce asks of an adapter.
type catalogueStore interface {
	StoreCurrency(ctx context.Context, storeID string) (string, error)
	CreateProduct(ctx context.Context, p commerce.Product) error
	Product(ctx context.Context, id string) (commerce.Product, error)
	Products(ctx context.Context, q commerce.ProductQuery) ([]commerce.Product, error)
	UpdateProduct(ctx context.Context, storeID, id string, change func(*commerce.Product) error) (commerce.Product, error)
	DeleteProduct(ctx context.Context, storeID, id string) error

	Bag(ctx context.Context, roomID string) ([]commerce.Product, error)
	SetBag(ctx context.Context, roomID string, productIDs []string) error
	RoomsWithProduct(ctx context.Context, productID string) ([]string, error)

	OfferedSKUs(ctx context.Context, skuIDs []string) (map[string]commerce.Offered, error)
	ImportTargets(ctx context.Context, storeID string, productIDs, codes []string) (map[string]commerce.Product, map[string]string, error)
	ShopShow(ctx context.Context, showID string) (commerce.Show, error)
	ShowPrices(ctx context.Context, showID string) ([]commerce.ShowPrice, error)
	SetShowPrice(ctx context.Context, p commerce.ShowPrice) (commerce.ShowPrice, error)
	DeleteShowPrice(ctx context.Context, showID, skuID string) error

	Pools(ctx context.Context, skuID string) ([]stock.Pool, error)
	ChangeStock(ctx context.Context, storeID, productID string, changes []commerce.StockChange) error
}

// newProduct is one that leads to a web page.
func newProduct(n int) commerce.Product {
	return commerce.Product{
		ID: fmt.Sprintf("prod_%016d", n), StoreID: account.DefaultStore, Title: "台灯 💡", Points: []string{"实木底座", "\"Solid\" wood"},
		Price: commerce.Money{Amount: 19900, Currency: "CNY"}, PriceMax: 19900, Display: commerce.DisplayOne, Link: commerce.LinkURL,
		URL: "https://shop.example/lamp?a=1&b='2'", Images: []string{"/img/lamp.jpg", "/img/\"lamp\"2.jpg"}, SKUCount: 1,
		SKUs:      []commerce.SKU{{ID: fmt.Sprintf("sku_%016d", n), Price: 19900}},
		Audit:     commerce.Audit{State: commerce.Approved},
		CreatedAt: epoch0.Add(time.Duration(n) * time.Second), UpdatedAt: epoch0.Add(time.Duration(n) * time.Second),
	}
}

// newGoods is a product that is bought here, with two SKUs of 5 and 7 pieces.
func newGoods(n int) commerce.Product {
	p := newProduct(n)
	p.URL, p.Link, p.Display, p.PriceMax, p.SKUCount, p.Stock = "", commerce.LinkCheckout, commerce.DisplayAuto, 25900, 2, new(int64(12))
	p.SKUs = []commerce.SKU{
		{
			ID: fmt.Sprintf("sku_a%015d", n), Code: fmt.Sprintf("A-%d", n), Attributes: []commerce.Attribute{{Name: "颜色", Value: "红"}, {Name: "Size", Value: "XL"}},
			Price: 25900, Original: 29900, PerBuyer: 2, Tracked: true, Total: 5, Available: 5,
		},
		{ID: fmt.Sprintf("sku_b%015d", n), Attributes: []commerce.Attribute{{Name: "颜色", Value: "蓝"}}, Price: 19900, Tracked: true, Total: 7, Available: 7},
	}
	return p
}

// inBag is a product as a bag has it.
func inBag(p commerce.Product) commerce.Product {
	p.SKUs = nil
	return p
}

func testProducts(t *testing.T, s Store) {
	ctx := t.Context()
	p := newProduct(1)
	ok(t, s.CreateProduct(ctx, p))
	equal(t, must(s.Product(ctx, p.ID))(t), p)
	kind(t, s.CreateProduct(ctx, p), errs.Conflict)

	stocked, stock := newProduct(2), int64(0)
	stocked.Stock = &stock
	stocked.Price = commerce.Money{Amount: commerce.MaxAmount, Currency: "KWD"}
	ok(t, s.CreateProduct(ctx, stocked))
	equal(t, must(s.Product(ctx, stocked.ID))(t), stocked)

	goods := newGoods(3)
	goods.Audit = commerce.Audit{
		State: commerce.Flagged, Reasons: []commerce.Reason{{Rule: "claim", Field: "title", Detail: "最佳"}}, Note: "no", By: "admin", At: epoch0,
		Prices: map[string]int64{goods.SKUs[0].ID: 1},
	}
	ok(t, s.CreateProduct(ctx, goods))
	equal(t, must(s.Product(ctx, goods.ID))(t), goods)

	kind(t, s.DeleteProduct(ctx, "store_x", p.ID), errs.NotFound)
	ok(t, s.DeleteProduct(ctx, p.StoreID, p.ID))
	kind(t, s.DeleteProduct(ctx, p.StoreID, p.ID), errs.NotFound)
	_, err := s.Product(ctx, p.ID)
	kind(t, err, errs.NotFound)
	_, err = s.UpdateProduct(ctx, p.StoreID, p.ID, func(*commerce.Product) error { return nil })
	kind(t, err, errs.NotFound)
	equal(t, must(s.StoreCurrency(ctx, account.DefaultStore))(t), "CNY")
	_, err = s.StoreCurrency(ctx, "store_x")
	kind(t, err, errs.NotFound)
}

func testProductCodes(t *testing.T, s Store) {
	ctx := t.Context()
	a, b := newGoods(1), newGoods(2)
	ok(t, s.CreateProduct(ctx, a))
	b.SKUs[1].Code = a.SKUs[0].Code
	err := s.CreateProduct(ctx, b)
	kind(t, err, errs.Conflict)
	equal(t, errs.FieldOf(err), "code")
	_, err = s.Product(ctx, b.ID) // all or nothing
	kind(t, err, errs.NotFound)
	b.SKUs[1].Code = ""
	ok(t, s.CreateProduct(ctx, b))
	_, err = s.UpdateProduct(ctx, b.StoreID, b.ID, func(p *commerce.Product) error {
		p.SKUs[1].Code = a.SKUs[0].Code
		return nil
	})
	kind(t, err, errs.Conflict)
	ok(t, s.DeleteProduct(ctx, a.StoreID, a.ID)) // its codes are free again
	_, err = s.UpdateProduct(ctx, b.StoreID, b.ID, func(p *commerce.Product) error {
		p.SKUs[1].Code = a.SKUs[0].Code
		return nil
	})
	ok(t, err)
}

func testSKUChanges(t *testing.T, s Store) {
	ctx := t.Context()
	p := newGoods(1)
	ok(t, s.CreateProduct(ctx, p))
	first, second := p.SKUs[0], p.SKUs[1]
	third := commerce.SKU{ID: "sku_c000000000000001", Code: first.Code, Price: 100, Tracked: true, Total: 3, Available: 3}
	second.Price, second.Tracked = 30000, false
	_, err := s.UpdateProduct(ctx, p.StoreID, p.ID, func(p *commerce.Product) error {
		p.SKUs = []commerce.SKU{third, second} // the first goes, its code with it
		p.Price.Amount, p.PriceMax = 100, 30000
		return nil
	})
	ok(t, err)
	got := must(s.Product(ctx, p.ID))(t)
	p.SKUs, p.Price.Amount, p.PriceMax, p.Stock = []commerce.SKU{third, second}, 100, 30000, nil // one is not counted
	equal(t, got, p)
	equal(t, must(s.Pools(ctx, first.ID))(t), []stock.Pool{{ID: first.ID, SKU: first.ID, Kind: stock.Main, Level: stock.Level{Total: 5, Available: 5}}})
	_, err = s.UpdateProduct(ctx, "store_x", p.ID, func(*commerce.Product) error { return nil })
	kind(t, err, errs.NotFound)
}

func testOfferedSKUs(t *testing.T, s Store) {
	ctx := t.Context()
	p, other := newGoods(1), newProduct(2)
	ok(t, s.CreateProduct(ctx, p))
	ok(t, s.CreateProduct(ctx, other))
	ok(t, s.DeleteProduct(ctx, other.StoreID, other.ID))
	got := must(s.OfferedSKUs(ctx, []string{p.SKUs[0].ID, other.SKUs[0].ID, "sku_x", p.SKUs[0].ID}))(t)
	sku := p.SKUs[0]
	want := commerce.Offered{
		Sellable: commerce.Sellable{
			SKU: sku.ID, ProductID: p.ID, StoreID: p.StoreID, Code: sku.Code, Title: p.Title, ImageURL: p.Images[0], Attributes: sku.Attributes,
			Price: sku.Price, Original: sku.Original, Currency: "CNY", PerBuyer: 2, Tracked: true,
		},
		Link: commerce.LinkCheckout, Audit: commerce.Approved,
	}
	equal(t, len(got), 2)
	equal(t, got[sku.ID], want)
	equal(t, got[other.SKUs[0].ID].Deleted, true)
	equal(t, len(must(s.OfferedSKUs(ctx, nil))(t)), 0)
}

func testShowPrices(t *testing.T, s Store) {
	ctx := t.Context()
	show := withShow(t, s, 1, live.Live)
	p := newGoods(1)
	ok(t, s.CreateProduct(ctx, p))
	equal(t, len(must(s.ShowPrices(ctx, show.ID))(t)), 0)
	a := commerce.ShowPrice{ID: "shp_1", StoreID: p.StoreID, ShowID: show.ID, SKU: p.SKUs[0].ID, ProductID: p.ID, Price: 100, ReplayHours: 2}
	b := commerce.ShowPrice{ID: "shp_2", StoreID: p.StoreID, ShowID: show.ID, SKU: p.SKUs[1].ID, ProductID: p.ID, Price: 200}
	equal(t, must(s.SetShowPrice(ctx, b))(t), b)
	equal(t, must(s.SetShowPrice(ctx, a))(t), a)
	again := a
	again.ID, again.Price, again.ReplayHours = "shp_3", 50, 0
	a.Price, a.ReplayHours = 50, 0
	equal(t, must(s.SetShowPrice(ctx, again))(t), a)
	equal(t, must(s.ShowPrices(ctx, show.ID))(t), []commerce.ShowPrice{a, b})
	ok(t, s.DeleteShowPrice(ctx, show.ID, a.SKU))
	kind(t, s.DeleteShowPrice(ctx, show.ID, a.SKU), errs.NotFound)
	equal(t, must(s.ShowPrices(ctx, show.ID))(t), []commerce.ShowPrice{b})
	_, err := s.SetShowPrice(ctx, commerce.ShowPrice{ID: "shp_4", ShowID: "show_x", SKU: a.SKU})
	kind(t, err, errs.NotFound)

	got := must(s.ShopShow(ctx, show.ID))(t)
	equal(t, got, commerce.Show{ID: show.ID, RoomID: show.RoomID, StoreID: show.StoreID, Title: show.Title, State: "live"})
	_, err = s.ShopShow(ctx, "show_x")
	kind(t, err, errs.NotFound)
}

func testProductList(t *testing.T, s Store) {
	ctx := t.Context()
	var want []commerce.Product // newest first; two of the same age are in the order of their IDs
	for n := 5; n > 0; n-- {
		p := newProduct(n)
		if n == 3 {
			p.CreatedAt = newProduct(4).CreatedAt
		}
		ok(t, s.CreateProduct(ctx, p))
		want = append(want, p)
	}
	list := func(before commerce.ProductKey, limit int) []commerce.Product {
		return must(s.Products(ctx, commerce.ProductQuery{StoreID: account.DefaultStore, Before: before, Limit: limit}))(t)
	}
	equal(t, list(commerce.ProductKey{}, 2), want[:2])
	for i := range want {
		key := commerce.ProductKey{CreatedAt: want[i].CreatedAt, ID: want[i].ID}
		equal(t, len(list(key, 9)), len(want)-1-i)
	}
	equal(t, len(must(s.Products(ctx, commerce.ProductQuery{StoreID: "store_x", Limit: 9}))(t)), 0)
	flagged := want[2]
	flagged.Audit.State = commerce.Flagged
	_, err := s.UpdateProduct(ctx, flagged.StoreID, flagged.ID, func(p *commerce.Product) error { *p = flagged; return nil })
	ok(t, err)
	q := commerce.ProductQuery{StoreID: account.DefaultStore, Audit: commerce.Flagged, Limit: 9}
	equal(t, must(s.Products(ctx, q))(t), []commerce.Product{flagged})
	q.Audit = commerce.Approved
	equal(t, len(must(s.Products(ctx, q))(t)), 4)
}

func testProductUpdate(t *testing.T, s Store) {
	ctx := t.Context()
	p := newProduct(1)
	ok(t, s.CreateProduct(ctx, p))
	_, err := s.UpdateProduct(ctx, account.DefaultStore, "prod_x", func(*commerce.Product) error { return nil })
	kind(t, err, errs.NotFound)
	refused := errors.New("refused")
	_, err = s.UpdateProduct(ctx, p.StoreID, p.ID, func(p *commerce.Product) error {
		p.Title = "must not stay"
		return refused
	})
	if !errors.Is(err, refused) {
		t.Errorf("got %v, want %v", err, refused)
	}
	equal(t, must(s.Product(ctx, p.ID))(t), p)

	var wg sync.WaitGroup // each of these changes must be made upon the one before
	for range 20 {
		wg.Go(func() {
			_, err := s.UpdateProduct(ctx, p.StoreID, p.ID, func(p *commerce.Product) error {
				p.Price.Amount++
				p.UpdatedAt = epoch0.Add(time.Hour)
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	p.Price.Amount += 20
	p.UpdatedAt = epoch0.Add(time.Hour)
	equal(t, must(s.Product(ctx, p.ID))(t), p)
}

func testBags(t *testing.T, s Store) {
	ctx := t.Context()
	room, other := withRoom(t, s, 1), withRoom(t, s, 2)
	a, b, c := newProduct(1), newGoods(2), newProduct(3)
	for _, p := range []commerce.Product{a, b, c} {
		ok(t, s.CreateProduct(ctx, p))
	}
	equal(t, len(must(s.Bag(ctx, room.ID))(t)), 0)
	ok(t, s.SetBag(ctx, room.ID, []string{c.ID, a.ID, b.ID}))
	equal(t, must(s.Bag(ctx, room.ID))(t), []commerce.Product{inBag(c), inBag(a), inBag(b)})

	kind(t, s.SetBag(ctx, room.ID, []string{a.ID, "prod_x"}), errs.NotFound)
	kind(t, s.SetBag(ctx, room.ID, []string{a.ID, a.ID}), errs.Conflict)
	kind(t, s.SetBag(ctx, "room_x", nil), errs.NotFound)
	foreign := newProduct(4)
	foreign.StoreID = "store_x"
	ok(t, s.CreateProduct(ctx, foreign))
	kind(t, s.SetBag(ctx, room.ID, []string{foreign.ID}), errs.NotFound)
	_, err := s.Bag(ctx, "room_x")
	kind(t, err, errs.NotFound)
	equal(t, must(s.Bag(ctx, room.ID))(t), []commerce.Product{inBag(c), inBag(a), inBag(b)}) // all or nothing

	ok(t, s.SetBag(ctx, other.ID, []string{a.ID}))
	equal(t, must(s.RoomsWithProduct(ctx, a.ID))(t), []string{room.ID, other.ID})
	ok(t, s.DeleteProduct(ctx, a.StoreID, a.ID))
	equal(t, must(s.Bag(ctx, room.ID))(t), []commerce.Product{inBag(c), inBag(b)})
	ok(t, s.SetBag(ctx, room.ID, nil))
	equal(t, len(must(s.Bag(ctx, room.ID))(t)), 0)
}

func testStockChanges(t *testing.T, s Store) {
	ctx := t.Context()
	p := newGoods(1)
	ok(t, s.CreateProduct(ctx, p))
	a, b := p.SKUs[0].ID, p.SKUs[1].ID
	level := func(sku string) stock.Level {
		t.Helper()
		l := stock.Sum(must(s.Pools(ctx, sku))(t))
		if !l.Whole() {
			t.Errorf("%s: %+v", sku, l)
		}
		return l
	}
	ok(t, s.ChangeStock(ctx, p.StoreID, p.ID, []commerce.StockChange{{SKU: a, Total: new(int64(50))}, {SKU: b, Adjust: new(int64(-7))}}))
	equal(t, level(a).Available, int64(50))
	equal(t, level(b), stock.Level{})
	kind(t, s.ChangeStock(ctx, p.StoreID, p.ID, []commerce.StockChange{{SKU: a, Total: new(int64(9))}, {SKU: b, Adjust: new(int64(-1))}}), errs.Conflict)
	kind(t, s.ChangeStock(ctx, p.StoreID, p.ID, []commerce.StockChange{{SKU: a, Adjust: new(int64(commerce.MaxStock))}}), errs.Conflict)
	kind(t, s.ChangeStock(ctx, "store_x", p.ID, []commerce.StockChange{{SKU: a, Adjust: new(int64(1))}}), errs.NotFound)
	kind(t, s.ChangeStock(ctx, p.StoreID, "prod_x", []commerce.StockChange{{SKU: a, Adjust: new(int64(1))}}), errs.NotFound)
	equal(t, level(a).Available, int64(50))

	var wg sync.WaitGroup // some come, some go, some count anew: nothing is lost between them
	for n := range 12 {
		wg.Go(func() {
			err := s.ChangeStock(ctx, p.StoreID, p.ID, []commerce.StockChange{{SKU: a, Adjust: new(int64(n%2*2 - 1))}, {SKU: b, Adjust: new(int64(1))}})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	equal(t, level(a).Total, int64(50))
	equal(t, level(b).Total, int64(12))

	untracked := newProduct(2)
	ok(t, s.CreateProduct(ctx, untracked))
	ok(t, s.ChangeStock(ctx, untracked.StoreID, untracked.ID, []commerce.StockChange{{SKU: untracked.SKUs[0].ID, Total: new(int64(3))}}))
	equal(t, must(s.Product(ctx, untracked.ID))(t).SKUs[0].Tracked, true)
}
