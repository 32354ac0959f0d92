package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/internal/errs"
)

const sessionColumns = "id, staff_id, remote, agent, created_at, used_at, expires_at"

// CreateSession stores a new session under the hash of its token, and removes those of the same person that have ended.
// NotFound: no such person.
func (db *DB) CreateSession(ctx context.Context, s account.Session, hash string) error {
	return db.update(ctx, "sqldb.CreateSession", func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM staff_sessions WHERE staff_id = $1 AND expires_at <= $2", s.StaffID, millis(s.CreatedAt))
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "INSERT INTO staff_sessions ("+sessionColumns+", hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
			s.ID, s.StaffID, s.Remote, s.Agent, millis(s.CreatedAt), millis(s.UsedAt), millis(s.ExpiresAt), hash)
		return err
	})
}

// SessionByHash returns the session of a token that has not ended at an instant, or NotFound.
func (db *DB) SessionByHash(ctx context.Context, hash string, at time.Time) (account.Session, error) {
	const op = "sqldb.SessionByHash"
	s, err := scanSession(db.read.QueryRowContext(ctx, "SELECT "+sessionColumns+" FROM staff_sessions WHERE hash = $1 AND expires_at > $2",
		hash, at.UnixMilli()))
	return s, db.fail(op, noSession(op, err))
}

// TouchSession notes that a session was used and until when it lasts now. One that is gone stays gone.
func (db *DB) TouchSession(ctx context.Context, id string, used, until time.Time) error {
	return db.update(ctx, "sqldb.TouchSession", func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE staff_sessions SET used_at = $1, expires_at = $2 WHERE id = $3", millis(used), millis(until), id)
		return err
	})
}

// Sessions lists the sessions of a person that have not ended at an instant, the newest first.
func (db *DB) Sessions(ctx context.Context, staffID string, at time.Time) ([]account.Session, error) {
	rows, err := db.read.QueryContext(ctx, "SELECT "+sessionColumns+` FROM staff_sessions WHERE staff_id = $1 AND expires_at > $2
		ORDER BY created_at DESC, id DESC`, staffID, at.UnixMilli())
	ss, err := collect(rows, err, scanSession)
	return ss, db.fail("sqldb.Sessions", err)
}

// EndSession removes a session of a person. NotFound.
func (db *DB) EndSession(ctx context.Context, staffID, id string) error {
	const op = "sqldb.EndSession"
	return db.update(ctx, op, func(ctx context.Context, tx *sql.Tx) error {
		return noSession(op, exactlyOne(tx.ExecContext(ctx, "DELETE FROM staff_sessions WHERE id = $1 AND staff_id = $2", id, staffID)))
	})
}

func noSession(op string, err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return errs.As(errs.NotFound, op, err, "there is no such session")
	}
	return err
}

func scanSession(row scanner) (s account.Session, err error) {
	var created, used, expires sql.NullInt64
	err = row.Scan(&s.ID, &s.StaffID, &s.Remote, &s.Agent, &created, &used, &expires)
	s.CreatedAt, s.UsedAt, s.ExpiresAt = instant(created), instant(used), instant(expires)
	return s, err
}
