package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/vitrine-live/vitrine/commerce/order"
	"github.com/vitrine-live/vitrine/commerce/stock"
	"github.com/vitrine-live/vitrine/internal/servertest"
	"github.com/vitrine-live/vitrine/store/rediskit"
	"github.com/vitrine-live/vitrine/store/sqldb"
	"github.com/vitrine-live/vitrine/store/sqldb/sqldbtest"
)

// rushChildEnv names the database in which the test binary sells until it is killed; the words after it are the minutes by
// which its clock is off, the SKU and its price.
const rushChildEnv = "TEST_RUSH_CHILD"

func TestMain(m *testing.M) {
	if what := os.Getenv(rushChildEnv); what != "" {
		if err := sellUntilKilled(what, os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stdout, "failed:", err)
		}
		return
	}
	os.Exit(m.Run())
}

func openAny(ctx context.Context, where string) (*sqldb.DB, error) {
	if strings.HasPrefix(where, "postgres:") {
		return sqldb.OpenPostgres(ctx, where)
	}
	return sqldb.Open(ctx, where)
}

// places are the databases that a rush is tried on.
func places(t *testing.T, test func(t *testing.T, where string)) {
	t.Run("sqlite", func(t *testing.T) { test(t, filepath.Join(t.TempDir(), databaseFile)) })
	t.Run("postgres", func(t *testing.T) { test(t, emptyPostgres(t)) })
}

func emptyPostgres(t *testing.T) string {
	return servertest.Postgres(t, "schema", func(ctx context.Context, url string) error {
		db, err := sqldb.OpenPostgres(ctx, url)
		if err != nil {
			return err
		}
		return db.Close()
	})
}

