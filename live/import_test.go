package live_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/live"
	"github.com/vitrine-live/vitrine/media"
)

// reel is a finished show elsewhere, of stretches of so many pictures.
type reel struct {
	h         *house
	stretches []int
	walls     []time.Time
	fails     error         // after the last stretch
	hold      chan struct{} // waits there until it is closed or the import is cancelled
	reached   chan struct{} // closed when it waits
	closed    atomic.Bool
}

func (r *reel) Duration() time.Duration { return 10 * time.Second }

func (r *reel) Close() { r.closed.Store(true) }

func (r *reel) Read(ctx context.Context, begin func(time.Time, []media.Track) error, write func(media.Sample) error) error {
	for i, n := range r.stretches {
		if err := begin(r.walls[i], tracks(r.h.t)); err != nil {
			return err
		}
		p := publisher{h: r.h}
		for range n {
			at := media.Ticks(1_000_000*i) + media.Ticks(p.next)*3000
			if err := write(p.picture(at)); err != nil {
				return err
			}
			if err := write(media.Sample{Kind: media.Audio, PTS: at, DTS: at, Key: true, Payload: make([]byte, 64)}); err != nil {
				return err
			}
			p.next++
		}
	}
	if r.hold != nil {
		close(r.reached)
		select {
		case <-r.hold:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return r.fails
}

func (h *house) imports(open func() (live.Film, error)) *live.Imports {
	h.t.Helper()
	im, err := live.NewImports(h.t.Context(), live.ImportDeps{
		Rooms: h.rooms, Archive: h.archive, Notes: h.db, Log: slog.New(slog.DiscardHandler),
		Open: func(context.Context, string) (live.Film, error) { return open() },
	})
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(im.Close)
	return im
}

func (h *house) importFilm(im *live.Imports) live.Import {
	h.t.Helper()
	got, err := im.Start(h.t.Context(), h.room.ID, "http://origin.example/film.m3u8", "")
	if err != nil {
		h.t.Fatal(err)
	}
	return got
}

// settled waits until an import has ended.
func (h *house) settled(im *live.Imports, id string) live.Import {
	h.t.Helper()
	for {
		got, err := im.Import(id)
		if err != nil {
			h.t.Fatal(err)
		}
		if got.State != live.ImportRunning {
			return got
		}
		select {
		case <-h.t.Context().Done():
			h.t.Fatal("the import does not end")
		case <-time.After(time.Millisecond):
		}
	}
}

// wantNothing wants no recording and no show to be left.
func (h *house) wantNothing() {
	h.t.Helper()
	entries, err := os.ReadDir(filepath.Join(h.dir, "recordings"))
	if err != nil {
		h.t.Fatal(err)
	}
	for _, e := range entries {
		h.t.Errorf("%s is left", e.Name())
	}
	shows, err := h.db.Shows(h.t.Context(), h.room.ID, "", 10)
	if err != nil || len(shows) != 0 {
		h.t.Errorf("%d shows are left, %v", len(shows), err)
	}
}

// An import becomes an ended show with a whole replay, and its stretches epochs with the origin's dates.
func TestImport(t *testing.T) {
	h := newHouse(t, live.Config{})
	day := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	film := &reel{h: h, stretches: []int{90, 60, 30}, walls: []time.Time{day, day.Add(time.Minute), {}}}
	im := h.imports(func() (live.Film, error) { return film, nil })
	started := h.importFilm(im)
	if started.State != live.ImportRunning || started.Title != h.room.Title {
		t.Errorf("started %+v", started)
	}
	got := h.settled(im, started.ID)
	if got.State != live.ImportDone || got.ShowID == "" || got.Expected != 10*time.Second || got.Imported != 6*media.TicksPerSecond {
		t.Fatalf("%+v", got)
	}
	im.Close()
	if !film.closed.Load() {
		t.Error("the film is still open")
	}
	show := h.show(got.ShowID)
	if show.State != live.Ended || show.Duration != 6*media.TicksPerSecond || !show.StartedAt.Equal(day) || len(show.Epochs) != 3 {
		t.Fatalf("%+v", show)
	}
	for i, want := range []media.Epoch{
		{ShowTime: 0, Wall: day}, {ShowTime: 3 * media.TicksPerSecond, Wall: day.Add(time.Minute)}, {ShowTime: 5 * media.TicksPerSecond, Wall: day.Add(62 * time.Second)},
	} {
		if e := show.Epochs[i]; e.ShowTime != want.ShowTime || !e.Wall.Equal(want.Wall) {
			t.Errorf("epoch %d: %+v, want %+v", i, e, want)
		}
	}
	rec, err := h.archive.Recording(got.ShowID)
	if err != nil || !rec.Ended() || rec.Duration() != 6*media.TicksPerSecond {
		t.Fatalf("the recording: %v", err)
	}
	discontinuities := 0
	for _, s := range rec.Segments() {
		if s.Discontinuity {
			discontinuities++
		}
		if s.Gap {
			t.Errorf("segment %d is missing", s.MSN)
		}
	}
	if discontinuities != 2 {
		t.Errorf("%d discontinuities", discontinuities)
	}
	if list := im.List(h.room.ID); len(list) != 1 || list[0] != got {
		t.Errorf("listed %+v", list)
	}
	if st := h.status(); st.State != live.RoomIdle {
		t.Errorf("the room is %v", st.State)
	}
}

// More than the recorder's queue holds is imported without a gap.
func TestImportWaitsForTheDisk(t *testing.T) {
	h := newHouse(t, live.Config{})
	const pictures = 4000
	big := &bigReel{reel{h: h, stretches: []int{pictures}, walls: []time.Time{{}}}}
	im := h.imports(func() (live.Film, error) { return big, nil })
	if got := h.settled(im, h.importFilm(im).ID); got.State != live.ImportDone {
		t.Fatalf("%+v", got)
	}
}

// bigReel has pictures of 16 KiB: 64 MiB in all.
type bigReel struct{ reel }

func (r *bigReel) Read(ctx context.Context, begin func(time.Time, []media.Track) error, write func(media.Sample) error) error {
	return r.reel.Read(ctx, begin, func(s media.Sample) error {
		if s.Kind == media.Video {
			s.Payload = append(s.Payload[:len(s.Payload):len(s.Payload)], make([]byte, 16<<10)...)
		}
		return write(s)
	})
}

// An import that comes to nothing leaves nothing, and says why.
func TestImportComesToNothing(t *testing.T) {
	day := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	gone := errs.New(errs.NotFound, "origin", "there is nothing at the address (HTTP 404)")
	for name, c := range map[string]struct {
		film *reel
		open error
		says string
	}{
		"not there":       {open: gone, says: "HTTP 404"},
		"breaks off":      {film: &reel{stretches: []int{90}, walls: []time.Time{day}, fails: gone}, says: "HTTP 404"},
		"breaks at once":  {film: &reel{fails: gone}, says: "HTTP 404"},
		"empty":           {film: &reel{}, says: "no picture and no sound"},
		"a defect":        {film: &reel{stretches: []int{90}, walls: []time.Time{day}, fails: context.DeadlineExceeded}, says: "its log says more"},
		"no key picture ": {film: &reel{stretches: []int{0}, walls: []time.Time{day}}, says: "no picture and no sound"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, live.Config{})
			im := h.imports(func() (live.Film, error) {
				if c.open != nil {
					return nil, c.open
				}
				c.film.h = h
				return c.film, nil
			})
			got := h.settled(im, h.importFilm(im).ID)
			if got.State != live.ImportFailed || !strings.Contains(got.Reason, c.says) || got.ShowID != "" || got.EndedAt.IsZero() {
				t.Errorf("%+v", got)
			}
			im.Close()
			h.wantNothing()
		})
	}
}

