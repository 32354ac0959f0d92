package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/commerce/offer"
	"github.com/vitrine-live/vitrine/commerce/order"
	"github.com/vitrine-live/vitrine/commerce/pricing"
	"github.com/vitrine-live/vitrine/commerce/stock"
	"github.com/vitrine-live/vitrine/internal/errs"
)

type offerStore interface {
	CreateCoupon(ctx context.Context, c offer.Coupon) error
	Coupon(ctx context.Context, storeID, id string) (offer.Coupon, error)
	Coupons(ctx context.Context, storeID, beforeID string, limit int) ([]offer.Coupon, error)
	UpdateCoupon(ctx context.Context, storeID, id string, change func(*offer.Coupon) error) (offer.Coupon, error)
	DeleteCoupon(ctx context.Context, storeID, id string) error
	ClaimCoupon(ctx context.Context, c offer.Claim) (last bool, err error)
	GiveCoupon(ctx context.Context, c offer.Claim) (offer.Claim, error)

	CreateRedPacket(ctx context.Context, p offer.RedPacket, pieces []int64) error
	RedPacket(ctx context.Context, storeID, id string) (offer.RedPacket, error)
	RedPackets(ctx context.Context, storeID, beforeID string, limit int) ([]offer.RedPacket, error)
	UpdateRedPacket(ctx context.Context, storeID, id string, change func(*offer.RedPacket) ([]int64, error)) (offer.RedPacket, error)
	DeleteRedPacket(ctx context.Context, storeID, id string) error
	StopRedPacket(ctx context.Context, storeID, id string, at time.Time) (offer.RedPacket, error)
	ClaimPiece(ctx context.Context, c offer.Claim) (offer.Claim, bool, error)

	Claims(ctx context.Context, viewerID string, f offer.ClaimFilter) ([]offer.Claim, error)
	ClaimsByID(ctx context.Context, viewerID, storeID string, ids []string) ([]offer.Claim, error)

	CreateFlashSale(ctx context.Context, f offer.FlashSale, d *offer.Drop) error
	FlashSale(ctx context.Context, storeID, id string) (offer.FlashSale, error)
	FlashSales(ctx context.Context, storeID, beforeID string, limit int) ([]offer.FlashSale, error)
	UpdateFlashSale(ctx context.Context, storeID, id string, change func(*offer.FlashSale) (*offer.Drop, error)) (offer.FlashSale, error)
	ReplaceFlashSale(ctx context.Context, f offer.FlashSale, was time.Time, d *offer.Drop) error
	DeleteFlashSale(ctx context.Context, storeID, id string) error
	OpenFlashSales(ctx context.Context) ([]offer.FlashSale, error)
	StartFlashSale(ctx context.Context, f offer.FlashSale, d offer.Drop) error
	StopFlashSale(ctx context.Context, f offer.FlashSale) (bool, error)
	TurnFlashSale(ctx context.Context, poolID string, at time.Time) (bool, error)
	FlashFor(ctx context.Context, skuIDs []string, viewerID string) ([]offer.FlashSale, map[string]int64, error)

	PutDrop(ctx context.Context, d offer.Drop) (offer.Drop, error)
	WithdrawDrop(ctx context.Context, showID, offerID string) error
	Drop(ctx context.Context, showID, offerID string) (offer.Drop, error)
	Drops(ctx context.Context, showID string) ([]offer.Drop, error)
	UntoldDrops(ctx context.Context) ([]offer.Drop, error)
	DropTold(ctx context.Context, showID, offerID string, seq int64) error
	ForgetDrop(ctx context.Context, showID, offerID string, seq int64) error
}

