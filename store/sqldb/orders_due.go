package sqldb

import (
	"context"
	"database/sql"
	"maps"
	"strings"
	"time"

	"github.com/vitrine-live/vitrine/commerce/order"
	"github.com/vitrine-live/vitrine/commerce/stock"
)

// DueOrders lists orders that wait for a payment and whose time is up at an instant, the oldest first.
func (db *DB) DueOrders(ctx context.Context, at time.Time, limit int) ([]string, error) {
	return db.orderIDs(ctx, "sqldb.DueOrders", `SELECT id FROM orders WHERE state = 'pending_payment' AND expires_at <= $1
		ORDER BY expires_at LIMIT $2`, at.UnixMilli(), limit)
}

// ShippedOrders lists orders shipped before an instant and not completed, the oldest first.
func (db *DB) ShippedOrders(ctx context.Context, before time.Time, limit int) ([]string, error) {
	return db.orderIDs(ctx, "sqldb.ShippedOrders", "SELECT id FROM orders WHERE state = 'shipped' AND shipped_at < $1 ORDER BY shipped_at LIMIT $2",
		before.UnixMilli(), limit)
}

// DueCloses lists orders with a payment to be closed by an instant.
func (db *DB) DueCloses(ctx context.Context, at time.Time, limit int) ([]string, error) {
	return db.orderIDs(ctx, "sqldb.DueCloses", "SELECT order_id FROM order_attempts WHERE close_at IS NOT NULL AND close_at <= $1 ORDER BY close_at LIMIT $2",
		at.UnixMilli(), limit)
}

func (db *DB) orderIDs(ctx context.Context, op, query string, args ...any) ([]string, error) {
	rows, err := db.read.QueryContext(ctx, query, args...)
	found, err := collect(rows, err, scanString)
	return found, db.fail(op, err)
}

func scanString(row scanner) (s string, err error) {
	err = row.Scan(&s)
	return s, err
}

// DueRepayments lists repayments to ask a provider for, or about, by an instant.
func (db *DB) DueRepayments(ctx context.Context, at time.Time, limit int) ([]order.Repayment, error) {
	rows, err := db.read.QueryContext(ctx, "SELECT "+repaymentColumns+` FROM order_refunds r JOIN orders o ON o.id = r.order_id
		WHERE r.ask_at IS NOT NULL AND r.ask_at <= $1 ORDER BY r.ask_at LIMIT $2`, at.UnixMilli(), limit)
	due, err := collect(rows, err, scanRepayment)
	return due, db.fail("sqldb.DueRepayments", err)
}

// KeepReceipt notes money that came in for no order of ours; it reports whether it is new.
func (db *DB) KeepReceipt(ctx context.Context, r order.Receipt) (fresh bool, err error) {
	err = db.update(ctx, "sqldb.KeepReceipt", func(ctx context.Context, tx *sql.Tx) error {
		fresh, err = insertReceipt(ctx, tx, r)
		return err
	})
	return fresh, err
}

// PoolsForSale returns the open pools of some SKUs, by SKU: the show's before the main one, and those of flash sales.
func (db *DB) PoolsForSale(ctx context.Context, showID string, skuIDs []string) (map[string][]stock.Pool, error) {
	found, err := db.forSale.do(ctx, showID+" "+strings.Join(skuIDs, " "), func(ctx context.Context) (map[string][]stock.Pool, error) {
		return db.poolsForSale(ctx, showID, skuIDs)
	})
	return maps.Clone(found), db.fail("sqldb.PoolsForSale", err)
}

func (db *DB) poolsForSale(ctx context.Context, showID string, skuIDs []string) (map[string][]stock.Pool, error) {
	args := []any{showID}
	for _, id := range skuIDs {
		args = append(args, id)
	}
	//nolint:gosec // what is joined are numbers of parameters
	rows, err := db.read.QueryContext(ctx, "SELECT "+poolColumns+` FROM stock_pools WHERE closed = 0 AND (kind <> 'show' OR ref = $1)
		AND sku_id IN (`+placeholders(2, len(skuIDs))+") ORDER BY sku_id, kind = 'main', id", args...)
	pools, err := collect(rows, err, scanPool)
	found := make(map[string][]stock.Pool, len(skuIDs))
	for _, p := range pools {
		found[p.SKU] = append(found[p.SKU], p)
	}
	return found, err
}

// HasBought reports whether a viewer paid for something of a store, or, showID given, from a show, and kept it.
func (db *DB) HasBought(ctx context.Context, viewerID, storeID, showID string) (bool, error) {
	var found int
	query := `SELECT COUNT(*) FROM orders o WHERE o.viewer_id = $1 AND o.store_id = $2 AND o.state IN ('paid', 'shipped', 'completed')`
	args := []any{viewerID, storeID}
	if showID != "" {
		query += " AND EXISTS (SELECT 1 FROM order_lines l WHERE l.order_id = o.id AND l.show_id = $3)"
		args = append(args, showID)
	}
	err := db.read.QueryRowContext(ctx, query, args...).Scan(&found)
	return found > 0, db.fail("sqldb.HasBought", err)
}
