// Package media holds what every part of the media path speaks: ticks of the 90 kHz media clock, codecs and tracks,
// samples, epochs of a show, and the clocks that turn the timestamps and arrivals of a publisher into show time.
//
// It is a leaf: it imports nothing of Vitrine but internal leaf helpers.
package media

import (
	"math/bits"
	"time"
)

// Ticks counts the 90 kHz media clock (ISO 13818-1's PTS unit). As a position it is show time unless said otherwise:
// 0 at the first media sample of a show.
type Ticks int64

// TicksPerSecond is the rate of the media clock.
const TicksPerSecond Ticks = 90_000

// TicksPerMillisecond is the number of ticks in a millisecond, exact.
const TicksPerMillisecond = TicksPerSecond / 1000

// FromMilliseconds converts milliseconds, exactly.
func FromMilliseconds(ms int64) Ticks { return Ticks(ms) * TicksPerMillisecond }

// FromDuration converts d, rounded to the nearest tick.
func FromDuration(d time.Duration) Ticks { return Rescale(Ticks(d), 90_000, int64(time.Second)) }

// Milliseconds converts t, rounded to the nearest millisecond (half up).
func (t Ticks) Milliseconds() int64 {
	return int64(floorDiv(t+TicksPerMillisecond/2, TicksPerMillisecond))
}

// Duration converts t, rounded to the nearest nanosecond.
func (t Ticks) Duration() time.Duration {
	return time.Duration(Rescale(t, int64(time.Second), 90_000))
}

// Seconds converts t for display and for playlists.
func (t Ticks) Seconds() float64 { return float64(t) / float64(TicksPerSecond) }

// Rescale returns v*num/den rounded to the nearest integer, without overflow of the product. num and den must be
// positive.
func Rescale(v Ticks, num, den int64) Ticks {
	neg := v < 0
	if neg {
		v = -v
	}
	hi, lo := bits.Mul64(uint64(v), uint64(num))
	lo, carry := bits.Add64(lo, uint64(den)/2, 0)
	q, _ := bits.Div64(hi+carry, lo, uint64(den))
	if neg {
		return -Ticks(q)
	}
	return Ticks(q)
}

func floorDiv(a, b Ticks) Ticks {
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q
}
