package whip

import (
	"sync"
	"time"

	"github.com/pion/rtp"
)

const (
	// ringSize is how many packets may be waited for or held, about a second of 10 Mbit/s: a power of two. What comes
	// farther ahead takes the place of what is waited for.
	ringSize = 1024
	// reorderGrace is how long a missing packet may be on its way by another path before it is asked for.
	reorderGrace = 10 * time.Millisecond
	// nackAgainMin is the least time between two requests for one packet.
	nackAgainMin = 30 * time.Millisecond
	// maxNacks is how many packets one request names.
	maxNacks = 64
	// mtu is the longest packet that is received.
	mtu = 1500
)

// packet is one received RTP packet. It belongs to whoever holds it, until recycle.
type packet struct {
	rtp.Packet
	buf      [mtu]byte
	seq      int64 // unwrapped
	arrival  time.Time
	repaired bool // came by retransmission
	gap      bool // packets before it are lost for good
}

var packets = sync.Pool{New: func() any { return new(packet) }}

func newPacket() *packet {
	p := packets.Get().(*packet) // the pool holds nothing else
	p.seq, p.arrival, p.repaired, p.gap = 0, time.Time{}, false, false
	return p
}

func (p *packet) recycle() {
	p.Packet = rtp.Packet{}
	packets.Put(p)
}

// missing is a packet that is waited for.
type missing struct {
	seq   int64
	since time.Time
	asked time.Time // zero: not yet
}

// ring puts the packets of one RTP stream in order. A missing one is waited for as long as patience says, then given up.
// Duplicates and what comes too late are dropped. It is for one goroutine.
type ring struct {
	patience time.Duration

	slots   [ringSize]*packet
	started bool
	next    int64     // the packet that goes out next
	newest  int64     // the highest seen
	waits   []missing // ascending; all in [next, newest)
	odd     uint16    // the sequence number that would confirm that the stream began anew
	oddSeen bool
	gap     bool // the packet at next follows lost ones

	received, repaired, lost, restarts int64 // counted since the start
}

// push takes a packet.
func (r *ring) push(p *packet) {
	if !r.started {
		r.started, r.next, r.newest = true, int64(p.SequenceNumber), int64(p.SequenceNumber)-1
	}
	p.seq = r.newest + int64(int16(p.SequenceNumber-uint16(r.newest)))
	if p.seq > r.newest+ringSize || p.seq < r.next-ringSize {
		if !r.anew(p) {
			p.recycle()
			return
		}
	}
	r.oddSeen = false
	if p.seq < r.next || r.slots[p.seq%ringSize] != nil && p.seq <= r.newest {
		p.recycle()
		return
	}
	r.received++
	r.extend(p)
	r.slots[p.seq%ringSize] = p
	for i := range r.waits {
		if r.waits[i].seq == p.seq {
			if p.repaired || !r.waits[i].asked.IsZero() {
				r.repaired++
			}
			r.waits = append(r.waits[:i], r.waits[i+1:]...)
			break
		}
	}
}

// anew decides about a packet that is nowhere near the others: two in a row are a stream that began anew (RFC 3550,
// A.1), one is a stray.
func (r *ring) anew(p *packet) bool {
	if !r.oddSeen || p.SequenceNumber != r.odd {
		r.odd, r.oddSeen = p.SequenceNumber+1, true
		return false
	}
	r.clear()
	r.restarts++
	r.gap = true
	p.seq = int64(p.SequenceNumber)
	r.next, r.newest = p.seq, p.seq-1
	return true
}

func (r *ring) clear() {
	for i, p := range r.slots {
		if p != nil {
			p.recycle()
			r.slots[i] = nil
		}
	}
	r.waits = r.waits[:0]
}

// extend moves the newest to p and notes what is missing before it.
func (r *ring) extend(p *packet) {
	for seq := r.newest + 1; seq < p.seq; seq++ {
		r.waits = append(r.waits, missing{seq: seq, since: p.arrival})
	}
	r.newest = max(r.newest, p.seq)
	for r.newest-r.next >= ringSize { // no room: the oldest is given up, here or held
		r.skip()
	}
}

// skip gives up the packet at next, or throws it away when there is no room left for it.
func (r *ring) skip() {
	slot := &r.slots[r.next%ringSize]
	if *slot != nil && (*slot).seq == r.next {
		(*slot).recycle()
		*slot = nil
	}
	if len(r.waits) > 0 && r.waits[0].seq == r.next {
		r.waits = r.waits[1:]
	}
	r.lost++
	r.gap = true
	r.next++
}

// pop returns the next packet in order, nil when it is still waited for or there is none.
func (r *ring) pop(now time.Time) *packet {
	for len(r.waits) > 0 && r.waits[0].seq == r.next && now.Sub(r.waits[0].since) >= r.patience {
		r.skip()
	}
	if r.next > r.newest {
		return nil
	}
	slot := &r.slots[r.next%ringSize]
	p := *slot
	if p == nil {
		return nil
	}
	*slot = nil
	p.gap, r.gap = r.gap, false
	r.next++
	return p
}

// nacks returns the packets to ask for now, given the round trip: a request is repeated when its answer should have come.
func (r *ring) nacks(now time.Time, rtt time.Duration, out []uint16) []uint16 {
	again := max(rtt+rtt/4, nackAgainMin)
	for i := range r.waits {
		w := &r.waits[i]
		due := w.asked.Add(again)
		if w.asked.IsZero() {
			due = w.since.Add(reorderGrace)
		}
		if now.Before(due) {
			continue
		}
		if len(out) == maxNacks {
			break
		}
		w.asked = now
		out = append(out, uint16(w.seq))
	}
	return out
}

// due returns when pop or nacks have something to do without a further packet; ok is false when never.
func (r *ring) due(rtt time.Duration) (t time.Time, ok bool) {
	again := max(rtt+rtt/4, nackAgainMin)
	for i := range r.waits {
		w := &r.waits[i]
		at := w.asked.Add(again)
		if w.asked.IsZero() {
			at = w.since.Add(reorderGrace)
		}
		if !ok || at.Before(t) {
			t, ok = at, true
		}
	}
	if ok {
		if giveUp := r.waits[0].since.Add(r.patience); giveUp.Before(t) {
			t = giveUp
		}
	}
	return t, ok
}
