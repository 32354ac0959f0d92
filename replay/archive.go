// Package replay records shows and plays them again: while they are on air as an EVENT playlist, afterwards as VOD.
//
// A Recorder writes the very bytes that viewers get. The folder of a show holds a file per segment, which grows part by
// part, one per initialization segment, and an append-only index whose every line is checked; it can be read after a
// kill or a power failure at any instant. An Archive is the folder of all shows.
package replay

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"math"
	"os"
	"path"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/ids"
	"github.com/vitrine-live/vitrine/internal/memo"
)

const (
	// maxSyncs is how many recorders may sync at once: each holds a thread while it does.
	maxSyncs = 4
	// maxIdle is how many recordings that nobody records are kept in memory: 0.7 MB for a show of four hours.
	maxIdle = 64
	// spaceInterval is how often the free space is looked at.
	spaceInterval = time.Second
)

// Archive is the folder of all recordings: it records, lists, serves and deletes them. Safe for concurrent use.
type Archive struct {
	cfg     Config
	log     *slog.Logger
	metrics *Metrics
	dir     string
	root    *os.Root
	posters *posters
	cache   *memo.Cache[cached]
	remuxes chan struct{}

	// Tests put other ones in their place.
	newDisk func(root *os.Root, dir string) (disk, error)
	space   func(dir string) (int64, error)

	free      atomic.Int64 // bytes
	syncSlots chan struct{}
	phases    atomic.Uint64
	loading   singleflight.Group
	ctx       context.Context //nolint:containedctx // ends with the archive, whoever waits for a file
	stop      context.CancelFunc
	running   sync.WaitGroup // the space watch and the recorders

	mu        sync.Mutex
	closed    bool
	recorders map[string]*Recorder
	busy      map[string]bool       // shows that a Record or Delete is at work on
	idle      map[string]*Recording // read and not being recorded
	idleOrder []string              // least recently used first
}

// Open opens the archive in the folder dir, which is made when it is not there. A nil log or m is allowed: nothing is
// logged or counted then.
func Open(dir string, cfg Config, log *slog.Logger, m *Metrics) (*Archive, error) {
	return open(dir, cfg, log, m, openDisk, freeSpace)
}

func open(dir string, cfg Config, log *slog.Logger, m *Metrics,
	newDisk func(*os.Root, string) (disk, error), space func(string) (int64, error),
) (*Archive, error) {
	const op = "replay.Open"
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, errs.As(errs.Unavailable, op, err, "the folder of the recordings cannot be made; check its owner and the disk")
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, errs.As(errs.Unavailable, op, err, "the folder of the recordings cannot be opened")
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	if m == nil {
		m = NewMetrics(nil)
	}
	cfg = cfg.withDefaults()
	ctx, stop := context.WithCancel(context.Background())
	a := &Archive{
		cfg: cfg, log: log, metrics: m, dir: dir, root: root, newDisk: newDisk, space: space, ctx: ctx, stop: stop,
		cache: newCache(cfg.Cache, m), remuxes: make(chan struct{}, maxRemuxes()), syncSlots: make(chan struct{}, maxSyncs),
		recorders: map[string]*Recorder{}, busy: map[string]bool{}, idle: map[string]*Recording{},
	}
	a.posters = newPosters(ctx, a)
	a.removeDeleted()
	a.watchOnce()
	a.running.Go(func() { a.watch(ctx) })
	return a, nil
}

// Close closes what is still being recorded, as Recorder.Close does, and waits for everything to end.
func (a *Archive) Close() error {
	a.mu.Lock()
	a.closed = true
	recorders := make([]*Recorder, 0, len(a.recorders))
	for _, r := range a.recorders {
		r.queue.finish(false)
		recorders = append(recorders, r)
	}
	a.mu.Unlock()
	var failed []error
	for _, r := range recorders {
		failed = append(failed, r.Close())
	}
	a.stop()
	a.posters.wait()
	a.running.Wait()
	return errors.Join(append(failed, a.root.Close())...)
}

// Record starts the recording of a show, or continues the one there is: what a crash left half done is mended first.
// The Resume says where the packager has to go on. It returns Conflict while the show is being recorded and when it has
// ended, Unavailable when its files cannot be written.
func (a *Archive) Record(showID string) (*Recorder, Resume, error) {
	const op = "replay.Record"
	if !ids.Valid("show", showID) {
		return nil, Resume{}, errs.New(errs.Invalid, op, "%q is not the ID of a show", showID)
	}
	if err := a.claim(showID); err != nil {
		return nil, Resume{}, err
	}
	rec, d, index, err := a.takeUp(showID)
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.busy, showID)
	if err == nil && a.closed {
		err = errors.Join(errClosed, index.file.Close(), d.close())
	}
	if err != nil {
		return nil, Resume{}, errs.Wrap(op, err)
	}
	r := newRecorder(a, rec, d, index)
	a.recorders[showID] = r
	a.forget(showID)
	a.metrics.Recorders.Inc()
	a.running.Go(func() { r.run(index) })
	return r, rec.Resume(), nil
}

