package reminder_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/commerce/reminder"
	"github.com/vitrine-live/vitrine/internal/netguard"
	"github.com/vitrine-live/vitrine/providers/webpush"
	"github.com/vitrine-live/vitrine/providers/webpush/pushtest"
	"github.com/vitrine-live/vitrine/store/sqldb"
)

// dueStore always has the same reminders due, for tests of nothing but the sending.
type dueStore struct {
	*sqldb.DB
	n int
}

func (dueStore) LoseReminders(context.Context, time.Time, time.Time) (int64, error) { return 0, nil }

func (dueStore) ReminderShows(context.Context, reminder.Window) ([]commerce.Show, error) {
	return []commerce.Show{{ID: "show_1", State: "live", StartedAt: time.Now()}}, nil
}

func (dueStore) TakeNext(context.Context, commerce.Show, time.Time, time.Time) error { return nil }

func (dueStore) DropDoubles(context.Context, string, time.Duration, time.Time) error { return nil }

func (d dueStore) DueReminders(_ context.Context, _ string, c reminder.Channel, _ time.Duration, _ time.Time, _ int) (due []reminder.Reminder, err error) {
	for i := range d.n {
		if c == reminder.WebPush {
			due = append(due, reminder.Reminder{ID: fmt.Sprint(i), Channel: c})
		}
	}
	return due, nil
}

func (dueStore) ClaimReminder(context.Context, string, time.Time) (int, bool, error) {
	return 1, true, nil
}

func (dueStore) FinishReminder(context.Context, string, reminder.State, string, time.Time, time.Time) error {
	return nil
}

// mortal is a process that dies at one of its steps, before or after it takes effect: from then on nothing it does happens.
type mortal struct {
	*sqldb.DB
	push  *provider
	after bool
	left  int // steps to live
}

var errDead = errors.New("the process is dead")

// step does one thing unless the process is dead.
func (m *mortal) step(do func() error) error {
	m.left--
	if m.left < 0 || m.left == 0 && !m.after {
		m.left = min(m.left, 0)
		return errDead
	}
	err := do()
	if m.left == 0 {
		return errDead
	}
	return err
}

func (m *mortal) ClaimReminder(ctx context.Context, id string, at time.Time) (n int, ok bool, err error) {
	err = m.step(func() error {
		n, ok, err = m.DB.ClaimReminder(ctx, id, at)
		return err
	})
	return n, ok && err == nil, err
}

func (m *mortal) FinishReminder(ctx context.Context, id string, state reminder.State, reason string, at, next time.Time) error {
	return m.step(func() error { return m.DB.FinishReminder(ctx, id, state, reason, at, next) })
}

func (m *mortal) HandOver(ctx context.Context, id string, event any, at time.Time) error {
	return m.step(func() error { return m.DB.HandOver(ctx, id, event, at) })
}

func (m *mortal) Target(v account.Viewer, r reminder.Request) (reminder.Target, error) {
	return m.push.Target(v, r)
}

func (m *mortal) Send(ctx context.Context, msg reminder.Message) (res reminder.Result) {
	err := m.step(func() error {
		res = m.push.Send(ctx, msg)
		return nil
	})
	if err != nil {
		return reminder.Result{Reason: err.Error()} // nobody hears it
	}
	return res
}

// A process dies at each step of its work, before and after it takes effect. Whatever the next one does, no consent is used
// twice, none is lost sight of, and what is said to be sent was sent.
func TestCrashAtEveryStep(t *testing.T) {
	s := newShop(t, reminder.Config{Grace: 24 * time.Hour})
	viewers := []string{"ann", "bob"}
	for step, died := 1, true; died; step++ {
		for _, after := range []bool{false, true} {
			s.push = &provider{}
			show := s.schedule(s.room(), time.Hour)
			for _, v := range viewers {
				s.ask(v, reminder.Request{ShowID: show.ID})
			}
			s.start(show)
			dying := &mortal{DB: s.db, push: s.push, after: after, left: step}
			process := s.service(reminder.Config{Parallel: 1, Grace: 24 * time.Hour}, reminder.Deps{
				Store: dying, Shows: shopShows{s.db}, Providers: map[reminder.Channel]reminder.Provider{reminder.WebPush: dying},
			})
			_, _ = process.Pass(t.Context())
			died = dying.left <= 0

			s.now = s.now.Add(2 * time.Minute)
			next := s.service(reminder.Config{Grace: 24 * time.Hour}, reminder.Deps{
				Store: s.db, Shows: shopShows{s.db}, Providers: map[reminder.Channel]reminder.Provider{reminder.WebPush: s.push},
			})
			for more := true; more; {
				var err error
				more, err = next.Pass(t.Context())
				s.ok(err)
			}
			s.judge(fmt.Sprintf("step %d, after %v", step, after), viewers, 1)
		}
	}
}

// judge checks that what the viewers' reminders say is what happened.
func (s *shop) judge(when string, viewers []string, mostUnknown int) {
	s.t.Helper()
	times := map[string]int{}
	for _, m := range s.push.messages() {
		times[m.ID]++
	}
	unknown := 0
	for _, v := range viewers {
		list, _, err := s.List(s.t.Context(), v, "", 1)
		s.ok(err)
		n := times[list[0].ID]
		switch state := list[0].State; {
		case state == reminder.Sent && n == 1:
		case state == reminder.Unknown && n <= 1 && list[0].Reason != "":
			unknown++
		default:
			s.t.Errorf("%s: %s is %s and was sent %d times", when, v, state, n)
		}
	}
	if unknown > mostUnknown {
		s.t.Errorf("%s: %d are unknown", when, unknown)
	}
}

