package webhook

import (
	"math/rand/v2"
	"time"
)

// State is where a delivery stands.
type State string

// The states.
const (
	Pending   State = "pending"
	Delivered State = "delivered"
	Dead      State = "dead" // given up; it may be replayed
)

// Delivery is one event on its way to one endpoint.
type Delivery struct {
	ID        string // "dlv_…"
	WebhookID string
	EventID   string
	EventType string
	State     State
	Attempts  int
	// NextAt is when a pending one is tried next, GiveUpAt until when.
	NextAt   time.Time
	GiveUpAt time.Time
	// The newest attempt: when it was made, what was answered (0: nothing), what went wrong, how long it took.
	AttemptAt  time.Time
	LastStatus int
	LastError  string
	Took       time.Duration

	CreatedAt time.Time
}

// Patience is how long an event is tried.
const Patience = 24 * time.Hour

// The pauses between attempts: the first, by what the next are longer, and the longest. With them an endpoint that is away
// is tried after 5 s, 15 s, 45 s, 2 min, 7 min, 20 min, 1 h, 3 h and then every 4 hours.
const (
	firstPause   = 5 * time.Second
	pauseGrowth  = 3
	longestPause = 4 * time.Hour
)

// jitter is by how much of itself a pause is longer or shorter, so that what failed together is not repeated together.
const jitter = 0.2

// pause is how long to wait after a number of attempts that failed, at least 1; luck is 0 to 1.
func pause(attempts int, luck float64) time.Duration {
	p := firstPause
	for i := 1; i < attempts && p < longestPause; i++ {
		p = min(p*pauseGrowth, longestPause)
	}
	return time.Duration(float64(p) * (1 + jitter*(2*luck-1)))
}

// next is when to try again after a failure at an instant; zero: never. asked is what the endpoint asked for, 0: nothing.
func next(d *Delivery, at time.Time, asked time.Duration) time.Time {
	if !at.Before(d.GiveUpAt) {
		return time.Time{}
	}
	t := at.Add(max(pause(d.Attempts, rand.Float64()), min(asked, longestPause))) //nolint:gosec // spreads load, guards nothing
	if t.After(d.GiveUpAt) {
		return d.GiveUpAt // one last time
	}
	return t
}

// Report is what came of an attempt.
type Report struct {
	DeliveryID string
	WebhookID  string
	Attempt    int
	At         time.Time
	Status     int
	Error      string
	Took       time.Duration
	Delivered  bool
	// NextAt is when to try again after a failure; zero: never.
	NextAt time.Time
	// Interrupted attempts count for nothing: this server stopped.
	Interrupted bool
	// Disable the endpoint for this reason; empty: only if it fails since FailingBefore or longer.
	Disable       string
	FailingBefore time.Time
	FailingReason string
}