func newCoupon(n int) offer.Coupon {
	at := epoch0.Add(time.Duration(n) * time.Second)
	return offer.Coupon{
		ID: fmt.Sprintf("cpn_%016d", n), StoreID: account.DefaultStore, State: offer.Active,
		Terms: offer.Terms{
			Title: "满减 '10'", Currency: "CNY", Percent: 1500, MaxOff: 3000, MinSpend: 100, Stacks: pricing.StacksOther,
			ValidFor: 36 * time.Hour, ValidUntil: epoch0.Add(48 * time.Hour),
		},
		Rules: offer.Rules{Where: offer.InReplay, ReplayFor: 2 * time.Hour, From: epoch0, Until: epoch0.Add(time.Hour)},
		Quota: 3, PerViewer: 2, CreatedAt: at, UpdatedAt: at,
	}
}

// newClaim is the n-th claim of all, by a viewer.
func newClaim(n int, viewer, couponID string) offer.Claim {
	at := epoch0.Add(time.Duration(n) * time.Second)
	return offer.Claim{
		ID: fmt.Sprintf("clm_%016d", n), CouponID: couponID, StoreID: account.DefaultStore, ViewerID: viewer, Terms: newCoupon(1).Terms,
		State: offer.Claimed, ShowID: "show_1", ShowTimeMS: 5000, ClaimedAt: at, ValidUntil: at.Add(time.Hour),
	}
}

func newDrop(kind offer.Kind, offerID string) offer.Drop {
	return offer.Drop{
		ShowID: "show_1", OfferID: offerID, StoreID: account.DefaultStore, Kind: kind, ShowTimeMS: 5000, DroppedAt: epoch0, Saying: offer.Dropped,
		StateMS: new(int64(5000)), Seq: 1,
	}
}

func testCoupons(t *testing.T, s Store) {
	ctx := t.Context()
	c := newCoupon(1)
	product := newProduct(1)
	ok(t, s.CreateProduct(ctx, product))
	c.Products = []string{product.ID}
	c.State = offer.Draft
	ok(t, s.CreateCoupon(ctx, c))
	equal(t, must(s.Coupon(ctx, c.StoreID, c.ID))(t), c)
	equal(t, must(s.Coupon(ctx, "", c.ID))(t), c)
	_, err := s.Coupon(ctx, "store_x", c.ID)
	kind(t, err, errs.NotFound)

	stranger := newCoupon(2)
	stranger.Products = []string{product.ID, "prod_x"}
	kind(t, s.CreateCoupon(ctx, stranger), errs.NotFound)
	stranger.Products = nil
	ok(t, s.CreateCoupon(ctx, stranger))
	equal(t, must(s.Coupons(ctx, c.StoreID, "", 5))(t), []offer.Coupon{stranger, c})
	equal(t, must(s.Coupons(ctx, c.StoreID, stranger.ID, 5))(t), []offer.Coupon{c})
	equal(t, len(must(s.Coupons(ctx, "store_x", "", 5))(t)), 0)

	quota := func(n int64, state offer.State) func(*offer.Coupon) error {
		return func(c *offer.Coupon) error { c.Quota, c.State = n, state; return nil }
	}
	_, err = s.UpdateCoupon(ctx, "store_x", c.ID, quota(9, offer.Active))
	kind(t, err, errs.NotFound)
	c.Quota, c.State = 9, offer.Active
	equal(t, must(s.UpdateCoupon(ctx, c.StoreID, c.ID, quota(9, offer.Active)))(t), c)
	equal(t, must(s.Coupon(ctx, c.StoreID, c.ID))(t), c)
	kind(t, s.DeleteCoupon(ctx, c.StoreID, c.ID), errs.Conflict)
	kind(t, s.DeleteCoupon(ctx, "store_x", c.ID), errs.NotFound)
	must(s.UpdateCoupon(ctx, c.StoreID, stranger.ID, quota(0, offer.Draft)))(t)
	ok(t, s.DeleteCoupon(ctx, c.StoreID, stranger.ID))
	kind(t, s.DeleteCoupon(ctx, c.StoreID, stranger.ID), errs.NotFound)
}

