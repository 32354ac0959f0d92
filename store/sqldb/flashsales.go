package sqldb

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/vitrine-live/vitrine/commerce/offer"
	"github.com/vitrine-live/vitrine/commerce/stock"
	"github.com/vitrine-live/vitrine/internal/errs"
)

const (
	flashColumns = `f.id, f.store_id, f.show_id, f.sku_id, f.state, f.goods, f.price, f.quantity, f.per_buyer, f.pool_id, f.countdown_ms, f.duration_ms,
		f.starts_at_ms, f.ends_at_ms, f.sold_out, f.started_at, f.stopped_at, f.stopped_because, f.created_at, f.updated_at`
	poolOfFlash = `, COALESCE(p.total, 0), COALESCE(p.available, 0), COALESCE(p.reserved, 0), COALESCE(p.sold, 0)
		FROM flash_sales f LEFT JOIN stock_pools p ON p.id = f.pool_id `
	selectFlash = "SELECT " + flashColumns + poolOfFlash
)

// CreateFlashSale stores a new flash sale, and what is to be said of it; nil: nothing yet.
func (db *DB) CreateFlashSale(ctx context.Context, f offer.FlashSale, d *offer.Drop) error {
	return db.update(ctx, "sqldb.CreateFlashSale", func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO flash_sales (id, store_id, show_id, sku_id, state, goods, price, quantity, per_buyer, pool_id,
			countdown_ms, duration_ms, starts_at_ms, created_at, updated_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
			f.ID, f.StoreID, f.ShowID, f.SKU, string(f.State), jsonText(f.Goods), f.Price, f.Quantity, f.PerBuyer, f.PoolID,
			f.Countdown.Milliseconds(), f.Duration.Milliseconds(), f.StartsAtMS, millis(f.CreatedAt), millis(f.UpdatedAt))
		if err != nil || d == nil {
			return err
		}
		_, err = putDrop(ctx, tx, *d)
		return err
	})
}

// FlashSale returns a flash sale of a store, of any when storeID is empty, with the level of its pool. NotFound.
func (db *DB) FlashSale(ctx context.Context, storeID, id string) (offer.FlashSale, error) {
	const op = "sqldb.FlashSale"
	f, err := scanFlash(db.read.QueryRowContext(ctx, selectFlash+"WHERE f.id = $1 AND (CAST($2 AS TEXT) = '' OR f.store_id = $2)", id, storeID))
	return f, db.fail(op, noFlash(op, id, err))
}

// FlashSales lists the flash sales of a store, newest first, those made before the one named by beforeID; from the newest
// when it is empty.
func (db *DB) FlashSales(ctx context.Context, storeID, beforeID string, limit int) ([]offer.FlashSale, error) {
	rows, err := db.read.QueryContext(ctx, selectFlash+`WHERE f.store_id = $1
		AND (CAST($2 AS TEXT) = '' OR (f.created_at, f.id) < (SELECT created_at, id FROM flash_sales WHERE id = $2))
		ORDER BY f.created_at DESC, f.id DESC LIMIT $3`, storeID, beforeID, limit)
	all, err := collect(rows, err, scanFlash)
	return all, db.fail("sqldb.FlashSales", err)
}

// OpenFlashSales lists those that run or wait for their time, in no particular order.
func (db *DB) OpenFlashSales(ctx context.Context) ([]offer.FlashSale, error) {
	rows, err := db.read.QueryContext(ctx, selectFlash+`WHERE f.state <> 'stopped' AND f.show_id <> ''
		AND (f.state = 'running' OR f.starts_at_ms IS NOT NULL)`)
	all, err := collect(rows, err, scanFlash)
	return all, db.fail("sqldb.OpenFlashSales", err)
}

