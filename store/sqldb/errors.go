package sqldb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"

	"github.com/jackc/pgx/v5/pgconn"
	sqlitedriver "modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// fail classifies an error of the driver for op; nil and an error that is classified already stay as they are.
func (db *DB) fail(op string, err error) error {
	var classified *errs.Error
	if err == nil || errors.As(err, &classified) {
		return err
	}
	kind := kindOf(err)
	switch kind {
	case errs.NotFound:
		return errs.As(kind, op, err, "there is no such thing")
	case errs.Conflict:
		return errs.As(kind, op, err, "it exists already")
	case errs.Invalid:
		return errs.As(kind, op, err, "the text holds a character that cannot be kept")
	case errs.Exhausted:
		return errs.As(kind, op, err, "the disk of the database %s is full", db.name)
	case errs.Unavailable:
		return errs.As(kind, op, err, "the database %s does not answer for now", db.name)
	}
	return errs.As(kind, op, err, "")
}

func kindOf(err error) errs.Kind {
	var lite *sqlitedriver.Error
	var pg *pgconn.PgError
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return errs.NotFound
	case errors.As(err, &pg): // before connectionLost, which its wrapping may look like
		return postgresKind(pg.Code)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), connectionLost(err):
		return errs.Unavailable
	case errors.As(err, &lite):
		return sqliteKind(lite.Code())
	}
	return errs.Internal
}

func sqliteKind(code int) errs.Kind {
	switch code {
	case codes.SQLITE_CONSTRAINT_UNIQUE, codes.SQLITE_CONSTRAINT_PRIMARYKEY:
		return errs.Conflict
	case codes.SQLITE_CONSTRAINT_FOREIGNKEY:
		return errs.NotFound // what the row refers to
	}
	switch code & 0xff { // the primary code of an extended one
	case codes.SQLITE_FULL:
		return errs.Exhausted
	case codes.SQLITE_BUSY, codes.SQLITE_LOCKED, codes.SQLITE_INTERRUPT, codes.SQLITE_READONLY, codes.SQLITE_IOERR,
		codes.SQLITE_CANTOPEN, codes.SQLITE_NOMEM:
		return errs.Unavailable
	}
	return errs.Internal
}

// The codes of PostgreSQL that mean more than their class, https://www.postgresql.org/docs/15/errcodes-appendix.html
const (
	uniqueViolation      = "23505"
	foreignKeyViolation  = "23503"
	notInRepertoire      = "22021" // NUL, or no UTF-8
	untranslatable       = "22P05"
	diskFull             = "53100"
	serializationFailure = "40001"
	deadlockDetected     = "40P01"
)

func postgresKind(code string) errs.Kind {
	switch code {
	case uniqueViolation:
		return errs.Conflict
	case foreignKeyViolation:
		return errs.NotFound
	case notInRepertoire, untranslatable:
		return errs.Invalid
	case diskFull:
		return errs.Exhausted
	}
	switch code[:min(2, len(code))] {
	case "08", "25", "28", "3D", "40", "53", "55", "57", "58":
		// connection, a standby or a transaction cut off, the user, the database's name, rolled back for another, resources,
		// locks, an operator's hand or a time-out, the system below
		return errs.Unavailable
	}
	return errs.Internal
}

func connectionLost(err error) bool {
	var connect *pgconn.ConnectError
	var network net.Error
	return errors.Is(err, sql.ErrConnDone) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, io.EOF) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &connect) || errors.As(err, &network)
}

// worthAgain reports whether a transaction that came to nothing may succeed when it is run again from its beginning: it
// was given up for the sake of another one, or its connection had been lost before.
func worthAgain(err error) bool {
	var pg *pgconn.PgError
	var connect *pgconn.ConnectError
	switch {
	case errors.As(err, &connect): // nobody is there
		return false
	case errors.As(err, &pg):
		return pg.Code == serializationFailure || pg.Code == deadlockDetected
	}
	return errors.Is(err, driver.ErrBadConn) || pgconn.SafeToRetry(err) // nothing was sent
}

// openKind is kindOf for Open: whatever keeps a database from opening makes it unavailable, but for a full disk.
func openKind(err error) errs.Kind {
	if kind := kindOf(err); kind == errs.Exhausted {
		return kind
	}
	return errs.Unavailable
}
