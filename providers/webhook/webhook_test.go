package webhook

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/commerce/webhook"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/store/sqldb"
	"github.com/vitrine-live/vitrine/store/sqldb/sqldbtest"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// shop is a store whose events go to endpoints on this machine, over a real database.
type shop struct {
	t       *testing.T
	db      *sqldb.DB
	service *webhook.Service
	sender  *Sender
	cfg     webhook.Config
	mu      sync.Mutex
	offset  time.Duration
}

func newShop(t *testing.T) *shop {
	t.Helper()
	db := sqldbtest.Open(t)
	s := &shop{t: t, db: db, sender: New(true), cfg: webhook.Config{AllowHTTP: true}}
	s.service = webhook.NewService(s.cfg, db, s.sender.Check, s.now)
	t.Cleanup(func() {
		s.sender.Close()
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func (s *shop) now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Now().Add(s.offset)
}

func (s *shop) later(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.offset += d
}

// run sends until the returned stop, which waits.
func (s *shop) run() (d *webhook.Dispatcher, stop func()) {
	d = webhook.NewDispatcher(s.cfg, s.db, s.sender, slog.New(slog.DiscardHandler), NewMetrics(prometheus.NewRegistry()), s.now)
	ctx, cancel := context.WithCancel(s.t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		d.Run(ctx)
	}()
	return d, func() { cancel(); <-done }
}

func (s *shop) endpoint(url string, events ...string) webhook.Endpoint {
	s.t.Helper()
	e, err := s.service.Create(s.t.Context(), account.DefaultStore, webhook.New{URL: url, Events: events})
	if err != nil {
		s.t.Fatal(err)
	}
	return e
}

func (s *shop) happens(kind string, n int) {
	s.t.Helper()
	for i := range n {
		if err := s.db.AddEvent(s.t.Context(), account.DefaultStore, kind, s.now(), map[string]int{"n": i}); err != nil {
			s.t.Fatal(err)
		}
	}
}

// deliveries waits until those of an endpoint are as wanted.
func (s *shop) deliveries(e webhook.Endpoint, wanted func([]webhook.Delivery) bool) []webhook.Delivery {
	s.t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for {
		all, _, err := s.service.Deliveries(s.t.Context(), e.StoreID, e.ID, webhook.DeliveryFilter{Limit: 200})
		if err != nil {
			s.t.Fatal(err)
		}
		if wanted(all) {
			return all
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("it did not come to it: %+v", all)
		}
		time.Sleep(2 * time.Millisecond) // looks at the database, which tells nobody
	}
}

func allIn(state webhook.State, n int) func([]webhook.Delivery) bool {
	return func(all []webhook.Delivery) bool {
		for i := range all {
			if all[i].State != state {
				return false
			}
		}
		return len(all) == n
	}
}

// ear is an endpoint that keeps what it hears.
type ear struct {
	*httptest.Server
	mu     sync.Mutex
	heard  []heard
	answer func(w http.ResponseWriter, r *http.Request)
}

type heard struct {
	header http.Header
	body   []byte
}

func listen(t *testing.T) *ear {
	e := &ear{}
	e.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		e.mu.Lock()
		e.heard = append(e.heard, heard{r.Header.Clone(), body})
		answer := e.answer
		e.mu.Unlock()
		if answer != nil {
			answer(w, r)
		}
	}))
	t.Cleanup(e.Close)
	return e
}

func (e *ear) says(answer func(w http.ResponseWriter, r *http.Request)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.answer = answer
}

func (e *ear) status(code int) {
	e.says(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) })
}

func (e *ear) all() []heard {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]heard(nil), e.heard...)
}

