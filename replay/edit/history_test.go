package edit

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
)

var sameState = cmp.Options{cmp.AllowUnexported(State{}), cmpopts.IgnoreFields(State{}, "Revision"), cmpopts.EquateEmpty()}

// anyOp draws an edit of a show of 100 seconds, good or not.
func anyOp(t *rapid.T) Op {
	tick := rapid.Map(rapid.Int64Range(0, 100), func(s int64) media.Ticks { return media.Ticks(s) * second })
	chapter := rapid.SampledFrom([]string{"pin_a", "pin_b", "pin_c", "pin_e", "pin_b.1", "pin_b.2", "pin_x"})
	o := Op{Kind: rapid.SampledFrom(Kinds).Draw(t, "kind")}
	switch o.Kind {
	case Cut, Uncut:
		o.From, o.To = tick.Draw(t, "from"), tick.Draw(t, "to")
	case SplitChapter:
		o.Chapter, o.At = chapter.Draw(t, "chapter"), new(tick.Draw(t, "at"))
	case SetCover:
		if rapid.Bool().Draw(t, "chosen") {
			o.At = new(tick.Draw(t, "at"))
		}
	case MergeChapters:
		o.Chapter, o.With = chapter.Draw(t, "chapter"), chapter.Draw(t, "with")
	case RenameChapter:
		o.Chapter, o.Title = chapter.Draw(t, "chapter"), rapid.SampledFrom([]string{"", "A", "B"}).Draw(t, "title")
	case HideChapter, UnhideChapter:
		o.Chapter = chapter.Draw(t, "chapter")
	case Expire:
		if rapid.Bool().Draw(t, "some day") {
			o.Until = noon.Add(time.Duration(rapid.IntRange(0, 5).Draw(t, "hours")) * time.Hour)
		}
	case Publish, Unpublish, Undo, Redo:
	}
	return o
}

// The log is played against a plain model: a list of states and a position in it. Undo is the state before, redo the one
// after, an edit forgets what was ahead; the revision only rises; reading the log anew gives the same.
func TestHistoryModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var h History
		states, pos := []State{Unedited()}, 0
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			before := h.Revision()
			e := Entry{At: noon}
			switch rapid.IntRange(0, 4).Draw(t, "what") {
			case 0:
				e.Op.Kind = Undo
			case 1:
				e.Op.Kind = Redo
			default:
				e.Op = anyOp(t)
			}
			next, err := h.Next(e)
			if err != nil {
				if possible := e.Op.Kind == Undo && pos > 0 || e.Op.Kind == Redo && pos < len(states)-1; possible {
					t.Fatalf("%s was refused: %v", e.Op.Kind, err)
				}
				continue
			}
			h = next
			switch e.Op.Kind {
			case Undo:
				pos--
			case Redo:
				pos++
			default:
				states, pos = append(states[:pos+1:pos+1], h.State()), pos+1
			}
			if diff := cmp.Diff(states[pos], h.State(), sameState); diff != "" {
				t.Fatalf("after %s: %s", e.Op.Kind, diff)
			}
			if h.Revision() != before+1 || h.State().Revision != h.Revision() || h.CanUndo() != (pos > 0) || h.CanRedo() != (pos < len(states)-1) {
				t.Fatalf("revision %d after %d, undo %v, redo %v", h.Revision(), before, h.CanUndo(), h.CanRedo())
			}
		}
		var again History
		for _, e := range h.Entries() {
			again = again.read(e)
		}
		if diff := cmp.Diff(h, again, cmp.AllowUnexported(History{}, step{}, State{}), cmpopts.EquateEmpty()); diff != "" {
			t.Fatal("read anew:", diff)
		}
	})
}

// However chapters were edited, they are of the show's pins, in order, none empty, no id twice, and viewers see them in the
// order of play.
func TestChaptersStayConsistent(t *testing.T) {
	pins := FromPins(pinned(), 100*second)
	segments := segmentsOf(6*second, 2*second, 30*second, 2*second, 2*second, 38*second, 20*second)
	rapid.Check(t, func(t *rapid.T) {
		var h History
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			o := anyOp(t)
			before := h.State()
			next, err := h.Next(Entry{Op: o})
			if err == nil {
				err = check(Source{Segments: segments, Duration: 100 * second, Ended: true}, before.Chapters(pins), &o, next.State())
			}
			if err == nil {
				h = next
			}
		}
		state := h.State()
		seen := map[string]bool{}
		last := media.Ticks(0)
		all := state.Chapters(pins)
		for _, c := range all {
			if seen[c.ID] || c.Span.Empty() || c.Span.From < last || c.Span.To > 100*second || find(pins, c.PinID) < 0 {
				t.Fatalf("%v", titles(all))
			}
			seen[c.ID], last = true, c.Span.From
		}
		m := MapOf(Keep(segments, state.Cuts))
		last = 0
		for _, c := range Play(all, m) {
			if c.Hidden || c.Play.From < last || c.Play.Empty() || c.Play.To > m.Duration() {
				t.Fatalf("%+v in %v", c, m)
			}
			last = c.Play.From
		}
	})
}

func TestHistoryIsBounded(t *testing.T) {
	var h History
	for i := range MaxEdits {
		kind := []Kind{Unpublish, Publish}[i%2]
		next, err := h.Next(Entry{Op: Op{Kind: kind}})
		if err != nil {
			t.Fatal(err)
		}
		h = next
	}
	if _, err := h.Next(Entry{Op: Op{Kind: Undo}}); errs.KindOf(err) != errs.Exhausted {
		t.Error(err)
	}
}

// What a later version wrote is kept in the log, changes nothing here, and can be undone.
func TestUnknownEntries(t *testing.T) {
	var h History
	for _, o := range []Op{cut(1, 2), {Kind: "zoom"}, {Kind: Undo}} {
		h = h.read(Entry{Op: o})
	}
	if s := h.State(); len(s.Cuts) != 1 || s.Revision != 3 || !h.CanUndo() || !h.CanRedo() {
		t.Errorf("%+v", s)
	}
}
