package main

import (
	"context"
	"time"

	"github.com/vitrine-live/vitrine/commerce/webhook"
	webhooks "github.com/vitrine-live/vitrine/providers/webhook"
)

// pay are the parts that speak with merchants' servers and those who move money.
type pay struct {
	webhooks *webhook.Service
}

// startWebhooks lets merchants' servers hear of what happens in their stores.
func (s *server) startWebhooks(ctx context.Context) (func(context.Context) error, error) {
	c := s.config.Webhooks
	cfg := webhook.Config{AllowHTTP: c.AllowHTTP, DisableAfter: time.Duration(c.DisableAfter), Retention: time.Duration(c.Retention)}
	sender := webhooks.New(c.AllowPrivate)
	s.webhooks = webhook.NewService(cfg, s.db, sender.Check, nil)
	dispatcher := webhook.NewDispatcher(cfg, s.db, sender, s.log, webhooks.NewMetrics(s.metrics), nil)
	stop := s.background(ctx, func(ctx context.Context) error {
		dispatcher.Run(ctx)
		return nil
	})
	return func(ctx context.Context) error {
		defer sender.Close()
		return stop(ctx)
	}, nil
}