func testCouponClaims(t *testing.T, s Store) {
	ctx := t.Context()
	c := newCoupon(1)
	ok(t, s.CreateCoupon(ctx, c))
	must(s.PutDrop(ctx, newDrop(offer.CouponKind, c.ID)))(t)
	for n, last := range []bool{false, false, true} {
		viewer := []string{"a", "a", "b"}[n]
		equal(t, must(s.ClaimCoupon(ctx, newClaim(n, viewer, c.ID)))(t), last)
		if n == 1 {
			_, err := s.ClaimCoupon(ctx, newClaim(8, "a", c.ID)) // has had two
			kind(t, err, errs.Conflict)
		}
	}
	_, err := s.ClaimCoupon(ctx, newClaim(9, "c", c.ID))
	kind(t, err, errs.Conflict)
	equal(t, must(s.Drop(ctx, "show_1", c.ID))(t).Saying, offer.Exhausted)
	equal(t, must(s.Coupon(ctx, "", c.ID))(t).Claimed, int64(3))

	raise := func(quota int64, state offer.State) {
		t.Helper()
		must(s.UpdateCoupon(ctx, c.StoreID, c.ID, func(c *offer.Coupon) error { c.Quota, c.State = quota, state; return nil }))(t)
	}
	raise(4, offer.Active) // there is one again
	equal(t, must(s.Drop(ctx, "show_1", c.ID))(t).Saying, offer.Dropped)
	raise(4, offer.Stopped)
	equal(t, must(s.Drop(ctx, "show_1", c.ID))(t).Saying, offer.Withdrawn)
	_, err = s.ClaimCoupon(ctx, newClaim(9, "c", c.ID))
	kind(t, err, errs.Conflict)
	_, err = s.PutDrop(ctx, newDrop(offer.CouponKind, c.ID))
	kind(t, err, errs.Conflict)
	raise(3, offer.Active)
	_, err = s.PutDrop(ctx, newDrop(offer.CouponKind, c.ID)) // all are claimed
	kind(t, err, errs.Conflict)
}

// What was given stands beside what was claimed: neither takes from the other, and each gift is one however often it is made.
func testGivenCoupons(t *testing.T, s Store) {
	ctx := t.Context()
	c := newCoupon(1)
	c.Quota, c.PerViewer = 1, 1
	ok(t, s.CreateCoupon(ctx, c))
	gift := func(n int, viewer string) offer.Claim {
		claim := newClaim(n, viewer, c.ID)
		claim.ShowID, claim.ShowTimeMS = "", 0
		return claim
	}
	first := must(s.GiveCoupon(ctx, gift(1, "a")))(t)
	equal(t, first, gift(1, "a"))
	later := gift(1, "a")
	later.ClaimedAt = later.ClaimedAt.Add(time.Minute)
	equal(t, must(s.GiveCoupon(ctx, later))(t), first)
	equal(t, must(s.GiveCoupon(ctx, gift(1, "b")))(t), first) // whoever asks under the same id sees whose it is
	must(s.GiveCoupon(ctx, gift(2, "a")))(t)                  // two prizes for one viewer
	equal(t, must(s.ClaimCoupon(ctx, newClaim(3, "a", c.ID)))(t), true)
	_, err := s.ClaimCoupon(ctx, newClaim(4, "b", c.ID))
	kind(t, err, errs.Conflict)
	must(s.GiveCoupon(ctx, gift(5, "b")))(t) // though the quota is used up
	must(s.UpdateCoupon(ctx, c.StoreID, c.ID, func(c *offer.Coupon) error { c.State = offer.Stopped; return nil }))(t)
	must(s.GiveCoupon(ctx, gift(6, "b")))(t)
	got := must(s.Coupon(ctx, "", c.ID))(t)
	equal(t, []int64{got.Claimed, got.Given, got.Used}, []int64{1, 4, 0})
	equal(t, len(must(s.Claims(ctx, "a", offer.ClaimFilter{Usable: offer.UsableClaims, At: first.ClaimedAt, Limit: 9}))(t)), 3)

	unknown := gift(7, "a")
	unknown.CouponID = "cpn_x"
	_, err = s.GiveCoupon(ctx, unknown)
	kind(t, err, errs.NotFound)
}

