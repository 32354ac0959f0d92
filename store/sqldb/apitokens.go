package sqldb

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/internal/errs"
)

const tokenColumns = "id, store_id, name, scopes, created_by, created_at, expires_at, used_at" //nolint:gosec // column names

// CreateToken stores a new API token under its hash. NotFound: no such store.
func (db *DB) CreateToken(ctx context.Context, t account.Token, hash string) error {
	return db.update(ctx, "sqldb.CreateToken", func(ctx context.Context, tx *sql.Tx) error {
		scopes, err := json.Marshal(t.Scopes)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "INSERT INTO api_tokens ("+tokenColumns+", hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
			t.ID, t.StoreID, t.Name, string(scopes), t.CreatedBy, millis(t.CreatedAt), millis(t.ExpiresAt), millis(t.UsedAt), hash)
		return err
	})
}

// TokenByHash returns the token with a hash that has not ended at an instant, or NotFound.
func (db *DB) TokenByHash(ctx context.Context, hash string, at time.Time) (account.Token, error) {
	const op = "sqldb.TokenByHash"
	t, err := scanToken(db.read.QueryRowContext(ctx, "SELECT "+tokenColumns+` FROM api_tokens
		WHERE hash = $1 AND (expires_at IS NULL OR expires_at > $2)`, hash, at.UnixMilli()))
	return t, db.fail(op, noToken(op, err))
}

// TouchToken notes that a token was used. One that is gone stays gone.
func (db *DB) TouchToken(ctx context.Context, id string, used time.Time) error {
	return db.update(ctx, "sqldb.TouchToken", func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE api_tokens SET used_at = $1 WHERE id = $2", millis(used), id)
		return err
	})
}

// Tokens lists the tokens of a store, oldest first, those after the one named; all from the first when it is empty. It is
// empty after one that is not there, and for an unknown store.
func (db *DB) Tokens(ctx context.Context, storeID, after string, limit int) ([]account.Token, error) {
	rows, err := db.read.QueryContext(ctx, "SELECT "+tokenColumns+` FROM api_tokens WHERE store_id = $1 AND ($2 = ''
		OR (created_at, id) > (SELECT created_at, id FROM api_tokens WHERE store_id = $1 AND id = $2))
		ORDER BY created_at, id LIMIT $3`, storeID, after, limit)
	ts, err := collect(rows, err, scanToken)
	return ts, db.fail("sqldb.Tokens", err)
}

// DeleteToken removes a token of a store. NotFound.
func (db *DB) DeleteToken(ctx context.Context, storeID, id string) error {
	const op = "sqldb.DeleteToken"
	return db.update(ctx, op, func(ctx context.Context, tx *sql.Tx) error {
		return noToken(op, exactlyOne(tx.ExecContext(ctx, "DELETE FROM api_tokens WHERE id = $1 AND store_id = $2", id, storeID)))
	})
}

func noToken(op string, err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return errs.As(errs.NotFound, op, err, "there is no such API token")
	}
	return err
}

func scanToken(row scanner) (t account.Token, err error) {
	var scopes string
	var created, expires, used sql.NullInt64
	if err = row.Scan(&t.ID, &t.StoreID, &t.Name, &scopes, &t.CreatedBy, &created, &expires, &used); err != nil {
		return t, err
	}
	t.CreatedAt, t.ExpiresAt, t.UsedAt = instant(created), instant(expires), instant(used)
	return t, json.Unmarshal([]byte(scopes), &t.Scopes)
}
