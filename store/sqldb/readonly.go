package sqldb

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// OpenReader opens the SQLite database at path to read it, also while a server works with it: each read sees what is
// committed by then. Nothing can be written through it, and its schema is never changed: every write is Unavailable.
//
// Unavailable says that there is no such file, that it cannot be read or is not a database, or that a Vitrine of another
// version wrote it.
func OpenReader(ctx context.Context, path string) (*DB, error) {
	const op = "sqldb.OpenReader"
	abs, err := filepath.Abs(path)
	if err == nil {
		_, err = os.Stat(abs)
	}
	if err != nil {
		return nil, errs.As(errs.Unavailable, op, err, "there is no database %s", path)
	}
	db := &DB{name: path, dialect: sqlite}
	db.read = openSQLite(readerDSN(abs))
	db.write = db.read // what writes is refused by the database itself
	if err := sameSchema(ctx, db); err != nil {
		return nil, errors.Join(errs.As(openKind(err), op, err, "the database %s cannot be used", path), db.Close())
	}
	return db, nil
}

// readerDSN leaves out whatever of dsn changes the file.
func readerDSN(abs string) string {
	u := url.URL{Scheme: "file", Path: filepath.ToSlash(abs), RawQuery: "mode=ro&_pragma=busy_timeout(5000)&_pragma=query_only(1)&_dqs=0"}
	return u.String()
}

// sameSchema refuses a schema that the statements of this program were not written for.
func sameSchema(ctx context.Context, db *DB) error {
	provider, err := newProvider(db.read, db.dialect)
	if err != nil {
		return err
	}
	current, target, err := provider.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("reading the schema's version: %w", err)
	}
	if current != target {
		return fmt.Errorf("its schema has version %d and this program's is %d: run the program of the server that wrote it", current, target)
	}
	return nil
}
