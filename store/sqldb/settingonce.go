package sqldb

import (
	"context"
	"database/sql"
)

// SettingOnce keeps value under key if nothing is there, and returns what is there now: of servers that start at once on one
// database, all get the same.
func (db *DB) SettingOnce(ctx context.Context, key, value string) (kept string, err error) {
	err = db.update(ctx, "sqldb.SettingOnce", func(ctx context.Context, tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "INSERT INTO settings (key, value) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING", key, value); err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, "SELECT value FROM settings WHERE key = $1", key).Scan(&kept)
	})
	return kept, err
}
