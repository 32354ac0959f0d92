package reminder_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/commerce/reminder"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/live"
)

// A show goes through its life; who asked hears of it when they asked to.
func TestFollowsTheShow(t *testing.T) {
	s := newShop(t, reminder.Config{})
	show := s.schedule(s.room(), time.Hour)
	s.ask("start", reminder.Request{ShowID: show.ID})
	s.ask("early", reminder.Request{ShowID: show.ID, Before: 10 * time.Minute})
	s.ask("both", reminder.Request{ShowID: show.ID})
	s.ask("both", reminder.Request{ShowID: show.ID, Before: 10 * time.Minute})
	hear := func(want string) {
		t.Helper()
		s.pass()
		got := ""
		for _, m := range s.push.messages() {
			if m.Started {
				got += "started "
			} else {
				got += "soon "
			}
			if m.URL != "https://shop.example/r/"+show.RoomID || m.Show.ID != show.ID || m.Show.Title != "Evening show" {
				t.Errorf("%+v", m)
			}
		}
		if got != want {
			t.Errorf("at %v: %q, want %q", s.now, got, want)
		}
	}
	hear("")
	s.now = s.now.Add(50*time.Minute - time.Millisecond)
	hear("")
	show.ScheduledAt = show.ScheduledAt.Add(time.Hour) // moved
	s.ok(s.db.UpdateShow(t.Context(), show))
	s.now = s.now.Add(time.Hour)
	hear("")
	s.now = s.now.Add(time.Millisecond)
	hear("soon soon ")
	s.now = s.now.Add(10 * time.Minute) // the anchor is late
	hear("soon soon ")
	s.now = s.now.Add(20 * time.Minute)
	s.start(show)
	hear("soon soon started started ")
	s.now = s.now.Add(time.Minute)
	hear("soon soon started started ")
	for _, viewer := range []string{"start", "early", "both"} {
		if got := s.state(viewer); got != reminder.Sent {
			t.Errorf("%s: %s", viewer, got)
		}
	}
	if got := s.Attempts(reminder.Sent); got != 4 {
		t.Errorf("%d attempts", got)
	}
}

func TestStartsEarly(t *testing.T) {
	s := newShop(t, reminder.Config{})
	show := s.schedule(s.room(), time.Hour)
	s.ask("early", reminder.Request{ShowID: show.ID, Before: 10 * time.Minute})
	s.ask("both", reminder.Request{ShowID: show.ID})
	s.ask("both", reminder.Request{ShowID: show.ID, Before: 10 * time.Minute})
	s.start(show)
	s.pass()
	if got := s.push.messages(); len(got) != 2 || !got[0].Started || !got[1].Started {
		t.Errorf("%+v", got)
	}
}

func TestCalledOffAndNext(t *testing.T) {
	s := newShop(t, reminder.Config{})
	room := s.room()
	s.ask("next", reminder.Request{RoomID: room.ID})
	show := s.schedule(room, time.Hour)
	s.ask("this", reminder.Request{ShowID: show.ID})
	s.pass()
	show.State, show.EndedAt = live.Ended, s.now
	s.ok(s.db.UpdateShow(t.Context(), show))
	s.pass()
	if this, next := s.state("this"), s.state("next"); this != reminder.Cancelled || next != reminder.Pending {
		t.Errorf("%s and %s", this, next)
	}
	s.now = s.now.Add(time.Minute)
	unannounced := s.start(s.schedule(room, 0))
	s.ask("after", reminder.Request{RoomID: room.ID})
	s.now = s.now.Add(time.Second)
	s.ask("later", reminder.Request{RoomID: room.ID}) // for the one after
	s.pass()
	if got := s.push.messages(); len(got) != 2 || got[0].Show.ID != unannounced.ID {
		t.Errorf("%+v", got)
	}
	if later := s.state("later"); later != reminder.Pending {
		t.Errorf("later: %s", later)
	}
}

