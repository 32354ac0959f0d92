package sqldb

import (
	"context"
	"database/sql"
	"slices"
	"sync"
	"time"
)

// A batch of writers shares one transaction: what a commit costs, and the pages that all of them touch, are paid once. It takes
// in who is waiting already, never waits for more, and ends at these bounds so that nobody waits long for its commit.
const (
	maxBatch     = 128
	maxBatchTime = 5 * time.Millisecond
)

// group lets writers of one connection that come at once commit together. Each one's work is a savepoint of its own: it is
// undone alone when it fails. Nobody hears how theirs went before the commit, because until then nobody knows; when a batch
// cannot be committed, each of its members does its work again alone, and what happens then is its own.
type group struct {
	pool *sql.DB

	mu      sync.Mutex
	busy    bool // somebody has the turn
	waiting []*writer
}

// writer waits for its turn.
type writer struct{ turn chan *batch }

// batch is a transaction under way. Only who has the turn touches it; after done, anybody may read how it ended.
type batch struct {
	conn    *sql.Conn
	tx      *sql.Tx // nil: not begun
	joined  int     // whose turn it was
	members int     // whose work is in it
	began   time.Time
	done    chan struct{}
	err     error // why it could not be committed
}

func newBatch() *batch { return &batch{done: make(chan struct{})} }

// work is what a writer does in a transaction.
type work func(ctx context.Context, tx *sql.Tx) error

// run does work in a transaction that may be shared. ctx bounds the wait for the turn; life is the context of the work.
func (g *group) run(ctx, life context.Context, do work) error {
	b, err := g.enter(ctx)
	if err != nil {
		return err
	}
	err = g.join(ctx, life, b, do)
	<-b.done
	if b.err == nil {
		return err
	}
	if b.joined == 1 {
		return b.err
	}
	return g.alone(life, do)
}

// join does work in a batch and hands the turn on, even when do panics.
func (g *group) join(ctx, life context.Context, b *batch, do work) error {
	b.joined++
	if b.tx == nil {
		if err := b.open(ctx, g.pool); err != nil {
			b.err = err
			close(b.done)
			g.leave(newBatch())
			return err
		}
	}
	whole := false
	defer func() { g.leave(b.after(whole)) }()
	if err := b.savepoint(life, "SAVEPOINT writer"); err != nil {
		return err
	}
	if err := do(life, b.tx); err != nil {
		return err
	}
	if err := b.savepoint(life, "RELEASE writer"); err != nil {
		return err
	}
	whole = true
	b.members++
	return nil
}

// alone does work in a transaction that nobody else joins.
func (g *group) alone(life context.Context, do work) error {
	b, err := g.enter(context.WithoutCancel(life)) // it has had its turn once
	if err != nil {
		return err
	}
	if b.tx != nil {
		b.commit()
		close(b.done)
	}
	defer g.leave(newBatch())
	return inTx(life, g.pool.BeginTx, nil, do)
}

// enter waits for the turn, which comes with a batch to join.
func (g *group) enter(ctx context.Context) (*batch, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	g.mu.Lock()
	if !g.busy {
		g.busy = true
		g.mu.Unlock()
		return newBatch(), nil
	}
	w := &writer{turn: make(chan *batch, 1)}
	g.waiting = append(g.waiting, w)
	g.mu.Unlock()
	select {
	case b := <-w.turn:
		return b, nil
	case <-ctx.Done():
	}
	g.mu.Lock()
	i := slices.Index(g.waiting, w)
	if i >= 0 {
		g.waiting = slices.Delete(g.waiting, i, i+1)
	}
	g.mu.Unlock()
	if i < 0 { // the turn came at the same time
		g.leave(<-w.turn)
	}
	return nil, ctx.Err()
}

// leave hands the turn on: to the next one in the same batch, or, when the batch is to end here, after its commit.
func (g *group) leave(b *batch) {
	var ended *batch
	g.mu.Lock()
	if b.tx != nil && (len(g.waiting) == 0 || b.members >= maxBatch || time.Since(b.began) > maxBatchTime) {
		g.mu.Unlock()
		b.commit()
		ended, b = b, newBatch()
		g.mu.Lock()
	}
	if len(g.waiting) == 0 {
		g.busy = false
	} else {
		next := g.waiting[0]
		g.waiting = g.waiting[1:]
		next.turn <- b // has room
	}
	g.mu.Unlock()
	if ended != nil { // the next one is at work already
		close(ended.done)
	}
}

// open begins the transaction. It outlives its first member.
func (b *batch) open(ctx context.Context, pool *sql.DB) (err error) {
	if b.conn, err = pool.Conn(ctx); err != nil {
		return err
	}
	if b.tx, err = b.conn.BeginTx(context.WithoutCancel(ctx), nil); err != nil {
		_ = b.conn.Close()
	}
	b.began = time.Now()
	return err
}

// savepoint runs a statement that keeps a member's work apart. The first one needs none: before it there is nothing.
func (b *batch) savepoint(ctx context.Context, statement string) error {
	if b.members == 0 {
		return nil
	}
	_, err := b.tx.ExecContext(ctx, statement)
	return err
}

// after is the batch that goes on after a member: b, without the work of one that failed, or a new one if b cannot go on.
func (b *batch) after(whole bool) *batch {
	if whole {
		return b
	}
	if b.members > 0 {
		_, err := b.tx.ExecContext(context.Background(), "ROLLBACK TO writer")
		if err == nil {
			_, err = b.tx.ExecContext(context.Background(), "RELEASE writer")
		}
		if err == nil {
			return b
		}
		b.err = err
	}
	_ = b.tx.Rollback() // fails when the database has done so
	_ = b.conn.Close()
	close(b.done)
	return newBatch()
}

func (b *batch) commit() {
	b.err = b.tx.Commit()
	_ = b.conn.Close() // gives the connection back to its pool
}
