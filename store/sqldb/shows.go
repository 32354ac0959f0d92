package sqldb

import (
	"context"
	"database/sql"

	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/live"
	"github.com/vitrine-live/vitrine/media"
)

const showColumns = "id, room_id, store_id, title, state, scheduled_at, started_at, interrupted_at, ended_at, duration, created_at"

// CreateShow stores a new show with its epochs. NotFound: no such room. Conflict: the ID is taken, or the show is on
// air and the room has another one on air.
func (db *DB) CreateShow(ctx context.Context, s live.Show) error {
	const op = "sqldb.CreateShow"
	return db.update(ctx, op, func(ctx context.Context, tx *sql.Tx) error {
		if err := db.lockRow(ctx, tx, "rooms", s.RoomID); err != nil { // against its deletion
			return noRoom(op, s.RoomID, err)
		}
		_, err := tx.ExecContext(ctx, "INSERT INTO shows ("+showColumns+`)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
			s.ID, s.RoomID, storeOr(s.StoreID), s.Title, string(s.State), millis(s.ScheduledAt), millis(s.StartedAt),
			millis(s.InterruptedAt), millis(s.EndedAt), int64(s.Duration), millis(s.CreatedAt))
		if err != nil {
			return err
		}
		for _, e := range s.Epochs {
			if err := addEpoch(ctx, tx, s.ID, e); err != nil {
				return err
			}
		}
		return nil
	})
}

// Show returns a show, or NotFound.
func (db *DB) Show(ctx context.Context, id string) (live.Show, error) {
	return db.oneShow(ctx, "sqldb.Show", "WHERE id = $1", id)
}

// CurrentShow returns the show of a room that is live or interrupted, or NotFound.
func (db *DB) CurrentShow(ctx context.Context, roomID string) (live.Show, error) {
	return db.oneShow(ctx, "sqldb.CurrentShow", "WHERE room_id = $1 AND state IN ('live', 'interrupted')", roomID)
}

// UnfinishedShows returns the shows of all rooms that are live or interrupted, oldest first.
func (db *DB) UnfinishedShows(ctx context.Context) ([]live.Show, error) {
	return db.shows(ctx, "sqldb.UnfinishedShows", "WHERE state IN ('live', 'interrupted') ORDER BY created_at, id")
}

// Shows lists the shows of a room, newest first, those created before the show named by beforeID; all from the newest
// when it is empty. It is empty for an unknown room or an unknown beforeID.
func (db *DB) Shows(ctx context.Context, roomID, beforeID string, limit int) ([]live.Show, error) {
	const op = "sqldb.Shows"
	if beforeID == "" {
		return db.shows(ctx, op, "WHERE room_id = $1 ORDER BY created_at DESC, id DESC LIMIT $2", roomID, limit)
	}
	return db.shows(ctx, op, `WHERE room_id = $1 AND (created_at, id) < (SELECT created_at, id FROM shows WHERE id = $2)
		ORDER BY created_at DESC, id DESC LIMIT $3`, roomID, beforeID, limit)
}

// UpdateShow writes the title, state, times and duration of a show; its room, epochs and timeline stay. NotFound;
// Conflict: it goes on air and the room has another show on air.
func (db *DB) UpdateShow(ctx context.Context, s live.Show) error {
	return db.update(ctx, "sqldb.UpdateShow", func(ctx context.Context, tx *sql.Tx) error {
		return exactlyOne(tx.ExecContext(ctx, `UPDATE shows SET title = $1, state = $2, scheduled_at = $3, started_at = $4,
			interrupted_at = $5, ended_at = $6, duration = $7 WHERE id = $8`,
			s.Title, string(s.State), millis(s.ScheduledAt), millis(s.StartedAt), millis(s.InterruptedAt),
			millis(s.EndedAt), int64(s.Duration), s.ID))
	})
}

// AddEpoch appends an epoch to a show. NotFound: no such show.
func (db *DB) AddEpoch(ctx context.Context, showID string, e media.Epoch) error {
	const op = "sqldb.AddEpoch"
	return db.update(ctx, op, func(ctx context.Context, tx *sql.Tx) error {
		if err := db.lockRow(ctx, tx, "shows", showID); err != nil {
			return noShow(op, showID, err)
		}
		return addEpoch(ctx, tx, showID, e)
	})
}

func addEpoch(ctx context.Context, tx *sql.Tx, showID string, e media.Epoch) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO epochs (show_id, n, show_time, wall)
		SELECT CAST($1 AS TEXT), COALESCE(MAX(n), 0) + 1, CAST($2 AS BIGINT), CAST($3 AS BIGINT) FROM epochs WHERE show_id = $1`,
		showID, int64(e.ShowTime), e.Wall.UnixMilli())
	return err
}

func (db *DB) oneShow(ctx context.Context, op, where string, args ...any) (live.Show, error) {
	shows, err := db.shows(ctx, op, where, args...)
	if err == nil && len(shows) == 0 {
		err = errs.As(errs.NotFound, op, sql.ErrNoRows, "there is no such show")
	}
	if err != nil {
		return live.Show{}, err
	}
	return shows[0], nil
}

// shows reads the shows that where selects, with their epochs, from one state of the database.
func (db *DB) shows(ctx context.Context, op, where string, args ...any) ([]live.Show, error) {
	var shows []live.Show
	err := db.view(ctx, op, func(ctx context.Context, tx *sql.Tx) (err error) {
		rows, err := tx.QueryContext(ctx, "SELECT "+showColumns+" FROM shows "+where, args...) //nolint:gosec // where is a constant of this file
		if shows, err = collect(rows, err, scanShow); err != nil {
			return err
		}
		for i := range shows {
			if shows[i].Epochs, err = epochs(ctx, tx, shows[i].ID); err != nil {
				return err
			}
		}
		return nil
	})
	return shows, err
}

func epochs(ctx context.Context, tx *sql.Tx, showID string) (media.Epochs, error) {
	rows, err := tx.QueryContext(ctx, "SELECT show_time, wall FROM epochs WHERE show_id = $1 ORDER BY n", showID)
	return collect(rows, err, func(row scanner) (e media.Epoch, err error) {
		var wall sql.NullInt64
		err = row.Scan(&e.ShowTime, &wall)
		e.Wall = instant(wall)
		return e, err
	})
}

func scanShow(row scanner) (s live.Show, err error) {
	var scheduled, started, interrupted, ended, created sql.NullInt64
	err = row.Scan(&s.ID, &s.RoomID, &s.StoreID, &s.Title, &s.State, &scheduled, &started, &interrupted, &ended, &s.Duration, &created)
	s.ScheduledAt, s.StartedAt, s.InterruptedAt = instant(scheduled), instant(started), instant(interrupted)
	s.EndedAt, s.CreatedAt = instant(ended), instant(created)
	return s, err
}

// storeOr is a store's id, or that of the store of everything that names none.
func storeOr(id string) string {
	if id == "" {
		return account.DefaultStore
	}
	return id
}
