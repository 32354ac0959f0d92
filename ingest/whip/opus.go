package whip

import (
	"time"

	"github.com/vitrine-live/vitrine/media"
)

// opusDuration is how long a packet plays (RFC 6716, 3.1), 0 for an empty or unreadable one.
func opusDuration(packet []byte) time.Duration {
	if len(packet) == 0 {
		return 0
	}
	config := packet[0] >> 3
	var frame time.Duration
	switch {
	case config < 12: // SILK
		frame = []time.Duration{10, 20, 40, 60}[config%4] * time.Millisecond
	case config < 16: // hybrid
		frame = []time.Duration{10, 20}[config%2] * time.Millisecond
	default: // CELT
		frame = []time.Duration{2500, 5000, 10_000, 20_000}[config%4] * time.Microsecond
	}
	switch packet[0] & 3 {
	case 0:
		return frame
	case 1, 2:
		return 2 * frame
	}
	if len(packet) < 2 {
		return 0
	}
	return min(time.Duration(packet[1]&0x3F)*frame, 120*time.Millisecond)
}

// impossibleAge is by how much the reports of a sound stream say that its packets are younger than they can be. Sound
// cannot be sent before it has been recorded, so a packet that plays for 20 ms is at least 20 ms old when it leaves. But
// browsers report the time of sending for its beginning. path is how long reports themselves take to arrive, clocks
// included: what is sent and received at once.
func impossibleAge(c *streamClock, path, plays time.Duration, now time.Time) media.Ticks {
	newest, ok := c.arrivals.ShowTimeAt(now)
	if !ok || !c.report.known {
		return 0
	}
	recorded := c.report.ntp.Add((newest - c.report.at).Duration())
	age := now.Sub(recorded) - path
	return media.FromDuration(min(max(plays-age, 0), plays))
}
