package rediskit

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/ratelimit"
	"github.com/vitrine-live/vitrine/internal/ratelimit/ratelimittest"
	"github.com/vitrine-live/vitrine/internal/servertest"
	"github.com/vitrine-live/vitrine/store"
	"github.com/vitrine-live/vitrine/store/sqldb"
	"github.com/vitrine-live/vitrine/store/sqldb/sqldbtest"
	"github.com/vitrine-live/vitrine/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// everywhere runs a test on a small Redis in this process, on a real one, and on a cluster, each empty.
func everywhere(t *testing.T, test func(t *testing.T, open func(*testing.T) *Kit)) {
	t.Run("miniredis", func(t *testing.T) {
		t.Parallel()
		test(t, func(t *testing.T) *Kit { return openKit(t, Config{URL: "redis://" + miniredis.RunT(t).Addr()}) })
	})
	for name, config := range map[string]func(t *testing.T) Config{
		"redis":   func(t *testing.T) Config { return Config{URL: servertest.StartRedis(t).URL()} },
		"cluster": func(t *testing.T) Config { return Config{Addrs: []string{servertest.StartRedisCluster(t).Addr()}} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := config(t)
			n := 0
			test(t, func(t *testing.T) *Kit {
				n++
				c.Prefix = "test" + strconv.Itoa(n)
				return openKit(t, c)
			})
		})
	}
}

func openKit(t *testing.T, c Config) *Kit {
	t.Helper()
	k, err := New(c, slog.New(slog.DiscardHandler), NewMetrics(nil))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := k.Close(); err != nil {
			t.Error(err)
		}
	})
	return k
}

func TestGate(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, open func(*testing.T) *Kit) {
		ctx, kit := t.Context(), open(t)
		g := kit.NewGate()
		taken := func(pieces int64, wantTaken, wantKnown bool) {
			t.Helper()
			if ok, known, err := g.Take(ctx, "sku_1", pieces); ok != wantTaken || known != wantKnown || err != nil {
				t.Fatalf("got %v, %v, %v; want %v, %v", ok, known, err, wantTaken, wantKnown)
			}
		}
		does := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		taken(1, false, false)
		does(g.Give(ctx, "sku_1", 5)) // without a counter there is nothing to add to
		taken(1, false, false)
		does(g.Set(ctx, "sku_1", 3))
		does(g.Set(ctx, "sku_1", 100)) // somebody was quicker
		taken(2, true, true)
		taken(2, false, true) // and takes nothing
		taken(1, true, true)
		taken(1, false, true)
		does(g.Give(ctx, "sku_1", 1))
		taken(1, true, true)
		if ttl := kit.client.PTTL(ctx, g.key("sku_1")).Val(); ttl <= 0 || ttl > gateTTL {
			t.Errorf("the counter lives %v: takes and gives must leave its end alone", ttl)
		}
	})
}

func TestGateAtOnce(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, open func(*testing.T) *Kit) {
		g := open(t).NewGate()
		var wg sync.WaitGroup
		var taken atomic.Int32
		for range 40 {
			wg.Go(func() {
				ok, known, err := g.Take(t.Context(), "sku_1", 1)
				if err == nil && !known {
					err = g.Set(t.Context(), "sku_1", 10)
					if err == nil {
						ok, _, err = g.Take(t.Context(), "sku_1", 1)
					}
				}
				if err != nil {
					t.Error(err)
				}
				if ok {
					taken.Add(1)
				}
			})
		}
		wg.Wait()
		if n := taken.Load(); n != 10 {
			t.Errorf("%d were let in, want 10", n)
		}
	})
}

func TestLimiter(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, open func(*testing.T) *Kit) {
		ratelimittest.Run(t, func(t *testing.T) (ratelimit.Limiter, func(time.Duration)) {
			kit := open(t)
			l := kit.NewLimiter(nobody{t})
			return l, func(d time.Duration) { // Redis has its own clock: what it knows becomes older
				for _, key := range []string{l.key("k"), l.key("other")} {
					full, err := kit.client.Get(t.Context(), key).Int64()
					if errors.Is(err, redis.Nil) {
						continue
					}
					if err = errors.Join(err, kit.client.Set(t.Context(), key, full-d.Microseconds(), redis.KeepTTL).Err()); err != nil {
						t.Fatal(err)
					}
				}
			}
		})
	})
}

// nobody is asked while Redis answers.
type nobody struct{ t *testing.T }

func (n nobody) Allow(context.Context, string, ratelimit.Limit) (bool, time.Duration) {
	n.t.Error("the limiter of this process was asked")
	return false, time.Second
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, open func(*testing.T) *Kit) {
		storetest.RunAnswers(t, func(t *testing.T) storetest.Answers { return open(t).NewAnswers(openDB(t)) })
	})
}

func openDB(t *testing.T) *sqldb.DB {
	t.Helper()
	db := sqldbtest.Open(t)
	t.Cleanup(func() { db.Close() })
	return db
}

