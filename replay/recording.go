package replay

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
)

// Recording is what is recorded of one show: its list of segments, kept in memory, and its files. It may be read while
// a Recorder adds to it. Safe for concurrent use.
type Recording struct {
	show string
	root *os.Root
	dir  string // of the show below root
	own  bool   // root belongs to this Recording

	archive *Archive // nil: this folder is all there is
	index   indexState
	offered atomic.Bool // the poster was offered

	mu       sync.RWMutex
	target   int         // seconds; 0 until the packager decided it
	part     media.Ticks // part target; 0 where the index is older than that
	inits    []playlist.Init
	lastInit int // the highest number met, also of one that could not be written
	epochs   media.Epochs
	segments []playlist.Segment // complete ones and gaps, numbered without holes; elements never change
	longest  media.Ticks        // of the segments
	open     *playlist.Segment  // with its parts; replaced, never changed
	ended    bool
	version  uint64 // rises with whatever a playlist shows
	rate     rate
}

// Show is the show's ID.
func (r *Recording) Show() string { return r.show }

// Segments returns the complete segments and gaps in order, without parts. The caller must not change them.
func (r *Recording) Segments() []playlist.Segment {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return slices.Clip(r.segments)
}

// Inits returns the initialization segments in order.
func (r *Recording) Inits() []playlist.Init {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return slices.Clip(r.inits)
}

// Epochs returns how show time maps to the wall clock.
func (r *Recording) Epochs() media.Epochs {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return slices.Clip(r.epochs)
}

// TargetDuration is the playlists' target duration in seconds, 0 until the first segment is complete.
func (r *Recording) TargetDuration() int {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.targetDuration()
}

// Duration is the show time at which the recording ends, with the parts of the open segment.
func (r *Recording) Duration() media.Ticks {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.open != nil {
		return r.open.End()
	}
	return r.end()
}

// Ended reports whether the show is over.
func (r *Recording) Ended() bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.ended
}

// Resume is where a packager goes on with the show. It has the fields of hls.Resume and converts to it.
type Resume struct {
	NextMSN        int64
	NextInit       int
	ShowTime       media.Ticks
	TargetDuration int // seconds; 0 when the packager never decided it
	PartTarget     media.Ticks
	Segments       []playlist.Segment
	Inits          []playlist.Init

	Discontinuities int64 // before Segments: none, as they are the whole show
}

// Resume says where the show goes on after what is recorded.
func (r *Recording) Resume() Resume {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return Resume{
		NextMSN:        r.nextMSN(),
		NextInit:       r.lastInit + 1,
		ShowTime:       r.end(),
		TargetDuration: r.target,
		PartTarget:     r.part,
		Segments:       slices.Clip(r.segments),
		Inits:          slices.Clip(r.inits),
	}
}

// Open returns the segment that is being recorded, with its parts so far; ok is false when there is none.
func (r *Recording) Open() (open playlist.Segment, ok bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.open == nil {
		return playlist.Segment{}, false
	}
	return *r.open, true
}

// Recorded reports whether segment msn is complete and readable.
func (r *Recording) Recorded(msn int64) bool {
	s, ok := r.segment(msn)
	return ok && !s.Gap
}

// OpenSegment opens segment msn and tells its size. Of the segment that is being recorded it gives the parts so far.
// It returns NotFound for a gap and for what was never recorded.
func (r *Recording) OpenSegment(msn int64) (io.ReadSeekCloser, int64, error) {
	const op = "replay.OpenSegment"
	s, ok := r.segment(msn)
	growing := false
	if !ok {
		s, growing = r.openSegment(msn)
		ok = growing
	}
	if !ok || s.Gap {
		return nil, 0, errs.New(errs.NotFound, op, "segment %d of %s is not recorded", msn, r.show)
	}
	r.watched()
	f, err := r.openFile(playlist.SegmentName(msn, playlist.CMAF))
	if err != nil {
		return nil, 0, errs.Wrap(op, err)
	}
	if growing { // without bytes whose index line is not written yet
		return sectionFile{io.NewSectionReader(f, 0, s.Size), f}, s.Size, nil
	}
	return f, s.Size, nil
}

// sectionFile is a part of a file.
type sectionFile struct {
	*io.SectionReader
	io.Closer
}

