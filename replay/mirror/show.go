package mirror

import (
	"context"
	"crypto/md5" //nolint:gosec // what S3 calls an ETag; nothing hangs on it but work spared
	"encoding/hex"
	"errors"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/replay"
)

// show is the work on one show. It belongs to one step at a time.
type show struct {
	m     *Mirror
	id    string
	onAir bool

	opened   bool
	refused  bool // the bucket has another recording of this name
	state    state
	have     map[string]object // in the bucket when it was listed; nil when it was not
	reader   *replay.IndexReader
	pending  []file // named by the index and not known to be in the bucket, in order
	segments int64  // read from the index so far, gaps too
	durable  int64  // of them, known to be on the disk
	upto     int64  // offset of the index behind the last file that is in the bucket with all before it
	read     int64  // offset up to which the index was read
	ended    bool
	last     time.Time // when the newest segment ended
	modified time.Time // of the folder when other files were looked at
	looked   time.Time // when that was
	bad      map[string]bool

	mu sync.Mutex // of bad, while files are uploaded side by side
}

// object is a file in the bucket.
type object struct {
	size int64
	etag string
}

// file is a file that the index names.
type file struct {
	sum     *replay.FileSum // nil: nothing to upload, as after a gap
	ordinal int64           // of the segment; -1: it is none, and durable at once
	next    int64           // offset of the index behind its line
	at      time.Time       // when its last picture was taken
	done    bool
}

// unfinished reports whether there is more to do than to look for changes.
func (s *show) unfinished() bool {
	return !s.opened || len(s.pending) > 0 || s.ended && !s.state.Complete && !s.refused
}

// step uploads some files. more says that there are others.
func (s *show) step(ctx context.Context, onAir bool) (more bool, err error) {
	if s.onAir && !onAir { // whatever waited for the recorder need not any more
		s.looked = time.Time{}
	}
	s.onAir = onAir
	if s.opened && s.state.Fetched && s.wentOn() {
		s.opened = false
	}
	if !s.opened {
		if err := s.open(ctx); err != nil {
			return false, err
		}
	}
	if s.refused || s.state.Fetched {
		return false, nil
	}
	if s.state.Complete && !s.changed() {
		return false, nil
	}
	if err := s.readIndex(); err != nil {
		return false, err
	}
	more, err = s.uploadFiles(ctx)
	if err != nil {
		return false, err
	}
	if err := s.uploadOthers(ctx, more); err != nil {
		return false, err
	}
	return more, s.uploadIndex(ctx)
}

// open finds out what the bucket has of the show.
func (s *show) open(ctx context.Context) error {
	st, known := s.m.states.load(s.id)
	s.state = st
	if s.state.Others == nil {
		s.state.Others = map[string]stamp{}
	}
	if s.state.Fetched && s.wentOn() {
		s.state.Fetched, s.state.Complete = false, false
	}
	if known && (s.state.Complete || s.state.Fetched) {
		s.opened = true
		return nil
	}
	s.have = map[string]object{}
	err := s.m.bucket.Walk(ctx, folder(s.id), func(name string, size int64, etag string) error {
		s.have[strings.TrimPrefix(name, folder(s.id))] = object{size, etag}
		return nil
	})
	if err != nil {
		return err
	}
	s.state.Index = 0
	s.opened = true
	if len(s.have) == 0 {
		return nil
	}
	same, err := s.sameShow(ctx)
	if err != nil {
		s.opened = false
		return err
	}
	if s.refused = !same; s.refused {
		s.m.log.Error("the bucket has another recording of a show; neither is changed: delete one of the two", "show", s.id, "bucket", s.m.bucket)
	}
	return nil
}

// wentOn reports whether a show that was fetched was recorded here since: then the original is here.
func (s *show) wentOn() bool {
	st, err := os.Stat(s.m.path(s.id, replay.IndexName))
	return s.onAir || err == nil && st.Size() > s.state.Index
}

