// Package sqldb keeps everything that must outlive the process: in one SQLite file, the store of a single machine, or in
// PostgreSQL. It implements the small store interfaces of live, overlay, commerce and api.
//
// Each exported method of DB is one transaction, safe for concurrent use. Its errors carry these kinds: NotFound;
// Conflict when a rule of uniqueness forbids the write; Exhausted when the disk is full; Unavailable when the database is
// busy, does not answer, cannot be written, or ctx ended before the work began; Invalid for text that the database cannot
// hold (PostgreSQL: the character NUL); Internal for anything else.
//
// Both engines run the same migrations and the same statements. What that asks of them:
//
//   - In each statement $1, $2 ... appear in this order for the first time, because SQLite numbers parameters as it meets them.
//   - Where nothing around a parameter says what it is, CAST($1 AS TEXT) does: PostgreSQL must know before it sees the value.
//   - PostgreSQL has many writers at once, each of which sees what is committed (READ COMMITTED). What is read in order to be
//     changed is changed by one conditional statement, or locked as it is read (db.forUpdate, db.lockRow), several rows always
//     in the order of their ids.
//   - Text compares by bytes in SQLite, and in PostgreSQL as the database was made to; no rule may hang on the difference.
//     Whether LIKE tells capitals from small letters differs: lower both sides.
package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"runtime"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/commerce/stock"
	"github.com/vitrine-live/vitrine/internal/errs"
)

// DB is an open database.
type DB struct {
	dialect
	name  string  // what messages call it: the path, or the database and its host
	group *group  // of writers; nil: each commits alone
	write *sql.DB // SQLite: one connection, where writers queue in order instead of meeting SQLITE_BUSY
	read  *sql.DB // never writes; WAL lets readers run beside the writer, each on the newest committed state

	// What the buyers of a rush all ask.
	offered shared[map[string]commerce.Offered]
	forSale shared[map[string][]stock.Pool]
}

// Open opens the database at path, makes it if it is not there, and brings its schema up to date. The folder must
// exist. The file is readable by its owner alone. Close the DB when done.
//
// Unavailable says that the file cannot be opened, is not a database, or was written by a newer Vitrine.
func Open(ctx context.Context, path string) (*DB, error) {
	const op = "sqldb.Open"
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, errs.As(errs.Unavailable, op, err, "the path of the database %s cannot be resolved", path)
	}
	if err := makePrivate(abs); err != nil {
		return nil, errs.As(errs.Unavailable, op, err, "the database %s cannot be opened: check that its folder exists and may be written", path)
	}
	db := &DB{name: path, dialect: sqlite}
	if err := db.open(ctx, abs); err != nil {
		return nil, errors.Join(errs.As(openKind(err), op, err, "the database %s cannot be used", path), db.Close())
	}
	return db, nil
}

func (db *DB) open(ctx context.Context, abs string) error {
	db.write = openSQLite(dsn(abs))
	db.group = &group{pool: db.write}
	db.write.SetMaxOpenConns(1)
	if err := migrate(ctx, db.write, db.dialect); err != nil {
		return err
	}
	db.read = openSQLite(dsn(abs, "_pragma=query_only(1)"))
	readers := max(4, runtime.GOMAXPROCS(0))
	db.read.SetMaxOpenConns(readers)
	db.read.SetMaxIdleConns(readers)
	return db.read.PingContext(ctx)
}

// Close waits for the transactions under way and closes the database; what was committed is in it.
func (db *DB) Close() error {
	var err error
	for _, pool := range []*sql.DB{db.read, db.write} { // the writer last: it folds the log into the file
		if pool != nil {
			err = errors.Join(err, pool.Close())
		}
	}
	return err
}

// Ping reports whether the database answers.
func (db *DB) Ping(ctx context.Context) error {
	var one int
	return db.fail("sqldb.Ping", db.read.QueryRowContext(ctx, "SELECT 1").Scan(&one))
}

// makePrivate creates the file with its mode, which SQLite copies to the files that it puts beside it.
func makePrivate(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// dsn names the file and what every connection is set to.
//
//   - journal_mode WAL: readers never wait for the writer. What was committed survives the death of the process at any
//     instant (kill -9, panic), because it is in the log file already.
//   - synchronous NORMAL: the log is synced at checkpoints, not at each commit. A power loss or a crash of the kernel
//     may lose the commits since the last checkpoint, at most some 4 MB of log; what remains is whole and in order.
//   - busy_timeout: waits for another process (a backup, a shell) rather than fail at once.
//   - temp_store MEMORY: what undoes one writer of a batch (group.go) needs no file.
//   - cache_size: 16 MB, so that the pages that orders touch stay at hand.
//   - journal_size_limit: gives back the disk space of a log that a long reader made grow.
func dsn(abs string, more ...string) string {
	query := "_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)" +
		"&_pragma=foreign_keys(1)&_pragma=journal_size_limit(67108864)&_pragma=temp_store(MEMORY)&_pragma=cache_size(-16000)&_dqs=0"
	for _, m := range more {
		query += "&" + m
	}
	u := url.URL{Scheme: "file", Path: filepath.ToSlash(abs), RawQuery: query}
	return u.String()
}
