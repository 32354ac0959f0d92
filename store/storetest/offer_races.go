package storetest

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/vitrine-live/vitrine/commerce/offer"
	"github.com/vitrine-live/vitrine/internal/errs"
)

// Hundreds of viewers, each impatient, want a coupon of which there are fewer.
func testCouponRace(t *testing.T, s Store) {
	const viewers, each, quota = 150, 3, 100
	c := newCoupon(1)
	c.Quota, c.PerViewer = quota, 1
	ok(t, s.CreateCoupon(t.Context(), c))
	must(s.PutDrop(t.Context(), newDrop(offer.CouponKind, c.ID)))(t)
	var had [viewers]atomic.Int64
	var lasts atomic.Int64
	race(viewers*each, func(i int) {
		viewer := i % viewers
		last, err := s.ClaimCoupon(t.Context(), newClaim(i, fmt.Sprintf("visitor:%d", viewer), c.ID))
		switch {
		case err == nil:
			had[viewer].Add(1)
		case errs.KindOf(err) != errs.Conflict:
			t.Error(err)
		}
		if last {
			lasts.Add(1)
		}
	})
	var all int64
	for i := range had {
		if n := had[i].Load(); n > 1 {
			t.Errorf("viewer %d has %d", i, n)
		}
		all += had[i].Load()
	}
	equal(t, all, int64(quota))
	equal(t, lasts.Load(), int64(1))
	equal(t, must(s.Coupon(t.Context(), "", c.ID))(t).Claimed, int64(quota))
	equal(t, must(s.Drop(t.Context(), "show_1", c.ID))(t).Saying, offer.Exhausted)
}

// A viewer who may have three of a coupon asks for a hundred at once, while a quota is changed.
func testAllowanceRace(t *testing.T, s Store) {
	c := newCoupon(1)
	c.Quota, c.PerViewer = 0, 3
	ok(t, s.CreateCoupon(t.Context(), c))
	var had atomic.Int64
	race(100, func(i int) {
		if i%20 == 0 {
			_, err := s.UpdateCoupon(t.Context(), c.StoreID, c.ID, func(c *offer.Coupon) error { c.Title += "!"; return nil })
			if err != nil {
				t.Error(err)
			}
		}
		if _, err := s.ClaimCoupon(t.Context(), newClaim(i, "visitor:1", c.ID)); err == nil {
			had.Add(1)
		}
	})
	equal(t, had.Load(), int64(3))
	got := must(s.Coupon(t.Context(), "", c.ID))(t)
	equal(t, got.Claimed, int64(3))
	equal(t, got.Title, c.Title+"!!!!!") // no change was lost
}

// Each piece of a red packet goes to one viewer, each viewer has at most one, and together they are the whole of it.
func testRedPacketRace(t *testing.T, s Store) {
	const viewers, pieces = 120, 80
	p := newPacket(1, 0, pieces)
	var amounts []int64
	for n := range int64(pieces) {
		amounts = append(amounts, 1+n*n%37)
		p.Total += amounts[n]
	}
	ok(t, s.CreateRedPacket(t.Context(), p, amounts))
	must(s.PutDrop(t.Context(), newDrop(offer.RedPacketKind, p.ID)))(t)
	var had [viewers]atomic.Int64
	var sum, lasts atomic.Int64
	race(viewers*3, func(i int) {
		claim, last, err := s.ClaimPiece(t.Context(), newClaim(i, fmt.Sprintf("visitor:%d", i%viewers), p.ID))
		switch {
		case err == nil:
			had[i%viewers].Add(1)
			sum.Add(claim.Terms.Amount)
		case errs.KindOf(err) != errs.Conflict:
			t.Error(err)
		}
		if last {
			lasts.Add(1)
		}
	})
	for i := range had {
		if n := had[i].Load(); n > 1 {
			t.Errorf("viewer %d has %d", i, n)
		}
	}
	equal(t, []int64{sum.Load(), lasts.Load()}, []int64{p.Total, 1})
	got := must(s.RedPacket(t.Context(), "", p.ID))(t)
	equal(t, got.State, offer.Empty)
	equal(t, got.ClaimedAmount, p.Total)
}

// A sale is started and stopped by many at once: its pieces are set aside once and given back once.
func testFlashSaleRace(t *testing.T, s Store) {
	withSKU(t, s, "sku_a", 10)
	f := newSale(1, "sku_a", 6)
	ok(t, s.CreateFlashSale(t.Context(), f, nil))
	run, d := started(f)
	var starts, stops, turns atomic.Int64
	race(30, func(int) {
		if s.StartFlashSale(t.Context(), run, d) == nil {
			starts.Add(1)
		}
	})
	race(30, func(int) {
		if turned, err := s.TurnFlashSale(t.Context(), f.PoolID, epoch0); err != nil || turned {
			turns.Add(1)
		}
		if stopped, err := s.StopFlashSale(t.Context(), run); err != nil {
			t.Error(err)
		} else if stopped {
			stops.Add(1)
		}
	})
	equal(t, []int64{starts.Load(), stops.Load(), turns.Load()}, []int64{1, 1, 0})
	pools := must(s.Pools(t.Context(), "sku_a"))(t)
	equal(t, pools[0].Available, int64(10))
}

// race runs f so many times at once.
func race(n int, f func(i int)) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-start
			f(i)
		})
	}
	close(start)
	wg.Wait()
}
