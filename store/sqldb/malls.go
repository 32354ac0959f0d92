package sqldb

import (
	"context"
	"database/sql"
	"errors"

	"github.com/vitrine-live/vitrine/commerce/mall"
	"github.com/vitrine-live/vitrine/internal/cursor"
	"github.com/vitrine-live/vitrine/internal/errs"
)

const mallColumns = "store_id, secret, old_secret, old_secret_until, updated_at"

func scanMall(row scanner) (m mall.Mall, err error) {
	var until, updated sql.NullInt64
	err = row.Scan(&m.StoreID, &m.Secret, &m.OldSecret, &until, &updated)
	m.OldSecretUntil, m.UpdatedAt = instant(until), instant(updated)
	return m, err
}

// Mall returns a store's connection with its mall. NotFound: it has none.
func (db *DB) Mall(ctx context.Context, storeID string) (mall.Mall, error) {
	m, err := scanMall(db.read.QueryRowContext(ctx, "SELECT "+mallColumns+" FROM malls WHERE store_id = $1", storeID))
	return m, db.fail("sqldb.Mall", err)
}

// UpdateMall changes a store's connection with its mall; a store without one gets one. NotFound: no such store.
func (db *DB) UpdateMall(ctx context.Context, storeID string, change func(*mall.Mall)) (m mall.Mall, err error) {
	err = db.update(ctx, "sqldb.UpdateMall", func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO malls (store_id, secret, old_secret, updated_at) VALUES ($1, '', '', 0)
			ON CONFLICT (store_id) DO NOTHING`, storeID)
		if err != nil {
			return err
		}
		m, err = scanMall(tx.QueryRowContext(ctx, "SELECT "+mallColumns+" FROM malls WHERE store_id = $1"+db.forUpdate, storeID))
		if err != nil {
			return err
		}
		change(&m)
		_, err = tx.ExecContext(ctx, "UPDATE malls SET secret = $1, old_secret = $2, old_secret_until = $3, updated_at = $4 WHERE store_id = $5",
			m.Secret, m.OldSecret, millis(m.OldSecretUntil), m.UpdatedAt.UnixMilli(), storeID)
		return err
	})
	return m, err
}

const mallOrderColumns = "id, store_id, no, state, currency, total, refunded, paid_at, refunded_at, hash, created_at, updated_at"

func scanExternal(row scanner) (o mall.Order, err error) {
	var paid, refunded, created, updated sql.NullInt64
	err = row.Scan(&o.ID, &o.StoreID, &o.No, &o.State, &o.Currency, &o.Total, &o.Refunded, &paid, &refunded, &o.Hash, &created, &updated)
	o.PaidAt, o.RefundedAt, o.CreatedAt, o.UpdatedAt = instant(paid), instant(refunded), instant(created), instant(updated)
	return o, err
}

// KeepExternalOrder stores an order of a mall, or brings the one with its number up to date: what is refunded only grows.
// It returns the order as it is now, and whether it is new. Conflict: it was reported with other terms.
func (db *DB) KeepExternalOrder(ctx context.Context, o mall.Order) (kept mall.Order, fresh bool, err error) {
	const op = "sqldb.KeepExternalOrder"
	err = db.update(ctx, op, func(ctx context.Context, tx *sql.Tx) error {
		err := exactlyOne(tx.ExecContext(ctx, "INSERT INTO external_orders ("+mallOrderColumns+`)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (store_id, no) DO NOTHING`,
			o.ID, o.StoreID, o.No, string(o.State), o.Currency, o.Total, o.Refunded, o.PaidAt.UnixMilli(), millis(o.RefundedAt), o.Hash,
			o.CreatedAt.UnixMilli(), o.UpdatedAt.UnixMilli()))
		if err == nil {
			kept, fresh = o, true
			return addExternalLines(ctx, tx, &o)
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		kept, err = db.growExternal(ctx, tx, op, &o)
		return err
	})
	return kept, fresh, err
}

func addExternalLines(ctx context.Context, tx *sql.Tx, o *mall.Order) error {
	for i := range o.Lines {
		l, a := &o.Lines[i], &o.Lines[i].Attribution
		_, err := tx.ExecContext(ctx, `INSERT INTO external_order_lines (order_id, n, product_id, code, title, quantity, amount, click_id, verified,
			clicked_at, show_id, pin_id, show_time_ms, via, share_code, channel)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`, o.ID, l.N, l.ProductID, l.Code, l.Title, l.Quantity,
			l.Amount, l.ClickID, flag(l.Verified), millis(l.ClickedAt), a.ShowID, a.PinID, a.ShowTimeMS, string(a.Source), a.ShareCode, a.Channel)
		if err != nil {
			return err
		}
	}
	return nil
}

// growExternal brings a known order up to date. A report that came late takes nothing back.
func (db *DB) growExternal(ctx context.Context, tx *sql.Tx, op string, o *mall.Order) (mall.Order, error) {
	kept, err := scanExternal(tx.QueryRowContext(ctx, "SELECT "+mallOrderColumns+" FROM external_orders WHERE store_id = $1 AND no = $2"+db.forUpdate, o.StoreID, o.No))
	if err != nil {
		return kept, err
	}
	if kept.Hash != o.Hash {
		return kept, errs.New(errs.Conflict, op, "order %s was reported before with other lines, amounts or times: only its refund may change", o.No)
	}
	if o.Refunded > kept.Refunded || o.State == mall.Refunded && kept.State != mall.Refunded {
		kept.Refunded, kept.RefundedAt, kept.UpdatedAt = max(o.Refunded, kept.Refunded), o.RefundedAt, o.UpdatedAt
		if o.State == mall.Refunded {
			kept.State = mall.Refunded
		}
		_, err = tx.ExecContext(ctx, "UPDATE external_orders SET state = $1, refunded = $2, refunded_at = $3, updated_at = $4 WHERE id = $5",
			string(kept.State), kept.Refunded, millis(kept.RefundedAt), kept.UpdatedAt.UnixMilli(), kept.ID)
		if err != nil {
			return kept, err
		}
	}
	kept.Lines, err = mallLines(ctx, tx, kept.ID)
	return kept, err
}

func mallLines(ctx context.Context, tx *sql.Tx, orderID string) ([]mall.Line, error) {
	rows, err := tx.QueryContext(ctx, `SELECT n, product_id, code, title, quantity, amount, click_id, verified, clicked_at, show_id, pin_id,
		show_time_ms, via, share_code, channel FROM external_order_lines WHERE order_id = $1 ORDER BY n`, orderID)
	return collect(rows, err, func(row scanner) (l mall.Line, err error) {
		var clicked sql.NullInt64
		a := &l.Attribution
		err = row.Scan(&l.N, &l.ProductID, &l.Code, &l.Title, &l.Quantity, &l.Amount, &l.ClickID, &l.Verified, &clicked, &a.ShowID, &a.PinID,
			&a.ShowTimeMS, &a.Source, &a.ShareCode, &a.Channel)
		l.ClickedAt = instant(clicked)
		return l, err
	})
}

// ExternalOrders lists the orders of a store's mall, the newest payment first, those before the key.
func (db *DB) ExternalOrders(ctx context.Context, storeID string, before cursor.Key, limit int) (all []mall.Order, err error) {
	err = db.view(ctx, "sqldb.ExternalOrders", func(ctx context.Context, tx *sql.Tx) error {
		at, id := before.At.UnixMilli(), before.ID
		if id == "" {
			at = 1 << 62
		}
		rows, err := tx.QueryContext(ctx, "SELECT "+mallOrderColumns+` FROM external_orders WHERE store_id = $1
			AND (paid_at < $2 OR (paid_at = $2 AND id < $3)) ORDER BY paid_at DESC, id DESC LIMIT $4`, storeID, at, id, limit)
		if all, err = collect(rows, err, scanExternal); err != nil {
			return err
		}
		for i := range all {
			if all[i].Lines, err = mallLines(ctx, tx, all[i].ID); err != nil {
				return err
			}
		}
		return nil
	})
	return all, err
}