// A winner who taps in a hurry, on two devices, has one coupon; winners of two prizes at once have two.
func testGivenRace(t *testing.T, s Store) {
	c := newCoupon(1)
	ok(t, s.CreateCoupon(t.Context(), c))
	race(60, func(i int) {
		if _, err := s.GiveCoupon(t.Context(), newClaim(i%4, "a", c.ID)); err != nil {
			t.Error(err)
		}
	})
	equal(t, must(s.Coupon(t.Context(), "", c.ID))(t).Given, int64(4))
}

func testClaimLists(t *testing.T, s Store) {
	ctx := t.Context()
	c := newCoupon(1)
	c.Quota, c.PerViewer = 0, 9
	ok(t, s.CreateCoupon(ctx, c))
	claims := []offer.Claim{newClaim(0, "a", c.ID), newClaim(1, "a", c.ID), newClaim(2, "b", c.ID), newClaim(3, "a", c.ID)}
	claims[0].ValidUntil = epoch0.Add(time.Minute)
	for _, claim := range claims {
		must(s.ClaimCoupon(ctx, claim))(t)
	}
	list := func(f offer.ClaimFilter) []offer.Claim {
		t.Helper()
		f.Limit = max(f.Limit, 2)
		return must(s.Claims(ctx, "a", f))(t)
	}
	at := epoch0.Add(time.Minute)
	equal(t, list(offer.ClaimFilter{Limit: 5}), []offer.Claim{claims[3], claims[1], claims[0]})
	equal(t, list(offer.ClaimFilter{}), []offer.Claim{claims[3], claims[1]})
	equal(t, list(offer.ClaimFilter{Before: claims[1].ID}), []offer.Claim{claims[0]})
	equal(t, list(offer.ClaimFilter{Usable: offer.UsableClaims, At: at, Limit: 5}), []offer.Claim{claims[3], claims[1]})
	equal(t, list(offer.ClaimFilter{Usable: offer.ExpiredClaims, At: at}), []offer.Claim{claims[0]})
	equal(t, len(list(offer.ClaimFilter{Usable: offer.UsedClaims, At: at})), 0)
	equal(t, len(list(offer.ClaimFilter{StoreID: "store_x"})), 0)
	equal(t, must(s.ClaimsByID(ctx, "a", c.StoreID, []string{claims[2].ID, claims[1].ID, "clm_x"}))(t), []offer.Claim{claims[1]})
	equal(t, len(must(s.ClaimsByID(ctx, "a", "store_x", []string{claims[1].ID}))(t)), 0)
	equal(t, len(must(s.ClaimsByID(ctx, "a", c.StoreID, nil))(t)), 0)

	withSKU(t, s, "sku_a", 10) // an order uses one up, and gives it back
	p := newOrder("a", claims[1].ClaimedAt, "sku_a")
	p.Order.Offers = []order.Offer{{ClaimID: claims[1].ID, CouponID: c.ID, Off: 1}}
	must(s.PlaceOrder(ctx, p))(t)
	used := list(offer.ClaimFilter{Usable: offer.UsedClaims, At: at})
	if len(used) != 1 || used[0].ID != claims[1].ID || used[0].OrderID != p.Order.ID || used[0].State != offer.Used || used[0].UsedAt.IsZero() {
		t.Errorf("used: %+v", used)
	}
	equal(t, must(s.Coupon(ctx, "", c.ID))(t).Used, int64(1))
}

func newPacket(n int, total, pieces int64) offer.RedPacket {
	c := newCoupon(n)
	return offer.RedPacket{
		ID: fmt.Sprintf("rpk_%016d", n), StoreID: c.StoreID, State: offer.Draft, Terms: offer.Terms{
			Title: "红包", Currency: "CNY", MinSpend: 5, Stacks: pricing.StacksOther, ValidFor: time.Hour,
		}, Rules: c.Rules, Total: total, Pieces: pieces, Least: 1, CreatedAt: c.CreatedAt, UpdatedAt: c.UpdatedAt,
	}
}

