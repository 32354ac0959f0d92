package overlay_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/overlay"
)

// model is the timeline as one would explain it: a list of pins, searched from end to end for every question.
type model struct {
	pins   []overlay.Range
	ended  bool
	events int64
}

// featured is the pin in the featured place: the last one by show time that wanted it, if it is on screen.
func (m *model) featured() string {
	last := -1
	for i, p := range m.pins {
		if p.Pin.Featured && (last < 0 || p.Pin.ShowTime >= m.pins[last].Pin.ShowTime) {
			last = i
		}
	}
	if last < 0 || !m.pins[last].Active() {
		return ""
	}
	return m.pins[last].Pin.ID
}

func (m *model) active() []overlay.Pin {
	pins := []overlay.Pin{}
	for _, p := range m.pins {
		if p.Active() {
			pin := p.Pin
			pin.Featured = pin.ID == m.featured()
			pins = append(pins, pin)
		}
	}
	return pins
}

func (m *model) unpin(id string, at media.Ticks) {
	for i := range m.pins {
		if p := &m.pins[i]; p.Pin.ID == id {
			p.End = max(at, p.Pin.ShowTime)
			p.EndWall = wallAt(p.End)
		}
	}
	m.events++
}

// pin does to the model what pinning should do, given the pin that the timeline returned; it returns the kind of error
// that it should be instead, or "".
func (m *model) pin(got overlay.Pin, productID string, featured bool, at media.Ticks) string {
	if m.ended {
		return "conflict"
	}
	active := m.active()
	i := slices.IndexFunc(active, func(p overlay.Pin) bool { return p.ProductID == productID })
	switch {
	case i >= 0 && at < active[i].ShowTime:
		return "conflict"
	case i >= 0 && (active[i].Featured || !featured):
		if got.ID != active[i].ID {
			return fmt.Sprintf("the pin %s that is there", active[i].ID)
		}
		return ""
	case i >= 0:
		m.unpin(active[i].ID, at)
	case len(active) >= overlay.MaxActivePins:
		return "exhausted"
	}
	m.pins = append(m.pins, overlay.Range{Pin: got, StartWall: wallAt(at)})
	m.events++
	return ""
}

func TestTimelineIsAsExplained(t *testing.T) {
	w := newWorld(t)
	rapid.Check(t, func(t *rapid.T) {
		show := w.show(t, w.room(t))
		timeline := w.timeline
		m := &model{}
		heard := []overlay.Event{}
		cancel := timeline.Subscribe(show, func(e overlay.Event) { heard = append(heard, e) })
		defer cancel()
		instant := rapid.Map(rapid.Int64Range(0, 20), func(n int64) media.Ticks { return media.Ticks(n) * 45_045 })
		check := func(want string, err error) {
			t.Helper()
			got := ""
			if err != nil {
				got = errs.KindOf(err).String()
			}
			if got != want {
				t.Fatalf("got %q (%v), want %q", got, err, want)
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"pin": func(t *rapid.T) {
				p := product(rapid.IntRange(1, overlay.MaxActivePins+2).Draw(t, "product"))
				featured, at := rapid.Bool().Draw(t, "featured"), instant.Draw(t, "at")
				got, err := timeline.Pin(ctx, show, p, featured, at, wallAt(at))
				check(m.pin(got, p.ID, featured, at), err)
			},
			"unpin": func(t *rapid.T) {
				if len(m.pins) == 0 {
					t.Skip("nothing was pinned")
				}
				p := rapid.SampledFrom(m.pins).Draw(t, "pin")
				at := instant.Draw(t, "at")
				err := timeline.Unpin(ctx, show, p.Pin.ID, at, wallAt(at))
				if !p.Active() {
					check("conflict", err)
					return
				}
				check("", err)
				m.unpin(p.Pin.ID, at)
			},
			"announce": func(t *rapid.T) {
				at := instant.Draw(t, "at")
				_, err := timeline.Append(ctx, show, overlay.TypeAnnouncement, at, wallAt(at), overlay.AnnouncementData{Text: "hi"})
				if m.ended {
					check("conflict", err)
					return
				}
				check("", err)
				m.events++
			},
			"end": func(t *rapid.T) {
				if rapid.IntRange(0, 9).Draw(t, "really") != 0 {
					t.Skip("not yet")
				}
				at := instant.Draw(t, "at")
				check("", timeline.EndShow(ctx, show, at, wallAt(at)))
				if m.ended {
					return
				}
				for _, p := range m.active() {
					m.unpin(p.ID, at)
					m.events--
				}
				m.ended = true
				m.events++
			},
			"": func(t *rapid.T) {
				follows(t, timeline, show, m)
				if int64(len(heard)) != m.events {
					t.Fatalf("heard %d events of %d", len(heard), m.events)
				}
			},
		})
		follows(t, w.again(), show, m)
		stored, err := timeline.Events(ctx, show, 0, 0)
		if diff := cmp.Diff(stored, heard, cmpopts.EquateEmpty()); err != nil || diff != "" {
			t.Fatalf("heard differs from stored: %v\n%s", err, diff)
		}
	})
}

// follows checks that what a timeline says is what the model says.
func follows(t *rapid.T, timeline *overlay.Timeline, show string, m *model) {
	t.Helper()
	active, err := timeline.ActivePins(ctx, show)
	if diff := cmp.Diff(m.active(), active); err != nil || diff != "" {
		t.Fatalf("on screen: %v\n%s", err, diff)
	}
	ranges, err := timeline.Ranges(ctx, show)
	if diff := cmp.Diff(m.pins, ranges, cmpopts.EquateEmpty()); err != nil || diff != "" {
		t.Fatalf("ranges: %v\n%s", err, diff)
	}
	last, err := timeline.LastSeq(ctx, show)
	if err != nil || last != m.events {
		t.Fatalf("%d events, %v; want %d", last, err, m.events)
	}
}