// Cancelling, and the end of the process, remove what there is; a crash is cleaned up after by the next process.
func TestImportIsCancelled(t *testing.T) {
	day := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	waiting := func(t *testing.T) (*house, *live.Imports, live.Import) {
		h := newHouse(t, live.Config{})
		film := &reel{h: h, stretches: []int{300}, walls: []time.Time{day}, hold: make(chan struct{}), reached: make(chan struct{})}
		im := h.imports(func() (live.Film, error) { return film, nil })
		started := h.importFilm(im)
		<-film.reached
		if got, err := im.Import(started.ID); err != nil || got.Imported == 0 || got.State != live.ImportRunning {
			t.Errorf("in the middle: %+v, %v", got, err)
		}
		return h, im, started
	}
	t.Run("by hand", func(t *testing.T) {
		h, im, started := waiting(t)
		if err := im.Cancel(started.ID); err != nil {
			t.Fatal(err)
		}
		if got := h.settled(im, started.ID); got.State != live.ImportCancelled {
			t.Errorf("%+v", got)
		}
		if err := im.Cancel(started.ID); errs.KindOf(err) != errs.Conflict {
			t.Errorf("cancelled twice: %v", err)
		}
		if err := im.Cancel("import_x"); errs.KindOf(err) != errs.NotFound {
			t.Errorf("an unknown one: %v", err)
		}
		im.Close()
		h.wantNothing()
	})
	t.Run("by the end", func(t *testing.T) {
		h, im, _ := waiting(t)
		im.Close()
		h.wantNothing()
		if _, err := im.Start(t.Context(), h.room.ID, "http://origin.example/x", ""); errs.KindOf(err) != errs.Unavailable {
			t.Errorf("after the end: %v", err)
		}
	})
	t.Run("by a crash", func(t *testing.T) {
		h := newHouse(t, live.Config{})
		// What a killed process leaves: the note, and a recording that nobody ended.
		half, _, err := h.archive.Record("show_0123456789abcdef")
		if err != nil {
			t.Fatal(err)
		}
		half.OnEpoch(media.Epoch{Wall: day})
		if err := half.Close(); err != nil {
			t.Fatal(err)
		}
		if err := h.db.SetSetting(t.Context(), "imports.unfinished", `["show_0123456789abcdef","show_fedcba9876543210"]`); err != nil {
			t.Fatal(err)
		}
		h.imports(nil)
		h.wantNothing()
		if left, err := h.db.Setting(t.Context(), "imports.unfinished"); err != nil || left != "[]" {
			t.Errorf("noted still: %s, %v", left, err)
		}
	})
}

