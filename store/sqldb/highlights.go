package sqldb

import (
	"context"
	"database/sql"
	"encoding/json"

	"github.com/vitrine-live/vitrine/replay/highlight"
)

// AddViewerSamples stores how many watched shows. One at the same time of the same show is replaced.
func (db *DB) AddViewerSamples(ctx context.Context, samples []highlight.Sample) error {
	return db.update(ctx, "sqldb.AddViewerSamples", func(ctx context.Context, tx *sql.Tx) error {
		for _, s := range samples {
			_, err := tx.ExecContext(ctx, `INSERT INTO show_viewers (show_id, at, viewers) VALUES ($1, $2, $3)
				ON CONFLICT (show_id, at) DO UPDATE SET viewers = excluded.viewers`, s.ShowID, int64(s.At), s.Viewers)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// ViewerSamples returns how many watched a show, in its order. It is empty for an unknown show.
func (db *DB) ViewerSamples(ctx context.Context, showID string) ([]highlight.Sample, error) {
	rows, err := db.read.QueryContext(ctx, "SELECT show_id, at, viewers FROM show_viewers WHERE show_id = $1 ORDER BY at", showID)
	samples, err := collect(rows, err, func(row scanner) (s highlight.Sample, err error) {
		err = row.Scan(&s.ShowID, &s.At, &s.Viewers)
		return s, err
	})
	return samples, db.fail("sqldb.ViewerSamples", err)
}

const highlightColumns = "show_id, id, state, from_time, to_time, title, found, decided_by, decided_at"

// Highlights returns the highlights of a show that were decided on, in its order. It is empty for an unknown show.
func (db *DB) Highlights(ctx context.Context, showID string) ([]highlight.Highlight, error) {
	rows, err := db.read.QueryContext(ctx, "SELECT "+highlightColumns+" FROM highlights WHERE show_id = $1 ORDER BY from_time, id", showID)
	all, err := collect(rows, err, scanHighlight)
	return all, db.fail("sqldb.Highlights", err)
}

// ChangeHighlight stores what change makes of the highlight that is stored under the ID of fresh, or of fresh when there
// is none. Errors of change are returned as they are.
func (db *DB) ChangeHighlight(ctx context.Context, fresh highlight.Highlight, change func(highlight.Highlight) (highlight.Highlight, error)) (h highlight.Highlight, err error) {
	err = db.update(ctx, "sqldb.ChangeHighlight", func(ctx context.Context, tx *sql.Tx) error {
		// The row is made first, so that of two that decide at once the second sees what the first did.
		if _, err := tx.ExecContext(ctx, "INSERT INTO highlights ("+highlightColumns+`) VALUES ($1, $2, $3, $4, $5, $6, '{}', '', 0)
			ON CONFLICT (show_id, id) DO NOTHING`, fresh.ShowID, fresh.ID, string(fresh.State), int64(fresh.Span.From), int64(fresh.Span.To), fresh.Title); err != nil {
			return err
		}
		h, err = scanHighlight(tx.QueryRowContext(ctx, "SELECT "+highlightColumns+" FROM highlights WHERE show_id = $1 AND id = $2"+db.forUpdate, fresh.ShowID, fresh.ID))
		if err != nil {
			return err
		}
		if h, err = change(h); err != nil {
			return err
		}
		found, err := json.Marshal(h.Found)
		if err != nil {
			return err
		}
		return exactlyOne(tx.ExecContext(ctx, `UPDATE highlights SET state = $1, from_time = $2, to_time = $3, title = $4, found = $5, decided_by = $6,
			decided_at = $7 WHERE show_id = $8 AND id = $9`, string(h.State), int64(h.Span.From), int64(h.Span.To), h.Title, string(found), h.By,
			h.At.UnixMilli(), h.ShowID, h.ID))
	})
	return h, err
}

func scanHighlight(row scanner) (h highlight.Highlight, err error) {
	var found string
	var at sql.NullInt64
	err = row.Scan(&h.ShowID, &h.ID, &h.State, &h.Span.From, &h.Span.To, &h.Title, &found, &h.By, &at)
	if err == nil {
		err = json.Unmarshal([]byte(found), &h.Found)
	}
	h.At = instant(at)
	return h, err
}
