package edit

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/ids"
	"github.com/vitrine-live/vitrine/overlay"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// memory keeps logs as a database does.
type memory struct {
	mu    sync.Mutex
	logs  map[string][]Entry
	down  error
	reads int
}

func (m *memory) AppendEdit(_ context.Context, showID string, e Entry) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.down != nil:
		return m.down
	case e.Revision != int64(len(m.logs[showID]))+1:
		return errs.New(errs.Conflict, "memory", "too late")
	}
	m.logs[showID] = append(m.logs[showID], e)
	return nil
}

func (m *memory) EditsAfter(_ context.Context, showID string, after int64, limit int) ([]Entry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reads++
	if m.down != nil {
		return nil, m.down
	}
	log := m.logs[showID]
	return log[min(after, int64(len(log))):min(after+int64(limit), int64(len(log)))], nil
}

type pins []overlay.Range

func (p pins) Ranges(context.Context, string) ([]overlay.Range, error) { return p, nil }

type source struct {
	is  Source
	err error
}

func (s *source) Source(string) (Source, error) { return s.is, s.err }

// bench is a service over a show of 100 seconds.
type bench struct {
	*Service
	store  *memory
	source *source
	show   string
	now    time.Time
	onAir  bool
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{
		store: &memory{logs: map[string][]Entry{}}, show: ids.New("show"), now: noon,
		source: &source{is: Source{Segments: segmentsOf(20*second, 20*second, 20*second, 20*second, 20*second), Duration: 100 * second, Ended: true}},
	}
	b.Service = b.server(t)
	return b
}

