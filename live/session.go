package live

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/ids"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/overlay"
)

// session is one show at run time, across every publish of it. Before the first picture it is only a publisher waiting
// in a room.
//
// Two locks, always taken in this order: turn is held by whoever changes the show (begins an epoch, interrupts, ends,
// pins) for as long as that takes, stores included; mu guards the fields below and is held for moments only. A sample
// takes mu alone. The realtime channel asks for snapshots in the middle of a change, so a snapshot takes mu alone too.
type session struct {
	rooms  *Rooms
	roomID string
	log    *slog.Logger

	turn sync.Mutex

	id   atomic.Pointer[string] // the show's id, once there is a show
	path mediaPath              // written once, before id is set

	ladder ladder

	mu           sync.Mutex
	show         Show
	pub          *publication // the newest publisher, nil when there is none
	clock        media.ArrivalClock
	captureDelay time.Duration
	room         Room // its settings
	ended        time.Time
	gone         bool // no show came of it, or it ended, or the process is closing: takes no publisher
}

func newSession(r *Rooms, room Room) *session {
	return &session{
		rooms: r, roomID: room.ID, log: r.Log.With("room", room.ID), captureDelay: room.CaptureDelay, room: room,
		show: Show{RoomID: room.ID, StoreID: room.StoreID, Title: room.Title, State: Scheduled},
	}
}

func (s *session) showID() string {
	if id := s.id.Load(); id != nil {
		return *id
	}
	return ""
}

func (s *session) over() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.gone
}

func (s *session) endedAt() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended
}

func (s *session) windowOver(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.show.State == Interrupted && !s.gone && now.Sub(s.show.InterruptedAt) >= s.rooms.cfg.ReconnectWindow
}

func (s *session) lingered(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.show.State == Ended && now.Sub(s.ended) >= s.rooms.cfg.Linger
}

// settingsChanged takes over what the room's settings say now.
func (s *session) settingsChanged(room Room) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.captureDelay, s.room = room.CaptureDelay, room
}

// attach makes p the session's publisher; an earlier one is let go.
func (s *session) attach(req media.PublishRequest) *publication {
	p := newPublication(s, req)
	s.mu.Lock()
	old := s.pub
	s.pub = p
	s.mu.Unlock()
	if old != nil {
		s.rooms.Metrics.Replaced.Inc()
		s.log.Info("a newer publisher takes over", "remote", req.Remote, "was", old.req.Remote)
		old.kick(errs.New(errs.Conflict, "live.Publish", "a newer publisher with the same stream key took over"))
	}
	return p
}

// begin starts an epoch of p at its first picture: the show's first one, or the next after an interruption.
func (s *session) begin(ctx context.Context, p *publication, first media.Sample) error {
	s.turn.Lock()
	defer s.turn.Unlock()
	if !s.has(p) { // a newer one came in between, and may have begun
		return p.Err()
	}
	if s.showID() == "" {
		if err := s.open(ctx); err != nil {
			return err
		}
	}
	s.prepareLadder(p.tracks)
	epoch, ok := s.startEpoch(p, first, p.wallOf(first))
	if !ok {
		return p.Err()
	}
	show := s.snapshotShow()
	s.keep("add epoch", s.rooms.Store.AddEpoch(ctx, show.ID, epoch))
	s.keep("update show", s.rooms.Store.UpdateShow(ctx, show))
	s.log.Info("epoch begins", "epoch", len(show.Epochs), "show_time_ms", epoch.ShowTime.Milliseconds(), "protocol", p.req.Protocol, "remote", p.req.Remote)
	s.announceState(ctx, show, epoch.ShowTime) // also when it was live before: viewers learn of the epoch by it
	return nil
}

// has reports whether p is the publisher.
func (s *session) has(p *publication) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pub == p
}

// startEpoch points show time at p's first sample, which stands for wall. ok is false when p is not the publisher any more.
func (s *session) startEpoch(p *publication, first media.Sample, wall time.Time) (e media.Epoch, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pub != p {
		return e, false
	}
	s.path.packager.EndEpoch()
	e = media.Epoch{ShowTime: s.path.packager.Position(), Wall: wall.UTC().Truncate(time.Millisecond)}
	s.path.packager.StartEpoch(e)
	if err := s.path.packager.SetTracks(p.tracks); err != nil {
		p.failLocked(err)
		return e, false
	}
	if s.path.recorder != nil {
		s.path.recorder.OnEpoch(e)
	}
	s.clock.Reset()
	p.offset, p.started = e.ShowTime-first.PTS, true
	if s.show.State == Interrupted {
		s.rooms.Metrics.Reconnects.Inc()
	}
	s.show.Epochs = append(s.show.Epochs[:len(s.show.Epochs):len(s.show.Epochs)], e)
	s.show.State, s.show.InterruptedAt = Live, time.Time{}
	if s.show.StartedAt.IsZero() {
		s.show.StartedAt = e.Wall
	}
	return e, true
}

// open makes the show: takes the room's scheduled one or a new one, and lays its media path.
func (s *session) open(ctx context.Context) error {
	show, err := s.rooms.nextShow(ctx, s.show)
	if err != nil {
		return err
	}
	path, err := s.rooms.layPath(show.ID)
	if err != nil { // a disk that cannot take a recording must not keep the anchor off the air
		s.rooms.Metrics.Unrecorded.Inc()
		s.log.Error("the show cannot be recorded; it goes on air without a replay", "show", show.ID, "error", err)
		path = s.rooms.unrecordedPath()
	}
	s.mu.Lock()
	s.show = show
	s.mu.Unlock()
	s.path = path
	s.id.Store(&show.ID)
	s.log = s.log.With("show", show.ID)
	s.rooms.register(s, show.ID)
	return nil
}

