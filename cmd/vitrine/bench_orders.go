package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver of the naive shop
	"github.com/spf13/cobra"

	"github.com/vitrine-live/vitrine/commerce/order"
	"github.com/vitrine-live/vitrine/store/rediskit"
	"github.com/vitrine-live/vitrine/store/sqldb"
)

// ordersBench is a rush of buyers on a shop.
type ordersBench struct {
	*program
	backend, postgres, redis string
	buyers, atOnce, skus     int
	units                    int64
	naive                    bool
}

func (p *program) benchOrdersCommand() *cobra.Command {
	b := &ordersBench{program: p}
	cmd := &cobra.Command{
		Use: "orders", Short: "How many orders a second the shop takes under a rush, and whether it ever sells too much", Args: cobra.NoArgs,
		Long: `Lets buyers order one piece each through the shop's own service, as many at once as --at-once says, and counts: orders
stored with their pieces reserved, buyers refused, the time each took, pieces sold beyond the stock (0, or it is a defect).

  --backend sqlite     a database in a temporary folder (the default)
  --backend postgres   the EMPTY database of --postgres, in which the tables stay
  --backend gated      the same behind the stock gate in --redis

--naive measures instead what a shop without a design does in PostgreSQL: a transaction of one UPDATE of the stock's row and
one INSERT for each buyer.`,
		Example: `  vitrine bench orders --units 1000000
  vitrine bench orders --buyers 2000 --units 100 --at-once 2000
  vitrine bench orders --backend gated --postgres postgres:///bench --redis redis://localhost:6379/9 --units 100`,
		RunE: func(cmd *cobra.Command, _ []string) error { return b.run(cmd.Context()) },
	}
	f := cmd.Flags()
	f.StringVar(&b.backend, "backend", "sqlite", "sqlite, postgres or gated")
	f.StringVar(&b.postgres, "postgres", "", "URL of an empty PostgreSQL database")
	f.StringVar(&b.redis, "redis", "", "URL of a Redis")
	f.IntVar(&b.buyers, "buyers", 20_000, "buyers in all")
	f.IntVar(&b.atOnce, "at-once", 256, "buyers at once")
	f.IntVar(&b.skus, "skus", 1, "SKUs among which they choose")
	f.Int64Var(&b.units, "units", 1_000_000, "pieces of each SKU")
	f.BoolVar(&b.naive, "naive", false, "a transaction of one UPDATE and one INSERT in PostgreSQL instead of the shop")
	return cmd
}

func (b *ordersBench) run(ctx context.Context) error {
	if min(b.buyers, b.atOnce, b.skus) < 1 || b.units < 0 {
		return errors.New("--buyers, --at-once and --skus must be at least 1, --units at least 0")
	}
	if b.naive {
		return b.runNaive(ctx)
	}
	db, done, err := b.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	gate, closeGate, err := b.gate()
	if err != nil {
		return err
	}
	defer closeGate()
	r := openRush(db, gate, nil)
	if err := r.stockUp(ctx, b.skus, b.units); err != nil {
		return err
	}
	t := b.rush(func(n int) (bool, error) {
		_, err := r.buy(ctx, fmt.Sprintf("visitor:%d", n), r.skus[n%len(r.skus)])
		if soldOut(err) {
			return false, nil
		}
		return err == nil, err
	})
	level, err := r.level(ctx)
	if err != nil {
		return err
	}
	return b.report(b.backend, t, level.Reserved+level.Sold)
}

// open opens the database of the backend.
func (b *ordersBench) open(ctx context.Context) (*sqldb.DB, func(), error) {
	switch {
	case b.backend == "sqlite":
		dir, err := os.MkdirTemp("", "vitrine-bench-")
		if err != nil {
			return nil, nil, err
		}
		db, err := sqldb.Open(ctx, filepath.Join(dir, databaseFile))
		if err != nil {
			return nil, nil, errors.Join(err, os.RemoveAll(dir))
		}
		return db, func() { _ = db.Close(); _ = os.RemoveAll(dir) }, nil
	case b.backend != "postgres" && b.backend != "gated":
		return nil, nil, fmt.Errorf("there is no backend %q: sqlite, postgres or gated", b.backend)
	case b.postgres == "":
		return nil, nil, errors.New("--postgres must name an empty database")
	}
	db, err := sqldb.OpenPostgres(ctx, b.postgres)
	if err != nil {
		return nil, nil, err
	}
	return db, func() { _ = db.Close() }, nil
}

