// Package mirror keeps copies of recordings in a bucket: it uploads them while their shows are on air, lets go of the
// local ones when space is wanted, and brings back what somebody watches. A bucket that fails is never in the way of a
// show or of its recording.
//
// In the bucket a show is a folder recordings/{show}/ with the same files as on the disk, so that a copy of it is a
// recording. While the show is on air its index stands there in pieces, each of which is replaced until it is full; the
// whole index takes their place at the end. The index is stored after the media that it names.
package mirror

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/ids"
	"github.com/vitrine-live/vitrine/replay"
)

// Content is what is uploaded: it may be read more than once.
type Content = interface {
	io.ReadSeeker
	io.ReaderAt
}

// Bucket keeps files by names with slashes. Errors are Unavailable or Exhausted with words for the operator, NotFound for
// a file that is not there. Safe for concurrent use.
type Bucket interface {
	// Upload stores size bytes of r with their CRC-32C, whole or not at all.
	Upload(ctx context.Context, name string, r Content, size int64, crc uint32) error
	// Download opens a file; known is false when it carries no CRC-32C.
	Download(ctx context.Context, name string) (body io.ReadCloser, size int64, crc uint32, known bool, err error)
	Stat(ctx context.Context, name string) (size int64, crc uint32, known bool, err error)
	// Walk lists the files below a prefix; etag is their MD5 in hexadecimal digits as a rule.
	Walk(ctx context.Context, prefix string, fn func(name string, size int64, etag string) error) error
	Folders(ctx context.Context, prefix string, fn func(name string) error) error
	Delete(ctx context.Context, names ...string) error
	// DeleteAll leaves nothing below a prefix, no older version either where it may.
	DeleteAll(ctx context.Context, prefix string) error
	// String names the bucket for people, and tells one bucket from another.
	String() string
}

// Config says how recordings are mirrored. The zero value uploads and keeps every local copy.
type Config struct {
	// Interval is how often shows on air are looked at, default 5 s; others are once a minute.
	Interval time.Duration
	// Parallel is how many files are uploaded at once, over all shows, default 4, at most 64.
	Parallel int
	// KeepLocal is how long after its end, or after somebody watched it, the media of a show stays on this disk once all
	// of it is in the bucket. 0: for ever.
	KeepLocal time.Duration
	// MaxLocal bounds the bytes of media on this disk: those that nobody watched longest leave first. 0: no bound. What is
	// on air, or not in the bucket yet, never leaves.
	MaxLocal int64
	// MinFree is the free space in bytes below which media leaves as well. 0: never.
	MinFree int64
	// Reserve is the free space in bytes that fetching leaves on the disk. 0: none.
	Reserve int64
}

func (c Config) withDefaults() Config {
	if c.Interval == 0 {
		c.Interval = 5 * time.Second
	}
	if c.Parallel == 0 {
		c.Parallel = 4
	}
	return c
}

// Validate returns an Invalid error that names the first field out of its range, or nil.
func (c Config) Validate() error {
	const op = "mirror.Config"
	c = c.withDefaults()
	switch {
	case c.Interval < time.Millisecond || c.Interval > time.Hour:
		return errs.Field(op, "interval", "%v is not between 1ms and 1h", c.Interval)
	case c.Parallel < 1 || c.Parallel > 64:
		return errs.Field(op, "parallel", "%d is not between 1 and 64", c.Parallel)
	case c.KeepLocal < 0:
		return errs.Field(op, "keep_local", "%v is negative", c.KeepLocal)
	case min(c.MaxLocal, c.MinFree, c.Reserve) < 0:
		return errs.Field(op, "max_local", "a size is negative")
	}
	return nil
}

const (
	// restInterval is how often shows that are not on air are looked at.
	restInterval = time.Minute
	// listInterval is how often the bucket is asked which shows it has: others may write to it too.
	listInterval = 5 * time.Minute
	// trimInterval is how often local copies are let go.
	trimInterval = 5 * time.Minute
	// maxBackoff bounds the pause after failures.
	maxBackoff = time.Minute
	// forgetWatched is how long it is remembered that somebody watched a show.
	forgetWatched = 400 * 24 * time.Hour
	// maxShows is how many shows are uploaded side by side; their files share the slots of Config.Parallel.
	maxShows = 16
	// maxFetches is how many files are fetched at once.
	maxFetches = 8
)

