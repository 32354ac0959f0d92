package storetest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/commerce/webhook"
	"github.com/vitrine-live/vitrine/internal/cursor"
	"github.com/vitrine-live/vitrine/internal/errs"
)

type webhookStore interface {
	CreateWebhook(ctx context.Context, e webhook.Endpoint) error
	Webhook(ctx context.Context, storeID, id string) (webhook.Endpoint, error)
	Webhooks(ctx context.Context, storeID string) ([]webhook.Endpoint, error)
	UpdateWebhook(ctx context.Context, storeID, id string, change func(*webhook.Endpoint) error) (webhook.Endpoint, error)
	DeleteWebhook(ctx context.Context, storeID, id string) error
	WebhookDeliveries(ctx context.Context, storeID, webhookID string, state webhook.State, before cursor.Key, limit int) ([]webhook.Delivery, error)
	WebhookDelivery(ctx context.Context, storeID, webhookID, id string) (webhook.Delivery, webhook.Event, error)
	ReplayWebhookDelivery(ctx context.Context, storeID, webhookID, id string, at, giveUp time.Time) (webhook.Delivery, error)
	ReplayDeadWebhooks(ctx context.Context, storeID, webhookID string, since, at, giveUp time.Time) (int64, error)
	AddWebhookEvent(ctx context.Context, webhookID string, e webhook.Event, d webhook.Delivery) error
	FanOutWebhooks(ctx context.Context, limit int, at, giveUp time.Time) (int, error)
	DueWebhooks(ctx context.Context, at time.Time) ([]webhook.Due, error)
	ClaimWebhookDeliveries(ctx context.Context, webhookID string, n int, at, leaseEnds time.Time) ([]webhook.Job, error)
	ReportWebhookDelivery(ctx context.Context, r webhook.Report) (bool, error)
	PruneWebhooks(ctx context.Context, before time.Time, limit int) (int64, error)
	AddEvent(ctx context.Context, storeID, kind string, at time.Time, data any) error
}

func newWebhook(n int, events ...string) webhook.Endpoint {
	if events == nil {
		events = []string{}
	}
	at := epoch0.Add(time.Duration(n) * time.Second)
	return webhook.Endpoint{
		ID: fmt.Sprintf("whk_%016d", n), StoreID: account.DefaultStore, URL: "https://shop.example/hook?a='1'", Description: "仓库",
		Events: events, Enabled: true, Secret: webhook.NewSecret(), CreatedAt: at, UpdatedAt: at,
	}
}

func withWebhook(t *testing.T, s Store, n int, events ...string) webhook.Endpoint {
	t.Helper()
	e := newWebhook(n, events...)
	ok(t, s.CreateWebhook(t.Context(), e))
	return e
}

const elsewhere = "store_elsewhere"

func testWebhooks(t *testing.T, s Store) {
	ctx := t.Context()
	e := withWebhook(t, s, 1, "order.paid")
	equal(t, must(s.Webhook(ctx, e.StoreID, e.ID))(t), e)
	other := withWebhook(t, s, 2)
	equal(t, must(s.Webhooks(ctx, e.StoreID))(t), []webhook.Endpoint{e, other})
	equal(t, len(must(s.Webhooks(ctx, elsewhere))(t)), 0)
	_, err := s.Webhook(ctx, elsewhere, e.ID)
	kind(t, err, errs.NotFound)
	_, err = s.UpdateWebhook(ctx, elsewhere, e.ID, func(*webhook.Endpoint) error { return nil })
	kind(t, err, errs.NotFound)
	stranger := newWebhook(3)
	stranger.StoreID = elsewhere
	kind(t, s.CreateWebhook(ctx, stranger), errs.NotFound)

	change := func(w *webhook.Endpoint) error {
		w.URL, w.Description, w.Events, w.Enabled, w.DisabledReason = "https://b.example", "", []string{}, false, "why"
		w.Secret, w.OldSecret, w.OldSecretUntil = "new", w.Secret, epoch0.Add(time.Hour)
		w.FailingSince, w.UpdatedAt = epoch0, epoch0.Add(time.Hour)
		return nil
	}
	want := e
	ok(t, change(&want))
	equal(t, must(s.UpdateWebhook(ctx, e.StoreID, e.ID, change))(t), want)
	equal(t, must(s.Webhook(ctx, e.StoreID, e.ID))(t), want)
	_, err = s.UpdateWebhook(ctx, e.StoreID, e.ID, func(w *webhook.Endpoint) error {
		w.URL = "must not stay"
		return errs.New(errs.Invalid, "x", "no")
	})
	kind(t, err, errs.Invalid)
	equal(t, must(s.Webhook(ctx, e.StoreID, e.ID))(t), want)

	kind(t, s.DeleteWebhook(ctx, elsewhere, e.ID), errs.NotFound)
	ok(t, s.DeleteWebhook(ctx, e.StoreID, e.ID))
	kind(t, s.DeleteWebhook(ctx, e.StoreID, e.ID), errs.NotFound)
}

