package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/commerce/offer"
	"github.com/vitrine-live/vitrine/overlay"
)

// FlashSaleTerms are the terms of a flash sale.
type FlashSaleTerms struct {
	SKU        string `json:"sku_id"`
	Price      int64  `json:"price" minimum:"0" doc:"Minor units a piece; below the SKU's ordinary price."`
	Quantity   int64  `json:"quantity" minimum:"1" maximum:"1000000" doc:"Pieces that are set aside from the SKU's stock when the sale starts, and given back when it stops."`
	PerBuyer   int64  `json:"per_buyer,omitempty" minimum:"0" doc:"How many one buyer may have; 0: any number."`
	ShowID     string `json:"show_id,omitempty" doc:"The show of the sale; absent: the one in which it is started by hand."`
	StartsAtMS *int64 `json:"starts_at_ms,omitempty" minimum:"0" doc:"Starts it by itself at this show time. Absent: by hand."`
	CountdownS int64  `json:"countdown_s,omitempty" minimum:"0" maximum:"3600" default:"60" doc:"How long before a set start viewers are told, in seconds of show time."`
	DurationS  int64  `json:"duration_s,omitempty" minimum:"0" maximum:"86400" doc:"How long it lasts, in seconds of show time, which stands still while the show is interrupted; 0: until it is stopped. It ends with the show."`
}

// FlashSale is a flash sale as staff see it.
type FlashSale struct {
	ID    string `json:"id" example:"fls_0123456789abcdef"`
	State string `json:"state" enum:"ready,running,stopped"`
	FlashSaleTerms
	ProductID      string  `json:"product_id"`
	Title          string  `json:"title"`
	ListPrice      int64   `json:"list_price" doc:"The ordinary price when the sale was prepared."`
	Currency       string  `json:"currency"`
	EndsAtMS       *int64  `json:"ends_at_ms" doc:"Show time; null: until it is stopped."`
	SoldOut        bool    `json:"sold_out"`
	Available      int64   `json:"available" doc:"Pieces that can be bought now."`
	Reserved       int64   `json:"reserved" doc:"Pieces in orders that wait for their payment."`
	Sold           int64   `json:"sold"`
	StartedAt      *string `json:"started_at"`
	StoppedAt      *string `json:"stopped_at"`
	StoppedBecause string  `json:"stopped_because,omitempty" doc:"by_hand, time_up, show_ended; no_stock or other_sale: it could not start when its time came."`
	CreatedAt      string  `json:"created_at"`
}

// FlashSalePath names a flash sale of a store in an address.
type FlashSalePath struct {
	Store string `path:"store" doc:"The store's id."`
	Sale  string `path:"sale" doc:"The flash sale's id."`
}

// SaleInShow names a flash sale of a show in an address.
type SaleInShow struct {
	Show string `path:"show" doc:"The show's id."`
	Sale string `path:"sale" doc:"The flash sale's id."`
}

type flashSaleInput struct {
	Store string `path:"store" doc:"The store's id."`
	Body  FlashSaleTerms
}

type flashSaleUpdate struct {
	FlashSalePath
	Body struct {
		SKU        *string `json:"sku_id,omitempty"`
		Price      *int64  `json:"price,omitempty" minimum:"0"`
		Quantity   *int64  `json:"quantity,omitempty" minimum:"1" maximum:"1000000"`
		PerBuyer   *int64  `json:"per_buyer,omitempty" minimum:"0"`
		ShowID     *string `json:"show_id,omitempty" doc:"Empty: the one in which it is started by hand."`
		StartsAtMS *int64  `json:"starts_at_ms,omitempty" minimum:"-1" doc:"-1: by hand."`
		CountdownS *int64  `json:"countdown_s,omitempty" minimum:"0" maximum:"3600"`
		DurationS  *int64  `json:"duration_s,omitempty" minimum:"0" maximum:"86400"`
	}
}

type flashSaleStart struct {
	SaleInShow
	Body *struct {
		ShowTimeMS *int64 `json:"show_time_ms,omitempty" minimum:"0" doc:"At this place on the show's clock."`
		InS        int64  `json:"in_s,omitempty" minimum:"0" maximum:"3600" doc:"So many seconds of show time after show_time_ms, or from now: viewers see a countdown."`
	}
}