// What was prepared can be changed: the pieces of a red packet are replaced, and what is to be said of a sale.
func testPreparedOffers(t *testing.T, s Store) {
	ctx := t.Context()
	p := newPacket(1, 100, 2)
	ok(t, s.CreateRedPacket(ctx, p, []int64{70, 30}))
	change := func(pieces ...int64) func(*offer.RedPacket) ([]int64, error) {
		return func(p *offer.RedPacket) ([]int64, error) {
			p.Title, p.Pieces = "新年", max(int64(len(pieces)), p.Pieces)
			return pieces, nil
		}
	}
	p.Title = "新年"
	equal(t, must(s.UpdateRedPacket(ctx, p.StoreID, p.ID, change()))(t), p)
	p.Pieces = 3
	equal(t, must(s.UpdateRedPacket(ctx, p.StoreID, p.ID, change(50, 30, 20)))(t), p)
	equal(t, must(s.RedPacket(ctx, "", p.ID))(t), p)
	_, err := s.UpdateRedPacket(ctx, "store_x", p.ID, change())
	kind(t, err, errs.NotFound)
	_, err = s.UpdateRedPacket(ctx, p.StoreID, p.ID, func(p *offer.RedPacket) ([]int64, error) { p.Products = []string{"prod_x"}; return nil, nil })
	kind(t, err, errs.NotFound)
	must(s.PutDrop(ctx, newDrop(offer.RedPacketKind, p.ID)))(t)
	for n, want := range []int64{50, 30, 20} {
		claim, last, err := s.ClaimPiece(ctx, newClaim(n, fmt.Sprint(n), p.ID))
		ok(t, err)
		equal(t, claim.Terms.Amount, want)
		equal(t, last, n == 2)
	}

	f := newSale(1, "sku_a", 3)
	d := newDrop(offer.FlashSaleKind, f.ID)
	d.Saying = offer.Announced
	ok(t, s.CreateFlashSale(ctx, f, &d))
	was := f.UpdatedAt
	f.SKU, f.Price, f.Quantity, f.PerBuyer, f.ShowID, f.UpdatedAt = "sku_b", f.Price+1, 9, 4, "show_2", was.Add(time.Second)
	kind(t, s.ReplaceFlashSale(ctx, f, was.Add(time.Millisecond), nil), errs.Conflict)
	ok(t, s.ReplaceFlashSale(ctx, f, was, nil))
	equal(t, must(s.FlashSale(ctx, "", f.ID))(t), f)
	_, err = s.Drop(ctx, d.ShowID, f.ID)
	kind(t, err, errs.NotFound)
	d.ShowID = f.ShowID
	ok(t, s.ReplaceFlashSale(ctx, f, f.UpdatedAt, &d))
	ok(t, s.DropTold(ctx, d.ShowID, f.ID, 1))
	kind(t, s.ReplaceFlashSale(ctx, f, f.UpdatedAt, nil), errs.Conflict)
	unknown := newSale(2, "sku_a", 3)
	kind(t, s.ReplaceFlashSale(ctx, unknown, unknown.UpdatedAt, nil), errs.NotFound)
}

