package live

import (
	"context"
	"errors"
)

// Restore takes up the shows that an earlier process left unfinished: each is interrupted, its recording is continued,
// and its anchor has the reconnect window from now on. It must be called before publishers are let in.
func (r *Rooms) Restore(ctx context.Context) error {
	shows, err := r.Store.UnfinishedShows(ctx)
	if err != nil {
		return err
	}
	for _, show := range shows {
		if r.cfg.NoRecording {
			r.endLost(ctx, show)
			continue
		}
		if err := r.resume(ctx, show); err != nil {
			r.Log.Error("could not continue a show; it ends here", "room", show.RoomID, "show", show.ID, "error", err)
			r.endLost(ctx, show)
		}
	}
	return nil
}

func (r *Rooms) resume(ctx context.Context, show Show) error {
	room, err := r.Store.Room(ctx, show.RoomID)
	if err != nil {
		return err
	}
	path, err := r.layPath(show.ID)
	if err != nil {
		return err
	}
	crashed := show.State == Live
	show.State, show.InterruptedAt, show.Duration = Interrupted, r.now(), path.packager.Position()

	s := newSession(r, room)
	s.show, s.path = show, path
	s.id.Store(&show.ID)
	s.log = s.log.With("show", show.ID)
	r.mu.Lock()
	r.current[room.ID], r.shows[show.ID] = s, s
	r.mu.Unlock()

	s.turn.Lock()
	defer s.turn.Unlock()
	s.log.Info("a show of an earlier run waits for its publisher", "show_time_ms", show.Duration.Milliseconds(), "crashed", crashed)
	s.renderRanges()
	s.keep("update show", r.Store.UpdateShow(ctx, show))
	if crashed {
		s.announceState(ctx, show, show.Duration)
	}
	return nil
}

// endLost ends a show that cannot be continued: its pins end with it.
func (r *Rooms) endLost(ctx context.Context, show Show) {
	show.State, show.EndedAt = Ended, r.now()
	err := r.Timeline.EndShow(ctx, show.ID, show.Duration, show.Epochs.WallAt(show.Duration))
	if err = errors.Join(err, r.Store.UpdateShow(ctx, show)); err != nil {
		r.Log.Error("could not end a lost show", "show", show.ID, "error", err)
	}
}
