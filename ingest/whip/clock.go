package whip

import (
	"time"

	"github.com/vitrine-live/vitrine/media"
)

// streamClock is the clock of one RTP stream: its timestamps unwrapped, in ticks, and how they relate to the publisher's
// NTP clock (by sender reports, RFC 3550, 6.4.1) and to our wall clock (by arrivals).
type streamClock struct {
	rate int64 // of the RTP clock

	started bool
	stamp   uint32 // the newest timestamp
	raw     int64  // the same, unwrapped

	arrivals media.ArrivalClock
	report   anchor
}

// senderReport is what a sender report says: the RTP clock stood at stamp at the publisher's instant ntp.
type senderReport struct {
	ntp     time.Time
	stamp   uint32
	arrival time.Time
}

// anchor is a sender report on the stream's unwrapped clock.
type anchor struct {
	known bool
	ntp   time.Time
	at    media.Ticks
}

// take unwraps the timestamp of a packet, which may come out of order, and returns it in ticks.
func (c *streamClock) take(stamp uint32) media.Ticks {
	if !c.started {
		c.started, c.stamp, c.raw = true, stamp, int64(stamp)
	}
	raw := c.raw + int64(int32(stamp-c.stamp))
	if raw > c.raw {
		c.raw, c.stamp = raw, stamp
	}
	return c.ticks(raw)
}

// peek is take for a timestamp that is no packet's.
func (c *streamClock) peek(stamp uint32) media.Ticks {
	return c.ticks(c.raw + int64(int32(stamp-c.stamp)))
}

func (c *streamClock) ticks(raw int64) media.Ticks {
	if c.rate == int64(media.TicksPerSecond) {
		return media.Ticks(raw)
	}
	return media.Rescale(media.Ticks(raw), int64(media.TicksPerSecond), c.rate)
}

// hear takes a sender report. A packet must have been taken before.
func (c *streamClock) hear(s senderReport) {
	c.report = anchor{known: true, ntp: s.ntp, at: c.peek(s.stamp)}
}

// on returns the ticks that the stream's clock shows at an instant of the publisher's NTP clock. Between reports, a few
// seconds apart, even a bad crystal strays by less than a millisecond.
func (a anchor) on(ntp time.Time) media.Ticks { return a.at + media.FromDuration(ntp.Sub(a.ntp)) }

// wildReports is how far sender reports may be from what arrivals say before they are taken for wrong: some senders do
// not put both tracks on one NTP clock.
const wildReports = 2 * media.TicksPerSecond

// offset returns what to add to the ticks of c to get those of to for media captured at the same instant. It is exact when
// both streams have sender reports; until then it assumes that the streams take equally long from capture to arrival.
// wild says that there are reports which cannot be believed.
func (c *streamClock) offset(to *streamClock, now time.Time) (offset media.Ticks, exact, wild bool) {
	here, ok1 := c.arrivals.ShowTimeAt(now)
	there, ok2 := to.arrivals.ShowTimeAt(now)
	arrived := there - here
	if !c.report.known || !to.report.known {
		return arrived, false, false
	}
	offset = to.report.on(c.report.ntp) - c.report.at
	if d := offset - arrived; ok1 && ok2 && (d > wildReports || d < -wildReports) {
		return arrived, false, true
	}
	return offset, true, false
}

const (
	// slewPerSecond is how fast an offset follows its target: enough for a crystal that is 1000 ppm off, slow enough
	// that the reports' own jitter of some milliseconds does not reach the sound.
	slewPerSecond = 2 * media.TicksPerMillisecond
	// snapBeyond is a difference that no crystal makes: the publisher changed its microphone, or its clock was set.
	snapBeyond = 80 * media.TicksPerMillisecond
)

// follower carries the samples of one stream onto the clock of another. The zero value is ready.
type follower struct {
	started bool
	exact   bool // since when a target was exact, the offset is too
	offset  media.Ticks
	target  media.Ticks
	slewed  media.Ticks // ticks of the stream up to which the offset has moved
}

// aim sets the target.
func (f *follower) aim(target media.Ticks, exact bool) {
	if !exact && f.exact { // the reports became wild, or the leader changed: what is known is better than arrivals
		return
	}
	f.target = target
	d := target - f.offset
	if !f.started || exact && !f.exact || d > snapBeyond || d < -snapBeyond {
		f.offset = target
	}
	f.started, f.exact = true, exact
}

// place returns where the stream's ticks are on the other clock, the offset moving on towards its target.
func (f *follower) place(at media.Ticks) media.Ticks {
	if elapsed := at - f.slewed; elapsed > 0 {
		step := media.Rescale(min(elapsed, media.TicksPerSecond), int64(slewPerSecond), int64(media.TicksPerSecond))
		if step > 0 {
			f.offset += min(max(f.target-f.offset, -step), step)
			f.slewed = at
		}
	}
	return at + f.offset
}

// ntpEra is when the NTP clock was 0 (RFC 5905, 6). The seconds wrap in February 2036; times are then taken to lie after it.
var ntpEra = time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC)

// ntpTime converts a 64-bit NTP timestamp, to the nanosecond.
func ntpTime(ntp uint64) time.Time {
	seconds, fraction := int64(ntp>>32), int64(ntp&0xFFFFFFFF)
	if seconds < 1<<31 {
		seconds += 1 << 32
	}
	return ntpEra.Add(time.Duration(seconds)*time.Second + time.Duration(fraction*int64(time.Second)>>32))
}
