package webhook

import (
	"context"
	"strings"
	"time"

	"github.com/vitrine-live/vitrine/internal/cursor"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/ids"
)

// How long an old secret signs beside the new one: by default and at most.
const (
	DefaultOverlap = 24 * time.Hour
	MaxOverlap     = 7 * 24 * time.Hour
)

const maxPage = 200

// endpoints keeps endpoints and their deliveries. Each method is one transaction; what belongs to another store is
// NotFound.
type endpoints interface {
	CreateWebhook(ctx context.Context, e Endpoint) error // Exhausted: the store has MaxEndpoints
	Webhook(ctx context.Context, storeID, id string) (Endpoint, error)
	Webhooks(ctx context.Context, storeID string) ([]Endpoint, error)
	// UpdateWebhook reads, changes and writes. When it is disabled by that, its pending deliveries become dead.
	UpdateWebhook(ctx context.Context, storeID, id string, change func(*Endpoint) error) (Endpoint, error)
	DeleteWebhook(ctx context.Context, storeID, id string) error
	// WebhookDeliveries lists newest first, those before the key; state "": all.
	WebhookDeliveries(ctx context.Context, storeID, webhookID string, state State, before cursor.Key, limit int) ([]Delivery, error)
	WebhookDelivery(ctx context.Context, storeID, webhookID, id string) (Delivery, Event, error)
	// ReplayWebhookDelivery makes what is delivered or dead pending again. Conflict: it is pending, or the endpoint is disabled.
	ReplayWebhookDelivery(ctx context.Context, storeID, webhookID, id string, at, giveUp time.Time) (Delivery, error)
	// ReplayDeadWebhooks makes what died since an instant pending again, and tells how many.
	ReplayDeadWebhooks(ctx context.Context, storeID, webhookID string, since, at, giveUp time.Time) (int64, error)
	// AddWebhookEvent makes an event for one endpoint alone. Conflict: it is disabled.
	AddWebhookEvent(ctx context.Context, webhookID string, e Event, d Delivery) error
}

// Config says where events may be sent and how long things are kept. The zero value of each field stands for the default
// beside it.
type Config struct {
	// AllowHTTP takes http addresses too. Default: https alone.
	AllowHTTP bool
	// DisableAfter is how long an endpoint may fail without any success until it is disabled, 1 h to 30 days. Default 5 days.
	DisableAfter time.Duration
	// Retention is how long events and deliveries are kept, 2 to 365 days. Default 30 days.
	Retention time.Duration
	// Workers is how many deliveries are sent at once, 1 to 1024. Default 64. One endpoint gets at most 4 of them, and 1
	// while it fails.
	Workers int
}

func (c Config) withDefaults() Config {
	if c.DisableAfter == 0 {
		c.DisableAfter = 5 * 24 * time.Hour
	}
	if c.Retention == 0 {
		c.Retention = 30 * 24 * time.Hour
	}
	if c.Workers == 0 {
		c.Workers = 64
	}
	return c
}

// Validate reports the first field that is out of range as an Invalid error.
func (c Config) Validate() error {
	const op, day = "webhook.Config", 24 * time.Hour
	c = c.withDefaults()
	switch {
	case c.DisableAfter < time.Hour || c.DisableAfter > 30*day:
		return errs.Field(op, "DisableAfter", "must be 1h to 720h, got %v", c.DisableAfter)
	case c.Retention < 2*day || c.Retention > 365*day:
		return errs.Field(op, "Retention", "must be 48h to 8760h, got %v", c.Retention)
	case c.Workers < 1 || c.Workers > 1024:
		return errs.Field(op, "Workers", "must be 1 to 1024, got %d", c.Workers)
	}
	return nil
}

// Service is what merchants do with their endpoints. Safe for concurrent use.
type Service struct {
	cfg   Config
	store endpoints
	check func(url string) error
	now   func() time.Time
}

// NewService makes a Service. check refuses addresses that may not be sent to, as far as that is known beforehand; now nil:
// time.Now.
func NewService(cfg Config, store endpoints, check func(url string) error, now func() time.Time) *Service {
	if now == nil {
		now = time.Now
	}
	return &Service{cfg: cfg.withDefaults(), store: store, check: check, now: now}
}

// New are the fields of a new endpoint.
type New struct {
	URL, Description string
	Events           []string
}

// Create registers an endpoint; its Secret is not shown again. Invalid names the field; Exhausted: the store has as many as
// it may.
func (s *Service) Create(ctx context.Context, storeID string, n New) (Endpoint, error) {
	const op = "webhook.Create"
	at := s.instant()
	e := Endpoint{
		ID: ids.New("whk"), StoreID: storeID, URL: n.URL, Description: strings.TrimSpace(n.Description), Events: n.Events, Enabled: true,
		Secret: NewSecret(), CreatedAt: at, UpdatedAt: at,
	}
	if err := s.valid(op, &e); err != nil {
		return Endpoint{}, err
	}
	return e, errs.Wrap(op, s.store.CreateWebhook(ctx, e))
}

func (s *Service) valid(op string, e *Endpoint) error {
	if err := e.validate(op, s.cfg.AllowHTTP); err != nil {
		return err
	}
	if err := s.check(e.URL); err != nil {
		return errs.Field(op, "url", "%s", errs.MessageOf(err))
	}
	return nil
}

// Get returns an endpoint of a store.
func (s *Service) Get(ctx context.Context, storeID, id string) (Endpoint, error) {
	e, err := s.store.Webhook(ctx, storeID, id)
	return e, errs.Wrap("webhook.Get", err)
}

