package overlay_test

import (
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/live"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/overlay"
	"github.com/vitrine-live/vitrine/store/sqldb"
	"github.com/vitrine-live/vitrine/store/sqldb/sqldbtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// wall0 is where show time 0 is on the wall clock in these tests.
var wall0 = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func wallAt(t media.Ticks) time.Time { return wall0.Add(t.Duration()).Truncate(time.Millisecond) }

func ms(n int64) media.Ticks { return media.FromMilliseconds(n) }

// world is a database with rooms and shows, and a timeline over it.
type world struct {
	db       *sqldb.DB
	timeline *overlay.Timeline
	metrics  *overlay.Metrics
	registry *prometheus.Registry
	n        atomic.Int32
}

func newWorld(t testing.TB) *world {
	t.Helper()
	db := sqldbtest.Open(t)
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	reg := prometheus.NewPedanticRegistry()
	m := overlay.NewMetrics(reg)
	return &world{db: db, metrics: m, registry: reg, timeline: overlay.NewTimeline(db, quiet, m)}
}

var quiet = slog.New(slog.DiscardHandler)

// failer is what testing.TB and rapid.T have in common.
type failer interface {
	Helper()
	Fatal(args ...any)
}

// room makes a room and returns its id.
func (w *world) room(t failer) string {
	t.Helper()
	id := fmt.Sprintf("room_%016d", w.n.Add(1))
	err := w.db.CreateRoom(ctx, live.Room{ID: id, Title: "Room", KeyHash: id, CreatedAt: wall0})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// show puts a new show on air in a room, in place of the one that was, and returns its id.
func (w *world) show(t failer, roomID string) string {
	t.Helper()
	w.endShow(t, roomID)
	n := w.n.Add(1)
	s := live.Show{
		ID: fmt.Sprintf("show_%016d", n), RoomID: roomID, Title: "Show", State: live.Live, StartedAt: wall0,
		CreatedAt: wall0.Add(time.Duration(n) * time.Second), Epochs: media.Epochs{{Wall: wall0}},
	}
	if err := w.db.CreateShow(ctx, s); err != nil {
		t.Fatal(err)
	}
	return s.ID
}

// endShow takes the show of a room off the air, if there is one.
func (w *world) endShow(t failer, roomID string) {
	t.Helper()
	old, err := w.db.CurrentShow(ctx, roomID)
	if errs.KindOf(err) == errs.NotFound {
		return
	}
	old.State = live.Ended
	if err := errors.Join(err, w.db.UpdateShow(ctx, old)); err != nil {
		t.Fatal(err)
	}
}

func product(n int) commerce.Product {
	stock := int64(n)
	return commerce.Product{
		ID: fmt.Sprintf("prod_%016d", n), Title: fmt.Sprintf("商品 %d", n), Price: commerce.Money{Amount: int64(n) * 100, Currency: "CNY"},
		Link: commerce.LinkURL, Audit: commerce.Audit{State: commerce.Approved}, URL: "https://shop.example/" + fmt.Sprint(n), Images: []string{"/img.jpg"}, Stock: &stock, CreatedAt: wall0, UpdatedAt: wall0,
	}
}
