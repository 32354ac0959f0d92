package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/commerce/offer"
	"github.com/vitrine-live/vitrine/commerce/order"
	"github.com/vitrine-live/vitrine/live"
)

func couponTerms() map[string]any {
	return map[string]any{"title": "Ten off", "amount": 1000, "min_spend": 5000, "valid_for_s": 3600, "quota": 2, "stacks": "other"}
}

func TestCouponFromDraftToClaim(t *testing.T) {
	h := newHouse(t)
	show := h.onAir()
	var c Coupon
	h.read(http.StatusCreated, &c, "POST", offerShop+"/coupons", adminToken, couponTerms())
	if c.State != "draft" || c.Currency != "CNY" || c.ClaimIn != "live" || c.PerViewer != 1 || *c.Left != 2 || c.MinSpend != 5000 {
		t.Fatalf("%+v", c)
	}
	one, inShow := offerShop+"/coupons/"+c.ID, "/api/v1/shows/"+show+"/coupons/"+c.ID
	h.read(http.StatusConflict, nil, "POST", inShow+"/drop", adminToken, nil) // a draft
	h.read(http.StatusOK, &c, "PATCH", one, adminToken, map[string]any{"amount": 2000, "claim_until": "2027-01-01T00:00:00Z"})
	h.read(http.StatusOK, &c, "PATCH", one, adminToken, map[string]any{"state": "active"})
	if c.Amount != 2000 || c.ClaimUntil != "2027-01-01T00:00:00.000Z" || c.State != "active" {
		t.Fatalf("%+v", c)
	}
	h.read(http.StatusConflict, nil, "PATCH", one, adminToken, map[string]any{"amount": 1})
	h.read(http.StatusConflict, nil, "DELETE", one, adminToken, nil)
	first := h.viewer()
	h.read(http.StatusNotFound, nil, "POST", inShow+"/claim", first, nil) // not dropped

	var d OfferDrop
	h.read(http.StatusOK, &d, "POST", inShow+"/drop", adminToken, nil)
	events := h.says(show, c.ID, "dropped")
	if events[0].showTimeMS != d.ShowTimeMS || !events[0].Open || events[0].Offer.Amount != 2000 || *events[0].Offer.Left != 2 {
		t.Errorf("%+v at %d ms", events, d.ShowTimeMS)
	}
	if o := h.shown(show)[c.ID]; !o.Open || o.Type != "coupon" || o.ShowTimeMS != d.ShowTimeMS {
		t.Errorf("%+v", o)
	}
	h.claimUntilExhausted(show, inShow, first)

	if o := h.shown(show)[c.ID]; o.Open || *o.Offer.Left != 0 {
		t.Errorf("after the last claim: %+v", o)
	}
	h.read(http.StatusUnprocessableEntity, nil, "PATCH", one, adminToken, map[string]any{"quota": 1}) // two are claimed
	h.read(http.StatusOK, &c, "PATCH", one, adminToken, map[string]any{"quota": 9})
	h.read(http.StatusNoContent, nil, "POST", inShow+"/stop", adminToken, nil)
	h.read(http.StatusConflict, nil, "POST", inShow+"/claim", h.viewer(), nil)
	events = h.says(show, c.ID, "dropped", "exhausted", "dropped", "stopped")
	if events[1].Open || !events[2].Open || events[3].Open {
		t.Errorf("%+v", events)
	}
	var list Page[Coupon]
	h.read(http.StatusOK, &list, "GET", offerShop+"/coupons?limit=1", adminToken, nil)
	if len(list.Items) != 1 || list.Items[0].Claimed != 2 || list.Next == nil {
		t.Errorf("%+v", list)
	}
}

