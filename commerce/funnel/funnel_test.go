package funnel

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/ratelimit"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// memory is a store and rooms in memory. One goroutine at a time.
type memory struct {
	store
	entries []Entry
	fail    error
	looked  int // how often shows were looked up
	pins    map[string]string
	show    commerce.Show
	samples []Sample
}

func (m *memory) AddFunnelEvents(_ context.Context, e []Entry) error {
	if m.fail == nil {
		m.entries = append(m.entries, e...)
	}
	return m.fail
}

func (m *memory) AddViewerCounts(_ context.Context, s []Sample) error {
	m.samples = append(m.samples, s...)
	return m.fail
}

func (m *memory) ProductStore(_ context.Context, id string) (string, error) {
	if of := map[string]string{"lamp": "s1", "tea": "s1", "hat": "s2"}[id]; of != "" {
		return of, nil
	}
	return "", errs.New(errs.NotFound, "test", "none")
}

func (m *memory) ShareCode(_ context.Context, code string) (ShareCode, error) {
	if code == "0000000001" {
		return ShareCode{Code: code, StoreID: "s1"}, nil
	}
	return ShareCode{}, errs.New(errs.NotFound, "test", "none")
}

func (m *memory) ShopShow(_ context.Context, id string) (commerce.Show, error) {
	m.looked++
	if id != m.show.ID {
		return commerce.Show{}, errs.New(errs.NotFound, "test", "none")
	}
	return m.show, nil
}

func newTest(t *testing.T) (*Service, *memory, map[Reason]int) {
	t.Helper()
	m := &memory{show: commerce.Show{ID: "show_1", StoreID: "s1", State: "live", PositionMS: 60_000}, pins: map[string]string{"pin_1": "lamp"}}
	counted := map[Reason]int{}
	s, err := New(Config{}, Deps{
		Store: m, Shows: m, Log: slog.New(slog.DiscardHandler), Count: func(why Reason, n int) { counted[why] += n },
		Pins:  func(context.Context, string) (map[string]string, error) { return maps.Clone(m.pins), nil },
		OnAir: func() []Sample { return []Sample{{ShowID: "show_1", ShowTimeMS: 61_000, Viewers: 7}} },
	})
	if err != nil {
		t.Fatal(err)
	}
	return s, m, counted
}

// during runs fn while the service runs, and returns when all is stored.
func during(s *Service, fn func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.Run(ctx)
	}()
	fn()
	cancel()
	<-ended
}

var ann = account.Viewer{ID: "visitor:ann"}

func event(id string, change func(*Event)) Event {
	e := Event{ID: id, Kind: Click, Attribution: commerce.Attribution{ShowID: "show_1", PinID: "pin_1", ShowTimeMS: 1000, Source: commerce.SourceLive}}
	if change != nil {
		change(&e)
	}
	return e
}

func TestRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, m, counted := newTest(t)
		for name, c := range map[string]struct {
			viewer account.Viewer
			change func(*Event)
			why    Reason
		}{
			"good":            {ann, nil, ""},
			"own-store":       {account.Viewer{ID: "jwt:s1:1", StoreID: "s1"}, nil, ""},
			"from-bag":        {ann, func(e *Event) { e.PinID, e.ProductID = "", "tea" }, ""},
			"pin-and-product": {ann, func(e *Event) { e.ProductID = "lamp" }, ""},
			"outside": {ann, func(e *Event) {
				*e = Event{ID: e.ID, Kind: Exposure, ProductID: "hat", Attribution: commerce.Attribution{Source: commerce.SourceExternal}}
			}, ""},
			"newest-instant":  {ann, func(e *Event) { e.ShowTimeMS = 60_000 + 30_000 }, ""},
			"bad id":          {ann, func(e *Event) { e.ID = "a b" }, BadEvent},
			"kind":            {ann, func(e *Event) { e.Kind = "paid" }, BadEvent},
			"source":          {ann, func(e *Event) { e.Source = "tv" }, BadEvent},
			"no-show-named":   {ann, func(e *Event) { e.ShowID, e.PinID, e.ProductID = "", "", "lamp" }, BadEvent},
			"show":            {ann, func(e *Event) { e.ShowID = "show_2" }, NoShow},
			"other-store":     {account.Viewer{ID: "jwt:s2:1", StoreID: "s2"}, nil, NoShow},
			"pin":             {ann, func(e *Event) { e.PinID = "pin_2" }, NoPin},
			"other-product":   {ann, func(e *Event) { e.ProductID = "tea" }, NoProduct},
			"no-product":      {ann, func(e *Event) { e.PinID = "" }, NoProduct},
			"unknown-product": {ann, func(e *Event) { e.PinID, e.ProductID = "", "x" }, NoProduct},
			"foreign-product": {ann, func(e *Event) { e.PinID, e.ProductID = "", "hat" }, NoProduct},
			"future":          {ann, func(e *Event) { e.ShowTimeMS = 60_000 + 30_001 }, BadTime},
			"past":            {ann, func(e *Event) { e.ShowTimeMS = -1 }, BadTime},
		} {
			taken, err := s.Record(t.Context(), c.viewer, "net", []Event{event(name, c.change)})
			if err != nil || (taken.Accepted == 1) != (c.why == "") || taken.Dropped[c.why] != 1-taken.Accepted {
				t.Errorf("%s: %+v, %v", name, taken, err)
			}
		}
		during(s, func() {})
		if len(m.entries) != 6 || counted[""] != 6 || counted[NoProduct] != 4 {
			t.Errorf("%d stored, counted %v", len(m.entries), counted)
		}
		if m.looked > 4 {
			t.Errorf("the show was looked up %d times", m.looked)
		}
	})
}

func TestRecordFillsIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, m, _ := newTest(t)
		e := event("e1", func(e *Event) { e.ShareCode, e.Channel = "0000000001", "=cmd()" })
		during(s, func() {
			for range 2 {
				if _, err := s.Record(t.Context(), ann, "net", []Event{e, event("e2", func(e *Event) { e.ShareCode, e.Channel = "nobody's", "wechat-group.5" })}); err != nil {
					t.Fatal(err)
				}
			}
		})
		want := Entry{Key: keyOf(ann.ID, "e1"), Kind: Click, StoreID: "s1", ViewerID: ann.ID, ProductID: "lamp", Attribution: e.Attribution, At: time.Now().UTC()}
		want.Channel = ""
		if got := m.entries[0]; got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
		if got := m.entries[1]; got.ShareCode != "" || got.Channel != "wechat-group.5" || got.Key == m.entries[0].Key || m.entries[2].Key != want.Key {
			t.Errorf("%+v", got)
		}
	})
}

// A new pin counts a second later at most, and an ended show takes no instants beyond its end.
func TestFactsGrowOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, m, _ := newTest(t)
		accepted := func(change func(*Event)) bool {
			t.Helper()
			taken, err := s.Record(t.Context(), ann, "net", []Event{event("e", change)})
			if err != nil {
				t.Fatal(err)
			}
			return taken.Accepted == 1
		}
		second := func(e *Event) { e.PinID = "pin_2" }
		if accepted(second) {
			t.Error("before it is pinned")
		}
		m.pins["pin_2"] = "tea"
		time.Sleep(time.Second)
		if !accepted(second) {
			t.Error("a second after it was pinned")
		}
		m.show.State = "ended"
		time.Sleep(10 * time.Second)
		if accepted(func(e *Event) { e.ShowTimeMS = 61_001 }) || !accepted(func(e *Event) { e.ShowTimeMS = 61_000 }) {
			t.Error("the end of a show")
		}
		during(s, func() {})
	})
}

func TestRecordIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, m, counted := newTest(t)
		batch := func(n int) (events []Event) {
			for i := range MaxBatch {
				events = append(events, event(fmt.Sprintf("e%d-%d", n, i), nil))
			}
			return events
		}
		if _, err := s.Record(t.Context(), ann, "net", append(batch(0), event("x", nil))); errs.KindOf(err) != errs.Invalid {
			t.Errorf("%v", err)
		}
		total := 0
		for n := range queueSize/MaxBatch + 2 { // nobody stores them yet
			taken, err := s.Record(t.Context(), account.Viewer{ID: fmt.Sprint(n)}, "net", batch(n))
			if err != nil {
				t.Fatal(err)
			}
			total += taken.Accepted
		}
		if total != queueSize || counted[Overloaded] != 2*MaxBatch {
			t.Errorf("%d taken, %v", total, counted)
		}
		m.fail = errors.New("full")
		during(s, func() { time.Sleep(time.Minute) })
		if counted[Unstored] != queueSize || len(s.room) != 0 {
			t.Errorf("%v, %d still wait", counted, len(s.room))
		}
		m.fail = nil
		during(s, func() {
			if taken, err := s.Record(t.Context(), ann, "net", batch(9)); err != nil || taken.Accepted != MaxBatch {
				t.Errorf("%+v, %v", taken, err)
			}
		})
		if len(m.entries) != MaxBatch {
			t.Errorf("%d stored", len(m.entries))
		}
	})
}

func TestRecordIsLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, _ := newTest(t)
		s.cfg.PerViewer, s.cfg.PerNetwork = ratelimit.Limit{N: 2, Per: time.Minute}, ratelimit.Limit{N: 3, Per: time.Minute}
		for i, want := range []errs.Kind{errs.Internal, errs.Internal, errs.Exhausted} {
			if _, err := s.Record(t.Context(), ann, "a", nil); errs.KindOf(err) != want {
				t.Errorf("report %d: %v", i, err)
			}
		}
		for i, want := range []errs.Kind{errs.Internal, errs.Exhausted} {
			if _, err := s.Record(t.Context(), account.Viewer{ID: fmt.Sprint(i)}, "a", nil); errs.KindOf(err) != want {
				t.Errorf("viewer %d of the network: %v", i, err)
			}
		}
	})
}

func TestViewersAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, m, _ := newTest(t)
		during(s, func() { time.Sleep(time.Minute + time.Second) })
		if len(m.samples) != 4 || m.samples[0].Minute() != 1 || m.samples[0].Viewers != 7 {
			t.Errorf("%+v", m.samples)
		}
	})
}

func TestShareCodes(t *testing.T) {
	for range 100 {
		if c := newCode(); !validCode(c) {
			t.Fatal(c)
		}
	}
	s, _, _ := newTest(t)
	if _, err := s.ShareCode(t.Context(), "' OR 1=1"); errs.KindOf(err) != errs.NotFound {
		t.Errorf("%v", err)
	}
	for channel, good := range map[string]bool{"wechat-group.5": true, "": false, "-x": false, ".x": false, "=1": false, "a b": false, "群": false} {
		_, err := s.ShareOf(t.Context(), "show_2", channel)
		if (errs.KindOf(err) == errs.NotFound) != good || !good && errs.FieldOf(err) != "channel" {
			t.Errorf("%q: %v", channel, err)
		}
	}
}

func TestPeriods(t *testing.T) {
	s, _, _ := newTest(t)
	at := time.UnixMilli(0)
	for _, to := range []time.Time{at, at.Add(-1), at.Add(MaxPeriod + 1)} {
		if _, err := s.StoreReport(t.Context(), "s1", at, to); errs.FieldOf(err) != "to" {
			t.Errorf("until %v: %v", to, err)
		}
	}
	for _, c := range []Config{{Window: -1}, {Window: 91 * 24 * time.Hour}} {
		if _, err := New(c, Deps{}); errs.KindOf(err) != errs.Invalid {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
