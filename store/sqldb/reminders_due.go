package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/commerce/reminder"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
)

// ReminderShows returns the shows for which a reminder is pending and that begin within the window, have begun since its
// start, or were called off since then.
func (db *DB) ReminderShows(ctx context.Context, w reminder.Window) (shows []commerce.Show, err error) {
	now, since := w.Now.UnixMilli(), w.Since.UnixMilli()
	err = db.view(ctx, "sqldb.ReminderShows", func(ctx context.Context, tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT id, room_id, store_id, title, state, scheduled_at, started_at, ended_at, duration FROM shows
			WHERE (state = 'scheduled' AND scheduled_at > $1 AND scheduled_at <= $2 OR started_at >= $3
				OR started_at IS NULL AND ended_at >= $3)
			AND (EXISTS (SELECT 1 FROM reminders WHERE state = 'pending' AND show_id = shows.id)
				OR state <> 'ended' AND EXISTS (SELECT 1 FROM reminders WHERE state = 'pending' AND show_id = '' AND room_id = shows.room_id
					AND reminders.created_at <= COALESCE(shows.started_at, $1)))
			ORDER BY COALESCE(started_at, scheduled_at), id`, now, w.Horizon.UnixMilli(), since)
		shows, err = collect(rows, err, scanShopShow)
		return err
	})
	return shows, err
}

func scanShopShow(row scanner) (s commerce.Show, err error) {
	var scheduled, started, ended sql.NullInt64
	var duration media.Ticks
	err = row.Scan(&s.ID, &s.RoomID, &s.StoreID, &s.Title, &s.State, &scheduled, &started, &ended, &duration)
	s.ScheduledAt, s.StartedAt, s.EndedAt = instant(scheduled), instant(started), instant(ended)
	s.PositionMS = duration.Milliseconds()
	return s, err
}

// TakeNext gives the pending reminders that wait for the next show of a show's room, and were asked for by then, to the show,
// unless another show of the room is scheduled before it. Those whose viewer has one alike of the show are cancelled.
func (db *DB) TakeNext(ctx context.Context, show commerce.Show, asked, at time.Time) error {
	const waiting = "state = 'pending' AND show_id = '' AND room_id = $1 AND created_at <= $2"
	var n int
	err := db.view(ctx, "sqldb.TakeNext", func(ctx context.Context, tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM (SELECT 1 FROM reminders WHERE "+waiting+" LIMIT 1) w",
			show.RoomID, asked.UnixMilli()).Scan(&n)
	})
	if err != nil || n == 0 {
		return err
	}
	return db.update(ctx, "sqldb.TakeNext", func(ctx context.Context, tx *sql.Tx) error {
		var before int
		err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM shows s, shows o WHERE s.id = $1 AND s.state = 'scheduled' AND o.room_id = s.room_id
			AND o.state = 'scheduled' AND o.scheduled_at < s.scheduled_at`, show.ID).Scan(&before)
		if err != nil || before > 0 {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE reminders SET state = 'cancelled', reason = 'there is another one for this show', done_at = $1
			WHERE state = 'pending' AND show_id = '' AND room_id = $2 AND created_at <= $3 AND EXISTS
			(SELECT 1 FROM reminders o WHERE o.show_id = $4 AND o.state <> 'cancelled' AND o.viewer_id = reminders.viewer_id
			AND o.channel = reminders.channel AND o.lead_ms = reminders.lead_ms AND o.target_key = reminders.target_key)`,
			at.UnixMilli(), show.RoomID, asked.UnixMilli(), show.ID)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "UPDATE reminders SET show_id = $1, store_id = $2 WHERE state = 'pending' AND show_id = '' AND room_id = $3 AND created_at <= $4",
			show.ID, show.StoreID, show.RoomID, asked.UnixMilli())
		return err
	})
}

// DropReminders cancels the pending reminders of a show; with requeue those asked for as the next show wait for it again, as
// far as no other one does already.
func (db *DB) DropReminders(ctx context.Context, showID string, requeue bool, reason string, at time.Time) error {
	return db.update(ctx, "sqldb.DropReminders", func(ctx context.Context, tx *sql.Tx) error {
		if requeue {
			_, err := tx.ExecContext(ctx, `UPDATE reminders SET show_id = '' WHERE show_id = $1 AND state = 'pending' AND next = 1 AND NOT EXISTS
				(SELECT 1 FROM reminders o WHERE o.show_id = '' AND o.state = 'pending' AND o.room_id = reminders.room_id
				AND o.viewer_id = reminders.viewer_id AND o.channel = reminders.channel AND o.lead_ms = reminders.lead_ms
				AND o.target_key = reminders.target_key)`, showID)
			if err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, "UPDATE reminders SET state = 'cancelled', reason = $1, done_at = $2 WHERE show_id = $3 AND state = 'pending'",
			reason, at.UnixMilli(), showID)
		return err
	})
}

// DropDoubles cancels pending reminders of a show of at least from before it for which the viewer has one alike of at least from
// and closer to the start: when several are due at once, the viewer is told once.
func (db *DB) DropDoubles(ctx context.Context, showID string, from time.Duration, at time.Time) error {
	const doubles = `created_at <= $1 AND show_id = $2 AND state = 'pending' AND lead_ms > $3 AND EXISTS
		(SELECT 1 FROM reminders o WHERE o.show_id = $2 AND o.viewer_id = reminders.viewer_id AND o.channel = reminders.channel
		AND o.target_key = reminders.target_key AND o.lead_ms >= $3 AND o.lead_ms < reminders.lead_ms AND o.state <> 'cancelled')`
	args := []any{at.UnixMilli(), showID, from.Milliseconds()}
	var n int
	err := db.view(ctx, "sqldb.DropDoubles", func(ctx context.Context, tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM reminders WHERE "+doubles, args...).Scan(&n)
	})
	if err != nil || n == 0 {
		return err
	}
	return db.update(ctx, "sqldb.DropDoubles", func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE reminders SET done_at = $1, state = 'cancelled', reason = 'a later one says the same' WHERE "+doubles, args...)
		return err
	})
}

// DueReminders lists the pending reminders of a show and channel of at least from before it that may be tried at at, oldest
// first.
func (db *DB) DueReminders(
	ctx context.Context, showID string, c reminder.Channel, from time.Duration, at time.Time, limit int,
) (due []reminder.Reminder, err error) {
	err = db.view(ctx, "sqldb.DueReminders", func(ctx context.Context, tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, "SELECT "+reminderColumns+` FROM reminders WHERE show_id = $1 AND channel = $2 AND state = 'pending'
			AND lead_ms >= $3 AND next_try <= $4 ORDER BY created_at, id LIMIT $5`,
			showID, string(c), from.Milliseconds(), at.UnixMilli(), limit)
		due, err = collect(rows, err, scanReminder)
		return err
	})
	return due, err
}

// ClaimReminder makes a pending reminder sending, for one attempt; ok is false when it is not pending.
func (db *DB) ClaimReminder(ctx context.Context, id string, at time.Time) (attempts int, ok bool, err error) {
	err = db.update(ctx, "sqldb.ClaimReminder", func(ctx context.Context, tx *sql.Tx) error {
		err := tx.QueryRowContext(ctx, `UPDATE reminders SET state = 'sending', claimed_at = $1, attempts = attempts + 1
			WHERE id = $2 AND state = 'pending' RETURNING attempts`, at.UnixMilli(), id).Scan(&attempts)
		if ok = err == nil; errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	return attempts, ok && err == nil, err
}

// FinishReminder ends an attempt: the reminder goes over to state, pending to be tried again from nextTry on. One that was
// given up as unknown learns what became of it; any other that is not being sent stays as it is.
func (db *DB) FinishReminder(ctx context.Context, id string, state reminder.State, reason string, at, nextTry time.Time) error {
	done := at
	if state == reminder.Pending {
		done = time.Time{}
	}
	var next int64
	if !nextTry.IsZero() {
		next = nextTry.UnixMilli()
	}
	return db.update(ctx, "sqldb.FinishReminder", func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE reminders SET state = $1, reason = $2, done_at = $3, next_try = $4
			WHERE id = $5 AND state IN ('sending', 'unknown')`, string(state), reason, millis(done), next, id)
		return err
	})
}

