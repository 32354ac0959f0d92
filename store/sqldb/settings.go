package sqldb

import (
	"context"
	"database/sql"
)

// Setting returns a value kept under key, or NotFound.
func (db *DB) Setting(ctx context.Context, key string) (value string, err error) {
	err = db.read.QueryRowContext(ctx, "SELECT value FROM settings WHERE key = $1", key).Scan(&value)
	return value, db.fail("sqldb.Setting", err)
}

// SettingOr returns the value kept under key, and keeps value if there is none: of several that come at once one is kept, and
// all get it.
func (db *DB) SettingOr(ctx context.Context, key, value string) (kept string, err error) {
	err = db.update(ctx, "sqldb.SettingOr", func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO settings (key, value) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING", key, value)
		if err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, "SELECT value FROM settings WHERE key = $1", key).Scan(&kept)
	})
	return kept, err
}

// SetSetting keeps value under key in place of what was there.
func (db *DB) SetSetting(ctx context.Context, key, value string) error {
	return db.update(ctx, "sqldb.SetSetting", func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO settings (key, value) VALUES ($1, $2)
			ON CONFLICT (key) DO UPDATE SET value = excluded.value`, key, value)
		return err
	})
}
