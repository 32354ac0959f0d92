package whip

import (
	"sync/atomic"
	"time"

	"github.com/vitrine-live/vitrine/media"
)

// capture tells what was captured when. It is written by the session's loop and read by any goroutine.
type capture struct{ now atomic.Pointer[captureMap] }

// captureMap is one state of it.
type captureMap struct {
	ntp time.Time   // an instant of the publisher's NTP clock
	at  media.Ticks // the publisher time captured then
	lag time.Duration
	// lag is our wall clock minus the publisher's NTP clock.
}

// CapturedAt returns the publisher time that was captured at a wall instant of this server; ok is false before the first
// sender report.
func (c *capture) CapturedAt(wall time.Time) (t media.Ticks, ok bool) {
	m := c.now.Load()
	if m == nil {
		return 0, false
	}
	return m.on(wall.Round(0).Add(-m.lag)), true
}

func (m *captureMap) on(ntp time.Time) media.Ticks { return m.at + media.FromDuration(ntp.Sub(m.ntp)) }

const (
	// leastWindow is how many measurements the least one is sought among.
	leastWindow = 10
	// sameClock is by how much two measurements of one clock may differ.
	sameClock = 100 * time.Millisecond
)

// least is the least of the newest measurements of a delay: what queueing adds varies, what is left is the path and the
// difference of the clocks.
type least struct {
	values [leastWindow]time.Duration
	n      int
}

func (l *least) add(d time.Duration) {
	l.values[l.n%leastWindow] = d
	l.n++
}

func (l *least) value() (d time.Duration, ok bool) {
	if l.n == 0 {
		return 0, false
	}
	d = l.values[0]
	for _, v := range l.values[1:min(l.n, leastWindow)] {
		d = min(d, v)
	}
	return d, true
}

// remoteClocks relates the clocks of a publisher to ours: the NTP clock of its sender reports, and the clock of its page,
// which taps are told in. In browsers the two are one; should they differ, the difference shows in how long their
// messages seem to take on the same path, however slow that is.
type remoteClocks struct {
	reports least // our wall clock minus NTP at the arrival of sender reports
	pongs   least // our wall clock minus the page's at the arrival of its answers

	pings [leastWindow]pingResult
	n     int
}

// pingResult is one exchange on the data channel.
type pingResult struct {
	rtt    time.Duration
	offset time.Duration // our wall clock minus the page's, if both ways took equally long
}

// report notes the arrival of a sender report.
func (r *remoteClocks) report(s senderReport) { r.reports.add(s.arrival.Sub(s.ntp)) }

// pong notes an answer that was asked for at sent: the page's clock stood at page when it wrote it.
func (r *remoteClocks) pong(page, sent, arrival time.Time) {
	rtt := arrival.Sub(sent)
	r.pongs.add(arrival.Sub(page))
	r.pings[r.n%leastWindow] = pingResult{rtt: rtt, offset: arrival.Sub(page) - rtt/2}
	r.n++
}

// best returns the quickest of the newest exchanges, whose offset is off by the least; ok is false before the first.
func (r *remoteClocks) best() (p pingResult, ok bool) {
	if r.n == 0 {
		return p, false
	}
	p = r.pings[0]
	for _, q := range r.pings[1:min(r.n, leastWindow)] {
		if q.rtt < p.rtt {
			p = q
		}
	}
	return p, true
}

// pageAhead is how much to add to an instant of the page's clock to get that of the NTP clock.
func (r *remoteClocks) pageAhead() time.Duration {
	reports, ok1 := r.reports.value()
	pongs, ok2 := r.pongs.value()
	if d := pongs - reports; ok1 && ok2 && d.Abs() > sameClock {
		return d
	}
	return 0
}

// lag is our wall clock minus the publisher's NTP clock: by the exchanges on the data channel, or else by what sender
// reports take to arrive, less half of the round trip.
func (r *remoteClocks) lag(rtt time.Duration) (d time.Duration, ok bool) {
	if p, ok := r.best(); ok {
		return p.offset - r.pageAhead(), true
	}
	d, ok = r.reports.value()
	return d - rtt/2, ok
}
