package order

import (
	"context"
	"slices"
	"time"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/commerce/pricing"
	"github.com/vitrine-live/vitrine/commerce/stock"
	"github.com/vitrine-live/vitrine/internal/errs"
)

// Cart is what somebody wants of one store.
type Cart struct {
	StoreID  string
	ViewerID string
	Lines    []CartLine
	ShowID   string   // whose prices and allotments count; empty: none
	Claims   []string // coupons to use
	Best     bool     // use the coupons that save most instead
}

// CartLine is one SKU of a cart.
type CartLine struct {
	SKU         string
	Quantity    int64
	Attribution commerce.Attribution
}

// Quote is what a cart costs now.
type Quote struct {
	pricing.Quote
	StoreID     string
	ShippingFee int64
	Goods       []commerce.Sellable // of all lines of the cart, in their order
	// Total is what is to be paid; it covers pricing.Quote's with the shipping.
	Total int64
}

// Codes of rejections beside those of pricing.
const (
	RejectedRefused = "refused"  // it may not be sold
	RejectedSoldOut = "sold_out" // not as many are left
	RejectedLimit   = "limit"    // more than one buyer may have
)

// Changed says that an order would cost, or hold, something else than its buyer agreed to. It is an errs.Conflict.
type Changed struct{ Quote Quote }

// Error implements error.
func (e *Changed) Error() string { return "the price changed" }

// Unwrap makes it a Conflict.
func (e *Changed) Unwrap() error {
	return errs.New(errs.Conflict, "order.Place", "what you ordered has changed in price or cannot be had as it was: look at the new prices")
}

// priced is a quote with what placing needs beside it.
type priced struct {
	Quote
	flash map[string]Flash
	pools map[string][]stock.Pool // of tracked SKUs, those set aside for the show first
}

// Quote returns what a cart costs. What cannot be had, or does not apply, stands in Rejected with the reason. Invalid
// names the field; NotFound an unknown SKU.
func (s *Service) Quote(ctx context.Context, c Cart) (Quote, error) {
	p, err := s.price(ctx, &c, s.at())
	if err != nil {
		return Quote{}, errs.Wrap("order.Quote", err)
	}
	p.rejectSoldOut(&c)
	return p.Quote, nil
}

func (s *Service) price(ctx context.Context, c *Cart, at time.Time) (*priced, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	if err := s.checkShows(ctx, c); err != nil {
		return nil, err
	}
	skus := make([]string, len(c.Lines))
	for i, l := range c.Lines {
		skus[i] = l.SKU
	}
	p := &priced{Quote: Quote{StoreID: c.StoreID}, flash: map[string]Flash{}}
	var err error
	if p.Goods, err = s.Goods.Sellable(ctx, skus, c.ShowID, at); err != nil {
		return nil, err
	}
	if err := checkGoods(c, p.Goods); err != nil {
		return nil, err
	}
	in := pricing.Input{Currency: p.Goods[0].Currency, Best: c.Best, Now: at}
	if s.Offers != nil {
		if p.flash, err = s.Offers.FlashFor(ctx, skus, c.ViewerID, at); err != nil {
			return nil, err
		}
		if in.Coupons, err = s.coupons(ctx, c, at); err != nil {
			return nil, err
		}
	}
	if p.pools, err = s.Store.PoolsForSale(ctx, c.ShowID, skus); err != nil {
		return nil, err
	}
	refused := []pricing.Rejection{}
	for i, l := range c.Lines {
		if r := refusedLine(&p.Goods[i], l); r != nil {
			refused = append(refused, *r)
			continue
		}
		in.Lines = append(in.Lines, p.line(&p.Goods[i], l))
	}
	p.Quote.Quote = pricing.Price(in)
	p.Rejected = append(refused, p.Rejected...)
	p.Total = p.Quote.Quote.Total + p.ShippingFee
	return p, nil
}

func (s *Service) coupons(ctx context.Context, c *Cart, at time.Time) ([]pricing.Coupon, error) {
	switch {
	case c.Best:
		return s.Offers.Coupons(ctx, c.StoreID, c.ViewerID, nil, at)
	case len(c.Claims) > 0:
		return s.Offers.Coupons(ctx, c.StoreID, c.ViewerID, c.Claims, at)
	}
	return nil, nil
}

// line is a line of the cart with the prices that may hold for it.
func (p *priced) line(g *commerce.Sellable, l CartLine) pricing.Line {
	out := pricing.Line{SKU: g.SKU, ProductID: g.ProductID, Quantity: l.Quantity, List: g.Price}
	if g.Show != nil {
		out.Show = &pricing.Special{Ref: g.Show.Ref, Unit: g.Show.Unit, Limit: -1}
	}
	if f, ok := p.flash[g.SKU]; ok {
		out.Flash = &pricing.Special{Ref: f.ID, Unit: f.Unit, Limit: f.PerBuyerLeft}
	}
	return out
}

