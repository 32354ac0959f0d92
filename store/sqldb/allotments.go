package sqldb

import (
	"context"
	"database/sql"
	"errors"

	"github.com/vitrine-live/vitrine/commerce/stock"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/ids"
)

// SetAllotment makes the pieces of a SKU that are set aside for a show as many as asked for, sold and reserved ones
// included, and returns the pool. Conflict: the main pool has not enough, or more are sold or reserved already. Setting
// none returns what is left.
func (db *DB) SetAllotment(ctx context.Context, showID, skuID string, pieces int64) (p stock.Pool, err error) {
	const op = "sqldb.SetAllotment"
	err = db.update(ctx, op, func(ctx context.Context, tx *sql.Tx) error {
		p, err = scanPool(tx.QueryRowContext(ctx, `UPDATE stock_pools SET closed = 0 WHERE ref = $1 AND sku_id = $2 AND kind = 'show'
			AND closed = 0 RETURNING `+poolColumns, showID, skuID)) // a write, so that it stays as it is read
		if errors.Is(err, sql.ErrNoRows) {
			p = stock.Pool{ID: ids.New("alo"), SKU: skuID, Kind: stock.Show, Ref: showID, Level: stock.Level{Total: pieces, Available: pieces}}
			return setAside(ctx, tx, op, p)
		}
		if err != nil {
			return err
		}
		return resize(ctx, tx, op, &p, pieces)
	})
	return p, err
}

// resize moves pieces between an allotment and the main pool.
func resize(ctx context.Context, tx *sql.Tx, op string, p *stock.Pool, pieces int64) error {
	more := pieces - p.Total
	if p.Available+more < 0 {
		return errs.New(errs.Conflict, op, "%d pieces of the allotment are sold or reserved already", p.Reserved+p.Sold)
	}
	if err := adjust(ctx, tx, op, p.ID, more); err != nil {
		return err
	}
	p.Total, p.Available = pieces, p.Available+more
	return adjust(ctx, tx, op, p.SKU, -more)
}

// Allotments lists what is, or was, set aside for a show, by SKU.
func (db *DB) Allotments(ctx context.Context, showID string) ([]stock.Pool, error) {
	rows, err := db.read.QueryContext(ctx, "SELECT "+poolColumns+" FROM stock_pools WHERE ref = $1 AND kind = 'show' ORDER BY sku_id, id", showID)
	pools, err := collect(rows, err, scanPool)
	return pools, db.fail("sqldb.Allotments", err)
}

// ReturnAllotments gives back what is left of a show's allotments; skuID limits it to one. It returns how many were given
// back: each is, once.
func (db *DB) ReturnAllotments(ctx context.Context, showID, skuID string) (n int, err error) {
	err = db.update(ctx, "sqldb.ReturnAllotments", func(ctx context.Context, tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT id FROM stock_pools WHERE ref = $1 AND kind = 'show' AND closed = 0
			AND (sku_id = $2 OR CAST($3 AS TEXT) = '') ORDER BY sku_id`, showID, skuID, skuID)
		pools, err := collect(rows, err, scanString)
		if err != nil {
			return err
		}
		n = len(pools)
		for _, id := range pools {
			if err := giveBack(ctx, tx, id); err != nil {
				return err
			}
		}
		return nil
	})
	return n, err
}

// EndedAllotments lists shows that have ended and still have pieces set aside.
func (db *DB) EndedAllotments(ctx context.Context) ([]string, error) {
	return db.orderIDs(ctx, "sqldb.EndedAllotments", `SELECT DISTINCT p.ref FROM stock_pools p JOIN shows s ON s.id = p.ref
		WHERE p.kind = 'show' AND p.closed = 0 AND s.state = 'ended'`)
}
