package ratelimit_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/internal/ratelimit"
	"github.com/vitrine-live/vitrine/internal/ratelimit/ratelimittest"
)

func TestMemory(t *testing.T) {
	ratelimittest.Run(t, func(*testing.T) (ratelimit.Limiter, func(time.Duration)) {
		now := time.UnixMilli(1)
		return ratelimit.NewMemory(func() time.Time { return now }), func(d time.Duration) { now = now.Add(d) }
	})
}

// A clock that is set back by a day keeps nobody out for a day.
func TestMemoryClockSetBack(t *testing.T) {
	now := time.UnixMilli(1)
	l, limit := ratelimit.NewMemory(func() time.Time { return now }), ratelimit.Limit{N: 1, Per: time.Second}
	l.Allow(t.Context(), "k", limit)
	now = now.Add(-24 * time.Hour)
	if ok, _ := l.Allow(t.Context(), "k", limit); !ok {
		t.Error("refused")
	}
}

func TestMemoryIsBounded(t *testing.T) {
	now := time.UnixMilli(1)
	l, limit := ratelimit.NewMemory(func() time.Time { return now }), ratelimit.Limit{N: 1, Per: time.Hour}
	allowed := func() (n int) {
		for i := range ratelimit.MaxKeys + 100 {
			if ok, _ := l.Allow(t.Context(), strconv.Itoa(i), limit); ok {
				n++
			}
		}
		return n
	}
	if n := allowed(); n != ratelimit.MaxKeys+100 {
		t.Errorf("%d new keys were allowed", n)
	}
	if n := allowed(); n < 100 || n > ratelimit.MaxKeys*3/4 {
		t.Errorf("%d known keys were allowed again", n)
	}
}
