package replay

import (
	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/media"
)

// rate measures the bit rates of a recording for the multivariant playlist.
type rate struct {
	peak     int64 // bit/s
	bytes    int64
	duration media.Ticks // of what is no gap
}

// add takes the last of the segments into account. The peak segment bit rate is, by RFC 8216bis 4.4.6.2, the highest of
// any contiguous set of segments that last between 0.5 and 1.5 target durations; a show that is shorter has only its
// own.
func (r *rate) add(segments []playlist.Segment, target int) {
	last := &segments[len(segments)-1]
	if last.Gap {
		return
	}
	r.bytes += last.Size
	r.duration += last.Duration

	least := media.Ticks(target) * media.TicksPerSecond / 2
	var bytes int64
	var duration media.Ticks
	for i := len(segments) - 1; i >= 0 && !segments[i].Gap; i-- {
		bytes += segments[i].Size
		duration += segments[i].Duration
		if i < len(segments)-1 && duration > 3*least {
			break
		}
		if duration >= least {
			r.peak = max(r.peak, bitrate(bytes, duration))
		}
	}
}

// bandwidth is the peak and the average in bit/s.
func (r *rate) bandwidth() (peak, average int) {
	average = int(bitrate(r.bytes, r.duration))
	return max(int(r.peak), average, 1), average
}

func bitrate(bytes int64, duration media.Ticks) int64 {
	if duration <= 0 {
		return 0
	}
	return (bytes*8*int64(media.TicksPerSecond) + int64(duration) - 1) / int64(duration)
}
