package commerce

import (
	"context"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// Sellable is a SKU as the checkout needs it.
type Sellable struct {
	SKU        string
	ProductID  string
	StoreID    string
	Code       string
	Title      string // the product's
	ImageURL   string // the product's main image; may be empty
	Attributes []Attribute
	Price      int64 // minor units
	Original   int64 // 0: none
	Currency   string
	PerBuyer   int64           // 0: any number
	Show       *SellableInShow // the price in the show that was asked about; nil: none, or it does not hold
	Tracked    bool            // its pieces are counted
	Refused    string          // why it may not be sold, for the buyer to read; empty: it may
}

// SellableInShow is a price that holds in one show alone.
type SellableInShow struct {
	Ref  string // the show price's id
	Unit int64  // minor units
}

// Offered is a SKU with its product, as the store keeps them.
type Offered struct {
	Sellable
	Link    LinkKind
	Audit   AuditState
	Deleted bool // the SKU or its product
}

// Sellable returns the SKUs as they are sold at an instant, in the order asked. showID names the show whose prices
// count; empty: none. What may not be sold comes with the reason in Refused. NotFound names the first unknown SKU.
func (c *Catalogue) Sellable(ctx context.Context, skuIDs []string, showID string, at time.Time) ([]Sellable, error) {
	const op = "commerce.Sellable"
	if len(skuIDs) == 0 {
		return nil, nil
	}
	found, err := c.store.OfferedSKUs(ctx, skuIDs)
	if err != nil {
		return nil, errs.Wrap(op, err)
	}
	prices, err := c.pricesIn(ctx, showID, at)
	if err != nil {
		return nil, errs.Wrap(op, err)
	}
	all := make([]Sellable, len(skuIDs))
	for i, id := range skuIDs {
		o, ok := found[id]
		if !ok {
			return nil, errs.New(errs.NotFound, op, "there is no SKU %s", id)
		}
		all[i] = o.Sellable
		all[i].Refused = o.refused()
		if p, ok := prices[id]; ok {
			all[i].Show = &SellableInShow{Ref: p.ID, Unit: p.Price}
		}
	}
	return all, nil
}

func (o *Offered) refused() string {
	switch {
	case o.Deleted:
		return "it is no longer sold"
	case o.Link != LinkCheckout:
		return "it is not sold here: follow the product's link"
	case o.Audit != Approved:
		return "it is being checked by the store and cannot be bought for now"
	}
	return ""
}
