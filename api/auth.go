package api

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// HashToken returns how the admin token is compared: tokens are random, so a plain hash is enough.
func HashToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// authenticate refuses operations that need the admin token when it is missing or wrong.
func (s *Server) authenticate(ctx huma.Context, next func(huma.Context)) {
	if len(ctx.Operation().Security) == 0 || s.isAdmin(ctx.Header("Authorization")) {
		next(ctx)
		return
	}
	ctx.SetHeader("WWW-Authenticate", `Bearer realm="vitrine"`)
	_ = huma.WriteErr(s.api, ctx, http.StatusUnauthorized, "Send the admin token as \"Authorization: Bearer ...\"; the server keeps it in data/admin.token.")
}

// isAdmin checks the value of an Authorization header. Hashes are compared, in constant time.
func (s *Server) isAdmin(header string) bool {
	token, ok := strings.CutPrefix(header, "Bearer ")
	return ok && subtle.ConstantTimeCompare([]byte(HashToken(token)), []byte(s.AdminTokenHash)) == 1
}