// claimUntilExhausted claims the two coupons that there are.
func (h *house) claimUntilExhausted(show, inShow, first string) {
	h.t.Helper()
	var claim Claim
	h.read(http.StatusCreated, &claim, "POST", inShow+"/claim", first, nil)
	if claim.Amount != 2000 || claim.State != "usable" || claim.Type != "coupon" || claim.ShowID != show || claim.ValidUntil <= claim.ClaimedAt {
		h.t.Errorf("%+v", claim)
	}
	if w := h.ask("POST", inShow+"/claim", first, nil); w.Code != http.StatusConflict || !strings.Contains(w.Body.String(), "already") {
		h.t.Errorf("a second time: %d %s", w.Code, w.Body)
	}
	h.read(http.StatusCreated, nil, "POST", inShow+"/claim", h.viewer(), nil)
	if w := h.ask("POST", inShow+"/claim", h.viewer(), nil); w.Code != http.StatusConflict || !strings.Contains(w.Body.String(), "all") {
		h.t.Errorf("after the last: %d %s", w.Code, w.Body)
	}
	h.read(http.StatusUnauthorized, nil, "POST", inShow+"/claim", "", nil)

	var mine Page[Claim]
	h.read(http.StatusOK, &mine, "GET", "/api/v1/me/coupons?state=usable", first, nil)
	if len(mine.Items) != 1 || mine.Items[0].ID != claim.ID {
		h.t.Errorf("%+v", mine)
	}
	h.now = h.now.Add(time.Hour)
	h.read(http.StatusOK, &mine, "GET", "/api/v1/me/coupons?state=expired", first, nil)
	if len(mine.Items) != 1 || mine.Items[0].State != "expired" {
		h.t.Errorf("an hour later: %+v", mine)
	}
	h.now = h.now.Add(-time.Hour)
	h.read(http.StatusOK, &mine, "GET", "/api/v1/me/coupons", h.viewer(), nil)
	if len(mine.Items) != 0 {
		h.t.Errorf("somebody else's: %+v", mine)
	}
}

// A coupon that is dropped ahead appears on its picture, and can be claimed in the replay by who has come so far.
func TestCouponAheadAndInReplay(t *testing.T) {
	h := newHouse(t)
	show := h.onAir()
	terms := couponTerms()
	terms["claim_in"], terms["replay_hours"], terms["state"], terms["quota"] = "replay", 2, "active", 0
	var c, early, liveOnly Coupon
	h.read(http.StatusCreated, &c, "POST", offerShop+"/coupons", adminToken, terms)
	h.read(http.StatusCreated, &early, "POST", offerShop+"/coupons", adminToken, terms)
	terms["claim_in"], terms["replay_hours"] = "live", 0
	h.read(http.StatusCreated, &liveOnly, "POST", offerShop+"/coupons", adminToken, terms)
	inShow := "/api/v1/shows/" + show + "/coupons/" + c.ID
	h.read(http.StatusOK, nil, "POST", inShow+"/drop", adminToken, map[string]any{"show_time_ms": 5000})
	for _, id := range []string{early.ID, liveOnly.ID} {
		h.read(http.StatusOK, nil, "POST", "/api/v1/shows/"+show+"/coupons/"+id+"/drop", adminToken, map[string]any{"show_time_ms": 1000})
	}
	h.sweep(0)
	h.says(show, c.ID)
	if _, ok := h.shown(show)[c.ID]; ok {
		t.Error("what is to come is told")
	}
	if w := h.ask("POST", inShow+"/claim", h.viewer(), nil); w.Code != http.StatusConflict || !strings.Contains(w.Body.String(), "0:00:05") {
		t.Errorf("before its time: %d %s", w.Code, w.Body)
	}
	h.sweep(4 * time.Second)
	if events := h.says(show, c.ID, "dropped"); events[0].showTimeMS != 5000 {
		t.Errorf("dropped at %d ms", events[0].showTimeMS)
	}
	h.read(http.StatusConflict, nil, "POST", inShow+"/claim", h.viewer(), map[string]any{"position_ms": 4999}) // watches later
	h.read(http.StatusCreated, nil, "POST", inShow+"/claim", h.viewer(), nil)

	if err := h.rooms.End(t.Context(), h.room.ID); err != nil {
		t.Fatal(err)
	}
	from := func(ms int) map[string]any { return map[string]any{"position_ms": ms} }
	inReplay := "/api/v1/shows/" + show + "/coupons/" + early.ID + "/claim"
	h.read(http.StatusUnprocessableEntity, nil, "POST", inReplay, h.viewer(), nil) // where is the player?
	h.read(http.StatusConflict, nil, "POST", inReplay, h.viewer(), from(999))
	h.read(http.StatusCreated, nil, "POST", inReplay, h.viewer(), from(1000))
	h.read(http.StatusConflict, nil, "POST", inShow+"/claim", h.viewer(), from(5000)) // the show has no picture there
	if shown := h.shown(show); !shown[early.ID].Open || shown[liveOnly.ID].Open {
		t.Errorf("in the replay: %+v", shown)
	}
	h.read(http.StatusConflict, nil, "POST", "/api/v1/shows/"+show+"/coupons/"+liveOnly.ID+"/claim", h.viewer(), from(1000))
	h.read(http.StatusConflict, nil, "POST", inShow+"/drop", adminToken, nil) // nothing more comes into it
	h.now = h.now.Add(2 * time.Hour)
	h.read(http.StatusConflict, nil, "POST", inReplay, h.viewer(), from(1000))
	if h.shown(show)[early.ID].Open {
		t.Error("open after its time in the replay")
	}
}

