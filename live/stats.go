package live

import (
	"time"

	"github.com/vitrine-live/vitrine/media"
)

const (
	// statsSpan is how many whole seconds of traffic are kept.
	statsSpan = 32
	// rateSpan is over how many whole seconds rates are taken.
	rateSpan = 5
	// burstSpan and burstParts say how the unevenness of the bitrate is looked at: the peak of so many parts of so many
	// seconds, each long enough for a whole group of pictures.
	burstSpan, burstParts = 4, 5
)

// second is what came within one second of arrivals.
type second struct {
	videoBytes, audioBytes int64
	frames                 int
	packets                int64 // of sound
	reordered              int   // pictures shown before one that came earlier
	anomalies              int
	discarded              int64 // pictures
	delay                  media.Ticks
	delayed                bool // delay is known: the least of arrival minus decoding time
}

// stats counts the traffic of one publisher by seconds. Its zero value is ready; it is not safe for concurrent use.
type stats struct {
	base    time.Time // the first arrival
	current int       // the open second, counted from base
	seconds [statsSpan]second
}

// at returns the second that now belongs to. A clock that went back stays in the open second.
func (c *stats) at(now time.Time) *second {
	if c.base.IsZero() {
		c.base = now
	}
	n := int(now.Sub(c.base) / time.Second)
	for i := max(c.current+1, n-statsSpan+1); i <= n; i++ {
		c.seconds[i%statsSpan] = second{}
	}
	c.current = max(c.current, n)
	return &c.seconds[c.current%statsSpan]
}

// elapsed is how many whole seconds are over, and how long the counting has gone on.
func (c *stats) elapsed(now time.Time) (whole int, since time.Duration) {
	if c.base.IsZero() {
		return 0, 0
	}
	since = max(now.Sub(c.base), 0)
	return max(int(since/time.Second), c.current), since
}

// each calls f for the n seconds before the open one at now, the newest first, as far as there are any. Seconds in which
// nothing came count too.
func (c *stats) each(now time.Time, n int, f func(*second)) (seen int) {
	whole, _ := c.elapsed(now)
	for i := whole - 1; i >= max(whole-n, 0); i-- {
		seen++
		if i > c.current {
			f(&second{})
			continue
		}
		f(&c.seconds[i%statsSpan])
	}
	return seen
}

// rates are what a publisher sends per second.
type rates struct {
	video, audio int64 // bits
	frames       float64
	meanPacket   int // bytes, of sound; 0: none came
	reordered    bool
}

// read returns the rates over the last whole seconds, or over the open one while it is the first; zeros once nothing
// comes any more.
func (c *stats) read(now time.Time) rates {
	var sum second
	d := float64(c.each(now, rateSpan, func(s *second) { sum.add(s) }))
	if d == 0 {
		_, since := c.elapsed(now)
		if since <= 0 {
			return rates{}
		}
		sum, d = c.seconds[0], since.Seconds()
	}
	return rates{
		video: int64(float64(sum.videoBytes*8) / d), audio: int64(float64(sum.audioBytes*8) / d), frames: float64(sum.frames) / d,
		meanPacket: int(sum.audioBytes / max(sum.packets, 1)), reordered: sum.reordered > 0,
	}
}

func (s *second) add(o *second) {
	s.videoBytes += o.videoBytes
	s.audioBytes += o.audioBytes
	s.frames += o.frames
	s.packets += o.packets
	s.reordered += o.reordered
}

// peak returns the bitrate of the picture over the last 20 s and that of the busiest 4 s of them; zeros while less has come.
func (c *stats) peak(now time.Time) (mean, peak int64) {
	var parts [burstParts]int64
	i := 0
	seen := c.each(now, burstSpan*burstParts, func(s *second) {
		parts[i/burstSpan] += s.videoBytes * 8
		i++
	})
	if seen < burstSpan*burstParts {
		return 0, 0
	}
	for _, bits := range parts {
		mean += bits
		peak = max(peak, bits/burstSpan)
	}
	return mean / (burstSpan * burstParts), peak
}

// trouble counts the mended timestamps and the dropped pictures of the last half minute.
func (c *stats) trouble(now time.Time) (anomalies int, discarded int64) {
	c.each(now, statsSpan-2, func(s *second) {
		anomalies += s.anomalies
		discarded += s.discarded
	})
	return anomalies, discarded
}
