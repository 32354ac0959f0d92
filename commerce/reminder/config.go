package reminder

import (
	"fmt"
	"time"
)

// MaxBefore is the longest time before a show that a reminder may be sent.
const MaxBefore = 24 * time.Hour

// Config bounds the sending of reminders. The zero value is usable.
type Config struct {
	Rate     float64       // messages a second through each channel; 0: 50
	Parallel int           // messages under way at once through each channel; 0: 8
	Poll     time.Duration // between two looks at the shows; 0: 5 s. A show that goes on air is looked at at once
	// Grace is how long after its start a show is still announced, as when the server was down; 0: 30 min.
	Grace        time.Duration
	MaxPerViewer int    // pending reminders of one viewer; 0: 50
	PublicURL    string // the server's address as viewers know it, without a slash at the end; empty: links are relative
}

// What no setting changes.
const (
	// sendTimeout bounds one attempt.
	sendTimeout = 8 * time.Second
	// lease is after what time an attempt that nobody finished counts as unknown. It is well beyond sendTimeout.
	lease = time.Minute
	// maxAttempts is how often a message is tried that provably was not sent.
	maxAttempts = 6
	// longAgo is how far back shows are looked at that a server which was down may have missed.
	longAgo = 7 * 24 * time.Hour
	// batch is how many due reminders are looked up at once.
	batch = 100
)

func (c Config) withDefaults() Config {
	if c.Rate == 0 {
		c.Rate = 50
	}
	if c.Parallel == 0 {
		c.Parallel = 8
	}
	if c.Poll == 0 {
		c.Poll = 5 * time.Second
	}
	if c.Grace == 0 {
		c.Grace = 30 * time.Minute
	}
	if c.MaxPerViewer == 0 {
		c.MaxPerViewer = 50
	}
	return c
}

// Validate reports a setting that cannot work.
func (c Config) Validate() error {
	switch {
	case c.Rate < 0 || c.Rate > 10_000:
		return fmt.Errorf("rate must be between 0 and 10000 a second, got %v", c.Rate)
	case c.Parallel < 0 || c.Parallel > 1000:
		return fmt.Errorf("parallel must be between 0 and 1000, got %d", c.Parallel)
	case c.Poll < 0 || c.Grace < 0 || c.Grace > MaxBefore:
		return fmt.Errorf("poll and grace must not be negative, nor grace longer than %v", MaxBefore)
	case c.MaxPerViewer < 0:
		return fmt.Errorf("max_per_viewer must not be negative, got %d", c.MaxPerViewer)
	}
	return nil
}

// backoff is how long to wait after an attempt that sent nothing.
func backoff(attempts int) time.Duration { return 5 * time.Second << min(max(attempts-1, 0), 6) }
