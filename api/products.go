package api

import (
	"context"
	"maps"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/internal/errs"
)

// ProductPath names a product of a store in an address.
type ProductPath struct {
	StorePath
	Product string `path:"product" doc:"The product's id."`
}

// ProductFields are what a product is made of, beside its SKUs.
type ProductFields struct {
	Points  []string `json:"points,omitempty" maxItems:"10" doc:"Selling points, at most 60 characters each."`
	Images  []string `json:"images,omitempty" maxItems:"15" doc:"Addresses in order, the first is the main one."`
	Display string   `json:"display,omitempty" enum:",one,range,discount" doc:"How the price is shown; without it: by what the SKUs cost."`
	Link    string   `json:"link,omitempty" enum:",checkout,url,mini_program,none" doc:"What the card leads to. Without it the url says: none given is bought here (checkout)."`
}

type productInput struct {
	StorePath
	Body struct {
		ProductFields
		Title    string     `json:"title" minLength:"1" maxLength:"120"`
		Price    int64      `json:"price,omitempty" minimum:"0" doc:"In minor units of the currency, of a product with one SKU."`
		Original int64      `json:"original_price,omitempty" minimum:"0" doc:"What the price is compared with; 0: nothing."`
		Currency string     `json:"currency,omitempty" pattern:"^[A-Z]{3}$" patternDescription:"ISO 4217, such as CNY" doc:"Default: the store's."`
		URL      string     `json:"url,omitempty" maxLength:"2048"`
		ImageURL string     `json:"image_url,omitempty" maxLength:"2048" doc:"The main image, in place of images."`
		Stock    *int64     `json:"stock,omitempty" minimum:"0" doc:"Pieces of a product with one SKU that is bought here; without it they are not counted. Otherwise what is shown."`
		SKUs     []SKUInput `json:"skus,omitempty" maxItems:"200" doc:"Instead of price, original_price and stock."`
	}
}

type productUpdate struct {
	ProductPath
	Body struct {
		Points    *[]string   `json:"points,omitempty" maxItems:"10"`
		Images    *[]string   `json:"images,omitempty" maxItems:"15"`
		Display   *string     `json:"display,omitempty" enum:",one,range,discount"`
		Link      *string     `json:"link,omitempty" enum:"checkout,url,mini_program,none"`
		Title     *string     `json:"title,omitempty" minLength:"1" maxLength:"120"`
		Price     *int64      `json:"price,omitempty" minimum:"0" doc:"Of a product with one SKU."`
		Original  *int64      `json:"original_price,omitempty" minimum:"0" doc:"Of a product with one SKU."`
		Currency  *string     `json:"currency,omitempty" pattern:"^[A-Z]{3}$"`
		URL       *string     `json:"url,omitempty" maxLength:"2048"`
		ImageURL  *string     `json:"image_url,omitempty" maxLength:"2048" doc:"The one image, in place of images."`
		Stock     *int64      `json:"stock,omitempty" minimum:"0" doc:"What is shown of a product that is not bought here."`
		HideStock bool        `json:"hide_stock,omitempty" doc:"Show no stock any more."`
		SKUs      *[]SKUInput `json:"skus,omitempty" maxItems:"200" doc:"All SKUs as they shall be. Those with the id or the code of one are that one; the others are new; those that are missing are sold no longer."`
	}
}

func (s *Server) productOperations() {
	tags := []string{"Products"}
	read, write := staff(account.CatalogueRead), staff(account.CatalogueWrite)
	const path = "/api/v1/stores/{store}/products"
	operation(s, huma.Operation{OperationID: "create-product", Method: http.MethodPost, Path: path, Tags: tags, Security: write, Summary: "Create a product", DefaultStatus: http.StatusCreated}, s.createProduct)
	operation(s, huma.Operation{OperationID: "list-products", Method: http.MethodGet, Path: path, Tags: tags, Security: read, Summary: "List products, newest first"}, s.listProducts)
	operation(s, huma.Operation{OperationID: "get-product", Method: http.MethodGet, Path: path + "/{product}", Tags: tags, Security: read, Summary: "Read a product"},
		func(ctx context.Context, in *ProductPath) (*Body[Product], error) {
			p, err := s.Catalogue.GetIn(ctx, in.Store, in.Product)
			if err != nil {
				return nil, err
			}
			return &Body[Product]{staffProduct(p)}, nil
		})
	operation(s, huma.Operation{OperationID: "update-product", Method: http.MethodPatch, Path: path + "/{product}", Tags: tags, Security: write, Summary: "Change a product", Description: "Shows on air whose bag has it tell their viewers."}, s.updateProduct)
	operation(s, huma.Operation{OperationID: "get-public-product", Method: http.MethodGet, Path: "/api/v1/products/{product}", Tags: []string{"Viewers"}, Security: public, Summary: "Read what a viewer may know of a product", Description: "With all SKUs and the pieces that can be bought now."}, s.publicProduct)
	operation(s, huma.Operation{OperationID: "delete-product", Method: http.MethodDelete, Path: path + "/{product}", Tags: tags, Security: write, Summary: "Delete a product", Description: "Past pins and orders keep what they showed.", DefaultStatus: http.StatusNoContent}, s.deleteProduct)
}

