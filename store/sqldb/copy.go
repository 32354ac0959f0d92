package sqldb

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// Copy writes one state of the SQLite database at path into a new file, while servers may read and write it. The copy is
// compact, and private to its owner. Nothing of the original changes, not even an older schema.
func Copy(ctx context.Context, path, into string) error {
	const op = "sqldb.Copy"
	abs, err := filepath.Abs(path)
	if err == nil {
		_, err = os.Stat(abs) // opening would make it
	}
	if err != nil {
		return errs.As(errs.Unavailable, op, err, "there is no database %s", path)
	}
	db := openSQLite(dsn(abs))
	_, err = db.ExecContext(ctx, "VACUUM INTO $1", into)
	if err = errors.Join(err, db.Close()); err == nil {
		err = os.Chmod(into, 0o600)
	}
	return errs.As(openKind(err), op, err, "the database %s cannot be copied", path)
}

// Check opens the SQLite database at path, looks at every page, and brings its schema up to date.
func Check(ctx context.Context, path string) error {
	const op = "sqldb.Check"
	db, err := Open(ctx, path)
	if err != nil {
		return err
	}
	var state string
	err = db.write.QueryRowContext(ctx, "PRAGMA integrity_check").Scan(&state)
	if err == nil && state != "ok" {
		err = errors.New(state)
	}
	return errs.As(openKind(err), op, errors.Join(err, db.Close()), "the database %s is damaged", path)
}
