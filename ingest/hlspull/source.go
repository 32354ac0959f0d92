package hlspull

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"github.com/bluenviron/gohlslib/v2"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
)

// source keeps one room supplied from one address until its context ends. It is for one goroutine.
type source struct {
	cfg     Config
	gate    Gate
	busy    func(room string) bool
	room    string
	url     *url.URL
	log     *slog.Logger
	metrics *Metrics

	fetch  *fetcher
	lanes  []*follower // of the show at the origin; nil before it was read, and after it ended
	chosen choice
	said   string // the newest reason in the log, so that it is not repeated
}

// restWait is how often to look whether the show that the room did not want any more has ended at the origin.
const restWait = 10 * time.Second

// errOver is what ends an attempt when the origin's show is over.
var errOver = errs.New(errs.Unavailable, "hlspull.source", "the show at the source has ended; the next one is pulled when it begins (a finished show can be imported as a replay)")

// run pulls until ctx ends.
func (s *source) run(ctx context.Context) {
	defer s.fetch.close()
	pause := s.cfg.RetryMin
	for ctx.Err() == nil {
		began, err := s.attempt(ctx)
		if ctx.Err() != nil {
			return
		}
		if began {
			pause = s.cfg.RetryMin
		}
		s.say(err)
		if wait(ctx, pause) != nil {
			return
		}
		pause = min(2*pause, s.cfg.RetryMax)
	}
}

// say logs why nothing is pulled, once per reason.
func (s *source) say(err error) {
	s.metrics.failed.Inc()
	why := errs.MessageOf(err)
	if why == "" {
		why = err.Error()
	}
	if why == s.said {
		return
	}
	s.said = why
	s.log.Warn("nothing is pulled for now", "reason", why, "error", err)
}

// attempt pulls once; began reports whether something was published. The error says why it ended.
func (s *source) attempt(ctx context.Context) (began bool, err error) {
	if s.busy(s.room) {
		return false, errs.New(errs.Conflict, "hlspull.source", "another publisher is on air in the room; the source waits")
	}
	if err := s.open(ctx); err != nil {
		return false, err
	}
	if _, ok, err := s.beginRun(ctx); err != nil || !ok {
		return false, s.ended(ok, err)
	}
	r := &relay{metrics: s.metrics}
	pub, err := s.gate.Publish(ctx, media.PublishRequest{
		Protocol: "hls", Remote: s.fetch.peer(), Room: s.room, Encoder: s.url.Host, CapturedAt: r.capturedAt,
	})
	if err != nil {
		return false, err
	}
	r.pub = pub
	s.said = ""
	s.log.Info("pulling", "low_latency", s.lanes[0].list.lowLatency())
	s.metrics.pulling.Inc()
	defer s.metrics.pulling.Dec()
	err = s.relay(ctx, r)
	return r.written() > 0, s.close(ctx, pub, err)
}

// ended is errOver at the end of the origin's show, after which the next one is read from its beginning. An error that
// may pass leaves everything where it is.
func (s *source) ended(more bool, err error) error {
	if err == nil && !more {
		err = errOver
	}
	if errors.Is(err, errOver) || errs.KindOf(err) != errs.Unavailable {
		s.lanes = nil
	}
	return err
}

// open reads the playlists, unless those of before go on.
func (s *source) open(ctx context.Context) error {
	c, err := s.fetch.choose(ctx, s.url)
	if err != nil {
		return s.ended(true, err)
	}
	if s.lanes != nil && c.same(s.chosen) {
		if goOn, err := s.goOn(ctx); goOn || err != nil {
			return err
		}
	}
	s.chosen = c
	lanes := []*follower{s.follow(c.video)}
	if err := lanes[0].load(ctx); err != nil {
		return err
	}
	if lanes[0].list.ended {
		return errOver
	}
	lanes[0].catchUp()
	if c.audio != nil {
		lanes = append(lanes, s.follow(c.audio))
		if err := lanes[1].load(ctx); err != nil {
			return err
		}
		lanes[1].alignTo(lanes[0])
	}
	s.lanes = lanes
	return nil
}

