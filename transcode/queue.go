package transcode

import (
	"context"
	"sync"

	"github.com/vitrine-live/vitrine/media"
)

// maxQueued is how many bytes may wait for a process. When more comes, the process is too slow and is ended, and all
// that waits is dropped.
const maxQueued = 32 << 20

// queue holds the samples on their way into a process. It begins with a key sample, as a decoder must. It is safe for
// concurrent use.
type queue struct {
	wake chan struct{} // has room for one: something has changed

	mu      sync.Mutex
	samples []media.Sample
	bytes   int
	gate    gate
}

// gate says what a queue takes.
type gate uint8

const (
	shut    gate = iota // nothing, for now
	waiting             // a key sample to begin with
	flowing             // everything
	closed              // nothing any more; what it holds can still be taken
)

func newQueue() *queue { return &queue{wake: make(chan struct{}, 1)} }

// put adds a sample. taken is false when the sample is dropped, full when that is because too much waits.
func (q *queue) put(s media.Sample) (taken, full bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.gate == waiting && s.Key {
		q.gate = flowing
	}
	if q.gate != flowing {
		return false, false
	}
	if q.bytes+len(s.Payload) > maxQueued {
		return false, true
	}
	q.samples = append(q.samples, s)
	q.bytes += len(s.Payload)
	q.notify()
	return true, false
}

// set drops what the queue holds and sets the gate, unless the queue is closed.
func (q *queue) set(g gate) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.gate != closed {
		q.samples, q.bytes, q.gate = nil, 0, g
	}
}

func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.gate = closed
	q.notify()
}

func (q *queue) isClosed() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.gate == closed
}

func (q *queue) notify() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// take waits for a sample and removes it. ok is false when the queue is closed and empty, or ctx is done. One goroutine
// at a time may take.
func (q *queue) take(ctx context.Context) (s media.Sample, ok bool) {
	for {
		if s, found, closed := q.next(); found || closed {
			return s, found
		}
		select {
		case <-q.wake:
		case <-ctx.Done():
			return s, false
		}
	}
}

func (q *queue) next() (s media.Sample, found, over bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.samples) == 0 {
		return s, false, q.gate == closed
	}
	s = q.samples[0]
	q.samples[0] = media.Sample{}
	q.samples = q.samples[1:]
	q.bytes -= len(s.Payload)
	return s, true, false
}
