package api

import (
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/internal/errs"
)

// caller is somebody on the merchant's side, before it is known in which store.
type caller struct {
	principal account.Principal // the admin, or the stream key of the room in the address
	session   *account.SignedIn // nil for others
	token     *account.Token    // nil for others
}

// caller tells who sends the request by its credential. Unauthorized: by none that is known. Forbidden: by a cookie that
// another site may have made a browser send, or, together with who it is, by a credential that does not count for this
// operation.
func (s *Server) caller(ctx huma.Context, a access) (*caller, error) {
	token := bearer(ctx.Header("Authorization"))
	switch {
	case token == "":
		return s.sessionCaller(ctx, a)
	case s.isAdmin(token):
		return &caller{principal: account.Principal{ID: "admin", Name: "admin", Admin: true}}, allowed(a.admin, a)
	case strings.HasPrefix(token, account.TokenPrefix+"_"):
		t, err := s.People.Token(ctx.Context(), token)
		if err != nil {
			return nil, err
		}
		return &caller{token: &t}, allowed(a.token, a)
	case a.key:
		return s.anchorCaller(ctx, token)
	}
	return nil, errs.New(errs.Unauthorized, "api.caller", "%s", a.want())
}

// sessionCaller is whoever is signed in, by the cookie.
func (s *Server) sessionCaller(ctx huma.Context, a access) (*caller, error) {
	r, _ := humago.Unwrap(ctx)
	token := cookieValue(r, staffCookie)
	if token == "" || ctx.Header("Authorization") != "" {
		return nil, errs.New(errs.Unauthorized, "api.sessionCaller", "%s", a.want())
	}
	if !s.fromOwnPage(r) {
		return nil, errs.New(errs.Forbidden, "api.sessionCaller", wantOwnPage)
	}
	in, err := s.People.Session(ctx.Context(), token)
	if err != nil {
		return nil, err
	}
	return &caller{session: &in}, allowed(a.staff, a)
}

// allowed refuses a credential that is good, but not for this operation.
func allowed(is bool, a access) error {
	if is {
		return nil
	}
	return errs.New(errs.Forbidden, "api.allowed", "%s", "This is not for you. "+a.want())
}

// want says what to send.
func (a access) want() string {
	switch {
	case a.key:
		return wantKey
	case a.token:
		return wantStaff
	case a.staff:
		return wantSession
	}
	return wantAdmin
}

// in is who the caller is in a store, empty for what belongs to none. NotFound: they have nothing to do with it.
// Forbidden: they lack what the operation needs. The principal comes back in any case, for the audit log.
func (c *caller) in(storeID string, perm account.Permission) (account.Principal, error) {
	const op = "api.in"
	var p account.Principal
	var ok bool
	var lacking string
	switch {
	case c.session != nil:
		p, ok = c.session.Principal(storeID)
		lacking = "your role in this store, " + string(p.Role) + ","
	case c.token != nil:
		p, ok = c.token.Principal(storeID)
		lacking = "this API token"
	default: // the admin may everything, and a stream key has been looked at
		p = c.principal
		p.StoreID = storeID
		return p, nil
	}
	switch {
	case perm == "" && storeID == "":
		return p, nil
	case !ok:
		p.Name = "" // a store learns who tried, not what strangers are called
		return p, errNowhere
	case perm != "" && !p.May(perm):
		return p, errs.New(errs.Forbidden, op, "%s lacks the permission %s", lacking, perm)
	}
	return p, nil
}

// stores are those in which what the caller does about themselves is written down.
func (c *caller) stores() []string {
	if c.session == nil {
		return nil
	}
	var all []string
	for storeID := range c.session.Roles {
		all = append(all, storeID)
	}
	return all
}
