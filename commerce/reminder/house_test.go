package reminder_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/commerce/reminder"
	"github.com/vitrine-live/vitrine/live"
	"github.com/vitrine-live/vitrine/store/sqldb"
	"github.com/vitrine-live/vitrine/store/sqldb/sqldbtest"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(killedChildEnv); path != "" {
		killedChild(path)
		return
	}
	goleak.VerifyTestMain(m)
}

// provider notes what it is asked to send, and answers as told.
type provider struct {
	answer func(m reminder.Message) reminder.Result // nil: accepted

	mu   sync.Mutex
	sent []reminder.Message
}

func (p *provider) Target(_ account.Viewer, r reminder.Request) (reminder.Target, error) {
	return reminder.Target{Endpoint: r.Endpoint}, nil
}

func (p *provider) Send(_ context.Context, m reminder.Message) reminder.Result {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent = append(p.sent, m)
	if p.answer != nil {
		return p.answer(m)
	}
	return reminder.Result{Verdict: reminder.Accepted}
}

func (p *provider) messages() []reminder.Message {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]reminder.Message(nil), p.sent...)
}

// shop is a database with rooms, shows and reminders on a clock that stands until a test moves it.
type shop struct {
	t    testing.TB
	db   *sqldb.DB
	now  time.Time
	push *provider
	*reminder.Service
	shows int
}

func newShop(t testing.TB, cfg reminder.Config) *shop {
	t.Helper()
	db := sqldbtest.Open(t)
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	s := &shop{t: t, db: db, now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC), push: &provider{}}
	s.Service = s.service(cfg, reminder.Deps{Store: db, Shows: shopShows{db}, Providers: map[reminder.Channel]reminder.Provider{reminder.WebPush: s.push}})
	return s
}

func (s *shop) service(cfg reminder.Config, deps reminder.Deps) *reminder.Service {
	s.t.Helper()
	cfg.Rate, cfg.PublicURL = 10_000, "https://shop.example"
	deps.Log, deps.Now = slog.New(slog.DiscardHandler), func() time.Time { return s.now }
	made, err := reminder.New(cfg, deps)
	if err != nil {
		s.t.Fatal(err)
	}
	return made
}

// shopShows are the shows as rooms would tell them.
type shopShows struct{ db *sqldb.DB }

func (s shopShows) ShopShow(ctx context.Context, id string) (commerce.Show, error) {
	show, err := s.db.Show(ctx, id)
	return commerce.Show{
		ID: show.ID, RoomID: show.RoomID, StoreID: show.StoreID, Title: show.Title, State: string(show.State), ScheduledAt: show.ScheduledAt,
		StartedAt: show.StartedAt, EndedAt: show.EndedAt,
	}, err
}

// room makes a room without a show.
func (s *shop) room() live.Room {
	s.t.Helper()
	s.shows++
	r := live.Room{ID: fmt.Sprintf("room_%d", s.shows), Title: "Room", KeyHash: fmt.Sprint(s.shows), StoreID: account.DefaultStore, CreatedAt: s.now}
	s.ok(s.db.CreateRoom(s.t.Context(), r))
	return r
}

// schedule makes a show of a room that is to begin in a while.
func (s *shop) schedule(r live.Room, in time.Duration) live.Show {
	s.t.Helper()
	s.shows++
	show := live.Show{
		ID: fmt.Sprintf("show_%d", s.shows), RoomID: r.ID, StoreID: r.StoreID, Title: "Evening show", State: live.Scheduled, ScheduledAt: s.now.Add(in), CreatedAt: s.now,
	}
	s.ok(s.db.CreateShow(s.t.Context(), show))
	return show
}

func (s *shop) start(show live.Show) live.Show {
	s.t.Helper()
	show.State, show.StartedAt = live.Live, s.now
	s.ok(s.db.UpdateShow(s.t.Context(), show))
	return show
}

func (s *shop) ok(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// ask has a viewer ask, and returns the reminder.
func (s *shop) ask(viewer string, r reminder.Request) reminder.Reminder {
	s.t.Helper()
	if r.Channel == "" {
		r.Channel = reminder.WebPush
	}
	kept, _, err := s.Subscribe(s.t.Context(), account.Viewer{ID: viewer}, r)
	s.ok(err)
	return kept
}

// pass lets the worker look until nothing is due.
func (s *shop) pass() {
	s.t.Helper()
	for more := true; more; {
		var err error
		more, err = s.Pass(s.t.Context())
		s.ok(err)
	}
}

// state is where a viewer's newest reminder stands.
func (s *shop) state(viewer string) reminder.State {
	s.t.Helper()
	list, _, err := s.List(s.t.Context(), viewer, "", 1)
	s.ok(err)
	if len(list) == 0 {
		return ""
	}
	return list[0].State
}
