package hls

import (
	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/media"
)

// rateMeter measures the bit rates that a multivariant playlist declares.
type rateMeter struct {
	peak          int64 // bit/s
	bytes         int64
	duration      media.Ticks
	shortBytes    int64 // of segments too short to count on their own
	shortDuration media.Ticks
}

// What is declared beyond what was measured, since a player that believes a rate must not be surprised by the next
// segment.
const (
	peakHeadroomPercent = 120
	peakStep            = 50_000
	averageStep         = 10_000
)

// add counts a complete segment. The peak is that of runs of segments between half and one and a half target durations
// (4.4.6.2): shorter ones count together with what follows them.
func (r *rateMeter) add(seg *playlist.Segment, target int) {
	if seg.Gap {
		r.shortBytes, r.shortDuration = 0, 0
		return
	}
	r.bytes += seg.Size
	r.duration += seg.Duration
	r.shortBytes += seg.Size
	r.shortDuration += seg.Duration
	if 2*r.shortDuration < media.Ticks(target)*media.TicksPerSecond {
		return
	}
	r.peak = max(r.peak, bitRate(r.shortBytes, r.shortDuration))
	r.shortBytes, r.shortDuration = 0, 0
}

// bandwidth is for BANDWIDTH: no segment so far is above it.
func (r *rateMeter) bandwidth() int {
	peak := max(r.peak, r.average())
	return int(roundUp(peak*peakHeadroomPercent/100, peakStep))
}

// averageBandwidth is for AVERAGE-BANDWIDTH.
func (r *rateMeter) averageBandwidth() int { return int(roundUp(r.average(), averageStep)) }

func (r *rateMeter) average() int64 { return bitRate(r.bytes, r.duration) }

func bitRate(bytes int64, d media.Ticks) int64 {
	if d <= 0 {
		return 0
	}
	return (bytes*8*int64(media.TicksPerSecond) + int64(d) - 1) / int64(d)
}

func roundUp(v, step int64) int64 { return (v + step - 1) / step * step }