func mustOpen(t *testing.T, where string) *sqldb.DB {
	t.Helper()
	if !strings.HasPrefix(where, "postgres:") {
		db := sqldbtest.OpenAt(t, where)
		t.Cleanup(func() { db.Close() })
		return db
	}
	db, err := sqldb.OpenPostgres(t.Context(), where)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

const rushBuyers, rushUnits = 2000, 100

// Two thousand buyers at once of a hundred pieces: a hundred get one, and at no instant do the pieces not add up.
func TestRush(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	places(t, func(t *testing.T, where string) { runRush(t, where, nil, nil) })
	t.Run("postgres behind the gate", func(t *testing.T) {
		runRush(t, emptyPostgres(t), testGate(t, servertest.StartRedis(t)), nil)
	})
	t.Run("the gate forgets and dies", func(t *testing.T) {
		server := servertest.StartRedis(t)
		runRush(t, emptyPostgres(t), testGate(t, server), func(n int) {
			switch n {
			case rushUnits / 4:
				flush(t, server)
			case rushUnits / 2:
				server.Kill()
			case rushUnits * 3 / 4:
				server.Start()
			}
		})
	})
}

func testGate(t *testing.T, server *servertest.Redis) order.Gate {
	t.Helper()
	var b ordersBench
	b.backend, b.redis = "gated", server.URL()
	gate, done, err := b.gate()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(done)
	return gate
}

func flush(t *testing.T, server *servertest.Redis) {
	options, err := redis.ParseURL(server.URL())
	if err != nil {
		t.Error(err)
		return
	}
	c := redis.NewClient(options)
	defer c.Close()
	if err := c.FlushAll(t.Context()).Err(); err != nil {
		t.Error(err)
	}
}

var _ order.Gate = (*rediskit.Gate)(nil)

// runRush calls during after each order, with how many there are.
func runRush(t *testing.T, where string, gate order.Gate, during func(n int)) {
	r := openRush(mustOpen(t, where), gate, nil)
	if err := r.stockUp(t.Context(), 1, rushUnits); err != nil {
		t.Fatal(err)
	}
	happened, stop := watch(t, r)
	var placed, refused atomic.Int64
	var turn sync.Mutex
	var wg sync.WaitGroup
	for n := range rushBuyers {
		wg.Go(func() {
			o, err := r.buy(t.Context(), "visitor:"+strconv.Itoa(n), r.skus[0])
			switch {
			case soldOut(err):
				refused.Add(1)
				return
			case err != nil:
				t.Error(err)
				return
			}
			happened()
			got := placed.Add(1)
			if during != nil {
				turn.Lock()
				during(int(got))
				turn.Unlock()
			}
			if n%2 == 0 {
				if err := errors.Join(r.pay(t.Context(), &o, o.No), r.pay(t.Context(), &o, o.No)); err != nil { // reported twice
					t.Error(err)
				}
				happened()
			}
		})
	}
	wg.Wait()
	seen := stop()
	level, err := r.level(t.Context())
	if err != nil || level.Sold+level.Reserved != placed.Load() || level.Total != rushUnits {
		t.Errorf("%+v, %v after %d orders", level, err, placed.Load())
	}
	// A gate that died in between may have let too few in, for a while; it never lets in too many.
	if placed.Load() > rushUnits || during == nil && placed.Load() != rushUnits || placed.Load()+refused.Load() != rushBuyers {
		t.Errorf("%d of %d pieces were sold, %d buyers refused", placed.Load(), rushUnits, refused.Load())
	}
	t.Logf("the pieces were counted %d times meanwhile", seen)
}

// watch counts the pieces when something happened to them, while more happens, until it is told to stop. Counting without a
// pause would see the same over and over, and take the processor from the buyers.
func watch(t *testing.T, r *rush) (happened func(), stop func() (times int)) {
	news, over, done := make(chan struct{}, 1), make(chan struct{}), make(chan int)
	go func() {
		n := 0
		defer func() { done <- n }()
		for ; ; n++ {
			select {
			case <-news:
			case <-over:
				return
			}
			level, err := r.level(context.WithoutCancel(t.Context()))
			if err != nil || level.Total != rushUnits {
				t.Errorf("in the middle: %+v, %v", level, err)
				return
			}
		}
	}()
	happened = func() {
		select {
		case news <- struct{}{}:
		default: // it has not looked since
		}
	}
	return happened, func() int { close(over); return <-done }
}

// sellUntilKilled sells, is paid, cancels and lets orders expire, and says the id of each order whose payment is noted.
func sellUntilKilled(what string, in io.Reader, out io.Writer) error {
	var where, sku string
	var off, total int64
	if _, err := fmt.Sscan(what, &where, &off, &sku, &total); err != nil {
		return err
	}
	ctx := context.Background()
	db, err := openAny(ctx, where)
	if err != nil {
		return err
	}
	r := openRush(db, nil, func(d *order.Deps) {
		d.Now = func() time.Time { return time.Now().Add(time.Duration(off) * time.Minute) }
	})
	r.skus, r.total = []string{sku}, total
	go io.Copy(io.Discard, in) //nolint:errcheck // the parent keeps it open
	var wg sync.WaitGroup
	var say sync.Mutex
	for range 8 {
		wg.Go(func() {
			for {
				sellOne(ctx, r, func(id string) {
					say.Lock()
					defer say.Unlock()
					fmt.Fprintln(out, id)
				})
			}
		})
	}
	wg.Wait()
	return nil
}

func sellOne(ctx context.Context, r *rush, paid func(id string)) {
	o, err := r.buy(ctx, "visitor:"+strconv.Itoa(rand.IntN(1_000_000)), r.skus[0])
	switch {
	case soldOut(err):
		r.orders.Sweep(ctx)
		paid("sold out") // so that the parent sees that all goes on
	case err != nil:
		paid("failed: " + err.Error())
	case rand.IntN(10) < 3: // walks away
	default:
		if err := r.pay(ctx, &o, o.No); err != nil {
			paid("failed: " + err.Error())
			return
		}
		paid(o.ID)
	}
}

// Killed at any instant between reserving, ordering and paying, started again with a clock that is somewhere else: the pieces
// add up, no payment that was noted is lost, and in the end exactly the stock is sold.
func TestRushThroughCrashes(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	places(t, func(t *testing.T, where string) {
		r := openRush(mustOpen(t, where), nil, nil)
		if err := r.stockUp(t.Context(), 1, rushUnits); err != nil {
			t.Fatal(err)
		}
		paid := map[string]bool{}
		for _, off := range []int{0, -90, 20, 45} { // minutes; orders expire after 15
			for id := range killMidway(t, fmt.Sprint(where, " ", off, " ", r.skus[0], " ", r.total), 10+rand.IntN(25)) {
				paid[id] = true
			}
			agree(t, r, paid)
		}
		sellTheRest(t, r, paid)
	})
}

// killMidway lets a child sell until it has said n lines, kills it, and returns the orders that it said were paid.
func killMidway(t *testing.T, what string, n int) (paid map[string]bool) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), rushChildEnv+"="+what)
	stdin, inErr := cmd.StdinPipe()
	stdout, outErr := cmd.StdoutPipe()
	if err := errors.Join(inErr, outErr, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	paid = map[string]bool{}
	lines := bufio.NewScanner(stdout)
	for i := 0; lines.Scan(); i++ {
		line := lines.Text()
		if strings.HasPrefix(line, "failed") {
			t.Error(line)
		} else if line != "sold out" {
			paid[line] = true
		}
		if i == n {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := cmd.Wait(); err == nil {
		t.Fatal("the child ended by itself")
	}
	return paid
}

// agree compares the pieces with the orders, one by one.
func agree(t *testing.T, r *rush, paid map[string]bool) {
	t.Helper()
	level, err := r.level(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var held, sold int64
	for _, o := range allOrders(t, r) {
		for _, l := range o.Lines {
			switch l.Hold {
			case order.Held:
				held += l.Quantity
			case order.Sold:
				sold += l.Quantity
			}
		}
		if paid[o.ID] && o.State != order.Paid {
			t.Errorf("order %s was paid and is %s", o.ID, o.State)
		}
	}
	if level.Reserved != held || level.Sold != sold || level.Total != rushUnits {
		t.Errorf("the stock says %+v, the orders hold %d and have %d", level, held, sold)
	}
}

func allOrders(t *testing.T, r *rush) (all []order.Order) {
	t.Helper()
	f := order.Filter{Scope: order.Scope{StoreID: "store_default"}, Limit: 100}
	for {
		page, err := r.orders.List(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, page...)
		if len(page) < f.Limit {
			return all
		}
		f.After = page[len(page)-1].ID
	}
}

// sellTheRest lets every open order expire, sells what is free and takes the money: then all is sold.
func sellTheRest(t *testing.T, r *rush, paid map[string]bool) {
	t.Helper()
	later := openRush(r.db, nil, func(d *order.Deps) { d.Now = func() time.Time { return time.Now().Add(3 * time.Hour) } })
	later.skus, later.total = r.skus, r.total
	for level := mustLevel(t, r); level.Reserved > 0; level = mustLevel(t, r) {
		later.orders.Sweep(t.Context())
	}
	for {
		o, err := later.buy(t.Context(), "visitor:last", r.skus[0])
		if soldOut(err) {
			break
		}
		if err := errors.Join(err, later.pay(t.Context(), &o, o.No)); err != nil {
			t.Fatal(err)
		}
		paid[o.ID] = true
	}
	agree(t, r, paid)
	if level := mustLevel(t, r); level.Sold != rushUnits || level.Reserved+level.Available != 0 {
		t.Errorf("in the end: %+v", level)
	}
}

func mustLevel(t *testing.T, r *rush) stock.Level {
	t.Helper()
	level, err := r.level(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return level
}
