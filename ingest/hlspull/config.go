package hlspull

import (
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// Config bounds what is read from origins. The zero value of each field stands for the default beside it.
type Config struct {
	// AllowPrivate lets addresses be read that are not of the public internet: this machine, its network, and what
	// else is not routed. Off, so that nobody who may name an address reads what only this machine can reach.
	AllowPrivate bool
	// MaxPlaylist and MaxSegment are the longest answers in bytes, 4 KiB to 1 GiB. Defaults 8 MiB, which holds a show of
	// a day, and 64 MiB.
	MaxPlaylist, MaxSegment int64
	// RequestTimeout bounds one playlist, and one segment up to its first byte. Default 15 s.
	RequestTimeout time.Duration
	// Patience is how long an origin may fail or stand still until its publish ends as a lost one, at least as long as
	// three of its segments. Default 10 s.
	Patience time.Duration
	// RetryMin and RetryMax are the shortest and longest wait between two attempts to reach an origin. Defaults 1 s and
	// 10 s.
	RetryMin, RetryMax time.Duration
}

func (c Config) withDefaults() Config {
	number := func(v *int64, def int64) {
		if *v == 0 {
			*v = def
		}
	}
	duration := func(v *time.Duration, def time.Duration) {
		if *v == 0 {
			*v = def
		}
	}
	number(&c.MaxPlaylist, 8<<20)
	number(&c.MaxSegment, 64<<20)
	duration(&c.RequestTimeout, 15*time.Second)
	duration(&c.Patience, 10*time.Second)
	duration(&c.RetryMin, time.Second)
	duration(&c.RetryMax, 10*time.Second)
	return c
}

// Validate reports the first field that is out of range as an Invalid error.
func (c Config) Validate() error {
	const op, least, most = "hlspull.Config", 4 << 10, 1 << 30
	c = c.withDefaults()
	switch {
	case c.MaxPlaylist < least || c.MaxPlaylist > most:
		return errs.Field(op, "MaxPlaylist", "must be 4 KiB to 1 GiB, got %d", c.MaxPlaylist)
	case c.MaxSegment < least || c.MaxSegment > most:
		return errs.Field(op, "MaxSegment", "must be 4 KiB to 1 GiB, got %d", c.MaxSegment)
	case c.RequestTimeout < time.Millisecond:
		return errs.Field(op, "RequestTimeout", "must be at least 1ms, got %v", c.RequestTimeout)
	case c.Patience < time.Millisecond:
		return errs.Field(op, "Patience", "must be at least 1ms, got %v", c.Patience)
	case c.RetryMin < time.Millisecond || c.RetryMax < c.RetryMin:
		return errs.Field(op, "RetryMin", "must be at least 1ms and at most RetryMax, got %v and %v", c.RetryMin, c.RetryMax)
	}
	return nil
}
