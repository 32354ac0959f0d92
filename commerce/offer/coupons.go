package offer

import (
	"context"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/ids"
)

// CreateCoupon makes a coupon, as a draft or active at once. Invalid names the field; NotFound names a product that the
// store does not have.
func (s *Service) CreateCoupon(ctx context.Context, c Coupon) (Coupon, error) {
	const op = "offer.CreateCoupon"
	c.ID, c.Claimed, c.Given, c.Used = ids.New(couponPrefix), 0, 0, 0
	c.CreatedAt = s.at()
	c.UpdatedAt = c.CreatedAt
	if c.State != Draft && c.State != Active {
		return Coupon{}, errs.Field(op, "state", "a coupon begins as \"draft\" or \"active\"")
	}
	if err := c.validate(op); err != nil {
		return Coupon{}, err
	}
	if err := s.store.CreateCoupon(ctx, c); err != nil {
		return Coupon{}, errs.Wrap(op, err)
	}
	return c, nil
}

// Coupon returns a coupon of a store. NotFound.
func (s *Service) Coupon(ctx context.Context, storeID, id string) (Coupon, error) {
	c, err := s.store.Coupon(ctx, storeID, id)
	return c, errs.Wrap("offer.Coupon", err)
}

// ListCoupons lists the coupons of a store, newest first.
func (s *Service) ListCoupons(ctx context.Context, storeID string, beforeID string, limit int) ([]Coupon, error) {
	all, err := s.store.Coupons(ctx, storeID, beforeID, limit)
	return all, errs.Wrap("offer.ListCoupons", err)
}

// UpdateCoupon changes a coupon by edit, which may run more than once. Conflict: what viewers may have claimed already is to
// be changed; Invalid; NotFound.
func (s *Service) UpdateCoupon(ctx context.Context, storeID, id string, edit func(*Coupon)) (Coupon, error) {
	const op = "offer.UpdateCoupon"
	at := s.at()
	c, err := s.store.UpdateCoupon(ctx, storeID, id, func(c *Coupon) error { return c.change(op, edit, at) })
	if err != nil {
		return Coupon{}, errs.Wrap(op, err)
	}
	s.tell(ctx)
	return c, nil
}

// DeleteCoupon removes a draft. Conflict: it was activated. NotFound.
func (s *Service) DeleteCoupon(ctx context.Context, storeID, id string) error {
	return errs.Wrap("offer.DeleteCoupon", s.store.DeleteCoupon(ctx, storeID, id))
}
