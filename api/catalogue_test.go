package api

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/commerce/account"
)

const goods = "/api/v1/stores/" + account.DefaultStore + "/products"

// detail is what a refusal says.
func (h *house) detail(want int, method, path, token string, body any) string {
	h.t.Helper()
	var p struct {
		Detail string `json:"detail"`
	}
	h.read(want, &p, method, path, token, body)
	return p.Detail
}

func scarf() map[string]any {
	variant := func(colour string, price, stock int) map[string]any {
		return map[string]any{"code": "scarf-" + colour, "attributes": []map[string]string{{"name": "colour", "value": colour}}, "price": price, "stock": stock}
	}
	return map[string]any{
		"title": "Linen scarf", "points": []string{"washed"}, "images": []string{"/a.jpg", "/b.jpg"},
		"skus": []any{variant("sand", 25900, 3), variant("indigo", 27900, 2)},
	}
}

func TestProductsOfAStore(t *testing.T) {
	h := newHouse(t)
	var simple, p Product
	h.read(http.StatusCreated, &simple, http.MethodPost, goods, adminToken, map[string]any{"title": "Cup", "price": 12900, "stock": 5})
	if simple.Currency != "CNY" || simple.Link != "checkout" || simple.Display != "one" || len(simple.SKUs) != 1 || *simple.Stock != 5 || *simple.SKUs[0].Stock != 5 {
		t.Errorf("%+v", simple)
	}
	h.read(http.StatusCreated, &p, http.MethodPost, goods, adminToken, scarf())
	if p.Price != 25900 || p.PriceMax != 27900 || p.Display != "range" || *p.Stock != 5 || p.ImageURL != "/a.jpg" || p.SKUs[1].Code != "scarf-indigo" || p.Audit.State != "approved" {
		t.Errorf("%+v", p)
	}
	if got := h.detail(http.StatusConflict, http.MethodPost, goods, adminToken, scarf()); !strings.Contains(got, `"scarf-sand" is taken`) {
		t.Errorf("%q", got)
	}
	kept := map[string]any{"id": p.SKUs[1].ID, "code": "scarf-indigo", "price": 26900, "original_price": 29900, "per_buyer": 2, "stock": 99}
	var q Product
	h.read(http.StatusOK, &q, http.MethodPatch, goods+"/"+p.ID, adminToken, map[string]any{"title": "Scarf", "skus": []any{kept}})
	if q.Title != "Scarf" || q.Price != 26900 || q.Display != "discount" || *q.Stock != 2 || q.SKUs[0].PerBuyer != 2 {
		t.Errorf("%+v", q)
	}
	for name, body := range map[string]any{
		"pieces told, not counted": map[string]any{"stock": 7}, "no SKU left": map[string]any{"skus": []any{}},
		"no address": map[string]any{"url": "javascript:alert(1)"}, "a SKU twice": map[string]any{"skus": []any{kept, kept}},
	} {
		if w := h.ask(http.MethodPatch, goods+"/"+p.ID, adminToken, body); w.Code != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	var list Page[Product]
	h.read(http.StatusOK, &list, http.MethodGet, goods, adminToken, nil)
	if len(list.Items) != 2 || len(list.Items[0].SKUs) != 1 {
		t.Errorf("%+v", list)
	}
}

func TestProductsOfAnotherStore(t *testing.T) {
	h := newHouse(t)
	p, err := h.goods.Create(t.Context(), commerce.Product{StoreID: "store_other", Title: "Cup", Price: commerce.Money{Amount: 1, Currency: "CNY"}, Stock: new(int64(1))})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ method, path string }{
		{http.MethodGet, ""}, {http.MethodPatch, ""}, {http.MethodDelete, ""}, {http.MethodGet, "/stock"}, {http.MethodPut, "/stock"}, {http.MethodPost, "/audit"},
	} {
		body := map[string]any{}
		switch c.path {
		case "/stock":
			body["skus"] = []any{map[string]any{"sku_id": p.SKUs[0].ID, "adjust": 1}}
		case "/audit":
			body["decision"] = "approve"
		}
		if w := h.ask(c.method, goods+"/"+p.ID+c.path, adminToken, body); w.Code != http.StatusNotFound {
			t.Errorf("%s %s: %d %s", c.method, c.path, w.Code, w.Body)
		}
	}
}

