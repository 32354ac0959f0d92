package sqldb

import (
	"context"
	"database/sql"
	"time"

	"github.com/vitrine-live/vitrine/internal/ids"
)

// ViewerSecrets returns the secrets of a store that are good at an instant, the newest first. It is empty for an unknown
// store.
func (db *DB) ViewerSecrets(ctx context.Context, storeID string, at time.Time) ([]string, error) {
	rows, err := db.read.QueryContext(ctx, `SELECT secret FROM viewer_secrets
		WHERE store_id = $1 AND (expires_at IS NULL OR expires_at > $2) ORDER BY created_at DESC, id DESC`, storeID, at.UnixMilli())
	secrets, err := collect(rows, err, func(row scanner) (secret string, err error) {
		err = row.Scan(&secret)
		return secret, err
	})
	return secrets, db.fail("sqldb.ViewerSecrets", err)
}

// RotateViewerSecret adds a secret to a store and lets the one it takes the place of be good until keep, which may be
// at: then it ends at once. One that was ending already ends now: two are good at most. NotFound: no such store.
func (db *DB) RotateViewerSecret(ctx context.Context, storeID, secret string, at, keep time.Time) error {
	const op = "sqldb.RotateViewerSecret"
	return db.update(ctx, op, func(ctx context.Context, tx *sql.Tx) error {
		if err := storeExists(ctx, tx, op, storeID); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM viewer_secrets WHERE store_id = $1 AND expires_at IS NOT NULL", storeID); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "UPDATE viewer_secrets SET expires_at = $1 WHERE store_id = $2", keep.UnixMilli(), storeID)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "INSERT INTO viewer_secrets (id, store_id, secret, created_at) VALUES ($1, $2, $3, $4)",
			ids.New("vsec"), storeID, secret, at.UnixMilli())
		return err
	})
}

// storeExists also makes those who change the same store's things wait for each other, where an engine lets many write.
func storeExists(ctx context.Context, tx *sql.Tx, op, storeID string) error {
	return noStore(op, exactlyOne(tx.ExecContext(ctx, "UPDATE stores SET name = name WHERE id = $1", storeID)))
}
