package lottery_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/commerce/lottery"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/store/sqldb"
	"github.com/vitrine-live/vitrine/store/sqldb/sqldbtest"
)

// stage is a show on air, on a clock that stands until a test moves it, with what its viewers were told.
type stage struct {
	mu    sync.Mutex
	now   time.Time
	at    int64
	ended bool
	away  bool // it is on air in another process
	fails int  // so many times Tell fails
	told  []string
}

func newStage() *stage { return &stage{now: time.Date(2026, 11, 22, 20, 0, 0, 0, time.UTC)} }

func (s *stage) time() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *stage) pass(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
	if !s.ended {
		s.at += d.Milliseconds()
	}
}

func (s *stage) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
}

func (s *stage) ShopShow(_ context.Context, id string) (commerce.Show, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	show := commerce.Show{ID: id, RoomID: "room_1", StoreID: account.DefaultStore, State: "live"}
	if s.ended {
		show.State = "ended"
	}
	return show, nil
}

func (s *stage) OnAirNow(string) (string, int64, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return "show_1", s.at, !s.ended && !s.away
}

func (s *stage) Tell(_ context.Context, _, typ string, _ *int64, data any) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended || s.away {
		return 0, errs.New(errs.Conflict, "stage.Tell", "the show is not on air")
	}
	if s.fails > 0 {
		s.fails--
		return 0, errors.New("no timeline today")
	}
	doc, err := json.Marshal(data)
	s.told = append(s.told, typ+" "+string(doc))
	return s.at, err
}

