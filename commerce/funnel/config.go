package funnel

import (
	"fmt"
	"time"

	"github.com/vitrine-live/vitrine/internal/ratelimit"
)

// Config bounds the taking of events and says what a report counts. The zero value is usable.
type Config struct {
	// Window is how long before an order a click on the product still counts as having led to it; 0: 24 h.
	Window time.Duration
	// PerViewer and PerNetwork bound how many reports of up to MaxBatch events are taken; zero limits: 60 a minute, and 12000 a
	// minute from one network, behind which many may watch.
	PerViewer  ratelimit.Limit
	PerNetwork ratelimit.Limit
}

// What no setting changes.
const (
	// queueSize is how many events may wait for the store. Beyond it, new ones are dropped and counted: statistics must not
	// take the memory of a show.
	queueSize = 20_000
	// flushEvery and flushSize are when what waits is written: in one transaction, many times cheaper than one by one.
	flushEvery = 500 * time.Millisecond
	flushSize  = 1000
	// slack is how far beyond a live show's position an event may be: what is known of the position is not the newest.
	slack = 30 * time.Second
	// sampleEvery is how often the viewers of a show are counted.
	sampleEvery = 15 * time.Second
)

func (c Config) withDefaults() Config {
	if c.Window == 0 {
		c.Window = 24 * time.Hour
	}
	if c.PerViewer.None() {
		c.PerViewer = ratelimit.Limit{N: 60, Per: time.Minute}
	}
	if c.PerNetwork.None() {
		c.PerNetwork = ratelimit.Limit{N: 12_000, Per: time.Minute}
	}
	return c
}

// Validate reports a setting that cannot work.
func (c Config) Validate() error {
	if c.Window < 0 || c.Window > 90*24*time.Hour {
		return fmt.Errorf("window must be between 0 and 90 days, got %v", c.Window)
	}
	return nil
}
