package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/ids"
)

// testCatalogue runs the commerce service over the store.
func testCatalogue(t *testing.T, s Store) {
	ctx := t.Context()
	now := epoch0
	c := commerce.NewCatalogue(s, func() time.Time { return now })
	lamp := must(c.Create(ctx, commerce.Product{
		Title: "  Lamp ", Price: commerce.Money{Amount: 19900, Currency: "CNY"}, URL: "https://shop.example/lamp", Stock: new(int64(9)),
	}))(t)
	if !ids.Valid("prod", lamp.ID) || lamp.Title != "Lamp" || !lamp.CreatedAt.Equal(now) {
		t.Errorf("created %+v", lamp)
	}
	equal(t, must(c.Get(ctx, lamp.ID))(t), lamp)
	_, err := c.Create(ctx, commerce.Product{Title: "Lamp", Price: commerce.Money{Amount: 1, Currency: "yuan"}})
	kind(t, err, errs.Invalid)
	equal(t, errs.FieldOf(err), "currency")

	now = now.Add(time.Minute)
	title, stock := "Bright lamp", int64(3)
	lamp.Title, lamp.Stock, lamp.UpdatedAt = title, &stock, now
	equal(t, must(c.Update(ctx, lamp.StoreID, lamp.ID, commerce.ProductUpdate{Title: &title, Stock: &stock}))(t), lamp)
	lamp.Stock = nil
	equal(t, must(c.Update(ctx, lamp.StoreID, lamp.ID, commerce.ProductUpdate{HideStock: true}))(t), lamp)
	empty := " "
	_, err = c.Update(ctx, lamp.StoreID, lamp.ID, commerce.ProductUpdate{Title: &empty})
	kind(t, err, errs.Invalid)
	equal(t, must(c.Get(ctx, lamp.ID))(t), lamp)

	room := withRoom(t, s, 1)
	_, err = c.SetBag(ctx, room.ID, []string{lamp.ID, lamp.ID})
	kind(t, err, errs.Invalid)
	equal(t, must(c.SetBag(ctx, room.ID, []string{lamp.ID}))(t), []commerce.Product{inBag(lamp)})
	equal(t, must(c.RoomsWithProduct(ctx, lamp.ID))(t), []string{room.ID})
	ok(t, c.Delete(ctx, lamp.StoreID, lamp.ID))
	kind(t, c.Delete(ctx, lamp.StoreID, lamp.ID), errs.NotFound)
	equal(t, len(must(c.Bag(ctx, room.ID))(t)), 0)
}

// testCataloguePages reads a list page by page while it changes: what is there throughout is listed once.
func testCataloguePages(t *testing.T, s Store) {
	ctx := t.Context()
	now := epoch0
	c := commerce.NewCatalogue(s, func() time.Time { return now })
	create := func(n int) string {
		now = epoch0.Add(time.Duration(n/3) * time.Millisecond) // some of the same age
		return must(c.Create(ctx, commerce.Product{Title: fmt.Sprint(n), Price: commerce.Money{Currency: "CNY"}}))(t).ID
	}
	lasting := map[string]bool{}
	for n := range 20 {
		lasting[create(n)] = true
	}
	seen := map[string]int{}
	for cursor, n := "", 20; ; n++ {
		page := must(c.List(ctx, commerce.ProductFilter{StoreID: account.DefaultStore, Cursor: cursor, Limit: 3}))(t)
		for _, p := range page.Products {
			seen[p.ID]++
		}
		if page.Next == "" {
			break
		}
		cursor = page.Next
		create(n + 100)
		last := page.Products[len(page.Products)-1].ID // the very one that the cursor stands on
		ok(t, c.Delete(ctx, account.DefaultStore, last))
		delete(lasting, last)
		if n > 60 {
			t.Fatal("the list does not end")
		}
	}
	for id := range lasting {
		if seen[id] != 1 {
			t.Errorf("%s was listed %d times", id, seen[id])
		}
	}
	for _, f := range []commerce.ProductFilter{{Limit: -1}, {Limit: commerce.MaxPage + 1}, {Cursor: "?"}} {
		_, err := c.List(ctx, f)
		kind(t, err, errs.Invalid)
	}
}
