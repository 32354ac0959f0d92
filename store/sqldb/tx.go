package sqldb

import (
	"context"
	"database/sql"
	"time"
)

// update runs fn in a write transaction. ctx bounds the wait for the writer's turn; from then on the work is not
// interrupted, so that a client that hangs up cannot leave its caller unsure whether the write took place.
func (db *DB) update(ctx context.Context, op string, fn func(ctx context.Context, tx *sql.Tx) error) error {
	conn, err := db.write.Conn(ctx)
	if err != nil {
		return db.fail(op, err)
	}
	defer conn.Close() //nolint:errcheck // gives the connection back to its pool
	return db.fail(op, inTx(context.WithoutCancel(ctx), conn.BeginTx, nil, fn))
}

// view runs fn on one consistent state of the database.
func (db *DB) view(ctx context.Context, op string, fn func(ctx context.Context, tx *sql.Tx) error) error {
	return db.fail(op, inTx(ctx, db.read.BeginTx, &sql.TxOptions{ReadOnly: true}, fn))
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