func TestCouponOfTheStore(t *testing.T) {
	h := newHouse(t)
	terms := couponTerms()
	terms["claim_in"], terms["state"], terms["percent"], terms["max_off"] = "anywhere", "active", 1500, 3000
	delete(terms, "amount")
	var c Coupon
	h.read(http.StatusCreated, &c, "POST", offerShop+"/coupons", adminToken, terms)
	var claim Claim
	h.read(http.StatusCreated, &claim, "POST", offerShop+"/coupons/"+c.ID+"/claim", h.viewer(), nil)
	if claim.Percent != 1500 || claim.MaxOff != 3000 || claim.ShowID != "" {
		t.Errorf("%+v", claim)
	}
	h.read(http.StatusNotFound, nil, "POST", "/api/v1/stores/store_other/coupons/"+c.ID+"/claim", h.viewer(), nil)
	h.read(http.StatusOK, nil, "PATCH", offerShop+"/coupons/"+c.ID, adminToken, map[string]any{"claim_in": "live"})
	h.read(http.StatusConflict, nil, "POST", offerShop+"/coupons/"+c.ID+"/claim", h.viewer(), nil)
}

func flashTerms(sku string) map[string]any {
	return map[string]any{"sku_id": sku, "price": 6000, "quantity": 3, "per_buyer": 2, "duration_s": 10, "countdown_s": 2}
}

// A sale is announced, starts and ends on the exact places of the show's clock, also by a server that was not there when
// it was prepared.
func TestFlashSaleOnTheClock(t *testing.T) {
	h := newHouse(t)
	show := h.onAir()
	terms := flashTerms(h.sku(10))
	terms["show_id"], terms["starts_at_ms"] = show, 8000
	var f FlashSale
	h.read(http.StatusCreated, &f, "POST", offerShop+"/flash-sales", adminToken, terms)
	if f.State != "ready" || f.ListPrice != 10_000 || f.Title != "Teapot" || *f.StartsAtMS != 8000 {
		t.Fatalf("%+v", f)
	}
	h.sweep(0)
	h.says(show, f.ID)
	h.sweep(5 * time.Second) // at 7 s
	h.says(show, f.ID, "announced")
	h.offers = offer.New(offer.Deps{Store: h.offerDB, Shows: h.rooms, Goods: h.goods, Log: h.log, Now: func() time.Time { return h.now }})
	h.sweep(3 * time.Second)
	events := h.says(show, f.ID, "announced", "started")
	if events[0].showTimeMS != 6000 || events[1].showTimeMS != 8000 || *events[0].Offer.StartsAtMS != 8000 || *events[1].Offer.EndsAtMS != 18_000 ||
		*events[1].Offer.Left != 3 || *events[1].Offer.Price != 6000 {
		t.Errorf("%+v", events)
	}
	if next := h.sweep(0); next <= 0 || next > 200*time.Millisecond {
		t.Errorf("while a sale runs the clock is looked at after %v", next)
	}
	h.read(http.StatusOK, &f, "GET", offerShop+"/flash-sales/"+f.ID, adminToken, nil)
	if f.State != "running" || f.Available != 3 {
		t.Errorf("%+v", f)
	}
	h.read(http.StatusConflict, nil, "DELETE", offerShop+"/flash-sales/"+f.ID, adminToken, nil)
	h.sweep(9 * time.Second)
	h.read(http.StatusOK, &f, "GET", offerShop+"/flash-sales/"+f.ID, adminToken, nil)
	if f.State != "stopped" || f.StoppedBecause != "time_up" || f.Available != 0 {
		t.Errorf("%+v", f)
	}
	if events := h.says(show, f.ID, "announced", "started", "stopped"); events[2].showTimeMS != 18_000 || events[2].Open {
		t.Errorf("%+v", events)
	}
	pools, err := h.offerDB.Pools(t.Context(), f.SKU)
	if err != nil || pools[0].Available != 10 {
		t.Errorf("%+v, %v", pools, err)
	}
}

