package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/overlay"
	"github.com/vitrine-live/vitrine/overlay/audience"
)

// PostedComment is a comment as its viewer gets it back.
type PostedComment struct {
	ID         string `json:"id" example:"cmt_0123456789abcdef"`
	Name       string `json:"name" doc:"How the others see who said it."`
	Text       string `json:"text"`
	State      string `json:"state" enum:"shown,held" doc:"held: staff look at it first."`
	ShowTimeMS int64  `json:"show_time_ms"`
}

// StaffComment is a comment as those who moderate see it.
type StaffComment struct {
	ID          string  `json:"id"`
	ViewerID    string  `json:"viewer_id"`
	Name        string  `json:"name"`
	Text        string  `json:"text"`
	State       string  `json:"state" enum:"shown,held,hidden"`
	Reason      string  `json:"reason,omitempty" doc:"The words for which it is held."`
	ShowTimeMS  int64   `json:"show_time_ms"`
	CreatedAt   string  `json:"created_at"`
	ModeratedBy string  `json:"moderated_by,omitempty"`
	ModeratedAt *string `json:"moderated_at,omitempty"`
}

// Mute keeps a viewer, or everybody, from commenting in a show.
type Mute struct {
	ID        string `json:"id" example:"mute_0123456789abcdef"`
	ViewerID  string `json:"viewer_id" doc:"Empty: everybody."`
	Name      string `json:"name"`
	MutedBy   string `json:"muted_by"`
	CreatedAt string `json:"created_at"`
}

// CommentPath names a comment of a show in an address.
type CommentPath struct {
	ShowPath
	Comment string `path:"comment" doc:"The comment's id."`
}

type commentInput struct {
	ShowPath
	Body struct {
		Text       string `json:"text" minLength:"1" maxLength:"200" doc:"Plain text, one line."`
		ShowTimeMS *int64 `json:"show_time_ms,omitempty" doc:"What the viewer's picture shows. The comment stands there if it is at most a minute behind the show, else now."`
	}
}

type muteInput struct {
	ShowPath
	Body struct {
		CommentID string `json:"comment_id,omitempty" doc:"Mutes who made this comment."`
		ViewerID  string `json:"viewer_id,omitempty" maxLength:"300" doc:"Mutes this viewer."`
		Everybody bool   `json:"everybody,omitempty" doc:"Closes the comments of the show."`
	}
}

func (s *Server) commentOperations() {
	tags := []string{"Comments"}
	const all, one = "/api/v1/shows/{show}/comments", "/api/v1/shows/{show}/comments/{comment}"
	moderate := staff(account.OverlayWrite)
	operation(s, huma.Operation{OperationID: "post-comment", Method: http.MethodPost, Path: all, Tags: tags, Security: viewers, Summary: "Comment in a show on air", DefaultStatus: http.StatusCreated}, s.postComment)
	operation(s, huma.Operation{OperationID: "list-comments", Method: http.MethodGet, Path: all, Tags: tags, Security: moderate, Summary: "List comments, newest first"}, s.listComments)
	operation(s, huma.Operation{OperationID: "hide-comment", Method: http.MethodDelete, Path: one, Tags: tags, Security: moderate, Summary: "Take a comment back", Description: "It is gone for viewers and from the replay, also after the show; staff still see it."},
		func(ctx context.Context, in *CommentPath) (*Body[StaffComment], error) {
			return commentBody(s.Comments.Hide(ctx, in.Show, in.Comment, principal(ctx).ID))
		})
	operation(s, huma.Operation{OperationID: "approve-comment", Method: http.MethodPost, Path: one + "/approve", Tags: tags, Security: moderate, Summary: "Let a held comment be seen"},
		func(ctx context.Context, in *CommentPath) (*Body[StaffComment], error) {
			return commentBody(s.Comments.Approve(ctx, in.Show, in.Comment, principal(ctx).ID))
		})
	operation(s, huma.Operation{OperationID: "mute", Method: http.MethodPost, Path: "/api/v1/shows/{show}/mutes", Tags: tags, Security: moderate, Summary: "Keep a viewer, or everybody, from commenting in a show", DefaultStatus: http.StatusCreated}, s.mute)
	operation(s, huma.Operation{OperationID: "list-mutes", Method: http.MethodGet, Path: "/api/v1/shows/{show}/mutes", Tags: tags, Security: moderate, Summary: "List who is muted in a show"},
		func(ctx context.Context, in *ShowPath) (*Body[Page[Mute]], error) {
			list, err := s.Comments.Muted(ctx, in.Show)
			if err != nil {
				return nil, err
			}
			return page(list, 0, muteOf, nil), nil
		})
	operation(s, huma.Operation{OperationID: "unmute", Method: http.MethodDelete, Path: "/api/v1/shows/{show}/mutes/{mute}", Tags: tags, Security: moderate, Summary: "End a mute", DefaultStatus: http.StatusNoContent},
		func(ctx context.Context, in *struct {
			ShowPath
			Mute string `path:"mute" doc:"The mute's id."`
		},
		) (*Empty, error) {
			return &Empty{}, s.Comments.Unmute(ctx, in.Show, in.Mute)
		})
	s.likeOperations()
}

