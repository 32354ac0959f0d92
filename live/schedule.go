package live

import (
	"context"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// ScheduleUpdate is a partial change of a scheduled show; nil fields stay as they are.
type ScheduleUpdate struct {
	Title       *string
	ScheduledAt *time.Time
}

// Reschedule changes a show that has not begun and returns it. Invalid names the field; NotFound; Conflict: it has begun, or
// was called off.
func (r *Rooms) Reschedule(ctx context.Context, showID string, u ScheduleUpdate) (Show, error) {
	const op = "live.Reschedule"
	if u.Title != nil {
		title, err := checkTitle(op, *u.Title)
		if err != nil {
			return Show{}, err
		}
		u.Title = &title
	}
	if u.ScheduledAt != nil && u.ScheduledAt.IsZero() {
		return Show{}, errs.Field(op, "scheduled_at", "must say when the show is to start")
	}
	return r.changeScheduled(ctx, op, showID, func(s *Show) {
		if u.Title != nil {
			s.Title = *u.Title
		}
		if u.ScheduledAt != nil {
			s.ScheduledAt = u.ScheduledAt.UTC().Truncate(time.Millisecond)
		}
	})
}

// CallOff ends a show that has not begun: it is ended without ever having started, and no publish carries it out. NotFound;
// Conflict: it has begun.
func (r *Rooms) CallOff(ctx context.Context, showID string) (Show, error) {
	return r.changeScheduled(ctx, "live.CallOff", showID, func(s *Show) { s.State, s.EndedAt = Ended, r.now() })
}

// changeScheduled changes a show while it is scheduled in the store. A publish that takes the show at this very instant wins:
// it writes the show as it knows it.
func (r *Rooms) changeScheduled(ctx context.Context, op, showID string, change func(*Show)) (Show, error) {
	show, err := r.Show(ctx, showID)
	if err != nil {
		return Show{}, errs.Wrap(op, err)
	}
	begun := errs.New(errs.Conflict, op, "the show is not to come any more: it has begun, has ended or was called off")
	if show.State != Scheduled || r.isOpen(showID) {
		return Show{}, begun
	}
	change(&show)
	changed, err := r.Store.UpdateScheduled(ctx, show)
	if err == nil && !changed {
		err = begun
	}
	return show, errs.Wrap(op, err)
}

// isOpen reports whether a publish carries the show out already, though its first picture may be still to come.
func (r *Rooms) isOpen(showID string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.shows[showID] != nil
}