func openDB(t testing.TB) *sqldb.DB {
	t.Helper()
	db := sqldbtest.Open(t)
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func service(db *sqldb.DB, s *stage) *lottery.Service {
	return lottery.New(lottery.Config{}, lottery.Deps{Store: db, Shows: s, Log: slog.New(slog.DiscardHandler), Now: s.time})
}

func terms() lottery.Terms {
	return lottery.Terms{
		ShowID: "show_1", Title: "抽奖", Window: time.Minute, ClaimFor: 24 * time.Hour,
		Prizes: []lottery.Prize{{Name: "Teapot", Count: 1}, {Name: "Cup", Count: 2}},
	}
}

// opened makes an open lottery with so many entrants.
func opened(t testing.TB, s *lottery.Service, viewers int) lottery.Lottery {
	t.Helper()
	l, err := s.Create(t.Context(), account.DefaultStore, terms())
	if err != nil {
		t.Fatal(err)
	}
	if l, err = s.Open(t.Context(), account.DefaultStore, l.ID); err != nil {
		t.Fatal(err)
	}
	for i := range viewers {
		if _, err := s.Enter(t.Context(), l.ID, account.Viewer{ID: fmt.Sprint("visitor:", i), Name: "Anna"}); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

func proof(t testing.TB, s *lottery.Service, id string) lottery.Proof {
	t.Helper()
	p, err := s.Proof(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestStateOnlyMovesForward does anything that the service offers in any order, and looks after each act: the state went
// nowhere but where the table lets it, and what was published once is what it was.
func TestStateOnlyMovesForward(t *testing.T) {
	db := openDB(t)
	may := map[lottery.State]string{
		lottery.Draft: "draft open cancelled", lottery.Open: "open closed cancelled", lottery.Closed: "closed drawn",
		lottery.Drawn: "drawn", lottery.Cancelled: "cancelled",
	}
	rapid.Check(t, func(rt *rapid.T) {
		show := newStage()
		s, ctx := service(db, show), t.Context()
		l, err := s.Create(ctx, account.DefaultStore, terms())
		if err != nil {
			rt.Fatal(err)
		}
		was, published := l, lottery.Proof{}
		look := func(*rapid.T) {
			is, err := s.Get(ctx, account.DefaultStore, l.ID)
			if err != nil {
				rt.Fatal(err)
			}
			if !slices.Contains(strings.Fields(may[was.State]), string(is.State)) {
				rt.Fatalf("it was %s and is %s", was.State, is.State)
			}
			was = is
			if is.Commitment == "" {
				return
			}
			p := proof(t, s, l.ID)
			if bad := changed(&published, &p); bad != "" {
				rt.Fatal(bad)
			}
			published = p
		}
		viewer := 0
		rt.Repeat(map[string]func(*rapid.T){
			"":       look,
			"update": func(*rapid.T) { _, _ = s.Update(ctx, account.DefaultStore, l.ID, terms()) },
			"open":   func(*rapid.T) { _, _ = s.Open(ctx, account.DefaultStore, l.ID) },
			"enter": func(*rapid.T) {
				viewer++
				_, _ = s.Enter(ctx, l.ID, account.Viewer{ID: fmt.Sprint("visitor:", viewer/2)})
			},
			"close": func(*rapid.T) { _, _ = s.Close(ctx, account.DefaultStore, l.ID) },
			"cancel": func(rt *rapid.T) {
				if rapid.IntRange(0, 9).Draw(rt, "mood") == 0 {
					_, _ = s.Cancel(ctx, account.DefaultStore, l.ID, "no more tea")
				}
			},
			"step":  func(*rapid.T) { s.Step(ctx) },
			"time":  func(rt *rapid.T) { show.pass(time.Duration(rapid.IntRange(1, 30).Draw(rt, "s")) * time.Second) },
			"crash": func(*rapid.T) { s = service(db, show) },
		})
	})
}

// changed says what of a proof is not what it was when it was published.
func changed(was, is *lottery.Proof) string {
	switch {
	case was.Commitment != "" && was.Commitment != is.Commitment:
		return "another commitment"
	case was.EntrantsHash != "" && (was.EntrantsHash != is.EntrantsHash || !cmp.Equal(was.Entrants, is.Entrants)):
		return "other entrants after the closing"
	case was.Seed != "" && (was.Seed != is.Seed || !cmp.Equal(was.Winners, is.Winners)):
		return "another draw"
	case (is.Seed != "") != (is.State == lottery.Drawn):
		return "the seed is known when it is " + string(is.State)
	case is.State == lottery.Drawn && len(is.Verify()) > 0:
		return fmt.Sprint("a draw that does not hold: ", is.Verify())
	}
	return ""
}

// TestCrashes fails between every two steps from the closing on, and goes on with a new process each time.
func TestCrashes(t *testing.T) {
	db, show := openDB(t), newStage()
	l := opened(t, service(db, show), 20)
	show.pass(time.Minute)
	show.fails = 1
	service(db, show).Step(t.Context()) // closes, and dies before it tells
	p := proof(t, service(db, show), l.ID)
	if p.State != lottery.Closed || len(show.told) != 1 {
		t.Fatalf("%s, told %q", p.State, show.told)
	}
	show.pass(30 * time.Second)
	service(db, show).Step(t.Context()) // tells of the closing; the seed stays where it is until that is known
	if p := proof(t, service(db, show), l.ID); p.State != lottery.Closed || len(show.told) != 2 {
		t.Fatalf("%s, told %q", p.State, show.told)
	}
	show.fails = 1
	service(db, show).Step(t.Context()) // draws, and dies before it tells
	p = proof(t, service(db, show), l.ID)
	if p.State != lottery.Drawn || len(show.told) != 2 {
		t.Fatalf("%s, told %q", p.State, show.told)
	}
	for range 3 {
		service(db, show).Step(t.Context())
	}
	if again := proof(t, service(db, show), l.ID); !cmp.Equal(p, again) || len(show.told) != 3 {
		t.Fatalf("told %q; drawn again:\n%s", show.told, cmp.Diff(p, again))
	}
	if wrong := p.Verify(); len(wrong) > 0 || len(p.Winners) != 3 {
		t.Error(wrong)
	}
}

// TestManyProcessesDrawOnce lets several services over one database close and draw at once.
func TestManyProcessesDrawOnce(t *testing.T) {
	db, show := openDB(t), newStage()
	l := opened(t, service(db, show), 30)
	show.pass(time.Minute)
	for range 3 {
		var wg sync.WaitGroup
		for range 6 {
			wg.Go(func() { service(db, show).Step(t.Context()) })
		}
		wg.Wait()
		show.pass(10 * time.Second)
	}
	p := proof(t, service(db, show), l.ID)
	if wrong := p.Verify(); len(wrong) > 0 || len(p.Winners) != 3 || p.Entries != 30 {
		t.Fatalf("%q in %+v", wrong, p)
	}
}

// TestChangedEntriesAreNotDrawn changes what the database holds after the closing: there is no draw rather than a wrong one.
func TestChangedEntriesAreNotDrawn(t *testing.T) {
	db, show := openDB(t), newStage()
	s := service(db, show)
	l := opened(t, s, 5)
	if _, err := s.Close(t.Context(), account.DefaultStore, l.ID); err != nil {
		t.Fatal(err)
	}
	s.Deps.Store = tampering{db}
	show.pass(time.Minute)
	s.Step(t.Context())
	if p := proof(t, s, l.ID); p.State != lottery.Closed || p.Seed != "" {
		t.Errorf("it is %s", p.State)
	}
}

type tampering struct{ *sqldb.DB }

func (t tampering) DrawLottery(ctx context.Context, id string, d lottery.Drawing) (lottery.Lottery, error) {
	honest := d.Winners
	d.Winners = func(l *lottery.Lottery, seed []byte, entries []lottery.Entry) ([]lottery.Winner, error) {
		return honest(l, seed, append(entries, lottery.Entry{ViewerID: "visitor:late", Entrant: "ent_late"}))
	}
	return t.DB.DrawLottery(ctx, id, d)
}

func TestLotteryEndsWithoutItsShow(t *testing.T) {
	t.Run("the show ends", func(t *testing.T) {
		db, show := openDB(t), newStage()
		s := service(db, show)
		l := opened(t, s, 2)
		show.end()
		s.Step(t.Context())
		show.pass(time.Minute)
		s.Step(t.Context())
		s.Step(t.Context())
		if p := proof(t, s, l.ID); p.State != lottery.Drawn || len(p.Winners) != 2 || len(show.told) != 1 {
			t.Errorf("%+v, told %q", p, show.told)
		}
	})
	t.Run("the show is on air in a process that is gone", func(t *testing.T) {
		db, show := openDB(t), newStage()
		s := service(db, show)
		l := opened(t, s, 2)
		show.away = true
		show.pass(5 * time.Minute)
		s.Step(t.Context())
		if p := proof(t, s, l.ID); p.State != lottery.Open {
			t.Fatalf("it is %s within the time that an anchor has to come back", p.State)
		}
		show.pass(6 * time.Minute)
		s.Step(t.Context())
		show.pass(time.Minute)
		s.Step(t.Context())
		if p := proof(t, s, l.ID); p.State != lottery.Closed {
			t.Fatalf("it is %s though the closing is not on the timeline", p.State)
		}
		show.pass(2 * time.Minute)
		s.Step(t.Context())
		if p := proof(t, s, l.ID); p.State != lottery.Drawn {
			t.Errorf("it is %s for good", p.State)
		}
	})
	t.Run("it never opened", func(t *testing.T) {
		db, show := openDB(t), newStage()
		s, later := service(db, show), terms()
		later.OpensAtMS = new(int64(3_600_000))
		l, err := s.Create(t.Context(), account.DefaultStore, later)
		if err != nil {
			t.Fatal(err)
		}
		s.Step(t.Context())
		show.end()
		s.Step(t.Context())
		if l, err = s.Get(t.Context(), account.DefaultStore, l.ID); err != nil || l.State != lottery.Cancelled || len(show.told) != 0 {
			t.Errorf("%+v, %v", l, err)
		}
	})
}

func TestCancelledKeepsItsCommitment(t *testing.T) {
	db, show := openDB(t), newStage()
	s := service(db, show)
	l := opened(t, s, 2)
	if _, err := s.Cancel(t.Context(), account.DefaultStore, l.ID, "The anchor is ill"); err != nil {
		t.Fatal(err)
	}
	p := proof(t, s, l.ID)
	if p.Commitment != l.Commitment || p.Reason != "The anchor is ill" || p.Seed != "" || len(show.told) != 2 {
		t.Errorf("%+v, told %q", p, show.told)
	}
}

func TestAnotherStoresViewerStaysOut(t *testing.T) {
	db, show := openDB(t), newStage()
	s := service(db, show)
	l := opened(t, s, 0)
	_, err := s.Enter(t.Context(), l.ID, account.Viewer{ID: "jwt:store_other:1", StoreID: "store_other"})
	if errs.KindOf(err) != errs.Forbidden {
		t.Errorf("got %v", err)
	}
}