// Mirror keeps a bucket in line with a folder of recordings. It is the Copies of a replay.Archive. Safe for concurrent
// use.
type Mirror struct {
	cfg     Config
	bucket  Bucket
	dir     string // of the recordings
	states  states
	log     *slog.Logger
	metrics *Metrics
	now     func() time.Time
	health  health
	kick    chan struct{} // 1: work came up

	slots    chan struct{} // uploads
	fetches  chan struct{}
	fetching singleflight.Group
	ahead    chan aheadOf
	sums     sumCache

	round  sync.Mutex // one Sync at a time; it guards what is below
	work   map[string]*show
	listed time.Time
	rested time.Time

	mu      sync.Mutex
	archive *replay.Archive
	remote  map[string]bool      // shows in the bucket
	deleted map[string]bool      // and those that must go
	watched map[string]time.Time // when somebody last did
	noted   bool                 // watched changed since it was saved
}

// New makes the mirror of the recordings in dir, with what it must remember in the folder stateDir, which is made. It
// asks the bucket nothing: Run does. A nil log or m is allowed. Unavailable: the folder cannot be made.
func New(bucket Bucket, dir, stateDir string, cfg Config, log *slog.Logger, m *Metrics) (*Mirror, error) {
	const op = "mirror.New"
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	if m == nil {
		m = NewMetrics(nil)
	}
	cfg = cfg.withDefaults()
	mi := &Mirror{
		cfg: cfg, bucket: bucket, dir: dir, states: states{dir: stateDir, bucket: bucket.String()}, log: log, metrics: m, now: time.Now,
		health: health{log: log, metrics: m, bucket: bucket.String()}, kick: make(chan struct{}, 1),
		slots: make(chan struct{}, cfg.Parallel), fetches: make(chan struct{}, maxFetches), ahead: make(chan aheadOf, maxAhead),
		work: map[string]*show{}, remote: map[string]bool{}, deleted: map[string]bool{},
	}
	if err := mi.states.open(); err != nil {
		return nil, errs.As(errs.Unavailable, op, err, "the folder %s cannot be made; check its owner and the disk", stateDir)
	}
	mi.states.sweep()
	for _, id := range mi.states.tombstones() {
		mi.deleted[id] = true
	}
	mi.watched = mi.states.loadWatched()
	return mi, nil
}

// Run mirrors the recordings of an archive, whose Copies this is, until ctx ends.
func (m *Mirror) Run(ctx context.Context, archive *replay.Archive) {
	m.Attach(archive)
	var running sync.WaitGroup
	for range 2 {
		running.Go(func() { m.fetchAhead(ctx) })
	}
	running.Go(func() { m.trimLoop(ctx) })
	pause := m.cfg.Interval
	for ctx.Err() == nil {
		if err := m.Sync(ctx); err != nil {
			pause = min(2*pause, max(maxBackoff, m.cfg.Interval))
		} else {
			pause = m.cfg.Interval
		}
		m.wait(ctx, pause/2+rand.N(pause/2+1)) //nolint:gosec // spreads servers over time; nothing is secret
	}
	running.Wait()
	m.saveWatched()
}

// Attach tells the mirror of its archive, where Run is not used.
func (m *Mirror) Attach(archive *replay.Archive) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.archive = archive
}

// wait pauses. A kick ends it, unless the bucket fails.
func (m *Mirror) wait(ctx context.Context, pause time.Duration) {
	kick := m.kick
	if m.health.failing() {
		kick = nil
	}
	t := time.NewTimer(pause)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	case <-kick:
	}
}

