package reminder

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"slices"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/ids"
)

// store keeps reminders. Each method is one transaction.
type store interface {
	// AddReminder stores r, or returns the one like it (viewer, show or room, channel, target, Before) that is not
	// cancelled. Exhausted: the viewer has most pending ones already.
	AddReminder(ctx context.Context, r Reminder, most int) (kept Reminder, fresh bool, err error)
	// Reminders lists a viewer's newest first.
	Reminders(ctx context.Context, viewerID string, before Position, limit int) ([]Reminder, error)
	// CancelReminder cancels a pending one of a viewer. NotFound; Conflict: it is not pending any more.
	CancelReminder(ctx context.Context, viewerID, id string, at time.Time) error
	ReminderCounts(ctx context.Context, showID string) ([]Count, error)
	// HasReminder reports whether the viewer has one of the show, or a pending one of the show's room.
	HasReminder(ctx context.Context, viewerID, showID string) (bool, error)
	ReminderRoom(ctx context.Context, roomID string) (storeID string, err error) // NotFound

	// ReminderShows returns the shows of a window for which some reminder is pending.
	ReminderShows(ctx context.Context, w Window) ([]commerce.Show, error)
	// TakeNext gives the pending reminders of a show's room that were asked for by then, and have no show yet, to the show, if no
	// other show of the room is scheduled before it. One whose viewer has one alike of the show is cancelled.
	TakeNext(ctx context.Context, show commerce.Show, asked, at time.Time) error
	// DropReminders cancels the pending reminders of a show that will not be sent; with requeue those that were asked for
	// the next show wait for it again.
	DropReminders(ctx context.Context, showID string, requeue bool, reason string, at time.Time) error
	// DropDoubles cancels pending reminders of at least from that have one alike in the range with a shorter Before.
	DropDoubles(ctx context.Context, showID string, from time.Duration, at time.Time) error
	// DueReminders lists pending ones of at least from that may be tried at at, oldest first.
	DueReminders(ctx context.Context, showID string, c Channel, from time.Duration, at time.Time, limit int) ([]Reminder, error)
	// ClaimReminder makes a pending one sending; ok is false when it is not pending.
	ClaimReminder(ctx context.Context, id string, at time.Time) (attempts int, ok bool, err error)
	// FinishReminder ends an attempt. It does nothing to one that is final, but unknown ones learn what became of them.
	FinishReminder(ctx context.Context, id string, state State, reason string, at, nextTry time.Time) error
	// LoseReminders makes those unknown that were claimed before then and never finished.
	LoseReminders(ctx context.Context, before, at time.Time) (int64, error)
	// HandOver makes a pending one sent and notes it for the store's webhooks, both or neither.
	HandOver(ctx context.Context, id string, event any, at time.Time) error
}

// shows is what the service asks of rooms.
type shows interface {
	ShopShow(ctx context.Context, showID string) (commerce.Show, error) // NotFound
}

// Deps are what the service works with.
type Deps struct {
	Store     store
	Shows     shows
	Providers map[Channel]Provider // but for Webhook, which is built in
	Log       *slog.Logger
	Now       func() time.Time // nil: time.Now
}

// Service takes viewers' wishes to be reminded and, while Run runs, fulfils them. Safe for concurrent use.
type Service struct {
	Deps
	cfg    Config
	limits map[Channel]*rate.Limiter
	wake   chan struct{} // of one place: a look that is asked for twice is one look
	stats  stats
}

// New makes a service. Invalid: a setting that cannot work.
func New(cfg Config, deps Deps) (*Service, error) {
	if err := cfg.Validate(); err != nil {
		return nil, errs.As(errs.Invalid, "reminder.New", err, "reminders: %v", err)
	}
	if deps.Now == nil {
		deps.Now = time.Now
	}
	cfg = cfg.withDefaults()
	s := &Service{Deps: deps, cfg: cfg, limits: map[Channel]*rate.Limiter{}, wake: make(chan struct{}, 1)}
	for _, c := range s.Channels() {
		s.limits[c] = rate.NewLimiter(rate.Limit(cfg.Rate), max(1, int(cfg.Rate/10)))
	}
	return s, nil
}

// Channels lists the channels that viewers can choose, in order.
func (s *Service) Channels() []Channel {
	all := []Channel{Webhook}
	for c := range s.Providers {
		all = append(all, c)
	}
	slices.Sort(all)
	return all
}

