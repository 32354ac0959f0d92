package replay

import (
	"sync"
	"time"

	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/media"
)

type jobKind uint8

const (
	jobInit jobKind = iota
	jobEpoch
	jobPart
	jobSegment
)

// job is one thing to record. data is immutable and shared with the viewers' side.
type job struct {
	kind  jobKind
	at    time.Time // when it was handed over
	init  playlist.Init
	epoch media.Epoch
	seg   playlist.Segment
	part  playlist.Part
	data  []byte
	lost  bool // segment: parts of it were dropped
}

// queue is what waits for the disk. Media beyond the limit is dropped, by whole segments; what keeps the timing (some
// 300 bytes a segment) is always taken. It never blocks who pushes.
type queue struct {
	limit int64
	wake  chan struct{} // one token: there is something to take

	mu       sync.Mutex
	jobs     []job
	bytes    int64     // of media that is not on the disk yet, also of jobs that were taken
	oldest   time.Time // of the job in work
	dropping bool
	dropped  int64 // MSN of the last segment that lost a part
	over     bool  // nothing more is taken in
	ended    bool  // the show is over, not only this recorder
}

func newQueue(limit int64) *queue {
	return &queue{limit: limit, wake: make(chan struct{}, 1), dropped: -1}
}

func (q *queue) push(j job) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.over || j.kind == jobPart && q.drop(&j) {
		return
	}
	j.at = time.Now()
	j.seg.Parts = nil
	j.lost = j.kind == jobSegment && j.seg.MSN == q.dropped
	q.bytes += int64(len(j.data))
	q.jobs = append(q.jobs, j)
	q.signal()
}

// drop decides whether a part has no place. Once one has none, recording is to go on at a segment that can be played
// from its start, and only when there is room to breathe.
func (q *queue) drop(j *job) bool {
	want := q.bytes + int64(len(j.data))
	switch {
	case q.dropping && j.part.Index == 0 && j.seg.Independent && want <= q.limit/2:
		q.dropping = false
	case q.dropping || want > q.limit:
		q.dropping, q.dropped = true, j.seg.MSN
	}
	return q.dropping
}

// finish says that nothing more will come; end, that the show is over.
func (q *queue) finish(end bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.ended = q.ended || end && !q.over
	q.over = true
	q.signal()
}

func (q *queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// take returns the jobs that wait. over means that none will follow them.
func (q *queue) take() (jobs []job, over, ended bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	jobs, q.jobs = q.jobs, nil
	return jobs, q.over, q.ended
}

// working says that the work on a taken job begins; worked that it is done.
func (q *queue) working(j *job) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.oldest = j.at
}

func (q *queue) worked(j *job) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.bytes -= int64(len(j.data))
	q.oldest = time.Time{}
}

// lag tells how much media waits for the disk, and for how long.
func (q *queue) lag(now time.Time) (bytes int64, d time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case !q.oldest.IsZero():
		d = now.Sub(q.oldest)
	case len(q.jobs) > 0:
		d = now.Sub(q.jobs[0].at)
	}
	return q.bytes, d
}
