package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/vitrine-live/vitrine/commerce/lottery"
	"github.com/vitrine-live/vitrine/overlay"
)

// WonPrize is what somebody has won, for them.
type WonPrize struct {
	ID          string        `json:"id" example:"win_0123456789abcdef"`
	LotteryID   string        `json:"lottery_id"`
	StoreID     string        `json:"store_id"`
	Lottery     string        `json:"lottery" doc:"Its title."`
	Rank        int           `json:"rank"`
	Name        string        `json:"name"`
	ImageURL    string        `json:"image_url"`
	CouponID    string        `json:"coupon_id,omitempty" doc:"The prize is this coupon: it needs no address."`
	CouponClaim string        `json:"coupon_claim,omitempty" doc:"The coupon as the winner has it, once claimed."`
	State       string        `json:"state" enum:"pending,claimed,lapsed" doc:"lapsed: not claimed in time; nobody else gets it."`
	ClaimBy     string        `json:"claim_by"`
	ClaimedAt   *string       `json:"claimed_at,omitempty"`
	Address     *PrizeAddress `json:"address,omitempty"`
}

// PrizeAddress is where a prize is sent to.
type PrizeAddress struct {
	Name       string `json:"name" minLength:"1" maxLength:"60"`
	Phone      string `json:"phone" minLength:"5" maxLength:"30"`
	Region     string `json:"region,omitempty" maxLength:"120" doc:"Province, city and district, as the country has it."`
	Street     string `json:"street" minLength:"1" maxLength:"200"`
	PostalCode string `json:"postal_code,omitempty" maxLength:"20"`
}

// LotteryWinner is a winner as the store sees them.
type LotteryWinner struct {
	Rank      int           `json:"rank"`
	PrizeID   string        `json:"prize_id"`
	Prize     string        `json:"prize"`
	Entrant   string        `json:"entrant"`
	ViewerID  string        `json:"viewer_id"`
	Name      string        `json:"name" doc:"Masked."`
	State     string        `json:"state" enum:"pending,claimed,lapsed"`
	ClaimBy   string        `json:"claim_by"`
	ClaimedAt *string       `json:"claimed_at,omitempty"`
	Address   *PrizeAddress `json:"address,omitempty"`
}

type claimInput struct {
	Prize string `path:"prize" doc:"The prize's id."`
	Body  struct {
		Address *PrizeAddress `json:"address,omitempty" doc:"Where it is sent to; needed for all prizes but coupons."`
	}
}

func (s *Server) prizeOperations() {
	tags := []string{"Lotteries"}
	operation(s, huma.Operation{OperationID: "list-my-prizes", Method: http.MethodGet, Path: "/api/v1/me/prizes", Tags: tags, Security: viewers, Summary: "List what one has won, newest first"},
		func(ctx context.Context, _ *struct{}) (*Body[Page[WonPrize]], error) {
			list, err := s.Lotteries.Prizes(ctx, viewer(ctx).ID, maxPrizes)
			if err != nil {
				return nil, err
			}
			return page(list, 0, prizeOf, nil), nil
		})
	operation(s, huma.Operation{OperationID: "claim-prize", Method: http.MethodPost, Path: "/api/v1/me/prizes/{prize}/claim", Tags: tags, Security: viewers, Summary: "Claim a prize", Description: "Before its claim_by. The same claim again changes nothing."}, s.claimPrize)
}

// maxPrizes is how many of the newest prizes a viewer is shown.
const maxPrizes = 100

func (s *Server) claimPrize(ctx context.Context, in *claimInput) (*Body[WonPrize], error) {
	w, err := s.Lotteries.Claim(ctx, viewer(ctx), in.Prize, (*lottery.Address)(in.Body.Address))
	if err != nil {
		return nil, err
	}
	return &Body[WonPrize]{prizeOf(w)}, nil
}

func (s *Server) listLotteryWinners(ctx context.Context, in *LotteryPath) (*Body[Page[LotteryWinner]], error) {
	list, err := s.Lotteries.Winners(ctx, in.Store, in.Lottery)
	if err != nil {
		return nil, err
	}
	return page(list, 0, func(w lottery.Winner) LotteryWinner {
		return LotteryWinner{
			Rank: w.Rank, PrizeID: w.ID, Prize: w.Prize.Name, Entrant: w.Entrant, ViewerID: w.ViewerID, Name: w.Name, State: string(w.State),
			ClaimBy: overlay.FormatWall(w.ClaimBy), ClaimedAt: optionalTime(w.ClaimedAt), Address: (*PrizeAddress)(w.Address),
		}
	}, nil), nil
}

func prizeOf(w lottery.Winner) WonPrize {
	return WonPrize{
		ID: w.ID, LotteryID: w.LotteryID, StoreID: w.StoreID, Lottery: w.Title, Rank: w.Rank, Name: w.Prize.Name, ImageURL: w.Prize.ImageURL,
		CouponID: w.Prize.CouponID, CouponClaim: w.CouponRef, State: string(w.State), ClaimBy: overlay.FormatWall(w.ClaimBy),
		ClaimedAt: optionalTime(w.ClaimedAt), Address: (*PrizeAddress)(w.Address),
	}
}
