package storetest

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/internal/errs"
)

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

	ok(t, s.DeleteProduct(ctx, p.ID))
	kind(t, s.DeleteProduct(ctx, p.ID), errs.NotFound)
	_, err := s.Product(ctx, p.ID)
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
	equal(t, must(s.Products(ctx, commerce.ProductKey{}, 2))(t), want[:2])
	for i := range want {
		key := commerce.ProductKey{CreatedAt: want[i].CreatedAt, ID: want[i].ID}
		equal(t, len(must(s.Products(ctx, key, 9))(t)), len(want)-1-i)
	}
}

func testProductUpdate(t *testing.T, s Store) {
	ctx := t.Context()
	p := newProduct(1)
	ok(t, s.CreateProduct(ctx, p))
	_, err := s.UpdateProduct(ctx, "prod_x", func(*commerce.Product) error { return nil })
	kind(t, err, errs.NotFound)
	refused := errors.New("refused")
	_, err = s.UpdateProduct(ctx, p.ID, func(p *commerce.Product) error {
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
			_, err := s.UpdateProduct(ctx, p.ID, func(p *commerce.Product) error {
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
	a, b, c := newProduct(1), newProduct(2), newProduct(3)
	for _, p := range []commerce.Product{a, b, c} {
		ok(t, s.CreateProduct(ctx, p))
	}
	equal(t, len(must(s.Bag(ctx, room.ID))(t)), 0)
	ok(t, s.SetBag(ctx, room.ID, []string{c.ID, a.ID, b.ID}))
	equal(t, must(s.Bag(ctx, room.ID))(t), []commerce.Product{c, a, b})

	kind(t, s.SetBag(ctx, room.ID, []string{a.ID, "prod_x"}), errs.NotFound)
	kind(t, s.SetBag(ctx, room.ID, []string{a.ID, a.ID}), errs.Conflict)
	kind(t, s.SetBag(ctx, "room_x", nil), errs.NotFound)
	_, err := s.Bag(ctx, "room_x")
	kind(t, err, errs.NotFound)
	equal(t, must(s.Bag(ctx, room.ID))(t), []commerce.Product{c, a, b}) // all or nothing

	ok(t, s.SetBag(ctx, other.ID, []string{a.ID}))
	equal(t, must(s.RoomsWithProduct(ctx, a.ID))(t), []string{room.ID, other.ID})
	ok(t, s.DeleteProduct(ctx, a.ID))
	equal(t, must(s.Bag(ctx, room.ID))(t), []commerce.Product{c, b})
	ok(t, s.SetBag(ctx, room.ID, nil))
	equal(t, len(must(s.Bag(ctx, room.ID))(t)), 0)
}