// sameShow compares how the index begins here and in the bucket: its first lines say when the show began.
func (s *show) sameShow(ctx context.Context) (bool, error) {
	for _, name := range []string{replay.IndexName, pieceName(0)} {
		if _, ok := s.have[name]; !ok {
			continue
		}
		body, _, _, _, err := s.m.bucket.Download(ctx, folder(s.id)+name)
		if err != nil {
			return false, err
		}
		there, err := io.ReadAll(io.LimitReader(body, beginning))
		if err := errors.Join(err, body.Close()); err != nil {
			return false, errs.As(errs.Unavailable, "mirror.open", err, "the bucket broke off")
		}
		here := make([]byte, len(there))
		f, err := os.Open(s.m.path(s.id, replay.IndexName))
		if err != nil {
			return false, err
		}
		n, err := f.ReadAt(here, 0)
		if err := errors.Join(f.Close()); err != nil {
			return false, err
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return false, err
		}
		return string(here[:n]) == string(there[:n]), nil
	}
	return true, nil
}

// beginning is how much of an index is compared.
const beginning = 2048

// changed reports whether something may have been added to a show that was complete.
func (s *show) changed() bool {
	dir, err := os.Stat(s.m.path(s.id, ""))
	index, indexErr := os.Stat(s.m.path(s.id, replay.IndexName))
	return err == nil && indexErr == nil && (!dir.ModTime().Equal(s.modified) || index.Size() != s.state.Index)
}

// readIndex takes up what was added to the index.
func (s *show) readIndex() error {
	f, err := os.Open(s.m.path(s.id, replay.IndexName))
	if errors.Is(err, os.ErrNotExist) {
		return nil // the recorder is about to write it, or it is being deleted
	}
	if err != nil {
		return err
	}
	defer f.Close()
	if st, err := f.Stat(); err == nil && st.Size() < s.read { // it was mended: begin anew
		s.reader, s.pending, s.segments, s.durable, s.upto, s.read, s.ended = nil, nil, 0, 0, 0, 0, false
	}
	if s.reader == nil {
		s.reader = replay.NewIndexReader(f)
	} else {
		s.reader.Reset(f)
	}
	for {
		e, err := s.reader.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		s.take(&e)
	}
}

func (s *show) take(e *replay.IndexEntry) {
	s.durable, s.read = max(s.durable, e.Durable), e.Next
	s.ended = s.ended || e.End
	next := file{ordinal: -1, next: e.Next}
	if e.Segment {
		next.ordinal = s.segments
		s.segments++
		if !e.Wall.IsZero() {
			next.at = e.Wall.Add(e.Duration.Duration())
			s.last = next.at
		}
	}
	if !s.state.Complete { // else it is all there
		next.sum = e.File
	}
	s.pending = append(s.pending, next)
}

// ready is how many of the pending files can be uploaded now: those whose bytes are known to be on the disk. Without a
// recorder they are whatever they are.
func (s *show) ready() int {
	for i := range s.pending {
		if s.onAir && s.pending[i].ordinal >= s.durable {
			return i
		}
	}
	return len(s.pending)
}

// uploadFiles uploads the next files that the index names.
func (s *show) uploadFiles(ctx context.Context) (more bool, err error) {
	ready := s.ready()
	n, uploads := 0, 0
	for n < ready && uploads < stepFiles {
		if s.pending[n].sum != nil && !s.pending[n].done {
			uploads++
		}
		n++
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(cap(s.m.slots))
	for i := range s.pending[:n] {
		f := &s.pending[i]
		if f.done || f.sum == nil {
			f.done = true
			continue
		}
		g.Go(func() error {
			err := s.uploadFile(ctx, f.sum)
			f.done = err == nil
			return err
		})
	}
	err = g.Wait()
	for len(s.pending) > 0 && s.pending[0].done {
		s.upto = s.pending[0].next
		s.pending = s.pending[1:]
	}
	return err == nil && n < ready, err
}

// uploadFile uploads one of them. A damaged one is told of and passed over: the bucket must not get it.
func (s *show) uploadFile(ctx context.Context, sum *replay.FileSum) error {
	var have *object
	if o, ok := s.have[sum.Name]; ok {
		have = &o
	}
	err := s.m.upload(ctx, s.id, sum.Name, sum, have)
	if !isDamage(err) {
		return err
	}
	if have != nil && have.size == sum.Size && errors.Is(err, os.ErrNotExist) {
		return nil // it left this disk because the bucket has it
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.damaged(sum.Name, err)
	return nil
}

func md5Of(f io.ReadSeeker) (string, error) {
	h := md5.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	_, err := f.Seek(0, io.SeekStart)
	return hex.EncodeToString(h.Sum(nil)), err
}