// counted tells how often the database is asked.
type counted struct {
	*sqldb.DB
	begun int
}

func (c *counted) BeginIdempotent(ctx context.Context, r store.IdempotentRequest) (*store.IdempotentResponse, error) {
	c.begun++
	return c.DB.BeginIdempotent(ctx, r)
}

// The cache spares the database the repetitions, and everything that it held may be lost.
func TestAnswersSurviveTheLossOfRedis(t *testing.T) {
	t.Parallel()
	server := servertest.StartRedis(t)
	db := &counted{DB: openDB(t)}
	a := openKit(t, Config{URL: server.URL()}).NewAnswers(db)
	r := store.IdempotentRequest{Scope: "POST /x", Key: "k", Hash: "h", At: time.UnixMilli(1)}
	want := store.IdempotentResponse{Status: 201, Header: map[string]string{"Location": "/x/1"}, Body: []byte("{}")}
	if _, err := a.BeginIdempotent(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if err := a.FinishIdempotent(t.Context(), r, want); err != nil {
		t.Fatal(err)
	}
	repeat := func(askedDB int) {
		t.Helper()
		got, err := a.BeginIdempotent(t.Context(), r)
		if err != nil || got == nil || got.Status != 201 || string(got.Body) != "{}" || db.begun != askedDB {
			t.Errorf("got %+v, %v; the database was asked %d times, want %d", got, err, db.begun, askedDB)
		}
	}
	repeat(1)
	server.Kill()
	repeat(2)
	repeat(3)
}

// Redis goes and comes back: calls go past it at once meanwhile, and find it again.
func TestBypassAndHeal(t *testing.T) {
	t.Parallel()
	server := servertest.StartRedis(t)
	var log strings.Builder
	kit, err := New(Config{URL: server.URL()}, slog.New(slog.NewTextHandler(&log, nil)), NewMetrics(nil))
	if err != nil {
		t.Fatal(err)
	}
	defer kit.Close()
	now := time.UnixMilli(0)
	kit.now = func() time.Time { return now }
	ctx, g := t.Context(), kit.NewGate()
	l := kit.NewLimiter(ratelimit.NewMemory(nil))
	if err := g.Set(ctx, "p", 5); err != nil {
		t.Fatal(err)
	}
	server.Kill()
	if _, known, err := g.Take(ctx, "p", 1); err == nil || known {
		t.Errorf("a dead Redis says %v, %v", known, err)
	}
	if err := g.Give(ctx, "p", 1); !errors.Is(err, errResting) {
		t.Errorf("it was asked again at once: %v", err)
	}
	limit := ratelimit.Limit{N: 1, Per: time.Hour}
	if ok, _ := l.Allow(ctx, "k", limit); !ok {
		t.Error("without Redis everyone is refused")
	}
	if ok, _ := l.Allow(ctx, "k", limit); ok {
		t.Error("without Redis nobody is refused")
	}
	if err := kit.Ping(ctx); errs.KindOf(err) != errs.Unavailable || errs.MessageOf(err) == "" {
		t.Errorf("got %v", err)
	}
	server.Start() // empty
	now = now.Add(pauseAfterFailure)
	if taken, known, err := g.Take(ctx, "p", 1); taken || known || err != nil {
		t.Errorf("got %v, %v, %v; want a counter to be asked for", taken, known, err)
	}
	if said := log.String(); strings.Count(said, "Redis does not answer") != 1 || strings.Count(said, "Redis answers again") != 1 {
		t.Errorf("the log says\n%s", said)
	}
}

// Scripts that a restart or SCRIPT FLUSH made Redis forget are sent again.
func TestScriptsAreSentAgain(t *testing.T) {
	t.Parallel()
	kit := openKit(t, Config{URL: servertest.StartRedis(t).URL()})
	g := kit.NewGate()
	for range 2 {
		if _, _, err := g.Take(t.Context(), "p", 1); err != nil {
			t.Error(err)
		}
		if err := kit.client.ScriptFlush(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestConfig(t *testing.T) {
	for name, c := range map[string]struct {
		config  Config
		field   string
		enabled bool
	}{
		"none":    {Config{}, "", false},
		"url":     {Config{URL: "rediss://user:secret@host:6379/2"}, "", true},
		"cluster": {Config{Addrs: []string{"a:1", "b:1"}}, "", true},
		"both":    {Config{URL: "redis://h", Addrs: []string{"a:1"}}, "addrs", true},
		"bad url": {Config{URL: "http://user:secret@host"}, "url", true},
		"prefix":  {Config{URL: "redis://h", Prefix: "a{b}"}, "prefix", true},
	} {
		err := c.config.Validate()
		if errs.FieldOf(err) != c.field || c.config.Enabled() != c.enabled {
			t.Errorf("%s: got %v, enabled %v", name, err, c.config.Enabled())
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
