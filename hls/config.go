package hls

import (
	"time"

	"github.com/vitrine-live/vitrine/hls/ts"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
)

// The limits of a Config.
const (
	minPartTarget    = 100 * time.Millisecond
	maxPartTarget    = 2 * time.Second
	maxSegmentTarget = 10 * time.Second
	minWindow        = 3
	maxWindow        = 1000
)

// Config says how a show is cut and delivered. The zero value is the default.
type Config struct {
	// PartTarget is EXT-X-PART-INF's PART-TARGET, the longest that a part may be: 100 ms to 2 s, default 500 ms. A show
	// keeps the one that it began with, also over restarts (Resume.PartTarget).
	PartTarget time.Duration
	// SegmentTarget is the length from which on a segment ends at the next IDR: 1 s to 10 s and at least two parts,
	// default 2 s.
	SegmentTarget time.Duration
	// Window is how many complete segments a live playlist lists: 3 to 1000, default 10. It lists more when they are
	// shorter than three target durations together (6.2.2).
	Window int
	// MaxWaiters caps the requests of one show that wait for media that is yet to come, default 20,000. Those beyond it
	// are answered 503 at once.
	MaxWaiters int
	// TS makes an MPEG-TS segment from an initialization segment and a segment; reorder is playlist.Init.Reorder.
	// Default ts.Remux. It must be safe for concurrent use.
	TS func(init, segment []byte, reorder media.Ticks) ([]byte, error)
}

// of is the Config of a show that goes on at resume.
func (c Config) of(resume *Resume) Config {
	c = c.withDefaults()
	if resume.PartTarget > 0 {
		c.PartTarget = resume.PartTarget.Duration()
	}
	return c
}

func (c Config) withDefaults() Config {
	if c.PartTarget == 0 {
		c.PartTarget = 500 * time.Millisecond
	}
	if c.SegmentTarget == 0 {
		c.SegmentTarget = 2 * time.Second
	}
	if c.Window == 0 {
		c.Window = 10
	}
	if c.MaxWaiters == 0 {
		c.MaxWaiters = 20_000
	}
	if c.TS == nil {
		c.TS = ts.Remux
	}
	return c
}

// Validate returns an Invalid error that names the first field out of its range, or nil.
func (c Config) Validate() error {
	const op = "hls.Config"
	c = c.withDefaults()
	switch {
	case c.PartTarget < minPartTarget || c.PartTarget > maxPartTarget:
		return errs.Field(op, "part_target", "%v is not between %v and %v", c.PartTarget, minPartTarget, maxPartTarget)
	case c.SegmentTarget < time.Second || c.SegmentTarget > maxSegmentTarget:
		return errs.Field(op, "segment_target", "%v is not between 1s and %v", c.SegmentTarget, maxSegmentTarget)
	case c.SegmentTarget < 2*c.PartTarget:
		return errs.Field(op, "segment_target", "%v does not hold two parts of %v", c.SegmentTarget, c.PartTarget)
	case c.Window < minWindow || c.Window > maxWindow:
		return errs.Field(op, "window", "%d segments is not between %d and %d", c.Window, minWindow, maxWindow)
	case c.MaxWaiters < 0:
		return errs.Field(op, "max_waiters", "%d is negative", c.MaxWaiters)
	}
	return nil
}
