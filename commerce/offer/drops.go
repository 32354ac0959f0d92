package offer

import (
	"context"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/internal/errs"
)

// DropIn places a coupon or a red packet into a show: at atMS of show time, which may be ahead, or now where it is nil.
// Dropping it again tells viewers once more. Conflict: the show is not on air, or the offer is not ready to be claimed;
// NotFound: the show's store has no such offer.
func (s *Service) DropIn(ctx context.Context, kind Kind, showID, offerID string, atMS *int64) (Drop, error) {
	const op = "offer.DropIn"
	show, when, err := s.place(ctx, op, showID, atMS)
	if err != nil {
		return Drop{}, err
	}
	d, err := s.store.PutDrop(ctx, Drop{
		ShowID: showID, OfferID: offerID, StoreID: show.StoreID, Kind: kind, ShowTimeMS: when, DroppedAt: s.at(),
		Saying: Dropped, StateMS: new(when), Seq: 1,
	})
	if err != nil {
		return Drop{}, errs.Wrap(op, err)
	}
	s.tell(ctx)
	return d, nil
}

// place finds where on the clock of a show something is to stand.
func (s *Service) place(ctx context.Context, op, showID string, atMS *int64) (show commerce.Show, when int64, err error) {
	if show, err = s.shows.ShopShow(ctx, showID); err != nil {
		return show, 0, errs.Wrap(op, err)
	}
	clock, here := s.clock(&show)
	switch {
	case show.Ended():
		return show, 0, errs.New(errs.Conflict, op, "the show has ended: nothing can be placed into it any more")
	case atMS == nil && !here:
		return show, 0, errs.New(errs.Conflict, op, "the show is not on air: give show_time_ms to prepare it, or wait until it is")
	case atMS == nil:
		return show, clock, nil
	case *atMS < 0 || *atMS > MaxShowTime.Milliseconds():
		return show, 0, errs.Field(op, "show_time_ms", "must be 0 to %d", MaxShowTime.Milliseconds())
	}
	return show, *atMS, nil
}

// Withdraw takes a coupon out of a show; the coupon itself stays as it is. One that is out already stays out. NotFound: it
// was never dropped there.
func (s *Service) Withdraw(ctx context.Context, showID, offerID string) error {
	if err := s.store.WithdrawDrop(ctx, showID, offerID); err != nil {
		return errs.Wrap("offer.Withdraw", err)
	}
	s.tell(ctx)
	return nil
}

// Shown is an offer on the timeline of a show, as it is now.
type Shown struct {
	Drop
	Open bool
	View View
}

// InShow lists the offers that stand on the timeline of a show, in the order of show time: for who comes late, and for its
// replay. Those that are still to come are not told. NotFound.
func (s *Service) InShow(ctx context.Context, showID string) ([]Shown, error) {
	const op = "offer.InShow"
	show, err := s.shows.ShopShow(ctx, showID)
	if err != nil {
		return nil, errs.Wrap(op, err)
	}
	drops, err := s.store.Drops(ctx, showID)
	if err != nil {
		return nil, errs.Wrap(op, err)
	}
	all := make([]Shown, 0, len(drops))
	for _, d := range drops {
		if d.Told == 0 {
			continue
		}
		view, rules, err := s.look(ctx, d)
		if err != nil {
			return nil, errs.Wrap(op, err)
		}
		all = append(all, Shown{Drop: d, View: view, Open: d.Open() && s.still(&show, d, rules)})
	}
	return all, nil
}

// still reports whether an offer that was not closed can be had yet.
func (s *Service) still(show *commerce.Show, d Drop, rules *Rules) bool {
	if rules == nil { // a flash sale ends with its show
		return !show.Ended()
	}
	return rules.allow("offer.still", s.at(), spot{show: show, drop: &d, clock: d.ShowTimeMS, position: &d.ShowTimeMS}) == nil
}

// look returns an offer as viewers see it, and the rules of those that are claimed.
func (s *Service) look(ctx context.Context, d Drop) (View, *Rules, error) {
	switch d.Kind {
	case CouponKind:
		c, err := s.store.Coupon(ctx, "", d.OfferID)
		return c.View(), &c.Rules, err
	case RedPacketKind:
		p, err := s.store.RedPacket(ctx, "", d.OfferID)
		return p.View(), &p.Rules, err
	case FlashSaleKind:
	}
	f, err := s.store.FlashSale(ctx, "", d.OfferID)
	return f.View(), nil, err
}
