package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/overlay"
)

// AccessToken lets a program work in one store.
type AccessToken struct {
	ID        string   `json:"id" example:"tok_0123456789abcdef"`
	Name      string   `json:"name"`
	Scopes    []string `json:"scopes" doc:"What it may do."`
	CreatedBy string   `json:"created_by"`
	CreatedAt string   `json:"created_at"`
	ExpiresAt *string  `json:"expires_at" doc:"null: never."`
	UsedAt    *string  `json:"used_at" doc:"To the minute; null: never."`
}

// AccessTokenWithSecret is a token with what is sent.
type AccessTokenWithSecret struct {
	AccessToken
	Token string `json:"token" doc:"vt_...: to be sent as a bearer token. It is shown this once."`
}

// TokenPath names an API token of a store.
type TokenPath struct {
	StorePath
	Token string `path:"token" doc:"The token's id."`
}

type tokenInput struct {
	StorePath
	Body struct {
		Name      string     `json:"name" minLength:"1" maxLength:"80" doc:"What it is for."`
		Scopes    []string   `json:"scopes" minItems:"1" maxItems:"32" doc:"Permissions, such as orders:read; none that you do not have."`
		ExpiresAt *time.Time `json:"expires_at,omitempty" doc:"Default: never."`
	}
}

type tokenOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         AccessTokenWithSecret
}

func (s *Server) tokenOperations() {
	tags, may := []string{"Staff"}, staff(account.StaffWrite)
	const all = "/api/v1/stores/{store}/tokens"
	operation(s, huma.Operation{OperationID: "create-token", Method: http.MethodPost, Path: all, Tags: tags, Security: may, Summary: "Make an API token", DefaultStatus: http.StatusCreated}, s.createToken)
	operation(s, huma.Operation{OperationID: "list-tokens", Method: http.MethodGet, Path: all, Tags: tags, Security: may, Summary: "List API tokens"},
		func(ctx context.Context, in *struct {
			StorePath
			PageInput
		},
		) (*Body[Page[AccessToken]], error) {
			ts, err := s.People.Tokens(ctx, in.Store, in.After, in.limit())
			return page(ts, in.limit(), apiToken, func(t account.Token) string { return t.ID }), err
		})
	operation(s, huma.Operation{OperationID: "revoke-token", Method: http.MethodDelete, Path: all + "/{token}", Tags: tags, Security: may, Summary: "Revoke an API token", Description: "From the next request on.", DefaultStatus: http.StatusNoContent},
		func(ctx context.Context, in *TokenPath) (*Empty, error) {
			return &Empty{}, s.People.RevokeToken(ctx, in.Store, in.Token)
		})
}

func (s *Server) createToken(ctx context.Context, in *tokenInput) (*tokenOutput, error) {
	scopes := make([]account.Permission, len(in.Body.Scopes))
	for i, scope := range in.Body.Scopes {
		scopes[i] = account.Permission(scope)
	}
	var until time.Time
	if in.Body.ExpiresAt != nil {
		until = *in.Body.ExpiresAt
	}
	t, secret, err := s.People.CreateToken(ctx, principal(ctx), in.Body.Name, scopes, until)
	if err != nil {
		return nil, err
	}
	noteChange(ctx, "token", nil, t.ID)
	noteChange(ctx, "scopes", nil, t.Scopes)
	return &tokenOutput{"no-store", AccessTokenWithSecret{apiToken(t), secret}}, nil
}

func apiToken(t account.Token) AccessToken {
	return AccessToken{
		ID: t.ID, Name: t.Name, Scopes: words(t.Scopes), CreatedBy: t.CreatedBy, CreatedAt: overlay.FormatWall(t.CreatedAt),
		ExpiresAt: optionalTime(t.ExpiresAt), UsedAt: optionalTime(t.UsedAt),
	}
}
