package highlight

import (
	"encoding/json"
	"math"

	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/overlay"
)

// Signals are what happened in a show, second by second of its clock. All lists have one entry per second, none of them
// may be longer than the others; nil stands for nothing.
type Signals struct {
	Duration media.Ticks

	Likes    []float64 // how many were told in the second
	Comments []float64
	Orders   []float64
	Viewers  []float64 // how many watched; NaN: not known
	Loudness []float64 // LUFS; -70: silence, or not known
}

// Seconds is how many seconds the show has, the last one counted in full.
func (s *Signals) Seconds() int {
	return int((max(0, s.Duration) + media.TicksPerSecond - 1) / media.TicksPerSecond)
}

// NewSignals makes signals of a show in which nothing happened.
func NewSignals(duration media.Ticks) Signals {
	s := Signals{Duration: duration}
	n := s.Seconds()
	s.Likes, s.Comments, s.Orders = make([]float64, n), make([]float64, n), make([]float64, n)
	s.Viewers, s.Loudness = make([]float64, n), make([]float64, n)
	for i := range n {
		s.Viewers[i], s.Loudness[i] = math.NaN(), silence
	}
	return s
}

// silence is the loudness of what has no sound.
const silence = -70

// Sample is how many watched a show at an instant of it.
type Sample struct {
	ShowID  string
	At      media.Ticks
	Viewers int64
}

// stale is for how many seconds a sample holds.
const stale = 60

// setViewers fills in samples, which are in order: a line from each to the next.
func (s *Signals) setViewers(samples []Sample) {
	for i, at := range samples {
		from := int(at.At / media.TicksPerSecond)
		to, next := from+stale, at.Viewers
		if i+1 < len(samples) {
			if n := int(samples[i+1].At / media.TicksPerSecond); n <= to {
				to, next = n, samples[i+1].Viewers
			}
		}
		for t := max(0, from); t < min(to, len(s.Viewers)); t++ {
			s.Viewers[t] = float64(at.Viewers) + float64(next-at.Viewers)*float64(t-from)/float64(to-from)
		}
	}
}

// counts adds up events as they come in the order of the log.
type counts struct {
	after                   int64 // the last event that is counted
	likes, comments, orders []float64
}

// maxSeconds bounds what an event placed far in the future may take: a week.
const maxSeconds = 7 * 24 * 3600

func (c *counts) add(e overlay.Event) {
	c.after = e.Seq
	t := int(e.ShowTime / media.TicksPerSecond)
	if t < 0 || t >= maxSeconds {
		return
	}
	switch e.Type {
	case overlay.TypeLikes:
		var d overlay.LikesData
		if json.Unmarshal(e.Data, &d) == nil && d.Count > 0 {
			addAt(&c.likes, t, float64(d.Count))
		}
	case overlay.TypeComment:
		var d overlay.CommentData
		if json.Unmarshal(e.Data, &d) == nil && !d.Hidden {
			addAt(&c.comments, t, 1)
		}
	case overlay.TypeOrder:
		addAt(&c.orders, t, 1)
	default:
	}
}

func addAt(list *[]float64, t int, v float64) {
	for len(*list) <= t {
		*list = append(*list, 0)
	}
	(*list)[t] += v
}