func TestImportRefuses(t *testing.T) {
	h := newHouse(t, live.Config{})
	film := &reel{h: h, hold: make(chan struct{}), reached: make(chan struct{})}
	second := &reel{h: h, hold: film.hold, reached: make(chan struct{})}
	films := []live.Film{film, second}
	im := h.imports(func() (live.Film, error) {
		f := films[0]
		films = films[1:]
		return f, nil
	})
	for name, c := range map[string]struct {
		room, url, title string
		kind             errs.Kind
	}{
		"no such room":   {"room_x", "http://a/b", "", errs.NotFound},
		"no address":     {h.room.ID, "", "", errs.Invalid},
		"not an address": {h.room.ID, "file:///etc/passwd", "", errs.Invalid},
		"long title":     {h.room.ID, "http://a/b", strings.Repeat("x", 200), errs.Invalid},
	} {
		if _, err := im.Start(t.Context(), c.room, c.url, c.title); errs.KindOf(err) != c.kind {
			t.Errorf("%s: %v", name, err)
		}
	}
	h.importFilm(im)
	<-film.reached
	h.importFilm(im)
	<-second.reached
	if _, err := im.Start(t.Context(), h.room.ID, "http://a/b", ""); errs.KindOf(err) != errs.Exhausted {
		t.Errorf("a third: %v", err)
	}
	if _, err := im.Import("import_x"); errs.KindOf(err) != errs.NotFound {
		t.Errorf("an unknown one: %v", err)
	}
	im.Close()
	h.wantNothing()
}
