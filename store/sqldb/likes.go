package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"maps"
	"slices"
)

// AddLikes adds likes of viewers to a show and returns how many it has now.
func (db *DB) AddLikes(ctx context.Context, showID string, counts map[string]int64) (total int64, err error) {
	err = db.update(ctx, "sqldb.AddLikes", func(ctx context.Context, tx *sql.Tx) error {
		add, err := tx.PrepareContext(ctx, `INSERT INTO likes (show_id, viewer_id, count) VALUES ($1, $2, $3)
			ON CONFLICT (show_id, viewer_id) DO UPDATE SET count = likes.count + excluded.count`)
		if err != nil {
			return err
		}
		defer add.Close() //nolint:errcheck // ends with the transaction
		sum := int64(0)
		for _, viewer := range slices.Sorted(maps.Keys(counts)) { // one order, so that two writers never wait for each other
			if _, err := add.ExecContext(ctx, showID, viewer, counts[viewer]); err != nil {
				return err
			}
			sum += counts[viewer]
		}
		return tx.QueryRowContext(ctx, `INSERT INTO like_totals (show_id, total) VALUES ($1, $2)
			ON CONFLICT (show_id) DO UPDATE SET total = like_totals.total + excluded.total RETURNING total`, showID, sum).Scan(&total)
	})
	return total, err
}

// ViewerLikes returns how many likes a viewer has given a show.
func (db *DB) ViewerLikes(ctx context.Context, showID, viewerID string) (int64, error) {
	return db.count(ctx, "sqldb.ViewerLikes", "SELECT count FROM likes WHERE show_id = $1 AND viewer_id = $2", showID, viewerID)
}

// TotalLikes returns how many likes a show has.
func (db *DB) TotalLikes(ctx context.Context, showID string) (int64, error) {
	return db.count(ctx, "sqldb.TotalLikes", "SELECT total FROM like_totals WHERE show_id = $1", showID)
}

// count reads one number, 0 where there is no row.
func (db *DB) count(ctx context.Context, op, query string, args ...any) (n int64, err error) {
	err = db.read.QueryRowContext(ctx, query, args...).Scan(&n)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return n, db.fail(op, err)
}