func (s *Server) postComment(ctx context.Context, in *commentInput) (*Body[PostedComment], error) {
	c, err := s.Comments.Post(ctx, in.Show, viewer(ctx), in.Body.Text, in.Body.ShowTimeMS)
	if err != nil {
		return nil, err
	}
	return &Body[PostedComment]{PostedComment{ID: c.ID, Name: c.Name, Text: c.Text, State: string(c.State), ShowTimeMS: c.ShowTimeMS}}, nil
}

func (s *Server) listComments(ctx context.Context, in *struct {
	ShowPath
	State string `query:"state" enum:"shown,held,hidden" doc:"Only those; held ones wait for somebody to decide."`
	PageInput
},
) (*Body[Page[StaffComment]], error) {
	list, err := s.Comments.List(ctx, in.Show, audience.State(in.State), in.After, in.limit())
	if err != nil {
		return nil, err
	}
	return page(list, in.limit(), staffComment, func(c audience.Comment) string { return c.ID }), nil
}

func (s *Server) mute(ctx context.Context, in *muteInput) (*Body[Mute], error) {
	b, by := in.Body, principal(ctx).ID
	var m audience.Mute
	var err error
	switch {
	case b.CommentID != "" && b.ViewerID == "" && !b.Everybody:
		m, err = s.Comments.MuteAuthor(ctx, in.Show, b.CommentID, by)
	case b.ViewerID != "" && b.CommentID == "" && !b.Everybody:
		m, err = s.Comments.Mute(ctx, in.Show, b.ViewerID, "", by)
	case b.Everybody && b.CommentID == "" && b.ViewerID == "":
		m, err = s.Comments.Mute(ctx, in.Show, "", "", by)
	default:
		err = errs.New(errs.Invalid, "api.mute", "give one of comment_id, viewer_id and everybody")
	}
	if err != nil {
		return nil, err
	}
	return &Body[Mute]{muteOf(m)}, nil
}

func commentBody(c audience.Comment, err error) (*Body[StaffComment], error) {
	if err != nil {
		return nil, err
	}
	return &Body[StaffComment]{staffComment(c)}, nil
}

func staffComment(c audience.Comment) StaffComment {
	return StaffComment{
		ID: c.ID, ViewerID: c.ViewerID, Name: c.Name, Text: c.Text, State: string(c.State), Reason: c.Reason, ShowTimeMS: c.ShowTimeMS,
		CreatedAt: overlay.FormatWall(c.CreatedAt), ModeratedBy: c.ModeratedBy, ModeratedAt: optionalTime(c.ModeratedAt),
	}
}

func muteOf(m audience.Mute) Mute {
	return Mute{ID: m.ID, ViewerID: m.ViewerID, Name: m.Name, MutedBy: m.By, CreatedAt: overlay.FormatWall(m.CreatedAt)}
}
