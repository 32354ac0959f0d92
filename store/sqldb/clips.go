package sqldb

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/replay/clip"
)

const clipColumns = `id, show_id, store_id, batch_id, place, request, kind, title, from_time, to_time, source, source_ref, style, state, progress,
	error, attempts, bytes, result_from, result_to, encoded, lead, created_by, created_at, started_at, done_at, next_at, owner, lease_until, turn`

// CreateClips stores clips of one show and returns them as they are stored; of those with a Request that is known the first
// one stands. Exhausted: more than most clips of the store would wait; then nothing is stored.
func (db *DB) CreateClips(ctx context.Context, clips []clip.Clip, most int) (stored []clip.Clip, err error) {
	const op = "sqldb.CreateClips"
	err = db.update(ctx, op, func(ctx context.Context, tx *sql.Tx) error {
		stored = make([]clip.Clip, 0, len(clips))
		queued := ""
		for i := range clips {
			c := &clips[i]
			fresh, err := addClip(ctx, tx, c)
			if err != nil {
				return err
			}
			if fresh && c.State == clip.Queued {
				queued = c.StoreID
			}
			now, err := clipThat(ctx, tx, c)
			if err != nil {
				return err
			}
			stored = append(stored, now)
		}
		return clipsWaiting(ctx, tx, op, queued, most)
	})
	return stored, err
}