func TestEventsArrive(t *testing.T) {
	s, ear := newShop(t), listen(t)
	all, paid := s.endpoint(ear.URL+"/all"), s.endpoint(ear.URL+"/paid", "order.paid")
	s.happens("order.paid", 1)
	s.happens("order.shipped", 1)
	_, stop := s.run()
	defer stop()
	s.deliveries(all, allIn(webhook.Delivered, 2))
	d := s.deliveries(paid, allIn(webhook.Delivered, 1))[0]
	if d.LastStatus != 200 || d.Attempts != 1 || d.AttemptAt.IsZero() {
		t.Errorf("%+v", d)
	}
	_, event, err := s.service.Delivery(t.Context(), paid.StoreID, paid.ID, d.ID)
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, h := range ear.all() {
		secret := all.Secret
		if _, err := webhook.Verify([]string{secret}, h.header.Get, h.body, s.now()); err != nil {
			secret = paid.Secret
		}
		id, err := webhook.Verify([]string{secret}, h.header.Get, h.body, s.now())
		if err != nil || h.header.Get("Content-Type") != "application/json" {
			t.Errorf("%v: %v", h.header, err)
		}
		var doc struct {
			ID, Type  string
			CreatedAt time.Time      `json:"created_at"`
			StoreID   string         `json:"store_id"`
			Data      map[string]int `json:"data"`
		}
		if err := json.Unmarshal(h.body, &doc); err != nil || doc.ID != id || doc.StoreID != all.StoreID || doc.CreatedAt.IsZero() || doc.Data["n"] != 0 {
			t.Errorf("%s: %v", h.body, err)
		}
		if secret == paid.Secret {
			found = true
			if want, _ := event.Body(); string(want) != string(h.body) {
				t.Errorf("the list shows %s, sent was %s", want, h.body)
			}
		}
	}
	if !found || len(ear.all()) != 3 {
		t.Errorf("%d messages came", len(ear.all()))
	}
}

func TestFailuresAreRepeated(t *testing.T) {
	s, ear := newShop(t), listen(t)
	ear.status(500)
	e := s.endpoint(ear.URL)
	s.happens("order.paid", 1)
	d, stop := s.run()
	defer stop()
	failed := func(attempts, status int) func([]webhook.Delivery) bool {
		return func(all []webhook.Delivery) bool {
			return len(all) == 1 && all[0].Attempts == attempts && all[0].LastStatus == status
		}
	}
	first := s.deliveries(e, failed(1, 500))[0]
	if pause := first.NextAt.Sub(first.AttemptAt); pause < 3*time.Second || pause > 8*time.Second || first.LastError == "" {
		t.Errorf("again after %v: %+v", pause, first)
	}
	if got, _ := s.service.Get(t.Context(), e.StoreID, e.ID); got.FailingSince.IsZero() {
		t.Error("the endpoint does not fail")
	}
	ear.status(502)
	s.later(10 * time.Second)
	d.Wake()
	s.deliveries(e, failed(2, 502))
	ear.status(204)
	s.later(time.Minute)
	d.Wake()
	s.deliveries(e, allIn(webhook.Delivered, 1))
	if got, _ := s.service.Get(t.Context(), e.StoreID, e.ID); !got.FailingSince.IsZero() {
		t.Error("the endpoint still fails")
	}
	heard := ear.all()
	if len(heard) != 3 || heard[0].header.Get("Webhook-Id") != heard[2].header.Get("Webhook-Id") || string(heard[0].body) != string(heard[2].body) {
		t.Errorf("a repeated event is another one: %d came", len(heard))
	}
}

func TestDeadAndReplayed(t *testing.T) {
	s, ear := newShop(t), listen(t)
	ear.status(404)
	e := s.endpoint(ear.URL)
	s.happens("order.paid", 3)
	d, stop := s.run()
	defer stop()
	s.deliveries(e, func(all []webhook.Delivery) bool {
		return len(all) == 3 && all[0].Attempts*all[1].Attempts*all[2].Attempts > 0
	})
	s.later(webhook.Patience + time.Minute)
	d.Wake()
	dead := s.deliveries(e, allIn(webhook.Dead, 3))
	ear.status(200)
	if _, err := s.service.Replay(t.Context(), e.StoreID, e.ID, dead[0].ID); err != nil {
		t.Fatal(err)
	}
	s.deliveries(e, func(all []webhook.Delivery) bool { return all[0].State == webhook.Delivered })
	n, err := s.service.ReplayDead(t.Context(), e.StoreID, e.ID, time.Time{})
	if err != nil || n != 2 {
		t.Errorf("%d, %v", n, err)
	}
	s.deliveries(e, allIn(webhook.Delivered, 3))
}

