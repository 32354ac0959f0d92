package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/commerce/offer"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/overlay"
)

// OfferView is an offer as viewers see it, here and in the events of the channel. Fields that do not belong to its kind are
// absent.
type OfferView struct {
	Title    string `json:"title"`
	Currency string `json:"currency"`

	Amount      int64    `json:"amount,omitempty" doc:"Coupons: what is taken off, in minor units."`
	Percent     int64    `json:"percent,omitempty" doc:"Coupons: what is taken off, in hundredths of a percent."`
	MaxOff      int64    `json:"max_off,omitempty"`
	MinSpend    int64    `json:"min_spend,omitempty"`
	ProductIDs  []string `json:"product_ids,omitempty" doc:"Coupons, red packets: what it is for; absent: all of the store."`
	Stacks      string   `json:"stacks,omitempty" enum:"none,other"`
	ClaimIn     string   `json:"claim_in,omitempty" enum:"anywhere,live,replay"`
	ReplayHours int64    `json:"replay_hours,omitempty"`
	ClaimUntil  string   `json:"claim_until,omitempty"`
	ValidForS   int64    `json:"valid_for_s,omitempty"`
	ValidUntil  string   `json:"valid_until,omitempty"`
	PerViewer   int64    `json:"per_viewer,omitempty"`
	Total       int64    `json:"total,omitempty" doc:"Red packets: what all pieces sum to."`

	SKU        string `json:"sku_id,omitempty"`
	ProductID  string `json:"product_id,omitempty"`
	ImageURL   string `json:"image_url,omitempty"`
	Price      *int64 `json:"price,omitempty" doc:"Flash sales: minor units a piece."`
	ListPrice  int64  `json:"list_price,omitempty"`
	PerBuyer   int64  `json:"per_buyer,omitempty"`
	StartsAtMS *int64 `json:"starts_at_ms,omitempty" doc:"Flash sales: show time, for a countdown."`
	EndsAtMS   *int64 `json:"ends_at_ms,omitempty" doc:"Flash sales: show time; absent: until it is stopped."`

	Quantity int64  `json:"quantity,omitempty" doc:"Claims or pieces in all; absent: any number."`
	Left     *int64 `json:"left,omitempty" doc:"Of them, at that instant; absent: any number."`
}

// ShownOffer is an offer on the timeline of a show, as it stands now.
type ShownOffer struct {
	ID         string    `json:"id"`
	Type       string    `json:"type" enum:"coupon,flash_sale,red_packet"`
	Open       bool      `json:"open" doc:"Whether viewers can take part now. One that is sold out for now is open."`
	State      string    `json:"state" doc:"What the timeline says: dropped, exhausted, empty, announced, started, sold_out, back, stopped."`
	ShowTimeMS int64     `json:"show_time_ms" doc:"From which picture on viewers see it."`
	Offer      OfferView `json:"offer"`
}

// ShowOffers are the offers of a show.
type ShowOffers struct {
	Items []ShownOffer `json:"items"`
}

// OfferDrop is the place of an offer in a show.
type OfferDrop struct {
	ShowID     string `json:"show_id"`
	OfferID    string `json:"offer_id"`
	ShowTimeMS int64  `json:"show_time_ms"`
	State      string `json:"state"`
}

// CouponInShow names a coupon of a show in an address.
type CouponInShow struct {
	Show   string `path:"show" doc:"The show's id."`
	Coupon string `path:"coupon" doc:"The coupon's id."`
}

// PacketInShow names a red packet of a show in an address.
type PacketInShow struct {
	Show   string `path:"show" doc:"The show's id."`
	Packet string `path:"packet" doc:"The red packet's id."`
}

// DropAt says where something is dropped.
type DropAt struct {
	ShowTimeMS *int64 `json:"show_time_ms,omitempty" minimum:"0" doc:"The place on the show's clock, which may be ahead, also of a show that is only scheduled. Absent: now."`
}

func (s *Server) offerOperations() {
	s.couponOperations()
	s.redPacketOperations()
	s.flashSaleOperations()
	s.claimOperations()
	const coupon, packet = "/api/v1/shows/{show}/coupons/{coupon}", "/api/v1/shows/{show}/red-packets/{packet}"
	operate := staff(account.OverlayWrite)
	operation(s, huma.Operation{OperationID: "drop-coupon", Method: http.MethodPost, Path: coupon + "/drop", Tags: []string{"Coupons"}, Security: operate, Summary: "Drop an active coupon into a show", Description: "Dropping it again tells viewers once more."},
		func(ctx context.Context, in *struct {
			CouponInShow
			Body *DropAt
		},
		) (*Body[OfferDrop], error) {
			return rendered(dropOf)(s.Offers.DropIn(ctx, offer.CouponKind, in.Show, in.Coupon, in.Body.showTime()))
		})
	operation(s, huma.Operation{OperationID: "withdraw-coupon", Method: http.MethodPost, Path: coupon + "/stop", Tags: []string{"Coupons"}, Security: operate, Summary: "Take a coupon out of a show", Description: "The coupon itself stays as it is.", DefaultStatus: http.StatusNoContent},
		func(ctx context.Context, in *CouponInShow) (*Empty, error) {
			return &Empty{}, s.Offers.Withdraw(ctx, in.Show, in.Coupon)
		})
	operation(s, huma.Operation{OperationID: "drop-red-packet", Method: http.MethodPost, Path: packet + "/drop", Tags: []string{"Red packets"}, Security: operate, Summary: "Drop a red packet into a show", Description: "A red packet goes into one show."},
		func(ctx context.Context, in *struct {
			PacketInShow
			Body *DropAt
		},
		) (*Body[OfferDrop], error) {
			return rendered(dropOf)(s.Offers.DropIn(ctx, offer.RedPacketKind, in.Show, in.Packet, in.Body.showTime()))
		})
	operation(s, huma.Operation{OperationID: "list-show-offers", Method: http.MethodGet, Path: "/api/v1/shows/{show}/offers", Tags: []string{"Viewers"}, Security: public, Summary: "List the offers of a show, as they stand now", Description: "For who comes late, and for replays: in the order of show time. Events of the channel tell what happens to them."}, s.listShowOffers)
}

func (d *DropAt) showTime() *int64 {
	if d == nil {
		return nil
	}
	return d.ShowTimeMS
}

func (s *Server) listShowOffers(ctx context.Context, in *struct {
	Show string `path:"show" doc:"The show's id."`
},
) (*Body[ShowOffers], error) {
	all, err := s.Offers.InShow(ctx, in.Show)
	if err != nil {
		return nil, err
	}
	out := ShowOffers{Items: make([]ShownOffer, len(all))}
	for i, o := range all {
		out.Items[i] = ShownOffer{
			ID: o.OfferID, Type: string(o.Kind), Open: o.Open, State: string(o.Saying), ShowTimeMS: o.ShowTimeMS, Offer: OfferView(o.View),
		}
	}
	return &Body[ShowOffers]{out}, nil
}

func dropOf(d offer.Drop) OfferDrop {
	return OfferDrop{ShowID: d.ShowID, OfferID: d.OfferID, ShowTimeMS: d.ShowTimeMS, State: string(d.Saying)}
}

// wallTime reads an instant of a field; "" is the zero one.
func wallTime(op, field, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return t, errs.Field(op, field, "must be an instant like 2026-01-02T15:04:05Z, got %q", text)
	}
	return t.UTC().Truncate(time.Millisecond), nil
}

func wallText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return overlay.FormatWall(t)
}