func testWebhookLimit(t *testing.T, s Store) {
	var wg sync.WaitGroup
	refused := make(chan error, webhook.MaxEndpoints+3)
	for n := range webhook.MaxEndpoints + 3 {
		wg.Go(func() {
			if err := s.CreateWebhook(t.Context(), newWebhook(n)); err != nil {
				refused <- err
			}
		})
	}
	wg.Wait()
	equal(t, len(refused), 3)
	kind(t, <-refused, errs.Exhausted)
}

func testWebhookFanOut(t *testing.T, s Store) {
	ctx := t.Context()
	all, paid := withWebhook(t, s, 1), withWebhook(t, s, 2, "order.paid")
	off := newWebhook(3)
	off.Enabled = false
	ok(t, s.CreateWebhook(ctx, off))
	at, giveUp := epoch0, epoch0.Add(time.Hour)
	equal(t, must(s.FanOutWebhooks(ctx, 10, at, giveUp))(t), 0)
	for i, kind := range []string{"order.created", "order.paid", "order.shipped"} {
		ok(t, s.AddEvent(ctx, account.DefaultStore, kind, at.Add(time.Duration(i)*time.Second), map[string]any{"no": "订单 1"}))
	}
	ok(t, s.AddEvent(ctx, elsewhere, "order.paid", at, nil))
	equal(t, must(s.FanOutWebhooks(ctx, 3, at, giveUp))(t), 3)
	equal(t, must(s.FanOutWebhooks(ctx, 3, at, giveUp))(t), 1)
	equal(t, must(s.FanOutWebhooks(ctx, 3, at, giveUp))(t), 0)

	list := func(id string) (types []string) {
		for _, d := range must(s.WebhookDeliveries(ctx, account.DefaultStore, id, "", cursor.Key{}, 10))(t) {
			types = append(types, d.EventType)
		}
		return types
	}
	equal(t, len(list(all.ID)), 3)
	equal(t, list(paid.ID), []string{"order.paid"})
	equal(t, len(list(off.ID)), 0)

	d := must(s.WebhookDeliveries(ctx, paid.StoreID, paid.ID, webhook.Pending, cursor.Key{}, 10))(t)[0]
	equal(t, d, webhook.Delivery{
		ID: d.ID, WebhookID: paid.ID, EventID: d.EventID, EventType: "order.paid", State: webhook.Pending, NextAt: at, GiveUpAt: giveUp, CreatedAt: at,
	})
	got, event, err := s.WebhookDelivery(ctx, paid.StoreID, paid.ID, d.ID)
	ok(t, err)
	equal(t, got, d)
	equal(t, event, webhook.Event{
		ID: d.EventID, StoreID: paid.StoreID, Type: "order.paid", At: at.Add(time.Second), Data: []byte(`{"no":"订单 1"}`),
	})
	_, _, err = s.WebhookDelivery(ctx, paid.StoreID, all.ID, d.ID)
	kind(t, err, errs.NotFound)
	_, _, err = s.WebhookDelivery(ctx, elsewhere, paid.ID, d.ID)
	kind(t, err, errs.NotFound)
	_, err = s.WebhookDeliveries(ctx, elsewhere, paid.ID, "", cursor.Key{}, 10)
	kind(t, err, errs.NotFound)
	testDeliveryPages(t, s, all)
}

func testDeliveryPages(t *testing.T, s Store, e webhook.Endpoint) {
	ctx := t.Context()
	list := must(s.WebhookDeliveries(ctx, e.StoreID, e.ID, "", cursor.Key{}, 10))(t)
	for i := range list {
		key := cursor.Key{At: list[i].CreatedAt, ID: list[i].ID}
		equal(t, must(s.WebhookDeliveries(ctx, e.StoreID, e.ID, "", key, 1))(t), append([]webhook.Delivery(nil), list[i+1:min(i+2, len(list))]...))
	}
}

