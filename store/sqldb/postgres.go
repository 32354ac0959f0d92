package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"net"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// poolConns is how many connections writers may use, and readers as many, unless the URL says pool_max_conns.
const poolConns = 16

// session is what every connection is set to, unless the URL says otherwise (milliseconds): a statement that takes longer
// has gone astray, and whoever waits for a lock or falls asleep in a transaction must not hold up the others.
var session = map[string]string{
	"application_name": "vitrine", "statement_timeout": "30000", "lock_timeout": "10000", "idle_in_transaction_session_timeout": "60000",
	"TimeZone": "UTC",
}

// OpenPostgres opens the PostgreSQL database that a URL names (https://www.postgresql.org/docs/current/libpq-connect.html,
// and pool_max_conns) and brings its schema up to date; servers that do so at once wait for each other. Close the DB when
// done. Commits are as durable as the database is set to make them.
//
// Invalid: the URL cannot be read. Unavailable: the database does not answer, refuses the user, does not keep UTF-8, or was
// written by a newer Vitrine. No error and no message holds the password.
func OpenPostgres(ctx context.Context, url string) (*DB, error) {
	const op = "sqldb.OpenPostgres"
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, errBadURL(op)
	}
	conns, err := poolSize(config)
	if err != nil {
		return nil, err
	}
	db := &DB{name: postgresName(config), dialect: postgres}
	db.write, db.read = postgresPool(config, conns, nil), postgresPool(config, conns, map[string]string{"default_transaction_read_only": "on"})
	if err := db.prepare(ctx); err != nil {
		return nil, errors.Join(errs.As(openKind(err), op, err, "the database %s cannot be used", db.name), db.Close())
	}
	return db, nil
}

// LookAtPostgres reports the version of the server that a URL leads to, and how the database sorts text, without changing
// anything.
func LookAtPostgres(ctx context.Context, url string) (version, collation string, err error) {
	const op = "sqldb.LookAtPostgres"
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return "", "", errBadURL(op)
	}
	if _, err := poolSize(config); err != nil {
		return "", "", err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	pool := postgresPool(config, 1, nil)
	err = pool.QueryRowContext(ctx, "SELECT current_setting('server_version'), datcollate FROM pg_database WHERE datname = current_database()").
		Scan(&version, &collation)
	return version, collation, errors.Join(errs.As(openKind(err), op, err, "the database %s cannot be used", postgresName(config)), pool.Close())
}

func errBadURL(op string) error {
	return errs.New(errs.Invalid, op, "the database's URL cannot be read: write it like postgres://user:password@host:5432/name")
}

func (db *DB) prepare(ctx context.Context) error {
	var encoding string
	if err := db.read.QueryRowContext(ctx, "SHOW server_encoding").Scan(&encoding); err != nil {
		return err
	}
	if encoding != "UTF8" {
		return fmt.Errorf("it keeps text as %s: make it anew with ENCODING 'UTF8' TEMPLATE template0", encoding)
	}
	return db.migrateAlone(ctx)
}

// migrationLock is the advisory lock of whoever changes the schema; any number that no other program uses.
const migrationLock = 0x56495452494e45 // "VITRINE"

// migrateAlone holds off other servers while it brings the schema up to date.
func (db *DB) migrateAlone(ctx context.Context) (err error) {
	conn, err := db.write.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { // with the connection, whose end releases the lock in any case
		err = errors.Join(err, conn.Raw(func(c any) error { return c.(*stdlib.Conn).Conn().Close(context.WithoutCancel(ctx)) }))
		_ = conn.Close()
	}()
	for _, statement := range []string{"SET statement_timeout = 0", "SET lock_timeout = 0", "SELECT pg_advisory_lock(" + strconv.Itoa(migrationLock) + ")"} {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return migrate(ctx, db.write, db.dialect)
}

// poolSize takes pool_max_conns out of the configuration, which would send it to the server.
func poolSize(config *pgx.ConnConfig) (int, error) {
	text, given := config.RuntimeParams["pool_max_conns"]
	delete(config.RuntimeParams, "pool_max_conns")
	if !given {
		return poolConns, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, errs.New(errs.Invalid, "sqldb.OpenPostgres", "pool_max_conns in the database's URL must be at least 1, got %q", text)
	}
	return n, nil
}

func postgresPool(config *pgx.ConnConfig, conns int, more map[string]string) *sql.DB {
	config = config.Copy()
	params := maps.Clone(session)
	maps.Copy(params, more)
	maps.Copy(params, config.RuntimeParams)
	config.RuntimeParams = params
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = 5 * time.Second
	}
	pool := stdlib.OpenDB(*config)
	pool.SetMaxOpenConns(conns)
	pool.SetMaxIdleConns(conns)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	pool.SetConnMaxLifetime(time.Hour) // so that a new address of the server is found
	return pool
}

// postgresName is what messages call the database, without the user and the password.
func postgresName(config *pgx.ConnConfig) string {
	if config.Host != "" && config.Host[0] == '/' {
		return config.Database + " at " + config.Host
	}
	return config.Database + " at " + net.JoinHostPort(config.Host, strconv.Itoa(int(config.Port)))
}
