package sqldb

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/vitrine-live/vitrine/commerce/offer"
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

const claimColumns = "id, coupon_id, store_id, viewer_id, terms, state, order_id, show_id, show_time_ms, claimed_at, valid_until, used_at"

// addClaim adds a viewer's next claim of a coupon. The caller has locked the coupon, so that nobody else counts the same
// claims; that the number is unique would refuse it otherwise. Conflict: the viewer has had all of theirs.
func addClaim(ctx context.Context, tx *sql.Tx, op string, c offer.Claim, perViewer int64) error {
	var had int64
	err := tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM coupon_claims WHERE coupon_id = $1 AND viewer_id = $2 AND n > 0", c.CouponID, c.ViewerID).Scan(&had)
	if err != nil {
		return err
	}
	if had >= perViewer {
		return errs.New(errs.Conflict, op, "you have claimed this already: find it among your coupons")
	}
	return insertClaim(ctx, tx, c, had+1)
}

// insertClaim adds the claim of a number: what viewers claimed counts up from 1, what they were given down from -1.
func insertClaim(ctx context.Context, tx *sql.Tx, c offer.Claim, n int64) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO coupon_claims
		(id, coupon_id, store_id, viewer_id, n, terms, state, show_id, show_time_ms, claimed_at, valid_from, valid_until)
		VALUES ($1, $2, $3, $4, $5, $6, 'claimed', $7, $8, $9, $10, $11)`,
		c.ID, c.CouponID, c.StoreID, c.ViewerID, n, jsonText(c.Terms), c.ShowID, c.ShowTimeMS, millis(c.ClaimedAt), millis(c.ClaimedAt), millis(c.ValidUntil))
	return err
}

// GiveCoupon adds a claim beside the quota of its coupon and what the viewer may have of it, or returns the one of this id
// that is there. NotFound: the store has no such coupon.
func (db *DB) GiveCoupon(ctx context.Context, c offer.Claim) (given offer.Claim, err error) {
	const op = "sqldb.GiveCoupon"
	err = db.update(ctx, op, func(ctx context.Context, tx *sql.Tx) error {
		// The write that changes nothing locks the row, which orders all claims of the coupon.
		err := exactlyOne(tx.ExecContext(ctx, "UPDATE coupons SET claimed = claimed WHERE id = $1 AND store_id = $2", c.CouponID, c.StoreID))
		if err != nil {
			return noCoupon(op, c.CouponID, err)
		}
		given, err = scanClaim(tx.QueryRowContext(ctx, "SELECT "+claimColumns+" FROM coupon_claims WHERE id = $1", c.ID))
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		var had int64
		err = tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM coupon_claims WHERE coupon_id = $1 AND viewer_id = $2 AND n < 0", c.CouponID, c.ViewerID).Scan(&had)
		if err != nil {
			return err
		}
		given = c
		return insertClaim(ctx, tx, c, -had-1)
	})
	return given, err
}

// Claims lists what a viewer has claimed, newest first, as the filter says.
func (db *DB) Claims(ctx context.Context, viewerID string, f offer.ClaimFilter) ([]offer.Claim, error) {
	rows, err := db.read.QueryContext(ctx, "SELECT "+claimColumns+` FROM coupon_claims WHERE viewer_id = $1
		AND (CAST($2 AS TEXT) = '' OR store_id = $2)
		AND CASE CAST($3 AS TEXT) WHEN 'usable' THEN state = 'claimed' AND valid_until > $4 WHEN 'used' THEN state = 'used'
			WHEN 'expired' THEN state = 'claimed' AND valid_until <= $4 ELSE state <> 'void' END
		AND (CAST($5 AS TEXT) = '' OR (claimed_at, id) < (SELECT claimed_at, id FROM coupon_claims WHERE id = $5))
		ORDER BY claimed_at DESC, id DESC LIMIT $6`,
		viewerID, f.StoreID, string(f.Usable), f.At.UnixMilli(), f.Before, f.Limit)
	all, err := collect(rows, err, scanClaim)
	return all, db.fail("sqldb.Claims", err)
}

// ClaimsByID returns those of the claims that are the viewer's, of a store, in no particular order.
func (db *DB) ClaimsByID(ctx context.Context, viewerID, storeID string, claimIDs []string) ([]offer.Claim, error) {
	if len(claimIDs) == 0 {
		return nil, nil
	}
	args := []any{viewerID, storeID}
	for _, id := range claimIDs {
		args = append(args, id)
	}
	//nolint:gosec // what is joined are numbers of parameters
	rows, err := db.read.QueryContext(ctx, "SELECT "+claimColumns+` FROM coupon_claims
		WHERE viewer_id = $1 AND store_id = $2 AND id IN (`+placeholders(3, len(claimIDs))+")", args...)
	all, err := collect(rows, err, scanClaim)
	return all, db.fail("sqldb.ClaimsByID", err)
}

func scanClaim(row scanner) (c offer.Claim, err error) {
	var terms string
	var claimed, until, used sql.NullInt64
	err = row.Scan(&c.ID, &c.CouponID, &c.StoreID, &c.ViewerID, &terms, &c.State, &c.OrderID, &c.ShowID, &c.ShowTimeMS, &claimed, &until, &used)
	if err != nil {
		return c, err
	}
	c.ClaimedAt, c.ValidUntil, c.UsedAt = instant(claimed), instant(until), instant(used)
	return c, json.Unmarshal([]byte(terms), &c.Terms)
}
