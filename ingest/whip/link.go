package whip

import (
	"sync/atomic"
	"time"

	"github.com/vitrine-live/vitrine/media"
)

// linkWindow is over how many seconds the network is judged.
const linkWindow = 5

// counts are totals since the session's start.
type counts struct{ received, repaired, lost int64 }

// link tells how the network does. It is written by the session's loop and read by any goroutine.
type link struct {
	now    atomic.Pointer[media.Link]
	window [linkWindow]counts // of the seconds before
	n      int
}

// Link returns the state of the last seconds.
func (l *link) Link() media.Link {
	if m := l.now.Load(); m != nil {
		return *m
	}
	return media.Link{Loss: -1, Repaired: -1}
}

// second is told of the totals once a second.
func (l *link) second(c counts, rtt, jitter time.Duration, discarded int64) {
	before := l.window[l.n%linkWindow] // zero at the start
	l.window[l.n%linkWindow] = c
	l.n++
	m := &media.Link{RTT: rtt, Jitter: jitter, Loss: -1, Repaired: -1, Discarded: discarded}
	received, lost := c.received-before.received, c.lost-before.lost
	if all := received + lost; all > 0 {
		m.Loss = float64(lost) / float64(all)
		m.Repaired = float64(c.repaired-before.repaired) / float64(all)
	}
	l.now.Store(m)
}

// jitter is the interarrival jitter of RFC 3550, 6.4.1 and A.8.
type jitter struct {
	started bool
	transit time.Duration
	value   time.Duration
}

func (j *jitter) observe(at media.Ticks, arrival time.Time, base time.Time) {
	transit := arrival.Sub(base) - at.Duration()
	if j.started {
		d := (transit - j.transit).Abs()
		j.value += (d - j.value) / 16
	}
	j.started, j.transit = true, transit
}
