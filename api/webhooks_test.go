package api

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/commerce/webhook"
)

func TestWebhookOperations(t *testing.T) {
	h := newHouse(t)
	const base = "/api/v1/stores/store_default/webhooks"
	var made WebhookSecret
	h.read(201, &made, "POST", base, adminToken, map[string]any{"url": "https://shop.example/hook", "events": []string{"order.paid"}})
	if !strings.HasPrefix(made.Secret, "whsec_") || made.Webhook.URL != "https://shop.example/hook" || !made.Webhook.Enabled {
		t.Fatalf("%+v", made)
	}
	one := base + "/" + made.Webhook.ID
	w := h.ask("GET", one, adminToken, nil)
	if w.Code != 200 || strings.Contains(w.Body.String(), made.Secret) {
		t.Errorf("the secret is shown again: %s", w.Body)
	}
	for _, bad := range []map[string]any{{"url": "http://shop.example"}, {"url": "x"}, {"url": "https://a", "events": []string{"nothing"}}} {
		if w := h.ask("POST", base, adminToken, bad); w.Code != 422 {
			t.Errorf("%v: %d %s", bad, w.Code, w.Body)
		}
	}
	if w := h.ask("GET", "/api/v1/stores/store_other/webhooks/"+made.Webhook.ID, adminToken, nil); w.Code != 404 {
		t.Errorf("in another store: %d", w.Code)
	}

	var rotated WebhookSecret
	h.read(200, &rotated, "POST", one+"/secret", adminToken, map[string]any{"overlap_hours": 2})
	if rotated.Secret == made.Secret || rotated.Webhook.OldSecretUntil == nil {
		t.Errorf("%+v", rotated)
	}
	var sent WebhookDelivery
	h.read(202, &sent, "POST", one+"/test", adminToken, nil)
	var message WebhookMessage
	h.read(200, &message, "GET", one+"/deliveries/"+sent.ID, adminToken, nil)
	if sent.State != "pending" || sent.NextAt == nil || !strings.Contains(message.Body, `"type":"webhook.test"`) {
		t.Errorf("%+v %+v", sent, message)
	}
	if w := h.ask("POST", one+"/deliveries/"+sent.ID+"/replay", adminToken, nil); w.Code != 409 {
		t.Errorf("replayed while on its way: %d", w.Code)
	}
	var changed Webhook
	h.read(200, &changed, "PATCH", one, adminToken, map[string]any{"enabled": false})
	if changed.Enabled {
		t.Error("not disabled")
	}
	var dead Page[WebhookDelivery]
	h.read(200, &dead, "GET", one+"/deliveries?state=dead&limit=1", adminToken, nil)
	if len(dead.Items) != 1 || dead.Items[0].ID != sent.ID || dead.Items[0].LastError == "" || dead.Next != nil {
		t.Errorf("%+v", dead)
	}
	if w := h.ask("POST", one+"/replay", adminToken, map[string]any{}); w.Code != 409 {
		t.Errorf("replayed to a disabled one: %d", w.Code)
	}
	h.read(200, nil, "PATCH", one, adminToken, map[string]any{"enabled": true})
	var n Replayed
	h.read(202, &n, "POST", one+"/replay", adminToken, map[string]any{})
	if n.Count != 1 {
		t.Errorf("%+v", n)
	}
	h.read(204, nil, "DELETE", one, adminToken, nil)
	var left Page[Webhook]
	h.read(200, &left, "GET", base, adminToken, nil)
	if len(left.Items) != 0 {
		t.Errorf("%+v", left)
	}
}

