package rediskit

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/vitrine-live/vitrine/internal/ratelimit"
)

// Limiter is a ratelimit.Limiter of all servers together. Without Redis each counts by itself.
type Limiter struct {
	kit   *Kit
	alone ratelimit.Limiter
}

// NewLimiter makes the limiter; alone counts while Redis does not answer.
func (k *Kit) NewLimiter(alone ratelimit.Limiter) *Limiter { return &Limiter{k, alone} }

// allow is GCRA in microseconds of Redis's clock, which is the same for all servers: the key holds when all its pieces will
// have come back. It answers 0, or how long to wait. KEYS: the key; ARGV: the interval of one piece, that of all.
var allow = redis.NewScript(`
local interval, per = tonumber(ARGV[1]), tonumber(ARGV[2])
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local full = tonumber(redis.call('GET', KEYS[1]) or now)
if full < now or full > now + per then full = now end
full = full + interval
local wait = full - per - now
if wait > 0 then return wait end
redis.call('SET', KEYS[1], string.format('%.0f', full), 'PX', math.ceil((full - now) / 1000) + 1)
return 0`)

// Allow implements ratelimit.Limiter.
func (l *Limiter) Allow(ctx context.Context, key string, limit ratelimit.Limit) (ok bool, retryAfter time.Duration) {
	if limit.None() {
		return true, 0
	}
	var wait int64
	err := l.kit.do("limit", func() (err error) {
		interval := max(limit.Interval().Microseconds(), 1)
		wait, err = allow.Run(ctx, l.kit.client, []string{l.key(key)}, interval, interval*int64(limit.N)).Int64()
		return err
	})
	if err != nil {
		return l.alone.Allow(ctx, key, limit)
	}
	return wait == 0, time.Duration(wait) * time.Microsecond
}

func (l *Limiter) key(key string) string { return l.kit.prefix + ":limit:{" + key + "}" }
