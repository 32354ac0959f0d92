package edit

import (
	"slices"
	"sort"

	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/media"
)

// Keep is what the playlist of an edited replay lists: all segments but those that lie wholly inside a cut. One that is
// partly wanted stays, as nothing is encoded again. Where something is left out, a discontinuity stands. The segments
// given are not changed; they are returned as they are when nothing is left out.
func Keep(segments []playlist.Segment, cuts []media.Span) []playlist.Segment {
	if len(cuts) == 0 {
		return segments
	}
	var kept []playlist.Segment
	seam := false
	for i := range segments {
		s := segments[i]
		if LeftOut(&s, cuts) {
			seam = true
			continue
		}
		s.Discontinuity = s.Discontinuity || seam && len(kept) > 0
		seam = false
		kept = append(kept, s)
	}
	if len(kept) == len(segments) {
		return segments
	}
	return kept
}

// slack is what an instant loses on its way through whole milliseconds: a cut named by the ends of segments takes them.
const slack = media.TicksPerMillisecond / 2

// LeftOut reports whether a segment lies wholly inside one of the cuts, which are sorted and disjoint.
func LeftOut(s *playlist.Segment, cuts []media.Span) bool {
	i := sort.Search(len(cuts), func(i int) bool { return cuts[i].To+slack >= s.End() })
	return i < len(cuts) && cuts[i].From-slack <= s.Start && s.Duration > 2*slack
}

// Map relates show time to play time, a player's position in the edited replay: they differ once something is left out
// before. The zero Map has nothing. It is a value and safe for concurrent use.
type Map struct {
	spans []media.Span  // show time, in playing order, none touching the next
	play  []media.Ticks // where each begins
	end   media.Ticks   // play time of all
}

// MapOf is the Map of a playlist's segments.
func MapOf(segments []playlist.Segment) Map {
	var m Map
	for i := range segments {
		s := media.Span{From: segments[i].Start, To: segments[i].End()}
		if s.Empty() {
			continue
		}
		if n := len(m.spans); n > 0 && m.spans[n-1].To == s.From {
			m.spans[n-1].To = s.To
		} else {
			m.spans, m.play = append(m.spans, s), append(m.play, m.end)
		}
		m.end += s.Len()
	}
	return m
}

// Spans are what is kept, in show time and in playing order, whole segments each.
func (m Map) Spans() []media.Span { return slices.Clone(m.spans) }

// Duration is how long the replay plays.
func (m Map) Duration() media.Ticks { return m.end }

// ToPlay is the play time of an instant of the show. Of one that is left out, ok is false and play is where what comes
// after it begins.
func (m Map) ToPlay(show media.Ticks) (play media.Ticks, ok bool) {
	i := sort.Search(len(m.spans), func(i int) bool { return m.spans[i].To > show })
	switch {
	case i == len(m.spans):
		return m.end, false
	case show < m.spans[i].From:
		return m.play[i], false
	}
	return m.play[i] + show - m.spans[i].From, true
}

// ToShow is the instant of the show at a play time, which is taken into the bounds of the replay.
func (m Map) ToShow(play media.Ticks) media.Ticks {
	if len(m.spans) == 0 {
		return 0
	}
	play = min(max(play, 0), m.end)
	i := max(0, sort.Search(len(m.play), func(i int) bool { return m.play[i] > play })-1)
	return m.spans[i].From + play - m.play[i]
}

// ToPlaySpan is the play time of what is kept of a span of the show; it is empty when nothing is.
func (m Map) ToPlaySpan(show media.Span) media.Span {
	from, _ := m.ToPlay(show.From)
	to, _ := m.ToPlay(show.To)
	return media.Span{From: from, To: max(from, to)}
}
