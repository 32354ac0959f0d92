package replay

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// files are the open files of a recorder: the writer opens and fills them, sync makes them durable and closes those
// that are complete, so that writing waits for no sync.
type files struct {
	archive *Archive
	disk    disk
	index   diskFile

	mu           sync.Mutex
	segment      diskFile // being filled
	segmentDirty bool
	indexDirty   bool
	namesDirty   bool
	complete     []diskFile // to be synced and closed
	discarded    []diskFile // to be closed
	segments     int64      // of the recording, complete ones and gaps

	syncing    sync.Mutex // one sync at a time
	durableTo  atomic.Int64
	syncFailed bool // under syncing: what a failed sync left behind is unknown for good
}

func newFiles(a *Archive, d disk, index *indexFile) *files {
	return &files{archive: a, disk: d, index: index.file, indexDirty: true, namesDirty: true}
}

// begin makes the file of a new segment.
func (f *files) begin(name string) (diskFile, error) {
	file, err := f.disk.create(name)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.segment, f.segmentDirty, f.namesDirty = file, false, true
	return file, nil
}

func (f *files) segmentChanged() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.segmentDirty = true
}

func (f *files) indexChanged() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.indexDirty = true
}

// closeSegment hands the file of the segment, if there is one, to the next sync. The recording then has n segments.
func (f *files) closeSegment(n int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.segment != nil {
		f.complete = append(f.complete, f.segment)
		f.segment = nil
	}
	f.segments = n
}

// discardSegment removes the file of the segment, called name.
func (f *files) discardSegment(name string) {
	f.mu.Lock()
	f.discarded = append(f.discarded, f.segment)
	_ = f.segment.Truncate(0) // gives its space back at once, and should it not go away it is no half of a segment
	f.segment, f.segmentDirty, f.namesDirty = nil, false, true
	f.mu.Unlock()
	_ = f.disk.remove(name)
}

// writeWhole writes a small file so that it is there whole or not at all, and durable.
func (f *files) writeWhole(name string, data []byte) error {
	tmp := name + tempSuffix
	file, err := f.disk.create(tmp)
	if err != nil {
		return err
	}
	_, err = file.WriteAt(data, 0)
	if err == nil {
		err = file.Sync()
	}
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = f.disk.rename(tmp, name)
	}
	if err != nil {
		_ = f.disk.remove(tmp)
		return err
	}
	return f.disk.sync()
}

const tempSuffix = ".tmp"

// durable is how many segments of the recording are known to be on the disk.
func (f *files) durable() int64 { return f.durableTo.Load() }

// sync makes everything durable that was written before it was called: names, then media, then the index.
func (f *files) sync() error {
	f.syncing.Lock()
	defer f.syncing.Unlock()
	f.mu.Lock()
	segment, complete, discarded, segments := f.segment, f.complete, f.discarded, f.segments
	segmentDirty, indexDirty, namesDirty := f.segmentDirty, f.indexDirty, f.namesDirty
	f.complete, f.discarded = nil, nil
	f.segmentDirty, f.indexDirty, f.namesDirty = false, false, false
	f.mu.Unlock()

	var errs []error
	if namesDirty {
		errs = append(errs, f.disk.sync())
	}
	for _, file := range complete {
		errs = append(errs, file.Sync(), file.Close())
	}
	for _, file := range discarded {
		_ = file.Close() // its bytes are unwanted
	}
	if segment != nil && segmentDirty {
		errs = append(errs, segment.Sync())
	}
	if err := errors.Join(errs...); err != nil {
		f.syncFailed = true
	}
	if !f.syncFailed {
		f.durableTo.Store(max(f.durableTo.Load(), segments))
	}
	if indexDirty {
		errs = append(errs, f.index.Sync())
	}
	return errors.Join(errs...)
}

// close closes everything. It is called after the last sync.
func (f *files) close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var errs []error
	if f.segment != nil {
		errs = append(errs, f.segment.Close())
		f.segment = nil
	}
	return errors.Join(append(errs, f.index.Close(), f.disk.close())...)
}

// syncLoop syncs until stop is closed. Recorders begin at different instants of the interval, and only a few sync at
// once, so that hundreds of them neither storm the disk nor hold a thread each.
func (r *Recorder) syncLoop(stop <-chan struct{}) {
	a := r.archive
	t := time.NewTimer(a.syncPhase())
	defer t.Stop()
	failing := false
	for {
		select {
		case <-stop:
			return
		case <-t.C:
		}
		t.Reset(a.cfg.SyncInterval)
		select {
		case <-stop:
			return
		case a.syncSlots <- struct{}{}:
		}
		began := time.Now()
		err := r.files.sync()
		<-a.syncSlots
		a.metrics.SyncSeconds.Observe(time.Since(began).Seconds())
		if err != nil {
			r.failed()
		}
		if err != nil && !failing {
			r.log.Error("a recording could not be made durable", "error", err)
		}
		failing = err != nil
	}
}
