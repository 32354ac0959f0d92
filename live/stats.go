package live

import (
	"time"

	"github.com/vitrine-live/vitrine/media"
)

// statsWindow is over how long rates are taken; two windows are kept so that a reading always covers one whole.
const statsWindow = 4 * time.Second

// stats counts what a publisher sends. It is guarded by session.mu; its zero value is ready.
type stats struct {
	opened         time.Time
	bytes, frames  int64
	last           rates
	lastKey        media.Ticks
	keyInterval    time.Duration
	hasKey, closed bool
}

type rates struct {
	bitrate     int64 // bits per second
	fps         float64
	keyInterval time.Duration
	until       time.Time
}

func (c *stats) reset() { *c = stats{} }

func (c *stats) observe(s media.Sample) {
	if c.opened.IsZero() {
		c.opened = s.Arrival
	}
	if d := s.Arrival.Sub(c.opened); d >= statsWindow {
		c.last, c.closed = c.over(d, s.Arrival), true
		c.opened, c.bytes, c.frames = s.Arrival, 0, 0
	}
	c.bytes += int64(len(s.Payload))
	if s.Kind != media.Video {
		return
	}
	c.frames++
	if s.Key {
		if c.hasKey {
			c.keyInterval = (s.PTS - c.lastKey).Duration()
		}
		c.lastKey, c.hasKey = s.PTS, true
	}
}

func (c *stats) over(d time.Duration, until time.Time) rates {
	return rates{bitrate: int64(float64(c.bytes*8) / d.Seconds()), fps: float64(c.frames) / d.Seconds(), until: until}
}

// read returns the rates of the last whole window, or of the open one while it is the first; zeros once nothing has
// come for longer than two windows.
func (c *stats) read(now time.Time) rates {
	r := c.last
	if d := now.Sub(c.opened); !c.closed && !c.opened.IsZero() && d > 0 {
		r = c.over(d, now)
	}
	if c.closed && now.Sub(r.until) > 2*statsWindow {
		r = rates{}
	}
	r.keyInterval = c.keyInterval
	return r
}
