package api

import (
	"net/http"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/replay/retention"
	"github.com/vitrine-live/vitrine/store/sqldb"
)

func retentionDeps(t testing.TB, db *sqldb.DB, clock func() time.Time) RetentionDeps {
	t.Helper()
	s, err := retention.New(retention.Config{Days: 90}, retention.Deps{Store: db, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	return RetentionDeps{Retention: s}
}

func TestRetention(t *testing.T) {
	h := newHouse(t)
	path := "/api/v1/stores/" + account.DefaultStore + "/retention"
	read := func() Retention {
		var r Retention
		decodeInto(t, h.ask(http.MethodGet, path, adminToken, nil), http.StatusOK, &r)
		return r
	}
	if r := read(); r.Days != nil || r.DefaultDays != 90 || r.EffectiveDays != 90 || r.HoldsFrom != nil {
		t.Errorf("%+v", r)
	}
	for _, days := range []any{30, 0, nil} {
		if w := h.ask(http.MethodPut, path, adminToken, map[string]any{"days": days}); w.Code != http.StatusOK {
			t.Fatalf("%v: %d %s", days, w.Code, w.Body)
		}
	}
	if r := read(); r.Days != nil || r.EffectiveDays != 90 || r.HoldsFrom == nil {
		t.Errorf("%+v", r)
	}
	for _, days := range []any{-1, 36_501, 1.5, "7", "NaN"} {
		if w := h.ask(http.MethodPut, path, adminToken, map[string]any{"days": days}); w.Code != http.StatusUnprocessableEntity && w.Code != http.StatusBadRequest {
			t.Errorf("%v: %d %s", days, w.Code, w.Body)
		}
	}
}
