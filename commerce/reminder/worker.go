package reminder

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/internal/errs"
)

// Window says which shows reminders may be due for.
type Window struct {
	Now time.Time
	// Horizon is until when a show may be scheduled for some reminder before it to be due now.
	Horizon time.Time
	// Since is from when on a show that has begun, or was called off, is looked at; it is well before the time in which a show
	// is announced, so that what nobody could send is cancelled and not forgotten.
	Since time.Time
}

// Wake makes the worker look at the shows at once. It never waits and may be called with any lock held.
func (s *Service) Wake() {
	select {
	case s.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// Run sends reminders until ctx ends, and then waits for the attempts under way. All it needs is in the store: a process that
// died is taken over by the next.
func (s *Service) Run(ctx context.Context) {
	for ctx.Err() == nil {
		more, err := s.Pass(ctx)
		if err != nil && ctx.Err() == nil {
			s.Log.ErrorContext(ctx, "reminders wait: the store does not answer", "error", err)
		}
		if more && err == nil {
			continue
		}
		s.rest(ctx)
	}
}

func (s *Service) rest(ctx context.Context) {
	t := time.NewTimer(s.cfg.Poll)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	case <-s.wake:
	}
}

// Pass does once what Run does again and again: it sends what is due, up to a batch of each show and channel. more says that
// there may be more.
func (s *Service) Pass(ctx context.Context) (more bool, err error) {
	now := s.instant()
	lost, err := s.Store.LoseReminders(ctx, now.Add(-lease), now)
	if err != nil {
		return false, err
	}
	s.stats.add(Unknown, lost)
	shows, err := s.Store.ReminderShows(ctx, Window{Now: now, Horizon: now.Add(MaxBefore), Since: now.Add(-longAgo)})
	if err != nil {
		return false, err
	}
	due, err := s.due(ctx, shows, now)
	if err != nil || len(due) == 0 {
		return false, err
	}
	return s.sendDue(ctx, due)
}

// dueShow is a show that reminders of at least from are due for.
type dueShow struct {
	commerce.Show
	from time.Duration
}

// due brings the reminders of shows up to date with their shows, and returns the shows for which some may be sent now.
func (s *Service) due(ctx context.Context, shows []commerce.Show, now time.Time) (due []dueShow, err error) {
	for _, show := range shows {
		from, sendable, err := s.settle(ctx, show, now)
		if err != nil {
			return nil, err
		}
		if !sendable {
			continue
		}
		if err := s.Store.DropDoubles(ctx, show.ID, from, now); err != nil {
			return nil, err
		}
		due = append(due, dueShow{show, from})
	}
	return due, nil
}

// settle decides what becomes of a show's reminders now.
func (s *Service) settle(ctx context.Context, show commerce.Show, now time.Time) (from time.Duration, sendable bool, err error) {
	switch {
	case show.Ended() && show.StartedAt.IsZero():
		return 0, false, s.Store.DropReminders(ctx, show.ID, true, "the show was called off", now)
	case show.Ended():
		return 0, false, s.Store.DropReminders(ctx, show.ID, false, "the show was over before the reminder could be sent", now)
	case show.OnAir() && now.Sub(show.StartedAt) > s.cfg.Grace:
		return 0, false, s.Store.DropReminders(ctx, show.ID, false, "the show had been on air for too long", now)
	case show.OnAir():
		return 0, true, s.Store.TakeNext(ctx, show, show.StartedAt, now)
	}
	// Those at the start have a Before of zero and wait for it.
	return max(show.ScheduledAt.Sub(now), time.Millisecond), show.ScheduledAt.After(now), s.Store.TakeNext(ctx, show, now, now)
}

// sendDue sends a batch of each show through every channel, the channels side by side.
func (s *Service) sendDue(ctx context.Context, due []dueShow) (more bool, err error) {
	var full atomic.Bool
	channels := s.Channels()
	failed := make([]error, len(channels))
	var wg sync.WaitGroup
	for i, c := range channels {
		wg.Go(func() {
			for _, show := range due {
				n, err := s.sendBatch(ctx, c, show)
				if n == batch {
					full.Store(true)
				}
				if failed[i] = err; err != nil {
					return
				}
			}
		})
	}
	wg.Wait()
	return full.Load(), errors.Join(failed...)
}

// sendBatch sends what is due of a show through a channel, up to a batch, and returns how many there were.
func (s *Service) sendBatch(ctx context.Context, c Channel, show dueShow) (n int, err error) {
	list, err := s.Store.DueReminders(ctx, show.ID, c, show.from, s.instant(), batch)
	if err != nil {
		return 0, err
	}
	slots := make(chan struct{}, s.cfg.Parallel)
	var wg sync.WaitGroup
	defer wg.Wait()
	for _, r := range list {
		slots <- struct{}{} // before the claim: what is claimed is under way, and a crash leaves no more than that unknown
		if err := s.limits[c].Wait(ctx); err != nil {
			return 0, err // stopping
		}
		attempt, err := s.claim(ctx, r, show)
		if err != nil {
			return 0, err
		}
		wg.Go(func() {
			defer func() { <-slots }()
			attempt()
		})
	}
	return len(list), nil
}

// claim takes a due reminder for one attempt, and returns the attempt. One that was cancelled meanwhile, or that another server
// of this database was first to claim, needs none.
func (s *Service) claim(ctx context.Context, r Reminder, show dueShow) (attempt func(), err error) {
	if r.Channel == Webhook {
		return func() {}, s.handOver(ctx, r, show)
	}
	attempts, claimed, err := s.Store.ClaimReminder(ctx, r.ID, s.instant())
	if err != nil || !claimed {
		return func() {}, err
	}
	return func() { s.attempt(ctx, r, attempts, show) }, nil
}

// attempt sends one claimed reminder and notes what became of it. A stop of the server does not interrupt it.
func (s *Service) attempt(ctx context.Context, r Reminder, attempts int, show dueShow) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), sendTimeout)
	defer cancel()
	res := s.Providers[r.Channel].Send(ctx, s.message(r, show))
	state, next := outcome(res, attempts, s.instant())
	s.stats.add(state, 1)
	if res.Verdict != Accepted {
		s.Log.WarnContext(ctx, "a reminder was not taken", "reminder", r.ID, "channel", r.Channel, "show", show.ID, "state", state, "reason", res.Reason)
	}
	// The attempt is over, however long it took: its outcome is noted in any case.
	if err := s.Store.FinishReminder(context.WithoutCancel(ctx), r.ID, state, res.Reason, s.instant(), next); err != nil {
		s.Log.ErrorContext(ctx, "what became of a reminder cannot be noted; it will be unknown", "reminder", r.ID, "state", state, "error", err)
	}
}