func testRedPackets(t *testing.T, s Store) {
	ctx := t.Context()
	p := newPacket(1, 100, 2)
	ok(t, s.CreateRedPacket(ctx, p, []int64{70, 30}))
	equal(t, must(s.RedPacket(ctx, p.StoreID, p.ID))(t), p)
	_, err := s.RedPacket(ctx, "store_x", p.ID)
	kind(t, err, errs.NotFound)
	_, _, err = s.ClaimPiece(ctx, newClaim(1, "a", p.ID)) // not dropped yet
	kind(t, err, errs.Conflict)

	must(s.PutDrop(ctx, newDrop(offer.RedPacketKind, p.ID)))(t)
	elsewhere := newDrop(offer.RedPacketKind, p.ID)
	elsewhere.ShowID = "show_2"
	_, err = s.PutDrop(ctx, elsewhere)
	kind(t, err, errs.Conflict)
	kind(t, s.DeleteRedPacket(ctx, p.StoreID, p.ID), errs.Conflict)
	for n, amount := range []int64{70, 30} {
		viewer := string(rune('a' + n))
		claim, last, err := s.ClaimPiece(ctx, newClaim(n, viewer, p.ID))
		ok(t, err)
		equal(t, claim.Terms.Amount, amount)
		equal(t, last, n == 1)
		_, _, err = s.ClaimPiece(ctx, newClaim(n+5, viewer, p.ID))
		kind(t, err, errs.Conflict)
		equal(t, must(s.Claims(ctx, viewer, offer.ClaimFilter{Limit: 1}))(t), []offer.Claim{claim})
	}
	got := must(s.RedPacket(ctx, "", p.ID))(t)
	if got.State != offer.Empty || got.Claimed != 2 || got.ClaimedAmount != 100 {
		t.Errorf("got %+v", got)
	}
	equal(t, must(s.Drop(ctx, "show_1", p.ID))(t).Saying, offer.Emptied)
	_, err = s.PutDrop(ctx, newDrop(offer.RedPacketKind, p.ID))
	kind(t, err, errs.Conflict)
	equal(t, must(s.StopRedPacket(ctx, p.StoreID, p.ID, epoch0))(t).State, offer.Empty)

	q := newPacket(2, 3, 3)
	ok(t, s.CreateRedPacket(ctx, q, []int64{1, 1, 1}))
	equal(t, len(must(s.RedPackets(ctx, p.StoreID, "", 5))(t)), 2)
	equal(t, must(s.RedPackets(ctx, p.StoreID, q.ID, 5))(t), []offer.RedPacket{got})
	kind(t, s.DeleteRedPacket(ctx, "store_x", q.ID), errs.NotFound)
	ok(t, s.DeleteRedPacket(ctx, q.StoreID, q.ID))
	_, err = s.StopRedPacket(ctx, q.StoreID, q.ID, epoch0)
	kind(t, err, errs.NotFound)
}

func newSale(n int, sku string, pieces int64) offer.FlashSale {
	at := epoch0.Add(time.Duration(n) * time.Second)
	id := fmt.Sprintf("fls_%016d", n)
	return offer.FlashSale{
		ID: id, StoreID: account.DefaultStore, State: offer.Ready, PoolID: id,
		Goods: offer.Goods{SKU: sku, ProductID: "prod_1", Title: "台灯", ImageURL: "/lamp.jpg", ListPrice: 600, Currency: "CNY"},
		Price: 500, Quantity: pieces, PerBuyer: 3, Countdown: 5 * time.Second, Duration: time.Minute, CreatedAt: at, UpdatedAt: at,
	}
}

// started is what starting a sale at 5 s of the show makes of it.
func started(f offer.FlashSale) (offer.FlashSale, offer.Drop) {
	d := newDrop(offer.FlashSaleKind, f.ID)
	d.Saying = offer.Started
	f.State, f.ShowID, f.StartedAt, f.UpdatedAt = offer.Running, "show_1", epoch0, epoch0
	f.StartsAtMS, f.EndsAtMS = new(int64(5000)), new(int64(65_000))
	return f, d
}