// testWebhookClaims checks that what one server took no other takes, until the lease ends.
func testWebhookClaims(t *testing.T, s Store) {
	ctx := t.Context()
	e, failing := withWebhook(t, s, 1), withWebhook(t, s, 2)
	_, err := s.UpdateWebhook(ctx, failing.StoreID, failing.ID, func(w *webhook.Endpoint) error {
		w.FailingSince = epoch0
		return nil
	})
	ok(t, err)
	const n = 20
	for range n {
		ok(t, s.AddEvent(ctx, e.StoreID, "order.paid", epoch0, nil))
	}
	giveUp := epoch0.Add(24 * time.Hour)
	equal(t, must(s.FanOutWebhooks(ctx, 100, epoch0, giveUp))(t), n)
	equal(t, len(must(s.DueWebhooks(ctx, epoch0.Add(-1)))(t)), 0)
	equal(t, must(s.DueWebhooks(ctx, epoch0))(t), []webhook.Due{{WebhookID: e.ID}, {WebhookID: failing.ID, Failing: true}})

	lease := epoch0.Add(30 * time.Second)
	var mu sync.Mutex
	var wg sync.WaitGroup
	seen := map[string]int{}
	for range 8 {
		wg.Go(func() {
			jobs, err := s.ClaimWebhookDeliveries(ctx, e.ID, 3, epoch0, lease)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			for i := range jobs {
				seen[jobs[i].Delivery.ID]++
				if jobs[i].Delivery.Attempts != 1 || jobs[i].Endpoint.Secret != e.Secret || jobs[i].Event.Type != "order.paid" {
					t.Errorf("a job lacks something: %+v", jobs[i])
				}
			}
		})
	}
	wg.Wait()
	for id, times := range seen {
		if times != 1 {
			t.Errorf("%s was taken %d times", id, times)
		}
	}
	rest := must(s.ClaimWebhookDeliveries(ctx, e.ID, 100, epoch0, lease))(t)
	equal(t, len(seen)+len(rest), n)
	equal(t, len(must(s.ClaimWebhookDeliveries(ctx, e.ID, 100, lease.Add(-time.Millisecond), lease))(t)), 0)
	equal(t, len(must(s.ClaimWebhookDeliveries(ctx, e.ID, 100, lease, lease.Add(time.Minute)))(t)), n)
}

func testWebhookReports(t *testing.T, s Store) {
	ctx := t.Context()
	e := withWebhook(t, s, 1)
	ok(t, s.AddEvent(ctx, e.StoreID, "order.paid", epoch0, nil))
	ok(t, s.AddEvent(ctx, e.StoreID, "order.shipped", epoch0, nil))
	must(s.FanOutWebhooks(ctx, 10, epoch0, epoch0.Add(time.Hour)))(t)
	jobs := must(s.ClaimWebhookDeliveries(ctx, e.ID, 2, epoch0, epoch0.Add(time.Minute)))(t)
	read := func(i int) webhook.Delivery {
		d, _, err := s.WebhookDelivery(ctx, e.StoreID, e.ID, jobs[i].Delivery.ID)
		ok(t, err)
		return d
	}
	report := func(i, attempt int, change func(*webhook.Report)) bool {
		r := webhook.Report{
			DeliveryID: jobs[i].Delivery.ID, WebhookID: e.ID, Attempt: attempt, At: epoch0.Add(time.Second), Status: 500, Error: "no",
			Took: 20 * time.Millisecond, NextAt: epoch0.Add(time.Minute), FailingBefore: epoch0, FailingReason: "failed for long",
		}
		change(&r)
		return must(s.ReportWebhookDelivery(ctx, r))(t)
	}
	report(0, 1, func(r *webhook.Report) { r.Interrupted, r.NextAt = true, epoch0 })
	equal(t, read(0).Attempts, 0)
	again := must(s.ClaimWebhookDeliveries(ctx, e.ID, 2, epoch0, epoch0.Add(time.Minute)))(t)
	equal(t, len(again), 1)

	report(0, 1, func(*webhook.Report) {})
	d := jobs[0].Delivery
	d.AttemptAt, d.LastStatus, d.LastError, d.Took, d.NextAt = epoch0.Add(time.Second), 500, "no", 20*time.Millisecond, epoch0.Add(time.Minute)
	equal(t, read(0), d)
	equal(t, must(s.Webhook(ctx, e.StoreID, e.ID))(t).FailingSince, epoch0.Add(time.Second))
	report(0, 7, func(r *webhook.Report) { r.Status = 404 }) // somebody else has it
	equal(t, read(0), d)

	report(1, 1, func(r *webhook.Report) { r.Delivered, r.Status = true, 204 })
	equal(t, read(1).State, webhook.Delivered)
	equal(t, must(s.Webhook(ctx, e.StoreID, e.ID))(t).FailingSince.IsZero(), true)

	equal(t, report(0, 1, func(r *webhook.Report) { r.At, r.FailingBefore = epoch0, epoch0 }), true)
	got := must(s.Webhook(ctx, e.StoreID, e.ID))(t)
	if got.Enabled || got.DisabledReason != "failed for long" || read(0).State != webhook.Dead {
		t.Errorf("not disabled: %+v, %+v", got, read(0))
	}
	equal(t, len(must(s.DueWebhooks(ctx, epoch0.Add(time.Hour)))(t)), 0)
}

