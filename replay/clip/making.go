package clip

import (
	"context"
	"fmt"
	"time"

	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/internal/errs"
)

// make makes the file of a clip, or finds it: when the server died between the file and its row, the file is there.
func (s *Service) make(ctx context.Context, c *Clip, progress func(float64)) (Made, error) {
	const op = "clip.make"
	if made, ok := s.finished(c.ID); ok {
		return made, nil
	}
	if s.Maker == nil {
		return Made{}, errs.New(errs.Invalid, op, "this server makes no files of clips")
	}
	rec, err := s.recording(c.ShowID)
	if err != nil {
		return Made{}, err
	}
	if _, err := s.Store.Clip(ctx, c.ID); err != nil {
		return Made{}, err
	}
	segments := segmentsOf(rec.Segments(), c.Span)
	if !rec.Ended() && (len(segments) == 0 || segments[len(segments)-1].End() < c.Span.To) {
		return Made{}, &laterError{"the end of the clip is still being recorded"}
	}
	if err := s.room(needs(c.Kind, segments)); err != nil {
		return Made{}, err
	}
	doc, err := s.sidecar(ctx, c)
	if err != nil {
		return Made{}, err
	}
	if err := s.root.MkdirAll(c.ID, 0o750); err != nil {
		return Made{}, errs.Wrap(op, err)
	}
	s.sweep(c.ID)
	made, err := s.Maker.Make(ctx, Job{
		Clip: c, Recording: rec, Sidecar: doc, Threads: s.threads(), Progress: progress, Path: s.path(c.ID, workName(c.Turn)),
	})
	if err != nil {
		s.sweep(c.ID)
		return Made{}, err
	}
	return made, errs.Wrap(op, s.settle(c, made))
}

// workName is the file of one attempt: two of them, one of which does not know yet that it is no longer wanted, never write
// to the same one.
func workName(turn int) string { return fmt.Sprintf("attempt-%d.mp4", turn) }

// threads is how many an encoder may use now.
func (s *Service) threads() int {
	if s.OnAir() > 0 {
		return max(1, s.cfg.Threads/2)
	}
	return s.cfg.Threads
}

// needs is about what a clip takes on the disk while it is made.
func needs(k Kind, segments []playlist.Segment) (bytes int64) {
	for i := range segments {
		bytes += segments[i].Size
	}
	if k == Styled {
		bytes *= 3 // the piece that it is made of, and what pictures of another size may take
	}
	return bytes
}

// room reports that the disk is full: Exhausted.
func (s *Service) room(need int64) error {
	if s.cfg.Reserve < 0 {
		return nil
	}
	free, err := s.free(s.dir)
	if err != nil || free >= s.cfg.Reserve+need {
		return nil //nolint:nilerr // a disk that cannot be asked shows when it is written to
	}
	return errs.New(errs.Exhausted, "clip.room", "the server's disk is full (%d MiB are kept free for recordings): delete clips or recordings, then try again", s.cfg.Reserve>>20)
}

// mayEncode reports whether what is encoded may be made now. While a show's pictures are late one clip may each patience;
// what the machine has to do otherwise does not matter to encoders at the lowest priority.
func (s *Service) mayEncode() bool {
	why, now := s.Behind(), s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case why == "":
		s.heldSince = time.Time{}
		s.Metrics.held.Set(0)
		return true
	case s.heldSince.IsZero():
		s.Log.Info("clips that are encoded wait", "reason", why)
		s.heldSince = now
		s.Metrics.held.Set(1)
	case now.Sub(s.heldSince) >= patience:
		s.heldSince = now
		return true
	}
	return false
}
