package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/commerce/stock"
)

// Allotment is pieces of a SKU that are for sale in one show alone.
type Allotment struct {
	ID        string `json:"id"`
	ShowID    string `json:"show_id"`
	SKU       string `json:"sku_id"`
	Pieces    int64  `json:"pieces" doc:"In all: available, reserved and sold ones."`
	Available int64  `json:"available"`
	Reserved  int64  `json:"reserved"`
	Sold      int64  `json:"sold"`
	Returned  bool   `json:"returned" doc:"What was left is for sale everywhere again."`
}

// AllotmentPath names an allotment in an address.
type AllotmentPath struct {
	ShowPath
	SKU string `path:"sku" doc:"The SKU's id."`
}

type allotmentInput struct {
	AllotmentPath
	Body struct {
		Pieces int64 `json:"pieces" minimum:"0" maximum:"1000000000" doc:"In all; sold and reserved ones count."`
	}
}

func (s *Server) allotmentOperations() {
	const base = "/api/v1/shows/{show}/allotments"
	tags := []string{"Stock"}
	operation(s, huma.Operation{OperationID: "list-allotments", Method: http.MethodGet, Path: base, Tags: tags, Security: staff(account.CatalogueRead), Summary: "List what is set aside for a show"},
		func(ctx context.Context, in *ShowPath) (*Body[Page[Allotment]], error) {
			all, err := s.Orders.Allotments(ctx, in.Show)
			if err != nil {
				return nil, err
			}
			return page(all, 0, allotment, nil), nil
		})
	operation(s, huma.Operation{OperationID: "set-allotment", Method: http.MethodPut, Path: base + "/{sku}", Tags: tags, Security: staff(account.StockWrite), Summary: "Set pieces aside for a show", Description: "What is left of them when the show ends is for sale everywhere again."},
		func(ctx context.Context, in *allotmentInput) (*Body[Allotment], error) {
			p, err := s.Orders.SetAside(ctx, in.Show, in.SKU, in.Body.Pieces)
			if err != nil {
				return nil, err
			}
			return &Body[Allotment]{allotment(p)}, nil
		})
	operation(s, huma.Operation{OperationID: "return-allotment", Method: http.MethodDelete, Path: base + "/{sku}", Tags: tags, Security: staff(account.StockWrite), Summary: "Return what is left of an allotment", DefaultStatus: http.StatusNoContent},
		func(ctx context.Context, in *AllotmentPath) (*Empty, error) {
			return &Empty{}, s.Orders.ReturnAllotment(ctx, in.Show, in.SKU)
		})
}

func allotment(p stock.Pool) Allotment {
	return Allotment{
		ID: p.ID, ShowID: p.Ref, SKU: p.SKU, Pieces: p.Total, Available: p.Available, Reserved: p.Reserved, Sold: p.Sold, Returned: p.Closed,
	}
}
