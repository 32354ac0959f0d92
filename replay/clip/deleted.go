package clip

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"path"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// deletedPage is how many clips of a deleted recording are read at once.
const deletedPage = 500

// RecordingDeleted lets go of what stood on a recording that was deleted for good. Instant clips go, which were places in it and
// nothing else; so do pictures of clips that have no file. Clips with a file keep it until they are deleted themselves; those
// that still wait will say that there is nothing left to make them of.
func (s *Service) RecordingDeleted(ctx context.Context, showID string) error {
	const op = "clip.RecordingDeleted"
	var all []Clip
	for f := (Filter{ShowID: showID, Limit: deletedPage}); ; f.Before = all[len(all)-1].ID {
		page, err := s.Store.Clips(ctx, f)
		if err != nil {
			return errs.Wrap(op, err)
		}
		if all = append(all, page...); len(page) < deletedPage {
			break
		}
	}
	var failed error
	for i := range all {
		err := s.letGo(ctx, &all[i])
		failed = cmp.Or(failed, err)
	}
	if len(all) > 0 {
		s.changed(showID)
	}
	return errs.Wrap(op, failed)
}

// letGo removes what a clip has of a recording that is gone.
func (s *Service) letGo(ctx context.Context, c *Clip) error {
	switch {
	case c.Kind == Instant:
		if err := s.Store.DeleteClip(ctx, c.ID); err != nil && errs.KindOf(err) != errs.NotFound {
			return err
		}
		return s.removeFiles(c.ID)
	case !c.HasFile():
		return s.removePoster(c.ID)
	}
	return nil
}

func (s *Service) removePoster(id string) error {
	if err := s.root.Remove(path.Join(id, posterName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
