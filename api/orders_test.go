package api

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/commerce/order"
	"github.com/vitrine-live/vitrine/commerce/stock"
)

const (
	storePath = "/api/v1/stores/store_default"
	mine      = "/api/v1/me/orders"
	anOrder   = storePath + "/orders"
)

var someAddress = map[string]any{"name": "=王小明", "phone": "+86 138 0013 8000", "region": "上海市 徐汇区", "detail": "1 号"}

func cartOf(sku string, quantity int, more ...any) map[string]any {
	c := map[string]any{"lines": []any{map[string]any{"sku_id": sku, "quantity": quantity}}}
	for i := 0; i < len(more); i += 2 {
		c[more[i].(string)] = more[i+1]
	}
	return c
}

func orderOf(sku string, quantity, total int, more ...any) map[string]any {
	return cartOf(sku, quantity, append([]any{"expected_total", total, "address", someAddress}, more...)...)
}

// buy places an order of one SKU at 100.00 and returns it.
func (h *house) buy(token, sku string, quantity int) (o order.View) {
	h.t.Helper()
	h.read(http.StatusCreated, &o, http.MethodPost, anOrder, token, orderOf(sku, quantity, quantity*10_000))
	return o
}

// press presses a button on the page where the order is paid.
func (h *house) press(token, orderID, button string) {
	h.t.Helper()
	var intent PaymentIntent
	h.read(http.StatusOK, &intent, http.MethodPost, mine+"/"+orderID+"/payments", token, map[string]any{"return_url": "/r/x"})
	u, err := url.Parse(intent.PayURL)
	if err != nil || u.Host != "shop.example:8080" {
		h.t.Fatalf("pay at %q: %v", intent.PayURL, err)
	}
	r := httptest.NewRequest(http.MethodPost, u.String(), strings.NewReader(url.Values{"do": {button}}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	h.server.Handler().ServeHTTP(w, r)
	if w.Code != http.StatusSeeOther {
		h.t.Fatalf("%s: %d %s", button, w.Code, w.Body)
	}
}

func (h *house) myOrder(token, id string) (o order.View) {
	h.t.Helper()
	h.read(http.StatusOK, &o, http.MethodGet, mine+"/"+id, token, nil)
	return o
}

func (h *house) level(sku string) stock.Level {
	h.t.Helper()
	pools, err := h.db.Pools(h.t.Context(), sku)
	if err != nil {
		h.t.Fatal(err)
	}
	sum := stock.Sum(pools)
	if !sum.Whole() {
		h.t.Errorf("%+v is not whole", sum)
	}
	return sum
}

func TestQuoteAndPlace(t *testing.T) {
	h := newHouse(t)
	sku, token := h.sku(5), h.viewer()
	var q Quote
	h.read(http.StatusOK, &q, http.MethodPost, storePath+"/quotes", token, cartOf(sku, 2))
	if q.Total != 20_000 || len(q.Lines) != 1 || q.Lines[0].Title != "Teapot" || len(q.Rejected) != 0 {
		t.Errorf("quoted %+v", q)
	}
	h.read(http.StatusOK, &q, http.MethodPost, storePath+"/quotes", token, cartOf(sku, 6))
	if len(q.Rejected) != 1 || q.Rejected[0].Code != order.RejectedSoldOut || q.Rejected[0].SKU != sku {
		t.Errorf("quoted %+v", q)
	}
	w := h.ask(http.MethodPost, anOrder, token, orderOf(sku, 2, 19_999)) // another price than agreed to
	var changed changedProblem
	if err := json.Unmarshal(w.Body.Bytes(), &changed); err != nil || w.Code != http.StatusConflict || changed.Quote.Total != 20_000 || changed.Status != w.Code {
		t.Errorf("%d %v %s", w.Code, err, w.Body)
	}
	if got := w.Header().Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("a problem of type %s", got)
	}
	for name, body := range map[string]map[string]any{
		"unknown show":     orderOf(sku, 1, 10_000, "show_id", "show_x"),
		"no phone":         orderOf(sku, 1, 10_000, "address", map[string]any{"name": "A", "phone": "x", "region": "B", "detail": "C"}),
		"twice the SKU":    orderOf(sku, 1, 10_000, "lines", []any{map[string]any{"sku_id": sku, "quantity": 1}, map[string]any{"sku_id": sku, "quantity": 1}}),
		"no pieces":        orderOf(sku, 0, 0),
		"too many":         orderOf(sku, 10_000, 0),
		"endless remark":   orderOf(sku, 1, 10_000, "remark", strings.Repeat("字", 301)),
		"source of nobody": orderOf(sku, 1, 10_000, "lines", []any{map[string]any{"sku_id": sku, "quantity": 1, "attribution": map[string]any{"source": "mars"}}}),
	} {
		if w := h.ask(http.MethodPost, anOrder, token, body); w.Code != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	if w := h.ask(http.MethodPost, anOrder, token, orderOf("sku_x", 1, 10_000)); w.Code != http.StatusNotFound {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := h.ask(http.MethodPost, anOrder, token, orderOf(sku, 6, 60_000)); w.Code != http.StatusConflict {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if got, want := h.level(sku), (stock.Level{Total: 5, Available: 5}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	o := h.buy(token, sku, 2)
	if o.State != order.Pending || o.Total != 20_000 || o.Lines[0].Hold != order.Held || len(o.No) != 24 || o.ViewerID != "" {
		t.Errorf("placed %+v", o)
	}
	if w := h.ask(http.MethodGet, mine+"/"+o.ID, h.viewer(), nil); w.Code != http.StatusNotFound {
		t.Errorf("somebody else reads it: %d", w.Code)
	}
	if got, want := h.level(sku), (stock.Level{Total: 5, Available: 3, Reserved: 2}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// The same key and body, many times at once, come to one order; another body is refused.
func TestPlaceOnce(t *testing.T) {
	h := newHouse(t)
	sku, token := h.sku(500), h.viewer()
	const times = 100
	ids, codes := map[string]int{}, map[int]int{}
	var mu sync.Mutex
	ask := func(quantity int) {
		w := h.ask(http.MethodPost, anOrder, token, orderOf(sku, quantity, quantity*10_000), "Idempotency-Key", "k1")
		var o order.View
		_ = json.Unmarshal(w.Body.Bytes(), &o)
		mu.Lock()
		defer mu.Unlock()
		codes[w.Code]++
		if w.Code == http.StatusCreated {
			ids[o.ID]++
		}
	}
	var wg sync.WaitGroup
	for range times {
		wg.Go(func() { ask(1) })
	}
	wg.Wait()
	ask(1) // who came while it was in the works asks again
	if len(ids) != 1 || codes[http.StatusCreated]+codes[http.StatusConflict] != times+1 {
		t.Errorf("orders %v, answers %v", ids, codes)
	}
	if w := h.ask(http.MethodPost, anOrder, token, orderOf(sku, 2, 20_000), "Idempotency-Key", "k1"); w.Code != http.StatusConflict {
		t.Errorf("another body: %d %s", w.Code, w.Body)
	}
	if got, want := h.level(sku), (stock.Level{Total: 500, Available: 499, Reserved: 1}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestPayShipRefund(t *testing.T) {
	h := newHouse(t)
	sku, token := h.sku(5), h.viewer()
	o := h.buy(token, sku, 2)
	h.press(token, o.ID, "fail")
	if got := h.myOrder(token, o.ID); got.State != order.Pending {
		t.Errorf("%s after a payment that failed", got.State)
	}
	h.press(token, o.ID, "twice") // each reported twice too
	got := h.myOrder(token, o.ID)
	if got.State != order.Paid || len(got.Payments) != 2 || len(got.Refunds) != 1 || got.Refunds[0].Cause != order.ForSurplus {
		t.Fatalf("%+v", got)
	}
	h.orders.Sweep(t.Context())
	if got := h.myOrder(token, o.ID); got.Refunds[0].State != order.Repaid || got.State != order.Paid {
		t.Errorf("%+v", got)
	}
	if w := h.ask(http.MethodPost, mine+"/"+o.ID+"/payments", token, map[string]any{}); w.Code != http.StatusConflict {
		t.Errorf("paying again: %d", w.Code)
	}
	if w := h.ask(http.MethodPost, mine+"/"+o.ID+"/cancel", token, nil); w.Code != http.StatusConflict {
		t.Errorf("cancelling what is paid: %d", w.Code)
	}
	one := anOrder + "/" + o.ID
	h.read(http.StatusOK, nil, http.MethodPost, one+"/notes", adminToken, map[string]any{"text": "fragile", "staff_only": true})
	h.read(http.StatusOK, nil, http.MethodPost, one+"/shipment", adminToken, map[string]any{"carrier": "SF", "number": "SF1"})
	h.read(http.StatusOK, &got, http.MethodPost, mine+"/"+o.ID+"/confirm", token, nil)
	if got.State != order.Completed || got.Shipping.Number != "SF1" {
		t.Errorf("%+v", got)
	}
	for _, e := range got.History {
		if e.Code == order.WasNoted || e.By != "" {
			t.Errorf("the buyer reads %+v", e)
		}
	}
	if w := h.ask(http.MethodPost, one+"/refunds", adminToken, map[string]any{"amount": 20_001}); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("too much: %d", w.Code)
	}
	h.read(http.StatusOK, nil, http.MethodPost, one+"/refunds", adminToken, map[string]any{"amount": 500, "reason": "scratched"})
	h.read(http.StatusOK, nil, http.MethodPost, one+"/refunds", adminToken, map[string]any{"restock": true})
	h.orders.Sweep(t.Context())
	got = h.myOrder(token, o.ID)
	if got.State != order.Refunded || got.Refunded != 20_000 {
		t.Errorf("%+v", got)
	}
	if got, want := h.level(sku), (stock.Level{Total: 5, Available: 5}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// Money that comes after the order has expired buys what is still there, and goes back where it is gone.
func TestPayLate(t *testing.T) {
	h := newHouse(t)
	sku, token := h.sku(2), h.viewer()
	lucky, unlucky := h.buy(token, sku, 1), h.buy(token, sku, 1)
	h.press(token, lucky.ID, "late")
	h.press(token, unlucky.ID, "late")
	h.now = h.now.Add(15*time.Minute + time.Second)
	h.orders.Sweep(t.Context())
	for _, o := range []order.View{lucky, unlucky} {
		if got := h.myOrder(token, o.ID); got.State != order.Expired {
			t.Errorf("%s", got.State)
		}
	}
	h.buy(h.viewer(), sku, 1)
	h.now = h.now.Add(10 * time.Second)
	if err := h.sandbox.Work(t.Context()); err != nil {
		t.Fatal(err)
	}
	a, b := h.myOrder(token, lucky.ID), h.myOrder(token, unlucky.ID)
	if a.State == order.Refunding {
		a, b = b, a
	}
	if a.State != order.Paid || a.Payments[0].Outcome != order.Late || b.State != order.Refunding || b.Payments[0].Outcome != order.Refused {
		t.Fatalf("%+v\n%+v", a, b)
	}
	h.orders.Sweep(t.Context())
	if got := h.myOrder(token, b.ID); got.State != order.Refunded || got.History[len(got.History)-1].Code != order.RefundWasDone {
		t.Errorf("%+v", got)
	}
	if got, want := h.level(sku), (stock.Level{Total: 2, Reserved: 1, Sold: 1}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestForgedReport(t *testing.T) {
	h := newHouse(t)
	o := h.buy(h.viewer(), h.sku(1), 1)
	body := map[string]any{"id": "x", "order_no": o.No, "transaction_id": "x", "amount": o.Total, "currency": "CNY", "paid_at_ms": h.now.UnixMilli()}
	for provider, want := range map[string]int{"sandbox": http.StatusUnauthorized, "nobody": http.StatusNotFound} {
		w := h.ask(http.MethodPost, "/api/v1/payments/"+provider+"/notifications", "", body, "Sandbox-Timestamp", fmt.Sprint(h.now.Unix()), "Sandbox-Signature", "00")
		if w.Code != want {
			t.Errorf("%s: %d %s", provider, w.Code, w.Body)
		}
	}
}

// The export is whole however long it is, and no cell of it is a formula.
func TestExportOrders(t *testing.T) {
	h := newHouse(t)
	sku, token := h.sku(1000), h.viewer()
	const orders = exportPage + 3
	for range orders {
		h.buy(token, sku, 1)
	}
	w := h.ask(http.MethodGet, anOrder+".csv?state=pending_payment", adminToken, nil)
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(w.Body.String(), "\ufeff"))).ReadAll()
	if err != nil || len(rows) != orders+1 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	seen := map[string]bool{}
	for _, row := range rows[1:] {
		seen[row[0]] = true
		if row[5] != "'=王小明" || row[6] != "'+86 138 0013 8000" || row[17] != "100.00" {
			t.Fatalf("%q", row)
		}
	}
	if len(seen) != orders {
		t.Errorf("%d orders", len(seen))
	}
	var list Page[order.View]
	h.read(http.StatusOK, &list, http.MethodGet, anOrder+"?limit=2&q=8000", adminToken, nil)
	if len(list.Items) != 2 || list.Next == nil {
		t.Errorf("%+v", list)
	}
	h.read(http.StatusOK, &list, http.MethodGet, mine+"?limit=200&after="+*list.Next, token, nil)
	if len(list.Items) != 200 {
		t.Errorf("%d", len(list.Items))
	}
}

func TestInert(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "台灯": "台灯", "a=b": "a=b", "=1+1": "'=1+1", " @x": "' @x", "－1": "'－1", "\t=1": "'\t=1", "\u3000=1": "'\u3000=1", "-5": "'-5",
	} {
		if got := inert(text); got != want {
			t.Errorf("inert(%q) = %q, want %q", text, got, want)
		}
	}
}

// What is set aside for a show is sold there alone, the show hears of who bought, and the rest is for all when it is over.
func TestShowSellsItsAllotment(t *testing.T) {
	h := newHouse(t)
	sku, token := h.sku(5), h.viewer()
	h.publish(2)
	show, _, ok := h.rooms.OnAirNow(h.room.ID)
	if !ok {
		t.Fatal("no show is on air")
	}
	path := "/api/v1/shows/" + show + "/allotments/" + sku
	h.read(http.StatusOK, nil, http.MethodPut, path, adminToken, map[string]any{"pieces": 3})
	if w := h.ask(http.MethodPut, path, adminToken, map[string]any{"pieces": 6}); w.Code != http.StatusConflict {
		t.Errorf("more than there are: %d", w.Code)
	}
	if w := h.ask(http.MethodPost, anOrder, token, orderOf(sku, 3, 30_000)); w.Code != http.StatusConflict {
		t.Errorf("outside the show only two are left: %d", w.Code)
	}
	var o order.View
	body := orderOf(sku, 3, 30_000, "show_id", show)
	body["lines"].([]any)[0].(map[string]any)["attribution"] = commerce.Attribution{ShowID: show, Source: commerce.SourceLive, ShowTimeMS: 1000}
	h.read(http.StatusCreated, &o, http.MethodPost, anOrder, token, body)
	if o.Lines[0].Attribution.ShowID != show {
		t.Errorf("%+v", o.Lines[0])
	}
	h.press(token, o.ID, "pay")
	if bought, err := h.orders.Bought(t.Context(), h.viewerOf(o.ID), "store_default", show); err != nil || !bought {
		t.Errorf("bought: %v %v", bought, err)
	}
	h.read(http.StatusOK, nil, http.MethodPut, path, adminToken, map[string]any{"pieces": 4})
	h.read(http.StatusNoContent, nil, http.MethodDelete, path, adminToken, nil)
	if w := h.ask(http.MethodDelete, path, adminToken, nil); w.Code != http.StatusNotFound {
		t.Errorf("nothing is left to return: %d", w.Code)
	}
	var list Page[Allotment]
	h.read(http.StatusOK, &list, http.MethodGet, "/api/v1/shows/"+show+"/allotments", adminToken, nil)
	if len(list.Items) != 1 || !list.Items[0].Returned || list.Items[0].Sold != 3 {
		t.Errorf("%+v", list)
	}
	if got, want := h.level(sku), (stock.Level{Total: 5, Available: 2, Sold: 3}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func (h *house) viewerOf(orderID string) string {
	h.t.Helper()
	o, err := h.orders.Get(h.t.Context(), order.Scope{}, orderID)
	if err != nil {
		h.t.Fatal(err)
	}
	return o.ViewerID
}

// An order uses a coupon and a flash sale's pieces; what comes to nothing gives both back.
func TestOrderWithOffers(t *testing.T) {
	h := newHouse(t)
	show, sku, token := h.onAir(), h.sku(5), h.viewer()
	var c Coupon
	h.read(http.StatusCreated, &c, http.MethodPost, storePath+"/coupons", adminToken, couponTerms())
	h.read(http.StatusOK, nil, http.MethodPatch, storePath+"/coupons/"+c.ID, adminToken, map[string]any{"state": "active"})
	inShow := "/api/v1/shows/" + show + "/coupons/" + c.ID
	h.read(http.StatusOK, nil, http.MethodPost, inShow+"/drop", adminToken, nil)
	var claim Claim
	h.read(http.StatusCreated, &claim, http.MethodPost, inShow+"/claim", token, nil)
	var f FlashSale
	h.read(http.StatusCreated, &f, http.MethodPost, storePath+"/flash-sales", adminToken, map[string]any{"sku_id": sku, "price": 6000, "quantity": 2, "per_buyer": 2, "show_id": show})
	h.read(http.StatusOK, &f, http.MethodPost, "/api/v1/shows/"+show+"/flash-sales/"+f.ID+"/start", adminToken, nil)

	var q Quote
	h.read(http.StatusOK, &q, http.MethodPost, storePath+"/quotes", token, cartOf(sku, 2, "best", true))
	if q.Total != 11_000 || len(q.Applied) != 1 || q.Lines[0].Source != "flash" || q.Lines[0].Off != 1000 {
		t.Fatalf("quoted %+v", q)
	}
	place := func(want int) (o order.View) {
		t.Helper()
		h.read(want, &o, http.MethodPost, anOrder, token, orderOf(sku, 2, 11_000, "claims", []string{claim.ID}))
		return o
	}
	o := place(http.StatusCreated)
	if o.Off != 1000 || len(o.Offers) != 1 || o.Lines[0].Ref != f.ID {
		t.Errorf("placed %+v", o)
	}
	if w := h.ask(http.MethodPost, anOrder, token, orderOf(sku, 1, 5000, "claims", []string{claim.ID})); w.Code != http.StatusConflict {
		t.Errorf("the coupon was used twice, and more than the limit bought: %d %s", w.Code, w.Body)
	}
	if w := h.ask(http.MethodPost, anOrder, h.viewer(), orderOf(sku, 1, 6000)); w.Code != http.StatusConflict {
		t.Errorf("the sale is sold out: %d %s", w.Code, w.Body)
	}
	h.read(http.StatusOK, &o, http.MethodPost, mine+"/"+o.ID+"/cancel", token, nil)
	if o.State != order.Cancelled {
		t.Errorf("%+v", o)
	}
	o = place(http.StatusCreated) // both are there again
	h.press(token, o.ID, "pay")
	h.read(http.StatusOK, nil, http.MethodPost, anOrder+"/"+o.ID+"/refunds", adminToken, map[string]any{"restock": true})
	h.orders.Sweep(t.Context())
	if got := h.myOrder(token, o.ID); got.State != order.Refunded || got.Refunded != 11_000 {
		t.Errorf("%+v", got)
	}
	place(http.StatusCreated) // it was never sent
}

// An order that costs nothing is paid as it is placed, and given back without anybody who moves money.
func TestFreeOrder(t *testing.T) {
	h := newHouse(t)
	p, err := h.goods.Create(t.Context(), commerce.Product{
		Title: "Sample", Price: commerce.Money{Currency: "CNY"}, Link: commerce.LinkCheckout, SKUs: []commerce.SKU{{Tracked: true, Total: 3, PerBuyer: 1}},
	})
	if err != nil {
		t.Fatal(err)
	}
	h.read(http.StatusOK, nil, http.MethodPost, storePath+"/products/"+p.ID+"/audit", adminToken, map[string]any{"decision": "approve"})
	sku, token := p.SKUs[0].ID, h.viewer()
	var o order.View
	h.read(http.StatusCreated, &o, http.MethodPost, anOrder, token, orderOf(sku, 1, 0))
	if o.State != order.Paid || o.PaidAt == "" || o.Lines[0].Hold != order.Sold {
		t.Errorf("placed %+v", o)
	}
	if w := h.ask(http.MethodPost, anOrder, token, orderOf(sku, 1, 0)); w.Code != http.StatusConflict {
		t.Errorf("a second one: %d %s", w.Code, w.Body)
	}
	h.read(http.StatusOK, &o, http.MethodPost, anOrder+"/"+o.ID+"/refunds", adminToken, map[string]any{"restock": true})
	if o.State != order.Refunded || len(o.Refunds) != 0 {
		t.Errorf("given back %+v", o)
	}
	if got, want := h.level(sku), (stock.Level{Total: 3, Available: 3}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	h.read(http.StatusCreated, &o, http.MethodPost, anOrder, token, orderOf(sku, 1, 0)) // the limit counts what one kept
}