// UpdateFlashSale changes when and where a flash sale of a store starts, and what is said of it; an error of change comes
// back and nothing is written. NotFound.
func (db *DB) UpdateFlashSale(ctx context.Context, storeID, id string, change func(*offer.FlashSale) (*offer.Drop, error)) (offer.FlashSale, error) {
	const op = "sqldb.UpdateFlashSale"
	var f offer.FlashSale
	err := db.update(ctx, op, func(ctx context.Context, tx *sql.Tx) error {
		if err := db.lockRow(ctx, tx, "flash_sales", id); err != nil {
			return noFlash(op, id, err)
		}
		var err error
		if f, err = scanFlash(tx.QueryRowContext(ctx, selectFlash+"WHERE f.id = $1 AND f.store_id = $2", id, storeID)); err != nil {
			return noFlash(op, id, err)
		}
		d, err := change(&f)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "UPDATE flash_sales SET show_id = $1, starts_at_ms = $2, updated_at = $3 WHERE id = $4", f.ShowID, f.StartsAtMS, millis(f.UpdatedAt), id)
		if err != nil || d == nil {
			return err
		}
		_, err = putDrop(ctx, tx, *d)
		return err
	})
	return f, err
}

// DeleteFlashSale removes a sale of a store that never started and that viewers were not told of. Conflict; NotFound.
func (db *DB) DeleteFlashSale(ctx context.Context, storeID, id string) error {
	const op = "sqldb.DeleteFlashSale"
	return db.update(ctx, op, func(ctx context.Context, tx *sql.Tx) error {
		var state string
		err := tx.QueryRowContext(ctx, "SELECT state FROM flash_sales WHERE id = $1 AND store_id = $2"+db.forUpdate, id, storeID).Scan(&state)
		if err != nil {
			return noFlash(op, id, err)
		}
		var told int64
		if err := tx.QueryRowContext(ctx, "SELECT COALESCE(MAX(told), 0) FROM offer_drops WHERE offer_id = $1", id).Scan(&told); err != nil {
			return err
		}
		if state != string(offer.Ready) || told > 0 {
			return errs.New(errs.Conflict, op, "viewers were told of this sale: stop it instead")
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM offer_drops WHERE offer_id = $1", id); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "DELETE FROM flash_sales WHERE id = $1", id)
		return err
	})
}

// StartFlashSale makes a ready sale run as f says, with its pieces set aside, and says d. Conflict: it is not ready, too
// few pieces are free, or another sale of the SKU runs (offer.IsOtherSale).
func (db *DB) StartFlashSale(ctx context.Context, f offer.FlashSale, d offer.Drop) error {
	const op = "sqldb.StartFlashSale"
	return db.update(ctx, op, func(ctx context.Context, tx *sql.Tx) error {
		err := exactlyOne(tx.ExecContext(ctx, `UPDATE flash_sales SET state = 'running', show_id = $1, starts_at_ms = $2, ends_at_ms = $3, sold_out = 0,
			started_at = $4, updated_at = $5 WHERE id = $6 AND store_id = $7 AND state = 'ready'`,
			f.ShowID, f.StartsAtMS, f.EndsAtMS, millis(f.StartedAt), millis(f.UpdatedAt), f.ID, f.StoreID))
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return errs.As(errs.Conflict, op, err, "the sale has started already: prepare another one")
		case kindOf(err) == errs.Conflict:
			return errs.As(errs.Conflict, op, errors.Join(offer.ErrOtherSale, err), "another flash sale of this SKU runs: stop it first")
		case err != nil:
			return err
		}
		err = setAside(ctx, tx, op, stock.Pool{ID: f.PoolID, SKU: f.SKU, Kind: stock.Flash, Ref: f.ID, Level: stock.Level{Total: f.Quantity}})
		if err != nil {
			return err
		}
		_, err = putDrop(ctx, tx, d)
		return err
	})
}

// StopFlashSale ends a sale that is not over as f says, gives the pieces back that nobody has, and says so. stopped is
// false when it was over.
func (db *DB) StopFlashSale(ctx context.Context, f offer.FlashSale) (stopped bool, err error) {
	const op = "sqldb.StopFlashSale"
	err = db.update(ctx, op, func(ctx context.Context, tx *sql.Tx) error {
		err := exactlyOne(tx.ExecContext(ctx, `UPDATE flash_sales SET state = 'stopped', ends_at_ms = $1, stopped_at = $2, stopped_because = $3, updated_at = $4
			WHERE id = $5 AND state <> 'stopped'`, f.EndsAtMS, millis(f.StoppedAt), string(f.Because), millis(f.UpdatedAt), f.ID))
		stopped = err == nil
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := giveBack(ctx, tx, f.PoolID); err != nil {
			return err
		}
		var when *int64
		if f.Because == offer.TimeUp {
			when = f.EndsAtMS
		}
		return sayAt(ctx, tx, f.ID, offer.Withdrawn, when, offer.Announced, offer.Started, offer.SoldOut, offer.Back)
	})
	return stopped, err
}

