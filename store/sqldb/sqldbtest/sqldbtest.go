// Package sqldbtest opens databases for tests. The schema is brought up once in a process and copied from then on: that
// takes longer than most tests.
package sqldbtest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/vitrine-live/vitrine/store/sqldb"
)

// migrated is a new database as the bytes of its file.
var migrated = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "vitrine")
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "vitrine.db")
	db, err := sqldb.Open(context.Background(), path)
	if err == nil {
		err = db.Close() // which folds the log into the file
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	b, err := os.ReadFile(path)
	return b, errors.Join(err, os.RemoveAll(dir))
})

// Open opens a new database in a folder of its own. Whoever opens it closes it.
func Open(t testing.TB) *sqldb.DB {
	t.Helper()
	return OpenAt(t, filepath.Join(t.TempDir(), "vitrine.db"))
}

// OpenAt opens the database at a path, a new one where there is none. Whoever opens it closes it.
func OpenAt(t testing.TB, path string) *sqldb.DB {
	t.Helper()
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		b, err := migrated()
		if err := errors.Join(err, os.WriteFile(path, b, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	db, err := sqldb.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	return db
}
