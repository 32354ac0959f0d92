package commerce

import (
	"context"
	"strings"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/ids"
)

// catalogueStore keeps products and bags. Each method is one transaction.
type catalogueStore interface {
	CreateProduct(ctx context.Context, p Product) error
	Product(ctx context.Context, id string) (Product, error) // NotFound
	// Products lists newest first, those older than before; the zero ProductKey starts with the newest.
	Products(ctx context.Context, before ProductKey, limit int) ([]Product, error)
	// UpdateProduct reads, changes and writes; an error of change comes back as it is and nothing is written.
	UpdateProduct(ctx context.Context, id string, change func(*Product) error) (Product, error) // NotFound
	DeleteProduct(ctx context.Context, id string) error                                         // NotFound

	Bag(ctx context.Context, roomID string) ([]Product, error)            // NotFound: no such room
	SetBag(ctx context.Context, roomID string, productIDs []string) error // NotFound: room or product
	RoomsWithProduct(ctx context.Context, productID string) ([]string, error)
}

// Catalogue is the service for products and bags. Safe for concurrent use.
type Catalogue struct {
	store catalogueStore
	now   func() time.Time
}

// NewCatalogue makes a Catalogue over a store. now tells the time; nil stands for time.Now.
func NewCatalogue(store catalogueStore, now func() time.Time) *Catalogue {
	if now == nil {
		now = time.Now
	}
	return &Catalogue{store: store, now: now}
}

// Create stores a new product and returns it with its ID and times, which it assigns. Invalid names the field.
func (c *Catalogue) Create(ctx context.Context, p Product) (Product, error) {
	const op = "commerce.Create"
	p.Title = strings.TrimSpace(p.Title)
	if err := p.Validate(); err != nil {
		return Product{}, errs.Wrap(op, err)
	}
	p.ID = ids.New("prod")
	p.CreatedAt = c.instant()
	p.UpdatedAt = p.CreatedAt
	if err := c.store.CreateProduct(ctx, p); err != nil {
		return Product{}, errs.Wrap(op, err)
	}
	return p, nil
}

// Get returns one product, or NotFound.
func (c *Catalogue) Get(ctx context.Context, id string) (Product, error) {
	p, err := c.store.Product(ctx, id)
	return p, errs.Wrap("commerce.Get", err)
}

// Update changes a product and returns it as it is now. Invalid names the field, NotFound says that there is none.
// Pins that show the product keep what they showed when it was pinned.
func (c *Catalogue) Update(ctx context.Context, id string, u ProductUpdate) (Product, error) {
	p, err := c.store.UpdateProduct(ctx, id, func(p *Product) error {
		u.apply(p)
		p.UpdatedAt = c.instant()
		return p.Validate()
	})
	return p, errs.Wrap("commerce.Update", err)
}

// Delete removes a product from the catalogue and from all bags, or returns NotFound. Past and present pins stay as
// they are: the timeline holds its own copy.
func (c *Catalogue) Delete(ctx context.Context, id string) error {
	return errs.Wrap("commerce.Delete", c.store.DeleteProduct(ctx, id))
}

// instant is now as it is stored and shown: whole milliseconds, UTC.
func (c *Catalogue) instant() time.Time { return c.now().UTC().Truncate(time.Millisecond) }
