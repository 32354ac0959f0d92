package sqldb

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/vitrine-live/vitrine/commerce/reminder"
	"github.com/vitrine-live/vitrine/internal/errs"
)

const reminderColumns = `id, store_id, room_id, show_id, next, viewer_id, channel, target, lead_ms, state, reason, attempts, created_at,
	next_try, claimed_at, done_at`

// AddReminder stores a reminder, or returns the one like it that is not cancelled. Exhausted: the viewer has most pending ones
// already; requests at the same instant may go beyond it by a few.
func (db *DB) AddReminder(ctx context.Context, r reminder.Reminder, most int) (kept reminder.Reminder, fresh bool, err error) {
	const op = "sqldb.AddReminder"
	err = db.update(ctx, op, func(ctx context.Context, tx *sql.Tx) error {
		kept, err = reminderLike(ctx, tx, r)
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		var pending int
		err := tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM reminders WHERE viewer_id = $1 AND state = 'pending'", r.ViewerID).Scan(&pending)
		if err != nil {
			return err
		}
		if pending >= most {
			return errs.New(errs.Exhausted, op, "you have %d reminders already: cancel one, or wait until some were sent", pending)
		}
		if fresh, err = insertReminder(ctx, tx, r); fresh || err != nil {
			kept = r
			return err
		}
		kept, err = reminderLike(ctx, tx, r)
		return err
	})
	return kept, fresh, err
}

func reminderLike(ctx context.Context, tx *sql.Tx, r reminder.Reminder) (reminder.Reminder, error) {
	return scanReminder(tx.QueryRowContext(ctx, "SELECT "+reminderColumns+` FROM reminders WHERE viewer_id = $1 AND room_id = $2
		AND show_id = $3 AND channel = $4 AND lead_ms = $5 AND target_key = $6 AND state <> 'cancelled'`,
		r.ViewerID, r.RoomID, r.ShowID, string(r.Channel), r.Before.Milliseconds(), r.Target.Key()))
}

func insertReminder(ctx context.Context, tx *sql.Tx, r reminder.Reminder) (fresh bool, err error) {
	target, err := json.Marshal(r.Target)
	if err != nil {
		return false, err
	}
	err = exactlyOne(tx.ExecContext(ctx, "INSERT INTO reminders ("+reminderColumns+`, target_key)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 0, NULL, NULL, $14) ON CONFLICT DO NOTHING`,
		r.ID, r.StoreID, r.RoomID, r.ShowID, flag(r.Next), r.ViewerID, string(r.Channel), string(target), r.Before.Milliseconds(),
		string(r.State), r.Reason, r.Attempts, millis(r.CreatedAt), r.Target.Key()))
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// Reminders lists a viewer's newest first, those before a position; from the newest when it is zero.
func (db *DB) Reminders(ctx context.Context, viewerID string, before reminder.Position, limit int) (list []reminder.Reminder, err error) {
	err = db.view(ctx, "sqldb.Reminders", func(ctx context.Context, tx *sql.Tx) error {
		const order = " ORDER BY created_at DESC, id DESC LIMIT "
		var rows *sql.Rows
		var err error
		if before.ID == "" {
			rows, err = tx.QueryContext(ctx, "SELECT "+reminderColumns+" FROM reminders WHERE viewer_id = $1"+order+"$2", viewerID, limit)
		} else {
			rows, err = tx.QueryContext(ctx, "SELECT "+reminderColumns+` FROM reminders WHERE viewer_id = $1
				AND (created_at, id) < ($2, $3)`+order+"$4", viewerID, before.CreatedAt.UnixMilli(), before.ID, limit)
		}
		list, err = collect(rows, err, scanReminder)
		return err
	})
	return list, err
}

// CancelReminder cancels a pending reminder of a viewer. A cancelled one stays so. NotFound; Conflict: it is not pending any
// more.
func (db *DB) CancelReminder(ctx context.Context, viewerID, id string, at time.Time) error {
	const op = "sqldb.CancelReminder"
	return db.update(ctx, op, func(ctx context.Context, tx *sql.Tx) error {
		err := exactlyOne(tx.ExecContext(ctx, `UPDATE reminders SET state = 'cancelled', reason = '', done_at = $1
			WHERE id = $2 AND viewer_id = $3 AND state = 'pending'`, at.UnixMilli(), id, viewerID))
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		var state string
		err = tx.QueryRowContext(ctx, "SELECT state FROM reminders WHERE id = $1 AND viewer_id = $2", id, viewerID).Scan(&state)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return errs.As(errs.NotFound, op, err, "you have no reminder %s", id)
		case err == nil && state != string(reminder.Cancelled):
			return errs.New(errs.Conflict, op, "the reminder is on its way already, or was sent")
		}
		return err
	})
}

// ReminderCounts says how many reminders of a show stand where. It is empty for an unknown show.
func (db *DB) ReminderCounts(ctx context.Context, showID string) (counts []reminder.Count, err error) {
	err = db.view(ctx, "sqldb.ReminderCounts", func(ctx context.Context, tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT channel, state, COUNT(*) FROM reminders WHERE show_id = $1
			GROUP BY channel, state ORDER BY channel, state`, showID)
		counts, err = collect(rows, err, func(row scanner) (c reminder.Count, err error) {
			err = row.Scan(&c.Channel, &c.State, &c.N)
			return c, err
		})
		return err
	})
	return counts, err
}

// HasReminder reports whether a viewer asked to be reminded of a show and did not take it back, or has one pending of any
// show of its room.
func (db *DB) HasReminder(ctx context.Context, viewerID, showID string) (has bool, err error) {
	err = db.view(ctx, "sqldb.HasReminder", func(ctx context.Context, tx *sql.Tx) error {
		var n int
		err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM reminders WHERE viewer_id = $1 AND state <> 'cancelled'
			AND (show_id = $2 OR state = 'pending' AND room_id = (SELECT room_id FROM shows WHERE id = $2))`, viewerID, showID).Scan(&n)
		has = n > 0
		return err
	})
	return has, err
}

// ReminderRoom returns the store of a room, or NotFound.
func (db *DB) ReminderRoom(ctx context.Context, roomID string) (storeID string, err error) {
	const op = "sqldb.ReminderRoom"
	err = db.view(ctx, op, func(ctx context.Context, tx *sql.Tx) error {
		err := tx.QueryRowContext(ctx, "SELECT store_id FROM rooms WHERE id = $1", roomID).Scan(&storeID)
		if errors.Is(err, sql.ErrNoRows) {
			return errs.As(errs.NotFound, op, err, "there is no room %s", roomID)
		}
		return err
	})
	return storeID, err
}

func scanReminder(row scanner) (r reminder.Reminder, err error) {
	var target string
	var lead, next, nextTry int64
	var created, claimed, done sql.NullInt64
	err = row.Scan(&r.ID, &r.StoreID, &r.RoomID, &r.ShowID, &next, &r.ViewerID, &r.Channel, &target, &lead, &r.State, &r.Reason,
		&r.Attempts, &created, &nextTry, &claimed, &done)
	if err != nil {
		return r, err
	}
	r.Next, r.Before = next != 0, time.Duration(lead)*time.Millisecond
	r.CreatedAt, r.ClaimedAt, r.DoneAt = instant(created), instant(claimed), instant(done)
	if nextTry != 0 {
		r.NextTry = time.UnixMilli(nextTry).UTC()
	}
	return r, json.Unmarshal([]byte(target), &r.Target)
}