// goOn reports whether the lanes of before can go on where they stopped, so that nothing is missed. When too much has
// come meanwhile, viewers would be that late for the rest of the show.
func (s *source) goOn(ctx context.Context) (bool, error) {
	for _, l := range s.lanes {
		if err := l.load(ctx); err != nil {
			return false, err
		}
		l.catchUp()
		if late, _ := l.behind(); late > l.list.hold()+s.cfg.Patience {
			l.missed(fmt.Sprintf("%v came meanwhile", late.Round(time.Second)))
			return false, nil
		}
	}
	return true, nil
}

func (s *source) follow(u *url.URL) *follower {
	return &follower{fetch: s.fetch, url: u, missed: func(why string) {
		s.metrics.missed.Inc()
		s.log.Warn("media is missing: the origin's playlist went on", "reason", why)
	}}
}

// beginRun waits for every lane to have what comes next. ok is false at the end of the show.
func (s *source) beginRun(ctx context.Context) (runs []run, ok bool, err error) {
	for _, l := range s.lanes {
		r, ok, err := l.begin(ctx)
		if err != nil || !ok {
			return nil, false, err
		}
		runs = append(runs, r)
	}
	return runs, true, nil
}

// relay plays run after run into the publication. It returns errOver at the end of the show.
func (s *source) relay(ctx context.Context, r *relay) error {
	fed := time.Now()
	for {
		runs, ok, err := s.beginRun(ctx)
		if err != nil || !ok {
			return s.ended(ok, err)
		}
		s.metrics.runs.Inc()
		before := r.written()
		if err := s.play(ctx, r, runs); err != nil {
			return err
		}
		switch {
		case r.written() > before:
			fed = time.Now()
		case time.Since(fed) > max(s.cfg.Patience, 3*s.lanes[0].list.target):
			return errs.New(errs.Unavailable, "hlspull.source", "the origin lists media, but none of it is there")
		}
	}
}

// play plays one run. nil is its end.
func (s *source) play(ctx context.Context, r *relay, runs []run) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	st := &stage{fetch: s.fetch, count: func(n int) { s.metrics.bytes.Add(float64(n)) }}
	for i, l := range s.lanes {
		st.lanes = append(st.lanes, &lane{follower: l, run: runs[i]})
	}
	c := st.client()
	r.begin(c, cancel)
	if err := c.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait2() }()
	var err error
	select {
	case err = <-ended:
	case <-r.pub.Done():
		err = r.pub.Err()
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	c.Close()
	if failed := r.finish(); failed != nil {
		return failed
	}
	switch gone, why := st.failure(); {
	case errors.Is(err, gohlslib.ErrClientEOS), gone:
		return nil
	case why != nil:
		return why
	case errs.KindOf(err) == errs.Internal:
		return errs.As(errs.Unavailable, "hlspull.client", err, "the origin's media cannot be read: %v", err)
	}
	return err
}

// close ends the publication in the way that the reason asks for, and returns the reason.
func (s *source) close(ctx context.Context, pub media.Publication, err error) error {
	letGo := false
	select {
	case <-pub.Done():
		letGo = true
	default:
	}
	end := func(e Ending, reason media.CloseReason) {
		pub.Close(reason)
		s.metrics.ended.WithLabelValues(string(e)).Inc()
		s.log.Info("pull ended", "reason", string(e), "error", err)
	}
	switch {
	case ctx.Err() != nil:
		end(Stopped, media.ConnectionLost)
	case letGo:
		end(LetGo, media.ConnectionLost)
		if errs.KindOf(pub.Err()) == errs.Conflict && !s.busy(s.room) {
			s.rest(ctx)
		}
		return pub.Err()
	case errors.Is(err, errOver):
		end(OriginEnded, media.Unpublished)
	default:
		end(OriginLost, media.ConnectionLost)
	}
	return err
}

// rest waits until the origin's show is over, because the room's owner has ended what came of it: it must not begin again
// by itself.
func (s *source) rest(ctx context.Context) {
	s.log.Info("the show was ended here; the source is pulled again when its own show is over and another begins, or when the room names it anew")
	for wait(ctx, restWait) == nil {
		f := s.follow(s.chosen.video)
		if err := f.load(ctx); err != nil || f.list.ended {
			break
		}
		if s.busy(s.room) {
			break
		}
	}
	s.lanes = nil
}

// same reports whether two choices read the same playlists.
func (c choice) same(o choice) bool {
	if (c.audio == nil) != (o.audio == nil) || c.video.String() != o.video.String() {
		return false
	}
	return c.audio == nil || c.audio.String() == o.audio.String()
}
