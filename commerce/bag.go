package commerce

import (
	"context"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// MaxBag is how many products a bag holds. A snapshot for a new viewer carries the whole bag.
const MaxBag = 200

// Bag returns the products of a room's bag in the order the merchant gave. NotFound says that there is no such room.
func (c *Catalogue) Bag(ctx context.Context, roomID string) ([]Product, error) {
	products, err := c.store.Bag(ctx, roomID)
	return products, errs.Wrap("commerce.Bag", err)
}

// SetBag replaces a room's bag and returns its products in the order given. Invalid names "product_ids" when there are
// more than MaxBag or one stands twice; NotFound says that the room or a product does not exist.
func (c *Catalogue) SetBag(ctx context.Context, roomID string, productIDs []string) ([]Product, error) {
	const op = "commerce.SetBag"
	if len(productIDs) > MaxBag {
		return nil, errs.Field(op, "product_ids", "a bag holds at most %d products", MaxBag)
	}
	seen := make(map[string]bool, len(productIDs))
	for _, id := range productIDs {
		if seen[id] {
			return nil, errs.Field(op, "product_ids", "product %s stands in the list twice", id)
		}
		seen[id] = true
	}
	if err := c.store.SetBag(ctx, roomID, productIDs); err != nil {
		return nil, errs.Wrap(op, err)
	}
	return c.Bag(ctx, roomID)
}

// RoomsWithProduct returns the rooms whose bag holds a product, in no particular order: those whose viewers should hear
// of a change. It is empty for an unknown product. Ask before deleting one.
func (c *Catalogue) RoomsWithProduct(ctx context.Context, productID string) ([]string, error) {
	rooms, err := c.store.RoomsWithProduct(ctx, productID)
	return rooms, errs.Wrap("commerce.RoomsWithProduct", err)
}