// The last piece is told at once, and so is one that comes back from an order that is not paid.
func TestFlashSaleSellsOut(t *testing.T) {
	h := newHouse(t)
	show := h.onAir()
	var f FlashSale
	h.read(http.StatusCreated, &f, "POST", offerShop+"/flash-sales", adminToken, flashTerms(h.sku(10)))
	start, stop := "/api/v1/shows/"+show+"/flash-sales/"+f.ID+"/start", "/api/v1/shows/"+show+"/flash-sales/"+f.ID+"/stop"
	h.read(http.StatusNotFound, nil, "POST", stop, adminToken, nil) // of no show yet
	h.read(http.StatusOK, &f, "POST", start, adminToken, nil)
	h.read(http.StatusConflict, nil, "POST", start, adminToken, nil)

	left := func(viewerID string) int64 {
		t.Helper()
		sales, err := h.offers.FlashFor(t.Context(), []string{f.SKU, "sku_x"}, viewerID, h.now)
		if err != nil || sales[f.SKU].Unit != 6000 || sales[f.SKU].ID != f.ID || sales[f.SKU].PoolID != f.ID || len(sales) != 1 {
			t.Fatalf("%+v, %v", sales, err)
		}
		return sales[f.SKU].PerBuyerLeft
	}
	if n := left("a"); n != 2 {
		t.Errorf("a may have %d", n)
	}
	first, err := h.buyFlash("a", f, 2)
	if err != nil {
		t.Fatal(err)
	}
	if a, b := left("a"), left("b"); a != 0 || b != 2 {
		t.Errorf("a may have %d, b %d", a, b)
	}
	if _, err := h.buyFlash("b", f, 1); err != nil {
		t.Fatal(err)
	}
	if _, err := h.buyFlash("b", f, 1); err == nil {
		t.Error("more was sold than there was")
	}
	if events := h.says(show, f.ID, "started", "sold_out"); !events[1].Open || *events[1].Offer.Left != 0 {
		t.Errorf("%+v", events)
	}
	_, _, err = h.offerDB.ChangeOrder(t.Context(), order.Scope{}, first, func(ctx context.Context, o *order.Order, l order.Ledger) error {
		return o.ExpireAt(ctx, l, o.ExpiresAt)
	})
	if err != nil {
		t.Fatal(err)
	}
	h.sweep(0) // nobody said so
	if events := h.says(show, f.ID, "started", "sold_out", "back"); *events[2].Offer.Left != 2 {
		t.Errorf("%+v", events)
	}
	h.read(http.StatusOK, &f, "POST", stop, adminToken, nil)
	h.read(http.StatusOK, &f, "POST", stop, adminToken, nil)
	if f.StoppedBecause != "by_hand" || f.Reserved != 1 {
		t.Errorf("%+v", f)
	}
	h.says(show, f.ID, "started", "sold_out", "back", "stopped")
}

