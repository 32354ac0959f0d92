package sqldb

import (
	"context"
	"database/sql"
	"errors"

	"github.com/vitrine-live/vitrine/replay/retention"
)

// RetentionPolicy returns how long a store keeps its recordings; the zero Policy when it never said.
func (db *DB) RetentionPolicy(ctx context.Context, storeID string) (p retention.Policy, err error) {
	err = db.view(ctx, "sqldb.RetentionPolicy", func(ctx context.Context, tx *sql.Tx) error {
		var days, changed sql.NullInt64
		err := tx.QueryRowContext(ctx, "SELECT days, changed_at FROM retention WHERE store_id = $1", storeID).Scan(&days, &changed)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		p = retentionPolicy(days, changed)
		return err
	})
	return p, err
}

// SetRetentionPolicy keeps how long a store keeps its recordings.
func (db *DB) SetRetentionPolicy(ctx context.Context, storeID string, p retention.Policy) error {
	return db.update(ctx, "sqldb.SetRetentionPolicy", func(ctx context.Context, tx *sql.Tx) error {
		var days sql.NullInt64
		if p.Days != nil {
			days = sql.NullInt64{Int64: int64(*p.Days), Valid: true}
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO retention (store_id, days, changed_at) VALUES ($1, $2, $3)
			ON CONFLICT (store_id) DO UPDATE SET days = excluded.days, changed_at = excluded.changed_at`, storeID, days, p.ChangedAt.UnixMilli())
		return err
	})
}

// EndedShows lists shows that are over by their ids, those behind after, with the policies of their stores.
func (db *DB) EndedShows(ctx context.Context, after string, limit int) (shows []retention.Show, err error) {
	err = db.view(ctx, "sqldb.EndedShows", func(ctx context.Context, tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT s.id, s.store_id, s.ended_at, r.days, r.changed_at
			FROM shows s LEFT JOIN retention r ON r.store_id = s.store_id
			WHERE s.state = 'ended' AND s.id > $1 ORDER BY s.id LIMIT $2`, after, limit)
		shows, err = collect(rows, err, func(row scanner) (s retention.Show, err error) {
			var ended, days, changed sql.NullInt64
			err = row.Scan(&s.ID, &s.StoreID, &ended, &days, &changed)
			s.EndedAt, s.Policy = instant(ended), retentionPolicy(days, changed)
			return s, err
		})
		return err
	})
	return shows, err
}

func retentionPolicy(days, changed sql.NullInt64) (p retention.Policy) {
	if days.Valid {
		p.Days = new(int(days.Int64))
	}
	p.ChangedAt = instant(changed)
	return p
}
