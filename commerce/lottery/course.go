package lottery

import (
	"context"
	"slices"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/ids"
)

// Open publishes the commitment to a new seed and lets viewers enter. NotFound; Conflict: it is no draft, or its show is
// not on air here, or a coupon among the prizes cannot be promised any more.
func (s *Service) Open(ctx context.Context, storeID, id string) (Lottery, error) {
	const op = "lottery.Open"
	l, err := s.Store.StoreLottery(ctx, storeID, id)
	if err != nil {
		return Lottery{}, errs.Wrap(op, err)
	}
	at, onAir, err := s.clock(ctx, l.ShowID)
	if err == nil && !onAir {
		err = errs.New(errs.Conflict, op, "the show is not on air: a lottery opens while viewers watch")
	}
	if err == nil {
		err = s.checkCoupons(ctx, storeID, &l.Terms)
	}
	if err != nil {
		return Lottery{}, errs.Wrap(op, err)
	}
	l, err = s.open(ctx, &l, at)
	return l, errs.Wrap(op, err)
}

func (s *Service) open(ctx context.Context, l *Lottery, atMS int64) (Lottery, error) {
	secret, now := newSecret(), s.instant()
	opened, err := s.Store.OpenLottery(ctx, l.ID, Opening{
		Secret: secret, Commitment: Commitment(secret.Seed), OpenedMS: atMS, ClosesMS: atMS + l.Window.Milliseconds(),
		At: now, ClosesBy: now.Add(l.Window + s.cfg.Grace),
	})
	if err != nil {
		return Lottery{}, err
	}
	s.came(&opened)
	return s.tell(ctx, opened), nil
}

// Close lets nobody enter any more and publishes the hash of the entrants; the draw follows by itself. NotFound; Conflict:
// it is not open.
func (s *Service) Close(ctx context.Context, storeID, id string) (Lottery, error) {
	const op = "lottery.Close"
	if _, err := s.Store.StoreLottery(ctx, storeID, id); err != nil {
		return Lottery{}, errs.Wrap(op, err)
	}
	l, err := s.close(ctx, id)
	return l, errs.Wrap(op, err)
}

func (s *Service) close(ctx context.Context, id string) (Lottery, error) {
	l, err := s.Store.CloseLottery(ctx, id, s.instant(), func(entrants []string) string { return EntrantsHash(id, entrants) })
	if err != nil {
		return Lottery{}, err
	}
	s.came(&l)
	return s.tell(ctx, l), nil
}

// Cancel gives a lottery up that has not closed. What was published of it stays, with the reason. NotFound; Conflict: it
// has closed, so that nobody can drop a lottery whose outcome is fixed.
func (s *Service) Cancel(ctx context.Context, storeID, id, reason string) (Lottery, error) {
	const op = "lottery.Cancel"
	if n := len([]rune(reason)); n < 1 || n > maxText {
		return Lottery{}, errs.Field(op, "reason", "tell the viewers why, in 1 to %d characters", maxText)
	}
	l, err := s.Store.CancelLottery(ctx, storeID, id, reason, s.instant())
	if err != nil {
		return Lottery{}, errs.Wrap(op, err)
	}
	s.came(&l)
	return s.tell(ctx, l), nil
}

// draw publishes the seed and what follows from it. A lottery that another process has drawn is a Conflict, and the same
// winners.
func (s *Service) draw(ctx context.Context, id string) error {
	now := s.instant()
	l, err := s.Store.Lottery(ctx, id)
	if err != nil {
		return err
	}
	claimsBy := now.Add(l.ClaimFor)
	l, err = s.Store.DrawLottery(ctx, id, Drawing{At: now, ClaimsBy: claimsBy, Winners: func(l *Lottery, seed []byte, entries []Entry) ([]Winner, error) {
		return drawn(l, seed, entries, claimsBy)
	}})
	if err != nil {
		return err
	}
	s.came(&l)
	s.tell(ctx, l)
	return nil
}

// drawn makes the winners, unless what is stored is not what was published: then there is no draw at all.
func drawn(l *Lottery, seed []byte, entries []Entry, claimsBy time.Time) ([]Winner, error) {
	const op = "lottery.draw"
	if Commitment(seed) != l.Commitment {
		return nil, errs.New(errs.Internal, op, "the stored seed of %s is not the one that was committed to", l.ID)
	}
	byEntrant, entrants := make(map[string]Entry, len(entries)), make([]string, len(entries))
	for i, e := range entries {
		byEntrant[e.Entrant], entrants[i] = e, e.Entrant
	}
	slices.Sort(entrants)
	if EntrantsHash(l.ID, entrants) != l.EntrantsHash {
		return nil, errs.New(errs.Internal, op, "the stored entrants of %s are not those that were published at the closing", l.ID)
	}
	return winnersOf(l, seed, entrants, byEntrant, claimsBy, func() string { return ids.New("win") }), nil
}

// clock tells where a show's clock is, if this process has it on air.
func (s *Service) clock(ctx context.Context, showID string) (atMS int64, onAir bool, err error) {
	show, err := s.Shows.ShopShow(ctx, showID)
	if err != nil {
		return 0, false, err
	}
	on, at, ok := s.Shows.OnAirNow(show.RoomID)
	return at, ok && on == showID, nil
}

func (s *Service) came(l *Lottery) {
	s.Count(string(l.State), 1)
	s.Log.Info("a lottery went on", "lottery", l.ID, "show", l.ShowID, "state", l.State, "entries", l.Entries)
}
