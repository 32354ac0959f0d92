package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/commerce/lottery"
	"github.com/vitrine-live/vitrine/overlay"
)

// Lottery is a lottery as its store sees it.
type Lottery struct {
	ID           string            `json:"id" example:"lot_0123456789abcdef"`
	ShowID       string            `json:"show_id"`
	Title        string            `json:"title"`
	State        string            `json:"state" enum:"draft,open,closed,drawn,cancelled" doc:"It only moves forward."`
	Prizes       []LotteryPrize    `json:"prizes"`
	Conditions   LotteryConditions `json:"conditions"`
	Window       int64             `json:"window_seconds"`
	OpensAtMS    *int64            `json:"opens_at_ms,omitempty"`
	ClaimHours   int64             `json:"claim_hours"`
	Entries      int64             `json:"entries" doc:"So far; final once it has closed."`
	Commitment   string            `json:"commitment,omitempty" doc:"SHA-256 of the seed, published at the opening."`
	EntrantsHash string            `json:"entrants_hash,omitempty" doc:"Published at the closing."`
	Seed         string            `json:"seed,omitempty" doc:"Published by the draw."`
	OpenedMS     *int64            `json:"opened_ms,omitempty" doc:"Show time."`
	ClosesMS     *int64            `json:"closes_ms,omitempty" doc:"Show time."`
	CreatedAt    string            `json:"created_at"`
	OpenedAt     *string           `json:"opened_at,omitempty"`
	ClosedAt     *string           `json:"closed_at,omitempty"`
	DrawnAt      *string           `json:"drawn_at,omitempty"`
	CancelledAt  *string           `json:"cancelled_at,omitempty"`
	ClaimsBy     *string           `json:"claims_by,omitempty" doc:"Until when winners may claim."`
	Reason       string            `json:"reason,omitempty" doc:"Why it was cancelled."`
}

// LotteryPrize is what so many winners get.
type LotteryPrize struct {
	Name     string `json:"name" minLength:"1" maxLength:"120"`
	ImageURL string `json:"image_url,omitempty" maxLength:"2048"`
	Count    int    `json:"count" minimum:"1" maximum:"200" doc:"How many win it."`
	CouponID string `json:"coupon_id,omitempty" doc:"Makes the prize a coupon of the store, claimed without an address."`
}

// LotteryConditions are what a viewer must have done to enter; all that are set must hold.
type LotteryConditions struct {
	Phrase   string `json:"phrase,omitempty" maxLength:"50" doc:"A comment with it in this show, since the opening."`
	MinLikes int64  `json:"min_likes,omitempty" minimum:"0" maximum:"100000" doc:"So many likes in this show."`
	Reminder bool   `json:"reminder,omitempty" doc:"Asked to be reminded of this show."`
	Bought   bool   `json:"bought,omitempty" doc:"Paid for an order that came from this show."`
}

// LotteryTerms are what staff decide while it is a draft.
type LotteryTerms struct {
	ShowID     string            `json:"show_id"`
	Title      string            `json:"title" minLength:"1" maxLength:"120"`
	Prizes     []LotteryPrize    `json:"prizes" minItems:"1" maxItems:"20" doc:"The first winner gets the first piece of the first prize, and so on."`
	Conditions LotteryConditions `json:"conditions,omitempty"`
	Window     int64             `json:"window_seconds" minimum:"10" maximum:"14400" doc:"How long viewers may enter, on the show's clock."`
	OpensAtMS  *int64            `json:"opens_at_ms,omitempty" minimum:"0" doc:"Opens it by itself at this show time; absent: by hand."`
	ClaimHours int64             `json:"claim_hours,omitempty" minimum:"1" maximum:"2160" doc:"How long winners may claim after the draw. Default 168 (a week)."`
}

// LotteryPath names a lottery of a store in an address.
type LotteryPath struct {
	Store   string `path:"store" doc:"The store's id."`
	Lottery string `path:"lottery" doc:"The lottery's id."`
}

type lotteryInput struct {
	Store string `path:"store" doc:"The store's id."`
	Body  LotteryTerms
}

type lotteryChange struct {
	LotteryPath
	Body LotteryTerms
}

