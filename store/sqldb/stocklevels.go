package sqldb

import (
	"context"
	"database/sql"
	"errors"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/internal/errs"
)

// ChangeStock changes the pieces of SKUs of a store's product, which are in the order of their ids, all or none. NotFound;
// Conflict: fewer are free than are to be taken away.
func (db *DB) ChangeStock(ctx context.Context, storeID, productID string, changes []commerce.StockChange) error {
	const op = "sqldb.ChangeStock"
	return db.update(ctx, op, func(ctx context.Context, tx *sql.Tx) error {
		for _, ch := range changes {
			err := exactlyOne(tx.ExecContext(ctx, "UPDATE skus SET tracked = 1 WHERE id = $1 AND product_id = $2 AND store_id = $3 AND deleted = 0",
				ch.SKU, productID, storeID))
			if errors.Is(err, sql.ErrNoRows) {
				return errs.As(errs.NotFound, op, err, "the product has no SKU %s", ch.SKU)
			} else if err != nil {
				return err
			}
			if err := db.changePieces(ctx, tx, op, ch); err != nil {
				return err
			}
		}
		return nil
	})
}

// changePieces adds to the main pool what the change says, or takes it away. The lock of the main pool keeps pieces from
// being set aside meanwhile; what is bought changes no total.
func (db *DB) changePieces(ctx context.Context, tx *sql.Tx, op string, ch commerce.StockChange) error {
	if err := db.lockRow(ctx, tx, "stock_pools", ch.SKU); err != nil {
		return err
	}
	var total int64
	err := tx.QueryRowContext(ctx, "SELECT CAST(SUM(total) AS BIGINT) FROM stock_pools WHERE sku_id = $1", ch.SKU).Scan(&total)
	if err != nil {
		return err
	}
	want := total
	if ch.Adjust != nil {
		want += *ch.Adjust
	} else {
		want = *ch.Total
	}
	if want > commerce.MaxStock {
		return errs.New(errs.Conflict, op, "the SKU %s would have %d pieces; it can have %d", ch.SKU, want, int64(commerce.MaxStock))
	}
	if want == total {
		return nil
	}
	return adjust(ctx, tx, op, ch.SKU, want-total)
}
