package sqldb

import (
	"context"
	"database/sql"
	"time"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/commerce/order"
	"github.com/vitrine-live/vitrine/commerce/reconcile"
	"github.com/vitrine-live/vitrine/internal/cursor"
	"github.com/vitrine-live/vitrine/internal/ids"
)

// ChecksDue lists orders to compare with the books of their providers: with a payment begun or a refund made since an
// instant, untouched since before, that changed since they were compared, or were compared before recheck while something
// of them is open. The longest untouched come first.
func (db *DB) ChecksDue(ctx context.Context, since, before, recheck time.Time, limit int) ([]string, error) {
	rows, err := db.read.QueryContext(ctx, `SELECT o.id FROM orders o LEFT JOIN payment_checks c ON c.order_id = o.id
		WHERE o.id IN (SELECT order_id FROM order_attempts WHERE started_at >= $1 UNION SELECT order_id FROM order_refunds WHERE created_at >= $1)
		AND o.updated_at < $2 AND (c.order_id IS NULL OR c.changed_at <> o.updated_at OR (c.checked_at < $3 AND (o.state = 'pending_payment'
			OR EXISTS (SELECT 1 FROM order_refunds r WHERE r.order_id = o.id AND r.state = 'pending')
			OR EXISTS (SELECT 1 FROM payment_discrepancies d WHERE d.order_id = o.id AND d.resolved_at IS NULL))))
		ORDER BY o.updated_at, o.id LIMIT $4`, since.UnixMilli(), before.UnixMilli(), recheck.UnixMilli(), limit)
	due, err := collect(rows, err, func(row scanner) (id string, err error) {
		err = row.Scan(&id)
		return id, err
	})
	return due, db.fail("sqldb.ChecksDue", err)
}

// KeepCheck notes that an order was compared as it is and what was found. Open discrepancies of the order that were not
// found any more are resolved. It returns how many are new.
func (db *DB) KeepCheck(ctx context.Context, o *order.Order, found []reconcile.Discrepancy, at time.Time) (fresh int, err error) {
	err = db.update(ctx, "sqldb.KeepCheck", func(ctx context.Context, tx *sql.Tx) error {
		fresh = 0
		_, err := tx.ExecContext(ctx, `INSERT INTO payment_checks (order_id, checked_at, changed_at) VALUES ($1, $2, $3)
			ON CONFLICT (order_id) DO UPDATE SET checked_at = excluded.checked_at, changed_at = excluded.changed_at`,
			o.ID, at.UnixMilli(), o.UpdatedAt.UnixMilli())
		if err != nil {
			return err
		}
		for _, d := range found {
			d.FoundAt, d.SeenAt = at, at
			isNew, err := addDiscrepancy(ctx, tx, &d)
			if err != nil {
				return err
			}
			if isNew {
				fresh++
			}
		}
		_, err = tx.ExecContext(ctx, `UPDATE payment_discrepancies SET resolved_at = $1, resolution = 'the books agree'
			WHERE order_id = $2 AND resolved_at IS NULL AND seen_at < $1`, at.UnixMilli(), o.ID)
		return err
	})
	return fresh, err
}

// addDiscrepancy opens a discrepancy; one that is open already is seen again.
func addDiscrepancy(ctx context.Context, tx *sql.Tx, d *reconcile.Discrepancy) (fresh bool, err error) {
	var id string
	err = tx.QueryRowContext(ctx, `INSERT INTO payment_discrepancies (id, store_id, provider, kind, order_id, order_no, refund_no, detail, found_at,
		seen_at, resolution) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, '')
		ON CONFLICT (provider, order_no, refund_no, kind) WHERE resolved_at IS NULL DO UPDATE SET seen_at = excluded.seen_at, detail = excluded.detail
		RETURNING id`, d.ID, d.StoreID, d.Provider, string(d.Kind), d.OrderID, d.OrderNo, d.RefundNo, d.Detail, d.FoundAt.UnixMilli(),
		d.SeenAt.UnixMilli()).Scan(&id)
	return id == d.ID, err
}

