package hls

import (
	"math"
	"slices"

	"github.com/vitrine-live/vitrine/media"
)

// videoQueue is the timeline of the pictures of a run, and those that are not packaged yet.
type videoQueue struct {
	queue  []sample
	shift  media.Ticks // decode time in the file - the publisher's
	last   media.Ticks // decode time in the file of the newest picture
	newest media.Ticks // the publisher's decode time of the newest picture
	shown  media.Ticks // latest presentation time so far
	lastID media.Ticks // of the newest IDR
	gop    media.Ticks // between the two newest IDRs; 0 when unknown

	steps [8]media.Ticks // between the newest pictures
	count int            // of steps ever
}

func (v *videoQueue) reset() {
	clear(v.queue)
	*v = videoQueue{queue: v.queue[:0], last: math.MinInt64, lastID: math.MinInt64, shown: math.MinInt64}
}

// put queues a picture. At each IDR the shift of decode times is set so that its DTS is its PTS: publishers that round
// to milliseconds differ by one from IDR to IDR.
func (v *videoQueue) put(s *media.Sample, begins *trackSet) {
	first := v.last == math.MinInt64
	if s.Key && (first || s.PTS > v.last) {
		v.shift = s.PTS - s.DTS
	}
	at := s.DTS + v.shift
	if !first {
		at = max(at, v.last+1)
		v.steps[v.count%len(v.steps)] = at - v.last
		v.count++
	}
	if s.Key {
		if v.lastID != math.MinInt64 {
			v.gop = at - v.lastID
		}
		v.lastID = at
	}
	v.last, v.newest, v.shown = at, s.DTS, max(v.shown, s.PTS)
	v.queue = append(v.queue, sample{at: at, pts: s.PTS, key: s.Key, payload: s.Payload, begins: begins})
}

// longestStep predicts how long a picture lasts at most; 0 when nothing is known.
func (v *videoQueue) longestStep() media.Ticks { return slices.Max(v.steps[:]) }

// usualStep is the mean of the newest steps; 0 when nothing is known.
func (v *videoQueue) usualStep() media.Ticks {
	n := min(v.count, len(v.steps))
	if n == 0 {
		return 0
	}
	var sum media.Ticks
	for _, s := range v.steps[:n] {
		sum += s
	}
	return (sum + media.Ticks(n)/2) / media.Ticks(n)
}

// end is when the last picture will have been shown, for all that is known.
func (v *videoQueue) end() media.Ticks {
	step := v.usualStep()
	if step == 0 {
		step = media.TicksPerSecond / 30
	}
	return max(v.last, v.shown) + step
}
