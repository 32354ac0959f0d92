package highlight

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/ids"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/overlay"
	"github.com/vitrine-live/vitrine/replay/edit"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// shelf is a store and a timeline in memory. What real databases do is tested by their own suite.
type shelf struct {
	mu       sync.Mutex
	events   []overlay.Event
	reads    int // events that were handed out
	samples  []Sample
	decided  []Highlight
	duration media.Ticks
	broken   bool
}

var errDown = errs.New(errs.Unavailable, "test", "the database is down")

func (s *shelf) Events(_ context.Context, _ string, after int64, limit int) ([]overlay.Event, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rest := s.events[min(after, int64(len(s.events))):]
	rest = rest[:min(limit, len(rest))]
	s.reads += len(rest)
	return slices.Clone(rest), nil
}

func (s *shelf) AddViewerSamples(_ context.Context, samples []Sample) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken {
		return errDown
	}
	s.samples = append(s.samples, samples...)
	return nil
}

func (s *shelf) ViewerSamples(context.Context, string) ([]Sample, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.samples), nil
}

func (s *shelf) Highlights(context.Context, string) ([]Highlight, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.decided), nil
}

func (s *shelf) ChangeHighlight(_ context.Context, fresh Highlight, change func(Highlight) (Highlight, error)) (Highlight, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.decided, func(h Highlight) bool { return h.ID == fresh.ID })
	if i < 0 {
		h, err := change(fresh)
		if err == nil {
			s.decided = append(s.decided, h)
		}
		return h, err
	}
	h, err := change(s.decided[i])
	if err == nil {
		s.decided[i] = h
	}
	return h, err
}

// goesOn plays signals onto the timeline up to a second of the show.
func (s *shelf) goesOn(t *testing.T, signals Signals, to int) {
	t.Helper()
	from := second(s.duration)
	add := func(t int, typ overlay.Type, data any) {
		b, _ := json.Marshal(data)
		s.events = append(s.events, overlay.Event{Seq: int64(len(s.events)) + 1, Type: typ, ShowTime: at(t), Data: b})
	}
	for i := from; i < to; i++ {
		if n := signals.Likes[i]; n > 0 {
			add(i, overlay.TypeLikes, overlay.LikesData{Count: int64(n)})
		}
		for range int(signals.Comments[i]) {
			add(i, overlay.TypeComment, overlay.CommentData{ID: "c", Text: "x"})
		}
		for range int(signals.Orders[i]) {
			add(i, overlay.TypeOrder, overlay.OrderData{Quantity: 2})
		}
	}
	s.duration = at(to)
}

func service(s *shelf, signals Signals) *Service {
	return New(Deps{
		Store: s, Timeline: s, Now: func() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) },
		Duration: func(_ context.Context, id string) (media.Ticks, error) {
			if id != "show_1" {
				return 0, errs.New(errs.NotFound, "test", "there is no show %s", id)
			}
			return s.duration, nil
		},
		Loudness: func(string) ([]float64, error) { return signals.Loudness, nil },
		Chapters: func(context.Context, string) ([]edit.Chapter, error) { return nil, nil },
		OnAir:    func() []Sample { return []Sample{{ShowID: "show_1", At: s.duration, Viewers: 7}} },
	})
}

// While a show is on air its highlights keep their names, and what was decided of them stays; each event is read once.
func TestOnAir(t *testing.T) {
	ctx := t.Context()
	signals := evening(3600, 21)
	for _, at := range []int{500, 1400, 2700} {
		plant(&signals, at, 25, 3)
	}
	s := &shelf{}
	svc := service(s, signals)
	s.goesOn(t, signals, 900)
	all, err := svc.Highlights(ctx, "show_1")
	if err != nil || len(all) != 1 || all[0].State != Proposed || all[0].ShowID != "show_1" {
		t.Fatalf("%+v %v", all, err)
	}
	trimmed := media.Span{From: at(495), To: at(540)}
	changed, err := svc.Change(ctx, "show_1", all[0].ID, "staff_1", Update{State: new(Accepted), From: &trimmed.From, To: &trimmed.To, Title: new("Tea")})
	if err != nil || changed.By != "staff_1" || changed.At.IsZero() {
		t.Fatalf("%+v %v", changed, err)
	}
	names := map[string]bool{}
	for to := 1000; to <= 3600; to += 650 {
		s.goesOn(t, signals, to)
		all, err = svc.Highlights(ctx, "show_1")
		if err != nil || len(all) == 0 || all[0].ID != changed.ID || all[0].State != Accepted || all[0].Span != trimmed || all[0].Title != "Tea" {
			t.Fatalf("at %d s: %+v %v", to, all, err)
		}
		for name := range names { // what was shown to somebody can still be clipped
			if _, _, err := svc.Highlight(ctx, "show_1", name); err != nil {
				t.Errorf("at %d s: %v", to, err)
			}
		}
		for _, h := range all {
			names[h.ID] = true
		}
	}
	if len(all) < 3 || len(all) > 4 {
		t.Errorf("%d highlights", len(all))
	}
	if s.reads != len(s.events) {
		t.Errorf("%d events were read %d times", len(s.events), s.reads)
	}
	span, title, err := svc.Highlight(ctx, "show_1", changed.ID)
	if span != trimmed || title != "Tea" || err != nil {
		t.Errorf("%v %q %v", span, title, err)
	}
}

