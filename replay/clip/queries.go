package clip

import (
	"context"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// Get returns a clip of a show; "" for the show: whichever it is of. NotFound.
func (s *Service) Get(ctx context.Context, showID, id string) (Clip, error) {
	const op = "clip.Get"
	if !ValidID(id) {
		return Clip{}, errNoClip
	}
	c, err := s.Store.Clip(ctx, id)
	if errs.KindOf(err) == errs.NotFound || err == nil && showID != "" && c.ShowID != showID {
		return Clip{}, errNoClip
	}
	return c, errs.Wrap(op, err)
}

// List lists clips of a show, newest first.
func (s *Service) List(ctx context.Context, f Filter) ([]Clip, error) {
	clips, err := s.Store.Clips(ctx, f)
	return clips, errs.Wrap("clip.List", err)
}

// Cancel cancels a clip that waits or is being made. Conflict: it is neither.
func (s *Service) Cancel(ctx context.Context, showID, id string) (Clip, error) {
	const op = "clip.Cancel"
	if _, err := s.Get(ctx, showID, id); err != nil {
		return Clip{}, err
	}
	c, err := s.Store.CancelClip(ctx, id, s.now())
	if err != nil {
		return Clip{}, errs.Wrap(op, err)
	}
	s.halt(id)
	s.changed(showID)
	return c, nil
}

// Retry queues a clip that failed or was cancelled once more.
func (s *Service) Retry(ctx context.Context, showID, id string) (Clip, error) {
	const op = "clip.Retry"
	if _, err := s.Get(ctx, showID, id); err != nil {
		return Clip{}, err
	}
	if err := s.room(0); err != nil {
		return Clip{}, errs.Wrap(op, err)
	}
	c, err := s.Store.RetryClip(ctx, id, s.now(), s.cfg.Queue)
	if err != nil {
		return Clip{}, errs.Wrap(op, err)
	}
	s.changed(showID)
	s.poke()
	return c, nil
}

// Delete removes a clip and its files; what is being made of it stops.
func (s *Service) Delete(ctx context.Context, showID, id string) error {
	const op = "clip.Delete"
	if _, err := s.Get(ctx, showID, id); err != nil {
		return err
	}
	if err := s.Store.DeleteClip(ctx, id); err != nil {
		return errs.Wrap(op, err)
	}
	s.halt(id)
	s.changed(showID)
	return errs.Wrap(op, s.removeFiles(id))
}

// Changes lists the clips of a show that wait or are being made, and those that came to an end since then.
func (s *Service) Changes(ctx context.Context, showID string, since time.Time) ([]Clip, error) {
	clips, err := s.Store.OpenClips(ctx, showID, since, 2*MaxBatch)
	return clips, errs.Wrap("clip.Changes", err)
}
