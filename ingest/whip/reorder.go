package whip

import (
	"slices"

	"github.com/vitrine-live/vitrine/media"
)

const (
	// maxReorder is the deepest reordering that H264 allows (max_num_reorder_frames).
	maxReorder = 16
	// reorderLeap is a distance between pictures that ends what is remembered of the earlier ones.
	reorderLeap = 3 * media.TicksPerSecond
	// reorderStep is the distance between the decoding times of the first pictures, before their own is known.
	reorderStep = 10 * media.TicksPerMillisecond
)

// reorder finds decoding times, which RTP does not carry: the decoding time of the n-th picture is the presentation time
// of the n-th picture shown, moved back by the depth of the reordering. Without B-pictures, as from browsers, the depth is
// 0 and both times are one. The depth is learnt from the pictures, by telling each of them first.
type reorder struct {
	depth  int
	recent []media.Ticks // of the newest pictures told, in decoding order

	waiting []media.Ticks // presentation times not handed out as decoding times yet, ascending
	begun   int           // pictures since the start, up to depth
	last    media.Ticks
}

// tell learns from the presentation time of the next picture in decoding order.
func (r *reorder) tell(pts media.Ticks) {
	if n := len(r.recent); n > 0 && !within(pts-r.recent[n-1], reorderLeap) {
		r.recent = r.recent[:0]
	}
	later := 0
	for _, t := range r.recent {
		if t > pts {
			later++
		}
	}
	r.depth = min(max(r.depth, later), maxReorder)
	if len(r.recent) == maxReorder {
		r.recent = append(r.recent[:0], r.recent[1:]...)
	}
	r.recent = append(r.recent, pts)
}

// next returns the decoding time of the next picture in decoding order.
func (r *reorder) next(pts media.Ticks) media.Ticks {
	if !within(pts-r.last, reorderLeap) {
		r.waiting, r.begun = r.waiting[:0], 0
	}
	at, _ := slices.BinarySearch(r.waiting, pts)
	r.waiting = slices.Insert(r.waiting, at, pts)
	switch {
	case len(r.waiting) > r.depth:
		r.last = r.waiting[0]
		r.waiting = r.waiting[1:]
	case r.begun == 0:
		r.last = pts - media.Ticks(r.depth)*reorderStep
	default: // at the start, or the depth has grown
		r.last = min(r.last+reorderStep, r.waiting[0])
	}
	r.begun++
	return r.last
}

func within(d, limit media.Ticks) bool { return d >= -limit && d <= limit }
