// Package ratelimit bounds how often something may be done: by a viewer, from an address, for a store. One server counts in
// its memory; several count together when an adapter of Limiter keeps the counts outside (store/rediskit).
package ratelimit

import (
	"context"
	"sync"
	"time"
)

// Limit allows N at once, and from then on N evenly over each Per. (A window that opens just before the pieces of the last
// one have come back may thus see nearly twice N.) A Limit with N below 1 or without Per allows everything.
type Limit struct {
	N   int
	Per time.Duration
}

// None reports whether the limit allows everything.
func (l Limit) None() bool { return l.N < 1 || l.Per <= 0 }

// Interval is how long one piece takes to come back.
func (l Limit) Interval() time.Duration { return l.Per / time.Duration(l.N) }

// Limiter counts. Implementations are safe for concurrent use and never fail: what stores the counts may be lost, and then
// counting begins anew rather than anybody being kept out.
type Limiter interface {
	// Allow takes one piece for key, which names who does what, such as "comment:visitor_1"; the same key always comes with
	// the same limit. Refused, it takes nothing and tells when to come again (above 0).
	Allow(ctx context.Context, key string, limit Limit) (ok bool, retryAfter time.Duration)
}

// MaxKeys is how many keys a Memory counts at once. Beyond it some key is forgotten, which errs in favour of its owner.
const MaxKeys = 200_000

// Memory counts in this process.
type Memory struct {
	now func() time.Time
	max int

	mu   sync.Mutex
	full map[string]time.Time // when all pieces of a key will have come back (the "theoretical arrival time" of GCRA)
}

// NewMemory makes a Limiter of this process alone. now is its clock, nil for the real one.
func NewMemory(now func() time.Time) *Memory {
	if now == nil {
		now = time.Now
	}
	return &Memory{now: now, max: MaxKeys, full: map[string]time.Time{}}
}

// Allow implements Limiter.
func (m *Memory) Allow(_ context.Context, key string, limit Limit) (ok bool, retryAfter time.Duration) {
	if limit.None() {
		return true, 0
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	full := m.full[key]
	if full.Before(now) || full.After(now.Add(limit.Per)) { // the latter: the clock was set back
		full = now
	}
	full = full.Add(limit.Interval())
	if wait := full.Add(-limit.Per).Sub(now); wait > 0 {
		return false, wait
	}
	if _, known := m.full[key]; !known {
		m.makeRoom(now)
	}
	m.full[key] = full
	return true, 0
}

// makeRoom forgets who has all their pieces back, and if those are few, others too, so that it has not to look again soon.
func (m *Memory) makeRoom(now time.Time) {
	if len(m.full) < m.max {
		return
	}
	for key, full := range m.full {
		if !full.After(now) {
			delete(m.full, key)
		}
	}
	for key := range m.full {
		if len(m.full) < m.max-m.max/8 {
			return
		}
		delete(m.full, key)
	}
}
