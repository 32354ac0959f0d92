package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// useClaims marks coupon claims of a viewer as used for an order, all of them or none. Conflict: one of them is not the
// viewer's, was used before, or is not valid at that time.
func useClaims(ctx context.Context, tx *sql.Tx, op, viewerID, orderID string, claimIDs []string, at time.Time) error {
	for _, id := range slices.Sorted(slices.Values(claimIDs)) { // one order of locking for all
		err := exactlyOne(tx.ExecContext(ctx, `UPDATE coupon_claims SET state = 'used', order_id = $1, used_at = $2
			WHERE id = $3 AND viewer_id = $4 AND state = 'claimed' AND valid_from <= $5 AND valid_until > $6`,
			orderID, at.UnixMilli(), id, viewerID, at.UnixMilli(), at.UnixMilli()))
		if errors.Is(err, sql.ErrNoRows) {
			return errs.As(errs.Conflict, op, err, "a coupon of this order cannot be used any more: look at the prices again")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// releaseClaims gives back the coupons of an order that comes to nothing. Those whose validity ended meanwhile stay
// expired.
func releaseClaims(ctx context.Context, tx *sql.Tx, orderID string) error {
	_, err := tx.ExecContext(ctx, `UPDATE coupon_claims SET state = 'claimed', order_id = '', used_at = NULL
		WHERE order_id = $1 AND order_id <> '' AND state = 'used'`, orderID)
	return err
}
