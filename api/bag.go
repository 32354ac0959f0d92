package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/vitrine-live/vitrine/commerce/account"
)

// Bag is a room's product bag, in the order in which viewers see it.
type Bag struct {
	Items []Product `json:"items"`
}

func (s *Server) bagOperations() {
	tags := []string{"Products", "Rooms"}
	operation(s, huma.Operation{OperationID: "get-bag", Security: staff(account.CatalogueRead), Method: http.MethodGet, Path: "/api/v1/rooms/{room}/bag", Tags: tags, Summary: "Read a room's product bag"},
		func(ctx context.Context, in *RoomPath) (*Body[Bag], error) {
			bag, err := s.Catalogue.Bag(ctx, in.Room)
			if err != nil {
				return nil, err
			}
			return &Body[Bag]{Bag{staffProducts(bag)}}, nil
		})
	operation(s, huma.Operation{OperationID: "set-bag", Security: staff(account.OverlayWrite), Method: http.MethodPut, Path: "/api/v1/rooms/{room}/bag", Tags: tags, Summary: "Set a room's product bag", Description: "A show on air tells its viewers."},
		func(ctx context.Context, in *struct {
			RoomPath
			Body struct {
				ProductIDs []string `json:"product_ids" maxItems:"200"`
			}
		},
		) (*Body[Bag], error) {
			bag, err := s.Catalogue.SetBag(ctx, in.Room, in.Body.ProductIDs)
			if err != nil {
				return nil, err
			}
			s.Rooms.BagChanged(ctx, in.Room)
			return &Body[Bag]{Bag{staffProducts(bag)}}, nil
		})
}
