package edit

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/ids"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/overlay"
)

// Config says how edits are kept. The zero value is the default.
type Config struct {
	// Fresh is how long what was read of a log counts before the store is asked for more, default 2 s: how late another
	// server of the same database learns of an edit. The server that took it knows at once.
	Fresh time.Duration
	// Logs is how many shows' logs are kept in memory, default 1000.
	Logs int
}

func (c Config) withDefaults() Config {
	if c.Fresh == 0 {
		c.Fresh = 2 * time.Second
	}
	if c.Logs == 0 {
		c.Logs = 1000
	}
	return c
}

// Validate returns an Invalid error that names the first field out of its range, or nil.
func (c Config) Validate() error {
	const op = "edit.Config"
	c = c.withDefaults()
	switch {
	case c.Fresh < 0 || c.Fresh > time.Minute:
		return errs.Field(op, "fresh", "%v is not between 0 and 1m", c.Fresh)
	case c.Logs < 1:
		return errs.Field(op, "logs", "%d logs is none", c.Logs)
	}
	return nil
}

// Source is what is recorded of a show.
type Source struct {
	Segments []playlist.Segment // complete ones and gaps
	Duration media.Ticks
	Ended    bool
}

// store keeps the logs. Each method is one transaction.
type store interface {
	// AppendEdit writes e at the end of the log. Conflict: e.Revision is not one above the newest; NotFound: no such show.
	AppendEdit(ctx context.Context, showID string, e Entry) error
	// EditsAfter returns at most limit entries numbered above after, oldest first.
	EditsAfter(ctx context.Context, showID string, after int64, limit int) ([]Entry, error)
}

// recordings tells what there is to edit. NotFound: nothing of the show is recorded.
type recordings interface {
	Source(showID string) (Source, error)
}

// timeline tells the pins of a show.
type timeline interface {
	Ranges(ctx context.Context, showID string) ([]overlay.Range, error)
}

// Deps are what a Service works with.
type Deps struct {
	Store      store
	Recordings recordings // nil: nothing is recorded on this server
	Timeline   timeline
	// OnAir reports whether a show is not over: until then its picture is public, whatever its replay will be. nil: none is.
	OnAir   func(ctx context.Context, showID string) (bool, error)
	Log     *slog.Logger
	Metrics *Metrics
	Now     func() time.Time // nil: time.Now
}

// Service edits replays and tells what became of them. Safe for concurrent use.
type Service struct {
	cfg Config
	Deps
	logs logs
}

// New makes a Service.
func New(cfg Config, deps Deps) (*Service, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if deps.Now == nil {
		deps.Now = time.Now
	}
	if deps.Metrics == nil {
		deps.Metrics = NewMetrics(nil)
	}
	if deps.Log == nil {
		deps.Log = slog.New(slog.DiscardHandler)
	}
	cfg = cfg.withDefaults()
	return &Service{cfg: cfg, Deps: deps, logs: newLogs(cfg.Logs)}, nil
}

// Author is who edits.
type Author struct{ ID, Name string }

// State is what the edits of a show add up to; that of a show without edits is Unedited. Errors are those of the store.
func (s *Service) State(ctx context.Context, showID string) (State, error) {
	h, err := s.History(ctx, showID)
	if err != nil {
		return State{}, err
	}
	return h.State(), nil
}

// History is the log of a show's edits. Errors are those of the store.
func (s *Service) History(ctx context.Context, showID string) (*History, error) {
	const op = "edit.History"
	if !ids.Valid("show", showID) {
		return nil, errs.New(errs.NotFound, op, "there is no such show")
	}
	l := s.logs.of(showID)
	known := l.known.Load()
	if known != nil && s.Now().Sub(known.at) < s.cfg.Fresh {
		return known.history, nil
	}
	h, err := s.refresh(ctx, showID, l)
	if err != nil && known != nil { // better late than never: viewers go on watching while the database is away
		s.Metrics.Failures.Inc()
		return known.history, nil
	}
	return h, errs.Wrap(op, err)
}

// Chapters are the chapters of a show, those that are hidden flagged, in order.
func (s *Service) Chapters(ctx context.Context, showID string) ([]Chapter, error) {
	const op = "edit.Chapters"
	state, err := s.State(ctx, showID)
	if err != nil {
		return nil, err
	}
	src, err := s.source(showID)
	if err != nil && errs.KindOf(err) != errs.NotFound {
		return nil, errs.Wrap(op, err)
	}
	if err != nil { // nothing is recorded: the pins tell themselves how long they were
		src.Duration = maxTime
	}
	pins, err := s.pins(ctx, showID, src.Duration)
	if err != nil {
		return nil, errs.Wrap(op, err)
	}
	return state.Chapters(pins), nil
}

