package hls

import (
	"context"
	"net/http"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
)

const (
	// firstPlaylistWait is how long a request waits for the first segment of a show.
	firstPlaylistWait = 15 * time.Second
	// maxPart is beyond every part index.
	maxPart = 1 << 30
)

// wait blocks until ready accepts the newest version, an error says why it never will, the time is over (Unavailable)
// or ctx ends. Exhausted means that too many are waiting.
func (s *Stream) wait(ctx context.Context, limit time.Duration, ready func(*version) (bool, error)) (*version, error) {
	e := s.live.Load()
	if ok, err := ready(e.version); ok || err != nil {
		return e.version, err
	}
	if s.waiting.Add(1) > int64(s.cfg.MaxWaiters) {
		s.waiting.Add(-1)
		s.metrics.refused.Inc()
		return nil, errs.New(errs.Exhausted, "hls.Stream", "too many viewers are waiting for this show")
	}
	s.metrics.waiters.Inc()
	defer func() {
		s.waiting.Add(-1)
		s.metrics.waiters.Dec()
	}()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for {
		select {
		case <-e.changed:
		case <-timer.C:
			return nil, errs.New(errs.Unavailable, "hls.Stream", "the media did not come within %v", limit)
		case <-ctx.Done():
			// The client is gone, or the server ends: then somebody still reads the answer.
			return nil, errs.As(errs.Unavailable, "hls.Stream", context.Cause(ctx), "the server stopped waiting")
		}
		e = s.live.Load()
		if ok, err := ready(e.version); ok || err != nil {
			return e.version, err
		}
	}
}

// current returns the newest version once there is a playlist.
func (s *Stream) current(ctx context.Context) (*version, error) {
	return s.wait(ctx, firstPlaylistWait, func(v *version) (bool, error) {
		switch {
		case v.closed, v.ended && !v.playable():
			return false, errOver
		}
		return v.playable(), nil
	})
}

var errOver = errs.New(errs.NotFound, "hls.Stream", "this show is no longer delivered live")

// blockLimit is how long a request for media to come waits (6.2.5.2).
func (v *version) blockLimit() time.Duration {
	if v.media.TargetDuration == 0 {
		return firstPlaylistWait
	}
	return 3 * time.Duration(v.media.TargetDuration) * time.Second
}

// statusOf maps what wait and the lookups return.
func statusOf(err error) int {
	switch errs.KindOf(err) {
	case errs.Invalid:
		return http.StatusBadRequest
	case errs.NotFound:
		return http.StatusNotFound
	case errs.Exhausted, errs.Unavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}
