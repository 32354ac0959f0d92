package order

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/commerce/stock"
)

// stage is a show that keeps what it was told.
type stage struct {
	mu   sync.Mutex
	told []any
}

func (s *stage) heard() []any {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.told)
}

func (s *stage) Tell(_ context.Context, _, _ string, _ *int64, data any) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.told = append(s.told, data)
	return 0, nil
}

func (s *stage) ShopShow(context.Context, string) (commerce.Show, error) {
	return commerce.Show{}, nil
}

// A show hears of one order a second, of the newest, and never who it was; of the pool of a flash sale others hear at once.
func TestBubbles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		show, pools := &stage{}, &stage{}
		s := New(Config{}, Deps{
			Shows: show, Log: slog.New(slog.DiscardHandler), PoolChanged: func(ctx context.Context, id string) { _, _ = pools.Tell(ctx, "", "", nil, id) },
		})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); s.announce.run(ctx) }()
		buy := func(name string, left ...stock.Left) {
			o := Order{Buyer: name, State: Paid, Lines: []Line{{ProductID: "prod_1", Quantity: 2, Attribution: commerce.Attribution{ShowID: "show_1"}}}}
			s.announce.changed(ctx, &o, Pending, left)
			synctest.Wait()
		}
		buy("Ann")
		for range 10 {
			buy("Bob")
		}
		buy("Cai", stock.Left{PoolID: "fls_1", Kind: stock.Flash}, stock.Left{PoolID: "sku_1", Kind: stock.Main})
		if diff := cmp.Diff([]any{"fls_1"}, pools.heard()); diff != "" {
			t.Error(diff)
		}
		want := []any{bubble{"prod_1", "A**", 2}}
		if diff := cmp.Diff(want, show.heard()); diff != "" {
			t.Error(diff)
		}
		time.Sleep(2 * time.Second) // the test's own clock
		synctest.Wait()
		if diff := cmp.Diff(append(want, bubble{"prod_1", "C**", 2}), show.heard()); diff != "" {
			t.Error(diff)
		}
		o := Order{State: Shipped, Lines: []Line{{Attribution: commerce.Attribution{ShowID: "show_1"}}}}
		s.announce.changed(ctx, &o, Paid, nil)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if len(show.heard()) != 2 {
			t.Errorf("told of a parcel: %v", show.heard())
		}
		cancel()
		<-done
	})
}
