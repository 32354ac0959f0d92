package replay

import (
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/media"
)

// Recorder writes what a packager makes of one show to its Recording. OnInit, OnPart and OnSegment are the packager's
// sink and OnEpoch tells of a new publish; they are called by one goroutine at a time and never wait for the disk. The
// other methods are safe for concurrent use.
//
// Bytes of a part are written before its line of the index, and both are made durable within Config.SyncInterval: a
// killed process loses the parts that were still waiting, one as a rule, a power failure the last interval. When the
// disk is full, low on space, failing or too slow the recording pauses: segments that are missing become gaps, which
// keep the timing, until it goes on by itself with a segment that starts with an IDR.
type Recorder struct {
	rec     *Recording
	archive *Archive
	log     *slog.Logger
	queue   *queue
	files   *files
	done    chan struct{} // everything is written and closed

	mu     sync.Mutex
	status Status
	err    error // of closing
}

// Status is how a recorder is doing.
type Status struct {
	Paused bool
	Reason string    // why it is paused, for the operator
	Since  time.Time // of the pause

	LagBytes int64         // media that waits for the disk
	Lag      time.Duration // how long the oldest of it has been waiting

	Gaps        int         // segments that are missing
	Missing     media.Ticks // their time
	WriteErrors int
}

func newRecorder(a *Archive, rec *Recording, d disk, index *indexFile) *Recorder {
	r := &Recorder{
		rec: rec, archive: a, log: a.log.With("show", rec.show), queue: newQueue(a.cfg.Queue),
		files: newFiles(a, d, index), done: make(chan struct{}),
	}
	for _, s := range rec.Segments() {
		if s.Gap {
			r.status.Gaps++
			r.status.Missing += s.Duration
		}
	}
	return r
}

// OnInit records an initialization segment.
func (r *Recorder) OnInit(init playlist.Init, data []byte) {
	r.queue.push(job{kind: jobInit, init: init, data: data})
}

// OnEpoch records how show time maps to the wall clock from here on.
func (r *Recorder) OnEpoch(e media.Epoch) { r.queue.push(job{kind: jobEpoch, epoch: e}) }

// OnPart records a part of the open segment.
func (r *Recorder) OnPart(seg playlist.Segment, part playlist.Part, data []byte) {
	r.queue.push(job{kind: jobPart, seg: seg, part: part, data: data})
}

// OnSegment records that a segment is complete.
func (r *Recorder) OnSegment(seg playlist.Segment) { r.queue.push(job{kind: jobSegment, seg: seg}) }

// End says that the show is over: what waits is written, the playlist becomes VOD, and nothing more is taken. It does
// not wait; Close does.
func (r *Recorder) End() { r.queue.finish(true) }

// Close writes what waits, makes it durable and releases the recording. Without End before it the show may be continued
// later. It returns an error when something stayed unwritten; the recording is readable all the same.
func (r *Recorder) Close() error {
	r.queue.finish(false)
	<-r.done
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

// Recording is what is recorded, this recorder's work included as it proceeds.
func (r *Recorder) Recording() *Recording { return r.rec }

// Recorded reports whether a segment is recorded. See Recording.Recorded.
func (r *Recorder) Recorded(msn int64) bool { return r.rec.Recorded(msn) }

// OpenSegment opens a recorded segment. See Recording.OpenSegment.
func (r *Recorder) OpenSegment(msn int64) (io.ReadSeekCloser, int64, error) {
	return r.rec.OpenSegment(msn)
}

// InitData returns a recorded initialization segment. See Recording.InitData.
func (r *Recorder) InitData(n int) ([]byte, error) { return r.rec.InitData(n) }

// Status tells how the recorder is doing.
func (r *Recorder) Status() Status {
	bytes, lag := r.queue.lag(time.Now())
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.status
	s.LagBytes, s.Lag = bytes, lag
	return s
}

// run records until finish is called, in a goroutine of its own. index and the writer belong to it.
func (r *Recorder) run(index *indexFile) {
	defer close(r.done)
	stop := make(chan struct{})
	var syncing sync.WaitGroup
	syncing.Go(func() { r.syncLoop(stop) })
	w := writer{r: r, index: index, skip: -1}
	for {
		jobs, over, ended := r.queue.take()
		for i := range jobs {
			r.queue.working(&jobs[i])
			w.do(&jobs[i])
			r.queue.worked(&jobs[i])
			jobs[i] = job{} // its bytes need not wait for the others'
		}
		if over && len(jobs) == 0 {
			close(stop)
			syncing.Wait()
			r.finish(&w, ended)
			return
		}
		if len(jobs) == 0 {
			<-r.queue.wake
		}
	}
}

// finish closes everything in the order that survives a crash at any point.
func (r *Recorder) finish(w *writer, ended bool) {
	err := w.finish(ended)
	if closeErr := r.files.close(); err == nil {
		err = closeErr
	}
	if err != nil {
		err = fmt.Errorf("recording of %s: %w", r.rec.show, err)
	}
	r.mu.Lock()
	r.err = err
	paused := r.status.Paused
	r.mu.Unlock()
	if paused {
		r.archive.metrics.Paused.Dec()
	}
	r.archive.finished(r, ended)
}

// pause notes that recording pauses. Only a change is logged.
func (r *Recorder) pause(reason string, err error) {
	r.mu.Lock()
	was := r.status.Paused
	if !was {
		r.status.Paused, r.status.Reason, r.status.Since = true, reason, time.Now()
	}
	r.mu.Unlock()
	if was {
		return
	}
	r.archive.metrics.Paused.Inc()
	log := r.log
	if err != nil {
		log = log.With("error", err)
	}
	log.Error("recording is paused; the show goes on", "reason", reason)
}

// paused reports whether recording is paused.
func (r *Recorder) paused() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.status.Paused
}

// goOn notes that recording works again.
func (r *Recorder) goOn(msn int64) {
	r.mu.Lock()
	since := r.status.Since
	r.status.Paused, r.status.Reason, r.status.Since = false, "", time.Time{}
	r.mu.Unlock()
	r.archive.metrics.Paused.Dec()
	r.log.Info("recording goes on", "segment", msn, "paused", time.Since(since).Round(time.Millisecond))
}

func (r *Recorder) missed(s *playlist.Segment) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status.Gaps++
	r.status.Missing += s.Duration
	r.archive.metrics.Gaps.Inc()
}

// failed counts a write or sync that failed.
func (r *Recorder) failed() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status.WriteErrors++
	r.archive.metrics.WriteErrors.Inc()
}
