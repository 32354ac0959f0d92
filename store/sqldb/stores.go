package sqldb

import (
	"context"
	"database/sql"
	"errors"

	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/internal/errs"
)

const storeColumns = "id, merchant_id, name, currency, created_at"

// Store returns a store, or NotFound.
func (db *DB) Store(ctx context.Context, id string) (account.Store, error) {
	const op = "sqldb.Store"
	s, err := scanStore(db.read.QueryRowContext(ctx, "SELECT "+storeColumns+" FROM stores WHERE id = $1", id))
	return s, db.fail(op, noStore(op, err))
}

func noStore(op string, err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return errs.As(errs.NotFound, op, err, "there is no such store")
	}
	return err
}

func scanStore(row scanner) (s account.Store, err error) {
	var created sql.NullInt64
	err = row.Scan(&s.ID, &s.MerchantID, &s.Name, &s.Currency, &created)
	s.CreatedAt = instant(created)
	return s, err
}