func (s *Server) flashSaleOperations() {
	tags := []string{"Flash sales"}
	const all, one, show = "/api/v1/stores/{store}/flash-sales", "/api/v1/stores/{store}/flash-sales/{sale}", "/api/v1/shows/{show}/flash-sales/{sale}"
	define, operate, look := staff(account.OffersWrite), staff(account.OverlayWrite), staff(account.RoomsRead)
	operation(s, huma.Operation{OperationID: "create-flash-sale", Method: http.MethodPost, Path: all, Tags: tags, Security: define, Summary: "Prepare a flash sale", DefaultStatus: http.StatusCreated}, s.createFlashSale)
	operation(s, huma.Operation{OperationID: "list-flash-sales", Method: http.MethodGet, Path: all, Tags: tags, Security: look, Summary: "List flash sales, newest first"}, s.listFlashSales)
	operation(s, huma.Operation{OperationID: "get-flash-sale", Method: http.MethodGet, Path: one, Tags: tags, Security: look, Summary: "Read a flash sale"},
		func(ctx context.Context, in *FlashSalePath) (*Body[FlashSale], error) {
			return rendered(flashSaleOf)(s.Offers.FlashSale(ctx, in.Store, in.Sale))
		})
	operation(s, huma.Operation{OperationID: "update-flash-sale", Method: http.MethodPatch, Path: one, Tags: tags, Security: define, Summary: "Change a flash sale that viewers were not told of", Description: "Title, image and ordinary price are taken from the goods as they are now. 409 once viewers were told of it."}, s.updateFlashSale)
	operation(s, huma.Operation{OperationID: "delete-flash-sale", Method: http.MethodDelete, Path: one, Tags: tags, Security: define, Summary: "Delete a flash sale that viewers were not told of", DefaultStatus: http.StatusNoContent},
		func(ctx context.Context, in *FlashSalePath) (*Empty, error) {
			return &Empty{}, s.Offers.DeleteFlashSale(ctx, in.Store, in.Sale)
		})
	operation(s, huma.Operation{OperationID: "start-flash-sale", Method: http.MethodPost, Path: show + "/start", Tags: tags, Security: operate, Summary: "Start a prepared flash sale, now or at a time of the show", Description: "Its pieces are set aside; 409 when fewer are free."}, s.startFlashSale)
	operation(s, huma.Operation{OperationID: "stop-flash-sale", Method: http.MethodPost, Path: show + "/stop", Tags: tags, Security: operate, Summary: "Stop a flash sale, or call a set start off", Description: "Pieces that nobody has ordered go back to the SKU's stock; those of unpaid orders follow when the orders expire. One that is over stays as it is."},
		func(ctx context.Context, in *SaleInShow) (*Body[FlashSale], error) {
			return rendered(flashSaleOf)(s.Offers.StopSale(ctx, in.Show, in.Sale))
		})
}

func (s *Server) createFlashSale(ctx context.Context, in *flashSaleInput) (*Body[FlashSale], error) {
	b := &in.Body
	return rendered(flashSaleOf)(s.Offers.CreateFlashSale(ctx, offer.FlashSale{
		StoreID: in.Store, ShowID: b.ShowID, Goods: offer.Goods{SKU: b.SKU}, Price: b.Price, Quantity: b.Quantity, PerBuyer: b.PerBuyer,
		StartsAtMS: b.StartsAtMS, Countdown: time.Duration(b.CountdownS) * time.Second, Duration: time.Duration(b.DurationS) * time.Second,
	}))
}

func (s *Server) updateFlashSale(ctx context.Context, in *flashSaleUpdate) (*Body[FlashSale], error) {
	b := &in.Body
	return rendered(flashSaleOf)(s.Offers.UpdateFlashSale(ctx, in.Store, in.Sale, func(f *offer.FlashSale) {
		set(&f.SKU, b.SKU)
		set(&f.Price, b.Price)
		set(&f.Quantity, b.Quantity)
		set(&f.PerBuyer, b.PerBuyer)
		set(&f.ShowID, b.ShowID)
		setDuration(&f.Countdown, b.CountdownS, time.Second)
		setDuration(&f.Duration, b.DurationS, time.Second)
		switch at := b.StartsAtMS; {
		case at == nil:
		case *at < 0:
			f.StartsAtMS = nil
		default:
			f.StartsAtMS = at
		}
	}))
}

func (s *Server) listFlashSales(ctx context.Context, in *struct {
	Store string `path:"store" doc:"The store's id."`
	PageInput
},
) (*Body[Page[FlashSale]], error) {
	list, err := s.Offers.ListFlashSales(ctx, in.Store, in.After, in.limit())
	if err != nil {
		return nil, err
	}
	return page(list, in.limit(), flashSaleOf, func(f offer.FlashSale) string { return f.ID }), nil
}

func (s *Server) startFlashSale(ctx context.Context, in *flashSaleStart) (*Body[FlashSale], error) {
	var start offer.Start
	if in.Body != nil {
		start = offer.Start{AtMS: in.Body.ShowTimeMS, In: time.Duration(in.Body.InS) * time.Second}
	}
	return rendered(flashSaleOf)(s.Offers.StartSale(ctx, in.Show, in.Sale, start))
}

func flashSaleOf(f offer.FlashSale) FlashSale {
	return FlashSale{
		ID: f.ID, State: string(f.State), FlashSaleTerms: FlashSaleTerms{
			SKU: f.SKU, Price: f.Price, Quantity: f.Quantity, PerBuyer: f.PerBuyer, ShowID: f.ShowID, StartsAtMS: f.StartsAtMS,
			CountdownS: int64(f.Countdown / time.Second), DurationS: int64(f.Duration / time.Second),
		},
		ProductID: f.ProductID, Title: f.Title, ListPrice: f.ListPrice, Currency: f.Currency, EndsAtMS: f.EndsAtMS, SoldOut: f.SoldOut,
		Available: f.Pool.Available, Reserved: f.Pool.Reserved, Sold: f.Pool.Sold, StartedAt: optionalTime(f.StartedAt),
		StoppedAt: optionalTime(f.StoppedAt), StoppedBecause: string(f.Because), CreatedAt: overlay.FormatWall(f.CreatedAt),
	}
}
