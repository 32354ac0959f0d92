package live

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/vitrine-live/vitrine/hls"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/overlay"
	"github.com/vitrine-live/vitrine/replay"
	"github.com/vitrine-live/vitrine/transcode"
)

// Deps are the parts that rooms wire together.
type Deps struct {
	Store    store
	Products products
	Timeline *overlay.Timeline
	Archive  *replay.Archive // nil when Config.NoRecording
	Log      *slog.Logger
	Metrics  *Metrics
	HLS      *hls.Metrics
	// Transcoder makes ladders and what browsers send fit for HLS; nil: rooms do without.
	Transcoder *transcode.Transcoder
	// RoomChanged is called, without any lock held, after a room's show began, changed state or ended.
	RoomChanged func(roomID, showID string)
	// SourcesChanged is called after a room was made, changed or deleted: what is pulled may be something else now.
	SourcesChanged func()
	Now            func() time.Time // nil: time.Now
}

// Rooms is every room of this process at run time. It is safe for concurrent use.
type Rooms struct {
	cfg       Config
	admission *admission
	Deps

	// mu guards the two maps; it is never held while a session works.
	mu      sync.Mutex
	current map[string]*session // by room: the show on air or interrupted, or a publisher that has sent no picture yet
	shows   map[string]*session // by show: the above, and ended shows that linger
	closed  bool
}

// NewRooms makes the registry. Restore must follow before publishers are let in, and Run while they are.
func NewRooms(cfg Config, deps Deps) (*Rooms, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if deps.Now == nil {
		deps.Now = time.Now
	}
	if deps.RoomChanged == nil {
		deps.RoomChanged = func(string, string) {}
	}
	if deps.SourcesChanged == nil {
		deps.SourcesChanged = func() {}
	}
	return &Rooms{cfg: cfg.withDefaults(), admission: newAdmission(cfg), Deps: deps, current: map[string]*session{}, shows: map[string]*session{}}, nil
}

// Publish admits a publisher: the stream key finds the room, and the newest publisher with the right key wins.
// Errors: Unauthorized for a wrong key, Exhausted when a limit of publishers is reached, Unavailable during shutdown or when the store does not answer.
func (r *Rooms) Publish(ctx context.Context, req media.PublishRequest) (media.Publication, error) {
	const op = "live.Publish"
	room, err := r.roomOf(ctx, req)
	if err != nil {
		return nil, errs.Wrap(op, err)
	}
	if err := r.admit(room, req); err != nil {
		return nil, err
	}
	s, err := r.sessionFor(room)
	if err != nil {
		r.admission.leave(room.ID)
		return nil, errs.Wrap(op, err)
	}
	p := s.attach(req)
	return measured{r.converted(p), p}, nil
}

// converted makes of a publish what HLS can carry: browsers send sound, and some send pictures, that it cannot.
func (r *Rooms) converted(p *publication) media.Publication {
	if r.Transcoder == nil {
		return p
	}
	return r.Transcoder.Convert(p)
}

// roomOf finds the room that a publisher is for: by its stream key, or by name where the protocol vouches for it.
func (r *Rooms) roomOf(ctx context.Context, req media.PublishRequest) (Room, error) {
	const op = "live.Publish"
	if req.StreamKey == "" && req.Room != "" {
		return r.Store.Room(ctx, req.Room)
	}
	room, err := r.Store.RoomByKeyHash(ctx, HashKey(req.StreamKey))
	switch {
	case errs.KindOf(err) == errs.NotFound:
		return Room{}, errs.New(errs.Unauthorized, op, "the stream key is not known; copy it again from the room's settings")
	case err == nil && req.Room != "" && req.Room != room.ID:
		return Room{}, errs.New(errs.Unauthorized, op, "the stream key is not that of room %s; copy it again from the room's settings", req.Room)
	}
	return room, err
}

// sessionFor returns the session of the room's current show, or a new one.
func (r *Rooms) sessionFor(room Room) (*session, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, errs.New(errs.Unavailable, "live.Publish", "the server is shutting down; try again in a moment")
	}
	s := r.current[room.ID]
	if s == nil || s.over() {
		s = newSession(r, room)
		r.current[room.ID] = s
	}
	return s, nil
}

// Run ends shows whose reconnect window is over and forgets ended shows that have lingered long enough, until ctx ends.
func (r *Rooms) Run(ctx context.Context) {
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			r.Sweep(ctx)
		}
	}
}

// Sweep does once what Run does again and again, for those who have a clock of their own. It also judges the health of
// publishers.
func (r *Rooms) Sweep(ctx context.Context) {
	now := r.Now()
	for _, s := range r.sessions() {
		switch {
		case s.windowOver(now):
			s.end(ctx, "reconnect_window_over")
		case s.lingered(now):
			r.forget(s)
		default:
			s.review(now)
		}
	}
}

// Close interrupts every show, as a restart would: publishers are let go, recordings closed, and Restore of the next
// process goes on from there.
func (r *Rooms) Close(ctx context.Context) {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	var wg sync.WaitGroup
	for _, s := range r.sessions() {
		wg.Go(func() { s.shutdown(ctx) })
	}
	wg.Wait()
}

// sessions returns every session once.
func (r *Rooms) sessions() []*session {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := make([]*session, 0, len(r.shows))
	for _, s := range r.shows {
		all = append(all, s)
	}
	for _, s := range r.current {
		if s.showID() == "" {
			all = append(all, s)
		}
	}
	return all
}

// register makes the session findable by its show, from the show's first picture on.
func (r *Rooms) register(s *session, showID string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.shows[showID] = s
}

// release gives the room free for its next show; the ended one lingers.
func (r *Rooms) release(s *session) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.current[s.roomID] == s {
		delete(r.current, s.roomID)
	}
}

func (r *Rooms) forget(s *session) {
	r.mu.Lock()
	if r.shows[s.showID()] == s {
		delete(r.shows, s.showID())
	}
	r.mu.Unlock()
	s.close()
}

func (r *Rooms) sessionOf(roomID string) *session {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.current[roomID]
}

// Media returns the delivery of a show that is on air, interrupted or just ended. NotFound otherwise.
func (r *Rooms) Media(roomID, showID string) (*hls.Group, error) {
	r.mu.Lock()
	s := r.shows[showID]
	r.mu.Unlock()
	if s == nil || s.roomID != roomID {
		return nil, errs.New(errs.NotFound, "live.Media", "this show is not on air")
	}
	return s.path.group, nil
}

// CurrentMedia returns the delivery of the room's show and the show's id: of the one on air, or else of the one that
// ended last and still lingers. NotFound when there is none.
func (r *Rooms) CurrentMedia(roomID string) (*hls.Group, string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s := r.current[roomID]; s != nil && s.showID() != "" {
		return s.path.group, s.showID(), nil
	}
	var last *session
	for _, s := range r.shows {
		if s.roomID == roomID && (last == nil || s.endedAt().After(last.endedAt())) {
			last = s
		}
	}
	if last == nil {
		return nil, "", errs.New(errs.NotFound, "live.CurrentMedia", "this room is not on air")
	}
	return last.path.group, last.showID(), nil
}
