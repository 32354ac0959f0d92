package sqldb

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"github.com/vitrine-live/vitrine/commerce/offer"
	"github.com/vitrine-live/vitrine/internal/errs"
)

const couponColumns = "id, store_id, state, terms, rules, quota, per_viewer, claimed, created_at, updated_at"

// CreateCoupon stores a new coupon. NotFound: the store has no such product.
func (db *DB) CreateCoupon(ctx context.Context, c offer.Coupon) error {
	const op = "sqldb.CreateCoupon"
	return db.update(ctx, op, func(ctx context.Context, tx *sql.Tx) error {
		if err := checkScope(ctx, tx, op, c.StoreID, c.Products); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "INSERT INTO coupons ("+couponColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8, $9)",
			c.ID, c.StoreID, string(c.State), jsonText(c.Terms), jsonText(c.Rules), c.Quota, c.PerViewer, millis(c.CreatedAt), millis(c.UpdatedAt))
		return err
	})
}

// checkScope finds the products that an offer is for. NotFound names one that the store does not have.
func checkScope(ctx context.Context, tx *sql.Tx, op, storeID string, products []string) error {
	for _, id := range products {
		var one int
		err := tx.QueryRowContext(ctx, "SELECT 1 FROM products WHERE id = $1 AND store_id = $2 AND deleted = 0", id, storeID).Scan(&one)
		if errors.Is(err, sql.ErrNoRows) {
			return errs.As(errs.NotFound, op, err, "there is no product %s in this store: take it out of product_ids", id)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Coupon returns a coupon of a store, of any when storeID is empty, with how many were given and how many
// of all were used. NotFound.
func (db *DB) Coupon(ctx context.Context, storeID, id string) (c offer.Coupon, err error) {
	const op = "sqldb.Coupon"
	err = db.view(ctx, op, func(ctx context.Context, tx *sql.Tx) (err error) {
		c, err = scanCoupon(tx.QueryRowContext(ctx, "SELECT "+couponColumns+" FROM coupons WHERE id = $1 AND (CAST($2 AS TEXT) = '' OR store_id = $2)", id, storeID))
		if err != nil {
			return noCoupon(op, id, err)
		}
		return tx.QueryRowContext(ctx, `SELECT COALESCE(SUM(CASE WHEN n < 0 THEN 1 ELSE 0 END), 0), COALESCE(SUM(CASE WHEN state = 'used' THEN 1 ELSE 0 END), 0)
			FROM coupon_claims WHERE coupon_id = $1`, id).Scan(&c.Given, &c.Used)
	})
	return c, err
}

// Coupons lists the coupons of a store, newest first, those made before the one named by beforeID; from the newest when it
// is empty.
func (db *DB) Coupons(ctx context.Context, storeID, beforeID string, limit int) ([]offer.Coupon, error) {
	rows, err := db.read.QueryContext(ctx, "SELECT "+couponColumns+` FROM coupons WHERE store_id = $1
		AND (CAST($2 AS TEXT) = '' OR (created_at, id) < (SELECT created_at, id FROM coupons WHERE id = $2))
		ORDER BY created_at DESC, id DESC LIMIT $3`, storeID, beforeID, limit)
	all, err := collect(rows, err, scanCoupon)
	return all, db.fail("sqldb.Coupons", err)
}

// UpdateCoupon changes a coupon of a store, and with it what its drops say; an error of change comes back and nothing is
// written. NotFound.
func (db *DB) UpdateCoupon(ctx context.Context, storeID, id string, change func(*offer.Coupon) error) (offer.Coupon, error) {
	const op = "sqldb.UpdateCoupon"
	var c offer.Coupon
	err := db.update(ctx, op, func(ctx context.Context, tx *sql.Tx) (err error) {
		c, err = scanCoupon(tx.QueryRowContext(ctx, "SELECT "+couponColumns+" FROM coupons WHERE id = $1 AND store_id = $2"+db.forUpdate, id, storeID))
		if err != nil {
			return noCoupon(op, id, err)
		}
		if err := change(&c); err != nil {
			return err
		}
		if err := checkScope(ctx, tx, op, storeID, c.Products); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE coupons SET state = $1, terms = $2, rules = $3, quota = $4, per_viewer = $5, updated_at = $6 WHERE id = $7`,
			string(c.State), jsonText(c.Terms), jsonText(c.Rules), c.Quota, c.PerViewer, millis(c.UpdatedAt), id)
		if err != nil {
			return err
		}
		return sayOfCoupon(ctx, tx, &c)
	})
	return c, err
}

// sayOfCoupon makes the drops of a coupon say how it stands.
func sayOfCoupon(ctx context.Context, tx *sql.Tx, c *offer.Coupon) error {
	switch left := c.Left(); {
	case c.State == offer.Stopped:
		return say(ctx, tx, c.ID, offer.Withdrawn, offer.Dropped, offer.Exhausted)
	case left != nil && *left == 0:
		return say(ctx, tx, c.ID, offer.Exhausted, offer.Dropped)
	}
	return say(ctx, tx, c.ID, offer.Dropped, offer.Exhausted)
}

// DeleteCoupon removes a draft of a store. Conflict: it was activated. NotFound.
func (db *DB) DeleteCoupon(ctx context.Context, storeID, id string) error {
	const op = "sqldb.DeleteCoupon"
	return db.update(ctx, op, func(ctx context.Context, tx *sql.Tx) error {
		var state string
		err := tx.QueryRowContext(ctx, "SELECT state FROM coupons WHERE id = $1 AND store_id = $2"+db.forUpdate, id, storeID).Scan(&state)
		if err != nil {
			return noCoupon(op, id, err)
		}
		if state != string(offer.Draft) {
			return errs.New(errs.Conflict, op, "the coupon was activated: stop it instead, so that what was claimed stays known")
		}
		_, err = tx.ExecContext(ctx, "DELETE FROM coupons WHERE id = $1", id)
		return err
	})
}

// ClaimCoupon adds a claim to an active coupon that has one left, for a viewer who may have one more. last reports that
// it was the last one. Conflict: one of these is not so. The row of the coupon orders all its claims.
func (db *DB) ClaimCoupon(ctx context.Context, c offer.Claim) (last bool, err error) {
	const op = "sqldb.ClaimCoupon"
	err = db.update(ctx, op, func(ctx context.Context, tx *sql.Tx) error {
		var perViewer, quota, claimed int64
		err := tx.QueryRowContext(ctx, `UPDATE coupons SET claimed = claimed + 1 WHERE id = $1 AND store_id = $2 AND state = 'active'
			AND (quota = 0 OR claimed < quota) RETURNING per_viewer, quota, claimed`, c.CouponID, c.StoreID).Scan(&perViewer, &quota, &claimed)
		if errors.Is(err, sql.ErrNoRows) {
			return errs.As(errs.Conflict, op, err, "all coupons are claimed, or it was stopped")
		}
		if err != nil {
			return err
		}
		if err := addClaim(ctx, tx, op, c, perViewer); err != nil {
			return err
		}
		last = claimed == quota
		if !last {
			return nil
		}
		return say(ctx, tx, c.CouponID, offer.Exhausted, offer.Dropped)
	})
	return last, err
}

func noCoupon(op, id string, err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return errs.As(errs.NotFound, op, err, "there is no coupon %s", id)
	}
	return err
}

func scanCoupon(row scanner) (c offer.Coupon, err error) {
	var terms, rules string
	var created, updated sql.NullInt64
	if err := row.Scan(&c.ID, &c.StoreID, &c.State, &terms, &rules, &c.Quota, &c.PerViewer, &c.Claimed, &created, &updated); err != nil {
		return c, err
	}
	c.CreatedAt, c.UpdatedAt = instant(created), instant(updated)
	return c, errors.Join(json.Unmarshal([]byte(terms), &c.Terms), json.Unmarshal([]byte(rules), &c.Rules))
}