// server is one of several of the same database.
func (b *bench) server(t *testing.T) *Service {
	t.Helper()
	s, err := New(Config{}, Deps{
		Store: b.store, Recordings: b.source, Timeline: pins(pinned()), Now: func() time.Time { return b.now },
		OnAir: func(context.Context, string) (bool, error) { return b.onAir, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var lee = Author{ID: "staff_1", Name: "Lee"}

// do makes an edit that must be good, on the newest revision.
func (b *bench) do(t *testing.T, o Op) *History {
	t.Helper()
	h, err := b.History(t.Context(), b.show)
	if err == nil {
		h, err = b.Apply(t.Context(), b.show, h.Revision(), o, lee)
	}
	if err != nil {
		t.Fatalf("%+v: %v", o, err)
	}
	return h
}

func TestEditUndoRedo(t *testing.T) {
	b := newBench(t)
	ctx := t.Context()
	b.do(t, cut(0, 20))
	h := b.do(t, Op{Kind: HideChapter, Chapter: "pin_a"})
	if s := h.State(); s.Revision != 2 || len(s.Cuts) != 1 || h.Entries()[1].By != lee.ID || !h.Entries()[1].At.Equal(noon) {
		t.Errorf("%+v", h.Entries())
	}
	h, err := b.Undo(ctx, b.show, 2, lee)
	if err != nil || h.Revision() != 3 || !h.CanRedo() {
		t.Fatalf("%+v, %v", h, err)
	}
	chapters, err := b.Chapters(ctx, b.show)
	if err != nil || chapters[0].Hidden {
		t.Errorf("%v, %v", titles(chapters), err)
	}
	m, err := b.Map(ctx, b.show)
	if err != nil || m.Duration() != 80*second {
		t.Errorf("%v, %v", m, err)
	}
	if _, err := b.Redo(ctx, b.show, 3, lee); err != nil {
		t.Error(err)
	}
	if _, err := b.Redo(ctx, b.show, 4, lee); errs.KindOf(err) != errs.Conflict || AsStale(err) != nil {
		t.Errorf("redoing nothing: %v", err)
	}
	again, err := b.server(t).State(ctx, b.show) // after a restart
	if err != nil || again.Revision != 4 || len(again.Cuts) != 1 || len(again.chapters) != 1 {
		t.Errorf("%+v, %v", again, err)
	}
}

func TestEditsOnAnOldRevision(t *testing.T) {
	b := newBench(t)
	ctx := t.Context()
	b.do(t, cut(0, 20))
	_, err := b.Apply(ctx, b.show, 0, cut(40, 60), lee)
	if stale := AsStale(err); stale == nil || stale.Revision != 1 || errs.KindOf(err) != errs.Conflict || errs.FieldOf(err) != "revision" || !strings.Contains(errs.MessageOf(err), "revision 1") {
		t.Errorf("%v", err)
	}
	if _, err := b.Undo(ctx, b.show, 7, lee); AsStale(err) == nil {
		t.Error(err)
	}
	// Another server of the same database, which learned of the first edit and not of the second.
	other := b.server(t)
	if s, err := other.State(ctx, b.show); err != nil || s.Revision != 1 {
		t.Fatal(s, err)
	}
	b.do(t, cut(40, 60))
	_, err = other.Apply(ctx, b.show, 1, cut(20, 40), lee)
	if stale := AsStale(err); stale == nil || stale.Revision != 2 {
		t.Errorf("%v", err)
	}
	if _, err := other.Apply(ctx, b.show, 2, cut(20, 40), lee); err != nil {
		t.Error(err)
	}
	if s, _ := b.State(ctx, b.show); s.Revision != 2 {
		t.Errorf("asked too early: %+v", s)
	}
	b.now = b.now.Add(2 * time.Second)
	if s, err := b.State(ctx, b.show); err != nil || s.Revision != 3 {
		t.Errorf("%+v, %v", s, err)
	}
}

// Everybody edits at once: each edit counts once, none is lost.
func TestEditsCompete(t *testing.T) {
	b := newBench(t)
	other := b.server(t)
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			s := []*Service{b.Service, other}[i%2]
			revision := int64(0)
			for {
				_, err := s.Apply(t.Context(), b.show, revision, Op{Kind: Expire, Until: noon.Add(time.Duration(i+1) * time.Hour)}, lee)
				stale := AsStale(err)
				if stale == nil {
					if err != nil {
						t.Error(err)
					}
					return
				}
				revision = stale.Revision
			}
		})
	}
	wg.Wait()
	seen := map[time.Time]bool{}
	for _, e := range b.store.logs[b.show] {
		seen[e.Op.Until] = true
	}
	if len(seen) != 20 || len(b.store.logs[b.show]) != 20 {
		t.Errorf("%d edits of 20, %d entries", len(seen), len(b.store.logs[b.show]))
	}
}

func TestEditsAreCheckedAgainstTheShow(t *testing.T) {
	b := newBench(t)
	ctx := t.Context()
	b.source.is.Segments[1].Gap = true
	for _, ca := range []struct {
		name  string
		op    Op
		kind  errs.Kind
		field string
	}{
		{"beyond the end", cut(90, 101), errs.Invalid, "to_ms"},
		{"everything", cut(0, 100), errs.Invalid, "to_ms"},
		{"a cover of a gap", Op{Kind: SetCover, At: at(30)}, errs.Invalid, "at_ms"},
		{"a cover beyond the end", Op{Kind: SetCover, At: at(100)}, errs.Invalid, "at_ms"},
		{"a chapter of another show", Op{Kind: HideChapter, Chapter: "pin_x"}, errs.Invalid, "chapter"},
		{"undo as an edit", Op{Kind: Undo}, errs.Invalid, "kind"},
	} {
		_, err := b.Apply(ctx, b.show, 0, ca.op, lee)
		if errs.KindOf(err) != ca.kind || errs.FieldOf(err) != ca.field {
			t.Errorf("%s: %v", ca.name, err)
		}
	}
	if len(b.store.logs) != 0 {
		t.Error("what was refused was kept")
	}
	for show, kind := range map[string]errs.Kind{"../x": errs.NotFound, "": errs.NotFound} {
		if _, err := b.Undo(ctx, show, 0, lee); errs.KindOf(err) != kind {
			t.Errorf("%q: %v", show, err)
		}
		if _, err := b.State(ctx, show); errs.KindOf(err) != kind {
			t.Errorf("%q: %v", show, err)
		}
	}
	b.source.err = errs.New(errs.NotFound, "source", "nothing is recorded")
	if _, err := b.Apply(ctx, b.show, 0, Op{Kind: Unpublish}, lee); errs.KindOf(err) != errs.NotFound {
		t.Error(err)
	}
	if chapters, err := b.Chapters(ctx, b.show); err != nil || len(chapters) == 0 {
		t.Errorf("the chapters of a show without a recording: %v, %v", chapters, err)
	}
}

func TestVisible(t *testing.T) {
	b := newBench(t)
	ctx := t.Context()
	b.do(t, Op{Kind: Expire, Until: noon.Add(time.Hour)})
	b.now = noon.Add(time.Hour - 1)
	if err := b.Visible(ctx, b.show); err != nil {
		t.Error(err)
	}
	b.now = noon.Add(time.Hour) // at the instant, without anybody doing anything
	if err := b.Visible(ctx, b.show); errs.KindOf(err) != errs.NotFound || !strings.Contains(errs.MessageOf(err), "expired") {
		t.Error(err)
	}
	b.onAir = true
	if err := b.Visible(ctx, b.show); err != nil {
		t.Errorf("on air: %v", err)
	}
}

// While the database is away, viewers see what was known; who edits is told.
func TestStoreIsAway(t *testing.T) {
	b := newBench(t)
	ctx := t.Context()
	b.do(t, cut(0, 20))
	b.store.down = errs.As(errs.Unavailable, "memory", errors.New("gone"), "the database does not answer")
	b.now = b.now.Add(time.Hour)
	if s, err := b.State(ctx, b.show); err != nil || len(s.Cuts) != 1 {
		t.Errorf("%+v, %v", s, err)
	}
	if _, err := b.State(ctx, ids.New("show")); errs.KindOf(err) != errs.Unavailable {
		t.Errorf("of a show that nobody asked about: %v", err)
	}
	if _, err := b.Apply(ctx, b.show, 1, cut(40, 60), lee); errs.KindOf(err) != errs.Unavailable {
		t.Error(err)
	}
	b.store.down = nil
	if s := b.do(t, cut(40, 60)).State(); s.Revision != 2 || len(s.Cuts) != 2 {
		t.Errorf("%+v", s)
	}
}

func TestLogsAreReadOnceAndForgotten(t *testing.T) {
	b := newBench(t)
	b.cfg.Logs = 2
	b.logs = newLogs(2)
	for range 100 {
		if _, err := b.State(t.Context(), b.show); err != nil {
			t.Fatal(err)
		}
	}
	if b.store.reads != 1 {
		t.Errorf("read %d times", b.store.reads)
	}
	for range 5 {
		if _, err := b.State(t.Context(), ids.New("show")); err != nil {
			t.Fatal(err)
		}
	}
	if len(b.logs.items) != 2 || b.logs.order.Len() != 2 {
		t.Errorf("%d logs in memory", len(b.logs.items))
	}
}

func TestMapOfAShowOnAir(t *testing.T) {
	b := newBench(t)
	b.do(t, cut(0, 20))
	b.source.is.Ended = false
	m, err := b.Map(t.Context(), b.show)
	if err != nil || m.Duration() != 100*second {
		t.Errorf("%v, %v", m, err)
	}
}

func TestConfig(t *testing.T) {
	for field, c := range map[string]Config{"": {}, "fresh": {Fresh: time.Hour}, "logs": {Logs: -1}} {
		if err := c.Validate(); errs.FieldOf(err) != field {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func BenchmarkState(b *testing.B) {
	s, err := New(Config{}, Deps{Store: &memory{logs: map[string][]Entry{}}, Timeline: pins(nil)})
	if err != nil {
		b.Fatal(err)
	}
	show := ids.New("show")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.State(context.Background(), show); err != nil {
			b.Fatal(err)
		}
	}
}
