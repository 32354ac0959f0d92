package api

import (
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/vitrine-live/vitrine/commerce/account"
)

// Who may carry out an operation: everyone, or whoever has the admin token, which is the default.
var (
	public = []map[string][]string{}
	admins = []map[string][]string{{"admin": {}}}
	// anchor is for those who operate the overlay of the room in the address: staff, and whoever has its stream key.
	anchor = anchors(account.OverlayWrite)
	// viewers are for whoever watches: an anonymous visitor, or somebody a store or WeChat vouches for.
	viewers = []map[string][]string{{"viewer": {}}, {"viewer_cookie": {}}}
	// signedIn is for staff about themselves, whatever their role and store.
	signedIn = []map[string][]string{{"staff": {}}}
	// anyStaff is for staff, whatever their role and store, and the admin.
	anyStaff = []map[string][]string{{"admin": {}}, {"staff": {}}}
)

// staff is for those whose role in the store of the address has the permission, and for API tokens with it as a scope. The
// store is {store} itself, or that of the {room}, {show} or {import}.
func staff(p account.Permission) []map[string][]string {
	return []map[string][]string{{"admin": {}}, {"staff": {string(p)}}, {"api_token": {string(p)}}}
}

// anchors is staff together with whoever has the stream key of the {room} in the address.
func anchors(p account.Permission) []map[string][]string {
	return append(staff(p), map[string][]string{"stream_key": {}})
}

// access is who may, read from an operation's description: what is described and what is done are one.
type access struct {
	admin, viewer, key, staff, token bool
	perm                             account.Permission // of staff and API tokens; empty: none is needed
}

func accessOf(op *huma.Operation) (a access) {
	for _, scheme := range op.Security {
		for name, scopes := range scheme {
			switch name {
			case "admin":
				a.admin = true
			case "viewer":
				a.viewer = true
			case "stream_key":
				a.key = true
			case "api_token":
				a.token = true
			case "staff":
				a.staff = true
				if len(scopes) > 0 {
					a.perm = account.Permission(scopes[0])
				}
			}
		}
	}
	return a
}

func (a access) everyone() bool { return a == access{} }

// mustBePlaced ends the program when staff of a store may do what belongs to no store: a defect of the operation.
func mustBePlaced(op *huma.Operation) {
	a := accessOf(op)
	if a.perm != "" && !slices.Contains(account.Permissions, a.perm) {
		panic(op.OperationID + ": there is no permission " + string(a.perm))
	}
	if a.perm != "" && placeIn(op.Path) == "" {
		panic(op.OperationID + ": staff of which store? The address names none")
	}
}

// described is the access for a reader of the documentation, "" for everyone.
func (a access) described() string {
	switch {
	case a.everyone():
		return ""
	case a.viewer:
		return "viewer token"
	case a.perm != "" && a.key:
		return "staff or API token with " + string(a.perm) + ", or stream key"
	case a.perm != "":
		return "staff or API token with " + string(a.perm)
	case a.staff:
		return "staff, signed in"
	}
	return "admin token"
}

var securitySchemes = map[string]*huma.SecurityScheme{
	"admin":         {Type: "http", Scheme: "bearer", Description: "The admin token: printed at the first start, kept in data/admin.token. It may do all that staff may, in every store."},
	"staff":         {Type: "apiKey", In: "cookie", Name: staffCookie, Description: "The session of a member of staff, begun by POST /api/v1/session; over https the cookie's name begins with __Host-. The scope names the permission that the role in the store of the address must have. Requests that change something must come from this server's own pages, as JSON or with the header " + pageHeader + "."},
	"api_token":     {Type: "http", Scheme: "bearer", Description: "An API token (vt_...) of the store of the address, with the permission named as a scope."},
	"viewer":        {Type: "http", Scheme: "bearer", Description: "The token of a viewer: POST /api/v1/visitors makes one for anybody, and a store may mint its own (JWT, HS256, with the store's viewer secret)."},
	"viewer_cookie": {Type: "apiKey", In: "cookie", Name: viewerCookie, Description: "The same for this server's own pages, set by POST /api/v1/visitors; over https the cookie's name begins with __Host-. Requests that change something must come from this server's own pages, as JSON or with the header " + pageHeader + "."},
	"stream_key":    {Type: "http", Scheme: "bearer", Description: "The stream key of the room in the address: what its anchor publishes with. After some wrong keys within a minute a network gets 429."},
}
