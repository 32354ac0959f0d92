package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/overlay/audience"
)

const (
	commentColumns = "id, show_id, store_id, viewer_id, name, body, state, reason, show_time_ms, created_at, moderated_by, moderated_at"
	muteColumns    = "id, show_id, viewer_id, name, muted_by, created_at"
)

// AddComment stores a new comment. Conflict: the ID is taken.
func (db *DB) AddComment(ctx context.Context, c audience.Comment) error {
	return db.update(ctx, "sqldb.AddComment", func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO comments ("+commentColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
			c.ID, c.ShowID, c.StoreID, c.ViewerID, c.Name, c.Text, string(c.State), c.Reason, c.ShowTimeMS, millis(c.CreatedAt), c.ModeratedBy, millis(c.ModeratedAt))
		return err
	})
}

// Comment returns a comment of a show, or NotFound.
func (db *DB) Comment(ctx context.Context, showID, id string) (audience.Comment, error) {
	const op = "sqldb.Comment"
	c, err := scanComment(db.read.QueryRowContext(ctx, "SELECT "+commentColumns+" FROM comments WHERE id = $1 AND show_id = $2", id, showID))
	return c, db.fail(op, noComment(op, id, err))
}

// Comments lists at most limit comments of a show, newest first, those made before the one named by beforeID; from the newest
// when it is empty. state "" stands for all.
func (db *DB) Comments(ctx context.Context, showID string, state audience.State, beforeID string, limit int) ([]audience.Comment, error) {
	rows, err := db.read.QueryContext(ctx, "SELECT "+commentColumns+` FROM comments
		WHERE show_id = $1 AND (CAST($2 AS TEXT) = '' OR state = $2)
		AND (CAST($3 AS TEXT) = '' OR (created_at, id) < (SELECT created_at, id FROM comments WHERE id = $3))
		ORDER BY created_at DESC, id DESC LIMIT $4`, showID, string(state), beforeID, limit)
	all, err := collect(rows, err, scanComment)
	return all, db.fail("sqldb.Comments", err)
}

// ModerateComment changes the state of a comment of a show. NotFound; Conflict: it is not in the state from.
func (db *DB) ModerateComment(ctx context.Context, showID, id string, from, to audience.State, by string, at time.Time) (audience.Comment, error) {
	const op = "sqldb.ModerateComment"
	var c audience.Comment
	err := db.update(ctx, op, func(ctx context.Context, tx *sql.Tx) (err error) {
		c, err = scanComment(tx.QueryRowContext(ctx, `UPDATE comments SET state = $1, moderated_by = $2, moderated_at = $3
			WHERE id = $4 AND show_id = $5 AND state = $6 RETURNING `+commentColumns, string(to), by, at.UnixMilli(), id, showID, string(from)))
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		var state string
		if err := tx.QueryRowContext(ctx, "SELECT state FROM comments WHERE id = $1 AND show_id = $2", id, showID).Scan(&state); err != nil {
			return noComment(op, id, err)
		}
		return errs.As(errs.Conflict, op, sql.ErrNoRows, "the comment is %s", state)
	})
	return c, err
}

// ViewerComments returns the texts of at most limit of a viewer's newest comments in a show that are shown, made at since or
// later.
func (db *DB) ViewerComments(ctx context.Context, showID, viewerID string, since time.Time, limit int) ([]string, error) {
	rows, err := db.read.QueryContext(ctx, `SELECT body FROM comments WHERE show_id = $1 AND viewer_id = $2 AND created_at >= $3
		AND state = 'shown' ORDER BY created_at DESC, id DESC LIMIT $4`, showID, viewerID, since.UnixMilli(), limit)
	all, err := collect(rows, err, func(row scanner) (text string, err error) {
		err = row.Scan(&text)
		return text, err
	})
	return all, db.fail("sqldb.ViewerComments", err)
}

// AddMute mutes a viewer of a show, or everybody, and returns the mute that holds: the one that was there, if there was.
func (db *DB) AddMute(ctx context.Context, m audience.Mute) (audience.Mute, error) {
	err := db.update(ctx, "sqldb.AddMute", func(ctx context.Context, tx *sql.Tx) (err error) {
		_, err = tx.ExecContext(ctx, "INSERT INTO mutes ("+muteColumns+") VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (show_id, viewer_id) DO NOTHING",
			m.ID, m.ShowID, m.ViewerID, m.Name, m.By, m.CreatedAt.UnixMilli())
		if err != nil {
			return err
		}
		m, err = scanMute(tx.QueryRowContext(ctx, "SELECT "+muteColumns+" FROM mutes WHERE show_id = $1 AND viewer_id = $2", m.ShowID, m.ViewerID))
		return err
	})
	return m, err
}

// DeleteMute ends a mute of a show. NotFound.
func (db *DB) DeleteMute(ctx context.Context, showID, id string) error {
	const op = "sqldb.DeleteMute"
	return db.update(ctx, op, func(ctx context.Context, tx *sql.Tx) error {
		err := exactlyOne(tx.ExecContext(ctx, "DELETE FROM mutes WHERE id = $1 AND show_id = $2", id, showID))
		if errors.Is(err, sql.ErrNoRows) {
			return errs.As(errs.NotFound, op, err, "nobody is muted by %s in this show", id)
		}
		return err
	})
}

// Mutes lists who is muted in a show, in the order in which they were.
func (db *DB) Mutes(ctx context.Context, showID string) ([]audience.Mute, error) {
	rows, err := db.read.QueryContext(ctx, "SELECT "+muteColumns+" FROM mutes WHERE show_id = $1 ORDER BY created_at, id", showID)
	all, err := collect(rows, err, scanMute)
	return all, db.fail("sqldb.Mutes", err)
}

// MutesOf lists the mutes of a show that hold for a viewer.
func (db *DB) MutesOf(ctx context.Context, showID, viewerID string) ([]audience.Mute, error) {
	rows, err := db.read.QueryContext(ctx, "SELECT "+muteColumns+" FROM mutes WHERE show_id = $1 AND viewer_id IN ('', $2)", showID, viewerID)
	all, err := collect(rows, err, scanMute)
	return all, db.fail("sqldb.MutesOf", err)
}

func noComment(op, id string, err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return errs.As(errs.NotFound, op, err, "there is no comment %s in this show", id)
	}
	return err
}

func scanComment(row scanner) (c audience.Comment, err error) {
	var created, moderated sql.NullInt64
	err = row.Scan(&c.ID, &c.ShowID, &c.StoreID, &c.ViewerID, &c.Name, &c.Text, &c.State, &c.Reason, &c.ShowTimeMS, &created, &c.ModeratedBy, &moderated)
	c.CreatedAt, c.ModeratedAt = instant(created), instant(moderated)
	return c, err
}

func scanMute(row scanner) (m audience.Mute, err error) {
	var created sql.NullInt64
	err = row.Scan(&m.ID, &m.ShowID, &m.ViewerID, &m.Name, &m.By, &created)
	m.CreatedAt = instant(created)
	return m, err
}