func TestDisabledAfterDays(t *testing.T) {
	s := newShop(t)
	gone := httptest.NewServer(nil)
	gone.Close()
	e := s.endpoint(gone.URL)
	s.happens("order.paid", 1)
	d, stop := s.run()
	defer stop()
	s.deliveries(e, func(all []webhook.Delivery) bool {
		return len(all) == 1 && all[0].Attempts == 1 && all[0].LastError != ""
	})
	s.happens("order.paid", 1)
	s.deliveries(e, func(all []webhook.Delivery) bool { return len(all) == 2 })
	s.later(5*24*time.Hour + time.Hour)
	d.Wake()
	all := s.deliveries(e, allIn(webhook.Dead, 2))
	got, err := s.service.Get(t.Context(), e.StoreID, e.ID)
	if err != nil || got.Enabled || !strings.Contains(got.DisabledReason, "120h") {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := s.service.Replay(t.Context(), e.StoreID, e.ID, all[0].ID); errs.KindOf(err) != errs.Conflict {
		t.Errorf("replayed to a disabled endpoint: %v", err)
	}
	s.happens("order.paid", 1)
	if got, err := s.service.Update(t.Context(), e.StoreID, e.ID, webhook.Update{Enabled: new(true)}); err != nil || !got.Enabled || got.DisabledReason != "" || !got.FailingSince.IsZero() {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestGoneDisables(t *testing.T) {
	s, ear := newShop(t), listen(t)
	ear.status(410)
	e := s.endpoint(ear.URL)
	s.happens("order.paid", 1)
	_, stop := s.run()
	defer stop()
	s.deliveries(e, allIn(webhook.Dead, 1))
	if got, _ := s.service.Get(t.Context(), e.StoreID, e.ID); got.Enabled || !strings.Contains(got.DisabledReason, "410") {
		t.Errorf("%+v", got)
	}
}

// TestSlowEndpointHoldsNobodyUp lets one endpoint hang with more events than there are workers for it.
func TestSlowEndpointHoldsNobodyUp(t *testing.T) {
	s := newShop(t)
	s.cfg.Workers = 8
	slow, quick := listen(t), listen(t)
	release := make(chan struct{})
	var once sync.Once
	free := func() { once.Do(func() { close(release) }) }
	defer free()
	var mu sync.Mutex
	most, now := 0, 0
	slow.says(func(http.ResponseWriter, *http.Request) {
		mu.Lock()
		now++
		most = max(most, now)
		mu.Unlock()
		<-release
		mu.Lock()
		now--
		mu.Unlock()
	})
	hangs, answers := s.endpoint(slow.URL), s.endpoint(quick.URL)
	s.happens("order.paid", 30)
	_, stop := s.run()
	defer stop()
	s.deliveries(answers, allIn(webhook.Delivered, 30))
	free()
	s.deliveries(hangs, allIn(webhook.Delivered, 30))
	if most > 4 {
		t.Errorf("%d at once to one endpoint", most)
	}
}

// TestStopAndCrash checks that nothing is lost when a server stops in the middle, nor when it dies there.
func TestStopAndCrash(t *testing.T) {
	s, ear := newShop(t), listen(t)
	began := make(chan struct{}, 1)
	ear.says(func(_ http.ResponseWriter, r *http.Request) {
		began <- struct{}{}
		<-r.Context().Done()
	})
	e := s.endpoint(ear.URL)
	s.happens("order.paid", 1)
	_, stop := s.run()
	<-began
	stop()
	d := s.deliveries(e, allIn(webhook.Pending, 1))[0]
	if d.Attempts != 0 || d.NextAt.After(s.now()) {
		t.Errorf("a stop counts as a failure: %+v", d)
	}
	// One that died holds the lease of what it was sending.
	jobs, err := s.db.ClaimWebhookDeliveries(t.Context(), e.ID, 10, s.now(), s.now().Add(30*time.Second))
	if err != nil || len(jobs) != 1 {
		t.Fatal(jobs, err)
	}
	ear.status(200)
	next, stop := s.run()
	defer stop()
	if all := s.deliveries(e, allIn(webhook.Pending, 1)); all[0].Attempts != 1 {
		t.Errorf("%+v", all)
	}
	s.later(31 * time.Second)
	next.Wake()
	s.deliveries(e, allIn(webhook.Delivered, 1))
}

func TestRotation(t *testing.T) {
	s, ear := newShop(t), listen(t)
	e := s.endpoint(ear.URL)
	rotated, err := s.service.Rotate(t.Context(), e.StoreID, e.ID, time.Hour)
	if err != nil || rotated.Secret == e.Secret {
		t.Fatal(rotated, err)
	}
	_, stop := s.run()
	defer stop()
	if _, err := s.service.Test(t.Context(), e.StoreID, e.ID); err != nil {
		t.Fatal(err)
	}
	s.deliveries(e, allIn(webhook.Delivered, 1))
	s.later(2 * time.Hour)
	if _, err := s.service.Test(t.Context(), e.StoreID, e.ID); err != nil {
		t.Fatal(err)
	}
	s.deliveries(e, allIn(webhook.Delivered, 2))
	for i, old := range []bool{true, false} {
		h := ear.all()[i]
		sent := time.Now().Add(time.Duration(i) * 2 * time.Hour)
		if _, err := webhook.Verify([]string{rotated.Secret}, h.header.Get, h.body, sent); err != nil {
			t.Errorf("the new secret: %v", err)
		}
		if _, err := webhook.Verify([]string{e.Secret}, h.header.Get, h.body, sent); (err == nil) != old {
			t.Errorf("the old secret, message %d: %v", i, err)
		}
	}
}

func TestSend(t *testing.T) {
	sender := New(true)
	defer sender.Close()
	mux := http.NewServeMux()
	mux.HandleFunc("/redirect", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/ok", http.StatusTemporaryRedirect) })
	mux.HandleFunc("/busy", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "120")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	mux.HandleFunc("/later", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", time.Now().Add(time.Hour).UTC().Format(http.TimeFormat))
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	mux.HandleFunc("/endless", func(w http.ResponseWriter, _ *http.Request) {
		for {
			if _, err := w.Write(make([]byte, 4096)); err != nil {
				return
			}
		}
	})
	reached := false
	mux.HandleFunc("/ok", func(http.ResponseWriter, *http.Request) { reached = true })
	srv := httptest.NewServer(mux)
	defer srv.Close()
	for path, want := range map[string]webhook.Answer{"/redirect": {Status: 307}, "/busy": {Status: 429, RetryAfter: 2 * time.Minute}, "/endless": {Status: 200}} {
		got, err := sender.Send(t.Context(), webhook.Message{URL: srv.URL + path})
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v", path, got, err)
		}
	}
	if reached {
		t.Error("a redirect was followed")
	}
	if got, err := sender.Send(t.Context(), webhook.Message{URL: srv.URL + "/later"}); err != nil || got.RetryAfter < 50*time.Minute || got.RetryAfter > time.Hour {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := sender.Send(t.Context(), webhook.Message{URL: "http://nowhere.invalid/"}); !strings.Contains(errs.MessageOf(err), "nowhere.invalid cannot be resolved") {
		t.Error(err)
	}
	if _, err := sender.Send(t.Context(), webhook.Message{URL: "https" + strings.TrimPrefix(srv.URL, "http")}); errs.KindOf(err) != errs.Unavailable {
		t.Error(err)
	}
}

func TestPrivateAddressesAreRefused(t *testing.T) {
	ear := listen(t)
	sender := New(false)
	defer sender.Close()
	for _, host := range []string{"127.0.0.1", "localhost", "[::ffff:127.0.0.1]"} {
		url := strings.Replace(ear.URL, "127.0.0.1", host, 1)
		if _, err := sender.Send(t.Context(), webhook.Message{URL: url}); errs.KindOf(err) != errs.Forbidden || !strings.Contains(errs.MessageOf(err), "webhooks.allow_private") {
			t.Errorf("%s: %v", host, err)
		}
		if err := sender.Check(url); errs.KindOf(err) != errs.Forbidden {
			t.Errorf("%s: %v", host, err)
		}
	}
	if len(ear.all()) != 0 {
		t.Error("a private address was asked")
	}
	if err := sender.Check("https://shop.example/x"); err != nil {
		t.Error(err)
	}
}

func Example() {
	// What a merchant's server does with each request.
	secret, body := "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", []byte(`{"id":"evt_1","type":"order.paid"}`)
	header := http.Header{}
	for name, value := range webhook.Sign([]string{secret}, "evt_1", time.Now(), body) {
		header.Set(name, value)
	}
	id, err := webhook.Verify([]string{secret}, header.Get, body, time.Now())
	fmt.Println(id, err)
	// Output: evt_1 <nil>
}
