package transcode

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/transcode/nut"
)

// origin is the time of the first sample in a process: pictures that are shown before it, and sound that an encoder puts
// before it, must not be before zero.
const origin = 10 * media.TicksPerSecond

// run is the life of one process.
type run struct {
	worker  *worker
	process *process
	base    media.Ticks // the input's clock minus the process's
	newest  atomic.Int64
	outputs []atomic.Int64 // the newest time that came out
	alive   []atomic.Bool  // something came out at all

	failing sync.Once
	failure error
}

// slowError says that a process was ended because too little came out of it.
type slowError struct {
	kind string // as metrics name it
	text string
}

func (e *slowError) Error() string { return e.text }

// searchFor is how long the search for an encoder, which comes once, may take before the samples sent meanwhile are
// too old to begin with.
const searchFor = time.Second

// once runs one process, from the first key sample to its end.
func (w *worker) once() error {
	began := time.Now()
	program, err := w.transcoder.program()
	if err != nil {
		return err
	}
	encoder := ""
	if w.job.picture {
		if encoder, err = w.transcoder.findEncoder(w.ctx); err != nil {
			return err
		}
	}
	w.mu.Lock()
	w.report.Encoder = encoder
	w.mu.Unlock()
	if time.Since(began) > searchFor {
		w.queue.set(waiting)
	}
	first, ok := w.queue.take(w.ctx)
	if !ok {
		return errClosed
	}
	p, err := start(program, w.job.arguments(encoder), w.job.outputs, w.job.nice)
	if err != nil {
		return fmt.Errorf("ffmpeg could not be started: %w", err)
	}
	running := w.transcoder.metrics.running.WithLabelValues(w.job.name)
	running.Inc()
	defer running.Dec()
	r := newRun(w, p, first.PTS)
	w.current.Store(r)
	defer w.current.Store(nil)
	return r.live(first)
}

func newRun(w *worker, p *process, first media.Ticks) *run {
	r := &run{worker: w, process: p, base: first - origin, outputs: make([]atomic.Int64, w.job.outputs), alive: make([]atomic.Bool, w.job.outputs)}
	r.newest.Store(int64(first))
	for i := range r.outputs {
		r.outputs[i].Store(int64(first))
	}
	return r
}

// live moves samples in and out until the process has ended.
func (r *run) live(first media.Sample) error {
	defer context.AfterFunc(r.worker.ctx, r.process.kill)()
	ctx, stop := context.WithCancel(r.worker.ctx)
	defer stop()
	var feeding, reading sync.WaitGroup
	feeding.Go(func() { r.feed(ctx, first) })
	for i := range r.outputs {
		reading.Go(func() {
			if err := r.read(i); err != nil {
				r.fail(err)
			}
			stop() // an output that ends ends the input, and so the others
		})
	}
	reading.Wait()
	feeding.Wait()
	err := r.process.wait()
	r.worker.transcoder.budget.learn(r.worker.job.cost, r.process.cpu(), media.Ticks(r.newest.Load())-r.base-origin)
	r.failing.Do(func() {})
	switch {
	case r.failure != nil:
		return r.failure
	case err != nil:
		return err
	}
	return errors.New("ffmpeg ended by itself")
}

// feed writes the queue into the process, and closes its input when the queue is over or the process is.
func (r *run) feed(ctx context.Context, s media.Sample) {
	defer r.process.in.Close()
	w, err := nut.NewWriter(r.process.in, r.worker.job.stream)
	for ok := true; ok && err == nil; s, ok = r.worker.queue.take(ctx) {
		if at := s.PTS - r.base; at >= 0 {
			err = r.worker.job.write(w, s, at)
		}
	}
}

// read hands on what comes out of output i, until it ends. An error says that it makes no sense.
func (r *run) read(i int) error {
	w := r.worker
	d, err := nut.NewReader(r.process.outs[i])
	if err != nil {
		return unlessEnded(err)
	}
	s := d.Streams()[0]
	w.deliver(func() { w.out.begin(i, s.Extra) })
	frames := w.transcoder.metrics.frames.WithLabelValues(w.job.name)
	for {
		f, err := d.Next()
		if err != nil {
			return unlessEnded(err)
		}
		pts := r.base + media.Rescale(media.Ticks(f.PTS), int64(s.Num)*int64(media.TicksPerSecond), int64(s.Den))
		if !r.alive[i].Swap(true) {
			w.setState(LadderOn)
		}
		r.outputs[i].Store(int64(pts))
		frames.Inc()
		w.deliver(func() {
			w.out.frame(i, media.Sample{Kind: w.job.kind, PTS: pts, DTS: pts, Key: f.Key, Payload: f.Data, Arrival: time.Now()})
		})
	}
}

// unlessEnded forgets that an output ended, be it amid a frame: the process says why.
func unlessEnded(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, os.ErrClosed) {
		return nil
	}
	return err
}

// sent notes the time of what went in.
func (r *run) sent(pts media.Ticks) {
	if int64(pts) > r.newest.Load() {
		r.newest.Store(int64(pts))
	}
}

// lag is how far the slowest output is behind the input.
func (r *run) lag() media.Ticks {
	least := int64(math.MaxInt64)
	for i := range r.outputs {
		least = min(least, r.outputs[i].Load())
	}
	return max(0, media.Ticks(r.newest.Load()-least))
}

// tooSlow ends the process because of its lag.
func (r *run) tooSlow(lag media.Ticks) {
	for i := range r.alive {
		if !r.alive[i].Load() {
			r.fail(&slowError{"hang", fmt.Sprintf("ffmpeg gave nothing for %.1f s of input", lag.Seconds())})
			return
		}
	}
	r.fail(&slowError{"behind", fmt.Sprintf("ffmpeg is %.1f s behind: it hangs, or this machine is too slow for these renditions", lag.Seconds())})
}

// fail ends the process because of err; only the first reason counts.
func (r *run) fail(err error) {
	r.failing.Do(func() { r.failure = err })
	r.process.kill()
}