// Subscribe stores a viewer's wish. Asking again for the same returns what is there, fresh false.
//
// Invalid names the field; NotFound: no such show, or not for this viewer; Conflict: the show is on air or over, or the viewer
// cannot be reached by the channel yet; Exhausted: too many are pending.
func (s *Service) Subscribe(ctx context.Context, v account.Viewer, r Request) (kept Reminder, fresh bool, err error) {
	const op = "reminder.Subscribe"
	if r.Before < 0 || r.Before > MaxBefore || r.Before%time.Minute != 0 {
		return kept, false, errs.Field(op, "before_minutes", "a reminder may be 0 to %d minutes before the show", int(MaxBefore.Minutes()))
	}
	wish := Reminder{
		ID: ids.New("rem"), ViewerID: v.ID, Channel: r.Channel, Before: r.Before, State: Pending, CreatedAt: s.instant(),
	}
	if err := s.place(ctx, &wish, r); err != nil {
		return kept, false, errs.Wrap(op, err)
	}
	if v.StoreID != "" && v.StoreID != wish.StoreID {
		return kept, false, errs.New(errs.NotFound, op, "there is no such show in the store that you came from")
	}
	if wish.Target, err = s.target(v, r); err != nil {
		return kept, false, errs.Wrap(op, err)
	}
	kept, fresh, err = s.Store.AddReminder(ctx, wish, s.cfg.MaxPerViewer)
	return kept, fresh, errs.Wrap(op, err)
}

// place finds out what the wish is for.
func (s *Service) place(ctx context.Context, wish *Reminder, r Request) (err error) {
	const op = "reminder.Subscribe"
	if r.ShowID == "" {
		wish.Next, wish.RoomID = true, r.RoomID
		wish.StoreID, err = s.Store.ReminderRoom(ctx, r.RoomID)
		return err
	}
	show, err := s.Shows.ShopShow(ctx, r.ShowID)
	switch {
	case err != nil:
		return err
	case show.Ended():
		return errs.New(errs.Conflict, op, "the show is over; ask to be reminded of the room's next one")
	case show.OnAir():
		return errs.New(errs.Conflict, op, "the show is on air already")
	case r.Before > 0 && !s.instant().Before(show.ScheduledAt.Add(-r.Before)):
		return errs.Field(op, "before_minutes", "that moment is past; ask to be reminded at the start")
	}
	wish.ShowID, wish.RoomID, wish.StoreID = show.ID, show.RoomID, show.StoreID
	return nil
}

func (s *Service) target(v account.Viewer, r Request) (Target, error) {
	const op = "reminder.Subscribe"
	if r.Channel == Webhook {
		if v.StoreID == "" {
			return Target{}, errs.New(errs.Conflict, op, "the store does not know you: sign in there first, or choose another channel")
		}
		return Target{}, nil
	}
	p := s.Providers[r.Channel]
	if p == nil {
		return Target{}, errs.Field(op, "channel", "reminders are not sent by %q here", r.Channel)
	}
	return p.Target(v, r)
}

// List returns a viewer's reminders newest first, and the cursor of the next page, empty on the last one. Invalid: a cursor that
// is none.
func (s *Service) List(ctx context.Context, viewerID, cursor string, limit int) (page []Reminder, next string, err error) {
	const op = "reminder.List"
	before, err := parseCursor(op, cursor)
	if err != nil {
		return nil, "", err
	}
	page, err = s.Store.Reminders(ctx, viewerID, before, limit)
	if err == nil && len(page) == limit && limit > 0 {
		last := page[limit-1]
		next = cursorOf(Position{last.CreatedAt, last.ID})
	}
	return page, next, errs.Wrap(op, err)
}

// Cancel takes a viewer's wish back. NotFound; Conflict: it is too late.
func (s *Service) Cancel(ctx context.Context, viewerID, id string) error {
	return errs.Wrap("reminder.Cancel", s.Store.CancelReminder(ctx, viewerID, id, s.instant()))
}

// Counts says how many reminders of a show stand where, in no particular order.
func (s *Service) Counts(ctx context.Context, showID string) ([]Count, error) {
	counts, err := s.Store.ReminderCounts(ctx, showID)
	return counts, errs.Wrap("reminder.Counts", err)
}

// HasReminder reports whether the viewer asked to be reminded of the show, or asks to be of the room's next one.
func (s *Service) HasReminder(ctx context.Context, viewerID, showID string) (bool, error) {
	has, err := s.Store.HasReminder(ctx, viewerID, showID)
	return has, errs.Wrap("reminder.HasReminder", err)
}

// instant is now as it is stored: whole milliseconds, UTC.
func (s *Service) instant() time.Time { return s.Now().UTC().Truncate(time.Millisecond) }

func cursorOf(p Position) string {
	b, _ := json.Marshal([]any{p.CreatedAt.UnixMilli(), p.ID}) // cannot fail
	return base64.RawURLEncoding.EncodeToString(b)
}

func parseCursor(op, cursor string) (Position, error) {
	if cursor == "" {
		return Position{}, nil
	}
	var at int64
	var id string
	b, err := base64.RawURLEncoding.DecodeString(cursor)
	if err == nil {
		err = json.Unmarshal(b, &[]any{&at, &id})
	}
	if err != nil || !strings.HasPrefix(id, "rem_") {
		return Position{}, errs.Field(op, "after", "after must be the next of the page before")
	}
	return Position{time.UnixMilli(at).UTC(), id}, nil
}
