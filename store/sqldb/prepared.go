package sqldb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"strings"

	sqlitedriver "modernc.org/sqlite"
)

// openSQLite opens a pool whose connections keep their statements prepared: the driver compiles a statement each time it runs,
// which costs more than most of ours take. (The driver of PostgreSQL keeps them by itself.)
func openSQLite(dsn string) *sql.DB { return sql.OpenDB(&connector{dsn: dsn}) }

type connector struct {
	dsn    string
	driver sqlitedriver.Driver
}

func (c *connector) Driver() driver.Driver { return &c.driver }

func (c *connector) Connect(context.Context) (driver.Conn, error) {
	conn, err := c.driver.Open(c.dsn)
	if err != nil {
		return nil, err
	}
	return &preparing{sqliteConn: conn.(sqliteConn), kept: map[string]*prepared{}}, nil
}

// sqliteConn is what the driver's connections are.
type sqliteConn interface {
	driver.Conn
	driver.ConnPrepareContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// maxPrepared bounds the statements that a connection keeps. There are far fewer, but for lists of any length.
const maxPrepared = 512

// preparing is a connection that prepares each statement once. Like every driver.Conn it is used by one goroutine at a time.
type preparing struct {
	sqliteConn
	kept map[string]*prepared
}

type prepared struct {
	stmt driver.Stmt
	busy bool // its rows are being read: a second use needs a statement of its own
}

// keepable says which statements are worth keeping. Pragmas may take effect as they are prepared.
func keepable(query string) bool {
	verb, _, _ := strings.Cut(strings.TrimLeft(query, " \t\n"), " ")
	switch verb {
	case "SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "BEGIN", "COMMIT", "SAVEPOINT", "RELEASE", "ROLLBACK":
		return true
	}
	return false
}

// use returns a statement and what to call when it is no longer in use.
func (c *preparing) use(ctx context.Context, query string) (driver.Stmt, func() error, error) {
	if p := c.kept[query]; p != nil && !p.busy {
		p.busy = true
		return p.stmt, func() error { p.busy = false; return nil }, nil
	}
	stmt, err := c.PrepareContext(ctx, query)
	if err != nil {
		return nil, nil, err
	}
	if c.kept[query] != nil || !keepable(query) {
		return stmt, stmt.Close, nil
	}
	if len(c.kept) >= maxPrepared {
		c.forget()
	}
	p := &prepared{stmt: stmt, busy: true}
	c.kept[query] = p
	return stmt, func() error { p.busy = false; return nil }, nil
}

// forget closes the statements that are not in use.
func (c *preparing) forget() {
	for query, p := range c.kept {
		if !p.busy {
			_ = p.stmt.Close() // it has run; nothing is lost with it
			delete(c.kept, query)
		}
	}
}

func (c *preparing) Close() error {
	c.forget()
	return c.sqliteConn.Close()
}

// ExecContext implements driver.ExecerContext.
func (c *preparing) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	stmt, free, err := c.use(ctx, query)
	if err != nil {
		return nil, err
	}
	defer free() //nolint:errcheck // the statement has said already how it went
	return stmt.(driver.StmtExecContext).ExecContext(ctx, args)
}

// QueryContext implements driver.QueryerContext.
func (c *preparing) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	stmt, free, err := c.use(ctx, query)
	if err != nil {
		return nil, err
	}
	rows, err := stmt.(driver.StmtQueryContext).QueryContext(ctx, args)
	if err != nil {
		_ = free()
		return nil, err
	}
	return &preparedRows{rows, free}, nil
}

// preparedRows give their statement back when they are closed.
type preparedRows struct {
	driver.Rows
	free func() error
}

func (r *preparedRows) Close() error {
	err := r.Rows.Close()
	if r.free != nil {
		if e := r.free(); err == nil {
			err = e
		}
		r.free = nil
	}
	return err
}

// BeginTx implements driver.ConnBeginTx. Whoever may write takes the writer's place at the beginning: taking it later could fail.
func (c *preparing) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	begin := "BEGIN IMMEDIATE"
	if opts.ReadOnly {
		begin = "BEGIN"
	}
	_, err := c.ExecContext(ctx, begin, nil)
	return transaction{c}, err
}

type transaction struct{ c *preparing }

// Commit implements driver.Tx. A commit that fails (a full disk) leaves no transaction open.
func (t transaction) Commit() error {
	_, err := t.c.ExecContext(context.Background(), "COMMIT", nil)
	if err != nil {
		_, _ = t.c.ExecContext(context.Background(), "ROLLBACK", nil) // fails when SQLite has done so already
	}
	return err
}

// Rollback implements driver.Tx.
func (t transaction) Rollback() error {
	_, err := t.c.ExecContext(context.Background(), "ROLLBACK", nil)
	return err
}
