package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// LikesTotal is how many likes a show has.
type LikesTotal struct {
	Total int64 `json:"total" doc:"Of the show so far. The channel tells it once a second: {\"type\":\"state\",\"key\":\"likes\",\"value\":…}."`
}

type likesInput struct {
	ShowPath
	Body struct {
		Count int64 `json:"count" minimum:"1" maximum:"30" doc:"How often the viewer tapped since the last request."`
	}
}

func (s *Server) likeOperations() {
	operation(s, huma.Operation{OperationID: "like", Method: http.MethodPost, Path: "/api/v1/shows/{show}/likes", Tags: []string{"Comments"}, Security: viewers, Summary: "Like a show on air", Description: "Pages add taps up and send them once a second at most."},
		func(ctx context.Context, in *likesInput) (*Body[LikesTotal], error) {
			total, err := s.Likes.Add(ctx, in.Show, viewer(ctx).ID, in.Body.Count)
			if err != nil {
				return nil, err
			}
			return &Body[LikesTotal]{LikesTotal{total}}, nil
		})
}