// Visible tells whether the public may see the replay of a show: nil, or NotFound with the reason. The picture of a show
// on air is public as it is.
func (s *Service) Visible(ctx context.Context, showID string) error {
	const op = "edit.Visible"
	state, err := s.State(ctx, showID)
	if err != nil {
		return err
	}
	hidden := state.Hidden(s.Now())
	if hidden == nil || s.OnAir == nil {
		return hidden
	}
	onAir, err := s.OnAir(ctx, showID)
	switch {
	case err != nil:
		return errs.Wrap(op, err)
	case onAir:
		return nil
	}
	return hidden
}

// Map relates the show to its replay as it is played: whole while the show is on air, without its cuts after it. NotFound:
// nothing is recorded.
func (s *Service) Map(ctx context.Context, showID string) (Map, error) {
	src, err := s.source(showID)
	if err != nil {
		return Map{}, err
	}
	if !src.Ended {
		return MapOf(src.Segments), nil
	}
	state, err := s.State(ctx, showID)
	if err != nil {
		return Map{}, err
	}
	return MapOf(Keep(src.Segments, state.Cuts)), nil
}

// Apply carries out an edit that was made on a revision. It returns the history with it. Errors are those of Apply and of
// the store, and: Stale when the replay was edited since; NotFound when nothing is recorded; Invalid, with the field, when
// an instant or a chapter is not one of the show.
func (s *Service) Apply(ctx context.Context, showID string, revision int64, o Op, by Author) (*History, error) {
	const op = "edit.Apply"
	if o.Kind == Undo || o.Kind == Redo {
		return nil, o.validate()
	}
	src, err := s.source(showID)
	if err != nil {
		return nil, err
	}
	pins, err := s.pins(ctx, showID, src.Duration)
	if err != nil {
		return nil, errs.Wrap(op, err)
	}
	h, err := s.add(ctx, showID, revision, Entry{Op: o, By: by.ID, ByName: by.Name, At: s.Now()}, func(before, after State) error {
		return check(src, before.Chapters(pins), &o, after)
	})
	return h, errs.Wrap(op, err)
}

// Undo takes the newest edit back that is in effect, Redo puts back the newest one that was taken back. Both are entries of
// the log. Errors as those of Apply; Conflict: there is none.
func (s *Service) Undo(ctx context.Context, showID string, revision int64, by Author) (*History, error) {
	return s.move(ctx, showID, revision, Undo, by)
}

// Redo puts back what Undo took; see there.
func (s *Service) Redo(ctx context.Context, showID string, revision int64, by Author) (*History, error) {
	return s.move(ctx, showID, revision, Redo, by)
}

func (s *Service) move(ctx context.Context, showID string, revision int64, k Kind, by Author) (*History, error) {
	h, err := s.add(ctx, showID, revision, Entry{Op: Op{Kind: k}, By: by.ID, ByName: by.Name, At: s.Now()}, func(State, State) error { return nil })
	return h, errs.Wrap("edit."+string(k), err)
}

// add stores an entry at the end of a log that nobody added to since revision.
func (s *Service) add(ctx context.Context, showID string, revision int64, e Entry, check func(before, after State) error) (*History, error) {
	if !ids.Valid("show", showID) {
		return nil, errs.New(errs.NotFound, "edit.add", "there is no such show")
	}
	l := s.logs.of(showID)
	l.turn.Lock()
	defer l.turn.Unlock()
	h, err := s.read(ctx, showID, l)
	if err != nil {
		return nil, err
	}
	if h.Revision() != revision {
		s.Metrics.Conflicts.Inc()
		return nil, stale(h.Revision())
	}
	next, err := h.Next(e)
	if err != nil {
		return nil, err
	}
	if err := check(h.State(), next.State()); err != nil {
		return nil, err
	}
	e = next.entries[len(next.entries)-1]
	if err := s.Store.AppendEdit(ctx, showID, e); err != nil {
		l.known.Store(nil) // somebody else was faster, or it may have been kept all the same: the next one looks
		if errs.KindOf(err) == errs.Conflict {
			return nil, s.lost(ctx, showID, l, err)
		}
		return nil, err
	}
	s.Metrics.Edits.WithLabelValues(string(e.Op.Kind)).Inc()
	l.known.Store(&known{&next, s.Now()})
	return &next, nil
}

// lost is the answer to an edit before which another server stored one.
func (s *Service) lost(ctx context.Context, showID string, l *log, err error) error {
	h, readErr := s.read(ctx, showID, l)
	if readErr != nil {
		return err
	}
	s.Metrics.Conflicts.Inc()
	return stale(h.Revision())
}

// source is what is recorded of a show.
func (s *Service) source(showID string) (Source, error) {
	if s.Recordings == nil {
		return Source{}, errs.New(errs.NotFound, "edit.source", "shows are not recorded on this server")
	}
	return s.Recordings.Source(showID)
}

func (s *Service) pins(ctx context.Context, showID string, end media.Ticks) ([]Chapter, error) {
	ranges, err := s.Timeline.Ranges(ctx, showID)
	return FromPins(ranges, end), err
}

// known is what was read of a log, and when.
type known struct {
	history *History
	at      time.Time
}

// log is what is in memory of one show's.
type log struct {
	turn  turn
	known atomic.Pointer[known]
}
