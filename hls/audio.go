package hls

import (
	"github.com/vitrine-live/vitrine/media"
)

// How the sound of a publisher is kept in time. Samples follow each other by their count, because what publishers say
// is rounded to milliseconds and a player would hear every rounding; only an error that lips would show resets it.
const (
	// audioTolerance is the error from which on the timeline is set anew.
	audioTolerance = 32 * media.TicksPerMillisecond
	// stretchFrames is the longest gap, in frames, that the frame before it is stretched over; a longer one is filled with silence.
	stretchFrames = 3
)

// audioTrack is a track of AAC from the sample that brought its parameters on: its timeline, and the samples that are
// not packaged yet.
type audioTrack struct {
	track   *media.Track
	rate    int64  // units per second: the sampling rate
	frame   int64  // units in an access unit
	silence []byte // nil when none can be made

	queue []sample
	next  int64 // units: where the sample after the newest belongs
	begun bool  // next is valid
	// silent is set when a part had to close without sound, until sound comes again: nobody waits for it meanwhile.
	silent bool
}

func newAudioTrack(t *media.Track) *audioTrack {
	a := &audioTrack{track: t, rate: int64(t.Audio.SampleRate), frame: 1024, silence: silentFrame(t.Audio)}
	if t.Audio.FrameLengthFlag {
		a.frame = 960
	}
	return a
}

// placing says what became of a sample's place on the timeline.
type placing uint8

const (
	placed     placing = iota
	resynced           // after a gap
	overlapped         // it belongs where sound already is: dropped
)

// put queues a sample. It returns how the sample fitted and how many silent frames went in before it.
func (a *audioTrack) put(s *media.Sample) (placing, int) {
	at, fitted, filled := a.units(s.PTS), placed, 0
	if a.begun {
		tolerance := int64(audioTolerance) * a.rate / int64(media.TicksPerSecond)
		switch gap := at - a.next; {
		case gap < -tolerance:
			return overlapped, 0
		case gap <= tolerance:
			at = a.next
		default:
			fitted = resynced
			if gap >= a.stretchable() {
				filled = a.fillUntil(at - a.frame + 1)
			}
		}
	}
	a.push(at, s.Payload)
	return fitted, filled
}

// stretchable is the gap from which on silence fills it: less when the frame before it is gone already.
func (a *audioTrack) stretchable() int64 {
	if len(a.queue) == 0 {
		return a.frame
	}
	return stretchFrames * a.frame
}

// startAfter begins the timeline of a track whose first sample, at pts, is later than the pictures, which begin at
// from: silence fills whole frames before it, so that players find sound from the start.
func (a *audioTrack) startAfter(from, pts media.Ticks) (filled int) {
	at := a.units(pts)
	a.begun, a.next = true, at
	if a.silence == nil || from >= pts {
		return 0
	}
	a.next = at - (at-a.units(from))/a.frame*a.frame
	for a.next < at {
		a.push(a.next, a.silence)
		filled++
	}
	return filled
}

// fillUntil appends silent frames that start before end.
func (a *audioTrack) fillUntil(end int64) (filled int) {
	for a.silence != nil && a.next < end {
		a.push(a.next, a.silence)
		filled++
	}
	return filled
}

func (a *audioTrack) push(at int64, payload []byte) {
	a.queue = append(a.queue, sample{at: a.ticks(at), units: at, key: true, payload: payload})
	a.next, a.begun = at+a.frame, true
}

// before returns how many queued samples start before t.
func (a *audioTrack) before(t media.Ticks) (n int) {
	for n < len(a.queue) && a.queue[n].units*int64(media.TicksPerSecond) < int64(t)*a.rate {
		n++
	}
	return n
}

// passed reports whether every sample that starts before t is there.
func (a *audioTrack) passed(t media.Ticks) bool {
	return a.begun && a.next*int64(media.TicksPerSecond) >= int64(t)*a.rate
}

// durationOf is how long the n-th queued sample lasts: until the next, or a frame.
func (a *audioTrack) durationOf(n int) int64 {
	if n+1 < len(a.queue) {
		return a.queue[n+1].units - a.queue[n].units
	}
	return a.frame
}

// end is the show time at which the newest sample ends, rounded up.
func (a *audioTrack) end() media.Ticks {
	n := a.next * int64(media.TicksPerSecond)
	return media.Ticks((n + a.rate - 1) / a.rate)
}

// ticks rounds down, so that a sample is never before a boundary that was made of it.
func (a *audioTrack) ticks(units int64) media.Ticks {
	return media.Ticks(units * int64(media.TicksPerSecond) / a.rate)
}

// units rounds up, so that sound at a boundary is not before it.
func (a *audioTrack) units(t media.Ticks) int64 {
	return (int64(t)*a.rate + int64(media.TicksPerSecond) - 1) / int64(media.TicksPerSecond)
}

func (a *audioTrack) frameTicks() media.Ticks { return a.ticks(a.frame) + 1 }
