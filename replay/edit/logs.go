package edit

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
)

// turn is held by whoever reads a log from the store or adds to it; who only wants to know how things stand need not wait.
type turn struct{ sync.Mutex }

// logs are those in memory; what was not asked for longest leaves. Safe for concurrent use.
type logs struct {
	limit int

	mu    sync.Mutex
	items map[string]*list.Element
	order *list.List // of held, most recently used first
}

type held struct {
	show string
	log  *log
}

func newLogs(limit int) logs {
	return logs{limit: limit, items: map[string]*list.Element{}, order: list.New()}
}

func (l *logs) of(showID string) *log {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e, ok := l.items[showID]; ok {
		l.order.MoveToFront(e)
		return e.Value.(held).log // nothing else is put there
	}
	made := &log{}
	l.items[showID] = l.order.PushFront(held{showID, made})
	if l.order.Len() > l.limit {
		oldest := l.order.Remove(l.order.Back()).(held) // as above
		delete(l.items, oldest.show)
	}
	return made
}

// refresh brings what is known of a log up to date; of those who ask at the same time one reads.
func (s *Service) refresh(ctx context.Context, showID string, l *log) (*History, error) {
	l.turn.Lock()
	defer l.turn.Unlock()
	if k := l.known.Load(); k != nil && s.Now().Sub(k.at) < s.cfg.Fresh { // somebody did while this one waited
		return k.history, nil
	}
	return s.read(ctx, showID, l)
}

// read reads what the log holds beyond what is known. l.turn is held.
func (s *Service) read(ctx context.Context, showID string, l *log) (*History, error) {
	h := History{}
	if k := l.known.Load(); k != nil {
		h = *k.history
	}
	s.Metrics.Reads.Inc()
	entries, err := s.Store.EditsAfter(ctx, showID, h.Revision(), MaxEdits)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if e.Revision != h.Revision()+1 {
			return nil, errs.As(errs.Internal, "edit.read", fmt.Errorf("entry %d follows %d", e.Revision, h.Revision()), "")
		}
		h = h.read(e)
	}
	l.known.Store(&known{&h, s.Now()})
	return &h, nil
}

// Stale says that a replay was edited since the revision that an edit was made on. It is a Conflict of the field revision.
type Stale struct {
	Revision int64 // that the replay is at
}

// Error tells the revision.
func (s *Stale) Error() string { return fmt.Sprintf("the replay is at revision %d", s.Revision) }

func stale(now int64) error {
	return &errs.Error{
		Kind: errs.Conflict, Op: "edit.add", Field: "revision", Err: &Stale{now},
		Message: fmt.Sprintf("the replay was edited meanwhile and is at revision %d now: read it again, then edit", now),
	}
}

// AsStale is the Stale in an error's chain, or nil.
func AsStale(err error) *Stale {
	var s *Stale
	if !errors.As(err, &s) {
		return nil
	}
	return s
}

// check checks an edit against the show: after is the State with it.
func check(src Source, chapters []Chapter, o *Op, after State) error {
	const op = "edit.check"
	switch o.Kind {
	case Cut, Uncut:
		if o.To > src.Duration+slack {
			return errs.Field(op, "to_ms", "the show ends at %d", src.Duration.Milliseconds())
		}
		if o.Kind == Cut && !anything(Keep(src.Segments, after.Cuts)) {
			return errs.Field(op, "to_ms", "nothing of the replay would be left; unpublish it instead")
		}
	case SetCover:
		if o.At != nil {
			return checkCover(src.Segments, *o.At)
		}
	case RenameChapter, SplitChapter, MergeChapters, HideChapter, UnhideChapter:
		return checkChapters(chapters, o)
	case Publish, Unpublish, Expire, Undo, Redo: // fit any show
	}
	return nil
}

// anything reports whether there is something to play.
func anything(kept []playlist.Segment) bool {
	for i := range kept {
		if !kept[i].Gap {
			return true
		}
	}
	return false
}

func checkCover(segments []playlist.Segment, at media.Ticks) error {
	const op = "edit.checkCover"
	for i := range segments {
		s := &segments[i]
		switch {
		case at >= s.End():
			continue
		case s.Gap:
			return errs.Field(op, "at_ms", "nothing was recorded at %d; choose another picture", at.Milliseconds())
		}
		return nil
	}
	return errs.Field(op, "at_ms", "the show's recording ends before %d", at.Milliseconds())
}
