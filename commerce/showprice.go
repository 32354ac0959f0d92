package commerce

import (
	"context"
	"slices"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/ids"
)

// MaxReplayHours is the longest that a show price can outlive its show: a year.
const MaxReplayHours = 366 * 24

// ShowPrice is the price of a SKU in one show: while the show is live or interrupted, and for ReplayHours after its end.
type ShowPrice struct {
	ID          string // "shp_…"
	StoreID     string
	ShowID      string
	SKU         string
	ProductID   string // the SKU's; the store knows it
	Price       int64  // minor units of the product's currency
	ReplayHours int64  // 0: it ends with the show
}

// Holds reports whether a price with so many replay hours holds in the show at an instant.
func (p *ShowPrice) Holds(show *Show, at time.Time) bool {
	return show.OnAir() || show.Ended() && at.Before(show.EndedAt.Add(time.Duration(p.ReplayHours)*time.Hour))
}

// pricesIn returns the prices that hold in a show at an instant, by SKU. There are none in no show.
func (c *Catalogue) pricesIn(ctx context.Context, showID string, at time.Time) (map[string]ShowPrice, error) {
	if showID == "" {
		return nil, nil //nolint:nilnil // no show has no prices
	}
	prices, err := c.store.ShowPrices(ctx, showID)
	if err != nil || len(prices) == 0 {
		return nil, err
	}
	show, err := c.store.ShopShow(ctx, showID)
	if err != nil {
		return nil, err
	}
	hold := make(map[string]ShowPrice, len(prices))
	for _, p := range prices {
		if p.Holds(&show, at) {
			hold[p.SKU] = p
		}
	}
	return hold, nil
}

// ForShow returns a product as a show presents it, with the prices that hold there now; showID may be empty. NotFound: no
// such product, or the show is another store's. Conflict: the audit keeps it from being shown, and the message says what
// to do.
func (c *Catalogue) ForShow(ctx context.Context, showID, productID string) (Product, error) {
	const op = "commerce.ForShow"
	p, err := c.store.Product(ctx, productID)
	if err != nil {
		return Product{}, errs.Wrap(op, err)
	}
	if err := p.showable(op); err != nil {
		return Product{}, err
	}
	if showID == "" {
		return p, nil
	}
	show, err := c.store.ShopShow(ctx, showID)
	if err != nil {
		return Product{}, errs.Wrap(op, err)
	}
	if show.StoreID != p.StoreID {
		return Product{}, errs.New(errs.NotFound, op, "the show's store has no product %s", productID)
	}
	return p, c.price(ctx, showID, []*Product{&p})
}

// BagFor returns what viewers see of a room's bag: the products that the audit lets through, in order, with the prices
// that hold now in a show; showID may be empty. NotFound: no such room.
func (c *Catalogue) BagFor(ctx context.Context, roomID, showID string) ([]Product, error) {
	const op = "commerce.BagFor"
	bag, err := c.store.Bag(ctx, roomID)
	if err != nil {
		return nil, errs.Wrap(op, err)
	}
	bag = slices.DeleteFunc(bag, func(p Product) bool { return p.Audit.State != Approved })
	all := make([]*Product, len(bag))
	for i := range bag {
		all[i] = &bag[i]
	}
	return bag, errs.Wrap(op, c.price(ctx, showID, all))
}

// price puts the prices that hold in a show into products and their SKUs.
func (c *Catalogue) price(ctx context.Context, showID string, products []*Product) error {
	prices, err := c.pricesIn(ctx, showID, c.now())
	if err != nil || len(prices) == 0 {
		return err
	}
	lowest := map[string]int64{}
	for _, sp := range prices {
		if low, ok := lowest[sp.ProductID]; !ok || sp.Price < low {
			lowest[sp.ProductID] = sp.Price
		}
	}
	for _, p := range products {
		if low, ok := lowest[p.ID]; ok && low < p.Price.Amount {
			p.ShowPrice = &low
		}
		for i := range p.SKUs {
			if sp, ok := prices[p.SKUs[i].ID]; ok {
				p.SKUs[i].ShowPrice = &sp.Price
			}
		}
	}
	return nil
}

// ShowPrices lists the prices of a show, by SKU.
func (c *Catalogue) ShowPrices(ctx context.Context, showID string) ([]ShowPrice, error) {
	prices, err := c.store.ShowPrices(ctx, showID)
	return prices, errs.Wrap("commerce.ShowPrices", err)
}

// SetShowPrice sets the price of a SKU in a show, in place of the one it has there, and returns it. NotFound: no such
// show, or no such SKU in the show's store. Invalid names "price" or "replay_hours".
func (c *Catalogue) SetShowPrice(ctx context.Context, p ShowPrice) (ShowPrice, error) {
	const op = "commerce.SetShowPrice"
	show, err := c.store.ShopShow(ctx, p.ShowID)
	if err != nil {
		return ShowPrice{}, errs.Wrap(op, err)
	}
	found, err := c.store.OfferedSKUs(ctx, []string{p.SKU})
	if err != nil {
		return ShowPrice{}, errs.Wrap(op, err)
	}
	sku, ok := found[p.SKU]
	switch {
	case !ok || sku.Deleted || sku.StoreID != show.StoreID:
		return ShowPrice{}, errs.New(errs.NotFound, op, "the show's store has no SKU %s", p.SKU)
	case p.Price < 0 || p.Price > MaxAmount:
		return ShowPrice{}, errs.Field(op, "price", "the price must be 0 to %d minor units of its currency", MaxAmount)
	case p.Price > sku.Price:
		return ShowPrice{}, errs.Field(op, "price", "the price in a show must not be above the usual one, %d", sku.Price)
	case p.ReplayHours < 0 || p.ReplayHours > MaxReplayHours:
		return ShowPrice{}, errs.Field(op, "replay_hours", "the price may outlive the show by 0 to %d hours", MaxReplayHours)
	}
	p.ID, p.StoreID = ids.New("shp"), show.StoreID
	p, err = c.store.SetShowPrice(ctx, p)
	return p, errs.Wrap(op, err)
}

// DeleteShowPrice takes the price of a SKU in a show away. NotFound: there is none.
func (c *Catalogue) DeleteShowPrice(ctx context.Context, showID, skuID string) error {
	return errs.Wrap("commerce.DeleteShowPrice", c.store.DeleteShowPrice(ctx, showID, skuID))
}
