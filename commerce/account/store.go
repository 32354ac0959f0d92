package account

import "time"

// Merchant is who owns stores.
type Merchant struct {
	ID        string // "merchant_…"
	Name      string
	CreatedAt time.Time
}

// Store is one shop of a merchant, with its rooms, shows, products, offers, orders and staff.
type Store struct {
	ID         string // "store_…"
	MerchantID string
	Name       string
	Currency   string // ISO 4217: in which new products are priced by default
	CreatedAt  time.Time
}
