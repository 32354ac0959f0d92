// Package rediskit keeps in Redis what several servers share and what may be lost: the stock gate, rate limits, and answers
// to requests that are repeated. The database stays the truth of all of it. Without an answer from Redis, everything goes on
// without Redis, and comes back to it by itself.
//
// It runs on one Redis (6.2 or later), on Sentinel's choice, and on Redis Cluster: every script touches one key, and the keys
// of a thing carry its id in braces.
package rediskit

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// Config says which Redis. With neither URL nor Addrs there is none.
type Config struct {
	URL      string   // redis://user:password@host:6379/0, rediss:// with TLS, unix:///path
	Addrs    []string // host:port of a cluster's nodes, or of sentinels with Master
	Master   string   // the name that sentinels know the master by
	Username string   // for Addrs, like the three below
	Password string
	TLS      bool
	Prefix   string // of every key; "": vitrine
}

// Enabled reports whether a Redis is named.
func (c Config) Enabled() bool { return c.URL != "" || len(c.Addrs) > 0 }

// Validate checks what can be checked without Redis. Its errors name the key and no secret.
func (c Config) Validate() error {
	const op = "rediskit.Config"
	if c.URL != "" && len(c.Addrs) > 0 {
		return errs.Field(op, "addrs", "give either url or addrs")
	}
	if c.URL != "" {
		if _, err := redis.ParseURL(c.URL); err != nil {
			return errs.Field(op, "url", "cannot be read: write it like redis://user:password@host:6379/0, rediss:// or unix:///path")
		}
	}
	if strings.ContainsAny(c.Prefix, "{} \n") {
		return errs.Field(op, "prefix", "must hold neither braces nor blanks")
	}
	return nil
}

// The time that Redis has. A shop that waits longer for a hint is better off without it.
const (
	dialTimeout = time.Second
	callTimeout = 500 * time.Millisecond
)

// pauseAfterFailure is how long nobody asks a Redis that did not answer.
const pauseAfterFailure = time.Second

// Kit is the connection to one Redis or cluster. It is safe for concurrent use.
type Kit struct {
	client  redis.UniversalClient
	prefix  string
	log     *slog.Logger
	metrics *Metrics
	now     func() time.Time

	mu      sync.Mutex
	down    bool
	resting time.Time // nobody asks before
}

// New makes a Kit, which connects when it is first asked for something. Invalid: the configuration. Close it when done.
func New(c Config, log *slog.Logger, m *Metrics) (*Kit, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	quiet.Do(func() { redis.SetLogger(silence{}) })
	client, err := c.client()
	if err != nil {
		return nil, err
	}
	prefix := c.Prefix
	if prefix == "" {
		prefix = "vitrine"
	}
	m.up.Set(1) // until it shows otherwise
	return &Kit{client: client, prefix: prefix, log: log, metrics: m, now: time.Now}, nil
}

// quiet keeps the client, which logs to standard error by itself, from saying what the Kit says.
var quiet sync.Once

type silence struct{}

func (silence) Printf(context.Context, string, ...any) {}

func (c Config) client() (redis.UniversalClient, error) {
	o := &redis.UniversalOptions{
		Addrs: c.Addrs, MasterName: c.Master, IsClusterMode: c.Master == "", Username: c.Username, Password: c.Password,
		DialTimeout: dialTimeout, ReadTimeout: callTimeout, WriteTimeout: callTimeout, PoolTimeout: callTimeout,
		ContextTimeoutEnabled: true, DialerRetries: 1, MaxRetries: -1, // what failed may have been done: take one piece twice, and it is lost for a while
	}
	if c.URL != "" {
		one, err := redis.ParseURL(c.URL)
		if err != nil {
			return nil, errs.New(errs.Invalid, "rediskit.New", "the URL of Redis cannot be read")
		}
		one.DialTimeout, one.ReadTimeout, one.WriteTimeout, one.PoolTimeout = o.DialTimeout, o.ReadTimeout, o.WriteTimeout, o.PoolTimeout
		one.ContextTimeoutEnabled, one.DialerRetries, one.MaxRetries = true, o.DialerRetries, o.MaxRetries
		return redis.NewClient(one), nil
	}
	if c.TLS {
		o.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	return redis.NewUniversalClient(o), nil
}

// Close gives the connections back.
func (k *Kit) Close() error { return k.client.Close() }

// Ping reports whether Redis answers, also while the others are resting from it.
func (k *Kit) Ping(ctx context.Context) error {
	err := k.client.Ping(ctx).Err()
	k.learn(err)
	return errs.As(errs.Unavailable, "rediskit.Ping", err, "Redis does not answer: the shop works without it, slower under a rush")
}

// errResting is the answer of a Redis that is not asked.
var errResting = errors.New("no answer from Redis a moment ago")

// do runs one call, unless Redis is resting.
func (k *Kit) do(part string, call func() error) error {
	if k.rests() {
		k.metrics.bypassed.WithLabelValues(part).Inc()
		return errResting
	}
	err := call()
	if errors.Is(err, redis.Nil) {
		k.learn(nil)
		return err
	}
	k.learn(err)
	if err != nil {
		k.metrics.bypassed.WithLabelValues(part).Inc()
	}
	return err
}

// rests reports whether to go past Redis. While it is down, one caller after each pause tries.
func (k *Kit) rests() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.down {
		return false
	}
	now := k.now()
	if now.Before(k.resting) && k.resting.Sub(now) <= pauseAfterFailure { // a clock set back does not make the pause longer
		return true
	}
	k.resting = now.Add(pauseAfterFailure)
	return false
}

// learn keeps in mind whether Redis answers, and says so when that changes. An end of the caller's own context is no news.
func (k *Kit) learn(err error) {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return
	}
	k.mu.Lock()
	was := k.down
	k.down = err != nil
	if k.down {
		k.resting = k.now().Add(pauseAfterFailure)
	}
	k.mu.Unlock()
	switch {
	case err != nil && !was:
		k.metrics.up.Set(0)
		k.log.Warn("Redis does not answer; going on without it", "error", err)
	case err == nil && was:
		k.metrics.up.Set(1)
		k.log.Info("Redis answers again")
	}
}
