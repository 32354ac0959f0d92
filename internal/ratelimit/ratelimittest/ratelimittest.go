// Package ratelimittest is the conformance suite of rate limiters.
package ratelimittest

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/internal/ratelimit"
)

// Run runs the suite. open returns a limiter that has counted nothing, and what makes its clock go on.
func Run(t *testing.T, open func(t *testing.T) (l ratelimit.Limiter, pass func(time.Duration))) {
	t.Run("pieces come back evenly", func(t *testing.T) {
		l, pass := open(t)
		limit := ratelimit.Limit{N: 4, Per: 8 * time.Second}
		take := func(want bool) {
			t.Helper()
			ok, wait := l.Allow(t.Context(), "k", limit)
			if ok != want || ok && wait != 0 || !ok && (wait <= 0 || wait > 2*time.Second) {
				t.Fatalf("got %v, %v; want %v", ok, wait, want)
			}
		}
		for range 4 {
			take(true)
		}
		take(false)
		take(false) // a refusal takes nothing
		pass(2 * time.Second)
		take(true)
		take(false)
		pass(time.Minute)
		for range 4 {
			take(true)
		}
		take(false)
		if ok, _ := l.Allow(t.Context(), "other", limit); !ok {
			t.Error("one key took another's")
		}
	})
	t.Run("no limit", func(t *testing.T) {
		l, _ := open(t)
		for _, limit := range []ratelimit.Limit{{}, {N: 1}, {Per: time.Second}} {
			for range 3 {
				if ok, wait := l.Allow(t.Context(), "k", limit); !ok || wait != 0 {
					t.Errorf("%+v: got %v, %v", limit, ok, wait)
				}
			}
		}
	})
	t.Run("at once", func(t *testing.T) {
		l, _ := open(t)
		var wg sync.WaitGroup
		var allowed atomic.Int32
		for range 50 {
			wg.Go(func() {
				if ok, _ := l.Allow(t.Context(), "k", ratelimit.Limit{N: 7, Per: time.Hour}); ok {
					allowed.Add(1)
				}
			})
		}
		wg.Wait()
		if n := allowed.Load(); n != 7 {
			t.Errorf("%d were allowed, want 7", n)
		}
	})
}
