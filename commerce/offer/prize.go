package offer

import (
	"context"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/ids"
)

// leastGiven is how far from a gift the end that the coupon's terms name is at the least. It may have passed by the time a
// winner asks, when the server was away; what was promised on air is then still worth something.
const leastGiven = 24 * time.Hour

// Usable reports why a coupon cannot be promised to somebody who may ask for it until an instant. NotFound: the store has
// none of this id; Conflict: it is not active, or its claims end before.
//
// What was promised is given whatever comes later: an active coupon is never deleted, and Give minds neither quota nor state.
func (s *Service) Usable(ctx context.Context, storeID, couponID string, until time.Time) error {
	const op = "offer.Usable"
	c, err := s.store.Coupon(ctx, storeID, couponID)
	switch {
	case err != nil:
		return errs.Wrap(op, err)
	case c.State != Active:
		return errs.New(errs.Conflict, op, "the coupon %q is not active: activate it before you promise it", c.Title)
	case !c.ValidUntil.IsZero() && c.ValidUntil.Before(until.Add(leastGiven)):
		return errs.New(errs.Conflict, op, "the coupon %q ends on %s, and winners may ask for theirs until %s: take one that ends a day later than that, or let them ask for a shorter time",
			c.Title, c.ValidUntil.UTC().Format(time.RFC3339), until.UTC().Format(time.RFC3339))
	}
	return nil
}

// Give gives a viewer a coupon that was promised, once for each ref: the same ref again returns the same claim. It counts
// neither towards the coupon's quota nor towards what the viewer may claim, and a coupon that was stopped meanwhile is given
// all the same. NotFound; Conflict: somebody else, or another coupon, has this ref.
func (s *Service) Give(ctx context.Context, storeID, couponID, viewerID, ref string) (claimID string, err error) {
	const op = "offer.Give"
	c, err := s.store.Coupon(ctx, storeID, couponID)
	if err != nil {
		return "", errs.Wrap(op, err)
	}
	at := s.at()
	terms := c.Terms
	if least := at.Add(leastGiven); !terms.ValidUntil.IsZero() && terms.ValidUntil.Before(least) {
		terms.ValidUntil = least
	}
	given, err := s.store.GiveCoupon(ctx, Claim{
		ID: ids.Of(claimPrefix, "given "+ref), CouponID: c.ID, StoreID: c.StoreID, ViewerID: viewerID, Terms: terms, State: Claimed,
		ClaimedAt: at, ValidUntil: terms.validity(at),
	})
	if err != nil {
		return "", errs.Wrap(op, err)
	}
	if given.ViewerID != viewerID || given.CouponID != couponID {
		return "", errs.New(errs.Conflict, op, "this was given to somebody else")
	}
	s.count("coupon_given")
	return given.ID, nil
}
