package offer

import (
	"context"
	"errors"
	"time"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/internal/errs"
)

// How often the clocks of shows are looked at: often while a sale runs or something waits for its time, seldom otherwise.
// Viewers see a picture a second after its capture or later, so an event that is placed this late still comes before its
// picture.
const (
	busy = 200 * time.Millisecond
	idle = time.Second
)

// Run starts and stops flash sales by the clocks of their shows, and repeats what could not be told, until ctx ends. What is
// to be done stands in the store: after a restart it goes on from there.
func (s *Service) Run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-s.wake:
		}
		wait, err := s.Sweep(ctx)
		if err != nil && ctx.Err() == nil {
			s.count("sweep_failed")
			s.log.ErrorContext(ctx, "offers not looked at: it is tried again", "error", err)
			wait = idle
		}
		timer.Reset(wait)
	}
}

// Sweep looks at the clocks once and does what is due. It returns when to look again.
func (s *Service) Sweep(ctx context.Context) (next time.Duration, err error) {
	sales, err := s.store.OpenFlashSales(ctx)
	if err != nil {
		return idle, err
	}
	seen, next := clocks{s: s, seen: map[string]reading{}}, idle
	var failed []error
	for _, f := range sales {
		r, err := seen.of(ctx, f.ShowID)
		if err == nil {
			err = s.turn(ctx, f, r)
			next = min(next, due(&f, r))
		}
		failed = append(failed, err)
	}
	failed = append(failed, s.tellAll(ctx, seen))
	return next, errors.Join(failed...)
}

// due is when to look at a sale again.
func due(f *FlashSale, r reading) time.Duration {
	at := f.StartsAtMS
	if f.State == Running {
		at = f.EndsAtMS
	}
	switch {
	case !r.here:
		return idle
	case at == nil:
		return busy
	}
	return min(busy, max(time.Duration(*at-r.clock)*time.Millisecond, time.Millisecond))
}

// turn does with a sale what the clock of its show asks for.
func (s *Service) turn(ctx context.Context, f FlashSale, r reading) error {
	switch {
	case r.show.Ended():
		return s.stop(ctx, f, ShowEnded, nil)
	case f.State == Running && (f.Pool.Available == 0) != f.SoldOut:
		s.PoolChanged(ctx, f.PoolID) // whoever changed the pool could not say so
	}
	switch {
	case !r.here:
		return nil
	case f.State == Running && f.EndsAtMS != nil && *f.EndsAtMS <= r.clock:
		return s.stop(ctx, f, TimeUp, f.EndsAtMS)
	case f.State == Ready && *f.StartsAtMS <= r.clock:
		return s.startDue(ctx, f)
	}
	return nil
}

// startDue starts a sale whose time has come. One that cannot start is over: the anchor sees why.
func (s *Service) startDue(ctx context.Context, f FlashSale) error {
	err := s.start(ctx, &f, *f.StartsAtMS)
	if errs.KindOf(err) != errs.Conflict {
		return err
	}
	because := NoStock
	if IsOtherSale(err) {
		because = SaleRuns
	}
	s.log.WarnContext(ctx, "flash sale could not start", "sale", f.ID, "show", f.ShowID, "error", err)
	f.State = Ready
	return s.stop(ctx, f, because, nil)
}

// ErrOtherSale is what StartFlashSale wraps when the SKU has another running sale.
var ErrOtherSale = errors.New("another flash sale of the SKU runs")

// IsOtherSale reports whether a sale did not start because another one of its SKU runs.
func IsOtherSale(err error) bool { return errors.Is(err, ErrOtherSale) }

// reading is a show and where its clock stands.
type reading struct {
	show  commerce.Show
	clock int64
	here  bool // on air in this process
}

// clocks reads each show once.
type clocks struct {
	s    *Service
	seen map[string]reading
}

func (c clocks) of(ctx context.Context, showID string) (r reading, err error) {
	if r, ok := c.seen[showID]; ok {
		return r, nil
	}
	if r.show, err = c.s.shows.ShopShow(ctx, showID); err != nil {
		return reading{}, err
	}
	r.clock, r.here = c.s.clock(&r.show)
	c.seen[showID] = r
	return r, nil
}