const (
	killedChildEnv = "VITRINE_TEST_REMINDER_CHILD" // the database that the test binary works on until it is killed
	keyEnv         = "VITRINE_TEST_REMINDER_KEY"
	roundEnv       = "VITRINE_TEST_REMINDER_ROUND"
)

// killedChild sends what is due by Web Push, and says so when nothing is left.
func killedChild(path string) {
	var round int
	_, _ = fmt.Sscan(os.Getenv(roundEnv), &round)
	err := func() error {
		db, err := sqldb.Open(context.Background(), path)
		if err != nil {
			return err
		}
		s, err := pushing(db, os.Getenv(keyEnv), round)
		for more := true; more && err == nil; {
			more, err = s.Pass(context.Background())
		}
		return errors.Join(err, db.Close())
	}()
	fmt.Fprintln(os.Stdout, "done", err)
}

// pushing is a service that sends by Web Push, two minutes of its clock after the one of the round before.
func pushing(db *sqldb.DB, key string, round int) (*reminder.Service, error) {
	push, err := webpush.New(webpush.Config{PrivateKey: key, Subject: "mailto:ops@shop.example", AllowHTTP: true}, netguard.Guard{AllowPrivate: true}.Client(0))
	if err != nil {
		return nil, err
	}
	return reminder.New(reminder.Config{Rate: 10_000, Parallel: 4, Grace: 24 * time.Hour}, reminder.Deps{
		Store: db, Shows: shopShows{db}, Providers: map[reminder.Channel]reminder.Provider{reminder.WebPush: push}, Log: slog.New(slog.DiscardHandler),
		Now: func() time.Time { return time.Now().Add(time.Duration(round) * 2 * time.Minute) },
	})
}

// Processes are killed in mid-send, when the push service has their message and has not answered, or just has. No browser
// gets a message twice.
func TestKillInMidSend(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	key, err := webpush.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	s, path := newShop(t, reminder.Config{}), filepath.Join(t.TempDir(), "killed.db")
	db, err := sqldb.Open(t.Context(), path)
	s.ok(err)
	s.db, s.now = db, time.Now()
	parent, err := pushing(db, key, 0)
	s.ok(err)
	s.Service = parent
	push, err := pushtest.New(publicKey(t, key))
	s.ok(err)
	defer push.Close()
	var hook atomic.Pointer[answer]
	push.Answer = func(n int, _ pushtest.Message) (int, http.Header) {
		hook.Load().at(n)
		return http.StatusCreated, nil
	}
	show, viewers := s.schedule(s.room(), time.Hour), []string{}
	for n := range 45 {
		viewers = append(viewers, fmt.Sprintf("viewer %d", n))
		r := push.Request()
		r.ShowID = show.ID
		s.ask(viewers[n], r)
	}
	s.start(show)
	s.ok(db.Close())

	kills := 0
	for done := false; !done; kills++ {
		if kills > 20 {
			t.Fatal("it does not come to an end")
		}
		done = runAndKill(t, push, &hook, path, key, kills, 3+kills)
	}
	if db, err = sqldb.Open(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s.db = db
	s.Service, err = pushing(db, key, kills+1)
	s.ok(err)
	s.pass() // what the last one left in mid-send is known to be unknown
	s.push = &provider{}
	for _, m := range push.Messages() {
		if errors.Is(m.Err, io.ErrUnexpectedEOF) {
			continue // killed before all of it was out: the push service has no message
		}
		var p webpush.Payload
		if m.Err == nil {
			m.Err = json.Unmarshal(m.Text, &p)
		}
		if m.Err != nil {
			t.Error(m.Err)
		}
		s.push.sent = append(s.push.sent, reminder.Message{ID: p.ID})
	}
	s.judge(fmt.Sprintf("%d kills", kills), viewers, 4*kills)
	if kills < 5 {
		t.Errorf("only %d kills", kills)
	}
}

// answer is what a round does when the push service has its nth message.
type answer struct{ at func(n int) }

// runAndKill runs a process until the push service has n more of its messages, and kills it there. done says that it had
// nothing left to send.
func runAndKill(t *testing.T, push *pushtest.Service, hook *atomic.Pointer[answer], path, key string, round, n int) (done bool) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), killedChildEnv+"="+path, keyEnv+"="+key, fmt.Sprintf("%s=%d", roundEnv, round))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	last, started := len(push.Messages())+n, make(chan struct{})
	var once sync.Once
	hook.Store(&answer{func(got int) {
		<-started
		if got == last || got > last && round%2 == 1 {
			once.Do(func() { _ = cmd.Process.Kill() })
		}
	}})
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	close(started)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if done = lines.Text() == "done <nil>"; !done {
			t.Errorf("the process says %q", lines.Text())
		}
	}
	_ = cmd.Wait() // killed, or not
	return done
}

func publicKey(t *testing.T, key string) string {
	t.Helper()
	s, err := webpush.New(webpush.Config{PrivateKey: key, Subject: "mailto:ops@shop.example"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s.PublicKey()
}
