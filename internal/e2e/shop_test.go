package e2e

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

const store = "/api/v1/stores/store_default"

// A viewer takes a coupon off the picture, buys the last piece of what is pinned, and pays, while the show goes on in the
// same page. Whoever watches sees that it is sold out; the store's report is what the orders add up to.
func TestBuyingBesideTheShow(t *testing.T) {
	t.Parallel()
	s := serve(t)
	r := s.newRoom(t)
	product := s.newShirt(t)
	s.call(t, http.MethodPut, "/api/v1/rooms/"+r.ID+"/bag", map[string]any{"product_ids": []string{product}}, nil)
	pub := publish(t, s, r.StreamKey, publication{picture: landscape})
	showID := s.onAir(t, r.ID)
	s.pin(t, r.ID, product, nil)
	s.dropCoupon(t, showID, 500)

	b := browse(t, s.url("/r/"+r.ID))
	card := fmt.Sprintf(`button.card[data-visible="true"][data-product=%q]`, product)
	click := func(selector string) chromedp.Action { return chromedp.Click(selector, chromedp.ByQuery) }
	b.run(t, 40*time.Second, click(`.offer[data-kind="coupon"]`), chromedp.WaitVisible(`.offer[data-claimed]`, chromedp.ByQuery))
	b.tap(t, card, `.product-page .option[data-option="Red"]:disabled`)
	b.tap(t, `.option[data-option="Blue"]`, `.option[data-option="Blue"][aria-checked="true"]`)
	b.tap(t, `.buy-now:not(:disabled)`, `.checkout-page .sums dd`)
	b.run(t, 20*time.Second, chromedp.WaitVisible(`.checkout-page .sums dd`, chromedp.ByQuery), chromedp.SendKeys(`input[name=name]`, "Ming", chromedp.ByQuery),
		chromedp.SendKeys(`input[name=phone]`, "13800138000", chromedp.ByQuery), chromedp.SendKeys(`input[name=region]`, "Zhejiang", chromedp.ByQuery),
		chromedp.SendKeys(`input[name=detail]`, "Wensan Road 100", chromedp.ByQuery), click(`.checkout-page button[type=submit]`))
	var pay string
	b.run(t, 20*time.Second, chromedp.WaitVisible(`.order-page a.primary[href*="/pay/"]`, chromedp.ByQuery), chromedp.AttributeValue(`.order-page a.primary`, "href", &pay, nil, chromedp.ByQuery))
	payInSandbox(t, s, pay)
	b.run(t, 20*time.Second, chromedp.WaitVisible(`.order-state[data-state="paid"]`, chromedp.ByQuery))

	var playing bool
	b.eval(t, `(async () => { const v = document.querySelector('video'), at = v.currentTime; await new Promise(r => setTimeout(r, 700)); return v.currentTime > at; })()`, &playing)
	if !playing {
		t.Error("the show did not go on beside the order")
	}
	b.run(t, 20*time.Second, click(`.back`), click(`.close`), chromedp.WaitVisible(card+` .stock[data-level="none"]`, chromedp.ByQuery))
	s.wantReport(t, showID, product, 2499-500)
	pub.finish(t)
	s.state(t, showID, "ended", 5*time.Second)
	if events := s.timeline(t, showID).Events; !contains(events, "order") || !contains(events, "coupon") {
		t.Error("the replay does not tell what was bought and given")
	}
	s.stop(t)
}

// tap taps until something comes of it: what stands over a moving picture may move away under a finger.
func (b *browser) tap(t *testing.T, selector, until string) {
	t.Helper()
	eventually(t, 30*time.Second, "a tap on "+selector+" to open "+until, func() bool {
		ctx, cancel := context.WithTimeout(b.ctx, 4*time.Second)
		defer cancel()
		return chromedp.Run(ctx, chromedp.Click(selector, chromedp.ByQuery), chromedp.WaitVisible(until, chromedp.ByQuery)) == nil
	})
}

// newShirt makes a product of two variants, of which one is sold out and one has a single piece.
func (s *server) newShirt(t *testing.T) (id string) {
	t.Helper()
	sku := func(colour string, pieces int) map[string]any {
		return map[string]any{"attributes": []map[string]any{{"name": "Colour", "value": colour}}, "price": 2499, "stock": pieces}
	}
	var p struct {
		ID string `json:"id"`
	}
	s.call(t, http.MethodPost, store+"/products", map[string]any{
		"title": "Linen shirt", "currency": "CNY", "image_url": "https://example.com/p.jpg", "skus": []any{sku("Red", 0), sku("Blue", 1)},
	}, &p)
	return p.ID
}

func (s *server) dropCoupon(t *testing.T, showID string, amount int) {
	t.Helper()
	var c struct {
		ID string `json:"id"`
	}
	s.call(t, http.MethodPost, store+"/coupons", map[string]any{
		"title": "For you", "amount": amount, "currency": "CNY", "quota": 10, "per_viewer": 1, "claim_in": "live", "valid_for_s": 3600, "state": "active",
	}, &c)
	s.call(t, http.MethodPost, "/api/v1/shows/"+showID+"/coupons/"+c.ID+"/drop", map[string]any{}, nil)
}

// payInSandbox pays twice, as a buyer with two thumbs does: the second payment goes back.
func payInSandbox(t *testing.T, s *server, page string) {
	t.Helper()
	u, err := url.Parse(page)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url(u.Path), strings.NewReader("do=twice"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode >= 400 {
		t.Fatalf("the sandbox answered %s", res.Status)
	}
}

// wantReport wants one order of the product in the show's report, which came from its pin.
func (s *server) wantReport(t *testing.T, showID, product string, total int64) {
	t.Helper()
	type sums struct{ Orders, Units, GMV int64 }
	type row struct {
		Key    string
		Clicks int64
		Sales  []struct{ Paid, Direct sums }
	}
	var got struct{ Products []row }
	want := sums{1, 1, total}
	eventually(t, 10*time.Second, "the report to count the order and what led to it", func() bool {
		s.call(t, http.MethodGet, "/api/v1/shows/"+showID+"/report", nil, &got)
		return len(got.Products) == 1 && got.Products[0].Clicks > 0 && len(got.Products[0].Sales) == 1
	})
	p := got.Products[0]
	if p.Key != product || p.Sales[0].Paid != want || p.Sales[0].Direct != want {
		t.Errorf("the report says %+v of %s, want %+v, direct", p, product, want)
	}
}

func contains(events []event, typ string) bool {
	for _, e := range events {
		if e.Type == typ {
			return true
		}
	}
	return false
}
