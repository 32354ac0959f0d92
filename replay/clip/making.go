package clip

import (
	"context"
	"fmt"

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

// busy says why nothing is encoded now, "" when it is.
func (s *Service) busy() string {
	if why := s.Behind(); why != "" {
		return why
	}
	if s.cfg.MaxLoad < 0 {
		return ""
	}
	load, ok := s.load()
	if !ok {
		return ""
	}
	// What clips themselves ask of the machine is given up for everybody else, so it does not count.
	s.mu.Lock()
	own := float64(len(s.running) * s.cfg.Threads)
	s.mu.Unlock()
	if load-own > s.cfg.MaxLoad {
		return fmt.Sprintf("the load of the machine is %.1f", load)
	}
	return ""
}