func TestTooLate(t *testing.T) {
	s := newShop(t, reminder.Config{Grace: 10 * time.Minute})
	long, over := s.schedule(s.room(), time.Hour), s.schedule(s.room(), time.Hour)
	s.ask("long", reminder.Request{ShowID: long.ID})
	s.ask("over", reminder.Request{ShowID: over.ID})
	s.start(long)
	over = s.start(over)
	over.State, over.EndedAt = live.Ended, s.now
	s.ok(s.db.UpdateShow(t.Context(), over))
	s.now = s.now.Add(10*time.Minute + 1*time.Millisecond) // the server was down
	s.pass()
	if long, over := s.state("long"), s.state("over"); long != reminder.Cancelled || over != reminder.Cancelled || len(s.push.messages()) != 0 {
		t.Errorf("%s and %s, %d messages", long, over, len(s.push.messages()))
	}
}

// Only what provably was not sent is tried again, with growing pauses, and not for ever.
func TestTriesAgain(t *testing.T) {
	s := newShop(t, reminder.Config{Grace: 24 * time.Hour})
	show := s.schedule(s.room(), time.Hour)
	for _, viewer := range []string{"busy", "refused", "uncertain"} {
		s.ask(viewer, reminder.Request{ShowID: show.ID, Endpoint: viewer})
	}
	s.push.answer = func(m reminder.Message) reminder.Result {
		return map[string]reminder.Result{
			"busy": {Verdict: reminder.NotSent, Reason: "busy", After: time.Minute}, "refused": {Verdict: reminder.Refused, Reason: "no"}, "uncertain": {Reason: "?"},
		}[m.Target.Endpoint]
	}
	s.start(show)
	s.pass()
	if got := len(s.push.messages()); got != 3 {
		t.Fatalf("%d messages", got)
	}
	s.now = s.now.Add(time.Minute - 1)
	s.pass()
	if got := len(s.push.messages()); got != 3 {
		t.Errorf("%d messages before the pause was over", got)
	}
	for range 20 {
		s.now = s.now.Add(10 * time.Minute)
		s.pass()
	}
	if got := len(s.push.messages()); got != 3+5 {
		t.Errorf("%d messages", got)
	}
	for viewer, want := range map[string]reminder.State{"busy": reminder.Failed, "refused": reminder.Failed, "uncertain": reminder.Unknown} {
		if got := s.state(viewer); got != want {
			t.Errorf("%s: %s", viewer, got)
		}
	}
	if s.Attempts(reminder.Pending) != 5 || s.Attempts(reminder.Failed) != 2 || s.Attempts(reminder.Unknown) != 1 {
		t.Error("the attempts are counted wrongly")
	}
}

