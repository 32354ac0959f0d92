package sqldb

import (
	"context"
	"database/sql"
	"errors"

	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/internal/errs"
)

const storeColumns = "id, merchant_id, name, currency, created_at"

// CreateMerchant stores a new merchant. Conflict: the ID is taken.
func (db *DB) CreateMerchant(ctx context.Context, m account.Merchant) error {
	return db.update(ctx, "sqldb.CreateMerchant", func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO merchants (id, name, created_at) VALUES ($1, $2, $3)", m.ID, m.Name, millis(m.CreatedAt))
		return err
	})
}

// Merchant returns a merchant, or NotFound.
func (db *DB) Merchant(ctx context.Context, id string) (account.Merchant, error) {
	m, err := scanMerchant(db.read.QueryRowContext(ctx, "SELECT id, name, created_at FROM merchants WHERE id = $1", id))
	return m, db.fail("sqldb.Merchant", noMerchant("sqldb.Merchant", err))
}

// Merchants lists merchants, oldest first, those created after the one named; all from the first when it is empty. It is
// empty after one that is not there.
func (db *DB) Merchants(ctx context.Context, after string, limit int) ([]account.Merchant, error) {
	rows, err := db.read.QueryContext(ctx, `SELECT id, name, created_at FROM merchants WHERE $1 = ''
		OR (created_at, id) > (SELECT created_at, id FROM merchants WHERE id = $1) ORDER BY created_at, id LIMIT $2`, after, limit)
	ms, err := collect(rows, err, scanMerchant)
	return ms, db.fail("sqldb.Merchants", err)
}

// CreateStore stores a new store, with its owner unless ownerID is empty. NotFound: no such merchant, or the owner is not
// one of its people. Conflict: the ID is taken.
func (db *DB) CreateStore(ctx context.Context, s account.Store, ownerID string) error {
	const op = "sqldb.CreateStore"
	return db.update(ctx, op, func(ctx context.Context, tx *sql.Tx) error {
		err := exactlyOne(tx.ExecContext(ctx, `INSERT INTO stores (id, merchant_id, name, currency, created_at)
			SELECT CAST($1 AS TEXT), id, CAST($2 AS TEXT), CAST($3 AS TEXT), CAST($4 AS BIGINT) FROM merchants WHERE id = $5`,
			s.ID, s.Name, s.Currency, millis(s.CreatedAt), s.MerchantID))
		if err != nil || ownerID == "" {
			return noMerchant(op, err)
		}
		return noMember(op, exactlyOne(tx.ExecContext(ctx, `INSERT INTO staff_roles (staff_id, store_id, role, created_at)
			SELECT id, CAST($1 AS TEXT), CAST($2 AS TEXT), CAST($3 AS BIGINT) FROM staff WHERE id = $4 AND merchant_id = $5`,
			s.ID, string(account.Owner), millis(s.CreatedAt), ownerID, s.MerchantID)))
	})
}

// Store returns a store, or NotFound.
func (db *DB) Store(ctx context.Context, id string) (account.Store, error) {
	const op = "sqldb.Store"
	s, err := scanStore(db.read.QueryRowContext(ctx, "SELECT "+storeColumns+" FROM stores WHERE id = $1", id))
	return s, db.fail(op, noStore(op, err))
}

// Stores lists stores, oldest first, those created after the one named; all from the first when it is empty. It is empty
// after one that is not there.
func (db *DB) Stores(ctx context.Context, f account.StoreFilter, after string, limit int) ([]account.Store, error) {
	rows, err := db.read.QueryContext(ctx, "SELECT "+storeColumns+` FROM stores WHERE ($1 = '' OR merchant_id = $1)
		AND ($2 = '' OR id IN (SELECT store_id FROM staff_roles WHERE staff_id = $2))
		AND ($3 = '' OR (created_at, id) > (SELECT created_at, id FROM stores WHERE id = $3))
		ORDER BY created_at, id LIMIT $4`, f.MerchantID, f.StaffID, after, limit)
	stores, err := collect(rows, err, scanStore)
	return stores, db.fail("sqldb.Stores", err)
}

// UpdateStore changes a store and returns it as it is now. NotFound.
func (db *DB) UpdateStore(ctx context.Context, id string, u account.StoreUpdate) (account.Store, error) {
	const op = "sqldb.UpdateStore"
	var s account.Store
	err := db.update(ctx, op, func(ctx context.Context, tx *sql.Tx) (err error) {
		s, err = scanStore(tx.QueryRowContext(ctx, `UPDATE stores SET name = COALESCE($1, name), currency = COALESCE($2, currency)
			WHERE id = $3 RETURNING `+storeColumns, u.Name, u.Currency, id))
		return noStore(op, err)
	})
	return s, err
}

func noStore(op string, err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return errs.As(errs.NotFound, op, err, "there is no such store")
	}
	return err
}

func noMerchant(op string, err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return errs.As(errs.NotFound, op, err, "there is no such merchant")
	}
	return err
}

func scanStore(row scanner) (s account.Store, err error) {
	var created sql.NullInt64
	err = row.Scan(&s.ID, &s.MerchantID, &s.Name, &s.Currency, &created)
	s.CreatedAt = instant(created)
	return s, err
}

func scanMerchant(row scanner) (m account.Merchant, err error) {
	var created sql.NullInt64
	err = row.Scan(&m.ID, &m.Name, &created)
	m.CreatedAt = instant(created)
	return m, err
}
