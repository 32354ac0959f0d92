package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/commerce/funnel"
	"github.com/vitrine-live/vitrine/overlay"
)

// ShareCode marks a link to a show.
type ShareCode struct {
	Code      string `json:"code" example:"0123456789"`
	ShowID    string `json:"show_id"`
	RoomID    string `json:"room_id"`
	Channel   string `json:"channel,omitempty"`
	URL       string `json:"url" doc:"The page to pass on. What is ordered through it counts for the code."`
	CreatedAt string `json:"created_at"`
}

// ShareCodePath names a share code in an address.
type ShareCodePath struct {
	Code string `path:"code" doc:"The share code."`
}

func (s *Server) shareCodeOperations() {
	tags := []string{"Reports"}
	operation(s, huma.Operation{OperationID: "share-show", Method: http.MethodPost, Path: "/api/v1/shows/{show}/share-codes", Tags: tags, Summary: "Get my own link to a show", Description: "The same every time.", Security: viewers},
		func(ctx context.Context, in *struct {
			ShowPath
			HostInput
		},
		) (*Body[ShareCode], error) {
			c, err := s.Funnel.Share(ctx, viewer(ctx).ID, in.Show)
			if err != nil {
				return nil, err
			}
			return s.shareCode(ctx, c, in.HostInput)
		})
	operation(s, huma.Operation{OperationID: "share-show-in-channel", Method: http.MethodPut, Path: "/api/v1/shows/{show}/channels/{channel}", Tags: tags, Summary: "Get the store's link to a show for a channel", Description: "Reports tell the channels apart: a group chat, a poster, a partner. The same every time.", Security: staff(account.RoomsWrite)},
		func(ctx context.Context, in *struct {
			ShowPath
			HostInput
			Channel string `path:"channel" maxLength:"32" doc:"What the store calls it, of [0-9A-Za-z_.-]."`
		},
		) (*Body[ShareCode], error) {
			c, err := s.Funnel.ShareOf(ctx, in.Show, in.Channel)
			if err != nil {
				return nil, err
			}
			return s.shareCode(ctx, c, in.HostInput)
		})
	operation(s, huma.Operation{OperationID: "list-channels", Method: http.MethodGet, Path: "/api/v1/shows/{show}/channels", Tags: tags, Summary: "List the store's links to a show", Security: staff(account.RoomsRead)}, s.listChannels)
	operation(s, huma.Operation{OperationID: "get-share-code", Method: http.MethodGet, Path: "/api/v1/share-codes/{code}", Tags: tags, Summary: "See where a share code leads", Security: public},
		func(ctx context.Context, in *struct {
			ShareCodePath
			HostInput
		},
		) (*Body[ShareCode], error) {
			c, err := s.Funnel.ShareCode(ctx, in.Code)
			if err != nil {
				return nil, err
			}
			return s.shareCode(ctx, c, in.HostInput)
		})
}

func (s *Server) listChannels(ctx context.Context, in *struct {
	ShowPath
	HostInput
},
) (*Body[Page[ShareCode]], error) {
	codes, err := s.Funnel.ShareCodes(ctx, principal(ctx).StoreID, in.Show)
	if err != nil {
		return nil, err
	}
	out := Page[ShareCode]{Items: make([]ShareCode, len(codes))}
	for i := range codes {
		c, err := s.shareCode(ctx, codes[i], in.HostInput)
		if err != nil {
			return nil, err
		}
		out.Items[i] = c.Body
	}
	return &Body[Page[ShareCode]]{out}, nil
}

func (s *Server) shareCode(ctx context.Context, c funnel.ShareCode, h HostInput) (*Body[ShareCode], error) {
	show, err := s.Rooms.Show(ctx, c.ShowID)
	if err != nil {
		return nil, err
	}
	return &Body[ShareCode]{ShareCode{
		Code: c.Code, ShowID: c.ShowID, RoomID: show.RoomID, Channel: c.Channel, CreatedAt: overlay.FormatWall(c.CreatedAt),
		URL: s.base(h) + "/r/" + show.RoomID + "?share=" + c.Code,
	}}, nil
}
