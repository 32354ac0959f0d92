package account

import "slices"

// DefaultStore is the store of everything that was made without naming one.
const DefaultStore = "store_default"

// Principal is who carries out an operation on the merchant's side: the operator of the server, a member of staff, or a
// program with a token.
type Principal struct {
	// ID names who it is in the audit log: "admin", "staff_…" or "tok_…".
	ID   string
	Name string
	// Admin is whoever has the admin token: everything is theirs.
	Admin bool
	// StoreID is the store of the operation, checked against what the principal may see; empty for operations that
	// belong to none.
	StoreID string
	// Role is that of a member of staff in StoreID; empty for others.
	Role Role
	// Permissions are what they may do in StoreID; the admin may everything without.
	Permissions []Permission
}

// May reports whether the principal may do what needs the permission in the store of the operation.
func (p *Principal) May(perm Permission) bool { return p.Admin || slices.Contains(p.Permissions, perm) }

// Viewer is who watches and buys, as far as it could be made sure of.
type Viewer struct {
	// ID is stable and unique on this server: "visitor:…", "jwt:<store>:<subject>", "wechat:<appid>:<openid>".
	ID string
	// StoreID is the store whose secret vouched for the viewer; empty: any.
	StoreID string
	Name    string // as to be shown; may be empty
	Avatar  string // http(s) address; may be empty
	// OpenID and AppID are those of WeChat, empty for others.
	OpenID, AppID string
}
