package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/internal/errs"
)

// TestForgedRequestsAreRefused: a cookie counts only in requests that a page of this server made.
func TestForgedRequestsAreRefused(t *testing.T) {
	h := newHouse(t, func(d *Deps) { d.PublicURL = "https://tea.example" })
	shop := h.store("Tea")
	_, session := h.staff(shop, "mei", account.Owner)
	const here, json = "http://shop.example:8080", "application/json"
	for _, c := range []struct {
		name            string
		method          string
		site, from, typ string
		page            string
		want            int
	}{
		{"our page", http.MethodPatch, "same-origin", here, json, "", 200},
		{"our page, with a header", http.MethodPatch, "same-origin", here, json, "1", 200},
		{"an old browser, our page", http.MethodPatch, "", here, json, "", 200},
		{"the public address behind a proxy", http.MethodPatch, "", "https://tea.example", json, "", 200},
		{"a program with a cookie", http.MethodPatch, "", "", json, "", 200},
		{"another site", http.MethodPatch, "cross-site", "https://evil.example", json, "1", 403},
		{"a neighbour", http.MethodPatch, "same-site", "http://evil.shop.example:8080", json, "1", 403},
		{"an old browser, another site", http.MethodPatch, "", "https://evil.example", json, "1", 403},
		{"a form", http.MethodPatch, "", "", "application/x-www-form-urlencoded", "", 403},
		{"a form in plain text", http.MethodPatch, "", "", "text/plain", "", 403},
		{"no type at all", http.MethodPatch, "same-origin", here, "", "", 403},
		{"reading from another site", http.MethodGet, "cross-site", "https://evil.example", "", "", 200},
	} {
		w := h.ask(c.method, "/api/v1/stores/"+shop, "", map[string]any{"name": "Tea"}, "Cookie", staffCookie+"="+session,
			"Sec-Fetch-Site", c.site, "Origin", c.from, "Content-Type", c.typ, pageHeader, c.page)
		if w.Code != c.want {
			t.Errorf("%s: %d, want %d: %s", c.name, w.Code, c.want, w.Body)
		}
		v := h.ask(c.method, "/api/v1/me", "", map[string]any{"name": "Mei"}, "Cookie", viewerCookie+"="+h.viewer(),
			"Sec-Fetch-Site", c.site, "Origin", c.from, "Content-Type", c.typ, pageHeader, c.page)
		if v.Code != c.want {
			t.Errorf("%s, a viewer: %d, want %d: %s", c.name, v.Code, c.want, v.Body)
		}
	}
	for _, path := range []string{"/api/v1/session", "/api/v1/visitors", "/api/v1/invitations"} {
		if w := h.ask(http.MethodPost, path, "", map[string]any{}, "Sec-Fetch-Site", "cross-site"); w.Code != http.StatusForbidden {
			t.Errorf("%s from another site: %d", path, w.Code)
		}
	}
}

func TestCookies(t *testing.T) {
	h := newHouse(t)
	plain := h.ask(http.MethodPost, "/api/v1/visitors", "", nil).Header().Get("Set-Cookie")
	behind := h.ask(http.MethodPost, "/api/v1/visitors", "", nil, "X-Forwarded-Proto", "https").Header().Get("Set-Cookie")
	for header, want := range map[string][]string{
		plain:  {viewerCookie + "=ey", "Path=/", "HttpOnly", "SameSite=Lax"},
		behind: {"__Host-" + viewerCookie + "=ey", "Path=/", "HttpOnly", "SameSite=Lax", "Secure"},
	} {
		for _, w := range want {
			if !strings.Contains(header, w) || strings.Contains(header, "Domain") {
				t.Errorf("%s lacks %s", header, w)
			}
		}
	}
	if strings.Contains(plain, "Secure") {
		t.Error("a browser would not keep it")
	}
	// over https a cookie that a neighbour could have planted does not count
	if w := h.ask(http.MethodGet, "/api/v1/me", "", nil, "X-Forwarded-Proto", "https", "Cookie", viewerCookie+"="+h.viewer()); w.Code != http.StatusUnauthorized {
		t.Errorf("%d", w.Code)
	}
}