func testFlashSales(t *testing.T, s Store) {
	ctx := t.Context()
	withSKU(t, s, "sku_a", 10)
	f := newSale(1, "sku_a", 6)
	ok(t, s.CreateFlashSale(ctx, f, nil))
	equal(t, must(s.FlashSale(ctx, f.StoreID, f.ID))(t), f)
	_, err := s.FlashSale(ctx, "store_x", f.ID)
	kind(t, err, errs.NotFound)
	equal(t, len(must(s.OpenFlashSales(ctx))(t)), 0) // nobody said when

	f = must(s.UpdateFlashSale(ctx, f.StoreID, f.ID, func(f *offer.FlashSale) (*offer.Drop, error) {
		f.ShowID, f.StartsAtMS = "show_1", new(int64(5000))
		d := newDrop(offer.FlashSaleKind, f.ID)
		d.Saying = offer.Announced
		return &d, nil
	}))(t)
	equal(t, must(s.OpenFlashSales(ctx))(t), []offer.FlashSale{f})

	run, d := started(f)
	ok(t, s.StartFlashSale(ctx, run, d))
	kind(t, s.StartFlashSale(ctx, run, d), errs.Conflict)
	run.Pool = stock.Level{Total: 6, Available: 6}
	equal(t, must(s.FlashSale(ctx, "", f.ID))(t), run)
	equal(t, must(s.Drop(ctx, "show_1", f.ID))(t).Saying, offer.Started)
	level(t, s, "sku_a", stock.Level{Total: 10, Available: 10})
	kind(t, s.DeleteFlashSale(ctx, f.StoreID, f.ID), errs.Conflict)

	second := newSale(2, "sku_a", 1)
	ok(t, s.CreateFlashSale(ctx, second, nil))
	other, d2 := started(second)
	err = s.StartFlashSale(ctx, other, d2)
	kind(t, err, errs.Conflict)
	equal(t, offer.IsOtherSale(err), true)
	equal(t, must(s.FlashSales(ctx, f.StoreID, "", 9))(t), []offer.FlashSale{second, run})
	equal(t, must(s.FlashSales(ctx, f.StoreID, second.ID, 9))(t), []offer.FlashSale{run})

	stopFlashSale(t, s, run)
	second.Quantity = 11 // more than there are
	third := newSale(3, "sku_a", 11)
	ok(t, s.CreateFlashSale(ctx, third, nil))
	greedy, d3 := started(third)
	err = s.StartFlashSale(ctx, greedy, d3)
	kind(t, err, errs.Conflict)
	equal(t, offer.IsOtherSale(err), false)
	ok(t, s.DeleteFlashSale(ctx, third.StoreID, third.ID))
	kind(t, s.DeleteFlashSale(ctx, third.StoreID, third.ID), errs.NotFound)
}

func stopFlashSale(t *testing.T, s Store, run offer.FlashSale) {
	t.Helper()
	ctx := t.Context()
	run.State, run.Because, run.StoppedAt = offer.Over, offer.TimeUp, epoch0.Add(time.Minute)
	equal(t, must(s.StopFlashSale(ctx, run))(t), true)
	equal(t, must(s.StopFlashSale(ctx, run))(t), false)
	run.Pool = stock.Level{}
	equal(t, must(s.FlashSale(ctx, "", run.ID))(t), run)
	drop := must(s.Drop(ctx, "show_1", run.ID))(t)
	equal(t, drop.Saying, offer.Withdrawn)
	equal(t, *drop.StateMS, int64(65_000))
	level(t, s, run.SKU, stock.Level{Total: 10, Available: 10})
	equal(t, len(must(s.OpenFlashSales(ctx))(t)), 0)
}

// The pieces of a sale run out and come back.
func testFlashSaleTurns(t *testing.T, s Store) {
	ctx := t.Context()
	withSKU(t, s, "sku_a", 10)
	f := newSale(1, "sku_a", 2)
	ok(t, s.CreateFlashSale(ctx, f, nil))
	run, d := started(f)
	ok(t, s.StartFlashSale(ctx, run, d))
	turn := func(want bool, says offer.Saying) {
		t.Helper()
		equal(t, must(s.TurnFlashSale(ctx, f.PoolID, epoch0))(t), want)
		equal(t, must(s.Drop(ctx, "show_1", f.ID))(t).Saying, says)
	}
	turn(false, offer.Started)
	p := newOrder("visitor:1", epoch0, "sku_a")
	p.Pools[0] = []string{f.PoolID}
	p.Order.Lines[0].Source, p.Order.Lines[0].Ref = string(pricing.FlashPrice), f.ID
	must(s.PlaceOrder(ctx, p))(t)
	turn(true, offer.SoldOut)
	turn(false, offer.SoldOut)

	sales, had, err := s.FlashFor(ctx, []string{"sku_a", "sku_b"}, "visitor:1")
	ok(t, err)
	equal(t, len(sales), 1)
	equal(t, had, map[string]int64{f.ID: 2})
	_, had, err = s.FlashFor(ctx, []string{"sku_a"}, "visitor:2")
	ok(t, err)
	equal(t, had, map[string]int64{f.ID: 0})

	ok(t, change(s, p.Order.ID, func(ctx context.Context, o *order.Order, l order.Ledger) error {
		return o.CancelBy(ctx, l, order.Who{Actor: order.Buyer}, "", epoch0)
	}))
	turn(true, offer.Back)
	_, had, err = s.FlashFor(ctx, []string{"sku_a"}, "visitor:1")
	ok(t, err)
	equal(t, had, map[string]int64{f.ID: 0})
	run.Because = offer.ByHand
	equal(t, must(s.StopFlashSale(ctx, run))(t), true)
	turn(false, offer.Withdrawn)
	level(t, s, "sku_a", stock.Level{Total: 10, Available: 10})
}