// nextShow returns the room's earliest scheduled show, or a new one like the one given, which has the room's title.
func (r *Rooms) nextShow(ctx context.Context, like Show) (Show, error) {
	recent, err := r.Store.Shows(ctx, like.RoomID, "", recentShows)
	if err != nil {
		return Show{}, err
	}
	var next *Show
	for i := range recent {
		if sh := &recent[i]; sh.State == Scheduled && (next == nil || sh.ScheduledAt.Before(next.ScheduledAt)) {
			next = sh
		}
	}
	if next != nil {
		return *next, nil
	}
	show := Show{ID: ids.New("show"), RoomID: like.RoomID, StoreID: like.StoreID, Title: like.Title, State: Scheduled, CreatedAt: r.Now().UTC()}
	return show, r.Store.CreateShow(ctx, show)
}

// interrupt takes the publisher p away and waits for the next one.
func (s *session) interrupt(ctx context.Context, p *publication) {
	s.turn.Lock()
	defer s.turn.Unlock()
	s.mu.Lock()
	if s.pub != p || s.gone {
		s.mu.Unlock()
		return
	}
	s.pub = nil
	if s.showID() == "" { // never a picture: there is no show to wait for
		s.gone = true
		s.mu.Unlock()
		s.rooms.release(s)
		return
	}
	was := s.show.State
	s.closeEpochLocked(Interrupted)
	s.mu.Unlock()
	if was != Live {
		return
	}
	show := s.snapshotShow()
	s.log.Warn("the publisher is gone; waiting for it to come back", "window", s.rooms.cfg.ReconnectWindow)
	s.keep("update show", s.rooms.Store.UpdateShow(ctx, show))
	s.announceState(ctx, show, show.Duration)
}

// closeEpochLocked closes what is packaged so far and puts the show into state. mu is held.
func (s *session) closeEpochLocked(state ShowState) {
	s.show.Duration = s.path.packager.EndEpoch()
	s.retireLadderLocked()
	if s.show.State == Live {
		s.show.InterruptedAt = s.rooms.Now().UTC().Truncate(time.Millisecond)
	}
	s.show.State = state
	s.clock.Reset()
}

// end ends the show for good. It does nothing when the show has ended already.
func (s *session) end(ctx context.Context, reason string) {
	s.turn.Lock()
	defer s.turn.Unlock()
	s.mu.Lock()
	if s.gone {
		s.mu.Unlock()
		return
	}
	s.gone = true
	p := s.pub
	s.pub = nil
	aired := s.showID() != ""
	if aired {
		s.closeEpochLocked(Ended)
		s.ended = s.rooms.Now().UTC().Truncate(time.Millisecond)
		s.show.EndedAt = s.ended
	}
	s.mu.Unlock()
	if p != nil {
		p.kick(errs.New(errs.Conflict, "live.End", "the show has ended"))
	}
	if aired {
		s.finish(ctx, reason)
	}
	s.rooms.release(s)
}

// finish tells everyone that the show is over: first the timeline, which closes the pins, then the last playlist.
func (s *session) finish(ctx context.Context, reason string) {
	show := s.snapshotShow()
	s.keep("end timeline", s.rooms.Timeline.EndShow(ctx, show.ID, show.Duration, show.Epochs.WallAt(show.Duration)))
	s.renderRanges()
	if s.path.recorder != nil {
		s.path.recorder.End()
	}
	s.ladder.closing.Wait()
	s.path.group.End()
	s.keep("update show", s.rooms.Store.UpdateShow(ctx, show))
	s.rooms.RoomChanged(s.roomID, show.ID)
	s.rooms.Metrics.Ended.WithLabelValues(reason).Inc()
	s.log.Info("the show has ended", "reason", reason, "duration", show.Duration.Duration(), "epochs", len(show.Epochs))
}

// shutdown leaves the show interrupted for the next process.
func (s *session) shutdown(ctx context.Context) {
	s.turn.Lock()
	defer s.turn.Unlock()
	s.mu.Lock()
	wasLive := s.show.State == Live
	unfinished := s.show.Unfinished()
	p := s.pub
	s.pub, s.gone = nil, true
	if s.showID() != "" && unfinished {
		s.closeEpochLocked(Interrupted)
	}
	s.mu.Unlock()
	if p != nil {
		p.kick(errs.New(errs.Unavailable, "live.Close", "the server is shutting down"))
	}
	if s.showID() == "" {
		return
	}
	if wasLive {
		show := s.snapshotShow()
		s.keep("update show", s.rooms.Store.UpdateShow(ctx, show))
		s.announceState(ctx, show, show.Duration)
	}
	s.close()
}

// close lets go of the media path. The session must be over.
func (s *session) close() {
	s.ladder.closing.Wait()
	s.path.close(s.log)
}

// snapshotShow returns a copy of the show as it stands.
func (s *session) snapshotShow() Show {
	s.mu.Lock()
	defer s.mu.Unlock()
	show := s.show
	if show.State == Live {
		show.Duration = s.path.packager.Position()
	}
	return show
}

// announceState puts the show's state on the timeline and tells whoever follows the room. turn is held, mu is not.
func (s *session) announceState(ctx context.Context, show Show, at media.Ticks) {
	_, err := s.rooms.Timeline.Append(ctx, show.ID, overlay.TypeState, at, show.Epochs.WallAt(at), overlay.StateData{State: string(show.State)})
	s.keep("announce state", err)
	s.rooms.RoomChanged(s.roomID, show.ID)
}

// keep logs a store's failure: a show on air goes on without it.
func (s *session) keep(what string, err error) {
	if err == nil {
		return
	}
	s.rooms.Metrics.StoreErrors.Inc()
	s.log.Error("could not keep the state of the show; it goes on", "op", what, "error", err)
}
