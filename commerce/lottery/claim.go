package lottery

import (
	"context"
	"time"

	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/internal/errs"
)

// Prizes returns at most limit of what a viewer has won, newest first.
func (s *Service) Prizes(ctx context.Context, viewerID string, limit int) ([]Winner, error) {
	all, err := s.Store.ViewerPrizes(ctx, viewerID, limit)
	return all, errs.Wrap("lottery.Prizes", err)
}

// Claim claims a prize for who won it: by an address, or, where it is a coupon, by asking for it. The same claim again
// changes nothing. NotFound; Invalid names the field of the address; Conflict: it is too late, or it was claimed
// with another address.
func (s *Service) Claim(ctx context.Context, v account.Viewer, prizeID string, address *Address) (Winner, error) {
	const op = "lottery.Claim"
	if address != nil {
		if err := address.Validate(); err != nil {
			return Winner{}, errs.Wrap(op, err)
		}
	}
	now := s.instant()
	w, err := s.Store.ClaimPrize(ctx, v.ID, prizeID, func(w *Winner) error { return claim(w, address, now) })
	if err != nil {
		return Winner{}, errs.Wrap(op, err)
	}
	if w.Prize.CouponID == "" || w.CouponRef != "" {
		return w, nil
	}
	w, err = s.giveCoupon(ctx, &w)
	return w, errs.Wrap(op, err)
}

// giveCoupon hands out the coupon of a claimed prize. A crash before the store knows of it repeats it at the next
// claim, under the same reference: the coupons give one.
func (s *Service) giveCoupon(ctx context.Context, w *Winner) (Winner, error) {
	ref, err := s.Coupons.Give(ctx, w.StoreID, w.Prize.CouponID, w.ViewerID, w.ID)
	if err != nil {
		return Winner{}, err
	}
	return s.Store.ClaimPrize(ctx, w.ViewerID, w.ID, func(w *Winner) error { w.CouponRef = ref; return nil })
}

func claim(w *Winner, address *Address, now time.Time) error {
	const op = "lottery.Claim"
	sent := w.Prize.CouponID == ""
	switch {
	case sent && address == nil:
		return errs.Field(op, "address", "say where the prize is to be sent")
	case w.State == Claimed && (!sent || *address == *w.Address):
		return nil
	case w.State == Claimed:
		return errs.New(errs.Conflict, op, "the prize is claimed already: ask the store to change the address")
	case w.State == Lapsed || !now.Before(w.ClaimBy):
		return errs.New(errs.Conflict, op, "the prize was to be claimed by %s: it has lapsed", formatTime(w.ClaimBy))
	}
	w.State, w.ClaimedAt = Claimed, now
	if sent {
		w.Address = address
	}
	return nil
}
