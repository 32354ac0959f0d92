package api

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/golang-jwt/jwt/v5"

	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/live"
)

// passed is the answer of the tests' own that stands behind authorisation: no operation runs.
const passed = 299

// cast is everybody who may come to the door of one store.
type cast struct {
	*house
	storeID, otherID string
	places           *strings.Replacer
	callers          []whoever
}

// whoever is one of them: the headers of a request, which may depend on the scope that the operation wants.
type whoever struct {
	name    string
	headers func(scope account.Permission) []string
}

func newCast(t *testing.T) *cast {
	t.Helper()
	h := newHouse(t, withImports(t, nil), func(d *Deps) {
		d.MaxWrongKeys = 1_000_000
		d.Middlewares = huma.Middlewares{func(ctx huma.Context, _ func(huma.Context)) { ctx.SetStatus(passed) }}
	})
	c := &cast{house: h, storeID: h.store("Tea"), otherID: h.store("Coffee")}
	room, key := c.room(c.storeID)
	_, otherKey := c.room(c.otherID)
	show, err := h.rooms.Schedule(t.Context(), room.ID, "", h.now.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	im, err := h.server.Imports.Start(t.Context(), room.ID, "https://example.com/a.m3u8", "")
	if err != nil {
		t.Fatal(err)
	}
	c.places = strings.NewReplacer("{store}", c.storeID, "{room}", room.ID, "{show}", show.ID, "{import}", im.ID, "{", "x_", "}", "")
	c.come("admin", c.bearer(adminToken))
	for _, role := range account.Roles {
		_, session := h.staff(c.storeID, string(role), role)
		c.come(string(role), c.cookie(session))
	}
	_, session := h.staff(c.otherID, "stranger", account.Owner)
	c.come("stranger", c.cookie(session))
	c.tokens()
	c.come("key", c.bearer(key))
	c.come("other key", c.bearer(otherKey))
	c.come("viewer", c.bearer(h.viewer()))
	c.come("viewer by cookie", func(account.Permission) []string {
		return []string{"Cookie", viewerCookie + "=" + h.viewer(), "Sec-Fetch-Site", "same-origin"}
	})
	c.come("viewer of the store", c.bearer(h.minted(c.storeID, "7")))
	c.come("viewer of another store", c.bearer(h.minted(c.otherID, "7")))
	c.come("nobody", func(account.Permission) []string { return nil })
	return c
}

func (c *cast) room(storeID string) (live.Room, string) {
	c.t.Helper()
	room, key, err := c.rooms.CreateRoom(c.t.Context(), live.RoomUpdate{Title: new("Room"), StoreID: &storeID})
	if err != nil {
		c.t.Fatal(err)
	}
	return room, key
}

func (c *cast) come(name string, headers func(account.Permission) []string) {
	c.callers = append(c.callers, whoever{name, headers})
}

func (c *cast) bearer(token string) func(account.Permission) []string {
	return func(account.Permission) []string { return []string{"Authorization", "Bearer " + token} }
}

func (c *cast) cookie(session string) func(account.Permission) []string {
	return func(account.Permission) []string {
		return []string{"Cookie", staffCookie + "=" + session, "Sec-Fetch-Site", "same-origin"}
	}
}

// tokens come with the scope alone, with all but the scope, and of another store with all.
func (c *cast) tokens() {
	with, without := map[account.Permission]string{}, map[account.Permission]string{}
	for _, p := range account.Permissions {
		with[p] = c.apiToken(c.storeID, p)
		without[p] = c.apiToken(c.storeID, slices.DeleteFunc(slices.Clone(account.Permissions), func(q account.Permission) bool { return q == p })...)
	}
	with[""], without[""] = with[account.StoreRead], with[account.StoreRead]
	other := c.apiToken(c.otherID, account.Permissions...)
	c.come("token", func(p account.Permission) []string { return c.bearer(with[p])(p) })
	c.come("token without the scope", func(p account.Permission) []string { return c.bearer(without[p])(p) })
	c.come("token of another store", c.bearer(other))
}

// minted is a viewer token as a store's backend makes one.
func (h *house) minted(storeID, subject string) string {
	h.t.Helper()
	secret, err := h.people.RotateViewerSecret(h.t.Context(), storeID, time.Hour)
	if err != nil {
		h.t.Fatal(err)
	}
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.RegisteredClaims{
		Issuer: storeID, Subject: subject, ExpiresAt: jwt.NewNumericDate(h.now.Add(time.Hour)),
	}).SignedString([]byte(secret))
	if err != nil {
		h.t.Fatal(err)
	}
	return token
}

