package sqldb

import (
	"context"
	"database/sql"
	"time"
)

// update runs fn in a write transaction. ctx bounds the wait for the writer's turn; from then on the work is not
// interrupted, so that a client that hangs up cannot leave its caller unsure whether the write took place.
//
// fn may run more than once, each time on a fresh transaction: it must set what it hands out, never add to it.
func (db *DB) update(ctx context.Context, op string, fn func(ctx context.Context, tx *sql.Tx) error) error {
	return db.fail(op, again(ctx, func() error { return db.updateOnce(ctx, fn) }))
}

// again runs a transaction until it comes to an end of its own, or there have been enough attempts.
func again(ctx context.Context, once func() error) error {
	for attempt := 0; ; attempt++ {
		err := once()
		if attempt == attempts || !worthAgain(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause(attempt)):
		}
	}
}

func (db *DB) updateOnce(ctx context.Context, fn func(ctx context.Context, tx *sql.Tx) error) error {
	life, cancel := db.uninterrupted(ctx)
	defer cancel()
	if db.group != nil {
		return db.group.run(ctx, life, fn)
	}
	conn, err := db.write.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // gives the connection back to its pool
	return inTx(life, conn.BeginTx, nil, fn)
}

// uninterrupted is ctx without its end, but for the limit of one transaction.
func (db *DB) uninterrupted(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx = context.WithoutCancel(ctx)
	if db.limit == 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, db.limit)
}

// view runs fn on one consistent state of the database. fn may run more than once, as in update.
func (db *DB) view(ctx context.Context, op string, fn func(ctx context.Context, tx *sql.Tx) error) error {
	return db.fail(op, again(ctx, func() error { return inTx(ctx, db.read.BeginTx, &db.viewing, fn) }))
}

// lockRow holds the row of a table with this id for the rest of the transaction: nobody else locks, changes or deletes it.
// sql.ErrNoRows: there is none.
func (db *DB) lockRow(ctx context.Context, tx *sql.Tx, table, id string) error {
	var one int
	return tx.QueryRowContext(ctx, "SELECT 1 FROM "+table+" WHERE id = $1"+db.forUpdate, id).Scan(&one)
}

type beginner func(ctx context.Context, opts *sql.TxOptions) (*sql.Tx, error)

func inTx(ctx context.Context, begin beginner, opts *sql.TxOptions, fn func(context.Context, *sql.Tx) error) error {
	tx, err := begin(ctx, opts)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // does nothing after a commit
	if err := fn(ctx, tx); err != nil {
		return err
	}
	return tx.Commit()
}

// exactlyOne turns a write that met no row into sql.ErrNoRows, which fail calls NotFound.
func exactlyOne(res sql.Result, err error) error {
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n > 0 {
		return err
	}
	return sql.ErrNoRows
}

// scanner is a row of either *sql.Row or *sql.Rows.
type scanner interface{ Scan(dest ...any) error }

// collect reads all rows by scan.
func collect[T any](rows *sql.Rows, err error, scan func(scanner) (T, error)) ([]T, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // Err below tells
	var all []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, rows.Err()
}

// millis stores an instant; the zero time is NULL.
func millis(t time.Time) sql.NullInt64 {
	return sql.NullInt64{Int64: t.UnixMilli(), Valid: !t.IsZero()}
}

func instant(ms sql.NullInt64) time.Time {
	if !ms.Valid {
		return time.Time{}
	}
	return time.UnixMilli(ms.Int64).UTC()
}
