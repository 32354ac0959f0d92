package commerce

import (
	"slices"
	"strings"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// ProductUpdate is a partial change of a product; nil fields stay as they are.
type ProductUpdate struct {
	Title  *string
	Points *[]string
	Images *[]string
	// Currency is that of all prices.
	Currency *string
	// Price and Original are those of the one SKU of a product that has no more.
	Price    *int64
	Original *int64
	Display  *Display
	// URL and Link go together: an address alone says what kind it is, and an empty one means that it is bought here.
	URL  *string
	Link *LinkKind
	// Stock is what is shown of a product that is not bought here; HideStock takes it off and goes before Stock.
	Stock     *int64
	HideStock bool
	// SKUs replaces all SKUs: those with an ID or a code that the product has are changed, others are new, and those not
	// named are sold no longer. Total counts for new ones alone.
	SKUs *[]SKU
}

// apply changes p; the result still has to be summarised and validated.
func (u *ProductUpdate) apply(p *Product) error {
	const op = "commerce.Update"
	set(&p.Points, u.Points)
	set(&p.Images, u.Images)
	set(&p.Price.Currency, u.Currency)
	set(&p.Display, u.Display)
	if u.Title != nil {
		p.Title = strings.TrimSpace(*u.Title)
	}
	was := p.Link
	u.applyLink(p)
	if u.SKUs != nil {
		if err := replaceSKUs(op, p, *u.SKUs); err != nil {
			return err
		}
	} else if p.Link == LinkCheckout && was != LinkCheckout {
		p.count()
	}
	if err := u.applyPrice(op, p); err != nil {
		return err
	}
	return u.applyStock(op, p)
}

func (u *ProductUpdate) applyLink(p *Product) {
	if u.URL != nil {
		p.URL = *u.URL
		p.Link = LinkOf(p.URL)
	}
	if u.Link != nil {
		p.Link = *u.Link
		if u.URL == nil && (p.Link == LinkCheckout || p.Link == LinkNone) {
			p.URL = ""
		}
	}
}

// count begins to count the pieces of SKUs that nobody could buy here until now: none are there before some are set.
func (p *Product) count() {
	for i := range p.SKUs {
		p.SKUs[i].Tracked = true
	}
}

func (u *ProductUpdate) applyPrice(op string, p *Product) error {
	if u.Price == nil && u.Original == nil {
		return nil
	}
	if len(p.SKUs) != 1 {
		return errs.Field(op, "price", "the product has %d SKUs: give the prices in skus", len(p.SKUs))
	}
	set(&p.SKUs[0].Price, u.Price)
	set(&p.SKUs[0].Original, u.Original)
	return nil
}

func (u *ProductUpdate) applyStock(op string, p *Product) error {
	if p.Link == LinkCheckout {
		if u.Stock != nil || u.HideStock {
			return errs.Field(op, "stock", "the product is bought here, so its pieces are counted: set them with PUT .../products/%s/stock", p.ID)
		}
		return nil
	}
	if u.HideStock {
		p.Stock = nil
	}
	if u.Stock != nil {
		p.Stock = new(*u.Stock)
	}
	return nil
}

// replaceSKUs puts skus in the place of those of p; the ones that p has keep their ids and pieces.
func replaceSKUs(op string, p *Product, skus []SKU) error {
	if len(skus) == 0 {
		return errs.Field(op, "skus", "a product has 1 to %d SKUs", MaxSKUs)
	}
	skus = slices.Clone(skus)
	for i := range skus {
		s := &skus[i]
		at := slices.IndexFunc(p.SKUs, func(old SKU) bool {
			return s.ID == old.ID || s.ID == "" && s.Code != "" && s.Code == old.Code
		})
		if at < 0 {
			if s.ID != "" {
				return errs.Field(op, "skus", "the product has no SKU %s; leave the id of a new one out", s.ID)
			}
			s.Available = 0
			continue
		}
		old := p.SKUs[at]
		s.ID, s.Total, s.Available = old.ID, old.Total, old.Available
		if slices.ContainsFunc(skus[:i], func(b SKU) bool { return b.ID == s.ID }) {
			return errs.Field(op, "skus", "the SKU %s stands twice", s.ID)
		}
	}
	p.SKUs = skus
	return nil
}

func set[T any](field, value *T) {
	if value != nil {
		*field = *value
	}
}
