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

// Who may carry out an operation: everyone, or whoever has the admin token, which is the default; the anchor of the
// room, who has its stream key, may do some.
var (
	public = []map[string][]string{}
	admins = []map[string][]string{{"admin": {}}}
	anchor = []map[string][]string{{"admin": {}}, {"stream_key": {}}}
	// viewers are for whoever watches: an anonymous visitor, or somebody a store vouches for.
	viewers = []map[string][]string{{"viewer": {}}}
)

// staff is for those of the store in the address whose role has the permission, and for tokens with it as a scope.
func staff(p account.Permission) []map[string][]string {
	return []map[string][]string{{"admin": {}}, {"staff": {string(p)}}}
}

const (
	wantToken = "Send the admin token as \"Authorization: Bearer ...\"; the server keeps it in data/admin.token."
	wantKey   = "Send the room's stream key, or the admin token, as \"Authorization: Bearer ...\"; a new stream key can be made in the room's settings."
	tooMany   = "Too many wrong stream keys came from your network. Wait a minute, then try again with the right one."
)

// HashToken returns how the admin token is compared: tokens are random, so a plain hash is enough.
func HashToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// authenticate refuses operations whose token or key is missing or wrong.
func (s *Server) authenticate(ctx huma.Context, next func(huma.Context)) {
	security := ctx.Operation().Security
	switch {
	case len(security) == 0:
		next(ctx)
	case security[0]["viewer"] != nil:
		s.authenticateViewer(ctx, next)
	case s.isAdmin(ctx.Header("Authorization")):
		next(huma.WithValue(ctx, principalKey{}, account.Principal{ID: "admin", Name: "admin", Admin: true, StoreID: ctx.Param("store")}))
	case len(security) == len(anchor) && security[1]["stream_key"] != nil:
		s.authenticateAnchor(ctx, next)
	default:
		s.refuse(ctx, http.StatusUnauthorized, wantToken)
	}
}

// authenticateAnchor lets in whoever has the stream key of the room in the address. Keys have 160 random bits; that
// wrong ones are counted keeps the guessing from costing anybody else anything.
func (s *Server) authenticateAnchor(ctx huma.Context, next func(huma.Context)) {
	key, sent := strings.CutPrefix(ctx.Header("Authorization"), "Bearer ")
	if !sent || key == "" {
		s.refuse(ctx, http.StatusUnauthorized, wantKey)
		return
	}
	r, _ := humago.Unwrap(ctx)
	from, now := s.ClientAddr(r), s.Now()
	if !s.wrongKeys.mayTry(from, now) {
		s.refuse(ctx, http.StatusTooManyRequests, tooMany)
		return
	}
	known, err := s.isAnchor(ctx.Context(), ctx.Param("room"), key)
	switch {
	case known:
		next(ctx)
	case err == nil:
		s.wrongKeys.wrong(from, now)
		s.Log.WarnContext(ctx.Context(), "wrong stream key", "op", ctx.Operation().OperationID, "room", ctx.Param("room"), "remote", from)
		s.refuse(ctx, http.StatusUnauthorized, wantKey)
	default:
		s.Log.ErrorContext(ctx.Context(), "request failed", "op", ctx.Operation().OperationID, "error", err)
		s.refuse(ctx, http.StatusServiceUnavailable, "The server cannot look the key up just now; try again in a moment.")
	}
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

func (s *Server) refuse(ctx huma.Context, status int, detail string) {
	switch status {
	case http.StatusUnauthorized:
		ctx.SetHeader("WWW-Authenticate", `Bearer realm="vitrine"`)
	case http.StatusTooManyRequests:
		ctx.SetHeader("Retry-After", "60")
	case http.StatusServiceUnavailable:
		ctx.SetHeader("Retry-After", "1")
	}
	_ = huma.WriteErr(s.api, ctx, status, detail)
}

// isAdmin checks the value of an Authorization header. Hashes are compared, in constant time.
func (s *Server) isAdmin(header string) bool {
	token, ok := strings.CutPrefix(header, "Bearer ")
	return ok && subtle.ConstantTimeCompare([]byte(HashToken(token)), []byte(s.AdminTokenHash)) == 1
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

const wantViewer = "Ask POST /api/v1/visitors for a viewer token and send it as \"Authorization: Bearer ...\"."

func (s *Server) authenticateViewer(ctx huma.Context, next func(huma.Context)) {
	token, sent := strings.CutPrefix(ctx.Header("Authorization"), "Bearer ")
	if !sent || token == "" {
		s.refuse(ctx, http.StatusUnauthorized, wantViewer)
		return
	}
	v, err := s.Visitors.Viewer(ctx.Context(), token)
	if err != nil {
		s.refuse(ctx, http.StatusUnauthorized, wantViewer)
		return
	}
	next(huma.WithValue(ctx, viewerKey{}, v))
}