func TestVisitorsStayTheSame(t *testing.T) {
	h := newHouse(t)
	var first, again, named ViewerToken
	h.read(http.StatusCreated, &first, http.MethodPost, "/api/v1/visitors", "", nil)
	h.read(http.StatusCreated, &again, http.MethodPost, "/api/v1/visitors", "", nil, "Cookie", viewerCookie+"="+first.Token, "Sec-Fetch-Site", "same-origin")
	if first.Viewer.ID == "" || again.Viewer != first.Viewer || first.Viewer.Kind != "visitor" {
		t.Errorf("%+v, then %+v", first, again)
	}
	h.read(http.StatusOK, &named, http.MethodPatch, "/api/v1/me", first.Token, map[string]any{"name": " Mei "})
	var me Viewer
	h.read(http.StatusOK, &me, http.MethodGet, "/api/v1/me", named.Token, nil)
	if me.ID != first.Viewer.ID || me.Name != "Mei" {
		t.Errorf("%+v", me)
	}
	shop := h.store("Tea")
	minted := h.minted(shop, "7")
	h.read(http.StatusOK, &me, http.MethodGet, "/api/v1/me", minted, nil)
	if me.ID != "jwt:"+shop+":7" || me.Kind != "store" {
		t.Errorf("%+v", me)
	}
	h.read(http.StatusForbidden, nil, http.MethodPatch, "/api/v1/me", minted, map[string]any{"name": "Boss"})
	h.read(http.StatusCreated, &again, http.MethodPost, "/api/v1/visitors", minted, nil)
	if again.Viewer.Kind != "visitor" {
		t.Errorf("a store's viewer became %+v of ours", again.Viewer)
	}
}

func TestWeChatLogin(t *testing.T) {
	path := "/api/v1/stores/" + account.DefaultStore + "/wechat-login"
	newHouse(t).read(http.StatusConflict, nil, http.MethodPost, path, "", map[string]any{"code": "c"})
	h := newHouse(t, func(d *Deps) {
		d.WeChat = &WeChat{AppID: "wx0123456789abcdef", Login: func(_ context.Context, code string) (string, error) {
			if code != "good" {
				return "", errs.New(errs.Unauthorized, "test", "the code is used")
			}
			return "openid-1", nil
		}}
	})
	var v ViewerToken
	h.read(http.StatusCreated, &v, http.MethodPost, path, "", map[string]any{"code": "good"})
	var me Viewer
	h.read(http.StatusOK, &me, http.MethodGet, "/api/v1/me", v.Token, nil)
	if me.ID != "wechat:wx0123456789abcdef:openid-1" || me.Kind != "wechat" {
		t.Errorf("%+v", me)
	}
	h.read(http.StatusUnauthorized, nil, http.MethodPost, path, "", map[string]any{"code": "bad"})
	h.read(http.StatusNotFound, nil, http.MethodPost, "/api/v1/stores/store_x/wechat-login", "", map[string]any{"code": "good"})
}

// TestGuessingPasswords: wrong names and wrong passwords are answered alike, and not for ever.
func TestGuessingPasswords(t *testing.T) {
	h := newHouse(t)
	h.staff(h.store("Tea"), "mei", account.Owner)
	try := func(name, password string) (int, string) {
		w := h.ask(http.MethodPost, "/api/v1/session", "", map[string]any{"name": name, "password": password})
		return w.Code, w.Body.String()
	}
	for n := range 10 {
		code, known := try("mei", "wrong password")
		unknownCode, unknown := try("nobody", "wrong password")
		if code != http.StatusUnauthorized || unknownCode != code || known != unknown {
			t.Fatalf("attempt %d: %d %s, but %d %s", n, code, known, unknownCode, unknown)
		}
	}
	for _, name := range []string{"mei", "nobody"} {
		if code, body := try(name, goodPassword); code != http.StatusTooManyRequests {
			t.Errorf("%s after ten failures: %d %s", name, code, body)
		}
	}
	for n := range 9 { // names of their own, from one network
		if code, _ := try("somebody-"+string(rune('a'+n)), "x"); code != http.StatusUnauthorized {
			t.Errorf("%d", code)
		}
	}
	h.now = h.now.Add(10 * time.Minute)
	if code, body := try("mei", goodPassword); code != http.StatusCreated {
		t.Errorf("ten minutes later: %d %s", code, body)
	}
}

