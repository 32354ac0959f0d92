package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/vitrine-live/vitrine/commerce/offer"
	"github.com/vitrine-live/vitrine/overlay"
)

// Claim is a coupon that a viewer has.
type Claim struct {
	ID         string   `json:"id" example:"clm_0123456789abcdef"`
	CouponID   string   `json:"coupon_id" doc:"The coupon's or the red packet's."`
	Type       string   `json:"type" enum:"coupon,red_packet"`
	StoreID    string   `json:"store_id"`
	State      string   `json:"state" enum:"usable,used,expired"`
	Title      string   `json:"title"`
	Currency   string   `json:"currency"`
	Amount     int64    `json:"amount,omitempty"`
	Percent    int64    `json:"percent,omitempty"`
	MaxOff     int64    `json:"max_off,omitempty"`
	MinSpend   int64    `json:"min_spend,omitempty"`
	ProductIDs []string `json:"product_ids,omitempty"`
	Stacks     string   `json:"stacks"`
	ShowID     string   `json:"show_id,omitempty"`
	OrderID    string   `json:"order_id,omitempty" doc:"The order that uses it."`
	ClaimedAt  string   `json:"claimed_at"`
	ValidUntil string   `json:"valid_until"`
}

// ClaimFrom says from where a viewer claims.
type ClaimFrom struct {
	PositionMS *int64 `json:"position_ms,omitempty" minimum:"0" doc:"Where the player stands, in show time. Needed in a replay. Absent: at the live edge."`
}

func (s *Server) claimOperations() {
	const inShow = "/api/v1/shows/{show}"
	operation(s, huma.Operation{OperationID: "claim-coupon", Method: http.MethodPost, Path: inShow + "/coupons/{coupon}/claim", Tags: []string{"Viewers"}, Security: viewers, Summary: "Claim a coupon of a show", Description: "409 says why not: it has not appeared yet, all are claimed, the viewer has had theirs, its time is over.", DefaultStatus: http.StatusCreated},
		func(ctx context.Context, in *struct {
			CouponInShow
			Body *ClaimFrom
		},
		) (*Body[Claim], error) {
			return s.claimed(s.Offers.ClaimCoupon(ctx, offer.ClaimRequest{Viewer: viewer(ctx), OfferID: in.Coupon, ShowID: in.Show, PositionMS: in.Body.position()}))
		})
	operation(s, huma.Operation{OperationID: "claim-red-packet", Method: http.MethodPost, Path: inShow + "/red-packets/{packet}/claim", Tags: []string{"Viewers"}, Security: viewers, Summary: "Claim a piece of a red packet", Description: "The amount of the answer is the piece's. 409 as for coupons.", DefaultStatus: http.StatusCreated},
		func(ctx context.Context, in *struct {
			PacketInShow
			Body *ClaimFrom
		},
		) (*Body[Claim], error) {
			return s.claimed(s.Offers.ClaimPiece(ctx, offer.ClaimRequest{Viewer: viewer(ctx), OfferID: in.Packet, ShowID: in.Show, PositionMS: in.Body.position()}))
		})
	operation(s, huma.Operation{OperationID: "claim-store-coupon", Method: http.MethodPost, Path: "/api/v1/stores/{store}/coupons/{coupon}/claim", Tags: []string{"Viewers"}, Security: viewers, Summary: "Claim a coupon of a store outside any show", Description: "Only those with claim_in anywhere.", DefaultStatus: http.StatusCreated},
		func(ctx context.Context, in *CouponPath) (*Body[Claim], error) {
			return s.claimed(s.Offers.ClaimCoupon(ctx, offer.ClaimRequest{Viewer: viewer(ctx), OfferID: in.Coupon, StoreID: in.Store}))
		})
	operation(s, huma.Operation{OperationID: "list-my-coupons", Method: http.MethodGet, Path: "/api/v1/me/coupons", Tags: []string{"Viewers"}, Security: viewers, Summary: "List what the viewer has claimed, newest first"}, s.listMyCoupons)
}

func (c *ClaimFrom) position() *int64 {
	if c == nil {
		return nil
	}
	return c.PositionMS
}

func (s *Server) claimed(c offer.Claim, err error) (*Body[Claim], error) {
	return rendered(s.claimOf)(c, err)
}

func (s *Server) listMyCoupons(ctx context.Context, in *struct {
	Store string `query:"store" doc:"Only those of this store."`
	State string `query:"state" enum:"usable,used,expired" doc:"Only those; absent: all."`
	PageInput
},
) (*Body[Page[Claim]], error) {
	list, err := s.Offers.Claims(ctx, viewer(ctx).ID, offer.ClaimFilter{
		StoreID: in.Store, Usable: offer.Usable(in.State), Before: in.After, Limit: in.limit(),
	})
	if err != nil {
		return nil, err
	}
	return page(list, in.limit(), s.claimOf, func(c offer.Claim) string { return c.ID }), nil
}

func (s *Server) claimOf(c offer.Claim) Claim {
	return Claim{
		ID: c.ID, CouponID: c.CouponID, Type: string(c.Kind()), StoreID: c.StoreID, State: claimState(&c, s.Now()), Title: c.Terms.Title,
		Currency: c.Terms.Currency, Amount: c.Terms.Amount, Percent: c.Terms.Percent, MaxOff: c.Terms.MaxOff, MinSpend: c.Terms.MinSpend,
		ProductIDs: c.Terms.Products, Stacks: c.Terms.Stacks, ShowID: c.ShowID, OrderID: c.OrderID,
		ClaimedAt: overlay.FormatWall(c.ClaimedAt), ValidUntil: overlay.FormatWall(c.ValidUntil),
	}
}

func claimState(c *offer.Claim, now time.Time) string {
	switch {
	case c.State == offer.Used:
		return string(offer.UsedClaims)
	case c.State == offer.Void || !now.Before(c.ValidUntil):
		return string(offer.ExpiredClaims)
	}
	return string(offer.UsableClaims)
}
