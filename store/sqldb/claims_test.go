package sqldb

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
)

func TestClaimsOfAnOrder(t *testing.T) {
	db, now := openTest(t, filepath.Join(t.TempDir(), "vitrine.db")), time.UnixMilli(1_000_000)
	for i, viewer := range []string{"a", "a", "b"} {
		_, err := db.write.ExecContext(t.Context(), `INSERT INTO coupon_claims
			(id, coupon_id, store_id, viewer_id, n, terms, state, show_id, show_time_ms, claimed_at, valid_from, valid_until)
			VALUES ($1, 'cpn_1', 'store_default', $2, $3, '{}', 'claimed', '', 0, 0, 1000000, 2000000)`, fmt.Sprintf("clm_%d", i), viewer, i)
		if err != nil {
			t.Fatal(err)
		}
	}
	use := func(viewer, order string, at time.Time, claims ...string) error {
		return db.update(t.Context(), "test", func(ctx context.Context, tx *sql.Tx) error {
			return useClaims(ctx, tx, "test", viewer, order, claims, at)
		})
	}
	for _, c := range []struct {
		name, viewer string
		at           time.Time
		claims       []string
	}{
		{"another viewer's", "a", now, []string{"clm_0", "clm_2"}},
		{"unknown", "a", now, []string{"clm_0", "clm_9"}},
		{"twice", "a", now, []string{"clm_0", "clm_0"}},
		{"too early", "a", now.Add(-time.Millisecond), []string{"clm_0"}},
		{"too late", "a", time.UnixMilli(2_000_000), []string{"clm_0"}},
	} {
		if err := use(c.viewer, "ord_1", c.at, c.claims...); errs.KindOf(err) != errs.Conflict {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if err := use("a", "ord_1", now, "clm_1", "clm_0"); err != nil { // what was refused left no trace
		t.Fatal(err)
	}
	if err := use("a", "ord_2", now, "clm_1"); errs.KindOf(err) != errs.Conflict {
		t.Errorf("a used coupon: %v", err)
	}
	release := func(order string) {
		t.Helper()
		err := db.update(t.Context(), "test", func(ctx context.Context, tx *sql.Tx) error { return releaseClaims(ctx, tx, order) })
		if err != nil {
			t.Fatal(err)
		}
	}
	release("")
	release("ord_2")
	if err := use("a", "ord_2", now, "clm_1"); errs.KindOf(err) != errs.Conflict {
		t.Errorf("a coupon that another order has: %v", err)
	}
	release("ord_1")
	if err := use("a", "ord_2", now, "clm_1", "clm_0"); err != nil {
		t.Error(err)
	}
}