func testDrops(t *testing.T, s Store) {
	ctx := t.Context()
	a, b := newCoupon(1), newCoupon(2)
	ok(t, s.CreateCoupon(ctx, a))
	ok(t, s.CreateCoupon(ctx, b))
	_, err := s.Drop(ctx, "show_1", a.ID)
	kind(t, err, errs.NotFound)
	kind(t, s.WithdrawDrop(ctx, "show_1", a.ID), errs.NotFound)
	_, err = s.PutDrop(ctx, newDrop(offer.CouponKind, "cpn_x"))
	kind(t, err, errs.NotFound)
	_, err = s.PutDrop(ctx, newDrop(offer.RedPacketKind, "rpk_x"))
	kind(t, err, errs.NotFound)

	d := newDrop(offer.CouponKind, a.ID)
	equal(t, must(s.PutDrop(ctx, d))(t), d)
	d.ShowTimeMS, d.StateMS = 7000, new(int64(7000))
	later := d
	later.Seq = 2
	equal(t, must(s.PutDrop(ctx, d))(t), later) // nobody knew of the first place
	early := newDrop(offer.CouponKind, b.ID)
	must(s.PutDrop(ctx, early))(t)
	equal(t, must(s.Drops(ctx, "show_1"))(t), []offer.Drop{early, later})
	equal(t, len(must(s.Drops(ctx, "show_2"))(t)), 0)
	equal(t, len(must(s.UntoldDrops(ctx))(t)), 2)

	ok(t, s.DropTold(ctx, "show_1", a.ID, 2))
	equal(t, must(s.UntoldDrops(ctx))(t), []offer.Drop{early})
	ok(t, s.DropTold(ctx, "show_1", a.ID, 1)) // somebody slow
	equal(t, must(s.Drop(ctx, "show_1", a.ID))(t).Told, int64(2))
	d.ShowTimeMS = 9000
	again := must(s.PutDrop(ctx, d))(t)
	equal(t, []int64{again.ShowTimeMS, again.Seq, again.Told}, []int64{7000, 3, 2})

	ok(t, s.WithdrawDrop(ctx, "show_1", b.ID))
	ok(t, s.WithdrawDrop(ctx, "show_1", b.ID))
	gone := must(s.Drop(ctx, "show_1", b.ID))(t)
	equal(t, gone.Saying, offer.Withdrawn)
	equal(t, gone.Seq, int64(2))
	ok(t, s.ForgetDrop(ctx, "show_1", b.ID, 1)) // something newer is to be said
	must(s.Drop(ctx, "show_1", b.ID))(t)
	ok(t, s.ForgetDrop(ctx, "show_1", a.ID, 3)) // was told
	must(s.Drop(ctx, "show_1", a.ID))(t)
	ok(t, s.ForgetDrop(ctx, "show_1", b.ID, 2))
	_, err = s.Drop(ctx, "show_1", b.ID)
	kind(t, err, errs.NotFound)
}