var errClosed = errs.New(errs.Unavailable, "replay", "the archive is closed")

// claim keeps everybody else from recording or deleting the show until it is taken out of busy.
func (a *Archive) claim(showID string) error {
	const op = "replay.claim"
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.closed:
		return errClosed
	case a.recorders[showID] != nil:
		return errs.New(errs.Conflict, op, "%s is being recorded", showID)
	case a.busy[showID]:
		return errs.New(errs.Conflict, op, "%s is being recorded or deleted", showID)
	}
	a.busy[showID] = true
	return nil
}

// finished is called by a recorder whose work is done.
func (a *Archive) finished(r *Recorder, ended bool) {
	a.metrics.Recorders.Dec()
	r.rec.noteIndex(r.rec.indexFile())
	a.mu.Lock()
	delete(a.recorders, r.rec.show)
	a.remember(r.rec)
	a.mu.Unlock()
	if ended {
		a.posters.offer(r.rec)
	}
}

// Recording returns the recording of a show, also while it is being recorded. It returns NotFound when there is none.
func (a *Archive) Recording(showID string) (*Recording, error) {
	const op = "replay.Recording"
	if !ids.Valid("show", showID) {
		return nil, errs.New(errs.NotFound, op, "there is no such show")
	}
	if rec := a.inMemory(showID); rec != nil {
		return rec, nil
	}
	v, err, _ := a.loading.Do(showID, func() (any, error) {
		rec, _, err := a.read(showID)
		if err != nil {
			return nil, err
		}
		return a.settleOn(rec), nil
	})
	if err != nil {
		return nil, errs.Wrap(op, err)
	}
	return v.(*Recording), nil // made above
}

// settleOn keeps a recording that was just read, unless somebody recorded or deleted the show meanwhile.
func (a *Archive) settleOn(read *Recording) *Recording {
	a.mu.Lock()
	defer a.mu.Unlock()
	if r := a.recorders[read.show]; r != nil {
		return r.rec
	}
	if rec := a.idle[read.show]; rec != nil {
		return rec
	}
	if !a.busy[read.show] && read.exists(indexName) {
		a.remember(read)
	}
	return read
}

func (a *Archive) inMemory(showID string) *Recording {
	rec, recording := a.kept(showID)
	if rec == nil || recording || !rec.outdated(time.Now()) {
		return rec
	}
	a.mu.Lock() // it was mended by a command, or grew elsewhere
	defer a.mu.Unlock()
	if a.idle[showID] == rec {
		a.forget(showID)
	}
	return nil
}

// kept is the recording that is in memory, and whether it is being recorded.
func (a *Archive) kept(showID string) (rec *Recording, recording bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if r := a.recorders[showID]; r != nil {
		return r.rec, true
	}
	if rec = a.idle[showID]; rec != nil {
		a.remember(rec)
	}
	return rec, false
}

// remember keeps a recording that nobody records in memory, and drops the one that was not asked for longest. Called
// with the lock held.
func (a *Archive) remember(rec *Recording) {
	a.forget(rec.show)
	a.idle[rec.show] = rec
	a.idleOrder = append(a.idleOrder, rec.show)
	if len(a.idleOrder) > maxIdle {
		a.forget(a.idleOrder[0])
	}
}

func (a *Archive) forget(showID string) {
	if a.idle[showID] == nil {
		return
	}
	delete(a.idle, showID)
	for i, id := range a.idleOrder {
		if id == showID {
			a.idleOrder = append(a.idleOrder[:i], a.idleOrder[i+1:]...)
			return
		}
	}
}

// Has reports whether there is a recording of the show, without reading it.
func (a *Archive) Has(showID string) bool {
	if !ids.Valid("show", showID) {
		return false
	}
	if a.inMemory(showID) != nil {
		return true
	}
	st, err := a.root.Stat(path.Join(showID, indexName))
	return err == nil && st.Size() > 0 || a.elsewhere(showID)
}

