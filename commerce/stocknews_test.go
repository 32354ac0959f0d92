package commerce

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// shelf is a store with one product in one bag, whose pieces a test sets.
type shelf struct {
	catalogueStore

	mu      sync.Mutex
	product Product
}

func (s *shelf) OfferedSKUs(_ context.Context, ids []string) (map[string]Offered, error) {
	found := map[string]Offered{}
	for _, id := range ids {
		found[id] = Offered{Sellable: Sellable{SKU: id, ProductID: s.product.ID}}
	}
	return found, nil
}

func (s *shelf) Product(context.Context, string) (Product, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.product.clone(), nil
}

func (s *shelf) RoomsWithProduct(context.Context, string) ([]string, error) {
	return []string{"on air", "idle"}, nil
}

func (s *shelf) set(available int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.product.SKUs[0].Available = available
}

// ears are the viewers of the room that is on air.
type ears struct {
	mu    sync.Mutex
	heard []int64
}

// take returns what was heard since the last time.
func (e *ears) take() []int64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	heard := e.heard
	e.heard = nil
	return heard
}

func (e *ears) OnAirNow(roomID string) (string, int64, bool) { return "show", 0, roomID == "on air" }

func (e *ears) Tell(_ context.Context, showID, typ string, _ *int64, data any) (int64, error) {
	if showID != "show" || typ != "stock" {
		panic(showID + typ)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.heard = append(e.heard, data.(stockNews).Available) //nolint:forcetypeassert // what is told
	return 0, nil
}

func TestStockNews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &shelf{product: Product{ID: "prod_1", SKUs: []SKU{{ID: "sku_1", Tracked: true}}}}
		heard := &ears{}
		news := NewStockNews(NewCatalogue(store, nil), heard, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); news.Run(ctx) }()
		sell := func(pause time.Duration, left ...int64) {
			for _, n := range left {
				store.set(n)
				news.StockChanged(ctx, []string{"sku_1"})
			}
			time.Sleep(pause)
			synctest.Wait()
		}
		hear := func(want ...int64) {
			t.Helper()
			if diff := cmp.Diff(want, heard.take()); diff != "" {
				t.Errorf("heard (-want +got)\n%s", diff)
			}
		}
		sell(time.Second, 99, 98, 97)
		hear(97)                      // many changes at once
		sell(time.Second, 90, 80, 70) // plenty: later
		hear()
		sell(plentyPause)
		hear(70)
		sell(time.Second, 9)
		hear(9) // the last few at once
		sell(time.Second, 3, 0)
		hear(0)
		sell(time.Second, 0)
		hear() // nothing new
		sell(time.Second, 50)
		hear(50) // it is back
		cancel()
		<-done
	})
}
