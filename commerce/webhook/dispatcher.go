package webhook

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
)

const (
	// poll is how often the outbox is looked at when nobody says that there is something in it.
	poll = time.Second
	// gather is how long freed workers are collected before new work is asked for.
	gather = 5 * time.Millisecond
	// perEndpoint is how many deliveries to one endpoint are under way at once, perFailing to one that fails.
	perEndpoint, perFailing = 4, 1
	// batch is how many events leave the outbox in one transaction.
	batch = 200
	// SendTimeout bounds one attempt, from the dialling to the end of the answer.
	SendTimeout = 10 * time.Second
	// lease is how long a delivery belongs to the attempt that took it; when this server dies, it is free again after that.
	lease = SendTimeout + 20*time.Second
	// pruneEvery is how often what is too old is deleted, pruneBatch how much of it in one transaction.
	pruneEvery = time.Hour
	pruneBatch = 1000
	// goneStatus is HTTP's word for "never send this again".
	goneStatus = 410
)

// Message is a signed request.
type Message struct {
	URL     string
	Headers map[string]string
	Body    []byte
}

// Answer is what an endpoint said.
type Answer struct {
	Status     int
	RetryAfter time.Duration // 0: not said
}

// sender sends a message once, within SendTimeout, following no redirects. Its errors are in words for the merchant.
type sender interface {
	Send(ctx context.Context, m Message) (Answer, error)
}

// Due is an endpoint that something waits for.
type Due struct {
	WebhookID string
	Failing   bool
}

// Job is a delivery to be sent now.
type Job struct {
	Delivery Delivery
	Endpoint Endpoint
	Event    Event
}

// queue keeps what is to be sent. Each method is one transaction; several servers may share the queue.
type queue interface {
	// FanOutWebhooks makes the deliveries of the oldest events in the outbox, at most limit, and tells how many it took.
	FanOutWebhooks(ctx context.Context, limit int, at, giveUp time.Time) (int, error)
	// DueWebhooks lists the enabled endpoints that have something due, those that do not fail first.
	DueWebhooks(ctx context.Context, at time.Time) ([]Due, error)
	// ClaimWebhookDeliveries takes at most n due deliveries of an endpoint, the oldest first, until a lease ends.
	ClaimWebhookDeliveries(ctx context.Context, webhookID string, n int, at, leaseEnds time.Time) ([]Job, error)
	// ReportWebhookDelivery notes what came of an attempt. disabled: the endpoint was disabled by it.
	ReportWebhookDelivery(ctx context.Context, r Report) (disabled bool, err error)
	// PruneWebhooks deletes what was finished before an instant, at most limit of each kind, and tells how much it was.
	PruneWebhooks(ctx context.Context, before time.Time, limit int) (int64, error)
}

// Meter counts deliveries.
type Meter interface {
	Attempted(outcome string, took time.Duration) // "delivered", "failed", "dead" or "interrupted"
	Disabled()
}

// Dispatcher sends events to endpoints. Its Run is one goroutine, and one more for each attempt under way.
type Dispatcher struct {
	cfg   Config
	queue queue
	send  sender
	log   *slog.Logger
	meter Meter
	now   func() time.Time

	wake   chan struct{} // of one: that there is something is all there is to say
	done   chan string   // the endpoints of finished attempts; as long as there are workers, so that none ever waits
	active map[string]int
	sends  sync.WaitGroup
	pruned time.Time
}

// NewDispatcher makes a Dispatcher. now nil: time.Now.
func NewDispatcher(cfg Config, q queue, s sender, log *slog.Logger, m Meter, now func() time.Time) *Dispatcher {
	if now == nil {
		now = time.Now
	}
	cfg = cfg.withDefaults()
	return &Dispatcher{
		cfg: cfg, queue: q, send: s, log: log, meter: m, now: now,
		wake: make(chan struct{}, 1), done: make(chan string, cfg.Workers), active: map[string]int{},
	}
}

// Wake says that there is something to send. It never waits.
func (d *Dispatcher) Wake() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// Run sends until ctx ends. Attempts under way are then broken off and made again by whoever runs next.
func (d *Dispatcher) Run(ctx context.Context) {
	defer d.sends.Wait()
	for ctx.Err() == nil {
		more, err := d.round(ctx)
		if err != nil && ctx.Err() == nil {
			d.log.ErrorContext(ctx, "webhooks wait: the database does not answer", "error", err)
		}
		if !more || err != nil {
			d.rest(ctx)
		}
	}
}

// round moves events out of the outbox and starts as many attempts as there is room for. more: the outbox is not empty.
func (d *Dispatcher) round(ctx context.Context) (more bool, err error) {
	at := d.instant()
	n, err := d.queue.FanOutWebhooks(ctx, batch, at, at.Add(Patience))
	if err != nil {
		return false, err
	}
	if err := d.start(ctx, at); err != nil {
		return false, err
	}
	return n == batch, d.prune(ctx, at)
}

