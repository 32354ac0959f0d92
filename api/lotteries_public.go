package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/vitrine-live/vitrine/commerce/lottery"
	"github.com/vitrine-live/vitrine/overlay"
)

// ShownLottery is a lottery as viewers see it: what the timeline's events about it carry as well.
type ShownLottery struct {
	ID           string            `json:"id"`
	ShowID       string            `json:"show_id"`
	Title        string            `json:"title"`
	State        string            `json:"state" enum:"open,closed,drawn,cancelled"`
	Prizes       []LotteryPrize    `json:"prizes"`
	Conditions   LotteryConditions `json:"conditions"`
	OpenedMS     int64             `json:"opened_ms" doc:"Show time."`
	ClosesMS     int64             `json:"closes_ms" doc:"Show time: who has not entered by then cannot any more."`
	Commitment   string            `json:"commitment"`
	Entries      int64             `json:"entries" doc:"So far; final once it has closed."`
	EntrantsHash string            `json:"entrants_hash,omitempty"`
	Seed         string            `json:"seed,omitempty"`
	ClaimsBy     *string           `json:"claims_by,omitempty"`
	Reason       string            `json:"reason,omitempty" doc:"Why it was cancelled."`
}

// LotteryEntry is a viewer's own place in a lottery.
type LotteryEntry struct {
	Entered bool     `json:"entered"`
	Entrant string   `json:"entrant,omitempty" doc:"The name under which the viewer takes part; the proof lists it. Keep it."`
	At      *string  `json:"at,omitempty"`
	Missing []string `json:"missing" enum:"comment,likes,reminder,bought" doc:"What the viewer has to do before they can enter."`
}

// PublicLotteryPath names a lottery in an address of the viewers' side.
type PublicLotteryPath struct {
	Lottery string `path:"lottery" doc:"The lottery's id."`
}

type proofOutput struct {
	AllowOrigin  string `header:"Access-Control-Allow-Origin"`
	CacheControl string `header:"Cache-Control"`
	Disposition  string `header:"Content-Disposition"`
	Body         lottery.Proof
}

func (s *Server) publicLotteryOperations() {
	tags := []string{"Lotteries"}
	const one = "/api/v1/lotteries/{lottery}"
	operation(s, huma.Operation{OperationID: "list-show-lotteries", Method: http.MethodGet, Path: "/api/v1/shows/{show}/lotteries", Tags: tags, Security: public, Summary: "List the lotteries of a show that were opened"},
		func(ctx context.Context, in *ShowPath) (*Body[Page[ShownLottery]], error) {
			list, err := s.Lotteries.Shown(ctx, in.Show)
			if err != nil {
				return nil, err
			}
			return page(list, 0, shownLottery, nil), nil
		})
	operation(s, huma.Operation{OperationID: "get-shown-lottery", Method: http.MethodGet, Path: one, Tags: tags, Security: public, Summary: "Read a lottery as viewers see it"},
		func(ctx context.Context, in *PublicLotteryPath) (*Body[ShownLottery], error) {
			l, err := s.Lotteries.Public(ctx, in.Lottery)
			if err != nil {
				return nil, err
			}
			return &Body[ShownLottery]{shownLottery(l)}, nil
		})
	operation(s, huma.Operation{OperationID: "get-lottery-proof", Method: http.MethodGet, Path: one + "/proof", Tags: tags, Security: public, Summary: "Download what the winners follow from", Description: "Everything that is needed to draw the lottery again: see docs/lottery.md. `vitrine lottery verify FILE` does it."}, s.lotteryProof)
	operation(s, huma.Operation{OperationID: "enter-lottery", Method: http.MethodPost, Path: one + "/entries", Tags: tags, Security: viewers, Summary: "Enter a lottery", Description: "Each viewer enters once; asking again returns the same entry."},
		func(ctx context.Context, in *PublicLotteryPath) (*Body[LotteryEntry], error) {
			e, err := s.Lotteries.Enter(ctx, in.Lottery, viewer(ctx))
			if err != nil {
				return nil, err
			}
			return &Body[LotteryEntry]{lotteryEntry(&e, nil)}, nil
		})
	operation(s, huma.Operation{OperationID: "get-lottery-entry", Method: http.MethodGet, Path: one + "/entries/mine", Tags: tags, Security: viewers, Summary: "Read one's own entry, or what is missing for it"},
		func(ctx context.Context, in *PublicLotteryPath) (*Body[LotteryEntry], error) {
			e, missing, err := s.Lotteries.Standing(ctx, in.Lottery, viewer(ctx).ID)
			if err != nil {
				return nil, err
			}
			return &Body[LotteryEntry]{lotteryEntry(e, missing)}, nil
		})
}

func (s *Server) lotteryProof(ctx context.Context, in *PublicLotteryPath) (*proofOutput, error) {
	p, err := s.Lotteries.Proof(ctx, in.Lottery)
	if err != nil {
		return nil, err
	}
	cache := "no-store"
	if p.State == lottery.Drawn { // it never changes again
		cache = "public, max-age=86400"
	}
	return &proofOutput{AllowOrigin: "*", CacheControl: cache, Disposition: `inline; filename="` + p.Lottery + `.json"`, Body: p}, nil
}

func shownLottery(l lottery.Lottery) ShownLottery {
	return ShownLottery{
		ID: l.ID, ShowID: l.ShowID, Title: l.Title, State: string(l.State), Prizes: lotteryPrizes(l.Prizes), Conditions: LotteryConditions(l.Conditions),
		OpenedMS: l.OpenedMS, ClosesMS: l.ClosesMS, Commitment: l.Commitment, Entries: l.Entries, EntrantsHash: l.EntrantsHash, Seed: l.Seed,
		ClaimsBy: optionalTime(l.ClaimsBy), Reason: l.Reason,
	}
}

func lotteryEntry(e *lottery.Entry, missing []lottery.Condition) LotteryEntry {
	out := LotteryEntry{Missing: []string{}}
	for _, c := range missing {
		out.Missing = append(out.Missing, string(c))
	}
	if e != nil {
		at := overlay.FormatWall(e.At)
		out.Entered, out.Entrant, out.At = true, e.Entrant, &at
	}
	return out
}
