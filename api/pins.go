package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/live"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/overlay"
)

// Pin is a product on screen as the API shows it.
type Pin struct {
	ID         string          `json:"id" example:"pin_0123456789abcdef"`
	ProductID  string          `json:"product_id"`
	Featured   bool            `json:"featured" doc:"At most one pin at a time is shown large."`
	ShowTimeMS int64           `json:"show_time_ms" doc:"From which picture on."`
	Product    ProductSnapshot `json:"product"`
}

// ProductSnapshot is a product as it was when it was pinned.
type ProductSnapshot struct {
	ID       string `json:"id"`
	Title    string `json:"title"`
	Price    int64  `json:"price" doc:"In minor units of the currency."`
	Currency string `json:"currency"`
	URL      string `json:"url"`
	ImageURL string `json:"image_url"`
	Stock    *int64 `json:"stock" doc:"null: not shown."`

	Display   string `json:"display,omitempty" doc:"How the price is shown: one, range or discount."`
	PriceMax  int64  `json:"price_max,omitempty" doc:"The highest price, where it is another one."`
	Original  int64  `json:"original_price,omitempty" doc:"What the price is compared with; absent: nothing."`
	ShowPrice *int64 `json:"show_price,omitempty" doc:"The lowest price in this show, where one holds."`
	Link      string `json:"link,omitempty" doc:"What the card leads to: checkout (bought here), url, mini_program or none."`
	SKUCount  int    `json:"sku_count,omitempty"`
}

type pinInput struct {
	RoomPath
	Body struct {
		ProductID  string `json:"product_id"`
		Featured   *bool  `json:"featured,omitempty" doc:"Whether the pin takes the featured place. Default true."`
		ShowTimeMS *int64 `json:"show_time_ms,omitempty" minimum:"0" doc:"The exact place on the show's clock."`
		At         string `json:"at,omitempty" doc:"The wall instant at which the anchor meant it (RFC 3339). Without it and show_time_ms: now, on the picture being captured at this instant."`
	}
}

func (s *Server) pinOperations() {
	operation(s, huma.Operation{OperationID: "pin", Method: http.MethodPost, Path: "/api/v1/rooms/{room}/pins", Tags: []string{"Pins"}, Security: anchor, Summary: "Pin a product", Description: "A featured pin takes the large place from the one that has it. Pinning a product that is on screen already returns the pin that is there, unless it is to be featured and is not: then a new, featured pin takes its place. At most 20 products are on screen at once.", DefaultStatus: http.StatusCreated}, s.pin)
	operation(s, huma.Operation{OperationID: "unpin", Method: http.MethodDelete, Path: "/api/v1/rooms/{room}/pins/{pin}", Tags: []string{"Pins"}, Security: anchor, Summary: "Unpin", DefaultStatus: http.StatusNoContent}, s.unpin)
	operation(s, huma.Operation{OperationID: "list-pins", Security: anchors(account.RoomsRead), Method: http.MethodGet, Path: "/api/v1/rooms/{room}/pins", Tags: []string{"Pins"}, Summary: "List what is pinned now"}, s.listPins)
}

func (s *Server) pin(ctx context.Context, in *pinInput) (*Body[Pin], error) {
	const op = "api.pin"
	req := live.PinRequest{ProductID: in.Body.ProductID, Featured: in.Body.Featured == nil || *in.Body.Featured}
	if ms := in.Body.ShowTimeMS; ms != nil {
		t := media.FromMilliseconds(*ms)
		req.ShowTime = &t
	}
	at, err := instant(op, in.Body.At)
	if err != nil {
		return nil, err
	}
	req.At = at
	pin, err := s.Rooms.Pin(ctx, in.Room, req)
	if err != nil {
		return nil, err
	}
	return &Body[Pin]{pinOf(pin)}, nil
}

func (s *Server) unpin(ctx context.Context, in *struct {
	RoomPath
	Pin        string `path:"pin" doc:"The pin's id."`
	ShowTimeMS string `query:"show_time_ms" pattern:"^[0-9]{0,12}$" doc:"The exact place on the show's clock; default now."`
	At         string `query:"at" doc:"The wall instant at which the anchor meant it (RFC 3339)."`
},
) (*Empty, error) {
	const op = "api.unpin"
	at, err := instant(op, in.At)
	if err != nil {
		return nil, err
	}
	showTime, err := showTime(op, in.ShowTimeMS)
	if err != nil {
		return nil, err
	}
	return &Empty{}, s.Rooms.Unpin(ctx, in.Room, in.Pin, showTime, at)
}

func (s *Server) listPins(ctx context.Context, in *RoomPath) (*Body[Page[Pin]], error) {
	st, err := s.Rooms.Status(ctx, in.Room)
	if err != nil {
		return nil, err
	}
	pins, err := s.activePins(ctx, &st)
	if err != nil {
		return nil, err
	}
	return &Body[Page[Pin]]{Page[Pin]{Items: pins}}, nil
}

// activePins are those on screen in the room's show, none when there is no show.
func (s *Server) activePins(ctx context.Context, st *live.Status) ([]Pin, error) {
	if st.Show == nil {
		return []Pin{}, nil
	}
	pins, err := s.Timeline.ActivePins(ctx, st.Show.ID)
	if err != nil {
		return nil, err
	}
	out := make([]Pin, len(pins))
	for i, p := range pins {
		out[i] = pinOf(p)
	}
	return out, nil
}

func pinOf(p overlay.Pin) Pin {
	return Pin{
		ID: p.ID, ProductID: p.ProductID, Featured: p.Featured, ShowTimeMS: p.ShowTime.Milliseconds(), Product: ProductSnapshot(p.Product),
	}
}

// instant reads an RFC 3339 instant; "" is none.
func instant(op, s string) (*time.Time, error) {
	if s == "" {
		return nil, nil //nolint:nilnil // none given is an answer
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return nil, errs.Field(op, "at", "must be an instant like 2026-01-02T15:04:05.123Z, got %q", s)
	}
	return &t, nil
}
