package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/commerce/offer"
	"github.com/vitrine-live/vitrine/overlay"
)

// RedPacketTerms are the terms of a red packet. Each piece is a coupon with them, whose amount is the piece's.
type RedPacketTerms struct {
	OfferTerms
	Total  int64 `json:"total" minimum:"1" maximum:"1000000000000" doc:"What all pieces sum to, in minor units."`
	Pieces int64 `json:"pieces" minimum:"1" maximum:"10000"`
	Least  int64 `json:"least,omitempty" minimum:"1" default:"1" doc:"The smallest piece, in minor units."`
}

// RedPacket is a red packet as staff see it. How large the pieces are that nobody has claimed is told to nobody.
type RedPacket struct {
	ID    string `json:"id" example:"rpk_0123456789abcdef"`
	State string `json:"state" enum:"draft,active,empty,stopped"`
	RedPacketTerms
	Claimed       int64  `json:"claimed" doc:"Pieces so far."`
	ClaimedAmount int64  `json:"claimed_amount" doc:"What they sum to."`
	Left          int64  `json:"left" doc:"Pieces that nobody has claimed; once it is stopped nobody can."`
	LeftAmount    int64  `json:"left_amount"`
	CreatedAt     string `json:"created_at"`
	UpdatedAt     string `json:"updated_at"`
}

// RedPacketPath names a red packet of a store in an address.
type RedPacketPath struct {
	Store  string `path:"store" doc:"The store's id."`
	Packet string `path:"packet" doc:"The red packet's id."`
}

type redPacketInput struct {
	Store string `path:"store" doc:"The store's id."`
	Body  RedPacketTerms
}

type redPacketUpdate struct {
	RedPacketPath
	Body struct {
		OfferChange
		Total  *int64 `json:"total,omitempty" minimum:"1" maximum:"1000000000000"`
		Pieces *int64 `json:"pieces,omitempty" minimum:"1" maximum:"10000"`
		Least  *int64 `json:"least,omitempty" minimum:"1"`
	}
}

func (s *Server) redPacketOperations() {
	tags := []string{"Red packets"}
	const all, one = "/api/v1/stores/{store}/red-packets", "/api/v1/stores/{store}/red-packets/{packet}"
	define, look := staff(account.OffersWrite), staff(account.RoomsRead)
	operation(s, huma.Operation{OperationID: "create-red-packet", Method: http.MethodPost, Path: all, Tags: tags, Security: define, Summary: "Make a red packet", Description: "The total is split at random: of all ways to split it into so many pieces, each at least as large as said, each is as likely.", DefaultStatus: http.StatusCreated}, s.createRedPacket)
	operation(s, huma.Operation{OperationID: "list-red-packets", Method: http.MethodGet, Path: all, Tags: tags, Security: look, Summary: "List red packets, newest first"}, s.listRedPackets)
	operation(s, huma.Operation{OperationID: "get-red-packet", Method: http.MethodGet, Path: one, Tags: tags, Security: look, Summary: "Read a red packet"},
		func(ctx context.Context, in *RedPacketPath) (*Body[RedPacket], error) {
			return rendered(redPacketOf)(s.Offers.RedPacket(ctx, in.Store, in.Packet))
		})
	operation(s, huma.Operation{OperationID: "update-red-packet", Method: http.MethodPatch, Path: one, Tags: tags, Security: define, Summary: "Change a red packet that was not dropped yet", Description: "Its pieces are drawn anew where total, pieces or least change. 409 once it was dropped. An empty claim_from, claim_until or valid_until removes it."}, s.updateRedPacket)
	operation(s, huma.Operation{OperationID: "stop-red-packet", Method: http.MethodPost, Path: one + "/stop", Tags: tags, Security: define, Summary: "Stop a red packet for good", Description: "What nobody has claimed stays with the store. One that is over stays as it is."},
		func(ctx context.Context, in *RedPacketPath) (*Body[RedPacket], error) {
			return rendered(redPacketOf)(s.Offers.StopRedPacket(ctx, in.Store, in.Packet))
		})
	operation(s, huma.Operation{OperationID: "delete-red-packet", Method: http.MethodDelete, Path: one, Tags: tags, Security: define, Summary: "Delete a red packet that was never dropped", DefaultStatus: http.StatusNoContent},
		func(ctx context.Context, in *RedPacketPath) (*Empty, error) {
			return &Empty{}, s.Offers.DeleteRedPacket(ctx, in.Store, in.Packet)
		})
}

func (s *Server) createRedPacket(ctx context.Context, in *redPacketInput) (*Body[RedPacket], error) {
	b := &in.Body
	terms, rules, err := s.offerTerms(ctx, in.Store, &b.OfferTerms)
	if err != nil {
		return nil, err
	}
	return rendered(redPacketOf)(s.Offers.CreateRedPacket(ctx, offer.RedPacket{
		StoreID: in.Store, Terms: terms, Rules: rules, Total: b.Total, Pieces: b.Pieces, Least: b.Least,
	}))
}

func (s *Server) updateRedPacket(ctx context.Context, in *redPacketUpdate) (*Body[RedPacket], error) {
	b := &in.Body
	change, err := b.read("api.updateRedPacket")
	if err != nil {
		return nil, err
	}
	return rendered(redPacketOf)(s.Offers.UpdateRedPacket(ctx, in.Store, in.Packet, func(p *offer.RedPacket) {
		change(&p.Terms, &p.Rules)
		set(&p.Total, b.Total)
		set(&p.Pieces, b.Pieces)
		set(&p.Least, b.Least)
	}))
}

func (s *Server) listRedPackets(ctx context.Context, in *struct {
	Store string `path:"store" doc:"The store's id."`
	PageInput
},
) (*Body[Page[RedPacket]], error) {
	list, err := s.Offers.ListRedPackets(ctx, in.Store, in.After, in.limit())
	if err != nil {
		return nil, err
	}
	return page(list, in.limit(), redPacketOf, func(p offer.RedPacket) string { return p.ID }), nil
}

func redPacketOf(p offer.RedPacket) RedPacket {
	return RedPacket{
		ID: p.ID, State: string(p.State), RedPacketTerms: RedPacketTerms{OfferTerms: termsOf(&p.Terms, &p.Rules), Total: p.Total, Pieces: p.Pieces, Least: p.Least},
		Claimed: p.Claimed, ClaimedAmount: p.ClaimedAmount, Left: p.Pieces - p.Claimed, LeftAmount: p.Total - p.ClaimedAmount,
		CreatedAt: overlay.FormatWall(p.CreatedAt), UpdatedAt: overlay.FormatWall(p.UpdatedAt),
	}
}
