package storetest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/commerce/reminder"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/live"
)

// reminderStore is what package reminder asks of a store.
type reminderStore interface {
	AddReminder(ctx context.Context, r reminder.Reminder, most int) (reminder.Reminder, bool, error)
	Reminders(ctx context.Context, viewerID string, before reminder.Position, limit int) ([]reminder.Reminder, error)
	CancelReminder(ctx context.Context, viewerID, id string, at time.Time) error
	ReminderCounts(ctx context.Context, showID string) ([]reminder.Count, error)
	HasReminder(ctx context.Context, viewerID, showID string) (bool, error)
	ReminderRoom(ctx context.Context, roomID string) (string, error)
	ReminderShows(ctx context.Context, w reminder.Window) ([]commerce.Show, error)
	TakeNext(ctx context.Context, show commerce.Show, asked, at time.Time) error
	DropReminders(ctx context.Context, showID string, requeue bool, reason string, at time.Time) error
	DropDoubles(ctx context.Context, showID string, from time.Duration, at time.Time) error
	DueReminders(ctx context.Context, showID string, c reminder.Channel, from time.Duration, at time.Time, limit int) ([]reminder.Reminder, error)
	ClaimReminder(ctx context.Context, id string, at time.Time) (int, bool, error)
	FinishReminder(ctx context.Context, id string, state reminder.State, reason string, at, nextTry time.Time) error
	LoseReminders(ctx context.Context, before, at time.Time) (int64, error)
	HandOver(ctx context.Context, id string, event any, at time.Time) error
}

func newReminder(n int, show live.Show) reminder.Reminder {
	return reminder.Reminder{
		ID: fmt.Sprintf("rem_%016d", n), StoreID: account.DefaultStore, RoomID: show.RoomID, ShowID: show.ID, ViewerID: fmt.Sprintf("visitor:%d", n),
		Channel: reminder.WebPush, Target: reminder.Target{Endpoint: "https://push.example/台", P256dh: "BA", Auth: "AA"},
		State: reminder.Pending, CreatedAt: epoch0.Add(time.Duration(n) * time.Second),
	}
}

func addReminder(t *testing.T, s Store, r reminder.Reminder) reminder.Reminder {
	t.Helper()
	kept, fresh, err := s.AddReminder(t.Context(), r, 10)
	ok(t, err)
	if !fresh {
		t.Errorf("%s is not fresh: %+v", r.ID, kept)
	}
	return kept
}

func reminderOf(t *testing.T, s Store, viewerID string) reminder.Reminder {
	t.Helper()
	list := must(s.Reminders(t.Context(), viewerID, reminder.Position{}, 1))(t)
	if len(list) != 1 {
		t.Fatalf("%s has no reminder", viewerID)
	}
	return list[0]
}

func testReminders(t *testing.T, s Store) {
	ctx := t.Context()
	show := withShow(t, s, 1, live.Scheduled)
	r := newReminder(1, show)
	equal(t, addReminder(t, s, r), r)
	again := r
	again.ID, again.CreatedAt = "rem_x", epoch0.Add(time.Hour)
	kept, fresh, err := s.AddReminder(ctx, again, 10)
	ok(t, err)
	if equal(t, kept, r); fresh {
		t.Error("the same wish is two")
	}
	early := newReminder(2, show)
	early.ViewerID, early.Before = r.ViewerID, 10*time.Minute
	addReminder(t, s, early)
	third := newReminder(3, show)
	third.ViewerID, third.Channel = r.ViewerID, reminder.WeChat
	_, _, err = s.AddReminder(ctx, third, 2)
	kind(t, err, errs.Exhausted)
	other := newReminder(4, show)
	addReminder(t, s, other)

	equal(t, must(s.Reminders(ctx, r.ViewerID, reminder.Position{}, 9))(t), []reminder.Reminder{early, r})
	equal(t, must(s.Reminders(ctx, r.ViewerID, reminder.Position{CreatedAt: early.CreatedAt, ID: early.ID}, 9))(t), []reminder.Reminder{r})
	equal(t, must(s.HasReminder(ctx, r.ViewerID, show.ID))(t), true)
	equal(t, must(s.HasReminder(ctx, "visitor:9", show.ID))(t), false)

	kind(t, s.CancelReminder(ctx, "visitor:9", r.ID, epoch0), errs.NotFound)
	ok(t, s.CancelReminder(ctx, r.ViewerID, r.ID, epoch0))
	ok(t, s.CancelReminder(ctx, r.ViewerID, r.ID, epoch0))
	again.CreatedAt = r.CreatedAt
	addReminder(t, s, again) // a new consent
	_, claimed, err := s.ClaimReminder(ctx, other.ID, epoch0)
	ok(t, err)
	equal(t, claimed, true)
	kind(t, s.CancelReminder(ctx, other.ViewerID, other.ID, epoch0), errs.Conflict)
	equal(t, must(s.ReminderCounts(ctx, show.ID))(t), []reminder.Count{
		{Channel: reminder.WebPush, State: reminder.Cancelled, N: 1},
		{Channel: reminder.WebPush, State: reminder.Pending, N: 2},
		{Channel: reminder.WebPush, State: reminder.Sending, N: 1},
	})
	equal(t, must(s.ReminderRoom(ctx, show.RoomID))(t), account.DefaultStore)
	_, err = s.ReminderRoom(ctx, "room_x")
	kind(t, err, errs.NotFound)
}

