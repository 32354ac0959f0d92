package commerce

import (
	"context"
	"strings"
	"time"

	"github.com/vitrine-live/vitrine/commerce/stock"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/ids"
)

// catalogueStore keeps products and bags. Each method is one transaction.
type catalogueStore interface {
	StoreCurrency(ctx context.Context, storeID string) (string, error) // NotFound
	// CreateProduct stores a product with its SKUs and their pieces. Conflict: a SKU's code is taken in the store.
	CreateProduct(ctx context.Context, p Product) error
	Product(ctx context.Context, id string) (Product, error) // NotFound
	Products(ctx context.Context, q ProductQuery) ([]Product, error)
	// UpdateProduct reads, changes and writes; an error of change comes back as it is and nothing is written.
	UpdateProduct(ctx context.Context, storeID, id string, change func(*Product) error) (Product, error) // NotFound; Conflict
	DeleteProduct(ctx context.Context, storeID, id string) error                                         // NotFound

	Bag(ctx context.Context, roomID string) ([]Product, error)            // NotFound: no such room
	SetBag(ctx context.Context, roomID string, productIDs []string) error // NotFound: room, or product of its store
	RoomsWithProduct(ctx context.Context, productID string) ([]string, error)

	Pools(ctx context.Context, skuID string) ([]stock.Pool, error)
	ChangeStock(ctx context.Context, storeID, productID string, changes []StockChange) error // NotFound, Conflict

	OfferedSKUs(ctx context.Context, skuIDs []string) (map[string]Offered, error) // those that there are or were
	// ImportTargets returns products of a store: those named and those whose SKUs have one of the codes, by id; and of each
	// of these codes that is taken, whose it is.
	ImportTargets(ctx context.Context, storeID string, productIDs, codes []string) (products map[string]Product, owners map[string]string, err error)
	ShopShow(ctx context.Context, showID string) (Show, error) // NotFound
	ShowPrices(ctx context.Context, showID string) ([]ShowPrice, error)
	SetShowPrice(ctx context.Context, p ShowPrice) (ShowPrice, error) // keeps the ID of the one that it replaces
	DeleteShowPrice(ctx context.Context, showID, skuID string) error  // NotFound
}

// Catalogue is the service for products and bags. Safe for concurrent use.
type Catalogue struct {
	store catalogueStore
	now   func() time.Time
	rules Rules
}

// NewCatalogue makes a Catalogue over a store. now tells the time; nil stands for time.Now.
func NewCatalogue(store catalogueStore, now func() time.Time) *Catalogue {
	if now == nil {
		now = time.Now
	}
	return &Catalogue{store: store, now: now}
}

// With returns a Catalogue over the same store that looks at products by these rules, which are valid.
func (c *Catalogue) With(rules Rules) *Catalogue {
	return &Catalogue{store: c.store, now: c.now, rules: rules}
}

// Create stores a new product and returns it with its IDs and times, which it assigns. Without SKUs it gets one, made of
// Price, Original and Stock; without a currency it has its store's. Invalid names the field; NotFound: no such store;
// Conflict: a SKU's code is taken.
func (c *Catalogue) Create(ctx context.Context, p Product) (Product, error) {
	const op = "commerce.Create"
	if err := c.prepare(ctx, &p); err != nil {
		return Product{}, errs.Wrap(op, err)
	}
	if err := c.store.CreateProduct(ctx, p); err != nil {
		return Product{}, errs.Wrap(op, err)
	}
	return p, nil
}

// prepare makes a product that is not there yet ready to be stored.
func (c *Catalogue) prepare(ctx context.Context, p *Product) error {
	if p.StoreID == "" {
		p.StoreID = defaultStore
	}
	if p.Price.Currency == "" {
		currency, err := c.store.StoreCurrency(ctx, p.StoreID)
		if err != nil {
			return err
		}
		p.Price.Currency = currency
	}
	p.Title = strings.TrimSpace(p.Title)
	p.ID, p.CreatedAt = ids.New("prod"), c.instant()
	shown := p.Stock
	p.SKUs = append([]SKU(nil), p.SKUs...)
	return c.settle(p, nil, shown)
}

// settle makes a product whole: it names its new SKUs, derives what follows and checks everything. before is the product
// as it was; nil: it is new.
func (c *Catalogue) settle(p, before *Product, shown *int64) error {
	p.summarise()
	if err := p.check(shown); err != nil {
		return err
	}
	for i := range p.SKUs {
		if s := &p.SKUs[i]; s.ID == "" {
			s.ID, s.Available = ids.New("sku"), s.Total
			if !s.Tracked {
				s.Total, s.Available = 0, 0
			}
		}
	}
	p.summarise()
	p.UpdatedAt = c.instant()
	c.audit(p, before)
	return nil
}

func (p *Product) check(shown *int64) error {
	if shown != nil && (*shown < 0 || *shown > MaxStock) {
		return errs.Field("commerce.Product", "stock", "the stock must be 0 to %d pieces", MaxStock)
	}
	return p.Validate()
}

// Get returns a product of any store, or NotFound.
func (c *Catalogue) Get(ctx context.Context, id string) (Product, error) {
	p, err := c.store.Product(ctx, id)
	return p, errs.Wrap("commerce.Get", err)
}

// OfSKU returns the product of a SKU, or NotFound.
func (c *Catalogue) OfSKU(ctx context.Context, skuID string) (Product, error) {
	const op = "commerce.OfSKU"
	found, err := c.store.OfferedSKUs(ctx, []string{skuID})
	if err != nil {
		return Product{}, errs.Wrap(op, err)
	}
	sku, ok := found[skuID]
	if !ok || sku.Deleted {
		return Product{}, errs.New(errs.NotFound, op, "there is no SKU %s", skuID)
	}
	return c.Get(ctx, sku.ProductID)
}

// GetIn returns a product of one store. NotFound: the store has none such.
func (c *Catalogue) GetIn(ctx context.Context, storeID, id string) (Product, error) {
	const op = "commerce.GetIn"
	p, err := c.store.Product(ctx, id)
	if err == nil && p.StoreID != storeID {
		err = errs.New(errs.NotFound, op, "there is no product %s", id)
	}
	if err != nil {
		return Product{}, errs.Wrap(op, err)
	}
	return p, nil
}

// Update changes a product of a store and returns it as it is now. Invalid names the field; NotFound: the store has none
// such; Conflict: a SKU's code is taken. Pins that show the product keep what they showed when it was pinned.
func (c *Catalogue) Update(ctx context.Context, storeID, id string, u ProductUpdate) (Product, error) {
	p, err := c.store.UpdateProduct(ctx, storeID, id, func(p *Product) error {
		before := p.clone()
		if err := u.apply(p); err != nil {
			return err
		}
		return c.settle(p, &before, u.Stock)
	})
	return p, errs.Wrap("commerce.Update", err)
}

// Delete removes a product of a store from the catalogue and from all bags, or returns NotFound. Past and present pins
// stay as they are: the timeline holds its own copy. Orders keep theirs too.
func (c *Catalogue) Delete(ctx context.Context, storeID, id string) error {
	return errs.Wrap("commerce.Delete", c.store.DeleteProduct(ctx, storeID, id))
}

// instant is now as it is stored and shown: whole milliseconds, UTC.
func (c *Catalogue) instant() time.Time { return c.now().UTC().Truncate(time.Millisecond) }
