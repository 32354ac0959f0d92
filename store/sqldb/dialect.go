package sqldb

import (
	"database/sql"
	"math/rand/v2"
	"time"

	"github.com/pressly/goose/v3"
)

// dialect is all in which the engines differ, but for their errors (errors.go).
type dialect struct {
	goose goose.Dialect
	// forUpdate ends a SELECT whose rows the transaction is going to change. SQLite has one writer at a time, so that
	// there nothing needs to be locked.
	forUpdate string
	// viewing begins a transaction that sees one state of the database throughout.
	viewing sql.TxOptions
	// limit is how long one transaction may take. Zero: as long as it needs.
	limit time.Duration
}

var (
	sqlite   = dialect{goose: goose.DialectSQLite3, viewing: sql.TxOptions{ReadOnly: true}}
	postgres = dialect{
		goose: goose.DialectPostgres, forUpdate: " FOR UPDATE", limit: time.Minute,
		viewing: sql.TxOptions{ReadOnly: true, Isolation: sql.LevelRepeatableRead},
	}
)

// attempts is how often a write is tried that the database gives up for the sake of another one (a deadlock, a row that
// changed under it) before its caller hears of it.
const attempts = 8

// pause is the wait before an attempt: short, random, and longer from time to time, so that two that met do not meet again.
func pause(attempt int) time.Duration {
	return time.Duration(rand.Int64N(int64(2*time.Millisecond) << min(attempt, 6))) //nolint:gosec // it only spreads
}
