package main

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/vitrine-live/vitrine/api"
	"github.com/vitrine-live/vitrine/commerce/mall"
	"github.com/vitrine-live/vitrine/commerce/payment"
	"github.com/vitrine-live/vitrine/commerce/reconcile"
	"github.com/vitrine-live/vitrine/commerce/webhook"
	webhooks "github.com/vitrine-live/vitrine/providers/webhook"
	"github.com/vitrine-live/vitrine/providers/wechatpay"
)

// pay are the parts that speak with merchants' servers and those who move money.
type pay struct {
	webhooks  *webhook.Service
	mall      *mall.Service
	providers []payment.Provider // those who move money
	books     *reconcile.Service
}

// startWebhooks lets merchants' servers hear of what happens in their stores.
func (s *server) startWebhooks(ctx context.Context) (func(context.Context) error, error) {
	c := s.config.Webhooks
	cfg := webhook.Config{AllowHTTP: c.AllowHTTP, DisableAfter: time.Duration(c.DisableAfter), Retention: time.Duration(c.Retention)}
	sender := webhooks.New(c.AllowPrivate)
	s.webhooks = webhook.NewService(cfg, s.db, sender.Check, nil)
	// What is heard of is looked for every second, so that nobody has to tell.
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

func (s *server) payDeps() api.PayDeps { return api.PayDeps{Mall: s.mall, Books: s.books} }

// openProviders makes those who move money, the one for new orders first. The others carry through what they began.
func (s *server) openProviders() error {
	s.providers = []payment.Provider{s.sandbox}
	c := s.config.Payment
	if !c.WeChatPay.Config("").Enabled() {
		return nil
	}
	p, err := wechatpay.New(c.WeChatPay.Config(s.config.HTTP.PublicURL), nil, s.log, wechatpay.NewMetrics(s.metrics), nil)
	if err != nil {
		return fmt.Errorf("payment.wechatpay: %w", err)
	}
	if c.Provider == wechatpay.Name {
		s.providers = []payment.Provider{p, s.sandbox}
	} else {
		s.providers = append(s.providers, p)
	}
	return nil
}

// startReconciling compares the books of those who move money with ours.
func (s *server) startReconciling(ctx context.Context) (func(context.Context) error, error) {
	counted := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "vitrine_reconciliation_total", Help: "What came of comparing books: orders checked, reports that were missing (mended_payment, mended_refund), discrepancies found, runs that failed.",
	}, []string{"what"})
	s.metrics.MustRegister(counted)
	c := s.config.Payment
	cfg := reconcile.Config{Every: time.Duration(c.ReconcileEvery), Back: time.Duration(c.ReconcileBack)}
	s.books = reconcile.New(cfg, s.orders, s.db, s.providers, s.log, func(what string) { counted.WithLabelValues(what).Inc() }, nil)
	return s.background(ctx, func(ctx context.Context) error { s.books.Run(ctx); return nil }), nil
}
