package edit

import (
	"slices"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
)

// State is what the edits of a show add up to. It is a value: Apply never changes one that it was given.
type State struct {
	Revision  int64        // of the newest entry of the log, 0 before the first: it never goes back
	Cuts      []media.Span // left out of the replay: sorted, none empty, none touching another
	Cover     *media.Ticks // the picture that stands for the show; nil: chosen by the server
	Published bool         // whether the public may see the replay
	ExpiresAt time.Time    // from this instant on it may not; zero: never

	chapters []Op // what was done to chapters, in order
}

// Unedited is the State of a show that nobody edited: public, whole, for ever.
func Unedited() State { return State{Published: true} }

// Apply is the State after an edit. Invalid: the edit is malformed, and the error names the field. Conflict: it would
// change nothing. Exhausted: there are MaxCuts cuts.
//
// Whether instants and chapters are those of the show is not its business: see Facts.
func Apply(s State, o Op) (State, error) {
	if err := o.validate(); err != nil {
		return s, err
	}
	next := s
	next.Revision++
	if o.Revision == 0 {
		o.Revision = next.Revision
	}
	switch o.Kind {
	case Cut, Uncut:
		cuts, err := cutting(s.Cuts, &o)
		if err != nil {
			return s, err
		}
		next.Cuts = cuts
	case RenameChapter, SplitChapter, MergeChapters, HideChapter, UnhideChapter:
		next.chapters = append(slices.Clip(s.chapters), o)
	case SetCover:
		if sameCover(s.Cover, o.At) {
			return s, unchanged("this is the cover already")
		}
		next.Cover = o.At
	case Publish, Unpublish:
		next.Published = o.Kind == Publish
		if next.Published == s.Published {
			return s, unchanged("the replay is %sed already", o.Kind)
		}
	case Expire:
		if o.Until.Equal(s.ExpiresAt) {
			return s, unchanged("the replay expires then already")
		}
		next.ExpiresAt = o.Until
	case Undo, Redo: // refused above
	}
	return next, nil
}

// cutting is the cuts after a cut or uncut.
func cutting(before []media.Span, o *Op) ([]media.Span, error) {
	after := union(before, o.Span())
	if o.Kind == Uncut {
		after = without(before, o.Span())
	}
	switch {
	case slices.Equal(before, after) && o.Kind == Cut:
		return nil, unchanged("this is cut already")
	case slices.Equal(before, after):
		return nil, unchanged("nothing is cut there")
	case len(after) > MaxCuts:
		return nil, errs.New(errs.Exhausted, "edit.Apply", "a replay can have %d cuts; join some", MaxCuts)
	}
	return after, nil
}

func unchanged(format string, args ...any) error {
	return errs.New(errs.Conflict, "edit.Apply", format, args...)
}

func sameCover(a, b *media.Ticks) bool { return a == b || a != nil && b != nil && *a == *b }

// Hidden says why the public may not see the replay at an instant: NotFound with the reason, or nil.
func (s *State) Hidden(now time.Time) error {
	const op = "edit.Hidden"
	switch {
	case !s.Published:
		return errs.New(errs.NotFound, op, "the replay of this show is not published")
	case !s.ExpiresAt.IsZero() && !now.Before(s.ExpiresAt):
		return errs.New(errs.NotFound, op, "the replay of this show expired on %s", s.ExpiresAt.UTC().Format("2006-01-02 15:04 UTC"))
	}
	return nil
}

// union is sorted, disjoint spans with one more; those that overlap or touch become one.
func union(spans []media.Span, add media.Span) []media.Span {
	out := make([]media.Span, 0, len(spans)+1)
	i := 0
	for ; i < len(spans) && spans[i].To < add.From; i++ {
		out = append(out, spans[i])
	}
	for ; i < len(spans) && spans[i].From <= add.To; i++ {
		add = media.Span{From: min(add.From, spans[i].From), To: max(add.To, spans[i].To)}
	}
	return append(append(out, add), spans[i:]...)
}

// without is sorted, disjoint spans less what lies in one.
func without(spans []media.Span, less media.Span) []media.Span {
	var out []media.Span
	for _, s := range spans {
		if !s.Overlaps(less) {
			out = append(out, s)
			continue
		}
		for _, rest := range []media.Span{{From: s.From, To: less.From}, {From: less.To, To: s.To}} {
			if !rest.Empty() {
				out = append(out, rest)
			}
		}
	}
	return out
}