func TestFlashSaleThatCannotStart(t *testing.T) {
	h := newHouse(t)
	show := h.onAir()
	sku := h.sku(2)
	terms := flashTerms(sku)
	var f, g FlashSale
	h.read(http.StatusCreated, &f, "POST", offerShop+"/flash-sales", adminToken, terms)
	start := "/api/v1/shows/" + show + "/flash-sales/" + f.ID + "/start"
	h.read(http.StatusConflict, nil, "POST", start, adminToken, nil) // three of two pieces
	h.read(http.StatusOK, &f, "POST", start, adminToken, map[string]any{"in_s": 1})
	if f.State != "ready" || f.StartsAtMS == nil {
		t.Fatalf("%+v", f)
	}
	h.says(show, f.ID, "announced")
	h.sweep(2 * time.Second)
	h.says(show, f.ID, "announced", "stopped")
	h.read(http.StatusOK, &f, "GET", offerShop+"/flash-sales/"+f.ID, adminToken, nil)
	if f.StoppedBecause != "no_stock" {
		t.Errorf("%+v", f)
	}
	terms["quantity"], terms["per_buyer"], terms["duration_s"] = 1, 0, 0
	h.read(http.StatusCreated, &f, "POST", offerShop+"/flash-sales", adminToken, terms)
	h.read(http.StatusOK, &f, "POST", "/api/v1/shows/"+show+"/flash-sales/"+f.ID+"/start", adminToken, map[string]any{"show_time_ms": 1000})
	if *f.StartsAtMS != 1000 || f.EndsAtMS != nil {
		t.Errorf("%+v", f)
	}
	h.read(http.StatusCreated, &g, "POST", offerShop+"/flash-sales", adminToken, terms)
	start = "/api/v1/shows/" + show + "/flash-sales/" + g.ID + "/start"
	if w := h.ask("POST", start, adminToken, nil); w.Code != http.StatusConflict || !strings.Contains(w.Body.String(), "another flash sale") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	h.read(http.StatusOK, nil, "POST", start, adminToken, map[string]any{"in_s": 1})
	h.sweep(2 * time.Second)
	h.read(http.StatusOK, &g, "GET", offerShop+"/flash-sales/"+g.ID, adminToken, nil)
	if g.StoppedBecause != "other_sale" {
		t.Errorf("%+v", g)
	}
	if err := h.rooms.End(t.Context(), h.room.ID); err != nil {
		t.Fatal(err)
	}
	h.sweep(0)
	h.read(http.StatusOK, &f, "GET", offerShop+"/flash-sales/"+f.ID, adminToken, nil)
	if f.State != "stopped" || f.StoppedBecause != "show_ended" || h.shown(show)[f.ID].Open {
		t.Errorf("after the show: %+v", f)
	}
}

func TestRedPacketIsShared(t *testing.T) {
	h := newHouse(t)
	show := h.onAir()
	terms := map[string]any{"title": "Lucky", "total": 1000, "pieces": 4, "least": 50, "valid_for_s": 3600}
	var p RedPacket
	h.read(http.StatusCreated, &p, "POST", offerShop+"/red-packets", adminToken, terms)
	inShow := "/api/v1/shows/" + show + "/red-packets/" + p.ID
	h.read(http.StatusNotFound, nil, "POST", inShow+"/claim", h.viewer(), nil)
	h.read(http.StatusOK, nil, "POST", inShow+"/drop", adminToken, nil)
	h.read(http.StatusConflict, nil, "DELETE", offerShop+"/red-packets/"+p.ID, adminToken, nil)
	var sum int64
	for range 4 {
		var claim Claim
		token := h.viewer()
		h.read(http.StatusCreated, &claim, "POST", inShow+"/claim", token, nil)
		h.read(http.StatusConflict, nil, "POST", inShow+"/claim", token, nil)
		if claim.Amount < 50 || claim.Type != "red_packet" {
			t.Errorf("%+v", claim)
		}
		sum += claim.Amount
	}
	h.read(http.StatusConflict, nil, "POST", inShow+"/claim", h.viewer(), nil)
	h.read(http.StatusOK, &p, "GET", offerShop+"/red-packets/"+p.ID, adminToken, nil)
	if sum != 1000 || p.State != "empty" || p.ClaimedAmount != 1000 || p.LeftAmount != 0 {
		t.Errorf("%d of %+v", sum, p)
	}
	h.says(show, p.ID, "dropped", "empty")

	h.read(http.StatusCreated, &p, "POST", offerShop+"/red-packets", adminToken, terms)
	inShow = "/api/v1/shows/" + show + "/red-packets/" + p.ID
	h.read(http.StatusOK, nil, "POST", inShow+"/drop", adminToken, nil)
	var claim Claim
	h.read(http.StatusCreated, &claim, "POST", inShow+"/claim", h.viewer(), nil)
	h.read(http.StatusOK, &p, "POST", offerShop+"/red-packets/"+p.ID+"/stop", adminToken, nil)
	if p.State != "stopped" || p.Left != 3 || p.LeftAmount != 1000-claim.Amount {
		t.Errorf("%+v", p)
	}
	h.read(http.StatusConflict, nil, "POST", inShow+"/claim", h.viewer(), nil)
	h.says(show, p.ID, "dropped", "stopped")
	var list Page[RedPacket]
	h.read(http.StatusOK, &list, "GET", offerShop+"/red-packets", adminToken, nil)
	if len(list.Items) != 2 || list.Items[0].ID != p.ID && list.Items[1].ID != p.ID {
		t.Errorf("%+v", list)
	}
}