// List returns the endpoints of a store, the oldest first.
func (s *Service) List(ctx context.Context, storeID string) ([]Endpoint, error) {
	all, err := s.store.Webhooks(ctx, storeID)
	return all, errs.Wrap("webhook.List", err)
}

// Update is a partial change of an endpoint; nil fields stay.
type Update struct {
	URL, Description *string
	Events           *[]string
	Enabled          *bool
}

// Update changes an endpoint. What waits for one that is disabled becomes dead; what happens meanwhile is not sent to it.
func (s *Service) Update(ctx context.Context, storeID, id string, u Update) (Endpoint, error) {
	const op = "webhook.Update"
	e, err := s.store.UpdateWebhook(ctx, storeID, id, func(e *Endpoint) error {
		set(&e.URL, u.URL)
		set(&e.Events, u.Events)
		if u.Description != nil {
			e.Description = strings.TrimSpace(*u.Description)
		}
		if u.Enabled != nil {
			e.Enabled, e.DisabledReason, e.FailingSince = *u.Enabled, "", time.Time{}
		}
		e.UpdatedAt = s.instant()
		return s.valid(op, e)
	})
	return e, errs.Wrap(op, err)
}

func set[T any](field, value *T) {
	if value != nil {
		*field = *value
	}
}

// Delete removes an endpoint and its deliveries.
func (s *Service) Delete(ctx context.Context, storeID, id string) error {
	return errs.Wrap("webhook.Delete", s.store.DeleteWebhook(ctx, storeID, id))
}

// Rotate gives the endpoint a new secret. The old one signs beside it for overlap more, 0 to MaxOverlap.
func (s *Service) Rotate(ctx context.Context, storeID, id string, overlap time.Duration) (Endpoint, error) {
	const op = "webhook.Rotate"
	if overlap < 0 || overlap > MaxOverlap {
		return Endpoint{}, errs.Field(op, "overlap_hours", "must be 0 to %d", int(MaxOverlap.Hours()))
	}
	e, err := s.store.UpdateWebhook(ctx, storeID, id, func(e *Endpoint) error {
		e.UpdatedAt = s.instant()
		e.OldSecret, e.OldSecretUntil = e.Secret, e.UpdatedAt.Add(overlap)
		e.Secret = NewSecret()
		return nil
	})
	return e, errs.Wrap(op, err)
}

// Test sends the endpoint an event of TestType.
func (s *Service) Test(ctx context.Context, storeID, id string) (Delivery, error) {
	const op = "webhook.Test"
	at := s.instant()
	e, err := s.store.Webhook(ctx, storeID, id)
	if err != nil {
		return Delivery{}, errs.Wrap(op, err)
	}
	event := Event{ID: ids.New("evt"), StoreID: storeID, Type: TestType, At: at, Data: []byte(`{"message":"It works."}`)}
	d := Delivery{
		ID: ids.New("dlv"), WebhookID: e.ID, EventID: event.ID, EventType: TestType, State: Pending,
		NextAt: at, GiveUpAt: at.Add(Patience), CreatedAt: at,
	}
	return d, errs.Wrap(op, s.store.AddWebhookEvent(ctx, e.ID, event, d))
}

// DeliveryFilter selects deliveries of an endpoint.
type DeliveryFilter struct {
	State State  // empty: all
	After string // where the page before ended
	Limit int    // 1 to 200
}

// Deliveries lists deliveries, the newest first, and where the next page begins, "" on the last one.
func (s *Service) Deliveries(ctx context.Context, storeID, id string, f DeliveryFilter) ([]Delivery, string, error) {
	const op = "webhook.Deliveries"
	before, err := cursor.Parse(f.After)
	if err != nil {
		return nil, "", errs.Wrap(op, err)
	}
	if f.Limit < 1 || f.Limit > maxPage {
		return nil, "", errs.Field(op, "limit", "must be 1 to %d", maxPage)
	}
	all, err := s.store.WebhookDeliveries(ctx, storeID, id, f.State, before, f.Limit+1) // one more tells whether there is a next page
	if err != nil || len(all) <= f.Limit {
		return all, "", errs.Wrap(op, err)
	}
	last := all[f.Limit-1]
	return all[:f.Limit], cursor.Key{At: last.CreatedAt, ID: last.ID}.String(), nil
}

// Delivery returns a delivery and what is sent.
func (s *Service) Delivery(ctx context.Context, storeID, webhookID, id string) (Delivery, Event, error) {
	d, e, err := s.store.WebhookDelivery(ctx, storeID, webhookID, id)
	return d, e, errs.Wrap("webhook.Delivery", err)
}

// Replay sends an event again, whether it was delivered or not, with the same id. Conflict: it is on its way, or the
// endpoint is disabled.
func (s *Service) Replay(ctx context.Context, storeID, webhookID, id string) (Delivery, error) {
	at := s.instant()
	d, err := s.store.ReplayWebhookDelivery(ctx, storeID, webhookID, id, at, at.Add(Patience))
	return d, errs.Wrap("webhook.Replay", err)
}

// ReplayDead sends all dead deliveries again that were made since an instant, and tells how many there are.
func (s *Service) ReplayDead(ctx context.Context, storeID, webhookID string, since time.Time) (int64, error) {
	at := s.instant()
	n, err := s.store.ReplayDeadWebhooks(ctx, storeID, webhookID, since, at, at.Add(Patience))
	return n, errs.Wrap("webhook.ReplayDead", err)
}

func (s *Service) instant() time.Time { return s.now().UTC().Truncate(time.Millisecond) }
