package sqldb

import (
	"context"
	"database/sql"
	"errors"

	"github.com/vitrine-live/vitrine/live"
)

// UpdateScheduled writes the title, state and times of a show while it is scheduled; changed is false when it is not.
func (db *DB) UpdateScheduled(ctx context.Context, s live.Show) (changed bool, err error) {
	err = db.update(ctx, "sqldb.UpdateScheduled", func(ctx context.Context, tx *sql.Tx) error {
		err := exactlyOne(tx.ExecContext(ctx, `UPDATE shows SET title = $1, state = $2, scheduled_at = $3, ended_at = $4
			WHERE id = $5 AND state = 'scheduled'`, s.Title, string(s.State), millis(s.ScheduledAt), millis(s.EndedAt), s.ID))
		if changed = err == nil; errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	return changed && err == nil, err
}
