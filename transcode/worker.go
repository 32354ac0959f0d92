package transcode

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vitrine-live/vitrine/media"
)

const (
	// behindAfter is how much later than its input the output of a process may be. One of more hangs, or will never
	// catch up.
	behindAfter = 5 * media.TicksPerSecond
	// firstPause and longestPause bound the pause after a failure, which doubles from failure to failure and is short
	// again after a process that ran for steadyAfter.
	firstPause   = time.Second
	longestPause = 30 * time.Second
	steadyAfter  = time.Minute
	// drainLadder and drainConverter are how long what is under way may take to come out at the end.
	drainLadder    = 3 * time.Second
	drainConverter = time.Second
)

// output takes what a worker makes, one call at a time.
type output interface {
	// begin tells that a process has begun to write output i, and what its codec needs.
	begin(i int, extra []byte)
	// frame takes a frame: PTS on the input's clock, Payload as the codec has it in NUT.
	frame(i int, s media.Sample)
	down(reason string)
	drained()
}

// worker feeds samples of one track to ffmpeg, to a new process when one has failed, until it is closed.
type worker struct {
	transcoder *Transcoder
	job        job
	out        output
	log        *slog.Logger
	queue      *queue
	ctx        context.Context //nolint:containedctx // ends what runs, when it is not over in time
	cancel     context.CancelCauseFunc
	closing    chan struct{}
	done       chan struct{}
	current    atomic.Pointer[run]

	delivering sync.Mutex // held during each call of out

	mu     sync.Mutex
	report LadderStatus
}

func (t *Transcoder) startWorker(j job, out output, log *slog.Logger) *worker {
	w := &worker{transcoder: t, job: j, out: out, log: log.With("job", j.name), queue: newQueue(), closing: make(chan struct{}), done: make(chan struct{})}
	w.ctx, w.cancel = context.WithCancelCause(context.Background())
	w.report.State = LadderStarting
	w.queue.set(waiting)
	go w.loop() // close waits for it
	return w
}

// write hands on a sample; it never blocks.
func (w *worker) write(s media.Sample) {
	taken, full := w.queue.put(s)
	if !taken {
		w.transcoder.metrics.dropped.WithLabelValues(w.job.name).Inc()
	}
	r := w.current.Load()
	if r == nil {
		return
	}
	if taken {
		r.sent(s.PTS)
	}
	if lag := r.lag(); full || lag > behindAfter {
		r.tooSlow(lag)
	}
}

// close ends the worker, once; what is under way may take patience to come out.
func (w *worker) close(patience time.Duration) {
	w.queue.close()
	close(w.closing)
	late := time.AfterFunc(patience, func() { w.cancel(errClosed) })
	<-w.done
	late.Stop()
	w.cancel(errClosed)
}

var errClosed = errors.New("it was not over in time")

func (w *worker) status() LadderStatus {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.report
	if r := w.current.Load(); r != nil {
		s.Lag = r.lag().Duration()
	}
	return s
}

func (w *worker) setState(state LadderState) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.report.State = state
}

func (w *worker) loop() {
	defer close(w.done)
	defer w.deliver(w.out.drained)
	pause := w.transcoder.pause
	for {
		began := time.Now()
		err := w.once()
		if w.queue.isClosed() {
			return
		}
		if time.Since(began) > steadyAfter {
			pause = w.transcoder.pause
		}
		w.failed(err, pause)
		select {
		case <-time.After(pause):
		case <-w.closing:
			return
		}
		pause = min(2*pause, longestPause)
		w.setState(LadderStarting)
		w.queue.set(waiting)
	}
}

// failed shuts the queue until the pause is over, and tells why.
func (w *worker) failed(err error, pause time.Duration) {
	w.queue.set(shut)
	reason, kind := err.Error(), "crash"
	var slow *slowError
	if errors.As(err, &slow) {
		kind = slow.kind
	}
	w.transcoder.metrics.restarts.WithLabelValues(w.job.name, kind).Inc()
	w.mu.Lock()
	w.report.State, w.report.Reason = LadderDown, reason
	w.report.Restarts++
	w.mu.Unlock()
	w.log.Warn("transcoding failed; it is tried again after a pause", "reason", reason, "pause", pause)
	w.deliver(func() { w.out.down(reason) })
}

// deliver calls the output, one call at a time.
func (w *worker) deliver(call func()) {
	w.delivering.Lock()
	defer w.delivering.Unlock()
	call()
}