// KeepStrays opens a discrepancy for each payment of no order of ours that never had one, and tells how many are new.
func (db *DB) KeepStrays(ctx context.Context, at time.Time) (fresh int, err error) {
	err = db.update(ctx, "sqldb.KeepStrays", func(ctx context.Context, tx *sql.Tx) error {
		fresh = 0
		rows, err := tx.QueryContext(ctx, `SELECT provider, transaction_id, order_no, amount, currency FROM order_receipts r WHERE order_id = ''
			AND NOT EXISTS (SELECT 1 FROM payment_discrepancies d WHERE d.provider = r.provider AND d.order_no = r.order_no AND d.kind = 'unknown_payment')`)
		strays, err := collect(rows, err, func(row scanner) (d reconcile.Discrepancy, err error) {
			var transaction string
			var m commerce.Money
			err = row.Scan(&d.Provider, &transaction, &d.OrderNo, &m.Amount, &m.Currency)
			d.Detail = m.String() + " came in by transaction " + transaction + " for an order that is not here: give it back at the provider"
			return d, err
		})
		if err != nil {
			return err
		}
		for _, d := range strays {
			d.ID, d.Kind, d.FoundAt, d.SeenAt = ids.New("dis"), reconcile.UnknownPayment, at, at
			if _, err := addDiscrepancy(ctx, tx, &d); err != nil {
				return err
			}
			fresh++
		}
		return nil
	})
	return fresh, err
}

const discrepancyColumns = "id, store_id, provider, kind, order_id, order_no, refund_no, detail, found_at, seen_at, resolved_at, resolution"

func scanDiscrepancy(row scanner) (d reconcile.Discrepancy, err error) {
	var found, seen, resolved sql.NullInt64
	err = row.Scan(&d.ID, &d.StoreID, &d.Provider, &d.Kind, &d.OrderID, &d.OrderNo, &d.RefundNo, &d.Detail, &found, &seen, &resolved, &d.Resolution)
	d.FoundAt, d.SeenAt, d.ResolvedAt = instant(found), instant(seen), instant(resolved)
	return d, err
}

// Discrepancies lists discrepancies, the newest first, those before the key: of a store, or of all with storeID "".
func (db *DB) Discrepancies(ctx context.Context, storeID string, openOnly bool, before cursor.Key, limit int) ([]reconcile.Discrepancy, error) {
	at, id := before.At.UnixMilli(), before.ID
	if id == "" {
		at = 1 << 62
	}
	rows, err := db.read.QueryContext(ctx, "SELECT "+discrepancyColumns+` FROM payment_discrepancies
		WHERE (CAST($1 AS TEXT) = '' OR store_id = $1) AND (CAST($2 AS BIGINT) = 0 OR resolved_at IS NULL)
		AND (found_at < $3 OR (found_at = $3 AND id < $4)) ORDER BY found_at DESC, id DESC LIMIT $5`, storeID, flag(openOnly), at, id, limit)
	all, err := collect(rows, err, scanDiscrepancy)
	return all, db.fail("sqldb.Discrepancies", err)
}

// ResolveDiscrepancy closes an open discrepancy of a store, or of any with storeID "". NotFound.
func (db *DB) ResolveDiscrepancy(ctx context.Context, storeID, id, resolution string, at time.Time) (d reconcile.Discrepancy, err error) {
	err = db.update(ctx, "sqldb.ResolveDiscrepancy", func(ctx context.Context, tx *sql.Tx) error {
		d, err = scanDiscrepancy(tx.QueryRowContext(ctx, `UPDATE payment_discrepancies SET resolved_at = $1, resolution = $2
			WHERE id = $3 AND resolved_at IS NULL AND (CAST($4 AS TEXT) = '' OR store_id = $4) RETURNING `+discrepancyColumns,
			at.UnixMilli(), resolution, id, storeID))
		return err
	})
	return d, err
}
