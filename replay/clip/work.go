package clip

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/replay"
)

const (
	// lookAgain is how often an idle worker looks for work that another server left, or that may be tried again.
	lookAgain = 5 * time.Second
	// keepEvery is how often progress is noted while a clip is being made, and the lease extended.
	keepEvery = time.Second
	// waitForMedia is how long a clip whose end is still being recorded waits until it is looked at again.
	waitForMedia = 2 * time.Second
)

// Job is one clip to make a file of.
type Job struct {
	Clip      *Clip
	Recording *replay.Recording
	Sidecar   *Sidecar
	Threads   int
	Path      string // of the file; it is whole or not there
	// Progress takes 0 to 1. It must not block.
	Progress func(done float64)
}

// Made is what came of a job.
type Made struct {
	Span    media.Span  `json:"span"`    // what the file shows, in show time
	Bytes   int64       `json:"bytes"`   // of the file
	Encoded media.Ticks `json:"encoded"` // of this, what was encoded anew
	Lead    media.Ticks `json:"lead"`    // what it shows before that: an intro
}

// Maker makes the files of clips. Safe for concurrent use.
type Maker interface {
	// Check says what is wrong with a style, and returns it as it is kept.
	Check(k Kind, storeID string, style json.RawMessage) (json.RawMessage, error)
	// Make writes the file. Invalid says that it cannot be made whatever one tries, and why.
	Make(ctx context.Context, j Job) (Made, error)
}

// errUnwanted is why the making of a clip is stopped.
var errUnwanted = errors.New("the clip is no longer wanted")

// Run makes the clips that wait, as many at once as the configuration says, until ctx ends: what is being made then goes
// back into the queue. What this server was at work on when it died is taken up again at once.
//
// It may be called once.
func (s *Service) Run(ctx context.Context) {
	defer close(s.stop)
	if err := s.Store.ReleaseClips(ctx, s.owner); err != nil && ctx.Err() == nil {
		s.Log.Error("clips that were being made wait until their lease ends", "error", err)
	}
	s.tidy(ctx)
	var workers sync.WaitGroup
	for range s.cfg.Parallel {
		workers.Go(func() { s.work(ctx) })
	}
	workers.Wait()
}

// work makes one clip after the other.
func (s *Service) work(ctx context.Context) {
	pause := time.NewTimer(0)
	defer pause.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
		case <-pause.C:
		}
		for ctx.Err() == nil && s.next(ctx) {
		}
		pause.Reset(lookAgain)
	}
}

// next makes the next clip, and reports whether there was one.
func (s *Service) next(ctx context.Context) bool {
	kinds := []Kind{Copy}
	if s.mayEncode() {
		kinds = []Kind{Copy, Exact, Styled}
	}
	now := s.now()
	c, ok, err := s.Store.ClaimClip(ctx, Claim{
		Owner: s.owner, At: now, Lease: now.Add(s.cfg.Lease), Kinds: kinds, Crashes: maxCrashes,
		Reason: "the server stopped each time the clip was being made",
	})
	if err != nil {
		if ctx.Err() == nil {
			s.Log.Error("no clip can be taken out of the queue", "error", err)
		}
		return false
	}
	if !ok {
		return false
	}
	s.poke() // there may be more, for another worker
	s.take(ctx, &c)
	return true
}

// take makes a clip that was claimed and notes what came of it.
func (s *Service) take(ctx context.Context, c *Clip) {
	began := time.Now()
	s.Metrics.running.Inc()
	defer s.Metrics.running.Dec()
	s.changed(c.ShowID)
	defer s.changed(c.ShowID)
	made, err := s.watched(ctx, c)
	r := s.report(ctx, c, made, err)
	if r == nil {
		s.Metrics.finished.WithLabelValues(string(c.Kind), "unwanted").Inc()
		s.clean(c)
		return
	}
	wanted, err := s.Store.FinishClip(context.WithoutCancel(ctx), *r)
	switch {
	case err != nil: // the lease ends by itself, and what is finished is found then
		s.Log.Error("what came of a clip could not be noted", "clip", c.ID, "error", err)
		return
	case !wanted:
		s.clean(c)
	}
	s.Metrics.finished.WithLabelValues(string(c.Kind), string(r.State)).Inc()
	if r.State == Done {
		s.Metrics.seconds.WithLabelValues(string(c.Kind)).Observe(time.Since(began).Seconds())
	}
}