// TurnFlashSale sets whether a running sale is sold out by the pieces of its pool, and says so. turned is false when that
// is known, or no sale runs on the pool.
func (db *DB) TurnFlashSale(ctx context.Context, poolID string, at time.Time) (turned bool, err error) {
	const op = "sqldb.TurnFlashSale"
	err = db.update(ctx, op, func(ctx context.Context, tx *sql.Tx) error {
		var id string
		var known bool
		var available int64
		turned = false
		err := tx.QueryRowContext(ctx, "SELECT id, sold_out FROM flash_sales WHERE pool_id = $1 AND state = 'running'"+db.forUpdate, poolID).Scan(&id, &known)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		err = tx.QueryRowContext(ctx, "SELECT available FROM stock_pools WHERE id = $1", poolID).Scan(&available)
		out := available == 0
		if err != nil || out == known {
			return err
		}
		turned = true
		if _, err := tx.ExecContext(ctx, "UPDATE flash_sales SET sold_out = $1, updated_at = $2 WHERE id = $3", flag(out), at.UnixMilli(), id); err != nil {
			return err
		}
		if out {
			return say(ctx, tx, id, offer.SoldOut, offer.Started, offer.Back)
		}
		return say(ctx, tx, id, offer.Back, offer.SoldOut)
	})
	return turned, err
}

// FlashFor lists the running sales of SKUs, with the pieces that held and sold lines of a viewer's orders took of those
// that have a limit.
func (db *DB) FlashFor(ctx context.Context, skuIDs []string, viewerID string) (sales []offer.FlashSale, had map[string]int64, err error) {
	if len(skuIDs) == 0 {
		return nil, nil, nil
	}
	args := make([]any, len(skuIDs))
	for i, id := range skuIDs {
		args[i] = id
	}
	had = map[string]int64{}
	err = db.view(ctx, "sqldb.FlashFor", func(ctx context.Context, tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, selectFlash+"WHERE f.state = 'running' AND f.sku_id IN ("+placeholders(1, len(skuIDs))+")", args...)
		if sales, err = collect(rows, err, scanFlash); err != nil {
			return err
		}
		for _, f := range sales {
			if f.PerBuyer == 0 {
				continue
			}
			var n int64
			err := tx.QueryRowContext(ctx, `SELECT COALESCE(SUM(l.quantity - l.returned), 0) FROM orders o JOIN order_lines l ON l.order_id = o.id
				WHERE o.viewer_id = $1 AND o.state <> 'refunded' AND l.ref = $2 AND l.hold <> 'released'`, viewerID, f.ID).Scan(&n)
			if err != nil {
				return err
			}
			had[f.ID] = n
		}
		return nil
	})
	return sales, had, err
}

func noFlash(op, id string, err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return errs.As(errs.NotFound, op, err, "there is no flash sale %s", id)
	}
	return err
}

func scanFlash(row scanner) (f offer.FlashSale, err error) {
	var goods string
	var sku string
	var countdown, duration int64
	var started, stopped, created, updated sql.NullInt64
	err = row.Scan(&f.ID, &f.StoreID, &f.ShowID, &sku, &f.State, &goods, &f.Price, &f.Quantity, &f.PerBuyer, &f.PoolID, &countdown, &duration,
		&f.StartsAtMS, &f.EndsAtMS, &f.SoldOut, &started, &stopped, &f.Because, &created, &updated,
		&f.Pool.Total, &f.Pool.Available, &f.Pool.Reserved, &f.Pool.Sold)
	if err != nil {
		return f, err
	}
	f.Countdown, f.Duration = time.Duration(countdown)*time.Millisecond, time.Duration(duration)*time.Millisecond
	f.StartedAt, f.StoppedAt, f.CreatedAt, f.UpdatedAt = instant(started), instant(stopped), instant(created), instant(updated)
	return f, json.Unmarshal([]byte(goods), &f.Goods)
}
