package rtmp

import (
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vitrine-live/vitrine/media"
)

const (
	// linkWindow is over how long shares are reckoned, and linkEvery how often the system is asked at most.
	linkWindow = 10 * time.Second
	linkEvery  = time.Second
	linkPlaces = int(linkWindow / linkEvery)
)

// pathState is what the system knows of a TCP connection at an instant.
type pathState struct {
	at         time.Time
	rtt        time.Duration // 0: unknown
	segments   uint32        // received since the beginning, with data
	outOfOrder uint32        // of them, those that came behind a hole; both wrap
}

// link tells how a publisher's network does. Safe for concurrent use.
type link struct {
	state  func() (pathState, bool) // asks the system; ok is false where it does not tell
	jitter atomic.Int64             // nanoseconds

	mu   sync.Mutex
	past [linkPlaces]pathState // a ring, the newest at next-1
	n    int
	next int
}

func newLink(conn net.Conn) *link {
	return &link{state: func() (pathState, bool) { return tcpState(conn) }}
}

// read implements media.PublishRequest.Link. TCP repairs all losses, so Loss is 0 where the system tells of the
// connection; what they cost is Repaired and Jitter.
func (l *link) read() media.Link {
	out := media.Link{Jitter: time.Duration(l.jitter.Load()), Loss: -1, Repaired: -1}
	l.mu.Lock()
	defer l.mu.Unlock()
	newest, oldest, ok := l.look(time.Now())
	if !ok {
		return out
	}
	out.RTT, out.Loss = newest.rtt, 0
	out.Repaired = repaired(oldest, newest)
	return out
}

// look asks the system, unless it just did, and returns the ends of the window.
func (l *link) look(now time.Time) (newest, oldest pathState, ok bool) {
	last := (l.next + linkPlaces - 1) % linkPlaces
	if l.n == 0 || now.Sub(l.past[last].at) >= linkEvery {
		state, ok := l.state()
		if ok {
			state.at = now
			last = l.next
			l.past[last], l.next, l.n = state, (l.next+1)%linkPlaces, min(l.n+1, linkPlaces)
		} else if l.n == 0 {
			return newest, oldest, false
		}
	}
	newest, oldest = l.past[last], l.past[last]
	for i := 1; i < l.n; i++ {
		p := l.past[(last+linkPlaces-i)%linkPlaces]
		if newest.at.Sub(p.at) > linkWindow {
			break
		}
		oldest = p
	}
	return newest, oldest, true
}

// repaired estimates the share of segments that came only after a retransmission. The receiver's system counts the
// segments behind a hole; from a loss to its repair goes a round trip, so that one loss puts about a round trip's worth
// of segments there.
func repaired(from, to pathState) float64 {
	segments := to.segments - from.segments
	if segments == 0 {
		return 0
	}
	behind := float64(to.outOfOrder - from.outOfOrder)
	perLoss := 1.0
	if span := to.at.Sub(from.at); span > 0 {
		perLoss = max(perLoss, float64(segments)*float64(to.rtt)/float64(span))
	}
	return min(behind/perLoss/float64(segments), 1)
}

// jitter is the mean deviation of the spacing of arrivals from that of timestamps (RFC 3550, 6.4.1). It is for one
// goroutine.
type jitter struct {
	arrival time.Time
	at      media.Ticks
	mean    float64 // nanoseconds
}

// observe takes a sample and returns the mean.
func (j *jitter) observe(at media.Ticks, arrival time.Time) time.Duration {
	if !j.arrival.IsZero() {
		d := arrival.Sub(j.arrival) - (at - j.at).Duration()
		j.mean += (float64(d.Abs()) - j.mean) / 16
	}
	j.arrival, j.at = arrival, at
	return time.Duration(j.mean)
}

// forget starts anew, as after a leap of the timestamps.
func (j *jitter) forget() { j.arrival = time.Time{} }
