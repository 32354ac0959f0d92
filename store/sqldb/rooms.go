package sqldb

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/live"
)

const roomColumns = "id, title, key_hash, capture_delay_ms, ladder, source_url, store_id, created_at"

// CreateRoom stores a new room. Conflict: the ID or the stream key is taken.
func (db *DB) CreateRoom(ctx context.Context, r live.Room) error {
	return db.update(ctx, "sqldb.CreateRoom", func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO rooms ("+roomColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
			r.ID, r.Title, r.KeyHash, r.CaptureDelay.Milliseconds(), textList(r.Ladder), r.SourceURL, storeOr(r.StoreID), millis(r.CreatedAt))
		return err
	})
}

// Room returns a room, or NotFound.
func (db *DB) Room(ctx context.Context, id string) (live.Room, error) {
	return db.room(ctx, "sqldb.Room", "id", id)
}

// RoomByKeyHash returns the room whose stream key has this hash, or NotFound.
func (db *DB) RoomByKeyHash(ctx context.Context, hash string) (live.Room, error) {
	return db.room(ctx, "sqldb.RoomByKeyHash", "key_hash", hash)
}

func (db *DB) room(ctx context.Context, op, column, value string) (live.Room, error) {
	r, err := scanRoom(db.read.QueryRowContext(ctx, "SELECT "+roomColumns+" FROM rooms WHERE "+column+" = $1", value))
	if errors.Is(err, sql.ErrNoRows) {
		return live.Room{}, errs.As(errs.NotFound, op, err, "there is no such room")
	}
	return r, db.fail(op, err)
}

// Rooms lists rooms, oldest first, those created after the room named by after; all from the first when it is empty.
// Invalid names "after" when that room is gone.
func (db *DB) Rooms(ctx context.Context, after string, limit int) ([]live.Room, error) {
	const op = "sqldb.Rooms"
	var rooms []live.Room
	err := db.view(ctx, op, func(ctx context.Context, tx *sql.Tx) (err error) {
		created := int64(0)
		if after != "" {
			err := tx.QueryRowContext(ctx, "SELECT created_at FROM rooms WHERE id = $1", after).Scan(&created)
			if errors.Is(err, sql.ErrNoRows) {
				return errs.Field(op, "after", "there is no room %s to go on after", after)
			} else if err != nil {
				return err
			}
		}
		rows, err := tx.QueryContext(ctx, "SELECT "+roomColumns+` FROM rooms WHERE (created_at, id) > ($1, $2)
			ORDER BY created_at, id LIMIT $3`, created, after, limit)
		rooms, err = collect(rows, err, scanRoom)
		return err
	})
	return rooms, err
}

// RoomsOfStore lists the rooms of a store, oldest first, those created after the room named by after; all from the first
// when it is empty. It is empty after a room that is not the store's, and for an unknown store.
func (db *DB) RoomsOfStore(ctx context.Context, storeID, after string, limit int) ([]live.Room, error) {
	rows, err := db.read.QueryContext(ctx, "SELECT "+roomColumns+` FROM rooms WHERE store_id = $1 AND ($2 = ''
		OR (created_at, id) > (SELECT created_at, id FROM rooms WHERE id = $2 AND store_id = $1))
		ORDER BY created_at, id LIMIT $3`, storeID, after, limit)
	rooms, err := collect(rows, err, scanRoom)
	return rooms, db.fail("sqldb.RoomsOfStore", err)
}

// UpdateRoom changes a room and returns it as it is now. NotFound; Conflict: the stream key is taken.
func (db *DB) UpdateRoom(ctx context.Context, id string, u live.RoomUpdate) (live.Room, error) {
	var room live.Room
	err := db.update(ctx, "sqldb.UpdateRoom", func(ctx context.Context, tx *sql.Tx) (err error) {
		var delay *int64
		if u.CaptureDelay != nil {
			ms := u.CaptureDelay.Milliseconds()
			delay = &ms
		}
		var ladder *string
		if u.Ladder != nil {
			list := textList(*u.Ladder)
			ladder = &list
		}
		room, err = scanRoom(tx.QueryRowContext(ctx, `UPDATE rooms SET title = COALESCE($1, title),
			key_hash = COALESCE($2, key_hash), capture_delay_ms = COALESCE($3, capture_delay_ms), ladder = COALESCE($4, ladder),
			source_url = COALESCE($5, source_url), store_id = COALESCE($6, store_id)
			WHERE id = $7 RETURNING `+roomColumns, u.Title, u.KeyHash, delay, ladder, u.SourceURL, u.StoreID, id))
		return err
	})
	return room, err
}

// DeleteRoom removes a room with its bag and its stream key. Its ended shows and their timelines stay. NotFound;
// Conflict: a show is on air or may be again.
func (db *DB) DeleteRoom(ctx context.Context, id string) error {
	const op = "sqldb.DeleteRoom"
	return db.update(ctx, op, func(ctx context.Context, tx *sql.Tx) error {
		if err := db.lockRow(ctx, tx, "rooms", id); err != nil {
			return noRoom(op, id, err)
		}
		var onAir int
		err := tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM shows WHERE room_id = $1 AND state IN ('live', 'interrupted')",
			id).Scan(&onAir)
		if err != nil {
			return err
		}
		if onAir > 0 {
			return errs.New(errs.Conflict, op, "the room is on air: end its show first")
		}
		return exactlyOne(tx.ExecContext(ctx, "DELETE FROM rooms WHERE id = $1", id))
	})
}

// RoomsWithSource lists the rooms whose picture is pulled from somewhere, oldest first.
func (db *DB) RoomsWithSource(ctx context.Context) ([]live.Room, error) {
	const op = "sqldb.RoomsWithSource"
	rows, err := db.read.QueryContext(ctx, "SELECT "+roomColumns+" FROM rooms WHERE source_url <> '' ORDER BY created_at, id")
	rooms, err := collect(rows, err, scanRoom)
	return rooms, db.fail(op, err)
}

func scanRoom(row scanner) (r live.Room, err error) {
	var delay int64
	var ladder string
	var created sql.NullInt64
	if err = row.Scan(&r.ID, &r.Title, &r.KeyHash, &delay, &ladder, &r.SourceURL, &r.StoreID, &created); err != nil {
		return r, err
	}
	r.CaptureDelay = time.Duration(delay) * time.Millisecond
	r.CreatedAt = instant(created)
	return r, json.Unmarshal([]byte(ladder), &r.Ladder)
}

// textList is a list of words as the database keeps it. None and an empty list are the same.
func textList(words []string) string {
	if len(words) == 0 {
		return "null"
	}
	b, _ := json.Marshal(words) // strings always marshal
	return string(b)
}
