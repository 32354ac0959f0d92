package api

import "github.com/vitrine-live/vitrine/commerce/account"

// row says who may carry out an operation: the scope that an API token needs, if one may at all, and who else.
type row struct {
	scope account.Permission
	who   string
}

// Who, in words. "crew" works on shows, "tellers" also see what shows brought in, "sellers" also see money, "owners" run the
// store; the admin is always among them.
const (
	everyone = "everyone"
	viewing  = "viewer"
	theAdmin = "admin"
	crew     = "admin owner operator anchor assistant"
	tellers  = "admin owner operator anchor"
	sellers  = "admin owner operator"
	owners   = "admin owner"
	crewKey  = crew + " key"
	// themselves: staff, whatever their role, about their own account
	themselves = "owner operator anchor assistant"
)

// authorization is the one table of what the API's operations expect, a line each. It says again, independently, what
// their Security says: a difference is a mistake on one of the sides.
var authorization = map[string]row{
	// the server
	"get-status":     {"", theAdmin},
	"get-time":       {"", everyone},
	"list-all-audit": {"", theAdmin},

	// stores
	"create-merchant":      {"", theAdmin},
	"list-merchants":       {"", theAdmin},
	"create-store":         {"", theAdmin},
	"create-sibling-store": {"store:write", owners},
	"list-stores":          {"", crew},
	"get-store":            {"store:read", crew},
	"update-store":         {"store:write", owners},
	"rotate-viewer-secret": {"store:write", owners},
	"list-audit":           {"audit:read", sellers},
	"get-retention":        {"rooms:read", crew},
	"set-retention":        {"store:write", owners},

	// staff
	"sign-in":           {"", everyone},
	"accept-invitation": {"", everyone},
	"get-session":       {"", themselves},
	"sign-out":          {"", themselves},
	"list-sessions":     {"", themselves},
	"end-session":       {"", themselves},
	"change-password":   {"", themselves},
	"add-staff":         {"staff:write", owners},
	"list-staff":        {"staff:write", owners},
	"set-role":          {"staff:write", owners},
	"remove-staff":      {"staff:write", owners},
	"invite-staff":      {"staff:write", owners},
	"create-token":      {"staff:write", owners},
	"list-tokens":       {"staff:write", owners},
	"revoke-token":      {"staff:write", owners},

	// viewers
	"create-visitor":  {"", everyone},
	"wechat-login":    {"", everyone},
	"get-public-room": {"", everyone},
	"get-me":          {"", viewing},
	"update-me":       {"", viewing},

	// rooms and shows
	"list-rooms":        {"", theAdmin},
	"create-room":       {"", theAdmin},
	"list-store-rooms":  {"rooms:read", crew},
	"create-store-room": {"rooms:write", sellers},
	"get-room":          {"rooms:read", crew},
	"update-room":       {"rooms:write", sellers},
	"delete-room":       {"rooms:write", sellers},
	"rotate-stream-key": {"rooms:write", sellers},
	"end-show":          {"overlay:write", crewKey},
	"announce":          {"overlay:write", crewKey},
	"pin":               {"overlay:write", crewKey},
	"unpin":             {"overlay:write", crewKey},
	"list-pins":         {"rooms:read", crewKey},
	"get-studio":        {"rooms:read", crewKey},
	"get-bag":           {"catalogue:read", crew},
	"set-bag":           {"overlay:write", crew},
	"list-shows":        {"rooms:read", crew},
	"get-show":          {"rooms:read", crew},
	"schedule-show":     {"rooms:write", sellers},
	"reschedule-show":   {"rooms:write", sellers},
	"call-off-show":     {"rooms:write", sellers},
	"delete-recording":  {"rooms:write", sellers},
	"get-replay":        {"rooms:read", crew},
	"list-replay-edits": {"rooms:read", crew},
	"edit-replay":       {"replay:write", tellers},
	"undo-replay-edit":  {"replay:write", tellers},
	"redo-replay-edit":  {"replay:write", tellers},
	"list-chapters":     {"rooms:read", crew},
	"create-import":     {"rooms:write", sellers},
	"list-imports":      {"rooms:read", crew},
	"get-import":        {"rooms:read", crew},
	"cancel-import":     {"rooms:write", sellers},

	// catalogue
	"list-products":        {"catalogue:read", crew},
	"get-product":          {"catalogue:read", crew},
	"create-product":       {"catalogue:write", sellers},
	"update-product":       {"catalogue:write", sellers},
	"delete-product":       {"catalogue:write", sellers},
	"list-audit-queue":     {"catalogue:write", sellers},
	"decide-audit":         {"catalogue:write", sellers},
	"get-product-stock":    {"catalogue:read", crew},
	"change-product-stock": {"stock:write", sellers},
	"list-show-prices":     {"catalogue:read", crew},
	"set-show-price":       {"catalogue:write", sellers},
	"upload-image":         {"catalogue:write", sellers},
	"list-unused-images":   {"catalogue:read", crew},
	"delete-image":         {"catalogue:write", sellers},
	"import-products":      {"catalogue:write", sellers},
	"list-product-imports": {"catalogue:read", crew},
	"get-product-import":   {"catalogue:read", crew},
	"export-products":      {"catalogue:read", crew},
	"delete-show-price":    {"catalogue:write", sellers},
	"get-public-product":   {"", everyone},

	// what styled clips are made with
	"upload-clip-asset":   {"replay:write", tellers},
	"list-clip-assets":    {"rooms:read", crew},
	"get-clip-asset-file": {"rooms:read", crew},
	"delete-clip-asset":   {"replay:write", tellers},

	// orders
	"quote-cart":           {"", viewing},
	"place-order":          {"", viewing},
	"list-my-orders":       {"", viewing},
	"get-my-order":         {"", viewing},
	"pay-order":            {"", viewing},
	"cancel-my-order":      {"", viewing},
	"confirm-order":        {"", viewing},
	"list-payment-methods": {"", everyone},
	"report-payment":       {"", everyone},
	"list-orders":          {"orders:read", sellers},
	"export-orders":        {"orders:read", sellers},
	"get-order":            {"orders:read", sellers},
	"ship-order":           {"orders:write", sellers},
	"refund-order":         {"orders:write", sellers},
	"retry-refund":         {"orders:write", sellers},
	"cancel-order":         {"orders:write", sellers},
	"note-order":           {"orders:write", sellers},
	"list-allotments":      {"catalogue:read", crew},
	"set-allotment":        {"stock:write", sellers},
	"return-allotment":     {"stock:write", sellers},

	// payments and external malls
	"list-discrepancies":      {"orders:read", sellers},
	"resolve-discrepancy":     {"orders:write", sellers},
	"list-all-discrepancies":  {"", theAdmin},
	"resolve-any-discrepancy": {"", theAdmin},
	"get-product-link":        {"", everyone},
	"get-mall":                {"store:read", crew},
	"rotate-mall-secret":      {"store:write", owners},
	"report-external-order":   {"", everyone},
	"list-external-orders":    {"orders:read", sellers},

	// webhooks
	"create-webhook":          {"webhooks:write", sellers},
	"list-webhooks":           {"webhooks:write", sellers},
	"get-webhook":             {"webhooks:write", sellers},
	"update-webhook":          {"webhooks:write", sellers},
	"delete-webhook":          {"webhooks:write", sellers},
	"rotate-webhook-secret":   {"webhooks:write", sellers},
	"test-webhook":            {"webhooks:write", sellers},
	"list-webhook-deliveries": {"webhooks:write", sellers},
	"get-webhook-delivery":    {"webhooks:write", sellers},
	"replay-webhook-delivery": {"webhooks:write", sellers},
	"replay-dead-webhooks":    {"webhooks:write", sellers},

	// coupons, flash sales, red packets
	"create-coupon":      {"offers:write", sellers},
	"list-coupons":       {"rooms:read", crew},
	"get-coupon":         {"rooms:read", crew},
	"update-coupon":      {"offers:write", sellers},
	"delete-coupon":      {"offers:write", sellers},
	"drop-coupon":        {"overlay:write", crew},
	"withdraw-coupon":    {"overlay:write", crew},
	"create-red-packet":  {"offers:write", sellers},
	"list-red-packets":   {"rooms:read", crew},
	"get-red-packet":     {"rooms:read", crew},
	"update-red-packet":  {"offers:write", sellers},
	"stop-red-packet":    {"offers:write", sellers},
	"delete-red-packet":  {"offers:write", sellers},
	"drop-red-packet":    {"overlay:write", crew},
	"create-flash-sale":  {"offers:write", sellers},
	"list-flash-sales":   {"rooms:read", crew},
	"get-flash-sale":     {"rooms:read", crew},
	"update-flash-sale":  {"offers:write", sellers},
	"delete-flash-sale":  {"offers:write", sellers},
	"start-flash-sale":   {"overlay:write", crew},
	"stop-flash-sale":    {"overlay:write", crew},
	"list-show-offers":   {"", everyone},
	"claim-coupon":       {"", viewing},
	"claim-store-coupon": {"", viewing},
	"claim-red-packet":   {"", viewing},
	"list-my-coupons":    {"", viewing},

	// lotteries
	"create-lottery":       {"offers:write", sellers},
	"update-lottery":       {"offers:write", sellers},
	"cancel-lottery":       {"offers:write", sellers},
	"open-lottery":         {"overlay:write", crew},
	"close-lottery":        {"overlay:write", crew},
	"list-lotteries":       {"rooms:read", crew},
	"get-lottery":          {"rooms:read", crew},
	"list-lottery-winners": {"orders:read", sellers},
	"list-show-lotteries":  {"", everyone},
	"get-shown-lottery":    {"", everyone},
	"get-lottery-proof":    {"", everyone},
	"enter-lottery":        {"", viewing},
	"get-lottery-entry":    {"", viewing},
	"list-my-prizes":       {"", viewing},
	"claim-prize":          {"", viewing},

	// comments
	"list-comments":   {"overlay:write", crew},
	"hide-comment":    {"overlay:write", crew},
	"approve-comment": {"overlay:write", crew},
	"list-mutes":      {"overlay:write", crew},
	"mute":            {"overlay:write", crew},
	"unmute":          {"overlay:write", crew},
	"post-comment":    {"", viewing},
	"like":            {"", viewing},

	// reminders
	"count-reminders":        {"rooms:read", crew},
	"list-reminder-channels": {"", everyone},
	"remind-of-show":         {"", viewing},
	"remind-of-next-show":    {"", viewing},
	"list-my-reminders":      {"", viewing},
	"cancel-reminder":        {"", viewing},

	// clips
	"create-clip":          {"replay:write", tellers},
	"list-clips":           {"rooms:read", crew},
	"get-clip":             {"rooms:read", crew},
	"cancel-clip":          {"replay:write", tellers},
	"retry-clip":           {"replay:write", tellers},
	"delete-clip":          {"replay:write", tellers},
	"create-chapter-clips": {"replay:write", tellers},
	"get-clip-batch":       {"rooms:read", crew},
	"watch-clips":          {"rooms:read", crew},

	// what shows brought in
	"report-events":           {"", viewing},
	"report-events-by-beacon": {"", everyone},
	"get-share-code":          {"", everyone},
	"share-show":              {"", viewing},
	"list-channels":           {"rooms:read", crew},
	"share-show-in-channel":   {"rooms:write", sellers},
	"get-signals":             {"rooms:read", crew},
	"list-highlights":         {"rooms:read", crew},
	"update-highlight":        {"replay:write", tellers},
	"get-show-report":         {"reports:read", tellers},
	"export-show-report":      {"reports:read", tellers},
	"get-store-report":        {"reports:read", tellers},
	"export-store-report":     {"reports:read", tellers},
}