// outcome is where an attempt's result leads.
func outcome(res Result, attempts int, now time.Time) (state State, nextTry time.Time) {
	switch res.Verdict {
	case Accepted:
		return Sent, time.Time{}
	case Refused:
		return Failed, time.Time{}
	case NotSent:
		if attempts >= maxAttempts {
			return Failed, time.Time{}
		}
		return Pending, now.Add(max(res.After, backoff(attempts)))
	case Uncertain:
	}
	return Unknown, time.Time{}
}

func (s *Service) message(r Reminder, show dueShow) Message {
	return Message{ID: r.ID, Target: r.Target, Show: show.Show, Started: show.OnAir(), URL: s.cfg.PublicURL + "/r/" + show.RoomID}
}

// Event is what the store's webhooks are told of a reminder: its backend tells the viewer.
type Event struct {
	ID          string `json:"id"`
	ViewerID    string `json:"viewer_id"`
	ShowID      string `json:"show_id"`
	RoomID      string `json:"room_id"`
	Title       string `json:"title"`
	Started     bool   `json:"started"`
	ScheduledAt string `json:"scheduled_at,omitempty"`
	URL         string `json:"url"`
}

// EventType names the event to webhooks.
const EventType = "reminder.due"

func (s *Service) handOver(ctx context.Context, r Reminder, show dueShow) error {
	m := s.message(r, show)
	e := Event{ID: r.ID, ViewerID: r.ViewerID, ShowID: show.ID, RoomID: show.RoomID, Title: show.Title, Started: m.Started, URL: m.URL}
	if !show.ScheduledAt.IsZero() {
		e.ScheduledAt = show.ScheduledAt.UTC().Format("2006-01-02T15:04:05.000Z07:00")
	}
	err := s.Store.HandOver(ctx, r.ID, e, s.instant())
	if errs.KindOf(err) == errs.Conflict {
		return nil // cancelled meanwhile
	}
	if err == nil {
		s.stats.add(Sent, 1)
	}
	return err
}
