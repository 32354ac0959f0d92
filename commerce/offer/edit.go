package offer

import (
	"context"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// UpdateRedPacket changes a red packet that was not dropped yet by edit, which may run more than once, and draws its pieces
// anew where their number, sum or least size changed. Conflict: it was dropped; Invalid; NotFound.
func (s *Service) UpdateRedPacket(ctx context.Context, storeID, id string, edit func(*RedPacket)) (RedPacket, error) {
	const op = "offer.UpdateRedPacket"
	at := s.at()
	p, err := s.store.UpdateRedPacket(ctx, storeID, id, func(p *RedPacket) (pieces []int64, err error) {
		before := *p
		if p.State != Draft {
			return nil, errs.New(errs.Conflict, op, "the red packet was dropped into a show: stop it, and make another")
		}
		edit(p)
		p.ID, p.StoreID, p.State, p.Claimed, p.ClaimedAmount, p.CreatedAt, p.UpdatedAt = id, storeID, Draft, 0, 0, before.CreatedAt, at
		p.Terms.Amount, p.Percent, p.MaxOff = 0, 0, 0
		if err := p.validate(op); err != nil {
			return nil, err
		}
		if p.Total == before.Total && p.Pieces == before.Pieces && p.Least == before.Least {
			return nil, nil
		}
		return Split(p.Total, p.Pieces, p.Least, draw), nil
	})
	return p, errs.Wrap(op, err)
}

// UpdateFlashSale changes a flash sale that viewers were not told of by edit: the goods, which are described as they are now,
// the pieces, the price, the show, the start. Conflict: viewers were told, it has started, or somebody else changed it at the
// same time; otherwise errors as of CreateFlashSale.
func (s *Service) UpdateFlashSale(ctx context.Context, storeID, id string, edit func(*FlashSale)) (FlashSale, error) {
	const op = "offer.UpdateFlashSale"
	before, err := s.store.FlashSale(ctx, storeID, id)
	if err != nil {
		return FlashSale{}, errs.Wrap(op, err)
	}
	if before.State != Ready {
		return FlashSale{}, errs.New(errs.Conflict, op, "the sale has started already: stop it, and prepare another one")
	}
	f := before
	edit(&f)
	f.ID, f.StoreID, f.State, f.PoolID, f.CreatedAt = before.ID, before.StoreID, Ready, before.PoolID, before.CreatedAt
	if f.UpdatedAt = s.at(); !f.UpdatedAt.After(before.UpdatedAt) { // so that no two changes look like one
		f.UpdatedAt = before.UpdatedAt.Add(time.Millisecond)
	}
	drop, err := s.prepared(ctx, op, &f)
	if err != nil {
		return FlashSale{}, err
	}
	if err := s.replace(ctx, f, before.UpdatedAt, drop); err != nil {
		return FlashSale{}, errs.Wrap(op, err)
	}
	s.tell(ctx)
	return f, nil
}

func (s *Service) replace(ctx context.Context, f FlashSale, was time.Time, drop *Drop) error {
	s.telling.Lock() // nobody is told of it while it changes
	defer s.telling.Unlock()
	return s.store.ReplaceFlashSale(ctx, f, was, drop)
}
