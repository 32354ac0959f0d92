package live

import (
	"time"

	"github.com/vitrine-live/vitrine/hls"
	"github.com/vitrine-live/vitrine/internal/errs"
)

// Config says how rooms run.
type Config struct {
	// ReconnectWindow is how long a show waits for its publisher to come back before it ends. 0: 60 s. Negative: a
	// lost publisher ends the show at once.
	ReconnectWindow time.Duration
	// Linger is how long the live playlists of an ended show stay readable, so that every player sees the end.
	// 0: 2 minutes.
	Linger time.Duration
	// NoRecording turns the recording off. A show that is not recorded cannot go on after a restart.
	NoRecording bool
	// MaxPublishers is how many may publish at once, MaxPublishersPerStore in the rooms of one store, and
	// MaxPublishersPerAddress from one IPv4 address or IPv6 /64 network; 0: as many as come. Rooms without a store and
	// pulled sources, which have no address, are not counted for the latter two.
	MaxPublishers, MaxPublishersPerStore, MaxPublishersPerAddress int
	// HLS is the packager's and the delivery's configuration.
	HLS hls.Config
}

const (
	defaultReconnectWindow = time.Minute
	defaultLinger          = 2 * time.Minute
)

// Validate reports the first setting that cannot work, as an Invalid error.
func (c Config) Validate() error {
	if c.ReconnectWindow > time.Hour {
		return errs.Field("live.Config", "reconnect_window", "must be at most 1h, got %v", c.ReconnectWindow)
	}
	if c.Linger < 0 || c.Linger > time.Hour {
		return errs.Field("live.Config", "linger", "must be between 0 and 1h, got %v", c.Linger)
	}
	if err := c.validateLimits(); err != nil {
		return err
	}
	return c.HLS.Validate()
}

func (c Config) withDefaults() Config {
	if c.ReconnectWindow == 0 {
		c.ReconnectWindow = defaultReconnectWindow
	}
	if c.Linger == 0 {
		c.Linger = defaultLinger
	}
	return c
}