func TestStockOfAProduct(t *testing.T) {
	h := newHouse(t)
	var told []string
	h.server.StockChanged = func(_ context.Context, skus []string) { told = append(told, skus...) }
	var p Product
	h.read(http.StatusCreated, &p, http.MethodPost, goods, adminToken, scarf())
	path, sku := goods+"/"+p.ID+"/stock", p.SKUs[0].ID
	change := func(want int, fields ...any) (out ProductStock) {
		t.Helper()
		skus := []any{}
		for i := 0; i < len(fields); i += 3 {
			skus = append(skus, map[string]any{"sku_id": fields[i], fields[i+1].(string): fields[i+2]})
		}
		h.read(want, &out, http.MethodPut, path, adminToken, map[string]any{"skus": skus})
		return out
	}
	if got := change(http.StatusOK, sku, "total", 10, p.SKUs[1].ID, "adjust", -2); got.SKUs[0].Available != 10 || got.SKUs[1].Total != 0 || got.SKUs[0].Pools[0].Kind != "main" {
		t.Errorf("%+v", got)
	}
	if len(told) != 2 {
		t.Errorf("told of %v", told)
	}
	change(http.StatusConflict, sku, "adjust", 5, p.SKUs[1].ID, "adjust", -1) // all or none
	change(http.StatusNotFound, "sku_x", "adjust", 5)
	change(http.StatusUnprocessableEntity, sku, "adjust", 1, sku, "adjust", 1)
	var got ProductStock
	h.read(http.StatusOK, &got, http.MethodGet, path, adminToken, nil)
	if got.SKUs[0].Total != 10 || !got.SKUs[0].Tracked {
		t.Errorf("%+v", got)
	}
}

func TestFlaggedProductsAreNotShown(t *testing.T) {
	h := newHouse(t)
	var p Product
	h.read(http.StatusCreated, &p, http.MethodPost, goods, adminToken, scarf())
	h.read(http.StatusOK, nil, http.MethodPut, h.path("/bag"), adminToken, map[string]any{"product_ids": []string{p.ID}})
	h.publish(12)
	pin := func(want int) string {
		t.Helper()
		return h.detail(want, http.MethodPost, h.path("/pins"), h.key, map[string]any{"product_id": p.ID})
	}
	pin(http.StatusCreated)
	seen := func(want int) {
		t.Helper()
		var room PublicRoom
		h.read(http.StatusOK, &room, http.MethodGet, h.path("/public"), "", nil)
		if len(room.Products) != want {
			t.Errorf("viewers see %d products, want %d", len(room.Products), want)
		}
	}
	h.read(http.StatusOK, &p, http.MethodPatch, goods+"/"+p.ID, adminToken, map[string]any{"title": "全网最低价"})
	if p.Audit.State != "flagged" || len(p.Audit.Reasons) == 0 || p.Audit.Reasons[0].Rule != "claim" {
		t.Fatalf("%+v", p.Audit)
	}
	seen(0)
	if got := pin(http.StatusConflict); !strings.Contains(got, "最低") || !strings.Contains(got, "audit queue") {
		t.Errorf("%q", got)
	}
	h.detail(http.StatusNotFound, http.MethodGet, "/api/v1/products/"+p.ID, "", nil)
	var pins Page[Pin]
	h.read(http.StatusOK, &pins, http.MethodGet, h.path("/pins"), h.key, nil)
	if len(pins.Items) != 1 {
		t.Errorf("the pin that was there is gone: %+v", pins)
	}
	var queue Page[Product]
	h.read(http.StatusOK, &queue, http.MethodGet, "/api/v1/stores/store_default/audit-queue", adminToken, nil)
	if len(queue.Items) != 1 {
		t.Fatalf("%+v", queue)
	}
	decide := func(want int, decision, note, at string) {
		t.Helper()
		h.read(want, nil, http.MethodPost, goods+"/"+p.ID+"/audit", adminToken, map[string]any{"decision": decision, "note": note, "seen": at})
	}
	decide(http.StatusUnprocessableEntity, "reject", "", "")
	decide(http.StatusConflict, "approve", "", "2026-01-01T00:00:00Z")
	decide(http.StatusOK, "reject", "no proof", queue.Items[0].UpdatedAt)
	if got := pin(http.StatusConflict); !strings.Contains(got, "no proof") {
		t.Errorf("%q", got)
	}
	decide(http.StatusOK, "approve", "", "")
	seen(1)
	pin(http.StatusCreated)
}

