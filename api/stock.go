package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/commerce/stock"
)

// ProductStock is the pieces of a product's SKUs.
type ProductStock struct {
	SKUs []SKUStock `json:"skus"`
}

// SKUStock is the pieces of a SKU. In each pool, and so in all: total = available + reserved + sold.
type SKUStock struct {
	SKU     string `json:"sku_id"`
	Code    string `json:"code,omitempty"`
	Variant string `json:"variant,omitempty" doc:"What sets it apart from the product's other SKUs."`
	Tracked bool   `json:"tracked" doc:"Whether its pieces are counted."`
	StockLevel
	Pools []StockPool `json:"pools" doc:"Where the pieces lie: the main pool first, then what is set aside."`
}

// StockLevel is a number of pieces.
type StockLevel struct {
	Total     int64 `json:"total"`
	Available int64 `json:"available"`
	Reserved  int64 `json:"reserved" doc:"In orders that are not paid yet."`
	Sold      int64 `json:"sold"`
}

// StockPool is the pieces of one pool.
type StockPool struct {
	ID   string `json:"id"`
	Kind string `json:"kind" enum:"main,show,flash"`
	Ref  string `json:"ref,omitempty" doc:"The show or the flash sale that they are set aside for."`
	StockLevel
	Closed bool `json:"closed" doc:"It sells nothing any more; what comes back to it goes to the main pool."`
}

// StockChangeInput changes the pieces of one SKU.
type StockChangeInput struct {
	SKU    string `json:"sku_id"`
	Total  *int64 `json:"total,omitempty" minimum:"0" doc:"Pieces that there are, sold ones included."`
	Adjust *int64 `json:"adjust,omitempty" doc:"Pieces that come, or (below 0) go, instead of total: safe beside other changes."`
}

type stockInput struct {
	ProductPath
	Body struct {
		SKUs []StockChangeInput `json:"skus" minItems:"1" maxItems:"200"`
	}
}

func (s *Server) stockOperations() {
	const path = "/api/v1/stores/{store}/products/{product}/stock"
	operation(s, huma.Operation{OperationID: "get-product-stock", Method: http.MethodGet, Path: path, Tags: []string{"Products"}, Security: staff(account.CatalogueRead), Summary: "Read the pieces of a product's SKUs"},
		func(ctx context.Context, in *ProductPath) (*Body[ProductStock], error) {
			return s.productStock(ctx, in.Store, in.Product)
		})
	operation(s, huma.Operation{OperationID: "change-product-stock", Method: http.MethodPut, Path: path, Tags: []string{"Products"}, Security: staff(account.StockWrite), Summary: "Change the pieces of a product's SKUs", Description: "All changes or none. Pieces that are reserved, sold or set aside stay: 409 says that fewer are free than shall go. A SKU whose pieces were not counted is counted from now on."},
		func(ctx context.Context, in *stockInput) (*Body[ProductStock], error) {
			changes, skus := make([]commerce.StockChange, len(in.Body.SKUs)), make([]string, len(in.Body.SKUs))
			for i, c := range in.Body.SKUs {
				changes[i], skus[i] = commerce.StockChange(c), c.SKU
			}
			if err := s.Catalogue.ChangeStock(ctx, in.Store, in.Product, changes); err != nil {
				return nil, err
			}
			noteChange(ctx, "skus", nil, in.Body.SKUs)
			if s.StockChanged != nil {
				s.StockChanged(ctx, skus)
			}
			return s.productStock(ctx, in.Store, in.Product)
		})
}

func (s *Server) productStock(ctx context.Context, storeID, id string) (*Body[ProductStock], error) {
	all, err := s.Catalogue.Stock(ctx, storeID, id)
	if err != nil {
		return nil, err
	}
	out := ProductStock{SKUs: make([]SKUStock, len(all))}
	for i, k := range all {
		out.SKUs[i] = SKUStock{SKU: k.SKU, Code: k.Code, Variant: k.Variant, Tracked: k.Tracked, StockLevel: StockLevel(stock.Sum(k.Pools)), Pools: []StockPool{}}
		for _, p := range k.Pools {
			out.SKUs[i].Pools = append(out.SKUs[i].Pools, StockPool{ID: p.ID, Kind: string(p.Kind), Ref: p.Ref, StockLevel: StockLevel(p.Level), Closed: p.Closed})
		}
	}
	return &Body[ProductStock]{out}, nil
}
