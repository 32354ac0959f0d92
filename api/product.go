package api

import (
	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/overlay"
)

// Product is a product as the API shows it.
type Product struct {
	ID        string   `json:"id" example:"prod_0123456789abcdef"`
	StoreID   string   `json:"store_id"`
	Title     string   `json:"title"`
	Points    []string `json:"points" doc:"Selling points."`
	Price     int64    `json:"price" doc:"In minor units of the currency: 19900 CNY is 199.00 yuan. The lowest of the SKUs."`
	PriceMax  int64    `json:"price_max" doc:"The highest of the SKUs."`
	Original  int64    `json:"original_price,omitempty" doc:"What the price is compared with; absent: nothing."`
	ShowPrice *int64   `json:"show_price,omitempty" doc:"The lowest in the show that was asked about; absent: none holds."`
	Currency  string   `json:"currency" doc:"ISO 4217."`
	Display   string   `json:"display" enum:"one,range,discount" doc:"How the price is shown."`
	Link      string   `json:"link" enum:"checkout,url,mini_program,none" doc:"What the card leads to: checkout is bought here."`
	URL       string   `json:"url" doc:"Where a viewer buys it; empty unless the link is url or mini_program."`
	ImageURL  string   `json:"image_url" doc:"The main image."`
	Images    []string `json:"images" doc:"All images in order."`
	Stock     *int64   `json:"stock,omitempty" doc:"As shown to viewers; absent: not shown. What is bought here is counted: the available pieces of all SKUs."`
	SKUCount  int      `json:"sku_count"`
	SKUs      []SKU    `json:"skus,omitempty" doc:"Absent in lists for viewers."`
	Audit     *Audit   `json:"audit,omitempty" doc:"For staff."`
	CreatedAt string   `json:"created_at"`
	UpdatedAt string   `json:"updated_at"`
}

// SKU is one variant of a product as the API shows it.
type SKU struct {
	ID         string      `json:"id" example:"sku_0123456789abcdef"`
	Code       string      `json:"code,omitempty" doc:"The merchant's own; for staff."`
	Attributes []Attribute `json:"attributes" doc:"In the order in which a buyer chooses."`
	Price      int64       `json:"price"`
	Original   int64       `json:"original_price,omitempty"`
	ShowPrice  *int64      `json:"show_price,omitempty" doc:"In the show that was asked about."`
	PerBuyer   int64       `json:"per_buyer,omitempty" doc:"Pieces that one buyer may have; absent: any number."`
	Tracked    bool        `json:"tracked" doc:"Whether its pieces are counted."`
	Stock      *int64      `json:"stock,omitempty" doc:"Pieces that can be bought now; absent: not counted."`
}

// Attribute is one property in which SKUs differ.
type Attribute struct {
	Name  string `json:"name" minLength:"1" maxLength:"40"`
	Value string `json:"value" minLength:"1" maxLength:"40"`
}

// SKUInput is a SKU as it shall be.
type SKUInput struct {
	ID         string      `json:"id,omitempty" doc:"Of one that the product has; leave it out for a new one."`
	Code       string      `json:"code,omitempty" maxLength:"64" doc:"The merchant's own, unique in the store."`
	Attributes []Attribute `json:"attributes,omitempty" maxItems:"10"`
	Price      int64       `json:"price" minimum:"0" doc:"In minor units of the product's currency."`
	Original   int64       `json:"original_price,omitempty" minimum:"0"`
	PerBuyer   int64       `json:"per_buyer,omitempty" minimum:"0" doc:"0: any number."`
	Tracked    *bool       `json:"tracked,omitempty" doc:"Whether its pieces are counted. Default true."`
	Stock      int64       `json:"stock,omitempty" minimum:"0" doc:"Pieces that a new SKU begins with. Those of others change at /products/{product}/stock."`
}

// Audit is what the rules, and whoever looked after them, say of a product.
type Audit struct {
	State   string        `json:"state" enum:"approved,flagged,rejected" doc:"Only approved products are pinned and sold."`
	Reasons []AuditReason `json:"reasons" doc:"Why it is flagged."`
	Note    string        `json:"note,omitempty" doc:"Of the person who decided last."`
	By      string        `json:"by,omitempty"`
	At      *string       `json:"at,omitempty"`
}

// AuditReason is one thing that a rule found.
type AuditReason struct {
	Rule   string `json:"rule" example:"claim"`
	Field  string `json:"field" example:"title"`
	Detail string `json:"detail"`
}

// product is what anybody may know of a product.
func product(p commerce.Product) Product {
	out := Product{
		ID: p.ID, StoreID: p.StoreID, Title: p.Title, Points: append([]string{}, p.Points...), Price: p.Price.Amount, PriceMax: p.PriceMax, Original: p.Original,
		ShowPrice: p.ShowPrice, Currency: p.Price.Currency, Display: string(p.Shown()), Link: string(p.Link), URL: p.URL, ImageURL: p.Image(),
		Images: append([]string{}, p.Images...), Stock: p.Stock, SKUCount: p.SKUCount,
		CreatedAt: overlay.FormatWall(p.CreatedAt), UpdatedAt: overlay.FormatWall(p.UpdatedAt),
	}
	for i := range p.SKUs {
		out.SKUs = append(out.SKUs, skuOf(&p.SKUs[i]))
	}
	return out
}

// staffProduct adds what its store's staff know.
func staffProduct(p commerce.Product) Product {
	out := product(p)
	for i := range p.SKUs {
		out.SKUs[i].Code = p.SKUs[i].Code
	}
	out.Audit = &Audit{State: string(p.Audit.State), Reasons: make([]AuditReason, len(p.Audit.Reasons)), Note: p.Audit.Note, By: p.Audit.By, At: optionalTime(p.Audit.At)}
	for i, r := range p.Audit.Reasons {
		out.Audit.Reasons[i] = AuditReason(r)
	}
	return out
}

func products(ps []commerce.Product) []Product {
	out := make([]Product, len(ps))
	for i := range ps {
		out[i] = product(ps[i])
	}
	return out
}

func staffProducts(ps []commerce.Product) []Product {
	out := make([]Product, len(ps))
	for i := range ps {
		out[i] = staffProduct(ps[i])
	}
	return out
}

func skuOf(s *commerce.SKU) SKU {
	out := SKU{
		ID: s.ID, Attributes: make([]Attribute, len(s.Attributes)), Price: s.Price, Original: s.Original, ShowPrice: s.ShowPrice, PerBuyer: s.PerBuyer, Tracked: s.Tracked,
	}
	for i, a := range s.Attributes {
		out.Attributes[i] = Attribute(a)
	}
	if s.Tracked {
		out.Stock = new(s.Available)
	}
	return out
}

func skusOf(in []SKUInput) []commerce.SKU {
	var skus []commerce.SKU
	for _, s := range in {
		sku := commerce.SKU{
			ID: s.ID, Code: s.Code, Price: s.Price, Original: s.Original, PerBuyer: s.PerBuyer, Tracked: s.Tracked == nil || *s.Tracked, Total: s.Stock,
		}
		for _, a := range s.Attributes {
			sku.Attributes = append(sku.Attributes, commerce.Attribute(a))
		}
		skus = append(skus, sku)
	}
	return skus
}