func (s *Server) createProduct(ctx context.Context, in *productInput) (*Body[Product], error) {
	b := in.Body
	if b.ImageURL != "" && len(b.Images) == 0 {
		b.Images = []string{b.ImageURL}
	}
	p, err := s.Catalogue.Create(ctx, commerce.Product{
		StoreID: in.Store, Title: b.Title, Points: b.Points, Images: b.Images, Price: commerce.Money{Amount: b.Price, Currency: b.Currency},
		Original: b.Original, Display: commerce.Display(b.Display), Link: commerce.LinkKind(b.Link), URL: b.URL, Stock: b.Stock, SKUs: skusOf(b.SKUs),
	})
	if err != nil {
		return nil, err
	}
	return &Body[Product]{staffProduct(p)}, nil
}

func (s *Server) listProducts(ctx context.Context, in *struct {
	StorePath
	PageInput
},
) (*Body[Page[Product]], error) {
	return s.productPage(ctx, commerce.ProductFilter{StoreID: in.Store, Cursor: in.After, Limit: in.limit()})
}

func (s *Server) productPage(ctx context.Context, f commerce.ProductFilter) (*Body[Page[Product]], error) {
	list, err := s.Catalogue.List(ctx, f)
	if err != nil {
		return nil, err
	}
	out := Page[Product]{Items: make([]Product, len(list.Products))}
	for i := range list.Products {
		out.Items[i] = staffProduct(list.Products[i])
	}
	if list.Next != "" {
		out.Next = &list.Next
	}
	return &Body[Page[Product]]{out}, nil
}

func (s *Server) updateProduct(ctx context.Context, in *productUpdate) (*Body[Product], error) {
	b := in.Body
	u := commerce.ProductUpdate{
		Title: b.Title, Points: b.Points, Images: b.Images, Currency: b.Currency, Price: b.Price, Original: b.Original,
		Display: (*commerce.Display)(b.Display), URL: b.URL, Link: (*commerce.LinkKind)(b.Link), Stock: b.Stock, HideStock: b.HideStock,
	}
	if b.ImageURL != nil && b.Images == nil {
		u.Images = &[]string{*b.ImageURL}
		if *b.ImageURL == "" {
			u.Images = &[]string{}
		}
	}
	if b.SKUs != nil {
		skus := skusOf(*b.SKUs)
		u.SKUs = &skus
	}
	before, err := s.Catalogue.GetIn(ctx, in.Store, in.Product)
	if err != nil {
		return nil, err
	}
	p, err := s.Catalogue.Update(ctx, in.Store, in.Product, u)
	if err != nil {
		return nil, err
	}
	notePrices(ctx, &before, &p)
	return &Body[Product]{staffProduct(p)}, s.productChanged(ctx, &before, &p)
}

// productChanged tells the viewers of shows on air whose bag has the product. One that the audit takes away or lets
// through changes what the bag shows.
func (s *Server) productChanged(ctx context.Context, before, now *commerce.Product) error {
	rooms, err := s.Catalogue.RoomsWithProduct(ctx, now.ID)
	if err != nil {
		return err
	}
	switch {
	case before.Audit.State != now.Audit.State:
		for _, room := range rooms {
			s.Rooms.BagChanged(ctx, room)
		}
	case now.Audit.State == commerce.Approved:
		s.Rooms.ProductChanged(ctx, now.ID, rooms)
	}
	return nil
}

type publicProductOutput struct {
	AllowOrigin  string `header:"Access-Control-Allow-Origin"`
	CacheControl string `header:"Cache-Control"`
	Body         Product
}

func (s *Server) publicProduct(ctx context.Context, in *struct {
	Product string `path:"product" doc:"The product's id."`
	Show    string `query:"show" doc:"The show whose prices count."`
},
) (*publicProductOutput, error) {
	p, err := s.Catalogue.ForShow(ctx, in.Show, in.Product)
	if errs.KindOf(err) == errs.Conflict { // why is its store's business
		err = errs.As(errs.NotFound, "api.publicProduct", err, "the product is not sold for now")
	}
	if err != nil {
		return nil, err
	}
	return &publicProductOutput{AllowOrigin: "*", CacheControl: "no-store", Body: product(p)}, nil
}

// notePrices tells the audit log which prices changed, by SKU.
func notePrices(ctx context.Context, before, after *commerce.Product) {
	was, is := map[string]int64{}, map[string]int64{}
	for _, k := range before.SKUs {
		was[k.ID] = k.Price
	}
	for _, k := range after.SKUs {
		is[k.ID] = k.Price
	}
	if !maps.Equal(was, is) {
		noteChange(ctx, "prices", was, is)
	}
	if before.Price.Currency != after.Price.Currency {
		noteChange(ctx, "currency", before.Price.Currency, after.Price.Currency)
	}
}

func (s *Server) deleteProduct(ctx context.Context, in *ProductPath) (*Empty, error) {
	rooms, err := s.Catalogue.RoomsWithProduct(ctx, in.Product)
	if err != nil {
		return nil, err
	}
	if err := s.Catalogue.Delete(ctx, in.Store, in.Product); err != nil {
		return nil, err
	}
	for _, room := range rooms {
		s.Rooms.BagChanged(ctx, room)
	}
	return &Empty{}, nil
}
