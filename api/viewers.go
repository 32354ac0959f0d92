package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/overlay"
)

// WeChat tells the users of one mini-program.
type WeChat struct {
	AppID string
	// Login exchanges a code of wx.login for the user's openid.
	Login func(ctx context.Context, code string) (openID string, err error)
}

// Viewer is a viewer as they see themselves.
type Viewer struct {
	ID     string `json:"id" example:"visitor:vis_0123456789abcdef"`
	Kind   string `json:"kind" enum:"visitor,store,wechat" doc:"Who vouches for the viewer: nobody, a store, or WeChat."`
	Name   string `json:"name" doc:"As shown beside what the viewer says; may be empty."`
	Avatar string `json:"avatar" doc:"Address of a picture; may be empty."`
}

// ViewerToken is a token with whose it is.
type ViewerToken struct {
	Token     string `json:"token" doc:"To be sent as a bearer token. Pages of this server need not: they get a cookie."`
	Viewer    Viewer `json:"viewer"`
	ExpiresAt string `json:"expires_at"`
}

type viewerTokenOutput struct {
	SetCookie    http.Cookie `header:"Set-Cookie"`
	CacheControl string      `header:"Cache-Control"`
	Body         ViewerToken
}

type viewerUpdate struct {
	ClientInput
	Body struct {
		Name string `json:"name" maxLength:"200" doc:"At most 40 characters; empty: none."`
	}
}

// StorePath names a store in an address.
type StorePath struct {
	Store string `path:"store" doc:"The store's id."`
}

type wechatLogin struct {
	StorePath
	ClientInput
	Body struct {
		Code string `json:"code" minLength:"1" maxLength:"512" doc:"What wx.login gave."`
	}
}

func (s *Server) viewerOperations() {
	tags := []string{"Viewers"}
	operation(s, huma.Operation{OperationID: "create-visitor", Method: http.MethodPost, Path: "/api/v1/visitors", Tags: tags, Security: public, Middlewares: huma.Middlewares{s.ownPageOrProgram, s.recognized}, Summary: "Become a viewer", Description: "Makes an anonymous viewer. Whoever is one already, by cookie or bearer token, stays the same and gets a fresh token.", DefaultStatus: http.StatusCreated}, s.createVisitor)
	operation(s, huma.Operation{OperationID: "get-me", Method: http.MethodGet, Path: "/api/v1/me", Tags: tags, Security: viewers, Summary: "Read who I am"},
		func(ctx context.Context, _ *Empty) (*Body[Viewer], error) {
			return &Body[Viewer]{viewerOf(viewer(ctx))}, nil
		})
	operation(s, huma.Operation{OperationID: "update-me", Method: http.MethodPatch, Path: "/api/v1/me", Tags: tags, Security: viewers, Summary: "Choose my name", Description: "The name is in the token: the answer has a new one. Viewers of a store get their name from the store."}, s.updateMe)
	operation(s, huma.Operation{OperationID: "wechat-login", Method: http.MethodPost, Path: "/api/v1/stores/{store}/wechat-login", Tags: tags, Security: public, Summary: "Become a viewer known to WeChat", Description: "For the operator's mini-program (wechat.app_id): exchanges the code of wx.login for a viewer token. The same WeChat user is the same viewer again.", DefaultStatus: http.StatusCreated}, s.wechatLogin)
}

func (s *Server) createVisitor(ctx context.Context, in *ClientInput) (*viewerTokenOutput, error) {
	v := viewer(ctx)
	if v.ID == "" || v.StoreID != "" {
		made, _, err := s.Viewers.New()
		if err != nil {
			return nil, err
		}
		v = made
	}
	return s.viewerToken(v, in.https())
}

func (s *Server) updateMe(ctx context.Context, in *viewerUpdate) (*viewerTokenOutput, error) {
	v, err := viewer(ctx).Named(in.Body.Name)
	if err != nil {
		return nil, err
	}
	return s.viewerToken(v, in.https())
}

func (s *Server) wechatLogin(ctx context.Context, in *wechatLogin) (*viewerTokenOutput, error) {
	if s.WeChat == nil {
		return nil, errs.New(errs.Conflict, "api.wechatLogin", "no mini-program is set up on this server: the operator sets wechat.app_id and wechat.secret")
	}
	if _, err := s.Store.Store(ctx, in.Store); err != nil {
		return nil, err
	}
	openID, err := s.WeChat.Login(ctx, in.Body.Code)
	if err != nil {
		return nil, err
	}
	return s.viewerToken(account.WeChatViewer(s.WeChat.AppID, openID), in.https())
}

// viewerToken answers with a token of this server's own, and sets it as a cookie too.
func (s *Server) viewerToken(v account.Viewer, https bool) (*viewerTokenOutput, error) {
	token, until, err := s.Viewers.Token(v)
	if err != nil {
		return nil, err
	}
	return &viewerTokenOutput{
		SetCookie: cookie(https, viewerCookie, token, until), CacheControl: "no-store",
		Body: ViewerToken{Token: token, Viewer: viewerOf(v), ExpiresAt: overlay.FormatWall(until.Truncate(time.Millisecond))},
	}, nil
}

// ownPageOrProgram refuses what a page of another site makes a browser send. Programs say nothing of an origin.
func (s *Server) ownPageOrProgram(ctx huma.Context, next func(huma.Context)) {
	if r, _ := humago.Unwrap(ctx); s.origins.Check(r) != nil {
		s.refuseWith(ctx, errs.New(errs.Forbidden, "api.ownPageOrProgram", wantOwnPage))
		return
	}
	next(ctx)
}

// recognized notes who the viewer is where that is of use but not needed.
func (s *Server) recognized(ctx huma.Context, next func(huma.Context)) {
	if v, err := s.watching(ctx); err == nil {
		ctx = huma.WithValue(ctx, viewerKey{}, v)
	}
	next(ctx)
}

func viewerOf(v account.Viewer) Viewer {
	out := Viewer{ID: v.ID, Kind: "visitor", Name: v.Name, Avatar: v.Avatar}
	switch {
	case v.StoreID != "":
		out.Kind = "store"
	case v.OpenID != "":
		out.Kind = "wechat"
	}
	return out
}
