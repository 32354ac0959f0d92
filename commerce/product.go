package commerce

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// The limits of a product's fields.
const (
	MaxTitle = 120           // characters
	MaxURL   = 2048          // bytes
	MaxStock = 1_000_000_000 // pieces
)

// Product is one thing that a shop shows and sells.
type Product struct {
	ID       string // "prod_…"
	Title    string // 1 to MaxTitle characters on one line
	ImageURL string // see CheckImageURL; empty: no picture
	Price    Money
	URL      string // where the viewer goes to buy, see CheckURL; empty: the card leads nowhere
	Stock    *int64 // pieces left as shown to viewers, at least 0; nil: not shown

	CreatedAt time.Time
	UpdatedAt time.Time
}

// Validate returns an Invalid error that names the first field that breaks a rule.
func (p *Product) Validate() error {
	const op = "commerce.Product"
	if err := checkTitle(op, p.Title); err != nil {
		return err
	}
	if err := p.Price.Validate(); err != nil {
		return err
	}
	if err := CheckURL(p.URL); err != nil {
		return err
	}
	if err := CheckImageURL(p.ImageURL); err != nil {
		return err
	}
	if p.Stock != nil && (*p.Stock < 0 || *p.Stock > MaxStock) {
		return errs.Field(op, "stock", "the stock must be 0 to %d pieces", MaxStock)
	}
	return nil
}

// ProductUpdate is a partial change of a product; nil fields stay as they are.
type ProductUpdate struct {
	Title    *string
	ImageURL *string
	Price    *Money
	URL      *string
	Stock    *int64
	// HideStock takes the stock off the product, so that it is shown no longer. It goes before Stock.
	HideStock bool
}

// apply changes p; the result still has to be validated.
func (u *ProductUpdate) apply(p *Product) {
	if u.Title != nil {
		p.Title = strings.TrimSpace(*u.Title)
	}
	if u.ImageURL != nil {
		p.ImageURL = *u.ImageURL
	}
	if u.Price != nil {
		p.Price = *u.Price
	}
	if u.URL != nil {
		p.URL = *u.URL
	}
	if u.HideStock {
		p.Stock = nil
	}
	if u.Stock != nil {
		stock := *u.Stock
		p.Stock = &stock
	}
}

func checkTitle(op, title string) error {
	switch {
	case !utf8.ValidString(title) || strings.ContainsFunc(title, unicode.IsControl):
		return errs.Field(op, "title", "the title must be plain text on one line")
	case strings.TrimSpace(title) == "":
		return errs.Field(op, "title", "the title is empty")
	case utf8.RuneCountInString(title) > MaxTitle:
		return errs.Field(op, "title", "the title must be at most %d characters", MaxTitle)
	}
	return nil
}
