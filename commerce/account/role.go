package account

import "slices"

// Role is what a member of a store's staff is there for.
type Role string

// The roles, from the one who may everything.
const (
	Owner     Role = "owner"     // runs the store: staff, secrets, money
	Operator  Role = "operator"  // sells: catalogue, stock, offers, orders, refunds
	Anchor    Role = "anchor"    // goes on air: the overlay of shows and what they brought in
	Assistant Role = "assistant" // operates the overlay of a show; sees no money
)

// Roles lists all roles.
var Roles = []Role{Owner, Operator, Anchor, Assistant}

// Permission is what one operation needs. API tokens name theirs as scopes.
type Permission string

// The permissions.
const (
	StoreRead      Permission = "store:read"      // the store's name and settings
	StoreWrite     Permission = "store:write"     // settings, secrets of viewer tokens, payment
	StaffWrite     Permission = "staff:write"     // who works here, their roles and tokens
	AuditRead      Permission = "audit:read"      // the log of what staff did
	CatalogueRead  Permission = "catalogue:read"  // products as they are sold
	CatalogueWrite Permission = "catalogue:write" // products, prices, images, imports, the queue of flagged products
	StockWrite     Permission = "stock:write"     // pieces and allotments
	OrdersRead     Permission = "orders:read"     // orders, buyers, addresses
	OrdersWrite    Permission = "orders:write"    // shipping, cancelling, refunds
	OffersWrite    Permission = "offers:write"    // coupons, flash sales, red packets, lotteries: their terms
	RoomsRead      Permission = "rooms:read"      // rooms, shows and how they are doing
	RoomsWrite     Permission = "rooms:write"     // rooms, stream keys, schedules
	OverlayWrite   Permission = "overlay:write"   // pins, announcements, dropping prepared offers, moderation
	ReplayWrite    Permission = "replay:write"    // what a replay shows and whether it is public; clips and highlights
	ReportsRead    Permission = "reports:read"    // what shows brought in
	WebhooksWrite  Permission = "webhooks:write"  // where events are sent, and their secrets
)

// Permissions lists all permissions.
var Permissions = []Permission{
	StoreRead, StoreWrite, StaffWrite, AuditRead, CatalogueRead, CatalogueWrite, StockWrite, OrdersRead, OrdersWrite, OffersWrite,
	RoomsRead, RoomsWrite, OverlayWrite, ReplayWrite, ReportsRead, WebhooksWrite,
}

// granted is the one table of roles and permissions.
var granted = map[Role][]Permission{
	Owner: Permissions,
	Operator: {
		StoreRead, AuditRead, CatalogueRead, CatalogueWrite, StockWrite, OrdersRead, OrdersWrite, OffersWrite, RoomsRead, RoomsWrite,
		OverlayWrite, ReplayWrite, ReportsRead, WebhooksWrite,
	},
	Anchor:    {StoreRead, CatalogueRead, RoomsRead, OverlayWrite, ReplayWrite, ReportsRead},
	Assistant: {StoreRead, CatalogueRead, RoomsRead, OverlayWrite},
}

// Permissions are what the role may do. An unknown role may nothing.
func (r Role) Permissions() []Permission { return slices.Clone(granted[r]) }

// May reports whether the role has the permission. An unknown role has none.
func (r Role) May(p Permission) bool { return slices.Contains(granted[r], p) }