func TestExternalMall(t *testing.T) {
	h := newHouse(t)
	var p struct {
		ID string `json:"id"`
	}
	h.read(201, &p, "POST", "/api/v1/stores/store_default/products", adminToken, map[string]any{
		"title": "Green tea", "price": 19900, "currency": "CNY", "url": "https://mall.example/tea?x=1",
	})
	w := h.ask("GET", "/go/"+p.ID+"?show=show_1&pin=pin_1&t=61500&via=replay&share=friend", "", nil)
	to := w.Header().Get("Location")
	if w.Code != http.StatusFound || !strings.HasPrefix(to, "https://mall.example/tea?") || !strings.Contains(to, "vt_pin=pin_1") {
		t.Fatalf("%d %s %s", w.Code, to, w.Body)
	}
	if w := h.ask("GET", "/go/prod_x", "", nil); w.Code != 404 {
		t.Errorf("an unknown product: %d", w.Code)
	}
	var link ProductLink
	h.read(200, &link, "GET", "/api/v1/products/"+p.ID+"/link?show=show_1&pin=pin_1&t=61500&via=replay", "", nil)
	if link.Kind != "url" || !strings.Contains(link.URL, "vt_click="+link.ClickID) {
		t.Errorf("%+v", link)
	}

	report := `{"order_no":"A-1","state":"paid","currency":"CNY","total":19900,"paid_at":"` + h.now.Format(time.RFC3339) +
		`","lines":[{"title":"tea","quantity":1,"amount":19900,"click_id":"` + link.ClickID + `"}]}`
	const at = "/api/v1/stores/store_default/external-orders"
	if w := h.report(at, webhook.NewSecret(), report); w.Code != 401 {
		t.Errorf("without a mall: %d %s", w.Code, w.Body)
	}
	var secret MallSecret
	h.read(200, &secret, "POST", "/api/v1/stores/store_default/mall/secret", adminToken, map[string]any{})
	if w := h.report(at, webhook.NewSecret(), report); w.Code != 401 {
		t.Errorf("forged: %d %s", w.Code, w.Body)
	}
	if w := h.report(at, secret.Secret, report); w.Code != 201 || !strings.Contains(w.Body.String(), `"verified":true`) || !strings.Contains(w.Body.String(), `"pin_id":"pin_1"`) || !strings.Contains(w.Body.String(), p.ID) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := h.report(at, secret.Secret, report); w.Code != 200 {
		t.Errorf("again: %d %s", w.Code, w.Body)
	}
	if w := h.report(at, secret.Secret, strings.Replace(report, `"quantity":1`, `"quantity":2`, 1)); w.Code != 409 {
		t.Errorf("with other terms: %d %s", w.Code, w.Body)
	}
	if w := h.report(at, secret.Secret, strings.Replace(report, `"state":"paid"`, `"state":"lost"`, 1)); w.Code != 422 || !strings.Contains(w.Body.String(), "body.state") {
		t.Errorf("of no state: %d %s", w.Code, w.Body)
	}
	if w := h.report(at, secret.Secret, strings.Replace(report, `"paid"`, `"refunded"`, 1)); w.Code != 200 || !strings.Contains(w.Body.String(), `"refunded":19900`) {
		t.Errorf("refunded: %d %s", w.Code, w.Body)
	}
	var all Page[ExternalOrder]
	h.read(200, &all, "GET", at, adminToken, nil)
	if len(all.Items) != 1 || all.Items[0].State != "refunded" || !all.Items[0].Lines[0].Verified || all.Items[0].Lines[0].Attribution.ShowTimeMS != 61500 {
		t.Errorf("%+v", all)
	}
	var m Mall
	h.read(200, &m, "GET", "/api/v1/stores/store_default/mall", adminToken, nil)
	if !m.Connected {
		t.Errorf("%+v", m)
	}
}

// report sends what a mall says, signed.
func (h *house) report(path, secret, body string) *httptest.ResponseRecorder {
	h.t.Helper()
	var headers []string
	for name, value := range webhook.Sign([]string{secret}, "msg_1", h.now, []byte(body)) {
		headers = append(headers, name, value)
	}
	return h.ask("POST", path, "", json.RawMessage(body), headers...)
}

func TestDiscrepancyOperations(t *testing.T) {
	h := newHouse(t)
	for _, path := range []string{"/api/v1/stores/" + account.DefaultStore + "/reconciliation?open=true", "/api/v1/reconciliation"} {
		var all Page[Discrepancy]
		h.read(200, &all, "GET", path, adminToken, nil)
		if all.Items == nil || len(all.Items) != 0 {
			t.Errorf("%+v", all)
		}
	}
	if w := h.ask("POST", "/api/v1/reconciliation/dis_x/resolve", adminToken, map[string]any{"note": "done"}); w.Code != 404 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
