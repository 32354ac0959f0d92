package storetest

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/commerce/mall"
	"github.com/vitrine-live/vitrine/internal/cursor"
	"github.com/vitrine-live/vitrine/internal/errs"
)

type mallStore interface {
	Mall(ctx context.Context, storeID string) (mall.Mall, error)
	UpdateMall(ctx context.Context, storeID string, change func(*mall.Mall)) (mall.Mall, error)
	KeepExternalOrder(ctx context.Context, o mall.Order) (mall.Order, bool, error)
	ExternalOrders(ctx context.Context, storeID string, before cursor.Key, limit int) ([]mall.Order, error)
}

func testMalls(t *testing.T, s Store) {
	ctx := t.Context()
	_, err := s.Mall(ctx, account.DefaultStore)
	kind(t, err, errs.NotFound)
	_, err = s.UpdateMall(ctx, elsewhere, func(*mall.Mall) {})
	kind(t, err, errs.NotFound)
	want := mall.Mall{StoreID: account.DefaultStore, Secret: "b", OldSecret: "a", OldSecretUntil: epoch0.Add(time.Hour), UpdatedAt: epoch0}
	for range 2 {
		equal(t, must(s.UpdateMall(ctx, account.DefaultStore, func(m *mall.Mall) { *m = want }))(t), want)
		equal(t, must(s.Mall(ctx, account.DefaultStore))(t), want)
	}
}

func newExternalOrder(n int) mall.Order {
	at := epoch0.Add(time.Duration(n) * time.Minute)
	return mall.Order{
		ID: fmt.Sprintf("xor_%016d", n), StoreID: account.DefaultStore, No: fmt.Sprintf("订单-%d", n), State: mall.Paid, Currency: "CNY", Total: 300,
		PaidAt: at, Hash: "h", CreatedAt: at, UpdatedAt: at,
		Lines: []mall.Line{
			{N: 1, ProductID: "prod_1", Code: "TEA", Title: "春茶", Quantity: 2, Amount: 200, ClickID: "c", Verified: true, ClickedAt: epoch0, Attribution: commerce.Attribution{
				ShowID: "show_1", PinID: "pin_1", ShowTimeMS: 61_500, Source: commerce.SourceReplay, ShareCode: "s", Channel: "m",
			}},
			{N: 2, Title: "盒", Quantity: 1, Amount: 100, Attribution: commerce.Attribution{Source: commerce.SourceExternal}},
		},
	}
}

func testExternalOrders(t *testing.T, s Store) {
	ctx := t.Context()
	o := newExternalOrder(1)
	keep := func(o mall.Order) (mall.Order, bool) {
		t.Helper()
		kept, fresh, err := s.KeepExternalOrder(ctx, o)
		ok(t, err)
		return kept, fresh
	}
	kept, fresh := keep(o)
	equal(t, kept, o)
	equal(t, fresh, true)
	again := o
	again.ID, again.CreatedAt, again.UpdatedAt = "xor_other", epoch0.Add(time.Hour), epoch0.Add(time.Hour)
	kept, fresh = keep(again)
	equal(t, kept, o)
	equal(t, fresh, false)

	part := again
	part.Refunded, part.RefundedAt = 100, epoch0.Add(2*time.Hour)
	want := o
	want.Refunded, want.RefundedAt, want.UpdatedAt = 100, part.RefundedAt, part.UpdatedAt
	kept, _ = keep(part)
	equal(t, kept, want)
	kept, _ = keep(again) // the first report, late
	equal(t, kept, want)
	whole := part
	whole.Refunded, whole.State = 300, mall.Refunded
	want.Refunded, want.State = 300, mall.Refunded
	keep(whole)
	kept, _ = keep(part)
	equal(t, kept, want)
	other := again
	other.Hash = "i"
	_, _, err := s.KeepExternalOrder(ctx, other)
	kind(t, err, errs.Conflict)
	stranger := newExternalOrder(9)
	stranger.StoreID = elsewhere
	_, _, err = s.KeepExternalOrder(ctx, stranger)
	kind(t, err, errs.NotFound)

	second := newExternalOrder(2)
	keep(second)
	equal(t, must(s.ExternalOrders(ctx, o.StoreID, cursor.Key{}, 10))(t), []mall.Order{second, want})
	equal(t, must(s.ExternalOrders(ctx, o.StoreID, cursor.Key{At: second.PaidAt, ID: second.ID}, 10))(t), []mall.Order{want})
	equal(t, len(must(s.ExternalOrders(ctx, elsewhere, cursor.Key{}, 10))(t)), 0)
}

func testExternalOrderRace(t *testing.T, s Store) {
	var wg sync.WaitGroup
	var fresh atomic.Int32
	for n := range 16 {
		wg.Go(func() {
			o := newExternalOrder(1)
			o.ID = fmt.Sprintf("xor_%d", n)
			_, first, err := s.KeepExternalOrder(t.Context(), o)
			if err != nil {
				t.Error(err)
			}
			if first {
				fresh.Add(1)
			}
		})
	}
	wg.Wait()
	equal(t, fresh.Load(), int32(1))
	equal(t, len(must(s.ExternalOrders(t.Context(), account.DefaultStore, cursor.Key{}, 10))(t)), 1)
}
