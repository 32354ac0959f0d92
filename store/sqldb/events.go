package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/live"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/overlay"
)

// AppendEvents writes events at the end of a show's timeline, all or none, and returns the number of the first: theirs
// rise by one from there, without a gap to what was there before. Their Seq is not read. NotFound: no such show.
func (db *DB) AppendEvents(ctx context.Context, showID string, events []overlay.Event) (first int64, err error) {
	const op = "sqldb.AppendEvents"
	err = db.update(ctx, op, func(ctx context.Context, tx *sql.Tx) error {
		var last int64
		err := tx.QueryRowContext(ctx, "UPDATE shows SET last_seq = last_seq + $1 WHERE id = $2 RETURNING last_seq",
			len(events), showID).Scan(&last)
		if err != nil {
			return noShow(op, showID, err)
		}
		first = last - int64(len(events)) + 1
		for i, e := range events {
			_, err := tx.ExecContext(ctx, `INSERT INTO events (show_id, seq, type, show_time, wall, data)
				VALUES ($1, $2, $3, $4, $5, $6)`,
				showID, first+int64(i), string(e.Type), int64(e.ShowTime), e.Wall.UnixMilli(), string(e.Data))
			if err != nil {
				return err
			}
		}
		return nil
	})
	return first, err
}

// Events returns at most limit events of a show's timeline with numbers above after, in order. It is empty for an
// unknown show.
func (db *DB) Events(ctx context.Context, showID string, after int64, limit int) ([]overlay.Event, error) {
	rows, err := db.read.QueryContext(ctx, `SELECT seq, type, show_time, wall, data FROM events
		WHERE show_id = $1 AND seq > $2 ORDER BY seq LIMIT $3`, showID, after, limit)
	events, err := collect(rows, err, scanEvent)
	return events, db.fail("sqldb.Events", err)
}

// ShowEnd returns where a show ended, in show time and on the wall clock; ok is false while it has not. NotFound: no
// such show.
func (db *DB) ShowEnd(ctx context.Context, showID string) (at media.Ticks, wall time.Time, ok bool, err error) {
	show, err := db.Show(ctx, showID)
	if err != nil || show.State != live.Ended {
		return 0, time.Time{}, false, err
	}
	wall = show.Epochs.WallAt(show.Duration)
	if wall.IsZero() {
		wall = show.EndedAt
	}
	return show.Duration, wall, true, nil
}

func noShow(op, id string, err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return errs.As(errs.NotFound, op, err, "there is no show %s", id)
	}
	return err
}

func scanEvent(row scanner) (e overlay.Event, err error) {
	var wall sql.NullInt64
	var data string
	err = row.Scan(&e.Seq, &e.Type, &e.ShowTime, &wall, &data)
	e.Wall, e.Data = instant(wall), []byte(data)
	return e, err
}