// Shows lists the shows that have a folder here or a copy elsewhere.
func (a *Archive) Shows() ([]string, error) {
	const op = "replay.Shows"
	entries, err := fs.ReadDir(a.root.FS(), ".")
	if err != nil {
		return nil, errs.Wrap(op, err)
	}
	var shows []string
	for _, e := range entries {
		if e.IsDir() && ids.Valid("show", e.Name()) {
			shows = append(shows, e.Name())
		}
	}
	return a.withElsewhere(shows), nil
}

// Usage returns the bytes on this disk that a show takes. It returns NotFound when there is no recording.
func (a *Archive) Usage(showID string) (int64, error) {
	const op = "replay.Usage"
	if !a.Has(showID) {
		return 0, errs.New(errs.NotFound, op, "%s has no recording", showID)
	}
	entries, err := fs.ReadDir(a.root.FS(), showID)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil // all of it is elsewhere
	}
	if err != nil {
		return 0, fileError(op, err)
	}
	var sum int64
	for _, e := range entries {
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // went away meanwhile
		}
		if err != nil {
			return 0, fileError(op, err)
		}
		sum += info.Size()
	}
	return sum, nil
}

// Delete removes the recording of a show, its copies elsewhere included, which may take their time. It returns Conflict
// while it is being recorded, NotFound when there is none.
func (a *Archive) Delete(showID string) error {
	const op = "replay.Delete"
	if !a.Has(showID) {
		return errs.New(errs.NotFound, op, "%s has no recording", showID)
	}
	if err := a.removeForGood(showID); err != nil {
		return errs.Wrap(op, err)
	}
	a.cfg.Deleted(showID)
	return nil
}

func (a *Archive) removeForGood(showID string) error {
	if err := a.claim(showID); err != nil {
		return err
	}
	defer a.release(showID)
	if a.cfg.Copies != nil {
		if err := a.cfg.Copies.Delete(showID); err != nil {
			return err
		}
	}
	return a.removeLocal(showID)
}

// removeLocal removes the folder of a show that is claimed.
func (a *Archive) removeLocal(showID string) error {
	// With another name it is gone for everybody at once, however long its thousands of files take.
	err := a.root.Rename(showID, showID+deletedSuffix)
	a.mu.Lock()
	a.forget(showID)
	a.mu.Unlock()
	a.cache.Drop(showID)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return a.root.RemoveAll(showID + deletedSuffix)
}

const deletedSuffix = ".deleted"

// removeDeleted ends deletions that were interrupted.
func (a *Archive) removeDeleted() {
	entries, err := fs.ReadDir(a.root.FS(), ".")
	if err != nil {
		return
	}
	for _, e := range entries {
		if id, ok := strings.CutSuffix(e.Name(), deletedSuffix); ok && ids.Valid("show", id) {
			if err := a.root.RemoveAll(e.Name()); err != nil {
				a.log.Warn("a deleted recording is still there", "folder", e.Name(), "error", err)
			}
		}
	}
}

// leastRoom is the free space above the reserve that a paused recording needs to go on, or it would stop again at once.
const leastRoom = 1 << 20

// hasSpace reports whether a segment may be recorded.
func (a *Archive) hasSpace(paused bool) bool {
	need := max(0, a.cfg.Reserve)
	if paused {
		need += max(need/16, leastRoom)
	}
	return a.free.Load() >= need
}

// ranFull is called when the disk was full, whatever it said of itself before. What is free again counts when it is
// looked at the next time.
func (a *Archive) ranFull() { a.free.Store(0) }

// watch keeps an eye on the free space and on how far recorders are behind.
func (a *Archive) watch(ctx context.Context) {
	t := time.NewTicker(spaceInterval)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			a.watchOnce()
		}
	}
}

func (a *Archive) watchOnce() {
	free, err := a.space(a.dir)
	if err != nil { // a full disk shows when it is written to
		free = math.MaxInt64
	}
	a.free.Store(free)
	a.metrics.FreeBytes.Set(float64(free))

	a.mu.Lock()
	defer a.mu.Unlock()
	var bytes int64
	var longest time.Duration
	now := time.Now()
	for _, r := range a.recorders {
		b, lag := r.queue.lag(now)
		bytes += b
		longest = max(longest, lag)
	}
	a.metrics.LagBytes.Set(float64(bytes))
	a.metrics.LagSeconds.Set(longest.Seconds())
}

// syncPhase spreads recorders over the sync interval, however many come: multiples of the golden ratio do.
func (a *Archive) syncPhase() time.Duration {
	const ratio = 0.6180339887498949
	_, fraction := math.Modf(float64(a.phases.Add(1)) * ratio)
	return time.Duration(fraction * float64(a.cfg.SyncInterval))
}
