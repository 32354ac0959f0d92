package main

import (
	"context"
	"errors"
	"log/slog"

	"github.com/vitrine-live/vitrine/api"
	"github.com/vitrine-live/vitrine/configs"
	"github.com/vitrine-live/vitrine/internal/ratelimit"
	"github.com/vitrine-live/vitrine/store/rediskit"
	"github.com/vitrine-live/vitrine/store/sqldb"
)

// storage is what keeps data beside the database.
type storage struct {
	redis  *rediskit.Kit     // nil: there is none
	limits ratelimit.Limiter // of all servers that share a Redis
}

// openDatabase opens the database that the configuration names: one beside the recordings, or PostgreSQL.
func openDatabase(ctx context.Context, c configs.Database, file string) (*sqldb.DB, error) {
	if c.URL != "" {
		return sqldb.OpenPostgres(ctx, string(c.URL))
	}
	return sqldb.Open(ctx, file)
}

// startRedis needs no Redis that answers: whatever uses it goes on without it.
func (s *server) startRedis(ctx context.Context) (func(context.Context) error, error) {
	s.limits = ratelimit.NewMemory(nil)
	c := redisConfig(s.config.Redis)
	if !c.Enabled() {
		return nil, nil
	}
	kit, err := rediskit.New(c, s.log, rediskit.NewMetrics(s.metrics))
	if err != nil {
		return nil, err
	}
	_ = kit.Ping(ctx) // which tells the log
	s.redis, s.limits = kit, kit.NewLimiter(s.limits)
	return func(context.Context) error { return kit.Close() }, nil
}

func redisConfig(c configs.Redis) rediskit.Config {
	return rediskit.Config{
		URL: string(c.URL), Addrs: c.Addrs, Master: c.Master, Username: c.Username, Password: string(c.Password), TLS: c.TLS, Prefix: c.Prefix,
	}
}

// surfaceStore is what the API keeps: in the database, with Redis in front of the answers to requests that are repeated.
func (s *server) surfaceStore() api.Store {
	if s.redis == nil {
		return s.db
	}
	return cachedStore{Answers: s.redis.NewAnswers(s.db), database: database{s.db}}
}

// cachedStore has the methods of Answers, and those of the database below them.
type cachedStore struct {
	*rediskit.Answers
	database
}

type database struct{ *sqldb.DB }

// checkDatabase looks at PostgreSQL; the file of SQLite is looked at with its folder.
func checkDatabase(ctx context.Context, c configs.Config) []finding {
	if c.Database.URL == "" {
		return nil
	}
	f := finding{name: "database", hint: "check database.url, that PostgreSQL runs, and that the user may connect and create tables"}
	version, collation, err := sqldb.LookAtPostgres(ctx, string(c.Database.URL))
	switch {
	case err != nil:
		f.verdict, f.text = bad, err.Error()
	case collation != "C" && collation != "POSIX":
		f.verdict, f.text = worth, "PostgreSQL "+version+" answers; it sorts text as "+collation
		f.hint = "lists of equals are then not in the same order as with SQLite; nothing else hangs on it (docs/storage.md)"
	default:
		f.text = "PostgreSQL " + version + " answers"
	}
	return []finding{f}
}

// checkRedis looks at Redis, without which everything works too.
func checkRedis(ctx context.Context, c configs.Redis) []finding {
	if !redisConfig(c).Enabled() {
		return nil
	}
	f := finding{name: "Redis", text: "answers", hint: "the shop works without it, slower under a rush; check redis.url or redis.addrs"}
	kit, err := rediskit.New(redisConfig(c), slog.New(slog.DiscardHandler), rediskit.NewMetrics(nil))
	if err == nil {
		err = errors.Join(kit.Ping(ctx), kit.Close())
	}
	if err != nil {
		f.verdict, f.text = worth, err.Error()
	}
	return []finding{f}
}
