package api

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"time"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/commerce/offer"
	"github.com/vitrine-live/vitrine/commerce/order"
	"github.com/vitrine-live/vitrine/store/sqldb"
)

// offerParts are what the house has of offers.
type offerParts struct {
	offers  *offer.Service
	offerDB *sqldb.DB
	log     *slog.Logger
}

func (h *house) withOffers(d *Deps, db *sqldb.DB, log *slog.Logger) {
	h.offerDB, h.log = db, log
	h.offers = offer.New(offer.Deps{Store: db, Shows: h.rooms, Goods: h.goods, Log: log, Now: d.Now})
	d.Offers = h.offers
}

const offerShop = "/api/v1/stores/" + account.DefaultStore

// sku makes a product of one SKU at 100.00 with so many pieces, and returns the SKU's id.
func (h *house) sku(pieces int64) string {
	h.t.Helper()
	p, err := h.goods.Create(h.t.Context(), commerce.Product{
		Title: "Teapot", Price: commerce.Money{Amount: 10_000, Currency: "CNY"}, Link: commerce.LinkCheckout,
		SKUs: []commerce.SKU{{Price: 10_000, Tracked: true, Total: pieces}},
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return p.SKUs[0].ID
}

// told is what the timeline says of an offer, in order.
type told struct {
	State      string    `json:"state"`
	Open       bool      `json:"open"`
	ID         string    `json:"id"`
	Offer      OfferView `json:"offer"`
	showTimeMS int64
}

func (h *house) toldOf(show, offerID string) (all []told) {
	h.t.Helper()
	events, err := h.server.Timeline.Events(h.t.Context(), show, 0, 0)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, e := range events {
		data := told{showTimeMS: e.ShowTime.Milliseconds()}
		if err := json.Unmarshal(e.Data, &data); err == nil && data.ID == offerID {
			all = append(all, data)
		}
	}
	return all
}

// says checks the states that the timeline tells of an offer.
func (h *house) says(show, offerID string, want ...string) []told {
	h.t.Helper()
	all := h.toldOf(show, offerID)
	if len(all) != len(want) {
		h.t.Fatalf("the timeline says %+v, want %q", all, want)
	}
	for i, w := range want {
		if all[i].State != w {
			h.t.Errorf("the timeline says %q, want %q", all[i].State, w)
		}
	}
	return all
}

// shown returns the offers of a show as anybody sees them, by id.
func (h *house) shown(show string) map[string]ShownOffer {
	h.t.Helper()
	var list ShowOffers
	h.read(http.StatusOK, &list, "GET", "/api/v1/shows/"+show+"/offers", "", nil)
	byID := map[string]ShownOffer{}
	for _, o := range list.Items {
		byID[o.ID] = o
	}
	return byID
}

// sweep lets some time pass and offers look at the clocks.
func (h *house) sweep(after time.Duration) time.Duration {
	h.t.Helper()
	h.now = h.now.Add(after)
	next, err := h.offers.Sweep(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	return next
}

// buyFlash orders pieces of a running sale, as checkout does, and returns the order's id.
func (h *house) buyFlash(viewerID string, f FlashSale, pieces int64) (string, error) {
	h.t.Helper()
	o := order.Order{
		StoreID: account.DefaultStore, ViewerID: viewerID, State: order.Pending, Currency: "CNY", Subtotal: pieces * f.Price, Total: pieces * f.Price,
		CreatedAt: h.now, UpdatedAt: h.now, ExpiresAt: h.now.Add(15 * time.Minute),
		Lines: []order.Line{{
			N: 1, SKU: f.SKU, ProductID: f.ProductID, Quantity: pieces, Unit: f.Price, Amount: pieces * f.Price, Source: "flash", Ref: f.ID, Hold: order.Held,
		}},
	}
	o.ID, o.No = order.NewID(h.now)
	_, err := h.offerDB.PlaceOrder(h.t.Context(), order.Placement{Order: o, Pools: [][]string{{f.ID}}})
	h.offers.PoolChanged(h.t.Context(), f.ID)
	return o.ID, err
}