// LoseReminders makes those unknown whose attempt began before then and was never finished.
func (db *DB) LoseReminders(ctx context.Context, before, at time.Time) (n int64, err error) {
	err = db.view(ctx, "sqldb.LoseReminders", func(ctx context.Context, tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM reminders WHERE state = 'sending' AND claimed_at <= $1", before.UnixMilli()).Scan(&n)
	})
	if err != nil || n == 0 {
		return 0, err
	}
	err = db.update(ctx, "sqldb.LoseReminders", func(ctx context.Context, tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE reminders SET state = 'unknown', reason = 'the server stopped while it was being sent', done_at = $1
			WHERE state = 'sending' AND claimed_at <= $2`, at.UnixMilli(), before.UnixMilli())
		if err != nil {
			return err
		}
		n, err = res.RowsAffected()
		return err
	})
	return n, err
}

// HandOver makes a pending reminder sent and notes it for the webhooks of its store, both or neither. Conflict: it is not
// pending.
func (db *DB) HandOver(ctx context.Context, id string, event any, at time.Time) error {
	const op = "sqldb.HandOver"
	return db.update(ctx, op, func(ctx context.Context, tx *sql.Tx) error {
		var storeID string
		err := tx.QueryRowContext(ctx, `UPDATE reminders SET state = 'sent', claimed_at = $1, done_at = $1, attempts = attempts + 1
			WHERE id = $2 AND state = 'pending' RETURNING store_id`, at.UnixMilli(), id).Scan(&storeID)
		if errors.Is(err, sql.ErrNoRows) {
			return errs.As(errs.Conflict, op, err, "the reminder %s is not pending any more", id)
		}
		if err != nil {
			return err
		}
		return addOutbox(ctx, tx, storeID, reminder.EventType, at, event)
	})
}