func (s *Server) lotteryOperations() {
	tags := []string{"Lotteries"}
	const all, one = "/api/v1/stores/{store}/lotteries", "/api/v1/stores/{store}/lotteries/{lottery}"
	define, operate, look := staff(account.OffersWrite), staff(account.OverlayWrite), staff(account.RoomsRead)
	operation(s, huma.Operation{OperationID: "create-lottery", Method: http.MethodPost, Path: all, Tags: tags, Security: define, Summary: "Prepare a lottery", Description: "It is a draft until it is opened.", DefaultStatus: http.StatusCreated},
		func(ctx context.Context, in *lotteryInput) (*Body[Lottery], error) {
			return lotteryBody(s.Lotteries.Create(ctx, in.Store, in.Body.terms()))
		})
	operation(s, huma.Operation{OperationID: "list-lotteries", Method: http.MethodGet, Path: all, Tags: tags, Security: look, Summary: "List lotteries, newest first"}, s.listLotteries)
	operation(s, huma.Operation{OperationID: "get-lottery", Method: http.MethodGet, Path: one, Tags: tags, Security: look, Summary: "Read a lottery"},
		func(ctx context.Context, in *LotteryPath) (*Body[Lottery], error) {
			return lotteryBody(s.Lotteries.Get(ctx, in.Store, in.Lottery))
		})
	operation(s, huma.Operation{OperationID: "update-lottery", Method: http.MethodPut, Path: one, Tags: tags, Security: define, Summary: "Change a draft"},
		func(ctx context.Context, in *lotteryChange) (*Body[Lottery], error) {
			return lotteryBody(s.Lotteries.Update(ctx, in.Store, in.Lottery, in.Body.terms()))
		})
	operation(s, huma.Operation{OperationID: "open-lottery", Method: http.MethodPost, Path: one + "/open", Tags: tags, Security: operate, Summary: "Open a lottery", Description: "Publishes the commitment to the seed; viewers may enter from then on."},
		func(ctx context.Context, in *LotteryPath) (*Body[Lottery], error) {
			return lotteryBody(s.Lotteries.Open(ctx, in.Store, in.Lottery))
		})
	operation(s, huma.Operation{OperationID: "close-lottery", Method: http.MethodPost, Path: one + "/close", Tags: tags, Security: operate, Summary: "Close a lottery before its time", Description: "Publishes the hash of the entrants; the draw follows by itself some seconds later. Nothing draws it otherwise, or again."},
		func(ctx context.Context, in *LotteryPath) (*Body[Lottery], error) {
			return lotteryBody(s.Lotteries.Close(ctx, in.Store, in.Lottery))
		})
	operation(s, huma.Operation{OperationID: "cancel-lottery", Method: http.MethodPost, Path: one + "/cancel", Tags: tags, Security: define, Summary: "Give a lottery up before it has closed", Description: "What was published of it stays, with the reason."}, s.cancelLottery)
	operation(s, huma.Operation{OperationID: "list-lottery-winners", Method: http.MethodGet, Path: one + "/winners", Tags: tags, Security: staff(account.OrdersRead), Summary: "List winners and where their prizes go"}, s.listLotteryWinners)
	s.publicLotteryOperations()
	s.prizeOperations()
}

func (s *Server) listLotteries(ctx context.Context, in *struct {
	Store string `path:"store" doc:"The store's id."`
	Show  string `query:"show" doc:"Only those of this show."`
	PageInput
},
) (*Body[Page[Lottery]], error) {
	list, err := s.Lotteries.List(ctx, in.Store, in.Show, in.After, in.limit())
	if err != nil {
		return nil, err
	}
	return page(list, in.limit(), lotteryOf, func(l lottery.Lottery) string { return l.ID }), nil
}

func (s *Server) cancelLottery(ctx context.Context, in *struct {
	LotteryPath
	Body struct {
		Reason string `json:"reason" minLength:"1" maxLength:"200" doc:"Viewers see it."`
	}
},
) (*Body[Lottery], error) {
	return lotteryBody(s.Lotteries.Cancel(ctx, in.Store, in.Lottery, in.Body.Reason))
}

func (t *LotteryTerms) terms() lottery.Terms {
	prizes := make([]lottery.Prize, len(t.Prizes))
	for i, p := range t.Prizes {
		prizes[i] = lottery.Prize(p)
	}
	claim := time.Duration(t.ClaimHours) * time.Hour
	if claim == 0 {
		claim = 7 * 24 * time.Hour
	}
	return lottery.Terms{
		ShowID: t.ShowID, Title: t.Title, Prizes: prizes, Conditions: lottery.Conditions(t.Conditions),
		Window: time.Duration(t.Window) * time.Second, OpensAtMS: t.OpensAtMS, ClaimFor: claim,
	}
}

func lotteryBody(l lottery.Lottery, err error) (*Body[Lottery], error) {
	if err != nil {
		return nil, err
	}
	return &Body[Lottery]{lotteryOf(l)}, nil
}

func lotteryOf(l lottery.Lottery) Lottery {
	out := Lottery{
		ID: l.ID, ShowID: l.ShowID, Title: l.Title, State: string(l.State), Prizes: lotteryPrizes(l.Prizes), Conditions: LotteryConditions(l.Conditions),
		Window: int64(l.Window / time.Second), OpensAtMS: l.OpensAtMS, ClaimHours: int64(l.ClaimFor / time.Hour), Entries: l.Entries,
		Commitment: l.Commitment, EntrantsHash: l.EntrantsHash, Seed: l.Seed, CreatedAt: overlay.FormatWall(l.CreatedAt),
		OpenedAt: optionalTime(l.OpenedAt), ClosedAt: optionalTime(l.ClosedAt), DrawnAt: optionalTime(l.DrawnAt),
		CancelledAt: optionalTime(l.CancelledAt), ClaimsBy: optionalTime(l.ClaimsBy), Reason: l.Reason,
	}
	if l.OpenedMS >= 0 {
		out.OpenedMS, out.ClosesMS = &l.OpenedMS, &l.ClosesMS
	}
	return out
}

func lotteryPrizes(prizes []lottery.Prize) []LotteryPrize {
	out := make([]LotteryPrize, len(prizes))
	for i, p := range prizes {
		out[i] = LotteryPrize(p)
	}
	return out
}
