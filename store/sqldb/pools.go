package sqldb

import (
	"context"
	"database/sql"
	"errors"

	"github.com/vitrine-live/vitrine/commerce/stock"
	"github.com/vitrine-live/vitrine/internal/errs"
)

const poolColumns = "id, sku_id, kind, ref, total, available, reserved, sold, closed"

// Pools lists the pools of a SKU, the main one first. It is empty for an unknown SKU.
func (db *DB) Pools(ctx context.Context, skuID string) ([]stock.Pool, error) {
	rows, err := db.read.QueryContext(ctx, "SELECT "+poolColumns+" FROM stock_pools WHERE sku_id = $1 ORDER BY kind <> 'main', id", skuID)
	pools, err := collect(rows, err, scanPool)
	return pools, db.fail("sqldb.Pools", err)
}

// OpenPool makes a pool of a SKU that belongs to no product of the catalogue, with all its pieces available: what a load
// test sells. Conflict: it exists.
func (db *DB) OpenPool(ctx context.Context, p stock.Pool) error {
	return db.update(ctx, "sqldb.OpenPool", func(ctx context.Context, tx *sql.Tx) error { return addPool(ctx, tx, p) })
}

// addPool makes a pool with all its pieces available.
func addPool(ctx context.Context, tx *sql.Tx, p stock.Pool) error {
	_, err := tx.ExecContext(ctx, "INSERT INTO stock_pools ("+poolColumns+") VALUES ($1, $2, $3, $4, $5, $6, 0, 0, 0)",
		p.ID, p.SKU, string(p.Kind), p.Ref, p.Total, p.Total)
	return err
}

// adjust adds pieces to a SKU's main pool, or takes available ones away. Conflict: fewer are available.
func adjust(ctx context.Context, tx *sql.Tx, op, skuID string, pieces int64) error {
	err := exactlyOne(tx.ExecContext(ctx, `UPDATE stock_pools SET total = total + $1, available = available + $1
		WHERE id = $2 AND available + $1 >= 0`, pieces, skuID))
	if errors.Is(err, sql.ErrNoRows) {
		return errs.As(errs.Conflict, op, err, "fewer than %d pieces are free to be taken away: the others are reserved, sold or set aside", -pieces)
	}
	return err
}

// setAside moves available pieces of the main pool into a new pool. Conflict: fewer are available.
func setAside(ctx context.Context, tx *sql.Tx, op string, p stock.Pool) error {
	if err := adjust(ctx, tx, op, p.SKU, -p.Total); err != nil {
		return err
	}
	return addPool(ctx, tx, p)
}

// giveBack closes a pool and moves its available pieces to the main pool. What is reserved in it stays until it is sold
// or released. A pool that is closed already stays as it is.
func giveBack(ctx context.Context, tx *sql.Tx, poolID string) error {
	var skuID string
	var pieces int64
	err := tx.QueryRowContext(ctx, `UPDATE stock_pools SET closed = 1 WHERE id = $1 AND closed = 0 AND kind <> 'main'
		RETURNING sku_id, available`, poolID).Scan(&skuID, &pieces)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	} else if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "UPDATE stock_pools SET total = total - $1, available = 0 WHERE id = $2", pieces, poolID)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "UPDATE stock_pools SET total = total + $1, available = available + $1 WHERE id = $2", pieces, skuID)
	return err
}

func scanPool(row scanner) (p stock.Pool, err error) {
	err = row.Scan(&p.ID, &p.SKU, &p.Kind, &p.Ref, &p.Total, &p.Available, &p.Reserved, &p.Sold, &p.Closed)
	return p, err
}
