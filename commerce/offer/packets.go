package offer

import (
	"context"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/ids"
)

// CreateRedPacket makes a red packet and draws its pieces; it is claimed once it is dropped into a show. Invalid names the
// field; NotFound names a product that the store does not have.
func (s *Service) CreateRedPacket(ctx context.Context, p RedPacket) (RedPacket, error) {
	const op = "offer.CreateRedPacket"
	p.ID, p.State, p.Claimed, p.ClaimedAmount = ids.New(packetPrefix), Draft, 0, 0
	p.Terms.Amount, p.Percent, p.MaxOff = 0, 0, 0
	p.CreatedAt = s.at()
	p.UpdatedAt = p.CreatedAt
	if err := p.validate(op); err != nil {
		return RedPacket{}, err
	}
	if err := s.store.CreateRedPacket(ctx, p, Split(p.Total, p.Pieces, p.Least, draw)); err != nil {
		return RedPacket{}, errs.Wrap(op, err)
	}
	return p, nil
}

// RedPacket returns a red packet of a store. NotFound.
func (s *Service) RedPacket(ctx context.Context, storeID, id string) (RedPacket, error) {
	p, err := s.store.RedPacket(ctx, storeID, id)
	return p, errs.Wrap("offer.RedPacket", err)
}

// ListRedPackets lists the red packets of a store, newest first.
func (s *Service) ListRedPackets(ctx context.Context, storeID string, beforeID string, limit int) ([]RedPacket, error) {
	all, err := s.store.RedPackets(ctx, storeID, beforeID, limit)
	return all, errs.Wrap("offer.ListRedPackets", err)
}

// StopRedPacket ends a red packet for good: what is not claimed stays with the store. One that is over stays as it is.
// NotFound.
func (s *Service) StopRedPacket(ctx context.Context, storeID, id string) (RedPacket, error) {
	p, err := s.store.StopRedPacket(ctx, storeID, id, s.at())
	if err != nil {
		return RedPacket{}, errs.Wrap("offer.StopRedPacket", err)
	}
	s.tell(ctx)
	return p, nil
}

// DeleteRedPacket removes a draft. Conflict: it was dropped. NotFound.
func (s *Service) DeleteRedPacket(ctx context.Context, storeID, id string) error {
	return errs.Wrap("offer.DeleteRedPacket", s.store.DeleteRedPacket(ctx, storeID, id))
}