// InitData returns the bytes of initialization segment n. It returns NotFound for a number that was not recorded.
func (r *Recording) InitData(n int) ([]byte, error) {
	const op = "replay.InitData"
	if _, ok := r.init(n); !ok {
		return nil, errs.New(errs.NotFound, op, "initialization segment %d of %s is not recorded", n, r.show)
	}
	f, err := r.openFile(playlist.InitName(n))
	if err != nil {
		return nil, errs.Wrap(op, err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	return b, errs.Wrap(op, err)
}

// Close releases what OpenRecording took. A Recording of an Archive need not be closed.
func (r *Recording) Close() error {
	if !r.own {
		return nil
	}
	return r.root.Close()
}

// openFile opens a file of the show for reading. One that is not on this disk is fetched from where copies are kept;
// the caller waits for it.
func (r *Recording) openFile(name string) (*os.File, error) {
	const op = "replay.openFile"
	f, err := r.root.Open(path.Join(r.dir, name))
	if errors.Is(err, fs.ErrNotExist) && r.archive != nil && r.archive.elsewhere(r.show) && name != indexName {
		if err := r.archive.fetch(r.show, name); err != nil {
			return nil, errs.Wrap(op, err)
		}
		f, err = r.root.Open(path.Join(r.dir, name))
	}
	return f, fileError(op, err)
}

// watched notes that somebody reads media, so that it is kept on this disk longer than what nobody does.
func (r *Recording) watched() {
	if r.archive != nil && r.archive.cfg.Copies != nil {
		r.archive.cfg.Copies.Watched(r.show)
	}
}

// fileError classifies an error of the file system.
func fileError(op string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return errs.As(errs.NotFound, op, err, "the recording has no such file")
	}
	return errs.Wrap(op, err)
}

func (r *Recording) segment(msn int64) (playlist.Segment, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if len(r.segments) == 0 {
		return playlist.Segment{}, false
	}
	i := msn - r.segments[0].MSN
	if i < 0 || i >= int64(len(r.segments)) {
		return playlist.Segment{}, false
	}
	return r.segments[i], true
}

func (r *Recording) openSegment(msn int64) (playlist.Segment, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.open == nil || r.open.MSN != msn {
		return playlist.Segment{}, false
	}
	return *r.open, true
}

func (r *Recording) init(n int) (playlist.Init, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	i, ok := slices.BinarySearchFunc(r.inits, n, func(in playlist.Init, n int) int { return in.Number - n })
	if !ok {
		return playlist.Init{}, false
	}
	return r.inits[i], true
}

// The methods below are called with the lock held, or before the Recording is shared.

func (r *Recording) nextMSN() int64 {
	if n := len(r.segments); n > 0 {
		return r.segments[n-1].MSN + 1
	}
	return 0
}

func (r *Recording) end() media.Ticks {
	if n := len(r.segments); n > 0 {
		return r.segments[n-1].End()
	}
	return 0
}

func (r *Recording) addInit(in playlist.Init) {
	r.lastInit = max(r.lastInit, in.Number)
	if n := len(r.inits); n > 0 && r.inits[n-1].Number >= in.Number {
		return
	}
	r.inits = append(r.inits, in)
}

// addSegment adds a complete segment or a gap.
func (r *Recording) addSegment(s playlist.Segment) {
	s.Parts, s.TargetDuration, s.PartTarget = nil, 0, 0 // the same in all
	r.lastInit = max(r.lastInit, s.Init)
	if n := len(r.inits); s.Gap && (n == 0 || r.inits[n-1].Number < s.Init) {
		// Its initialization segment could not be written either: no playlist may name it.
		s.Init = 0
		if n > 0 {
			s.Init = r.inits[n-1].Number
		}
	}
	r.segments = append(r.segments, s)
	r.longest = max(r.longest, s.Duration)
	r.open = nil
	r.rate.add(r.segments, r.targetDuration())
	r.version++
}

// addPart adds a part to the open segment.
func (r *Recording) addPart(s playlist.Segment, p playlist.Part) {
	var parts []playlist.Part
	if r.open != nil && r.open.MSN == s.MSN {
		parts = r.open.Parts
	}
	s.Parts = append(slices.Clip(parts), p)
	s.Size, s.Duration = 0, 0
	for i := range s.Parts {
		s.Size += s.Parts[i].Size
		s.Duration += s.Parts[i].Duration
	}
	r.open = &s
}

// startsEpoch returns the epoch that segment s begins, if the mapping so far says another wall instant for it.
func (r *Recording) startsEpoch(s *playlist.Segment) (media.Epoch, bool) {
	if s.Wall.IsZero() {
		return media.Epoch{}, false
	}
	if n := len(r.epochs); n > 0 {
		// Segments carry whole milliseconds.
		if d := r.epochs[n-1].WallAt(s.Start).Sub(s.Wall); d > -2*time.Millisecond && d < 2*time.Millisecond {
			return media.Epoch{}, false
		}
	}
	return media.Epoch{ShowTime: s.Start, Wall: s.Wall}, true
}

// targetDuration is what the packager decided, or, when it was stopped before it could, what holds its only segment.
func (r *Recording) targetDuration() int {
	if r.target > 0 || len(r.segments) == 0 {
		return r.target
	}
	return max(1, int((r.longest+media.TicksPerSecond-1)/media.TicksPerSecond))
}

// addEpoch adds a mapping. One that starts where the last one does takes its place: nothing was presented between.
func (r *Recording) addEpoch(e media.Epoch) {
	if n := len(r.epochs); n > 0 && r.epochs[n-1].ShowTime >= e.ShowTime {
		r.epochs = append(slices.Clip(r.epochs[:n-1]), e)
		return
	}
	r.epochs = append(r.epochs, e)
}
