package clip

import (
	"runtime"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
)

const (
	// MaxLength is the longest clip: a show of a working day, whole.
	MaxLength = 24 * time.Hour
	// MinLength is the shortest: some frames.
	MinLength = 100 * time.Millisecond
	// MaxTitle is the longest title in characters.
	MaxTitle = 120
	// MaxPad is how far an interval made around an event may reach to either side.
	MaxPad = 10 * time.Minute
	// MaxBatch is how many clips one call makes.
	MaxBatch = 500
	// maxAttempts is how often a clip is tried before it has failed. Whoever wants it may have it tried again.
	maxAttempts = 3
	// patience is how long encoding is held back for a show on air whose pictures are late. One clip is made then all the same,
	// at the lowest priority, so that a rendition which never comes back does not end the making of clips.
	patience = time.Minute
	// maxCrashes is how often a clip is taken up whose server died over it, so that no clip can keep a server from running.
	maxCrashes = 5
)

// Config says how clips are made. The zero value is the default.
type Config struct {
	// Parallel is how many clips are made at once, default a quarter of the cores, at least one.
	Parallel int
	// Threads is how many threads the encoder of one clip may use, default half of the cores, at least one. While a show is
	// on air it is half of that.
	Threads int
	// Queue is how many clips of one store may wait, default 200.
	Queue int
	// Reserve is the free space in bytes that clips leave on the disk, default 512 MiB; negative: none.
	Reserve int64
	// FFmpeg is the program, default "ffmpeg", looked up in PATH.
	FFmpeg string
	// Lease is how long a clip stays with a server that is not heard of, default 30 s.
	Lease time.Duration
}

// WithDefaults puts in what is left out.
func (c Config) WithDefaults() Config {
	cores := runtime.GOMAXPROCS(0)
	if c.Parallel == 0 {
		c.Parallel = max(1, cores/4)
	}
	if c.Threads == 0 {
		c.Threads = max(1, cores/2)
	}
	if c.Queue == 0 {
		c.Queue = 200
	}
	if c.Reserve == 0 {
		c.Reserve = 512 << 20
	}
	if c.FFmpeg == "" {
		c.FFmpeg = "ffmpeg"
	}
	if c.Lease == 0 {
		c.Lease = 30 * time.Second
	}
	return c
}

// Validate returns an Invalid error that names the first field out of its range, or nil.
func (c Config) Validate() error {
	const op = "clip.Config"
	c = c.WithDefaults()
	switch {
	case c.Parallel < 1 || c.Parallel > 64:
		return errs.Field(op, "parallel", "%d is not between 1 and 64", c.Parallel)
	case c.Threads < 1 || c.Threads > 256:
		return errs.Field(op, "threads", "%d is not between 1 and 256", c.Threads)
	case c.Queue < 1 || c.Queue > 100_000:
		return errs.Field(op, "queue", "%d is not between 1 and 100000", c.Queue)
	case c.Lease < time.Second || c.Lease > time.Hour:
		return errs.Field(op, "lease", "%v is not between 1s and 1h", c.Lease)
	}
	return nil
}
