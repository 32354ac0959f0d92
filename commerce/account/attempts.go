package account

import (
	"sync"
	"time"
)

// maxTried bounds how many names and networks are remembered for their failures. When all places are taken by those who
// still owe, newcomers are not remembered: whoever can fill them has other means.
const maxTried = 1 << 16

// attempts counts failures by a key and forgives them with time. Safe for concurrent use.
type attempts struct {
	burst int           // failures in a row
	every time.Duration // after which one is forgiven

	mu   sync.Mutex
	owed map[string]debt
}

type debt struct {
	failures float64
	at       time.Time
}

func newAttempts(burst int, every time.Duration) *attempts {
	return &attempts{burst: burst, every: every, owed: map[string]debt{}}
}

// take counts an attempt as a failure until it is given back, so that those under way together count too. It reports
// false, and counts nothing, when there have been too many.
func (a *attempts) take(key string, now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	left := a.left(key, now)
	if left+1 > float64(a.burst) {
		return false
	}
	if _, known := a.owed[key]; !known && len(a.owed) >= maxTried {
		a.sweep(now)
		if len(a.owed) >= maxTried {
			return true
		}
	}
	a.owed[key] = debt{left + 1, now}
	return true
}

// giveBack makes a taken attempt count as none.
func (a *attempts) giveBack(key string, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if left := a.left(key, now) - 1; left > 0 {
		a.owed[key] = debt{left, now}
	} else {
		delete(a.owed, key)
	}
}

func (a *attempts) left(key string, now time.Time) float64 {
	d := a.owed[key]
	return max(0, d.failures-float64(now.Sub(d.at))/float64(a.every))
}

func (a *attempts) sweep(now time.Time) {
	for key := range a.owed {
		if a.left(key, now) <= 0 {
			delete(a.owed, key)
		}
	}
}
