package commerce

import (
	"context"
	"slices"
	"strings"

	"github.com/vitrine-live/vitrine/commerce/stock"
	"github.com/vitrine-live/vitrine/internal/errs"
)

// StockChange is a change of the pieces of one SKU: what there are in all pools, sold ones included, or so many more or
// fewer. One of the two is set. It begins to count a SKU whose pieces were not counted.
type StockChange struct {
	SKU    string
	Total  *int64
	Adjust *int64
}

// SKUStock is the pieces of one SKU.
type SKUStock struct {
	SKU     string
	Code    string
	Variant string
	Tracked bool
	Pools   []stock.Pool // the main one first
}

// Stock returns the pieces of the SKUs of a store's product. NotFound.
func (c *Catalogue) Stock(ctx context.Context, storeID, productID string) ([]SKUStock, error) {
	const op = "commerce.Stock"
	p, err := c.GetIn(ctx, storeID, productID)
	if err != nil {
		return nil, errs.Wrap(op, err)
	}
	all := make([]SKUStock, len(p.SKUs))
	for i := range p.SKUs {
		s := &p.SKUs[i]
		pools, err := c.store.Pools(ctx, s.ID)
		if err != nil {
			return nil, errs.Wrap(op, err)
		}
		all[i] = SKUStock{SKU: s.ID, Code: s.Code, Variant: s.Variant(), Tracked: s.Tracked, Pools: pools}
	}
	return all, nil
}

// ChangeStock changes the pieces of SKUs of a store's product, all or none. Pieces that are reserved, sold or set aside
// stay: Conflict says that fewer are free than are to be taken away. NotFound: the store has no such product, or the
// product no such SKU. Invalid names "skus".
func (c *Catalogue) ChangeStock(ctx context.Context, storeID, productID string, changes []StockChange) error {
	const op = "commerce.ChangeStock"
	if len(changes) == 0 || len(changes) > MaxSKUs {
		return errs.Field(op, "skus", "name 1 to %d SKUs", MaxSKUs)
	}
	changes = slices.SortedFunc(slices.Values(changes), func(a, b StockChange) int { return strings.Compare(a.SKU, b.SKU) })
	for i, ch := range changes {
		switch {
		case i > 0 && changes[i-1].SKU == ch.SKU:
			return errs.Field(op, "skus", "the SKU %s stands twice", ch.SKU)
		case (ch.Total == nil) == (ch.Adjust == nil):
			return errs.Field(op, "skus", "give total or adjust for the SKU %s", ch.SKU)
		case ch.Total != nil && (*ch.Total < 0 || *ch.Total > MaxStock):
			return errs.Field(op, "skus", "the total must be 0 to %d pieces", MaxStock)
		case ch.Adjust != nil && (*ch.Adjust < -MaxStock || *ch.Adjust > MaxStock):
			return errs.Field(op, "skus", "adjust must be -%d to %d pieces", MaxStock, MaxStock)
		}
	}
	return errs.Wrap(op, c.store.ChangeStock(ctx, storeID, productID, changes))
}