// testReminderClaims has many workers claim the same reminders: each is claimed once.
func testReminderClaims(t *testing.T, s Store) {
	ctx := t.Context()
	show := withShow(t, s, 1, live.Live)
	for n := range 5 {
		addReminder(t, s, newReminder(n, show))
	}
	var claims atomic.Int64
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			due, err := s.DueReminders(ctx, show.ID, reminder.WebPush, 0, epoch0, 10)
			if err != nil {
				t.Error(err)
			}
			for _, r := range due {
				attempts, claimed, err := s.ClaimReminder(ctx, r.ID, epoch0)
				if err != nil || claimed && attempts != 1 {
					t.Errorf("attempt %d, %v", attempts, err)
				}
				if claimed {
					claims.Add(1)
				}
			}
		})
	}
	wg.Wait()
	equal(t, claims.Load(), int64(5))
	equal(t, len(must(s.DueReminders(ctx, show.ID, reminder.WebPush, 0, epoch0, 10))(t)), 0)
}

func testReminderAttempts(t *testing.T, s Store) {
	ctx := t.Context()
	show := withShow(t, s, 1, live.Live)
	r := addReminder(t, s, newReminder(1, show))
	claim := func(want int) {
		t.Helper()
		attempts, claimed, err := s.ClaimReminder(ctx, r.ID, epoch0)
		if err != nil || !claimed || attempts != want {
			t.Fatalf("%d %v %v", attempts, claimed, err)
		}
	}
	claim(1)
	ok(t, s.FinishReminder(ctx, r.ID, reminder.Pending, "busy", epoch0, epoch0.Add(time.Minute)))
	equal(t, len(must(s.DueReminders(ctx, show.ID, reminder.WebPush, 0, epoch0.Add(time.Minute-1), 10))(t)), 0)
	equal(t, len(must(s.DueReminders(ctx, show.ID, reminder.WebPush, 0, epoch0.Add(time.Minute), 10))(t)), 1)
	claim(2)
	equal(t, must(s.LoseReminders(ctx, epoch0.Add(-1), epoch0))(t), int64(0))
	equal(t, must(s.LoseReminders(ctx, epoch0, epoch0.Add(time.Hour)))(t), int64(1))
	got := reminderOf(t, s, r.ViewerID)
	if got.State != reminder.Unknown || got.Attempts != 2 || !got.DoneAt.Equal(epoch0.Add(time.Hour)) || !got.ClaimedAt.Equal(epoch0) {
		t.Errorf("%+v", got)
	}
	_, claimed, err := s.ClaimReminder(ctx, r.ID, epoch0)
	if err != nil || claimed {
		t.Errorf("an unknown one is tried again: %v", err)
	}
	ok(t, s.FinishReminder(ctx, r.ID, reminder.Sent, "", epoch0, time.Time{})) // the answer came late
	ok(t, s.FinishReminder(ctx, r.ID, reminder.Failed, "x", epoch0, time.Time{}))
	equal(t, reminderOf(t, s, r.ViewerID).State, reminder.Sent)

	hook := newReminder(2, show)
	hook.Channel, hook.Target = reminder.Webhook, reminder.Target{}
	addReminder(t, s, hook)
	ok(t, s.HandOver(ctx, hook.ID, reminder.Event{ID: hook.ID}, epoch0))
	kind(t, s.HandOver(ctx, hook.ID, reminder.Event{ID: hook.ID}, epoch0), errs.Conflict)
	equal(t, reminderOf(t, s, hook.ViewerID).State, reminder.Sent)
}