func refusedLine(g *commerce.Sellable, l CartLine) *pricing.Rejection {
	switch {
	case g.Refused != "":
		return &pricing.Rejection{SKU: g.SKU, Code: RejectedRefused, Message: g.Refused}
	case g.PerBuyer > 0 && l.Quantity > g.PerBuyer:
		return &pricing.Rejection{SKU: g.SKU, Code: RejectedLimit, Message: "one buyer may have fewer pieces of it"}
	}
	return nil
}

// rejectSoldOut adds what cannot be had any more to a quote that is only looked at: its prices stay.
func (p *priced) rejectSoldOut(c *Cart) {
	for i, g := range p.Goods {
		if !g.Tracked || slices.ContainsFunc(p.Rejected, func(r pricing.Rejection) bool { return r.SKU == g.SKU }) {
			continue
		}
		enough := func(pool stock.Pool) bool { return pool.Available >= c.Lines[i].Quantity }
		if !slices.ContainsFunc(p.candidates(g.SKU), enough) {
			p.Rejected = append(p.Rejected, pricing.Rejection{SKU: g.SKU, Code: RejectedSoldOut, Message: "not as many are left: take fewer, or look again in a while"})
		}
	}
}

// candidates are the pools that a line may take its pieces from: that of the flash sale whose price it has, else the
// show's, else the main one.
func (p *priced) candidates(sku string) (pools []stock.Pool) {
	flash := ""
	for _, l := range p.Lines {
		if l.SKU == sku && l.Source == pricing.FlashPrice {
			flash = p.flash[sku].PoolID
		}
	}
	for _, pool := range p.pools[sku] {
		if flash == "" && pool.Kind != stock.Flash || flash != "" && pool.ID == flash {
			pools = append(pools, pool)
		}
	}
	return pools
}

func (c *Cart) validate() error {
	const op = "order.Quote"
	if len(c.Lines) == 0 || len(c.Lines) > MaxLines {
		return errs.Field(op, "lines", "an order has 1 to %d lines", MaxLines)
	}
	seen := map[string]bool{}
	for i := range c.Lines {
		l := &c.Lines[i]
		switch {
		case l.SKU == "":
			return errs.Field(op, "lines", "line %d names no SKU", i+1)
		case seen[l.SKU]:
			return errs.Field(op, "lines", "the SKU %s stands in two lines: put its pieces into one", l.SKU)
		case l.Quantity < 1 || l.Quantity > MaxQuantity:
			return errs.Field(op, "lines", "line %d asks for %d pieces: 1 to %d are possible", i+1, l.Quantity, MaxQuantity)
		}
		if err := checkAttribution(op, &l.Attribution); err != nil {
			return err
		}
		seen[l.SKU] = true
	}
	return nil
}

const maxAttribution = 64 // characters of a word of an attribution

func checkAttribution(op string, a *commerce.Attribution) error {
	for _, word := range []string{a.ShowID, a.PinID, a.ShareCode, a.Channel} {
		if len(word) > maxAttribution || !plain(word) {
			return errs.Field(op, "attribution", "words of an attribution are plain text of at most %d bytes", maxAttribution)
		}
	}
	if a.Source != "" && !a.Source.Valid() {
		return errs.Field(op, "attribution", "the source %q is not one", string(a.Source))
	}
	a.ShowTimeMS = max(a.ShowTimeMS, 0)
	return nil
}

// checkShows makes sure that the show whose prices count is of this store. An attribution to a show of another store, or
// to none there is, is forgotten: it would only spoil somebody's report.
func (s *Service) checkShows(ctx context.Context, c *Cart) error {
	known := map[string]bool{"": true}
	ours := func(id string) (bool, error) {
		if is, asked := known[id]; asked {
			return is, nil
		}
		if s.Shows == nil {
			return false, nil
		}
		show, err := s.Shows.ShopShow(ctx, id)
		if err != nil && errs.KindOf(err) != errs.NotFound {
			return false, err
		}
		known[id] = err == nil && show.StoreID == c.StoreID
		return known[id], nil
	}
	if is, err := ours(c.ShowID); err != nil {
		return err
	} else if !is {
		return errs.Field("order.Quote", "show_id", "there is no show %s of this store", c.ShowID)
	}
	for i := range c.Lines {
		a := &c.Lines[i].Attribution
		is, err := ours(a.ShowID)
		if err != nil {
			return err
		}
		if !is {
			a.ShowID, a.PinID, a.ShowTimeMS = "", "", 0
		}
	}
	return nil
}

// checkGoods makes sure that a cart is of one store and one currency.
func checkGoods(c *Cart, all []commerce.Sellable) error {
	const op = "order.Quote"
	for i := range all {
		g := &all[i]
		if g.StoreID != c.StoreID {
			return errs.Field(op, "lines", "%s is of another store: order it there, an order is of one store", g.SKU)
		}
		if g.Currency != all[0].Currency {
			return errs.Field(op, "lines", "%s is sold in %s and %s in %s: order them apart", all[0].SKU, all[0].Currency, g.SKU, g.Currency)
		}
	}
	return nil
}
