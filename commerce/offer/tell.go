package offer

import (
	"context"
	"errors"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// tell brings the timelines up to date now. What fails is repeated by Run, which this wakes, as it also has new times to
// look at.
func (s *Service) tell(ctx context.Context) {
	ctx = context.WithoutCancel(ctx) // the change is made: whoever asked for it may leave
	if err := s.tellAll(ctx, clocks{s: s, seen: map[string]reading{}}); err != nil {
		s.log.ErrorContext(ctx, "offers not told: it is tried again", "error", err)
	}
	select {
	case s.wake <- struct{}{}:
	default: // it is awake
	}
}

// tellAll places what became of offers onto the timelines of their shows, as far as its time has come.
func (s *Service) tellAll(ctx context.Context, seen clocks) error {
	s.telling.Lock()
	defer s.telling.Unlock()
	drops, err := s.store.UntoldDrops(ctx)
	if err != nil {
		return err
	}
	var failed []error
	for _, d := range drops {
		r, err := seen.of(ctx, d.ShowID)
		if err == nil {
			err = s.tellOne(ctx, d, r)
		}
		if err != nil {
			s.count("telling_failed")
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

func (s *Service) tellOne(ctx context.Context, d Drop, r reading) error {
	switch {
	case r.show.Ended(): // its timeline is closed
		return s.store.DropTold(ctx, d.ShowID, d.OfferID, d.Seq)
	case !r.here || d.StateMS != nil && *d.StateMS > r.clock:
		return nil
	case d.Told == 0 && !d.Open(): // over before anybody heard of it
		return s.store.ForgetDrop(ctx, d.ShowID, d.OfferID, d.Seq)
	}
	view, _, err := s.look(ctx, d)
	if err != nil {
		return err
	}
	_, err = s.shows.Tell(ctx, d.ShowID, string(d.Kind), d.StateMS, event{ID: d.OfferID, Open: d.Open(), State: d.Saying, Offer: view})
	if errs.KindOf(err) == errs.Conflict {
		return nil // it has just ended: seen the next time
	}
	if err != nil {
		return err
	}
	return s.store.DropTold(ctx, d.ShowID, d.OfferID, d.Seq)
}
