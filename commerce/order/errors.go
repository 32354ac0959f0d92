package order

import "github.com/vitrine-live/vitrine/internal/errs"

// SoldOut says that a SKU has not as many pieces left as were asked for. It is an errs.Conflict.
type SoldOut struct {
	SKU   string
	Pools []string // that were asked
}

// Error implements error.
func (e *SoldOut) Error() string { return "sold out: " + e.SKU }

// Unwrap makes it a Conflict.
func (e *SoldOut) Unwrap() error {
	return errs.New(errs.Conflict, "order.Place", "there are not enough pieces left of what you want: take fewer, or look again in a while")
}

// LimitReached makes the error for a buyer who may not have so many pieces.
func LimitReached(op string, limit, has int64) error {
	return errs.New(errs.Conflict, op, "one buyer may have %d of these and you have %d already", limit, has)
}
