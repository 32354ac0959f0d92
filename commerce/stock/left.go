package stock

// Left is what a pool has left for sale after pieces were taken from it or came back.
type Left struct {
	PoolID    string
	SKU       string
	Kind      Kind
	Ref       string // see Pool
	Available int64
}