// testReminderShows moves a show through its life: reminders follow it.
func testReminderShows(t *testing.T, s Store) {
	ctx := t.Context()
	show := withShow(t, s, 1, live.Scheduled)
	show.ScheduledAt = epoch0.Add(time.Hour)
	ok(t, s.UpdateShow(ctx, show))
	w := reminder.Window{Now: epoch0.Add(time.Minute), Horizon: epoch0.Add(2 * time.Hour), Since: epoch0.Add(-time.Hour)}
	names := func() (ids []string) {
		for _, sh := range must(s.ReminderShows(ctx, w))(t) {
			ids = append(ids, sh.ID)
		}
		return ids
	}
	equal(t, len(names()), 0) // nobody wants to hear of it
	next := newReminder(1, show)
	next.ShowID, next.Next = "", true
	addReminder(t, s, next)
	equal(t, names(), []string{show.ID})
	shop := must(s.ReminderShows(ctx, w))(t)[0]
	equal(t, shop, commerce.Show{
		ID: show.ID, RoomID: show.RoomID, StoreID: show.StoreID, Title: show.Title, State: "scheduled", ScheduledAt: show.ScheduledAt,
	})
	later := newShow(2, live.Room{ID: show.RoomID, StoreID: show.StoreID}, live.Scheduled)
	later.ScheduledAt = show.ScheduledAt.Add(time.Minute)
	ok(t, s.CreateShow(ctx, later))
	ok(t, s.TakeNext(ctx, commerce.Show{ID: later.ID, RoomID: later.RoomID, State: "scheduled"}, w.Now, w.Now))
	equal(t, reminderOf(t, s, next.ViewerID).ShowID, "") // another one comes first
	ok(t, s.TakeNext(ctx, shop, next.CreatedAt.Add(-1), w.Now))
	equal(t, reminderOf(t, s, next.ViewerID).ShowID, "") // asked for too late
	ok(t, s.TakeNext(ctx, shop, w.Now, w.Now))
	equal(t, reminderOf(t, s, next.ViewerID).ShowID, show.ID)

	same := next
	same.ID, same.CreatedAt = "rem_y", epoch0
	addReminder(t, s, same)
	ok(t, s.TakeNext(ctx, shop, w.Now, w.Now))
	equal(t, must(s.ReminderCounts(ctx, show.ID))(t), []reminder.Count{{Channel: reminder.WebPush, State: reminder.Pending, N: 1}})

	ok(t, s.DropReminders(ctx, show.ID, true, "called off", w.Now))
	got := reminderOf(t, s, next.ViewerID)
	if got.ShowID != "" || got.State != reminder.Pending {
		t.Errorf("after the show was called off: %+v", got)
	}
	ok(t, s.TakeNext(ctx, shop, w.Now, w.Now))
	ok(t, s.DropReminders(ctx, show.ID, false, "over", w.Now))
	if got = reminderOf(t, s, next.ViewerID); got.State != reminder.Cancelled || got.Reason != "over" || !got.DoneAt.Equal(w.Now) {
		t.Errorf("%+v", got)
	}
}

func testReminderDoubles(t *testing.T, s Store) {
	ctx := t.Context()
	show := withShow(t, s, 1, live.Live)
	for n, before := range []time.Duration{0, 10 * time.Minute, 30 * time.Minute} {
		r := newReminder(n, show)
		r.ViewerID, r.Before = "visitor:a", before
		addReminder(t, s, r)
	}
	alone := newReminder(5, show)
	alone.Before = 10 * time.Minute
	addReminder(t, s, alone)
	due := func(from time.Duration) (minutes []int) {
		ok(t, s.DropDoubles(ctx, show.ID, from, epoch0.Add(time.Minute)))
		for _, r := range must(s.DueReminders(ctx, show.ID, reminder.WebPush, from, epoch0, 10))(t) {
			minutes = append(minutes, int(r.Before.Minutes()))
		}
		slices.Sort(minutes)
		return minutes
	}
	equal(t, due(20*time.Minute), []int{30})
	equal(t, due(9*time.Minute), []int{10, 10}) // both of a's are due: the later one
	equal(t, due(0), []int{0, 10})
}