func TestShowPrices(t *testing.T) {
	h := newHouse(t)
	var p Product
	h.read(http.StatusCreated, &p, http.MethodPost, goods, adminToken, scarf())
	h.read(http.StatusOK, nil, http.MethodPut, h.path("/bag"), adminToken, map[string]any{"product_ids": []string{p.ID}})
	show := h.onAir()
	prices := "/api/v1/shows/" + show + "/prices"
	var sp ShowPrice
	h.read(http.StatusOK, &sp, http.MethodPut, prices+"/"+p.SKUs[1].ID, adminToken, map[string]any{"price": 19900, "replay_hours": 2})
	if sp.ProductID != p.ID || sp.Price != 19900 {
		t.Errorf("%+v", sp)
	}
	if got := h.detail(http.StatusUnprocessableEntity, http.MethodPut, prices+"/"+p.SKUs[0].ID, adminToken, map[string]any{"price": 25901}); !strings.Contains(got, "25900") {
		t.Errorf("%q", got)
	}
	h.detail(http.StatusNotFound, http.MethodPut, prices+"/sku_x", adminToken, map[string]any{"price": 1})
	var pin Pin
	h.read(http.StatusCreated, &pin, http.MethodPost, h.path("/pins"), h.key, map[string]any{"product_id": p.ID})
	if s := pin.Product; s.ShowPrice == nil || *s.ShowPrice != 19900 || s.Price != 25900 || s.PriceMax != 27900 || s.Link != "checkout" || s.SKUCount != 2 {
		t.Errorf("%+v", s)
	}
	ask := func(query string) (out Product) {
		t.Helper()
		h.read(http.StatusOK, &out, http.MethodGet, "/api/v1/products/"+p.ID+query, "", nil)
		return out
	}
	if got := ask("?show=" + show); got.SKUs[1].ShowPrice == nil || *got.SKUs[1].ShowPrice != 19900 || got.SKUs[0].ShowPrice != nil || got.SKUs[0].Code != "" || got.Audit != nil {
		t.Errorf("%+v", got)
	}
	if got := ask(""); got.ShowPrice != nil {
		t.Errorf("outside of the show: %+v", got)
	}
	var list ShowPriceList
	h.read(http.StatusOK, &list, http.MethodGet, prices, adminToken, nil)
	if len(list.Items) != 1 {
		t.Errorf("%+v", list)
	}
	var room PublicRoom
	h.read(http.StatusOK, &room, http.MethodGet, h.path("/public"), "", nil)
	if len(room.Products) != 1 || room.Products[0].ShowPrice == nil {
		doc, _ := json.Marshal(room)
		t.Errorf("%s", doc)
	}
	h.read(http.StatusNoContent, nil, http.MethodDelete, prices+"/"+p.SKUs[1].ID, adminToken, nil)
	h.read(http.StatusNotFound, nil, http.MethodDelete, prices+"/"+p.SKUs[1].ID, adminToken, nil)
}

func decodeInto(t testing.TB, w *httptest.ResponseRecorder, want int, out any) {
	t.Helper()
	if w.Code != want {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if err := json.Unmarshal(w.Body.Bytes(), out); err != nil {
		t.Fatal(err)
	}
}