// watched makes a clip while its lease is kept; the context of the making ends when it is no longer wanted.
func (s *Service) watched(ctx context.Context, c *Clip) (Made, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	s.mu.Lock()
	s.running[c.ID] = cancel
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.running, c.ID)
		s.mu.Unlock()
	}()
	progress := &progress{}
	var keeper sync.WaitGroup
	done := make(chan struct{})
	keeper.Go(func() { s.keep(ctx, c, progress, cancel, done) })
	made, err := s.make(ctx, c, progress.set)
	close(done)
	keeper.Wait()
	if err != nil && context.Cause(ctx) != nil {
		err = context.Cause(ctx)
	}
	return made, err
}

// progress is how much of a file is made.
type progress struct {
	mu   sync.Mutex
	done float64
}

func (p *progress) set(done float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if done > p.done { // parts of the work count for themselves
		p.done = min(done, 1)
	}
}

func (p *progress) get() float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.done
}

// keep notes progress and extends the lease until done is closed, and ends the making when nobody wants it any more.
func (s *Service) keep(ctx context.Context, c *Clip, p *progress, cancel context.CancelCauseFunc, done <-chan struct{}) {
	every := time.NewTicker(min(keepEvery, s.cfg.Lease/4))
	defer every.Stop()
	lease, told := c.Lease, 0.0
	for {
		select {
		case <-done:
			return
		case <-ctx.Done():
			return
		case <-every.C:
		}
		now, at := s.now(), p.get()
		if at-told < 0.01 && lease.Sub(now) > s.cfg.Lease/2 {
			continue // nothing worth a write
		}
		ok, err := s.Store.KeepClip(ctx, c.ID, c.Turn, at, now.Add(s.cfg.Lease))
		switch {
		case err == nil && !ok:
			cancel(errUnwanted)
			return
		case err == nil:
			lease, told = now.Add(s.cfg.Lease), at
			s.changed(c.ShowID)
		case now.After(lease): // another server may be at it already
			cancel(errUnwanted)
			return
		}
	}
}

// halt ends the making of a clip in this process.
func (s *Service) halt(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if cancel := s.running[id]; cancel != nil {
		cancel(errUnwanted)
	}
}

// report says what came of an attempt; nil: nobody wants to know.
func (s *Service) report(ctx context.Context, c *Clip, made Made, err error) *Report {
	now := s.now()
	r := &Report{ID: c.ID, Turn: c.Turn, At: now}
	var wait *laterError
	switch {
	case err == nil:
		r.State, r.Bytes, r.Result, r.Encoded, r.Lead = Done, made.Bytes, made.Span, made.Encoded, made.Lead
	case errors.Is(err, errUnwanted):
		return nil
	case errors.As(err, &wait):
		r.State, r.Uncounted, r.NextAt = Queued, true, now.Add(waitForMedia)
	case ctx.Err() != nil:
		r.State, r.Uncounted, r.NextAt = Queued, true, now
	case final(err) || c.Attempts >= maxAttempts:
		r.State, r.Error = Failed, reason(err)
		s.Log.Warn("a clip could not be made", "clip", c.ID, "show", c.ShowID, "kind", c.Kind, "error", err)
	default:
		r.State, r.Error = Queued, reason(err)
		r.NextAt = now.Add(time.Duration(c.Attempts*c.Attempts) * 5 * time.Second)
		s.Log.Info("a clip will be tried again", "clip", c.ID, "show", c.ShowID, "attempt", c.Attempts, "error", err)
	}
	return r
}

// final reports whether trying again is no use.
func final(err error) bool {
	switch errs.KindOf(err) {
	case errs.Invalid, errs.NotFound, errs.Conflict, errs.Forbidden, errs.Unauthorized:
		return true
	case errs.Internal, errs.Exhausted, errs.Unavailable:
	}
	return false
}

// reason is why a clip failed, for people.
func reason(err error) string {
	if m := errs.MessageOf(err); m != "" {
		return shorten(m, 400)
	}
	return "something went wrong on the server; its log says more"
}

// laterError says that a clip has to wait through no fault of its own.
type laterError struct{ why string }

func (e *laterError) Error() string { return e.why }