// want is the status for a caller.
func (r row) want(caller, path string) int {
	placed := placeIn(path) != ""
	has := func(who string) bool { return slices.Contains(strings.Fields(r.who), who) }
	ok := func(is bool, otherwise int) int {
		if is {
			return passed
		}
		return otherwise
	}
	switch r.who {
	case everyone:
		return passed
	case viewing:
		switch caller {
		case "viewer", "viewer by cookie", "viewer of the store":
			return passed
		case "viewer of another store":
			return ok(!placed, http.StatusForbidden)
		}
		return http.StatusUnauthorized
	}
	switch caller {
	case "admin", "owner", "operator", "anchor", "assistant":
		return ok(has(caller), http.StatusForbidden)
	case "stranger":
		if r.scope != "" {
			return http.StatusNotFound
		}
		return ok(has("owner"), http.StatusForbidden)
	case "token":
		return ok(r.scope != "", http.StatusForbidden)
	case "token without the scope":
		return http.StatusForbidden
	case "token of another store":
		if r.scope != "" {
			return http.StatusNotFound
		}
		return http.StatusForbidden
	case "key":
		return ok(has("key"), http.StatusUnauthorized)
	}
	return http.StatusUnauthorized
}

// TestAuthorizationTable asks for every operation of the description as everybody, and compares with the table. No body is
// sent: who may is decided before anything is read.
func TestAuthorizationTable(t *testing.T) {
	c := newCast(t)
	seen := map[string]bool{}
	for path, item := range c.server.OpenAPI().Paths {
		for method, op := range methods(item) {
			if op == nil {
				continue
			}
			r, known := authorization[op.OperationID]
			seen[op.OperationID] = true
			if !known {
				t.Errorf("%q has no row in the table of authorization_table_test.go: add one line", op.OperationID)
				continue
			}
			c.askAll(t, method, path, op.OperationID, r)
		}
	}
	for id := range authorization {
		if !seen[id] {
			t.Errorf("%q stands in the table, but there is no such operation any more", id)
		}
	}
}

func (c *cast) askAll(t *testing.T, method, path, id string, r row) {
	t.Helper()
	for _, w := range c.callers {
		got := c.ask(method, c.places.Replace(path), "", nil, w.headers(r.scope)...)
		if want := r.want(w.name, path); got.Code != want {
			t.Errorf("%s: %s gets %d, want %d: %s", id, w.name, got.Code, want, got.Body)
		}
	}
	if !changes(method) || r.who == everyone || r.who == viewing {
		return
	}
	if done, refused := c.outcomes(t, id); done == 0 || refused == 0 {
		t.Errorf("%s: the audit log has %d done and %d refused", id, done, refused)
	}
}

// outcomes counts an operation's entries in the audit log.
func (c *cast) outcomes(t *testing.T, operation string) (done, refused int) {
	t.Helper()
	es, err := c.server.Audit.Entries(t.Context(), account.EntryFilter{AllStores: true, Operation: operation}, "", 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range es {
		switch {
		case e.Outcome == nil:
			t.Errorf("%s: an entry without outcome", operation)
		case e.Outcome.Status == passed:
			done++
		default:
			refused++
		}
	}
	return done, refused
}

// TestNobodyLearnsWhatIsAnothers compares what a stranger hears of another merchant's store, room and show with what they
// hear of those that are not there.
func TestNobodyLearnsWhatIsAnothers(t *testing.T) {
	h := newHouse(t)
	_, stranger := h.staff(h.store("Coffee"), "stranger", account.Owner)
	show, err := h.rooms.Schedule(t.Context(), h.room.ID, "", h.now.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	for there, missing := range map[string]string{
		"/api/v1/stores/" + account.DefaultStore: "/api/v1/stores/store_0000000000000000",
		"/api/v1/rooms/" + h.room.ID:             "/api/v1/rooms/room_0000000000000000",
		"/api/v1/shows/" + show.ID:               "/api/v1/shows/show_0000000000000000",
	} {
		theirs, none := h.as(stranger, http.MethodGet, there, nil), h.as(stranger, http.MethodGet, missing, nil)
		if theirs.Code != http.StatusNotFound || none.Code != http.StatusNotFound || theirs.Body.String() != none.Body.String() {
			t.Errorf("%s: %d %s, but %s: %d %s", there, theirs.Code, theirs.Body, missing, none.Code, none.Body)
		}
	}
}

// TestStaffBelongSomewhere: an operation for staff of a store has an address that says which.
func TestStaffBelongSomewhere(t *testing.T) {
	mustBePlaced(&huma.Operation{OperationID: "x", Path: "/api/v1/stores/{store}/rooms/{room}", Security: staff(account.RoomsRead)})
	for _, bad := range []huma.Operation{
		{OperationID: "x", Path: "/api/v1/orders/{order}", Security: staff(account.OrdersRead)},
		{OperationID: "x", Path: "/api/v1/stores/{store}", Security: staff("everything")},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s was taken", bad.Path)
				}
			}()
			mustBePlaced(&bad)
		}()
	}
}
