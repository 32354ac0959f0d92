package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/commerce/webhook"
	"github.com/vitrine-live/vitrine/overlay"
)

// Webhook is an endpoint of a merchant's server as the API shows it.
type Webhook struct {
	ID             string   `json:"id" example:"whk_0123456789abcdef"`
	URL            string   `json:"url"`
	Description    string   `json:"description"`
	Events         []string `json:"events" doc:"The types it hears of; none: all."`
	Enabled        bool     `json:"enabled"`
	DisabledReason string   `json:"disabled_reason,omitempty" doc:"Why the server disabled it; absent when a person did."`
	FailingSince   *string  `json:"failing_since,omitempty" doc:"When the present series of failures began."`
	OldSecretUntil *string  `json:"old_secret_until,omitempty" doc:"Until when the secret before the present one signs too."`
	CreatedAt      string   `json:"created_at"`
	UpdatedAt      string   `json:"updated_at"`
}

// WebhookSecret is an endpoint with its secret, which is shown this once.
type WebhookSecret struct {
	Webhook Webhook `json:"webhook"`
	Secret  string  `json:"secret" doc:"Signs what is sent. It is not shown again."`
}

// WebhookDelivery is one event on its way to an endpoint.
type WebhookDelivery struct {
	ID         string  `json:"id"`
	EventID    string  `json:"event_id" doc:"The header webhook-id of what is sent: the same in every attempt."`
	EventType  string  `json:"event_type"`
	State      string  `json:"state" enum:"pending,delivered,dead"`
	Attempts   int     `json:"attempts"`
	NextAt     *string `json:"next_at,omitempty" doc:"Of a pending one: when it is tried next."`
	AttemptAt  *string `json:"attempt_at,omitempty" doc:"The newest attempt."`
	LastStatus int     `json:"last_status" doc:"What it answered, as an HTTP status; 0: nothing."`
	LastError  string  `json:"last_error,omitempty"`
	TookMS     int64   `json:"took_ms"`
	CreatedAt  string  `json:"created_at"`
}

// WebhookMessage is a delivery with the body that is sent.
type WebhookMessage struct {
	Delivery WebhookDelivery `json:"delivery"`
	Body     string          `json:"body" doc:"The exact bytes that are signed and sent."`
}

// Replayed tells how many deliveries are sent again.
type Replayed struct {
	Count int64 `json:"count"`
}

// WebhookPath names an endpoint in an address.
type WebhookPath struct {
	StorePath
	Webhook string `path:"webhook" doc:"The webhook's id."`
}

// WebhookDeliveryPath names a delivery in an address.
type WebhookDeliveryPath struct {
	WebhookPath
	Delivery string `path:"delivery" doc:"The delivery's id."`
}

type webhookInput struct {
	StorePath
	Body struct {
		URL         string   `json:"url" maxLength:"2048" doc:"An https address."`
		Description string   `json:"description,omitempty" maxLength:"200"`
		Events      []string `json:"events,omitempty" maxItems:"50" doc:"The types to hear of; none: all."`
	}
}

type webhookUpdate struct {
	WebhookPath
	Body struct {
		URL         *string   `json:"url,omitempty" maxLength:"2048"`
		Description *string   `json:"description,omitempty" maxLength:"200"`
		Events      *[]string `json:"events,omitempty" maxItems:"50"`
		Enabled     *bool     `json:"enabled,omitempty" doc:"What waits for a webhook that is disabled becomes dead, and what happens meanwhile is not sent to it."`
	}
}

type webhookRotation struct {
	WebhookPath
	Body struct {
		OverlapHours *int `json:"overlap_hours,omitempty" minimum:"0" maximum:"168" doc:"How long the old secret signs too. Default 24."`
	}
}

type deliveryList struct {
	WebhookPath
	PageInput
	State string `query:"state" enum:"pending,delivered,dead" doc:"Only those in this state."`
}

type deadReplay struct {
	WebhookPath
	Body struct {
		Since *time.Time `json:"since,omitempty" doc:"Only what was made since then."`
	}
}