func (b *ordersBench) gate() (order.Gate, func(), error) {
	if b.backend != "gated" {
		return nil, func() {}, nil
	}
	kit, err := rediskit.New(rediskit.Config{URL: b.redis, Prefix: fmt.Sprintf("vitrine-bench-%d", os.Getpid())}, slog.New(slog.DiscardHandler), rediskit.NewMetrics(nil))
	if err != nil || b.redis == "" {
		return nil, nil, errors.Join(err, errors.New("--redis must name a Redis"))
	}
	return kit.NewGate(), func() { _ = kit.Close() }, nil
}

// tally is what came of a rush.
type tally struct {
	took            time.Duration
	placed, refused int64
	failed          error
	failures        int64
	latencies       []time.Duration // of those who got theirs
}

// rush lets the buyers in, as many at once as were asked for.
func (b *ordersBench) rush(buy func(n int) (bool, error)) *tally {
	var next, placed, failures atomic.Int64
	var mu sync.Mutex
	var wg sync.WaitGroup
	t := &tally{}
	begun := time.Now()
	for range min(b.atOnce, b.buyers) {
		wg.Go(func() {
			var mine []time.Duration
			for n := next.Add(1); n <= int64(b.buyers); n = next.Add(1) {
				at := time.Now()
				got, err := buy(int(n))
				if got {
					placed.Add(1)
					mine = append(mine, time.Since(at))
				}
				if err != nil && failures.Add(1) == 1 {
					t.failed = err
				}
			}
			mu.Lock()
			t.latencies = append(t.latencies, mine...)
			mu.Unlock()
		})
	}
	wg.Wait()
	t.took, t.placed, t.failures = time.Since(begun), placed.Load(), failures.Load()
	t.refused = int64(b.buyers) - t.placed - t.failures
	return t
}

// report prints a rush. taken is the pieces that the stock says are gone.
func (b *ordersBench) report(name string, t *tally, taken int64) error {
	seconds, at := t.took.Seconds(), quantiles(t.latencies)
	oversold := max(taken, t.placed) - min(max(taken, t.placed), b.units*int64(b.skus))
	fmt.Fprintf(b.stdout, "load        %s: %d buyers, %d at once, %d SKUs of %d pieces\n", name, b.buyers, b.atOnce, b.skus, b.units)
	fmt.Fprintf(b.stdout, "answered    %.0f buyers/s in %v: %d orders (%.0f/s), %d refused, %d failed\n",
		float64(b.buyers)/seconds, t.took.Round(time.Millisecond), t.placed, float64(t.placed)/seconds, t.refused, t.failures)
	fmt.Fprintf(b.stdout, "order took  p50 %v  p99 %v  max %v\n", at(0.5), at(0.99), at(1))
	fmt.Fprintf(b.stdout, "oversold    %d; %d pieces gone, %d orders\n", oversold, taken, t.placed)
	if oversold > 0 || taken != t.placed {
		return errors.New("the stock and the orders do not agree: this is a defect")
	}
	return t.failed
}

// runNaive measures a shop without a design.
func (b *ordersBench) runNaive(ctx context.Context) error {
	if b.postgres == "" {
		return errors.New("--postgres must name an empty database")
	}
	db, err := sql.Open("pgx", b.postgres)
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // a measurement's own
	db.SetMaxOpenConns(16)
	db.SetMaxIdleConns(16)
	for _, s := range []string{
		"CREATE TABLE naive_stock (id BIGINT PRIMARY KEY, available BIGINT NOT NULL)",
		"CREATE TABLE naive_orders (id BIGINT PRIMARY KEY, sku BIGINT NOT NULL, viewer TEXT NOT NULL)",
		fmt.Sprintf("INSERT INTO naive_stock SELECT n, %d FROM generate_series(0, %d) AS n", b.units, b.skus-1),
	} {
		if _, err := db.ExecContext(ctx, s); err != nil {
			return err
		}
	}
	t := b.rush(func(n int) (bool, error) { return naiveOrder(ctx, db, n, n%b.skus) })
	var taken int64
	if err := db.QueryRowContext(ctx, "SELECT CAST(SUM($1 - available) AS BIGINT) FROM naive_stock", b.units).Scan(&taken); err != nil {
		return err
	}
	return b.report("naive postgres", t, taken)
}

func naiveOrder(ctx context.Context, db *sql.DB, n, sku int) (bool, error) {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return false, err
	}
	defer tx.Rollback() //nolint:errcheck // does nothing after a commit
	res, err := tx.ExecContext(ctx, "UPDATE naive_stock SET available = available - 1 WHERE id = $1 AND available >= 1", sku)
	if err != nil {
		return false, err
	}
	if changed, err := res.RowsAffected(); err != nil || changed == 0 {
		return false, err
	}
	if _, err := tx.ExecContext(ctx, "INSERT INTO naive_orders VALUES ($1, $2, $3)", n, sku, fmt.Sprintf("visitor:%d", n)); err != nil {
		return false, err
	}
	return true, tx.Commit()
}
