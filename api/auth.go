package api

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/live"
)

const (
	wantAdmin   = "Send the admin token as \"Authorization: Bearer ...\"; the server keeps it in data/admin.token."
	wantSession = "Sign in with POST /api/v1/session."
	wantStaff   = "Sign in with POST /api/v1/session, or send an API token of the store as \"Authorization: Bearer ...\"."
	wantKey     = "Send the room's stream key, an API token of its store, or the admin token, as \"Authorization: Bearer ...\"; a new stream key can be made in the room's settings."
	wantViewer  = "Ask POST /api/v1/visitors for a viewer token and send it as \"Authorization: Bearer ...\"."
	tooMany     = "Too many wrong stream keys came from your network. Wait a minute, then try again with the right one."
)

// HashToken returns how the admin token is compared: tokens are random, so a plain hash is enough.
func HashToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// authorize lets those in who may carry out the operation, before anything of the request beyond its address is read: who
// it is (401), whether what the address names is theirs (404), whether they may (403).
func (s *Server) authorize(ctx huma.Context, next func(huma.Context)) {
	a := accessOf(ctx.Operation())
	switch {
	case a.everyone():
		next(ctx)
	case a.viewer:
		s.authorizeViewer(ctx, next)
	default:
		s.authorizeStaff(ctx, a, next)
	}
}

// anchorCaller lets in whoever has the stream key of the room in the address. Keys have 160 random bits; that wrong ones
// are counted keeps the guessing from costing anybody else anything.
func (s *Server) anchorCaller(ctx huma.Context, key string) (*caller, error) {
	const op = "api.anchorCaller"
	if key == "" {
		return nil, errs.New(errs.Unauthorized, op, wantKey)
	}
	r, _ := humago.Unwrap(ctx)
	from, now := s.ClientAddr(r), s.Now()
	if !s.wrongKeys.mayTry(from, now) {
		return nil, errs.New(errs.Exhausted, op, tooMany)
	}
	known, err := s.isAnchor(ctx.Context(), ctx.Param("room"), key)
	if err != nil {
		return nil, errs.Wrap(op, err)
	}
	if !known {
		s.wrongKeys.wrong(from, now)
		s.Log.WarnContext(ctx.Context(), "wrong stream key", "op", ctx.Operation().OperationID, "room", ctx.Param("room"), "remote", from)
		return nil, errs.New(errs.Unauthorized, op, wantKey)
	}
	return &caller{principal: account.Principal{ID: "stream_key:" + ctx.Param("room"), Name: "stream key"}}, nil
}

// isAnchor reports whether key is the stream key of the room. A room that is not there has none.
func (s *Server) isAnchor(ctx context.Context, roomID, key string) (bool, error) {
	room, err := s.Rooms.Store.Room(ctx, roomID)
	if errs.KindOf(err) == errs.NotFound {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare([]byte(live.HashKey(key)), []byte(room.KeyHash)) == 1, nil
}

// authorizeViewer lets in whoever shows who they are. A viewer for whom a store vouches is known to that store's things
// alone: another store cannot tell whether the word is true.
func (s *Server) authorizeViewer(ctx huma.Context, next func(huma.Context)) {
	v, err := s.watching(ctx)
	if err != nil {
		s.refuseWith(ctx, err)
		return
	}
	if v.StoreID != "" {
		storeID, err := s.storeOf(ctx)
		if err == nil && storeID != "" && storeID != v.StoreID {
			err = errs.New(errs.Forbidden, "api.authorizeViewer", "this viewer token is good in the store that made it alone: ask POST /api/v1/visitors for one of your own here")
		}
		if err != nil {
			s.refuseWith(ctx, err)
			return
		}
	}
	next(huma.WithValue(ctx, viewerKey{}, v))
}

// watching tells the viewer by token or cookie.
func (s *Server) watching(ctx huma.Context) (account.Viewer, error) {
	const op = "api.watching"
	r, _ := humago.Unwrap(ctx)
	token := bearer(ctx.Header("Authorization"))
	if token == "" && ctx.Header("Authorization") == "" {
		token = cookieValue(r, viewerCookie)
		if token != "" && !s.fromOwnPage(r) {
			return account.Viewer{}, errs.New(errs.Forbidden, op, wantOwnPage)
		}
	}
	if token == "" {
		return account.Viewer{}, errs.New(errs.Unauthorized, op, wantViewer)
	}
	return s.Viewers.Viewer(ctx.Context(), token)
}

// refuseWith answers with the error's status and message.
func (s *Server) refuseWith(ctx huma.Context, err error) {
	status := statuses[errs.KindOf(err)]
	switch status {
	case http.StatusUnauthorized:
		ctx.SetHeader("WWW-Authenticate", `Bearer realm="vitrine"`)
	case http.StatusTooManyRequests:
		ctx.SetHeader("Retry-After", "60")
	case http.StatusServiceUnavailable:
		ctx.SetHeader("Retry-After", "1")
	}
	p := s.problem(ctx.Context(), ctx.Operation().OperationID, err).(*huma.ErrorModel) //nolint:errorlint,forcetypeassert // problem makes no other
	_ = huma.WriteErr(s.api, ctx, status, p.Detail)
}

// bearer is the token of an Authorization header, "" when there is none.
func bearer(header string) string {
	token, ok := strings.CutPrefix(header, "Bearer ")
	if !ok {
		return ""
	}
	return token
}

// isAdmin compares hashes, in constant time.
func (s *Server) isAdmin(token string) bool {
	return subtle.ConstantTimeCompare([]byte(HashToken(token)), []byte(s.AdminTokenHash)) == 1
}

type (
	principalKey struct{}
	viewerKey    struct{}
)

// principal is who carries out an operation of the merchant's side.
func principal(ctx context.Context) account.Principal {
	p, _ := ctx.Value(principalKey{}).(account.Principal)
	return p
}

// viewer is who carries out an operation of the viewers' side.
func viewer(ctx context.Context) account.Viewer {
	v, _ := ctx.Value(viewerKey{}).(account.Viewer)
	return v
}