func (s *Server) webhookOperations() {
	const base = "/api/v1/stores/{store}/webhooks"
	tags, may := []string{"Webhooks"}, staff(account.WebhooksWrite)
	operation(s, huma.Operation{OperationID: "create-webhook", Method: http.MethodPost, Path: base, Tags: tags, Security: may, Summary: "Register an endpoint", Description: "The answer shows its secret, this once.", DefaultStatus: http.StatusCreated}, s.createWebhook)
	operation(s, huma.Operation{OperationID: "list-webhooks", Method: http.MethodGet, Path: base, Tags: tags, Security: may, Summary: "List the endpoints of a store"}, s.listWebhooks)
	operation(s, huma.Operation{OperationID: "get-webhook", Method: http.MethodGet, Path: base + "/{webhook}", Tags: tags, Security: may, Summary: "Read an endpoint"}, s.getWebhook)
	operation(s, huma.Operation{OperationID: "update-webhook", Method: http.MethodPatch, Path: base + "/{webhook}", Tags: tags, Security: may, Summary: "Change an endpoint"}, s.updateWebhook)
	operation(s, huma.Operation{OperationID: "delete-webhook", Method: http.MethodDelete, Path: base + "/{webhook}", Tags: tags, Security: may, Summary: "Remove an endpoint", DefaultStatus: http.StatusNoContent}, s.deleteWebhook)
	operation(s, huma.Operation{OperationID: "rotate-webhook-secret", Method: http.MethodPost, Path: base + "/{webhook}/secret", Tags: tags, Security: may, Summary: "Make a new secret", Description: "For some hours both secrets sign, so that no event is refused while the endpoint changes over."}, s.rotateWebhook)
	operation(s, huma.Operation{OperationID: "test-webhook", Method: http.MethodPost, Path: base + "/{webhook}/test", Tags: tags, Security: may, Summary: "Send a test event", DefaultStatus: http.StatusAccepted}, s.testWebhook)
	operation(s, huma.Operation{OperationID: "list-webhook-deliveries", Method: http.MethodGet, Path: base + "/{webhook}/deliveries", Tags: tags, Security: may, Summary: "List what was sent, newest first", Description: "With state=dead: what was given up."}, s.listDeliveries)
	operation(s, huma.Operation{OperationID: "get-webhook-delivery", Method: http.MethodGet, Path: base + "/{webhook}/deliveries/{delivery}", Tags: tags, Security: may, Summary: "Read what is sent"}, s.getDelivery)
	operation(s, huma.Operation{OperationID: "replay-webhook-delivery", Method: http.MethodPost, Path: base + "/{webhook}/deliveries/{delivery}/replay", Tags: tags, Security: may, Summary: "Send an event again", DefaultStatus: http.StatusAccepted}, s.replayDelivery)
	operation(s, huma.Operation{OperationID: "replay-dead-webhooks", Method: http.MethodPost, Path: base + "/{webhook}/replay", Tags: tags, Security: may, Summary: "Send all that was given up again", DefaultStatus: http.StatusAccepted}, s.replayDead)
}

func (s *Server) createWebhook(ctx context.Context, in *webhookInput) (*Body[WebhookSecret], error) {
	e, err := s.Webhooks.Create(ctx, in.Store, webhook.New{URL: in.Body.URL, Description: in.Body.Description, Events: in.Body.Events})
	if err != nil {
		return nil, err
	}
	return &Body[WebhookSecret]{WebhookSecret{webhookOf(e), e.Secret}}, nil
}

func (s *Server) listWebhooks(ctx context.Context, in *StorePath) (*Body[Page[Webhook]], error) {
	all, err := s.Webhooks.List(ctx, in.Store)
	if err != nil {
		return nil, err
	}
	return page(all, 0, webhookOf, nil), nil // they are few: one page has them all
}

func (s *Server) getWebhook(ctx context.Context, in *WebhookPath) (*Body[Webhook], error) {
	e, err := s.Webhooks.Get(ctx, in.Store, in.Webhook)
	if err != nil {
		return nil, err
	}
	return &Body[Webhook]{webhookOf(e)}, nil
}

func (s *Server) updateWebhook(ctx context.Context, in *webhookUpdate) (*Body[Webhook], error) {
	b := in.Body
	e, err := s.Webhooks.Update(ctx, in.Store, in.Webhook, webhook.Update{URL: b.URL, Description: b.Description, Events: b.Events, Enabled: b.Enabled})
	if err != nil {
		return nil, err
	}
	return &Body[Webhook]{webhookOf(e)}, nil
}