func testWebhookReplay(t *testing.T, s Store) {
	ctx := t.Context()
	e := withWebhook(t, s, 1)
	d := webhook.Delivery{ID: "dlv_1", WebhookID: e.ID, EventID: "evt_1", EventType: webhook.TestType, State: webhook.Pending, NextAt: epoch0, GiveUpAt: epoch0, CreatedAt: epoch0}
	event := webhook.Event{ID: "evt_1", StoreID: e.StoreID, Type: webhook.TestType, At: epoch0, Data: []byte("{}")}
	ok(t, s.AddWebhookEvent(ctx, e.ID, event, d))
	equal(t, must(s.FanOutWebhooks(ctx, 10, epoch0, epoch0))(t), 0) // it is not for others
	at, giveUp := epoch0.Add(time.Hour), epoch0.Add(2*time.Hour)
	_, err := s.ReplayWebhookDelivery(ctx, e.StoreID, e.ID, d.ID, at, giveUp)
	kind(t, err, errs.Conflict)

	job := must(s.ClaimWebhookDeliveries(ctx, e.ID, 1, epoch0, at))(t)[0]
	dead := webhook.Report{DeliveryID: d.ID, WebhookID: e.ID, Attempt: job.Delivery.Attempts, At: epoch0, FailingBefore: epoch0.Add(-time.Hour)}
	must(s.ReportWebhookDelivery(ctx, dead))(t)
	_, err = s.ReplayWebhookDelivery(ctx, elsewhere, e.ID, d.ID, at, giveUp)
	kind(t, err, errs.NotFound)
	_, err = s.ReplayWebhookDelivery(ctx, e.StoreID, e.ID, "dlv_x", at, giveUp)
	kind(t, err, errs.NotFound)
	got := must(s.ReplayWebhookDelivery(ctx, e.StoreID, e.ID, d.ID, at, giveUp))(t)
	if got.State != webhook.Pending || got.Attempts != 0 || !got.NextAt.Equal(at) || !got.GiveUpAt.Equal(giveUp) {
		t.Errorf("%+v", got)
	}
	must(s.ClaimWebhookDeliveries(ctx, e.ID, 1, at, giveUp))(t)
	must(s.ReportWebhookDelivery(ctx, dead))(t)
	equal(t, must(s.ReplayDeadWebhooks(ctx, e.StoreID, e.ID, epoch0.Add(1), at, giveUp))(t), int64(1)) // instants are whole milliseconds
	equal(t, must(s.ReplayDeadWebhooks(ctx, e.StoreID, e.ID, epoch0, at, giveUp))(t), int64(0))
	_, err = s.ReplayDeadWebhooks(ctx, elsewhere, e.ID, epoch0, at, giveUp)
	kind(t, err, errs.NotFound)

	_, err = s.UpdateWebhook(ctx, e.StoreID, e.ID, func(w *webhook.Endpoint) error { w.Enabled = false; return nil })
	ok(t, err)
	got, _, err = s.WebhookDelivery(ctx, e.StoreID, e.ID, d.ID)
	ok(t, err)
	equal(t, got.State, webhook.Dead)
	_, err = s.ReplayWebhookDelivery(ctx, e.StoreID, e.ID, d.ID, at, giveUp)
	kind(t, err, errs.Conflict)
	event.ID = "evt_2"
	kind(t, s.AddWebhookEvent(ctx, e.ID, event, d), errs.Conflict)
}

func testWebhookPruning(t *testing.T, s Store) {
	ctx := t.Context()
	e := withWebhook(t, s, 1, "order.paid")
	for _, kind := range []string{"order.paid", "order.shipped"} { // the second is for nobody
		ok(t, s.AddEvent(ctx, e.StoreID, kind, epoch0, nil))
	}
	must(s.FanOutWebhooks(ctx, 10, epoch0, epoch0.Add(time.Hour)))(t)
	later := epoch0.Add(2 * time.Hour)
	equal(t, must(s.PruneWebhooks(ctx, later, 10))(t), int64(1)) // the event for nobody; the other still waits
	job := must(s.ClaimWebhookDeliveries(ctx, e.ID, 1, epoch0, later))(t)[0]
	must(s.ReportWebhookDelivery(ctx, webhook.Report{DeliveryID: job.Delivery.ID, WebhookID: e.ID, Attempt: 1, At: epoch0, Delivered: true}))(t)
	equal(t, must(s.PruneWebhooks(ctx, epoch0, 10))(t), int64(0))
	equal(t, must(s.PruneWebhooks(ctx, later, 10))(t), int64(2))
}
