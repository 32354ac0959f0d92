package api

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/commerce/account"
)

// TestStaffFromInvitationToSignOut walks the whole way of a person.
func TestStaffFromInvitationToSignOut(t *testing.T) {
	h := newHouse(t)
	var m Merchant
	h.read(http.StatusCreated, &m, http.MethodPost, "/api/v1/merchants", adminToken, map[string]any{"name": "Tea & Co"})
	var shop Shop
	h.read(http.StatusCreated, &shop, http.MethodPost, "/api/v1/merchants/"+m.ID+"/stores", adminToken, map[string]any{"name": "Tea", "currency": "CNY"})
	var inv Invited
	h.read(http.StatusCreated, &inv, http.MethodPost, "/api/v1/stores/"+shop.ID+"/staff", adminToken, map[string]any{"login": "Mei", "email": "Mei@Example.com", "role": "owner"})
	if inv.Login != "mei" || inv.Email != "mei@example.com" || inv.PasswordSet || inv.Invitation == nil {
		t.Fatalf("%+v", inv)
	}
	signIn := func(name, password string) (int, string) {
		w := h.ask(http.MethodPost, "/api/v1/session", "", map[string]any{"name": name, "password": password})
		return w.Code, cookieOf(w, staffCookie)
	}
	if code, _ := signIn("mei", goodPassword); code != http.StatusUnauthorized {
		t.Errorf("before a password is set: %d", code)
	}
	h.read(http.StatusUnprocessableEntity, nil, http.MethodPost, "/api/v1/invitations", "", map[string]any{"token": inv.Invitation.Token, "password": "password1!"})
	h.now = h.now.Add(time.Second)
	h.read(http.StatusOK, nil, http.MethodPost, "/api/v1/invitations", "", map[string]any{"token": inv.Invitation.Token, "password": goodPassword})
	h.read(http.StatusUnauthorized, nil, http.MethodPost, "/api/v1/invitations", "", map[string]any{"token": inv.Invitation.Token, "password": goodPassword})
	code, cookie := signIn("MEI@example.com", goodPassword)
	if code != http.StatusCreated || cookie == "" {
		t.Fatalf("%d, %q", code, cookie)
	}
	var s Session
	w := h.as(cookie, http.MethodGet, "/api/v1/session", nil)
	if err := json.Unmarshal(w.Body.Bytes(), &s); err != nil || w.Code != http.StatusOK || len(s.Stores) != 1 || s.Stores[0].ID != shop.ID || s.Stores[0].Role != "owner" {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	_, other := signIn("mei", goodPassword)
	h.now = h.now.Add(time.Second)
	w = h.as(cookie, http.MethodPost, "/api/v1/password", map[string]any{"current": goodPassword, "new": "kettle under seven moons"})
	fresh := cookieOf(w, staffCookie)
	if w.Code != http.StatusOK || fresh == "" {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	for _, old := range []string{cookie, other} {
		if w := h.as(old, http.MethodGet, "/api/v1/session", nil); w.Code != http.StatusUnauthorized {
			t.Errorf("a session from before the change: %d", w.Code)
		}
	}
	h.now = h.now.Add(time.Second)
	if w := h.as(fresh, http.MethodDelete, "/api/v1/session", nil); w.Code != http.StatusNoContent || !strings.Contains(w.Header().Get("Set-Cookie"), "Max-Age=0") {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	if w := h.as(fresh, http.MethodGet, "/api/v1/session", nil); w.Code != http.StatusUnauthorized {
		t.Errorf("after signing out: %d", w.Code)
	}
	wantAudit(t, h, shop.ID, "sign-out done", "change-password done", "accept-invitation done", "add-staff done")
}

// wantAudit compares the audit log of a store, newest first.
func wantAudit(t *testing.T, h *house, storeID string, want ...string) {
	t.Helper()
	var log Page[AuditEntry]
	h.read(http.StatusOK, &log, http.MethodGet, "/api/v1/stores/"+storeID+"/audit", adminToken, nil)
	var got []string
	for _, e := range log.Items {
		got = append(got, e.Operation+" "+e.Outcome)
	}
	if strings.Join(got, ", ") != strings.Join(want, ", ") {
		t.Errorf("the audit log says %v, want %v", got, want)
	}
}

func TestSessionsSlideAndEnd(t *testing.T) {
	h := newHouse(t)
	shop := h.store("Tea")
	_, cookie := h.staff(shop, "mei", account.Owner)
	for range 12 { // 72 days of six-day pauses
		h.now = h.now.Add(6 * 24 * time.Hour)
		if w := h.as(cookie, http.MethodGet, "/api/v1/session", nil); w.Code != http.StatusOK {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	h.now = h.now.Add(8 * 24 * time.Hour)
	if w := h.as(cookie, http.MethodGet, "/api/v1/session", nil); w.Code != http.StatusUnauthorized {
		t.Errorf("after eight days of rest: %d", w.Code)
	}
}