func (s *Server) deleteWebhook(ctx context.Context, in *WebhookPath) (*Empty, error) {
	return &Empty{}, s.Webhooks.Delete(ctx, in.Store, in.Webhook)
}

func (s *Server) rotateWebhook(ctx context.Context, in *webhookRotation) (*Body[WebhookSecret], error) {
	overlap := webhook.DefaultOverlap
	if in.Body.OverlapHours != nil {
		overlap = time.Duration(*in.Body.OverlapHours) * time.Hour
	}
	e, err := s.Webhooks.Rotate(ctx, in.Store, in.Webhook, overlap)
	if err != nil {
		return nil, err
	}
	return &Body[WebhookSecret]{WebhookSecret{webhookOf(e), e.Secret}}, nil
}

func (s *Server) testWebhook(ctx context.Context, in *WebhookPath) (*Body[WebhookDelivery], error) {
	return deliveryBody(s.Webhooks.Test(ctx, in.Store, in.Webhook))
}

func (s *Server) listDeliveries(ctx context.Context, in *deliveryList) (*Body[Page[WebhookDelivery]], error) {
	all, next, err := s.Webhooks.Deliveries(ctx, in.Store, in.Webhook, webhook.DeliveryFilter{State: webhook.State(in.State), After: in.After, Limit: in.limit()})
	if err != nil {
		return nil, err
	}
	out := page(all, 0, deliveryOf, nil)
	if next != "" {
		out.Body.Next = &next
	}
	return out, nil
}

func (s *Server) getDelivery(ctx context.Context, in *WebhookDeliveryPath) (*Body[WebhookMessage], error) {
	d, e, err := s.Webhooks.Delivery(ctx, in.Store, in.Webhook, in.Delivery)
	if err != nil {
		return nil, err
	}
	body, err := e.Body()
	if err != nil {
		return nil, err
	}
	return &Body[WebhookMessage]{WebhookMessage{deliveryOf(d), string(body)}}, nil
}

func (s *Server) replayDelivery(ctx context.Context, in *WebhookDeliveryPath) (*Body[WebhookDelivery], error) {
	return deliveryBody(s.Webhooks.Replay(ctx, in.Store, in.Webhook, in.Delivery))
}

func (s *Server) replayDead(ctx context.Context, in *deadReplay) (*Body[Replayed], error) {
	var since time.Time
	if in.Body.Since != nil {
		since = *in.Body.Since
	}
	n, err := s.Webhooks.ReplayDead(ctx, in.Store, in.Webhook, since)
	if err != nil {
		return nil, err
	}
	return &Body[Replayed]{Replayed{n}}, nil
}

func webhookOf(e webhook.Endpoint) Webhook {
	events := e.Events
	if events == nil {
		events = []string{}
	}
	out := Webhook{
		ID: e.ID, URL: e.URL, Description: e.Description, Events: events, Enabled: e.Enabled, DisabledReason: e.DisabledReason,
		FailingSince: optionalTime(e.FailingSince), CreatedAt: overlay.FormatWall(e.CreatedAt), UpdatedAt: overlay.FormatWall(e.UpdatedAt),
	}
	if e.OldSecret != "" {
		out.OldSecretUntil = optionalTime(e.OldSecretUntil)
	}
	return out
}

func deliveryOf(d webhook.Delivery) WebhookDelivery {
	out := WebhookDelivery{
		ID: d.ID, EventID: d.EventID, EventType: d.EventType, State: string(d.State), Attempts: d.Attempts, AttemptAt: optionalTime(d.AttemptAt),
		LastStatus: d.LastStatus, LastError: d.LastError, TookMS: d.Took.Milliseconds(), CreatedAt: overlay.FormatWall(d.CreatedAt),
	}
	if d.State == webhook.Pending {
		out.NextAt = optionalTime(d.NextAt)
	}
	return out
}

func deliveryBody(d webhook.Delivery, err error) (*Body[WebhookDelivery], error) {
	if err != nil {
		return nil, err
	}
	return &Body[WebhookDelivery]{deliveryOf(d)}, nil
}
