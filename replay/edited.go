package replay

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/replay/edit"
)

// Edited returns what the edits of a show add up to. It is called for every playlist and segment asked for of a show that
// is over, and must be quick and safe for concurrent use.
type Edited func(ctx context.Context, showID string) (edit.State, error)

// Source is what there is to edit of a show. NotFound: nothing of it is recorded.
func (a *Archive) Source(showID string) (edit.Source, error) {
	rec, err := a.Recording(showID)
	if err != nil {
		return edit.Source{}, err
	}
	return edit.Source{Segments: rec.Segments(), Duration: rec.Duration(), Ended: rec.Ended()}, nil
}

// serving is how a replay is shown to whoever asks: as it was edited, or whole to those who edit it.
type serving struct {
	a     *Archive
	whole bool
}

// edits are those that count for a recording: none as long as the show is on air.
func (s serving) edits(ctx context.Context, rec *Recording) (edit.State, error) {
	if s.whole || !rec.Ended() {
		return edit.Unedited(), nil
	}
	state, err := s.a.cfg.Edited(ctx, rec.show)
	return state, errs.Wrap("replay.edits", err)
}

// mayServe refuses a segment that is cut out.
func (s serving) mayServe(ctx context.Context, rec *Recording, msn int64) error {
	if s.whole || !rec.Ended() {
		return nil
	}
	state, err := s.edits(ctx, rec)
	if err != nil || len(state.Cuts) == 0 {
		return err
	}
	if seg, ok := rec.segment(msn); ok && edit.LeftOut(&seg, state.Cuts) {
		return errs.New(errs.NotFound, "replay.mayServe", "segment %d is cut out of the replay", msn)
	}
	return nil
}

// keep makes of the view what the cuts leave.
func (v *view) keep(cuts []media.Span) {
	kept := edit.Keep(v.segments, cuts)
	if len(kept) == len(v.segments) {
		return
	}
	v.segments, v.rate = kept, rate{}
	used := map[int]bool{}
	for i := range kept {
		v.rate.add(kept[:i+1], v.target)
		used[kept[i].Init] = true
	}
	v.inits = slices.DeleteFunc(slices.Clone(v.inits), func(in playlist.Init) bool { return !used[in.Number] })
}

// clipRanges makes date ranges fit what is kept: one that begins or ends in a part that is left out begins where the
// replay goes on or ends where it broke off, and one that lies within is left out with it. all are the segments of the
// recording.
func clipRanges(ranges []playlist.DateRange, all []playlist.Segment, cuts []media.Span) []playlist.DateRange {
	holes := leftOut(all, cuts)
	if len(holes) == 0 {
		return ranges
	}
	out := make([]playlist.DateRange, 0, len(ranges))
	for _, r := range ranges {
		if clipRange(&r, holes) {
			out = append(out, r)
		}
	}
	return out
}

// hole is a run of segments that are left out.
type hole struct {
	from, to time.Time   // on the wall clock
	before   time.Time   // where what was kept before it ends; zero: there is none
	after    time.Time   // where what is kept after it begins; zero: there is none
	resumes  media.Ticks // after in show time
}

func (h *hole) contains(t time.Time) bool { return !t.Before(h.from) && t.Before(h.to) }

func leftOut(all []playlist.Segment, cuts []media.Span) []hole {
	var holes []hole
	out := false
	for i := range all {
		s := &all[i]
		end := s.Wall.Add(s.Duration.Duration())
		switch was := out; {
		case edit.LeftOut(s, cuts) && !was:
			h := hole{from: s.Wall, to: end}
			if i > 0 {
				p := &all[i-1]
				h.before = p.Wall.Add(p.Duration.Duration())
			}
			holes, out = append(holes, h), true
		case edit.LeftOut(s, cuts):
			holes[len(holes)-1].to = end
		case was:
			h := &holes[len(holes)-1]
			h.after, h.resumes, out = s.Wall, s.Start, false
		}
	}
	return holes
}

// showTimeAttr is the attribute that says where a range begins in show time.
const showTimeAttr = "X-SHOW-TIME-MS"

// clipRange reports whether anything of the range is left.
func clipRange(r *playlist.DateRange, holes []hole) bool {
	for i := range holes {
		h := &holes[i]
		starts := h.contains(r.Start)
		if !r.End.IsZero() && (h.contains(r.End) || r.End.Equal(h.to)) {
			if starts || h.before.IsZero() {
				return false
			}
			r.End = h.before
		}
		if !starts {
			continue
		}
		if h.after.IsZero() {
			return false
		}
		r.Start, r.Attrs = h.after, slices.Clone(r.Attrs)
		for j := range r.Attrs {
			if r.Attrs[j].Name == showTimeAttr {
				r.Attrs[j].Value = strconv.FormatInt(h.resumes.Milliseconds(), 10)
			}
		}
	}
	return true
}
