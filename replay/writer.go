package replay

import (
	"errors"
	"fmt"
	"slices"

	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/media"
)

// writer is the disk side of a Recorder. It belongs to the recorder's goroutine.
type writer struct {
	r     *Recorder
	index *indexFile
	inits []job // initialization segments that are not written yet
	seg   *segmentFile
	skip  int64 // MSN of the segment that becomes a gap; -1: none
	buf   []byte
}

// segmentFile is the segment that is being written.
type segmentFile struct {
	playlist.Segment // Size and Duration are of the parts so far
	file             diskFile
}

var (
	errLowSpace = errors.New("free space is below the reserve")
	errNoStart  = errors.New("not a place to go on")
)

func (w *writer) do(j *job) {
	switch j.kind {
	case jobInit:
		w.inits = append(w.inits, *j)
		if !w.r.paused() {
			w.check(w.writeInits(j.init.Number))
		}
	case jobEpoch:
		w.epoch(j.epoch)
	case jobPart:
		w.part(j)
	case jobSegment:
		w.segment(&j.seg, j.lost)
	}
}

// check pauses the recording when err is one.
func (w *writer) check(err error) bool {
	switch {
	case err == nil:
		return true
	case errors.Is(err, errNoStart):
		return false
	case errors.Is(err, errLowSpace):
		w.r.pause(fmt.Sprintf("less than the reserve of %d MiB is free on the disk", w.r.archive.cfg.Reserve>>20), nil)
		return false
	case isFull(err):
		w.r.archive.ranFull()
		w.r.pause("the disk is full", err)
	default:
		w.r.pause("the disk fails: "+err.Error(), err)
	}
	w.r.failed()
	return false
}

func (w *writer) epoch(e media.Epoch) {
	rec := w.r.rec
	rec.mu.Lock()
	rec.addEpoch(e)
	rec.mu.Unlock()
	w.keep(appendEpoch(e))
}

// keep writes a line that must not be lost: when it cannot be written now it is with a later one.
func (w *writer) keep(l []byte) {
	w.check(w.index.keep(l))
	w.r.files.indexChanged()
}

// part writes the bytes of a part, then its line.
func (w *writer) part(j *job) {
	if w.skip == j.seg.MSN {
		return
	}
	if w.seg == nil || w.seg.MSN != j.seg.MSN {
		if !w.check(w.begin(j)) {
			w.skip = j.seg.MSN
			return
		}
	}
	if !w.check(w.append(j)) {
		w.discard()
		w.skip = j.seg.MSN
		return
	}
	rec := w.r.rec
	rec.mu.Lock()
	rec.addPart(w.seg.Segment, j.part)
	rec.mu.Unlock()
	w.r.archive.metrics.Written.Add(float64(len(j.data)))
	if w.r.paused() {
		w.r.goOn(j.seg.MSN)
	}
}

// begin opens the file of the segment that starts with part j.
func (w *writer) begin(j *job) error {
	if w.seg != nil { // its end was never told
		s := w.seg.Segment
		w.segment(&s, false)
	}
	if j.part.Index != 0 || w.r.paused() && !j.seg.Independent {
		return errNoStart
	}
	if !w.r.archive.hasSpace(w.r.paused()) {
		return errLowSpace
	}
	if err := w.writeInits(j.seg.Init); err != nil {
		return err
	}
	f, err := w.r.files.begin(playlist.SegmentName(j.seg.MSN, playlist.CMAF))
	if err != nil {
		return err
	}
	w.startEpoch(&j.seg)
	w.seg = &segmentFile{Segment: j.seg, file: f}
	w.seg.Size, w.seg.Duration = 0, 0
	return nil
}