func addClip(ctx context.Context, tx *sql.Tx, c *clip.Clip) (fresh bool, err error) {
	res, err := tx.ExecContext(ctx, "INSERT INTO clips ("+clipColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30)
		ON CONFLICT (request) WHERE request <> '' DO NOTHING`,
		c.ID, c.ShowID, c.StoreID, c.BatchID, c.Place, c.Request, string(c.Kind), c.Title, int64(c.Span.From), int64(c.Span.To), string(c.Source),
		c.Ref, string(c.Style), string(c.State), millionths(c.Progress), c.Error, c.Attempts, c.Bytes, int64(c.Result.From), int64(c.Result.To),
		int64(c.Encoded), int64(c.Lead), c.CreatedBy, millis(c.CreatedAt), millis(c.StartedAt), millis(c.DoneAt), zeroMillis(c.NextAt), c.Owner,
		zeroMillis(c.Lease), c.Turn)
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

// clipThat is the clip that stands for the one given.
func clipThat(ctx context.Context, tx *sql.Tx, c *clip.Clip) (clip.Clip, error) {
	where, arg := "id = $1", c.ID
	if c.Request != "" {
		where, arg = "request = $1", c.Request
	}
	return scanClip(tx.QueryRowContext(ctx, "SELECT "+clipColumns+" FROM clips WHERE "+where, arg))
}

// clipsWaiting refuses when too many clips of a store wait; "" for the store: nothing was added.
func clipsWaiting(ctx context.Context, tx *sql.Tx, op, storeID string, most int) error {
	if storeID == "" {
		return nil
	}
	var n int
	err := tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM clips WHERE store_id = $1 AND state = 'queued'", storeID).Scan(&n)
	if err == nil && n > most {
		return errs.New(errs.Exhausted, op, "too many clips of this store would wait (%d, at most %d may): wait until some are made, or cancel some", n, most)
	}
	return err
}

// Clip returns a clip, or NotFound.
func (db *DB) Clip(ctx context.Context, id string) (clip.Clip, error) {
	c, err := scanClip(db.read.QueryRowContext(ctx, "SELECT "+clipColumns+" FROM clips WHERE id = $1", id))
	return c, db.fail("sqldb.Clip", noClip(id, err))
}

// Clips lists clips of a show, newest first; those of a batch in their order.
func (db *DB) Clips(ctx context.Context, f clip.Filter) ([]clip.Clip, error) {
	where, args := "show_id = $1", []any{f.ShowID}
	if f.BatchID != "" {
		args = append(args, f.BatchID)
		where += " AND batch_id = " + placeholder(len(args))
	}
	if f.Before != "" {
		args = append(args, f.Before)
		where += " AND (created_at, place, id) < (SELECT created_at, place, id FROM clips WHERE id = " + placeholder(len(args)) + ")"
	}
	args = append(args, f.Limit)
	rows, err := db.read.QueryContext(ctx, "SELECT "+clipColumns+" FROM clips WHERE "+where+ //nolint:gosec // constants and placeholders
		" ORDER BY created_at DESC, place DESC, id DESC LIMIT "+placeholder(len(args)), args...)
	clips, err := collect(rows, err, scanClip)
	return clips, db.fail("sqldb.Clips", err)
}

// OpenClips lists the clips of a show that wait or are being made, and those that came to an end at or after since, oldest
// first.
func (db *DB) OpenClips(ctx context.Context, showID string, since time.Time, limit int) ([]clip.Clip, error) {
	rows, err := db.read.QueryContext(ctx, "SELECT "+clipColumns+` FROM clips
		WHERE show_id = $1 AND (state IN ('queued', 'running') OR done_at >= $2) ORDER BY created_at, place DESC, id LIMIT $3`,
		showID, since.UnixMilli(), limit)
	clips, err := collect(rows, err, scanClip)
	return clips, db.fail("sqldb.OpenClips", err)
}

// ClaimClip takes the next clip that may be made, for one attempt: of the store with the fewest in the making, then of the one
// served longest ago, its oldest. ok is false when there is none.
func (db *DB) ClaimClip(ctx context.Context, c clip.Claim) (taken clip.Clip, ok bool, err error) {
	const op = "sqldb.ClaimClip"
	var open int
	// Mostly nothing waits: that is found out without a write.
	err = db.read.QueryRowContext(ctx, "SELECT COUNT(*) FROM (SELECT 1 FROM clips WHERE state IN ('queued', 'running') LIMIT 1) AS any_open").Scan(&open)
	if err != nil || open == 0 {
		return taken, false, db.fail(op, err)
	}
	err = db.update(ctx, op, func(ctx context.Context, tx *sql.Tx) error {
		ok = false
		_, err := tx.ExecContext(ctx, `UPDATE clips SET state = 'failed', error = $1, done_at = $2, owner = ''
			WHERE state = 'running' AND lease_until <= $2 AND attempts >= $3`, c.Reason, c.At.UnixMilli(), c.Crashes)
		for err == nil && !ok {
			var storeID string
			if storeID, err = clipStore(ctx, tx, &c); err != nil || storeID == "" {
				return err
			}
			taken, ok, err = takeClip(ctx, tx, &c, storeID)
		}
		return err
	})
	return taken, ok && err == nil, err
}

// clipStore is the store whose turn it is, "" when none has anything to be made.
func clipStore(ctx context.Context, tx *sql.Tx, c *clip.Claim) (storeID string, err error) {
	args := append([]any{c.At.UnixMilli()}, kindArgs(c.Kinds)...)
	err = tx.QueryRowContext(ctx, `SELECT o.store_id FROM (SELECT store_id,
			SUM(CASE WHEN state = 'running' AND lease_until > $1 THEN 1 ELSE 0 END) AS busy,
			SUM(CASE WHEN (state = 'queued' AND next_at <= $1 OR state = 'running' AND lease_until <= $1)
				AND kind IN (`+placeholders(2, len(c.Kinds))+`) THEN 1 ELSE 0 END) AS ready
			FROM clips WHERE state IN ('queued', 'running') GROUP BY store_id) AS o
		WHERE o.ready > 0
		ORDER BY o.busy, COALESCE((SELECT MAX(s.started_at) FROM clips s WHERE s.store_id = o.store_id), 0), o.store_id LIMIT 1`, args...).Scan(&storeID)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return storeID, err
}

// takeClip takes the oldest clip of a store that may be made; ok is false when another server took it meanwhile.
func takeClip(ctx context.Context, tx *sql.Tx, c *clip.Claim, storeID string) (taken clip.Clip, ok bool, err error) {
	args := append([]any{c.Owner, c.Lease.UnixMilli(), c.At.UnixMilli(), storeID}, kindArgs(c.Kinds)...)
	const free = "(state = 'queued' AND next_at <= $3 OR state = 'running' AND lease_until <= $3)"
	taken, err = scanClip(tx.QueryRowContext(ctx, `UPDATE clips SET state = 'running', owner = $1, lease_until = $2, started_at = $3,
			attempts = attempts + 1, turn = turn + 1, progress = 0, error = ''
		WHERE id = (SELECT id FROM clips WHERE store_id = $4 AND kind IN (`+placeholders(5, len(c.Kinds))+`) AND `+free+`
			ORDER BY created_at, place DESC, id LIMIT 1) AND `+free+" RETURNING "+clipColumns, args...))
	if errors.Is(err, sql.ErrNoRows) {
		return taken, false, nil
	}
	return taken, err == nil, err
}

func kindArgs(kinds []clip.Kind) (args []any) {
	for _, k := range kinds {
		args = append(args, string(k))
	}
	return args
}

// KeepClip notes the progress of an attempt and extends its lease; ok is false when it is no longer wanted.
func (db *DB) KeepClip(ctx context.Context, id string, turn int, progress float64, lease time.Time) (ok bool, err error) {
	err = db.update(ctx, "sqldb.KeepClip", func(ctx context.Context, tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, "UPDATE clips SET progress = $1, lease_until = $2 WHERE id = $3 AND turn = $4 AND state = 'running'",
			millionths(progress), lease.UnixMilli(), id, turn)
		ok, err = oneChanged(res, err)
		return err
	})
	return ok, err
}

// FinishClip notes what came of an attempt; ok is false when it was no longer wanted.
func (db *DB) FinishClip(ctx context.Context, r clip.Report) (ok bool, err error) {
	err = db.update(ctx, "sqldb.FinishClip", func(ctx context.Context, tx *sql.Tx) error {
		done, progress, attempts := r.At, int64(0), 0
		switch r.State {
		case clip.Queued:
			done = time.Time{}
		case clip.Done:
			progress = millionths(1)
		}
		if r.Uncounted {
			attempts = 1
		}
		res, err := tx.ExecContext(ctx, `UPDATE clips SET state = $1, progress = $2, error = $3, attempts = attempts - $4, bytes = $5, result_from = $6,
			result_to = $7, encoded = $8, lead = $9, done_at = $10, next_at = $11, owner = '', lease_until = 0 WHERE id = $12 AND turn = $13 AND state = 'running'`,
			string(r.State), progress, r.Error, attempts, r.Bytes, int64(r.Result.From), int64(r.Result.To), int64(r.Encoded), int64(r.Lead), millis(done),
			zeroMillis(r.NextAt), r.ID, r.Turn)
		ok, err = oneChanged(res, err)
		return err
	})
	return ok, err
}

func oneChanged(res sql.Result, err error) (bool, error) {
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

// CancelClip cancels a clip that waits or is being made. Conflict: it is neither. NotFound.
func (db *DB) CancelClip(ctx context.Context, id string, at time.Time) (c clip.Clip, err error) {
	const op = "sqldb.CancelClip"
	err = db.update(ctx, op, func(ctx context.Context, tx *sql.Tx) error {
		c, err = scanClip(tx.QueryRowContext(ctx, `UPDATE clips SET state = 'cancelled', done_at = $1, owner = '', lease_until = 0
			WHERE id = $2 AND state IN ('queued', 'running') RETURNING `+clipColumns, at.UnixMilli(), id))
		return whyNoClip(ctx, tx, op, id, err, "only what waits or is being made can be cancelled")
	})
	return c, err
}

// RetryClip queues a clip that failed or was cancelled once more. Conflict: it did not; Exhausted: too many wait. NotFound.
func (db *DB) RetryClip(ctx context.Context, id string, at time.Time, most int) (c clip.Clip, err error) {
	const op = "sqldb.RetryClip"
	err = db.update(ctx, op, func(ctx context.Context, tx *sql.Tx) error {
		c, err = scanClip(tx.QueryRowContext(ctx, `UPDATE clips SET state = 'queued', attempts = 0, progress = 0, error = '', done_at = NULL, next_at = $1
			WHERE id = $2 AND state IN ('failed', 'cancelled') RETURNING `+clipColumns, at.UnixMilli(), id))
		if err != nil {
			return whyNoClip(ctx, tx, op, id, err, "only what failed or was cancelled can be tried again")
		}
		return clipsWaiting(ctx, tx, op, c.StoreID, most)
	})
	return c, err
}

// whyNoClip tells a clip that is in another state from one that is not there.
func whyNoClip(ctx context.Context, tx *sql.Tx, op, id string, err error, rule string) error {
	if !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	var state string
	if err := tx.QueryRowContext(ctx, "SELECT state FROM clips WHERE id = $1", id).Scan(&state); err != nil {
		return noClip(id, err)
	}
	return errs.New(errs.Conflict, op, "the clip is %s: %s", state, rule)
}

// DeleteClip removes a clip. NotFound.
func (db *DB) DeleteClip(ctx context.Context, id string) error {
	return db.update(ctx, "sqldb.DeleteClip", func(ctx context.Context, tx *sql.Tx) error {
		return noClip(id, exactlyOne(tx.ExecContext(ctx, "DELETE FROM clips WHERE id = $1", id)))
	})
}

// ReleaseClips frees what an owner was at work on.
func (db *DB) ReleaseClips(ctx context.Context, owner string) error {
	return db.update(ctx, "sqldb.ReleaseClips", func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE clips SET lease_until = 0 WHERE owner = $1 AND state = 'running'", owner)
		return err
	})
}

func noClip(id string, err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return errs.As(errs.NotFound, "sqldb.Clip", err, "there is no clip %s", id)
	}
	return err
}

func scanClip(row scanner) (c clip.Clip, err error) {
	var created, started, done sql.NullInt64
	var next, lease, progress int64
	var style string
	err = row.Scan(&c.ID, &c.ShowID, &c.StoreID, &c.BatchID, &c.Place, &c.Request, &c.Kind, &c.Title, &c.Span.From, &c.Span.To, &c.Source, &c.Ref,
		&style, &c.State, &progress, &c.Error, &c.Attempts, &c.Bytes, &c.Result.From, &c.Result.To, &c.Encoded, &c.Lead, &c.CreatedBy, &created, &started,
		&done, &next, &c.Owner, &lease, &c.Turn)
	if style != "" {
		c.Style = json.RawMessage(style)
	}
	c.Progress = float64(progress) / 1e6
	c.CreatedAt, c.StartedAt, c.DoneAt = instant(created), instant(started), instant(done)
	c.NextAt, c.Lease = instant(sql.NullInt64{Int64: next, Valid: next != 0}), instant(sql.NullInt64{Int64: lease, Valid: lease != 0})
	return c, err
}

// millionths keeps a share as a whole number.
func millionths(share float64) int64 { return int64(min(max(share, 0), 1)*1e6 + 0.5) }

// zeroMillis stores an instant; the zero time is 0.
func zeroMillis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

var _ clip.Store = (*DB)(nil)