// start begins attempts, endpoint after endpoint.
func (d *Dispatcher) start(ctx context.Context, at time.Time) error {
	if d.room() == 0 {
		return nil
	}
	due, err := d.queue.DueWebhooks(ctx, at)
	if err != nil {
		return err
	}
	for _, e := range due {
		most := perEndpoint
		if e.Failing {
			most = perFailing
		}
		n := min(most-d.active[e.WebhookID], d.room())
		if n <= 0 {
			continue
		}
		jobs, err := d.queue.ClaimWebhookDeliveries(ctx, e.WebhookID, n, at, at.Add(lease))
		if err != nil {
			return err
		}
		for i := range jobs {
			d.active[e.WebhookID]++
			d.sends.Go(func() {
				d.attempt(ctx, &jobs[i])
				d.done <- e.WebhookID
			})
		}
	}
	return nil
}

// room is how many workers are free.
func (d *Dispatcher) room() int {
	busy := 0
	for _, n := range d.active {
		busy += n
	}
	return d.cfg.Workers - busy
}

// rest waits until there may be something to do.
func (d *Dispatcher) rest(ctx context.Context) {
	timer := time.NewTimer(poll)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-d.wake:
	case <-timer.C:
	case id := <-d.done:
		d.freed(id)
		timer.Reset(gather)
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
	}
	d.collect()
}

// collect takes note of the attempts that have ended.
func (d *Dispatcher) collect() {
	for {
		select {
		case id := <-d.done:
			d.freed(id)
		default:
			return
		}
	}
}

func (d *Dispatcher) freed(webhookID string) {
	if d.active[webhookID]--; d.active[webhookID] <= 0 {
		delete(d.active, webhookID)
	}
}

// attempt sends once and notes what came of it.
func (d *Dispatcher) attempt(ctx context.Context, j *Job) {
	began := d.instant()
	answer, err := d.deliver(ctx, j)
	r := d.judge(ctx, j, began, answer, err)
	disabled, err := d.queue.ReportWebhookDelivery(context.WithoutCancel(ctx), r)
	if err != nil { // the lease ends and it is sent again
		d.log.ErrorContext(ctx, "could not note what came of a webhook; it is sent again", "delivery", j.Delivery.ID, "error", err)
	}
	if disabled {
		d.meter.Disabled()
		d.log.WarnContext(ctx, "a webhook was disabled", "webhook", j.Endpoint.ID, "store", j.Endpoint.StoreID, "status", r.Status, "reason", r.Error)
	}
	d.meter.Attempted(outcome(&r), r.Took)
}

func (d *Dispatcher) deliver(ctx context.Context, j *Job) (Answer, error) {
	body, err := j.Event.Body()
	if err != nil {
		return Answer{}, err
	}
	at := d.now()
	headers := Sign(j.Endpoint.Secrets(at), j.Event.ID, at, body)
	headers["content-type"] = "application/json"
	return d.send.Send(ctx, Message{URL: j.Endpoint.URL, Headers: headers, Body: body})
}

// judge decides what becomes of a delivery after an attempt.
func (d *Dispatcher) judge(ctx context.Context, j *Job, began time.Time, a Answer, err error) Report {
	at := d.instant()
	r := Report{
		DeliveryID: j.Delivery.ID, WebhookID: j.Endpoint.ID, Attempt: j.Delivery.Attempts, At: began, Status: a.Status, Took: at.Sub(began),
		FailingBefore: at.Add(-d.cfg.DisableAfter),
		FailingReason: fmt.Sprintf("nothing could be delivered for %v", d.cfg.DisableAfter),
	}
	switch {
	case err == nil && a.Status >= 200 && a.Status < 300:
		r.Delivered = true
		return r
	case err != nil && ctx.Err() != nil:
		r.Interrupted, r.NextAt = true, at
		return r
	case err != nil:
		r.Error = inWords(err)
	default:
		r.Error = fmt.Sprintf("the endpoint answered %d; any status from 200 to 299 says that it took the event", a.Status)
	}
	if a.Status == goneStatus {
		r.Disable = "the endpoint answered 410: it wants no events any more"
		return r
	}
	r.NextAt = next(&j.Delivery, at, a.RetryAfter)
	return r
}

func inWords(err error) string {
	if m := errs.MessageOf(err); m != "" {
		return m
	}
	return "the event could not be sent"
}

func outcome(r *Report) string {
	switch {
	case r.Delivered:
		return "delivered"
	case r.Interrupted:
		return "interrupted"
	case r.NextAt.IsZero():
		return "dead"
	}
	return "failed"
}

// prune deletes what is too old, now and then.
func (d *Dispatcher) prune(ctx context.Context, at time.Time) error {
	if at.Sub(d.pruned) < pruneEvery {
		return nil
	}
	n, err := d.queue.PruneWebhooks(ctx, at.Add(-d.cfg.Retention), pruneBatch)
	if err == nil && n == 0 { // else go on at the next round
		d.pruned = at
	}
	return err
}

func (d *Dispatcher) instant() time.Time { return d.now().UTC().Truncate(time.Millisecond) }