// Sync brings the bucket in line with what is here: what must go is deleted, what is missing uploaded. It returns nil
// when nothing is left to do for now, and what the bucket, or a file here, fails with; what failed is tried again by the
// next one.
func (m *Mirror) Sync(ctx context.Context) error {
	m.round.Lock()
	defer m.round.Unlock()
	err := m.sync(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	m.health.note(err)
	return err
}

func (m *Mirror) sync(ctx context.Context) error {
	if err := m.bury(ctx); err != nil {
		return err
	}
	if now := m.now(); now.Sub(m.listed) >= listInterval {
		if err := m.list(ctx); err != nil {
			return err
		}
		m.listed = now
	}
	return m.uploadAll(ctx)
}

// list asks the bucket which shows it has. Copies of shows that are gone from there go here too.
func (m *Mirror) list(ctx context.Context) error {
	remote := map[string]bool{}
	err := m.bucket.Folders(ctx, recordings, func(name string) error {
		if ids.Valid("show", name) {
			remote[name] = true
		}
		return nil
	})
	if err != nil {
		return err
	}
	m.mu.Lock()
	m.remote = remote
	archive := m.archive
	m.mu.Unlock()
	if archive == nil {
		return nil
	}
	for _, id := range m.local() {
		st, ok := m.states.load(id)
		switch {
		case !ok || !st.Fetched:
		case !remote[id]:
			if err := archive.DropCopy(id); err == nil {
				m.states.remove(id)
				m.log.Info("a copy of a show that was deleted elsewhere is gone", "show", id)
			}
		case !st.Complete:
			if err := m.adopt(ctx, id); err != nil {
				return err
			}
		}
	}
	return nil
}

// recordings is the folder of all shows in the bucket.
const recordings = "recordings/"

// local lists the shows that have a folder here.
func (m *Mirror) local() (shows []string) {
	entries, err := os.ReadDir(m.dir)
	if err != nil {
		return nil
	}
	for _, e := range entries {
		if e.IsDir() && ids.Valid("show", e.Name()) {
			shows = append(shows, e.Name())
		}
	}
	return shows
}

func (m *Mirror) path(showID, name string) string { return filepath.Join(m.dir, showID, name) }

// Has reports whether the bucket has the show, as far as is known here.
func (m *Mirror) Has(showID string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.remote[showID] && !m.deleted[showID]
}

// Shows lists the shows in the bucket, as far as is known here.
func (m *Mirror) Shows() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	shows := make([]string, 0, len(m.remote))
	for id := range m.remote {
		if !m.deleted[id] {
			shows = append(shows, id)
		}
	}
	return shows
}

func (m *Mirror) gone(showID string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.deleted[showID]
}

// Watched notes that somebody reads the media of a show.
func (m *Mirror) Watched(showID string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.watched[showID], m.noted = m.now(), true
}

func (m *Mirror) saveWatched() {
	m.mu.Lock()
	if !m.noted {
		m.mu.Unlock()
		return
	}
	m.noted = false
	watched := make(map[string]time.Time, len(m.watched))
	for id, at := range m.watched {
		if m.now().Sub(at) < forgetWatched {
			watched[id] = at
		}
	}
	m.mu.Unlock()
	if err := m.states.saveWatched(watched); err != nil {
		m.log.Warn("when shows were last watched could not be kept", "error", err)
	}
}

// Delete notes for good that the bucket must not keep the show, and deletes it there in its own time.
func (m *Mirror) Delete(showID string) error {
	const op = "mirror.Delete"
	if err := m.states.bury(showID); err != nil {
		return errs.As(errs.Unavailable, op, err, "what must be deleted cannot be noted; check the disk")
	}
	m.mu.Lock()
	m.deleted[showID] = true
	m.mu.Unlock()
	select {
	case m.kick <- struct{}{}:
	default: // it will look anyway
	}
	return nil
}

// bury deletes what must go. What cannot be deleted now is not forgotten.
func (m *Mirror) bury(ctx context.Context) error {
	ids := m.states.tombstones()
	m.metrics.Deleting.Set(float64(len(ids)))
	for _, id := range ids {
		if err := m.buryOne(ctx, id); err != nil {
			return err
		}
	}
	m.metrics.Deleting.Set(0)
	return nil
}

func (m *Mirror) buryOne(ctx context.Context, id string) error {
	m.mu.Lock()
	archive := m.archive
	m.mu.Unlock()
	if archive != nil { // the process may have ended before its folder went
		if err := archive.DropCopy(id); errs.KindOf(err) == errs.Conflict {
			return nil // is being deleted right now: the next round
		} else if err != nil {
			return err
		}
	}
	if err := m.bucket.DeleteAll(ctx, folder(id)); err != nil {
		return err
	}
	delete(m.work, id)
	m.states.remove(id)
	err := m.states.unbury(id)
	m.mu.Lock()
	delete(m.remote, id)
	delete(m.watched, id)
	m.noted = true
	if err == nil {
		delete(m.deleted, id)
	}
	m.mu.Unlock()
	m.log.Info("a recording is deleted from the bucket", "show", id)
	return err
}

func folder(showID string) string { return recordings + showID + "/" }

// outside reports whether err says that the bucket does not work, so that there is no use in trying the next file.
func outside(err error) bool {
	k := errs.KindOf(err)
	return k == errs.Unavailable || k == errs.Exhausted || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
