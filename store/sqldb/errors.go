package sqldb

import (
	"context"
	"database/sql"
	"errors"

	driver "modernc.org/sqlite"
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
	case errs.Exhausted:
		return errs.As(kind, op, err, "the disk of the database %s is full", db.path)
	case errs.Unavailable:
		return errs.As(kind, op, err, "the database %s does not answer for now", db.path)
	}
	return errs.As(kind, op, err, "")
}

func kindOf(err error) errs.Kind {
	if errors.Is(err, sql.ErrNoRows) {
		return errs.NotFound
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, sql.ErrConnDone) {
		return errs.Unavailable
	}
	var se *driver.Error
	if !errors.As(err, &se) {
		return errs.Internal
	}
	switch se.Code() {
	case codes.SQLITE_CONSTRAINT_UNIQUE, codes.SQLITE_CONSTRAINT_PRIMARYKEY:
		return errs.Conflict
	case codes.SQLITE_CONSTRAINT_FOREIGNKEY:
		return errs.NotFound // what the row refers to
	}
	switch se.Code() & 0xff { // the primary code of an extended one
	case codes.SQLITE_FULL:
		return errs.Exhausted
	case codes.SQLITE_BUSY, codes.SQLITE_LOCKED, codes.SQLITE_INTERRUPT, codes.SQLITE_READONLY, codes.SQLITE_IOERR,
		codes.SQLITE_CANTOPEN, codes.SQLITE_NOMEM:
		return errs.Unavailable
	}
	return errs.Internal
}

// openKind is kindOf for Open: whatever keeps a database from opening makes it unavailable, but for a full disk.
func openKind(err error) errs.Kind {
	if kind := kindOf(err); kind == errs.Exhausted {
		return kind
	}
	return errs.Unavailable
}