func TestSubscribe(t *testing.T) {
	s := newShop(t, reminder.Config{MaxPerViewer: 2})
	show := s.schedule(s.room(), time.Hour)
	first := s.ask("ann", reminder.Request{ShowID: show.ID})
	if again := s.ask("ann", reminder.Request{ShowID: show.ID}); again.ID != first.ID {
		t.Error("one wish is two")
	}
	if has, err := s.HasReminder(t.Context(), "ann", show.ID); !has || err != nil {
		t.Errorf("%v, %v", has, err)
	}
	known := account.Viewer{ID: "jwt:store_default:1", StoreID: account.DefaultStore}
	onAir := s.start(s.schedule(s.room(), 0))
	for name, c := range map[string]struct {
		viewer account.Viewer
		r      reminder.Request
		want   errs.Kind
	}{
		"too far":        {known, reminder.Request{ShowID: show.ID, Before: 25 * time.Hour}, errs.Invalid},
		"not a minute":   {known, reminder.Request{ShowID: show.ID, Before: time.Second}, errs.Invalid},
		"past":           {known, reminder.Request{ShowID: show.ID, Before: 2 * time.Hour}, errs.Invalid},
		"no channel":     {known, reminder.Request{ShowID: show.ID, Channel: reminder.WeChat}, errs.Invalid},
		"no show":        {known, reminder.Request{ShowID: "show_x", Channel: reminder.Webhook}, errs.NotFound},
		"no room":        {known, reminder.Request{RoomID: "room_x", Channel: reminder.Webhook}, errs.NotFound},
		"on air":         {known, reminder.Request{ShowID: onAir.ID, Channel: reminder.Webhook}, errs.Conflict},
		"another store":  {account.Viewer{ID: "jwt:x:1", StoreID: "store_x"}, reminder.Request{ShowID: show.ID, Channel: reminder.Webhook}, errs.NotFound},
		"not known":      {account.Viewer{ID: "visitor:1"}, reminder.Request{ShowID: show.ID, Channel: reminder.Webhook}, errs.Conflict},
		"a place of two": {account.Viewer{ID: "ann"}, reminder.Request{RoomID: s.room().ID, Channel: reminder.WebPush}, errs.Internal}, // the last one
		"none left":      {account.Viewer{ID: "full"}, reminder.Request{RoomID: s.room().ID, Channel: reminder.WebPush, Endpoint: "3"}, errs.Exhausted},
	} {
		if name == "none left" {
			s.ask("full", reminder.Request{ShowID: show.ID, Endpoint: "1"})
			s.ask("full", reminder.Request{ShowID: show.ID, Endpoint: "2"})
		}
		_, _, err := s.Subscribe(t.Context(), c.viewer, c.r)
		if errs.KindOf(err) != c.want || (err == nil) != (c.want == errs.Internal) || err != nil && errs.MessageOf(err) == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	page, next, err := s.List(t.Context(), "full", "", 1)
	s.ok(err)
	rest, last, err := s.List(t.Context(), "full", next, 2)
	if err != nil || len(page) != 1 || len(rest) != 1 || last != "" || rest[0].ID == page[0].ID {
		t.Errorf("%v, then %v, %q, %v", page, rest, last, err)
	}
	if _, _, err = s.List(t.Context(), "full", "?", 1); errs.KindOf(err) != errs.Invalid {
		t.Errorf("%v", err)
	}
	s.ok(s.Cancel(t.Context(), "ann", first.ID))
	counts, err := s.Counts(t.Context(), show.ID)
	s.ok(err)
	if fmt.Sprint(counts) != "[{web_push cancelled 1} {web_push pending 2}]" {
		t.Errorf("%v", counts)
	}
}

func TestWebhook(t *testing.T) {
	s := newShop(t, reminder.Config{})
	show := s.schedule(s.room(), time.Hour)
	known := account.Viewer{ID: "jwt:store_default:1", StoreID: account.DefaultStore}
	if _, _, err := s.Subscribe(t.Context(), known, reminder.Request{ShowID: show.ID, Channel: reminder.Webhook}); err != nil {
		t.Fatal(err)
	}
	s.start(show)
	s.pass()
	if got := s.state(known.ID); got != reminder.Sent || s.Attempts(reminder.Sent) != 1 {
		t.Errorf("%s", got)
	}
}

// Run looks when it is woken, and at its stop waits for what is under way.
func TestRun(t *testing.T) {
	s := newShop(t, reminder.Config{Poll: time.Hour})
	show := s.schedule(s.room(), time.Hour)
	s.ask("ann", reminder.Request{ShowID: show.ID})
	sending, done := make(chan struct{}), make(chan struct{})
	s.push.answer = func(reminder.Message) reminder.Result {
		close(sending)
		<-done
		return reminder.Result{Verdict: reminder.Accepted}
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.Run(ctx)
	}()
	s.start(show)
	s.Wake()
	<-sending
	cancel(errors.New("stop"))
	close(done)
	<-ended
	if got := s.state("ann"); got != reminder.Sent {
		t.Errorf("%s", got)
	}
}

// The rate holds: 50 a second are not 500.
func TestRate(t *testing.T) {
	s := newShop(t, reminder.Config{})
	show := s.start(s.schedule(s.room(), 0))
	show.State = live.Scheduled
	s.ok(s.db.UpdateShow(t.Context(), show))
	synctest.Test(t, func(t *testing.T) {
		p := &provider{}
		slow, err := reminder.New(reminder.Config{Rate: 100}, reminder.Deps{Store: dueStore{n: 60}, Providers: map[reminder.Channel]reminder.Provider{reminder.WebPush: p}})
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if _, err := slow.Pass(t.Context()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took != 500*time.Millisecond || len(p.messages()) != 60 { // 10 at once, 50 at 100 a second
			t.Errorf("%d messages in %v", len(p.messages()), took)
		}
	})
}
