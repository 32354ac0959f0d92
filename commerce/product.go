package commerce

import (
	"cmp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// The limits of a product's fields.
const (
	MaxTitle  = 120           // characters
	MaxURL    = 2048          // bytes
	MaxStock  = 1_000_000_000 // pieces
	MaxPoints = 10            // selling points
	MaxPoint  = 60            // characters of one
	MaxImages = 15
)

// defaultStore is account.DefaultStore, whose package stands above this one.
const defaultStore = "store_default"

// Display says how a product's price is shown.
type Display string

// The displays of a price.
const (
	DisplayAuto     Display = ""         // by what the SKUs cost
	DisplayOne      Display = "one"      // the lowest price
	DisplayRange    Display = "range"    // from the lowest to the highest
	DisplayDiscount Display = "discount" // the lowest, and the original price that it is compared with
)

// Product is one thing that a shop shows and sells, in one or more variants: its SKUs.
type Product struct {
	ID      string // "prod_…"
	StoreID string
	Title   string   // 1 to MaxTitle characters on one line
	Points  []string // selling points, each on one line
	Images  []string // in order, the first is the main one; see CheckImageURL
	// Price is the lowest of the SKUs; all have its currency.
	Price    Money
	PriceMax int64    // the highest of the SKUs
	Original int64    // the original price of the cheapest SKU; 0: none
	Display  Display  // as the merchant chose it; see Shown
	Link     LinkKind // what its card leads to
	URL      string   // where to, see CheckURL; empty unless Link is LinkURL or LinkMiniProgram
	// Stock is the pieces left as shown to viewers; nil: not shown. Where it is bought here, they are the available
	// pieces of its SKUs, and not shown if those of one are not counted. Otherwise they are set by hand.
	Stock *int64
	// SKUs are in the order in which buyers see them. They are nil in a bag, where SKUCount says how many there are.
	SKUs     []SKU
	SKUCount int
	// ShowPrice is the lowest price in the show that was asked about, where one holds; nil: none.
	ShowPrice *int64
	Audit     Audit

	CreatedAt time.Time
	UpdatedAt time.Time
}

// Image is the main image; empty: none.
func (p *Product) Image() string {
	if len(p.Images) == 0 {
		return ""
	}
	return p.Images[0]
}

// Shown is how the price is shown: as chosen, or by what the SKUs cost.
func (p *Product) Shown() Display {
	switch {
	case p.Display != DisplayAuto:
		return p.Display
	case p.PriceMax > p.Price.Amount:
		return DisplayRange
	case p.Original > p.Price.Amount:
		return DisplayDiscount
	}
	return DisplayOne
}

// Tracked reports whether the pieces of all its SKUs are counted.
func (p *Product) Tracked() bool {
	return !slices.ContainsFunc(p.SKUs, func(s SKU) bool { return !s.Tracked })
}

// clone is a copy that shares nothing that a change replaces in part.
func (p *Product) clone() Product {
	c := *p
	c.SKUs = slices.Clone(p.SKUs)
	return c
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
	if err := p.checkLink(op); err != nil {
		return err
	}
	if err := checkImages(op, p.Images); err != nil {
		return err
	}
	if p.Stock != nil && (*p.Stock < 0 || *p.Stock > MaxStock) {
		return errs.Field(op, "stock", "the stock must be 0 to %d pieces", MaxStock)
	}
	if err := checkPoints(op, p.Points); err != nil {
		return err
	}
	if err := checkSKUs(op, p.SKUs); err != nil {
		return err
	}
	return p.checkDisplay(op)
}

// summarise makes the fields that follow from others. A product without SKUs gets the one that its simple fields tell of.
func (p *Product) summarise() {
	if p.Link == "" {
		p.Link = LinkOf(p.URL)
	}
	if len(p.SKUs) == 0 {
		sku := SKU{Price: p.Price.Amount, Original: p.Original}
		if p.Link == LinkCheckout && p.Stock != nil {
			sku.Tracked, sku.Total = true, *p.Stock
		}
		p.SKUs = []SKU{sku}
	}
	cheapest := slices.MinFunc(p.SKUs, func(a, b SKU) int { return cmp.Compare(a.Price, b.Price) })
	p.Price.Amount, p.Original, p.SKUCount = cheapest.Price, cheapest.Original, len(p.SKUs)
	p.PriceMax = 0
	for i := range p.SKUs {
		p.PriceMax = max(p.PriceMax, p.SKUs[i].Price)
	}
	if p.Link == LinkCheckout {
		p.Stock = p.counted()
	}
}

// counted is the available pieces of all SKUs; nil where one is not counted.
func (p *Product) counted() *int64 {
	if !p.Tracked() {
		return nil
	}
	var n int64
	for i := range p.SKUs {
		n += p.SKUs[i].Available
	}
	return &n
}

func (p *Product) checkDisplay(op string) error {
	switch p.Display {
	case DisplayAuto, DisplayOne, DisplayRange:
		return nil
	case DisplayDiscount:
		if p.Original <= p.Price.Amount {
			return errs.Field(op, "display", "a discount needs an original price above the price")
		}
		return nil
	}
	return errs.Field(op, "display", "the display is one, range or discount, or empty for the one that fits")
}

func checkPoints(op string, points []string) error {
	if len(points) > MaxPoints {
		return errs.Field(op, "points", "a product has at most %d selling points", MaxPoints)
	}
	for _, point := range points {
		if point == "" {
			return errs.Field(op, "points", "a selling point is empty")
		}
		if err := checkText(op, "points", point, MaxPoint); err != nil {
			return err
		}
	}
	return nil
}

func checkImages(op string, images []string) error {
	if len(images) > MaxImages {
		return errs.Field(op, "images", "a product has at most %d images", MaxImages)
	}
	for _, image := range images {
		if image == "" {
			return errs.Field(op, "images", "an image's address is empty")
		}
		if err := CheckImageURL(image); err != nil {
			return err
		}
	}
	return nil
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