func TestOffersAreRefused(t *testing.T) {
	h := newHouse(t)
	sku := h.sku(10)
	uncounted, err := h.goods.Create(t.Context(), commerce.Product{
		Title: "Advice", Price: commerce.Money{Amount: 10_000, Currency: "CNY"}, Link: commerce.LinkCheckout, SKUs: []commerce.SKU{{Price: 10_000}},
	})
	if err != nil {
		t.Fatal(err)
	}
	coupon, flash := couponTerms(), flashTerms(sku)
	packet := map[string]any{"title": "Lucky", "total": 1000, "pieces": 4, "valid_for_s": 60}
	for _, c := range []struct {
		name, path string
		base       map[string]any
		key        string
		value      any
		want       int
		field      string
	}{
		{"no amount", "coupons", coupon, "amount", 0, 422, "amount"},
		{"amount and percent", "coupons", coupon, "percent", 100, 422, "amount"},
		{"a cap of an amount", "coupons", coupon, "max_off", 1, 422, "max_off"},
		{"for ever", "coupons", coupon, "valid_for_s", 0, 422, "valid_for_s"},
		{"a bad time", "coupons", coupon, "valid_until", "tomorrow", 422, "valid_until"},
		{"a window that ends first", "coupons", with(coupon, "claim_from", "2026-05-01T00:00:00Z"), "claim_until", "2026-04-01T00:00:00Z", 422, "claim_until"},
		{"a replay of no time", "coupons", coupon, "claim_in", "replay", 422, "replay_hours"},
		{"hours of no replay", "coupons", coupon, "replay_hours", 1, 422, "replay_hours"},
		{"unknown product", "coupons", coupon, "product_ids", []string{"prod_x"}, 404, ""},
		{"a blank title", "coupons", coupon, "title", " ", 422, "title"},
		{"unknown stacking", "coupons", coupon, "stacks", "all", 422, ""},
		{"too little for all", "red-packets", packet, "pieces", 1001, 422, "total"},
		{"too large pieces", "red-packets", packet, "least", 251, 422, "total"},
		{"a red packet of the store", "red-packets", packet, "claim_in", "anywhere", 422, "claim_in"},
		{"dearer than before", "flash-sales", flash, "price", 10_000, 422, "price"},
		{"unknown SKU", "flash-sales", flash, "sku_id", "sku_x", 404, ""},
		{"pieces that nobody counts", "flash-sales", flash, "sku_id", uncounted.SKUs[0].ID, 409, ""},
		{"more a buyer than there are", "flash-sales", flash, "per_buyer", 4, 422, "per_buyer"},
		{"a start of no show", "flash-sales", flash, "starts_at_ms", 5, 422, "show_id"},
		{"unknown show", "flash-sales", flash, "show_id", "show_x", 404, ""},
	} {
		w := h.ask("POST", offerShop+"/"+c.path, adminToken, with(c.base, c.key, c.value))
		if w.Code != c.want || !strings.Contains(w.Body.String(), c.field) {
			t.Errorf("%s: %d %s", c.name, w.Code, w.Body)
		}
	}
	for _, path := range []string{"coupons/cpn_x", "red-packets/rpk_x", "flash-sales/fls_x"} {
		h.read(http.StatusNotFound, nil, "GET", offerShop+"/"+path, adminToken, nil)
		h.read(http.StatusNotFound, nil, "DELETE", offerShop+"/"+path, adminToken, nil)
	}
	h.read(http.StatusNotFound, nil, "GET", "/api/v1/shows/show_x/offers", "", nil)
}

