package offer

import (
	"context"
	"time"

	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/commerce/pricing"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/ids"
)

// ClaimRequest is what a viewer asks for.
type ClaimRequest struct {
	Viewer  account.Viewer
	OfferID string
	// ShowID is the show that the viewer watches; empty: none, then StoreID is the store of the address.
	ShowID  string
	StoreID string
	// PositionMS is where the viewer's player stands in the show; nil: at the live edge.
	PositionMS *int64
}

// ClaimCoupon gives a viewer a coupon. Conflict: it cannot be claimed now or there, all are claimed, or the viewer has had
// theirs; NotFound.
func (s *Service) ClaimCoupon(ctx context.Context, r ClaimRequest) (claim Claim, err error) {
	const op = "offer.ClaimCoupon"
	defer func() { s.claimed(CouponKind, err) }()
	in, storeID, err := s.spot(ctx, op, r)
	if err != nil {
		return Claim{}, err
	}
	c, err := s.store.Coupon(ctx, storeID, r.OfferID)
	if err != nil {
		return Claim{}, errs.Wrap(op, err)
	}
	at := s.at()
	if err := c.claimable(op, at, in); err != nil {
		return Claim{}, err
	}
	claim, err = r.claim(op, storeID, c.Terms, in, at)
	if err != nil {
		return Claim{}, err
	}
	last, err := s.store.ClaimCoupon(ctx, claim)
	if err != nil {
		return Claim{}, errs.Wrap(op, err)
	}
	if last {
		s.tell(ctx)
	}
	return claim, nil
}

// claimable says before any write what forbids a claim; that one is left, and the viewer may have it, the write decides.
func (c *Coupon) claimable(op string, at time.Time, in spot) error {
	if c.State != Active {
		return errs.New(errs.Conflict, op, "the coupon cannot be claimed any more")
	}
	if c.Quota > 0 && c.Claimed >= c.Quota {
		return errs.New(errs.Conflict, op, "all coupons are claimed")
	}
	return c.allow(op, at, in)
}

// ClaimPiece gives a viewer a piece of a red packet. Errors as of ClaimCoupon.
func (s *Service) ClaimPiece(ctx context.Context, r ClaimRequest) (claim Claim, err error) {
	const op = "offer.ClaimPiece"
	defer func() { s.claimed(RedPacketKind, err) }()
	in, storeID, err := s.spot(ctx, op, r)
	if err != nil {
		return Claim{}, err
	}
	p, err := s.store.RedPacket(ctx, storeID, r.OfferID)
	if err != nil {
		return Claim{}, errs.Wrap(op, err)
	}
	at := s.at()
	if err := p.allow(op, at, in); err != nil {
		return Claim{}, err
	}
	claim, err = r.claim(op, storeID, p.Terms, in, at)
	if err != nil {
		return Claim{}, err
	}
	claim, last, err := s.store.ClaimPiece(ctx, claim)
	if err != nil {
		return Claim{}, errs.Wrap(op, err)
	}
	if last {
		s.tell(ctx)
	}
	return claim, nil
}

// spot finds where a viewer claims, and the store of that.
func (s *Service) spot(ctx context.Context, op string, r ClaimRequest) (in spot, storeID string, err error) {
	in, storeID = spot{position: r.PositionMS}, r.StoreID
	if r.ShowID != "" {
		show, err := s.shows.ShopShow(ctx, r.ShowID)
		if err != nil {
			return in, "", errs.Wrap(op, err)
		}
		drop, err := s.store.Drop(ctx, r.ShowID, r.OfferID)
		if err != nil {
			return in, "", errs.Wrap(op, err)
		}
		in.show, in.drop, storeID = &show, &drop, show.StoreID
		in.clock, _ = s.clock(&show)
	}
	if r.Viewer.StoreID != "" && r.Viewer.StoreID != storeID {
		return in, "", errs.New(errs.Forbidden, op, "your account belongs to another store: sign in with one of this store")
	}
	return in, storeID, nil
}

// claim is what the viewer gets.
func (r *ClaimRequest) claim(op, storeID string, t Terms, in spot, at time.Time) (Claim, error) {
	c := Claim{
		ID: ids.New(claimPrefix), CouponID: r.OfferID, StoreID: storeID, ViewerID: r.Viewer.ID, Terms: t, State: Claimed,
		ShowID: r.ShowID, ShowTimeMS: in.clock, ClaimedAt: at, ValidUntil: t.validity(at),
	}
	if in.position != nil {
		c.ShowTimeMS = *in.position
	}
	if !at.Before(c.ValidUntil) {
		return Claim{}, errs.New(errs.Conflict, op, "it could be used until %s only", c.ValidUntil.UTC().Format(time.RFC3339))
	}
	return c, nil
}

// Claims lists what a viewer has claimed, newest first.
func (s *Service) Claims(ctx context.Context, viewerID string, f ClaimFilter) ([]Claim, error) {
	if f.At.IsZero() {
		f.At = s.at()
	}
	all, err := s.store.Claims(ctx, viewerID, f)
	return all, errs.Wrap("offer.Claims", err)
}

// maxPriced is how many coupons of a viewer are considered for one cart, the newest first.
const maxPriced = 100

// Coupons returns claims of a viewer at a store as prices count them: those named, in that order, each with the reason when
// it cannot be used whatever the cart; or all usable ones where claimIDs is nil.
func (s *Service) Coupons(ctx context.Context, storeID, viewerID string, claimIDs []string, at time.Time) ([]pricing.Coupon, error) {
	const op = "offer.Coupons"
	if claimIDs == nil {
		claims, err := s.store.Claims(ctx, viewerID, ClaimFilter{StoreID: storeID, Usable: UsableClaims, At: at, Limit: maxPriced})
		if err != nil {
			return nil, errs.Wrap(op, err)
		}
		return priced(claims), nil
	}
	if len(claimIDs) > maxPriced {
		return nil, errs.Field(op, "coupons", "name at most %d coupons", maxPriced)
	}
	claims, err := s.store.ClaimsByID(ctx, viewerID, storeID, claimIDs)
	if err != nil {
		return nil, errs.Wrap(op, err)
	}
	found := make(map[string]Claim, len(claims))
	for _, c := range claims {
		found[c.ID] = c
	}
	all := make([]pricing.Coupon, len(claimIDs))
	for i, id := range claimIDs {
		if c, ok := found[id]; ok {
			all[i] = c.priced()
		} else {
			all[i] = pricing.Coupon{ClaimID: id, Refused: pricing.Unknown}
		}
	}
	return all, nil
}

func priced(claims []Claim) []pricing.Coupon {
	all := make([]pricing.Coupon, len(claims))
	for i := range claims {
		all[i] = claims[i].priced()
	}
	return all
}

// claimed counts how a claim ended.
func (s *Service) claimed(kind Kind, err error) {
	result := "claimed"
	if err != nil {
		result = errs.KindOf(err).String()
	}
	s.count(string(kind) + "_" + result)
}
