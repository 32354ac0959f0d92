package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/commerce/account"
)

// ShowPrice is the price of a SKU in one show.
type ShowPrice struct {
	ID          string `json:"id" example:"shp_0123456789abcdef"`
	SKU         string `json:"sku_id"`
	ProductID   string `json:"product_id"`
	Price       int64  `json:"price" doc:"In minor units of the product's currency."`
	ReplayHours int64  `json:"replay_hours" doc:"Hours after the show's end for which it goes on; 0: it ends with the show."`
}

// ShowPricePath names the price of a SKU in a show.
type ShowPricePath struct {
	ShowPath
	SKU string `path:"sku" doc:"The SKU's id."`
}

// ShowPriceList is all prices of a show.
type ShowPriceList struct {
	Items []ShowPrice `json:"items"`
}

func (s *Server) showPriceOperations() {
	const path = "/api/v1/shows/{show}/prices"
	tags := []string{"Products", "Shows"}
	operation(s, huma.Operation{OperationID: "list-show-prices", Method: http.MethodGet, Path: path, Tags: tags, Security: staff(account.CatalogueRead), Summary: "List the prices that hold in a show alone"}, s.listShowPrices)
	operation(s, huma.Operation{OperationID: "set-show-price", Method: http.MethodPut, Path: path + "/{sku}", Tags: tags, Security: staff(account.CatalogueWrite), Summary: "Set the price of a SKU in a show", Description: "It holds while the show is live or interrupted, and for replay_hours after its end. It is not above the usual price. A show on air tells its viewers."},
		func(ctx context.Context, in *struct {
			ShowPricePath
			Body struct {
				Price       int64 `json:"price" minimum:"0"`
				ReplayHours int64 `json:"replay_hours,omitempty" minimum:"0" maximum:"8784"`
			}
		},
		) (*Body[ShowPrice], error) {
			p, err := s.Catalogue.SetShowPrice(ctx, commerce.ShowPrice{ShowID: in.Show, SKU: in.SKU, Price: in.Body.Price, ReplayHours: in.Body.ReplayHours})
			if err != nil {
				return nil, err
			}
			noteChange(ctx, "price", nil, p.Price)
			return &Body[ShowPrice]{showPrice(p)}, s.showPriceChanged(ctx, in.SKU)
		})
	operation(s, huma.Operation{OperationID: "delete-show-price", Method: http.MethodDelete, Path: path + "/{sku}", Tags: tags, Security: staff(account.CatalogueWrite), Summary: "Take the price of a SKU in a show away", DefaultStatus: http.StatusNoContent},
		func(ctx context.Context, in *ShowPricePath) (*Empty, error) {
			if err := s.Catalogue.DeleteShowPrice(ctx, in.Show, in.SKU); err != nil {
				return nil, err
			}
			return &Empty{}, s.showPriceChanged(ctx, in.SKU)
		})
}

func (s *Server) listShowPrices(ctx context.Context, in *ShowPath) (*Body[ShowPriceList], error) {
	prices, err := s.Catalogue.ShowPrices(ctx, in.Show)
	if err != nil {
		return nil, err
	}
	out := ShowPriceList{Items: make([]ShowPrice, len(prices))}
	for i, p := range prices {
		out.Items[i] = showPrice(p)
	}
	return &Body[ShowPriceList]{out}, nil
}

// showPriceChanged tells viewers of the SKU's product.
func (s *Server) showPriceChanged(ctx context.Context, skuID string) error {
	p, err := s.Catalogue.OfSKU(ctx, skuID)
	if err != nil {
		return err
	}
	return s.productChanged(ctx, &p, &p)
}

func showPrice(p commerce.ShowPrice) ShowPrice {
	return ShowPrice{ID: p.ID, SKU: p.SKU, ProductID: p.ProductID, Price: p.Price, ReplayHours: p.ReplayHours}
}
