package api

import (
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/vitrine-live/vitrine/commerce/account"
)

const goodPassword = "otter lamp rises late"

// store makes a store of a merchant of its own.
func (h *house) store(name string) string {
	h.t.Helper()
	m, err := h.people.CreateMerchant(h.t.Context(), name)
	if err != nil {
		h.t.Fatal(err)
	}
	s, err := h.people.CreateStore(h.t.Context(), m.ID, name, "CNY", "")
	if err != nil {
		h.t.Fatal(err)
	}
	return s.ID
}

// staff makes a person in a store and returns the id and the session's token, for as.
func (h *house) staff(storeID, login string, role account.Role) (id, session string) {
	h.t.Helper()
	m, inv, err := h.people.AddStaff(h.t.Context(), account.Principal{Admin: true}, storeID, account.Staff{Login: login}, role)
	if err != nil {
		h.t.Fatal(err)
	}
	begin := func(account.Staff, []string) (func(error), error) { return func(error) {}, nil }
	if _, err := h.people.AcceptInvitation(h.t.Context(), inv.Token, goodPassword, begin); err != nil {
		h.t.Fatal(err)
	}
	_, token, err := h.people.SignIn(h.t.Context(), login, goodPassword, account.Client{})
	if err != nil {
		h.t.Fatal(err)
	}
	return m.ID, token
}

// apiToken makes a token of a store.
func (h *house) apiToken(storeID string, scopes ...account.Permission) string {
	h.t.Helper()
	by := account.Principal{ID: "admin", Admin: true, StoreID: storeID}
	_, token, err := h.people.CreateToken(h.t.Context(), by, "test", scopes, time.Time{})
	if err != nil {
		h.t.Fatal(err)
	}
	return token
}

// as sends a request as a browser of ours does in which somebody is signed in.
func (h *house) as(session, method, path string, body any) *httptest.ResponseRecorder {
	h.t.Helper()
	return h.ask(method, path, "", body, "Cookie", staffCookie+"="+session, "Sec-Fetch-Site", "same-origin")
}

// cookieOf is the value of a cookie that an answer sets.
func cookieOf(w *httptest.ResponseRecorder, name string) string {
	r := http.Response{Header: w.Header()}
	for _, c := range r.Cookies() {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}