func with(base map[string]any, key string, value any) map[string]any {
	out := map[string]any{key: value}
	for k, v := range base {
		if k != key {
			out[k] = v
		}
	}
	return out
}

// What a scheduled show is to have comes when it is on air.
func TestOffersOfAScheduledShow(t *testing.T) {
	h := newHouse(t)
	scheduled, err := h.rooms.Schedule(t.Context(), h.room.ID, "Tonight", h.now.Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	var c Coupon
	h.read(http.StatusCreated, &c, "POST", offerShop+"/coupons", adminToken, with(couponTerms(), "state", "active"))
	drop := "/api/v1/shows/" + scheduled.ID + "/coupons/" + c.ID + "/drop"
	h.read(http.StatusConflict, nil, "POST", drop, adminToken, nil) // now is not
	h.read(http.StatusOK, nil, "POST", drop, adminToken, map[string]any{"show_time_ms": 1000})
	h.sweep(0)
	if show := h.onAir(); show != scheduled.ID {
		t.Fatalf("the room took show %s", show)
	}
	h.sweep(0)
	if events := h.says(scheduled.ID, c.ID, "dropped"); events[0].showTimeMS != 1000 {
		t.Errorf("%+v", events)
	}
}

// flaky is a timeline that cannot be written at first.
type flaky struct {
	*live.Rooms
	failures int
}

func (f *flaky) Tell(ctx context.Context, showID, typ string, atMS *int64, data any) (int64, error) {
	if f.failures > 0 {
		f.failures--
		return 0, errors.New("the disk is full")
	}
	return f.Rooms.Tell(ctx, showID, typ, atMS, data)
}

func TestWhatCouldNotBeToldIsToldLater(t *testing.T) {
	h := newHouse(t)
	show := h.onAir()
	var c Coupon
	h.read(http.StatusCreated, &c, "POST", offerShop+"/coupons", adminToken, with(couponTerms(), "state", "active"))
	var counted []string
	s := offer.New(offer.Deps{
		Store: h.offerDB, Shows: &flaky{h.rooms, 2}, Goods: h.goods, Log: h.log, Now: func() time.Time { return h.now },
		Count: func(what string) { counted = append(counted, what) },
	})
	if _, err := s.DropIn(t.Context(), offer.CouponKind, show, c.ID, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Sweep(t.Context()); err == nil {
		t.Error("a failure is kept quiet")
	}
	h.says(show, c.ID)
	for range 2 {
		if _, err := s.Sweep(t.Context()); err != nil {
			t.Error(err)
		}
	}
	h.says(show, c.ID, "dropped") // once
	if want := []string{"telling_failed", "telling_failed"}; fmt.Sprint(counted) != fmt.Sprint(want) {
		t.Errorf("counted %q", counted)
	}
}

// What checkout is told of a buyer's coupons.
func TestCouponsOfABuyer(t *testing.T) {
	h := newHouse(t)
	show := h.onAir()
	var c Coupon
	h.read(http.StatusCreated, &c, "POST", offerShop+"/coupons", adminToken, with(couponTerms(), "state", "active"))
	h.read(http.StatusOK, nil, "POST", "/api/v1/shows/"+show+"/coupons/"+c.ID+"/drop", adminToken, nil)
	v, token, err := h.visitors.New()
	if err != nil {
		t.Fatal(err)
	}
	var claim Claim
	h.read(http.StatusCreated, &claim, "POST", "/api/v1/shows/"+show+"/coupons/"+c.ID+"/claim", token, nil)
	all, err := h.offers.Coupons(t.Context(), account.DefaultStore, v.ID, nil, h.now)
	if err != nil || len(all) != 1 || all[0].ClaimID != claim.ID || all[0].Amount != 1000 || all[0].Refused != "" {
		t.Errorf("%+v, %v", all, err)
	}
	named, err := h.offers.Coupons(t.Context(), account.DefaultStore, v.ID, []string{"clm_x", claim.ID}, h.now)
	if err != nil || len(named) != 2 || named[0].Refused != "unknown" || named[1].Refused != "" {
		t.Errorf("%+v, %v", named, err)
	}
	none, err := h.offers.Coupons(t.Context(), account.DefaultStore, v.ID, nil, h.now.Add(time.Hour))
	if err != nil || len(none) != 0 {
		t.Errorf("after their time: %+v, %v", none, err)
	}
	if _, err := h.offers.Coupons(t.Context(), account.DefaultStore, v.ID, slices.Repeat([]string{"clm_x"}, 101), h.now); err == nil {
		t.Error("any number can be named")
	}
}

// What is prepared can be put right until viewers have heard of it.
func TestPreparedOffersChange(t *testing.T) {
	h := newHouse(t)
	show := h.onAir()
	var p RedPacket
	h.read(http.StatusCreated, &p, "POST", offerShop+"/red-packets", adminToken, map[string]any{"title": "Lucky", "total": 1000, "pieces": 4, "valid_for_s": 3600})
	packet := offerShop + "/red-packets/" + p.ID
	h.read(http.StatusOK, &p, "PATCH", packet, adminToken, map[string]any{"title": "Luckier", "pieces": 1, "total": 300, "claim_until": "2027-01-01T00:00:00Z"})
	if p.Title != "Luckier" || p.Pieces != 1 || p.Total != 300 || p.ValidForS != 3600 || p.ClaimUntil != "2027-01-01T00:00:00.000Z" {
		t.Errorf("%+v", p)
	}
	for field, value := range map[string]any{"total": 0, "pieces": 301, "claim_in": "anywhere", "valid_until": "soon"} {
		h.read(http.StatusUnprocessableEntity, nil, "PATCH", packet, adminToken, map[string]any{field: value})
	}
	h.read(http.StatusNotFound, nil, "PATCH", packet, adminToken, map[string]any{"product_ids": []string{"prod_x"}})
	inShow := "/api/v1/shows/" + show + "/red-packets/" + p.ID
	h.read(http.StatusOK, nil, "POST", inShow+"/drop", adminToken, nil)
	h.read(http.StatusConflict, nil, "PATCH", packet, adminToken, map[string]any{"title": "Too late"})
	var claim Claim
	h.read(http.StatusCreated, &claim, "POST", inShow+"/claim", h.viewer(), nil)
	if claim.Amount != 300 || claim.Title != "Luckier" {
		t.Errorf("%+v", claim)
	}

	var f FlashSale
	terms := flashTerms(h.sku(10))
	terms["show_id"], terms["starts_at_ms"] = show, 60_000
	h.read(http.StatusCreated, &f, "POST", offerShop+"/flash-sales", adminToken, terms)
	sale := offerShop + "/flash-sales/" + f.ID
	other := h.sku(5)
	h.read(http.StatusOK, &f, "PATCH", sale, adminToken, map[string]any{"starts_at_ms": 8000, "price": 5000, "sku_id": other})
	if *f.StartsAtMS != 8000 || f.Price != 5000 || f.SKU != other || f.Quantity != 3 {
		t.Errorf("%+v", f)
	}
	for field, value := range map[string]any{"price": 10_000, "per_buyer": 4, "show_id": ""} {
		h.read(http.StatusUnprocessableEntity, nil, "PATCH", sale, adminToken, map[string]any{field: value})
	}
	h.read(http.StatusNotFound, nil, "PATCH", sale, adminToken, map[string]any{"sku_id": "sku_x"})
	h.read(http.StatusNotFound, nil, "PATCH", "/api/v1/stores/store_other/flash-sales/"+f.ID, adminToken, map[string]any{"price": 1})
	h.read(http.StatusOK, &f, "PATCH", sale, adminToken, map[string]any{"starts_at_ms": -1, "show_id": ""})
	h.sweep(10 * time.Second)
	h.says(show, f.ID) // it waits for a hand
	h.read(http.StatusOK, &f, "PATCH", sale, adminToken, map[string]any{"starts_at_ms": 30_000, "show_id": show, "countdown_s": 3600})
	h.says(show, f.ID, "announced") // its countdown has begun
	h.read(http.StatusConflict, nil, "PATCH", sale, adminToken, map[string]any{"price": 1})
	h.sweep(30 * time.Second)
	h.read(http.StatusConflict, nil, "PATCH", sale, adminToken, map[string]any{"price": 1})
	if events := h.says(show, f.ID, "announced", "started"); *events[1].Offer.Price != 5000 || events[1].showTimeMS != 30_000 {
		t.Errorf("%+v", events)
	}
}
