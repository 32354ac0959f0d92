package replay

import (
	"context"
	"time"

	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/replay/edit"
)

// Ranges returns the date ranges of a show's playlists, in order: its pins. It is called for every playlist asked for
// and must be safe for concurrent use.
type Ranges func(ctx context.Context, showID string) ([]playlist.DateRange, error)

// Config says how shows are recorded and served. The zero value is the default.
type Config struct {
	// Reserve is the free space in bytes that recording leaves on the disk: below it recordings pause, and they go on by
	// themselves when there is more again. Default 512 MiB; negative: none.
	Reserve int64
	// Queue is how many bytes of one show may wait for the disk, default 16 MiB. When there are more the recording
	// pauses as on a full disk; whoever watches live notices nothing.
	Queue int64
	// SyncInterval is how often a recording is made durable, default 1 s: what a power failure can take. (A killed
	// process loses one part at most, whatever this says.)
	SyncInterval time.Duration
	// Cache is how many bytes of rendered playlists and MPEG-TS segments are kept for all shows together, default 64 MiB.
	Cache int64
	// FFmpeg is the program that makes posters, default "ffmpeg", looked up in PATH. Without it there are none.
	FFmpeg string
	// Ranges gives the pins of a show. nil: there are none.
	Ranges Ranges
	// Beside serves what is kept beside the media, after the files of the recording itself. nil: there is nothing.
	Beside Beside
	// Copies are kept outside this machine: what is not on this disk is fetched from there. nil: there are none.
	Copies Copies
	// Deleted is told that a recording was deleted for good, so that what others keep of it goes as well. It may take its time:
	// whoever deletes waits. nil: nobody is told.
	Deleted func(showID string)
	// Edited gives what a merchant made of a replay. nil: nothing.
	Edited Edited
}

func (c Config) withDefaults() Config {
	if c.Reserve == 0 {
		c.Reserve = 512 << 20
	}
	if c.Queue == 0 {
		c.Queue = 16 << 20
	}
	if c.SyncInterval == 0 {
		c.SyncInterval = time.Second
	}
	if c.Cache == 0 {
		c.Cache = 64 << 20
	}
	if c.FFmpeg == "" {
		c.FFmpeg = "ffmpeg"
	}
	if c.Ranges == nil {
		c.Ranges = func(context.Context, string) ([]playlist.DateRange, error) { return nil, nil }
	}
	if c.Deleted == nil {
		c.Deleted = func(string) {}
	}
	if c.Edited == nil {
		c.Edited = func(context.Context, string) (edit.State, error) { return edit.Unedited(), nil }
	}
	return c
}

// Validate returns an Invalid error that names the first field out of its range, or nil.
func (c Config) Validate() error {
	const op = "replay.Config"
	c = c.withDefaults()
	switch {
	case c.Queue < 1<<20:
		return errs.Field(op, "queue", "%d bytes do not hold a part; at least 1 MiB", c.Queue)
	case c.SyncInterval < 10*time.Millisecond || c.SyncInterval > time.Minute:
		return errs.Field(op, "sync_interval", "%v is not between 10ms and 1m", c.SyncInterval)
	case c.Cache < 0:
		return errs.Field(op, "cache", "%d bytes is negative", c.Cache)
	}
	return nil
}
