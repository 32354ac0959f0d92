package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/overlay"
)

// Product is a product as the API shows it.
type Product struct {
	ID        string `json:"id" example:"prod_0123456789abcdef"`
	Title     string `json:"title"`
	Price     int64  `json:"price" doc:"In minor units of the currency: 19900 CNY is 199.00 yuan."`
	Currency  string `json:"currency" doc:"ISO 4217."`
	URL       string `json:"url" doc:"Where a viewer buys it."`
	ImageURL  string `json:"image_url"`
	Stock     *int64 `json:"stock,omitempty" doc:"As shown to viewers; absent: not shown."`
	CreatedAt string `json:"created_at"`
	UpdatedAt string `json:"updated_at"`
}

// ProductPath names a product in an address.
type ProductPath struct {
	Product string `path:"product" doc:"The product's id."`
}

type productInput struct {
	Body struct {
		Title    string `json:"title" minLength:"1" maxLength:"120"`
		Price    int64  `json:"price" minimum:"0" doc:"In minor units of the currency."`
		Currency string `json:"currency" pattern:"^[A-Z]{3}$" patternDescription:"ISO 4217, such as CNY"`
		URL      string `json:"url,omitempty" maxLength:"2048"`
		ImageURL string `json:"image_url,omitempty" maxLength:"2048"`
		Stock    *int64 `json:"stock,omitempty" minimum:"0"`
	}
}

type productUpdate struct {
	ProductPath
	Body struct {
		Title     *string `json:"title,omitempty" minLength:"1" maxLength:"120"`
		Price     *int64  `json:"price,omitempty" minimum:"0"`
		Currency  *string `json:"currency,omitempty" pattern:"^[A-Z]{3}$"`
		URL       *string `json:"url,omitempty" maxLength:"2048"`
		ImageURL  *string `json:"image_url,omitempty" maxLength:"2048"`
		Stock     *int64  `json:"stock,omitempty" minimum:"0"`
		HideStock bool    `json:"hide_stock,omitempty" doc:"Show no stock any more."`
	}
}

func (s *Server) productOperations() {
	tags := []string{"Products"}
	operation(s, huma.Operation{OperationID: "create-product", Method: http.MethodPost, Path: "/api/v1/products", Tags: tags, Summary: "Create a product", DefaultStatus: http.StatusCreated}, s.createProduct)
	operation(s, huma.Operation{OperationID: "list-products", Method: http.MethodGet, Path: "/api/v1/products", Tags: tags, Summary: "List products, newest first"}, s.listProducts)
	operation(s, huma.Operation{OperationID: "get-product", Method: http.MethodGet, Path: "/api/v1/products/{product}", Tags: tags, Summary: "Read a product"},
		func(ctx context.Context, in *ProductPath) (*Body[Product], error) {
			p, err := s.Catalogue.Get(ctx, in.Product)
			if err != nil {
				return nil, err
			}
			return &Body[Product]{product(p)}, nil
		})
	operation(s, huma.Operation{OperationID: "update-product", Method: http.MethodPatch, Path: "/api/v1/products/{product}", Tags: tags, Summary: "Change a product", Description: "Shows on air whose bag has it tell their viewers."}, s.updateProduct)
	operation(s, huma.Operation{OperationID: "delete-product", Method: http.MethodDelete, Path: "/api/v1/products/{product}", Tags: tags, Summary: "Delete a product", Description: "Past pins keep what they showed.", DefaultStatus: http.StatusNoContent}, s.deleteProduct)
}

func (s *Server) createProduct(ctx context.Context, in *productInput) (*Body[Product], error) {
	b := in.Body
	p, err := s.Catalogue.Create(ctx, commerce.Product{
		Title: b.Title, Price: commerce.Money{Amount: b.Price, Currency: b.Currency}, URL: b.URL, ImageURL: b.ImageURL, Stock: b.Stock,
	})
	if err != nil {
		return nil, err
	}
	return &Body[Product]{product(p)}, nil
}

func (s *Server) listProducts(ctx context.Context, in *PageInput) (*Body[Page[Product]], error) {
	list, err := s.Catalogue.List(ctx, commerce.ProductFilter{Cursor: in.After, Limit: in.limit()})
	if err != nil {
		return nil, err
	}
	out := Page[Product]{Items: products(list.Products)}
	if list.Next != "" {
		out.Next = &list.Next
	}
	return &Body[Page[Product]]{out}, nil
}

func (s *Server) updateProduct(ctx context.Context, in *productUpdate) (*Body[Product], error) {
	b := in.Body
	u := commerce.ProductUpdate{Title: b.Title, URL: b.URL, ImageURL: b.ImageURL, Stock: b.Stock, HideStock: b.HideStock}
	if b.Price != nil || b.Currency != nil {
		now, err := s.Catalogue.Get(ctx, in.Product)
		if err != nil {
			return nil, err
		}
		price := now.Price
		if b.Price != nil {
			price.Amount = *b.Price
		}
		if b.Currency != nil {
			price.Currency = *b.Currency
		}
		u.Price = &price
	}
	p, err := s.Catalogue.Update(ctx, in.Product, u)
	if err != nil {
		return nil, err
	}
	rooms, err := s.Catalogue.RoomsWithProduct(ctx, p.ID)
	if err != nil {
		return nil, err
	}
	s.Rooms.ProductChanged(ctx, p, rooms)
	return &Body[Product]{product(p)}, nil
}

func (s *Server) deleteProduct(ctx context.Context, in *ProductPath) (*Empty, error) {
	rooms, err := s.Catalogue.RoomsWithProduct(ctx, in.Product)
	if err != nil {
		return nil, err
	}
	if err := s.Catalogue.Delete(ctx, in.Product); err != nil {
		return nil, err
	}
	for _, room := range rooms {
		bag, err := s.Catalogue.Bag(ctx, room)
		if err != nil {
			return nil, err
		}
		s.Rooms.BagChanged(ctx, room, bag)
	}
	return &Empty{}, nil
}

func product(p commerce.Product) Product {
	return Product{
		ID: p.ID, Title: p.Title, Price: p.Price.Amount, Currency: p.Price.Currency, URL: p.URL, ImageURL: p.ImageURL, Stock: p.Stock,
		CreatedAt: overlay.FormatWall(p.CreatedAt), UpdatedAt: overlay.FormatWall(p.UpdatedAt),
	}
}

func products(ps []commerce.Product) []Product {
	out := make([]Product, len(ps))
	for i := range ps {
		out[i] = product(ps[i])
	}
	return out
}