func (w *writer) append(j *job) error {
	s := w.seg
	if j.part.Offset != s.Size || j.part.Size != int64(len(j.data)) {
		return fmt.Errorf("part %d of segment %d does not follow the one before", j.part.Index, s.MSN)
	}
	if _, err := s.file.WriteAt(j.data, s.Size); err != nil {
		return err
	}
	w.r.files.segmentChanged()
	w.buf = appendPart(w.buf[:0], &s.Segment, &j.part, checksum(j.data))
	if err := w.index.append(w.buf); err != nil {
		return err
	}
	w.r.files.indexChanged()
	s.Size += j.part.Size
	s.Duration += j.part.Duration
	return nil
}

// segment closes a segment: complete when all of its bytes are there, a gap otherwise.
func (w *writer) segment(s *playlist.Segment, lost bool) {
	rec := w.r.rec
	if next := w.nextMSN(); s.MSN < next {
		return // was closed before
	}
	if lost {
		w.r.pause(fmt.Sprintf("the disk is too slow: more than %d MiB wait for it", w.r.archive.cfg.Queue>>20), nil)
	}
	if w.seg == nil || w.seg.MSN != s.MSN || w.seg.Size != s.Size || lost {
		w.discard()
		s.Gap, s.Size = true, 0
		w.r.missed(s)
		w.startEpoch(s)
	}
	w.decideTarget(s)
	w.keep(appendSegment(s, w.r.files.durable()))
	rec.mu.Lock()
	rec.addSegment(*s)
	n := len(rec.segments)
	rec.mu.Unlock()
	w.seg = nil
	w.r.files.closeSegment(int64(n))
	if !s.Gap {
		w.r.archive.posters.offer(rec)
	}
}

// startEpoch notes the epoch that a segment begins, should nobody have told of it.
func (w *writer) startEpoch(s *playlist.Segment) {
	rec := w.r.rec
	rec.mu.RLock()
	e, starts := rec.startsEpoch(s)
	rec.mu.RUnlock()
	if starts {
		w.epoch(e)
	}
}

func (w *writer) nextMSN() int64 {
	rec := w.r.rec
	rec.mu.RLock()
	defer rec.mu.RUnlock()
	return rec.nextMSN()
}

func (w *writer) decideTarget(s *playlist.Segment) {
	rec := w.r.rec
	rec.mu.Lock()
	decide := rec.target == 0 && s.TargetDuration > 0
	if decide {
		rec.target, rec.part = s.TargetDuration, s.PartTarget
	}
	rec.mu.Unlock()
	if decide {
		w.keep(appendTarget(s.TargetDuration, s.PartTarget))
	}
}

// discard takes the file of a segment that became a gap away, so that nobody finds half of it.
func (w *writer) discard() {
	if w.seg == nil {
		return
	}
	rec := w.r.rec
	rec.mu.Lock()
	rec.open = nil
	rec.mu.Unlock()
	w.r.files.discardSegment(playlist.SegmentName(w.seg.MSN, playlist.CMAF))
	w.seg = nil
}

// writeInits writes the initialization segments up to number n that wait. Their lines follow only when the files are
// durable: there are few, and nothing plays without them.
func (w *writer) writeInits(n int) error {
	for len(w.inits) > 0 && w.inits[0].init.Number <= n {
		j := &w.inits[0]
		if err := w.r.files.writeWhole(playlist.InitName(j.init.Number), j.data); err != nil {
			return err
		}
		if err := w.index.append(appendInit(&j.init, j.data)); err != nil {
			return err
		}
		w.r.files.indexChanged()
		rec := w.r.rec
		rec.mu.Lock()
		rec.addInit(j.init)
		rec.mu.Unlock()
		w.inits = slices.Delete(w.inits, 0, 1)
	}
	return nil
}

// finish closes the segment that is open, makes everything durable and, if the show is over, says so.
func (w *writer) finish(ended bool) error {
	if w.seg != nil {
		s := w.seg.Segment
		w.segment(&s, false)
	}
	err := w.r.files.sync()
	if ended {
		w.keep(appendEnd(w.r.files.durable()))
		rec := w.r.rec
		rec.mu.Lock()
		rec.ended = true
		rec.version++
		rec.mu.Unlock()
	}
	return errors.Join(err, w.index.flush(), w.r.files.sync())
}
