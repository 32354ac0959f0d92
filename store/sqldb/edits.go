package sqldb

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/replay/edit"
)

// AppendEdit writes an entry at the end of the log of a show's edits. Conflict: its revision is not one above the newest;
// NotFound: no such show.
func (db *DB) AppendEdit(ctx context.Context, showID string, e edit.Entry) error {
	const op = "sqldb.AppendEdit"
	doc, err := json.Marshal(e.Op)
	if err != nil {
		return errs.Wrap(op, err)
	}
	return db.update(ctx, op, func(ctx context.Context, tx *sql.Tx) error {
		var last int64
		if err := tx.QueryRowContext(ctx, "SELECT COALESCE(MAX(revision), 0) FROM replay_edits WHERE show_id = $1", showID).Scan(&last); err != nil {
			return err
		}
		if e.Revision != last+1 {
			return errs.New(errs.Conflict, op, "the replay was edited meanwhile and is at revision %d now", last)
		}
		// Of two at the same time the primary key lets one through.
		_, err := tx.ExecContext(ctx, "INSERT INTO replay_edits (show_id, revision, op, by_id, by_name, at) VALUES ($1, $2, $3, $4, $5, $6)",
			showID, e.Revision, string(doc), e.By, e.ByName, e.At.UnixMilli())
		return err
	})
}

// EditsAfter returns at most limit entries of the log of a show's edits with revisions above after, oldest first. It is
// empty for an unknown show.
func (db *DB) EditsAfter(ctx context.Context, showID string, after int64, limit int) ([]edit.Entry, error) {
	rows, err := db.read.QueryContext(ctx, `SELECT revision, op, by_id, by_name, at FROM replay_edits
		WHERE show_id = $1 AND revision > $2 ORDER BY revision LIMIT $3`, showID, after, limit)
	entries, err := collect(rows, err, scanEdit)
	return entries, db.fail("sqldb.EditsAfter", err)
}

func scanEdit(row scanner) (e edit.Entry, err error) {
	var doc string
	var at int64
	if err := row.Scan(&e.Revision, &doc, &e.By, &e.ByName, &at); err != nil {
		return e, err
	}
	e.At, e.Op.Revision = time.UnixMilli(at).UTC(), e.Revision
	return e, json.Unmarshal([]byte(doc), &e.Op)
}