func TestDismissedStaysSo(t *testing.T) {
	ctx := t.Context()
	signals := evening(1200, 5)
	plant(&signals, 600, 25, 3)
	s := &shelf{}
	svc := service(s, signals)
	s.goesOn(t, signals, 1200)
	all, _ := svc.Highlights(ctx, "show_1")
	if len(all) != 1 {
		t.Fatalf("%+v", all)
	}
	if _, err := svc.Change(ctx, "show_1", all[0].ID, "staff_1", Update{State: new(Dismissed)}); err != nil {
		t.Fatal(err)
	}
	again, err := service(s, signals).Highlights(ctx, "show_1") // another process
	if err != nil || len(again) != 1 || again[0].State != Dismissed || len(again[0].Found.Reasons) == 0 {
		t.Errorf("%+v %v", again, err)
	}
}

func TestUpdates(t *testing.T) {
	ms := func(v int64) *media.Ticks { return new(media.FromMilliseconds(v)) }
	h := Highlight{Span: media.Span{From: at(10), To: at(40)}, State: Proposed}
	for _, c := range []struct {
		u     Update
		field string
	}{
		{Update{}, ""},
		{Update{State: new(Accepted), Title: new("  好茶 ")}, ""},
		{Update{From: ms(0), To: ms(100_000)}, ""},
		{Update{State: new(State("loved"))}, "state"},
		{Update{From: ms(-1)}, "from_ms"},
		{Update{To: ms(-1)}, "to_ms"},
		{Update{From: ms(39_500)}, "from_ms"},
		{Update{To: ms(10_000)}, "to_ms"},
		{Update{To: ms(1_000_001)}, "to_ms"},
		{Update{From: ms(0), To: ms(700_000)}, "from_ms"},
		{Update{From: new(media.Ticks(math.MaxInt64)), To: new(media.Ticks(math.MinInt64))}, "from_ms"},
		{Update{Title: new(string(make([]rune, 121)))}, "title"},
		{Update{Title: new("\xff")}, "title"},
	} {
		_, err := c.u.Apply(h, at(1000))
		var e *errs.Error
		if c.field == "" && err != nil || c.field != "" && (!errors.As(err, &e) || e.Kind != errs.Invalid || e.Field != c.field) {
			t.Errorf("%+v: %v, want one of %q", c.u, err, c.field)
		}
	}
}

func TestUnknown(t *testing.T) {
	svc := service(&shelf{duration: at(100)}, Signals{})
	if _, err := svc.Highlights(t.Context(), "show_2"); errs.KindOf(err) != errs.NotFound {
		t.Error(err)
	}
	for _, id := range []string{"hl_5", "hl_x", "../x"} {
		if _, err := svc.Change(t.Context(), "show_1", id, "staff_1", Update{}); errs.KindOf(err) != errs.NotFound {
			t.Errorf("%s: %v", id, err)
		}
	}
	for n := range 3 * maxShows { // bounded; the newest stay
		last := ids.New("show")
		svc.known(last)
		if want := min(n+2, maxShows); len(svc.counts) > want || svc.counts[last] == nil {
			t.Fatalf("after %d shows the counts of %d are kept", n+1, len(svc.counts))
		}
	}
}

func TestSampler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{duration: at(5)}
		svc := service(s, Signals{})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { svc.Run(ctx); close(done) }()
		time.Sleep(35 * time.Second)
		s.mu.Lock()
		s.broken = true // what is lost is lost; it goes on
		s.mu.Unlock()
		time.Sleep(10 * time.Second)
		s.mu.Lock()
		s.broken = false
		s.mu.Unlock()
		time.Sleep(10 * time.Second)
		cancel()
		<-done
		if len(s.samples) != 4 {
			t.Errorf("%d samples in 55 s", len(s.samples))
		}
	})
}

func TestViewersBetweenSamples(t *testing.T) {
	s := NewSignals(at(200))
	s.setViewers([]Sample{{At: at(10), Viewers: 10}, {At: at(20), Viewers: 20}, {At: at(120), Viewers: 5}})
	for t0, want := range map[int]float64{9: math.NaN(), 10: 10, 15: 15, 20: 20, 79: 20, 80: math.NaN(), 120: 5, 179: 5, 180: math.NaN()} {
		if got := s.Viewers[t0]; got != want && !(math.IsNaN(got) && math.IsNaN(want)) {
			t.Errorf("at %d s: %v, want %v", t0, got, want)
		}
	}
}
