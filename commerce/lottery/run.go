package lottery

import (
	"context"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
)

const (
	stepEvery = 500 * time.Millisecond
	// atWork is how many lotteries one step looks at; the others wait for the next one.
	atWork = 500
	// unheard is how long a draw waits for the closing to be told on a timeline that another process writes; from then on
	// the API alone has published the entrants' hash.
	unheard = 2 * time.Minute
	// lapseEvery is how many steps lie between two looks for prizes that nobody claimed.
	lapseEvery = 120
)

// Run opens, closes and draws what is due until ctx ends. It keeps nothing in memory: after a crash at any instant it
// goes on from what is stored, and a draw that was stored is not made again.
func (s *Service) Run(ctx context.Context) {
	tick := time.NewTicker(stepEvery)
	defer tick.Stop()
	for n := 0; ; n++ {
		s.Step(ctx)
		if n%lapseEvery == 0 {
			s.Lapse(ctx)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Step does once what Run does again and again, for those who have a clock of their own.
func (s *Service) Step(ctx context.Context) {
	due, err := s.Store.LotteriesAtWork(ctx, atWork)
	if err != nil {
		s.failed(ctx, "", err)
		return
	}
	for i := range due {
		if err := s.step(ctx, &due[i]); err != nil && errs.KindOf(err) != errs.Conflict { // another process was faster
			s.failed(ctx, due[i].ID, err)
		}
	}
}

// Lapse ends the time of prizes that were not claimed in theirs.
func (s *Service) Lapse(ctx context.Context) {
	n, err := s.Store.LapsePrizes(ctx, s.instant())
	if err != nil {
		s.failed(ctx, "", err)
		return
	}
	s.Count("lapsed", n)
}

// step brings one lottery on by what is due.
func (s *Service) step(ctx context.Context, l *Lottery) error {
	if _, err := s.announce(ctx, l); err != nil {
		return err
	}
	switch l.State {
	case Draft:
		return s.openDue(ctx, l)
	case Open:
		over, err := s.windowOver(ctx, l)
		if err != nil || !over {
			return err
		}
		_, err = s.close(ctx, l.ID)
		return err
	case Closed:
		since := s.Now().Sub(l.ClosedAt)
		if since < s.cfg.RevealAfter || l.Announced != Closed && since < unheard {
			return nil
		}
		return s.draw(ctx, l.ID)
	case Drawn, Cancelled:
	}
	return nil
}

// windowOver reports whether nobody may enter any more: by the show's clock, because the show is over, or because the
// clock has stood for too long.
func (s *Service) windowOver(ctx context.Context, l *Lottery) (bool, error) {
	if !s.Now().Before(l.ClosesBy) {
		return true, nil
	}
	at, onAir, err := s.clock(ctx, l.ShowID)
	if err != nil || onAir {
		return err == nil && at >= l.ClosesMS, err
	}
	show, err := s.Shows.ShopShow(ctx, l.ShowID)
	return show.Ended(), err
}

func (s *Service) failed(ctx context.Context, id string, err error) {
	if ctx.Err() != nil {
		return
	}
	s.Count("failed", 1)
	s.Log.Error("a lottery cannot go on for now; it is tried again", "lottery", id, "error", err)
}

// openDue opens a draft whose instant on the show's clock has come, or drops it with its show.
func (s *Service) openDue(ctx context.Context, l *Lottery) error {
	at, onAir, err := s.clock(ctx, l.ShowID)
	if err != nil {
		return err
	}
	if onAir {
		if l.OpensAtMS == nil || at < *l.OpensAtMS {
			return nil
		}
		if err := s.checkCoupons(ctx, l.StoreID, &l.Terms); errs.KindOf(err) == errs.Conflict {
			return s.drop(ctx, l, "A coupon among the prizes could not be promised any more.")
		} else if err != nil {
			return err
		}
		_, err = s.open(ctx, l, at)
		return err
	}
	show, err := s.Shows.ShopShow(ctx, l.ShowID)
	if err == nil && show.Ended() {
		err = s.drop(ctx, l, "The show ended before the lottery opened.")
	}
	return err
}

// drop gives up a draft, of which no viewer knows; the store reads why.
func (s *Service) drop(ctx context.Context, l *Lottery, reason string) error {
	_, err := s.Store.CancelLottery(ctx, l.StoreID, l.ID, reason, s.instant())
	return err
}
