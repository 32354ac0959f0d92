package clip_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/ids"
	"github.com/vitrine-live/vitrine/live"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/overlay"
	"github.com/vitrine-live/vitrine/replay"
	"github.com/vitrine-live/vitrine/replay/clip"
	"github.com/vitrine-live/vitrine/replay/edit"
	"github.com/vitrine-live/vitrine/store/sqldb"
)

func TestMain(m *testing.M) {
	if what := os.Getenv(childEnv); what != "" {
		if err := makeUntilKilled(what, os.Stdout); err != nil {
			fmt.Fprintln(os.Stdout, "failed:", err)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

// house is a server's data with one show in it.
type house struct {
	t        testing.TB
	dir      string
	db       *sqldb.DB
	archive  *replay.Archive
	timeline *overlay.Timeline
	clips    *clip.Service
	show     live.Show
	tape     *taping
}

// open opens what lies in a data folder, as a server does.
func open(ctx context.Context, dir string, cfg clip.Config, change ...func(*clip.Deps)) (*house, error) {
	db, err := sqldb.Open(ctx, filepath.Join(dir, "vitrine.db"))
	if err != nil {
		return nil, err
	}
	archive, err := replay.Open(filepath.Join(dir, "recordings"), replay.Config{Reserve: -1, Queue: 1 << 30}, nil, nil)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	h := &house{dir: dir, db: db, archive: archive}
	h.timeline = overlay.NewTimeline(db, slog.New(slog.DiscardHandler), overlay.NewMetrics(prometheus.NewRegistry()))
	edits, err := edit.New(edit.Config{}, edit.Deps{Store: db, Timeline: h.timeline, Recordings: archive})
	if err != nil {
		return nil, err
	}
	deps := clip.Deps{
		Store: db, Archive: archive, Timeline: h.timeline, Chapters: edits.Chapters, Maker: &clip.Makers{},
		Shows: func(ctx context.Context, id string) (clip.Show, error) {
			s, err := db.Show(ctx, id)
			return clip.Show{ID: s.ID, RoomID: s.RoomID, StoreID: s.StoreID, Title: s.Title, Epochs: s.Epochs}, err
		},
		Link: func(show clip.Show, p overlay.ProductSnapshot) string {
			return "https://shop.example/r/" + show.RoomID + "?product=" + p.ID
		},
	}
	for _, f := range change {
		f(&deps)
	}
	cfg.Reserve = -1
	h.clips, err = clip.Open(filepath.Join(dir, "clips"), cfg, deps)
	return h, err
}

func (h *house) close() error {
	return errors.Join(h.clips.Close(), h.archive.Close(), h.db.Close())
}

// newHouse is a house with a show on air of which nothing is recorded yet.
func newHouse(t testing.TB, cfg clip.Config, change ...func(*clip.Deps)) *house {
	t.Helper()
	h, err := open(t.Context(), t.TempDir(), cfg, change...)
	if err != nil {
		t.Fatal(err)
	}
	h.t = t
	t.Cleanup(func() {
		if err := h.close(); err != nil {
			t.Error(err)
		}
	})
	room := live.Room{ID: ids.New("room"), Title: "Teas", KeyHash: "x", StoreID: account.DefaultStore, CreatedAt: begun}
	h.show = live.Show{
		ID: ids.New("show"), RoomID: room.ID, StoreID: room.StoreID, Title: "Evening <show>", State: live.Live, StartedAt: begun, CreatedAt: begun,
		Epochs: media.Epochs{{Wall: begun}},
	}
	if err := errors.Join(h.db.CreateRoom(t.Context(), room), h.db.CreateShow(t.Context(), h.show)); err != nil {
		t.Fatal(err)
	}
	h.tape = tape(t, h.archive, h.show.ID)
	return h
}

// wall is a show time of the first epoch on the wall clock.
func wall(at media.Ticks) time.Time { return begun.Add(at.Duration()) }

// pin shows a product between two instants in milliseconds.
func (h *house) pin(n int, fromMS, toMS int64) overlay.Pin {
	h.t.Helper()
	from, to := media.FromMilliseconds(fromMS), media.FromMilliseconds(toMS)
	p, err := h.timeline.Pin(h.t.Context(), h.show.ID, commerce.Product{
		ID: fmt.Sprintf("prod_%d", n), Title: fmt.Sprintf("Tea %d & more", n), Price: commerce.Money{Amount: 1990, Currency: "CNY"},
	}, true, from, wall(from))
	if err == nil {
		err = h.timeline.Unpin(h.t.Context(), h.show.ID, p.ID, to, wall(to))
	}
	if err != nil {
		h.t.Fatal(err)
	}
	return p
}

// end ends the show.
func (h *house) end() {
	h.t.Helper()
	h.tape.end()
	h.show.State, h.show.Duration, h.show.EndedAt = live.Ended, h.tape.at, begun.Add(time.Hour)
	err := errors.Join(h.timeline.EndShow(h.t.Context(), h.show.ID, h.tape.at, wall(h.tape.at)), h.db.UpdateShow(h.t.Context(), h.show))
	if err != nil {
		h.t.Fatal(err)
	}
}

// run makes what waits until stop is called, which waits for the end.
func (h *house) run() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		h.clips.Run(ctx)
		close(done)
	}()
	return func() { cancel(); <-done }
}

// settled waits until nothing of the show waits or is being made.
func (h *house) settled() {
	h.t.Helper()
	next, leave := h.clips.Watch(h.show.ID)
	defer leave()
	for {
		changed := next()
		open, err := h.db.OpenClips(h.t.Context(), h.show.ID, begun.AddDate(100, 0, 0), 1000)
		if err != nil {
			h.t.Fatal(err)
		}
		if len(open) == 0 {
			return
		}
		select {
		case <-changed:
		case <-time.After(200 * time.Millisecond):
		case <-h.t.Context().Done():
			h.t.Fatal("the clips are not made")
		}
	}
}

// get asks for a public file of a clip.
func (h *house) get(id, name string, header ...string) *httptest.ResponseRecorder {
	h.t.Helper()
	r := httptest.NewRequest(http.MethodGet, "/c/"+id+"/"+name, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	if err := h.clips.Serve(w, r, id, plain(name)); err != nil {
		w.Code = map[errs.Kind]int{errs.NotFound: 404, errs.Unavailable: 503, errs.Invalid: 422}[errs.KindOf(err)]
		w.Body.Reset()
		w.Body.WriteString(errs.MessageOf(err))
	}
	return w
}

// plain is a name without its query.
func plain(name string) string {
	for i, r := range name {
		if r == '?' {
			return name[:i]
		}
	}
	return name
}

func ms(v int64) *media.Ticks { return new(media.FromMilliseconds(v)) }

func kind(t testing.TB, err error, want errs.Kind) {
	t.Helper()
	if err == nil || errs.KindOf(err) != want {
		t.Errorf("got %v, want an error of the kind %v", err, want)
	}
}