// TestNobodyGivesWhatTheyLack: programs and people cannot make themselves more than they are.
func TestNobodyGivesWhatTheyLack(t *testing.T) {
	h := newHouse(t)
	shop := h.store("Tea")
	boss, session := h.staff(shop, "boss", account.Owner)
	hr := h.apiToken(shop, account.StaffWrite, account.RoomsRead)
	base := "/api/v1/stores/" + shop
	h.read(http.StatusForbidden, nil, http.MethodPost, base+"/staff", hr, map[string]any{"login": "mole", "role": "owner"})
	h.read(http.StatusForbidden, nil, http.MethodPost, base+"/tokens", hr, map[string]any{"name": "more", "scopes": []string{"orders:read"}})
	h.read(http.StatusForbidden, nil, http.MethodPost, base+"/staff/"+boss+"/invitation", hr, nil)
	h.read(http.StatusForbidden, nil, http.MethodDelete, base+"/staff/"+boss, hr, nil)
	h.read(http.StatusForbidden, nil, http.MethodPost, base+"/siblings", h.apiToken(shop, account.StoreWrite), map[string]any{"name": "B", "currency": "CNY"})
	var less AccessTokenWithSecret
	h.read(http.StatusCreated, &less, http.MethodPost, base+"/tokens", hr, map[string]any{"name": "less", "scopes": []string{"rooms:read"}})
	h.read(http.StatusOK, nil, http.MethodGet, base+"/rooms", less.Token, nil)

	w := h.as(session, http.MethodPost, base+"/siblings", map[string]any{"name": "Second", "currency": "CNY"})
	var sibling Shop
	if err := json.Unmarshal(w.Body.Bytes(), &sibling); err != nil || w.Code != http.StatusCreated {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	second := sibling.ID
	// somebody owns the second store alone, and may not become the boss, who owns both
	var inv Invited
	w = h.as(session, http.MethodPost, "/api/v1/stores/"+second+"/staff", map[string]any{"login": "partner", "role": "owner"})
	if err := json.Unmarshal(w.Body.Bytes(), &inv); err != nil || w.Code != http.StatusCreated {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	h.read(http.StatusOK, nil, http.MethodPost, "/api/v1/invitations", "", map[string]any{"token": inv.Invitation.Token, "password": goodPassword})
	partner := cookieOf(h.ask(http.MethodPost, "/api/v1/session", "", map[string]any{"name": "partner", "password": goodPassword}), staffCookie)
	if w := h.as(partner, http.MethodPost, "/api/v1/stores/"+second+"/staff/"+boss+"/invitation", map[string]any{}); w.Code != http.StatusForbidden {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := h.as(session, http.MethodPost, "/api/v1/stores/"+second+"/staff/"+inv.ID+"/invitation", map[string]any{}); w.Code != http.StatusCreated {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	h.read(http.StatusNoContent, nil, http.MethodDelete, base+"/tokens/"+less.ID, adminToken, nil)
	h.read(http.StatusUnauthorized, nil, http.MethodGet, base+"/rooms", less.Token, nil)
}

func TestRoomsStayInTheirStore(t *testing.T) {
	h := newHouse(t)
	shop, other := h.store("Tea"), h.store("Coffee")
	_, session := h.staff(shop, "mei", account.Operator)
	var room RoomWithKey
	w := h.as(session, http.MethodPost, "/api/v1/stores/"+shop+"/rooms", map[string]any{"title": "Teas", "store_id": other})
	if err := json.Unmarshal(w.Body.Bytes(), &room); err != nil || w.Code != http.StatusCreated || room.StoreID != shop {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if w := h.as(session, http.MethodPatch, "/api/v1/rooms/"+room.ID, map[string]any{"store_id": other}); w.Code != http.StatusForbidden {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	h.read(http.StatusOK, nil, http.MethodPatch, "/api/v1/rooms/"+room.ID, adminToken, map[string]any{"store_id": other})
	if w := h.as(session, http.MethodGet, "/api/v1/rooms/"+room.ID, nil); w.Code != http.StatusNotFound {
		t.Errorf("after it moved away: %d", w.Code)
	}
}

// TestIdempotencyKeysAreApart: the same key of another person, program or viewer is another request.
func TestIdempotencyKeysAreApart(t *testing.T) {
	h := newHouse(t)
	shop := h.store("Tea")
	_, mei := h.staff(shop, "mei", account.Owner)
	_, lan := h.staff(shop, "lan", account.Owner)
	one, two := h.apiToken(shop, account.RoomsWrite), h.apiToken(shop, account.RoomsWrite)
	rooms := map[string]bool{}
	for range 2 {
		for _, who := range [][]string{{"Authorization", "Bearer " + one}, {"Authorization", "Bearer " + two}, {"Cookie", staffCookie + "=" + mei}, {"Cookie", staffCookie + "=" + lan}, {"Authorization", "Bearer " + adminToken}} {
			var room Room
			h.read(http.StatusCreated, &room, http.MethodPost, "/api/v1/stores/"+shop+"/rooms", "", map[string]any{"title": "R"}, append(who, "Idempotency-Key", "k")...)
			rooms[room.ID] = true
		}
	}
	if len(rooms) != 5 {
		t.Errorf("%d rooms for five people who each asked twice", len(rooms))
	}
	r := func(header ...string) string {
		req, _ := http.NewRequest(http.MethodPost, "/api/v1/me/x", nil)
		for i := 0; i < len(header); i += 2 {
			req.Header.Set(header[i], header[i+1])
		}
		name, _ := h.server.scope(req)
		return name
	}
	a, b := h.viewer(), h.viewer()
	if x, y := r("Authorization", "Bearer "+a), r("Authorization", "Bearer "+b); x == y || x == "" || y == "" {
		t.Errorf("%q and %q", x, y)
	}
	if x, y := r("Cookie", viewerCookie+"="+a), r("Cookie", viewerCookie+"="+b); x == y || x == "" {
		t.Errorf("%q and %q", x, y)
	}
	if x := r("Authorization", "Bearer guess"); x != "" {
		t.Errorf("a stranger is %q", x)
	}
}

// brokenLog cannot be written.
type brokenLog struct{}

func (brokenLog) AddAudit(context.Context, []account.Entry) error { return errors.New("disk") }

func (brokenLog) AddAuditOutcome(context.Context, []string, account.Outcome) error {
	return errors.New("disk")
}

func (brokenLog) AuditEntries(context.Context, account.EntryFilter, string, int) ([]account.Entry, error) {
	return nil, nil
}

// TestNothingIsDoneUnwritten: an operation that cannot be written down does not run; a refusal stands.
func TestNothingIsDoneUnwritten(t *testing.T) {
	var audit *account.Audit
	h := newHouse(t, func(d *Deps) {
		audit = account.NewAudit(brokenLog{}, d.Log, d.Now)
		d.Audit = audit
	})
	shop := h.store("Tea")
	h.read(http.StatusServiceUnavailable, nil, http.MethodPatch, "/api/v1/stores/"+shop, adminToken, map[string]any{"name": "Changed"})
	var s Shop
	h.read(http.StatusOK, &s, http.MethodGet, "/api/v1/stores/"+shop, adminToken, nil)
	if s.Name != "Tea" || audit.Missed() != 0 {
		t.Errorf("%+v, %d missed", s, audit.Missed())
	}
	h.read(http.StatusForbidden, nil, http.MethodPatch, "/api/v1/stores/"+shop, h.apiToken(shop, account.StoreRead), map[string]any{"name": "Changed"})
	if audit.Missed() != 1 {
		t.Errorf("%d missed", audit.Missed())
	}
}

func TestAuditSaysWhatChanged(t *testing.T) {
	h := newHouse(t)
	shop := h.store("Tea")
	_, session := h.staff(shop, "mei", account.Owner)
	h.as(session, http.MethodPatch, "/api/v1/stores/"+shop, map[string]any{"name": "Tea house"})
	h.now = h.now.Add(time.Second)
	h.as(session, http.MethodPatch, "/api/v1/stores/"+shop, map[string]any{"currency": "yuan"})
	var log Page[AuditEntry]
	h.read(http.StatusOK, &log, http.MethodGet, "/api/v1/stores/"+shop+"/audit?operation=update-store&limit=1", adminToken, nil)
	if len(log.Items) != 1 || log.Items[0].Outcome != "refused" || log.Items[0].Status != http.StatusUnprocessableEntity || log.Next == nil {
		t.Fatalf("%+v", log)
	}
	h.read(http.StatusOK, &log, http.MethodGet, "/api/v1/stores/"+shop+"/audit?operation=update-store&after="+*log.Next, adminToken, nil)
	if len(log.Items) != 1 {
		t.Fatalf("%+v", log)
	}
	var p Product
	goods := "/api/v1/stores/" + shop + "/products"
	h.read(http.StatusCreated, &p, http.MethodPost, goods, adminToken, map[string]any{"title": "Cup", "price": 100, "currency": "CNY", "url": "https://example.com/cup"})
	h.read(http.StatusOK, nil, http.MethodPatch, goods+"/"+p.ID, adminToken, map[string]any{"price": 90})
	var prices Page[AuditEntry]
	h.read(http.StatusOK, &prices, http.MethodGet, "/api/v1/stores/"+shop+"/audit?operation=update-product", adminToken, nil)
	if c := prices.Items[0].Changes["prices"]; fmt.Sprint(c.Before) != "map["+p.SKUs[0].ID+":100]" || fmt.Sprint(c.After) != "map["+p.SKUs[0].ID+":90]" {
		t.Errorf("%+v", prices.Items)
	}
	e := log.Items[0]
	if e.Who == "" || e.Name != "mei" || e.Role != "owner" || e.From != "192.0.2.1" || e.Targets["store"] != shop || e.Permission != "store:write" || e.Changes["name"] != (AuditChange{"Tea", "Tea house"}) {
		t.Errorf("%+v", e)
	}
	h.read(http.StatusOK, &log, http.MethodGet, "/api/v1/audit?from=2030-01-01T00:00:00Z", adminToken, nil)
	if len(log.Items) != 0 {
		t.Errorf("%+v", log)
	}
}
