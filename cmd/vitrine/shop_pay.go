package main

import (
	"context"
	"time"

	"github.com/vitrine-live/vitrine/api"
	"github.com/vitrine-live/vitrine/commerce/mall"
	"github.com/vitrine-live/vitrine/commerce/webhook"
	webhooks "github.com/vitrine-live/vitrine/providers/webhook"
)

// pay are the parts that speak with merchants' servers and those who move money.
type pay struct {
	webhooks *webhook.Service
	mall     *mall.Service
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

// startMall ties stores to malls elsewhere.
func (s *server) startMall(ctx context.Context) (func(context.Context) error, error) {
	secret, err := s.secret(ctx, "click_secret")
	if err != nil {
		return nil, err
	}
	s.mall = mall.NewService(s.db, s.catalogue, mall.NewClicks([]byte(secret)), nil, nil)
	return nil, nil
}

func (s *server) payDeps() api.PayDeps { return api.PayDeps{Mall: s.mall} }
