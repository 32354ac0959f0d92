package order

import (
	"context"

	"github.com/vitrine-live/vitrine/commerce/stock"
	"github.com/vitrine-live/vitrine/internal/errs"
)

// SetAside makes so many pieces of a SKU be for sale in one show alone; what is sold or reserved of them counts. What is
// left when the show ends is for sale everywhere again. Conflict: fewer pieces are free, or the show is over.
func (s *Service) SetAside(ctx context.Context, showID, skuID string, pieces int64) (stock.Pool, error) {
	const op = "order.SetAside"
	if pieces < 0 {
		return stock.Pool{}, errs.Field(op, "pieces", "must be at least 0")
	}
	show, err := s.Shows.ShopShow(ctx, showID)
	if err != nil {
		return stock.Pool{}, errs.Wrap(op, err)
	}
	if show.Ended() {
		return stock.Pool{}, errs.New(errs.Conflict, op, "the show is over: nothing is set aside for it any more")
	}
	goods, err := s.Goods.Sellable(ctx, []string{skuID}, "", s.at())
	if err != nil {
		return stock.Pool{}, errs.Wrap(op, err)
	}
	if goods[0].StoreID != show.StoreID {
		return stock.Pool{}, errs.New(errs.NotFound, op, "there is no SKU %s in this store", skuID)
	}
	if !goods[0].Tracked {
		return stock.Pool{}, errs.New(errs.Conflict, op, "the pieces of this SKU are not counted: there is nothing to set aside")
	}
	p, err := s.Store.SetAllotment(ctx, showID, skuID, pieces)
	return p, errs.Wrap(op, err)
}

// Allotments lists what is, or was, set aside for a show.
func (s *Service) Allotments(ctx context.Context, showID string) ([]stock.Pool, error) {
	all, err := s.Store.Allotments(ctx, showID)
	return all, errs.Wrap("order.Allotments", err)
}

// ReturnAllotment gives back what is left of a show's allotment of a SKU. NotFound: there is none.
func (s *Service) ReturnAllotment(ctx context.Context, showID, skuID string) error {
	const op = "order.ReturnAllotment"
	n, err := s.Store.ReturnAllotments(ctx, showID, skuID)
	if err == nil && n == 0 {
		return errs.New(errs.NotFound, op, "nothing of SKU %s is set aside for this show", skuID)
	}
	return errs.Wrap(op, err)
}

// ShowEnded gives back what is left of all allotments of a show. It may be called again.
func (s *Service) ShowEnded(ctx context.Context, showID string) error {
	n, err := s.Store.ReturnAllotments(ctx, showID, "")
	if n > 0 {
		s.Count("allotments_returned")
	}
	return errs.Wrap("order.ShowEnded", err)
}
