package main

import (
	"context"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/vitrine-live/vitrine/commerce/order"
	"github.com/vitrine-live/vitrine/providers/sandbox"
)

// orderParts are what the server has of orders.
type orderParts struct {
	orders  *order.Service
	sandbox *sandbox.Provider
}

// startOrders takes orders, and does what is due to them.
func (s *server) startOrders(ctx context.Context) (func(context.Context) error, error) {
	counted := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "vitrine_orders_total", Help: "What happened to orders: states they came to, payments by outcome, what was refused, steps that failed.",
	}, []string{"what"})
	s.metrics.MustRegister(counted)
	secret, err := s.secret(ctx, "sandbox_secret")
	if err != nil {
		return nil, err
	}
	s.sandbox = sandbox.New(sandbox.Config{Secret: []byte(secret)}, s.db, s.log, nil)
	if err := s.openProviders(); err != nil {
		return nil, err
	}
	deps := order.Deps{
		Store: s.db, Goods: s.catalogue, Offers: s.offers, Shows: s.rooms, Providers: s.providers, Log: s.log,
		PoolChanged: s.offers.PoolChanged, StockChanged: s.stockNews.StockChanged,
		Count: func(what string) { counted.WithLabelValues(what).Inc() },
	}
	if s.redis != nil {
		deps.Gate = s.redis.NewGate()
	}
	s.orders = order.New(s.config.Orders.Config(s.config.HTTP.PublicURL), deps)
	s.sandbox.Connect(func(ctx context.Context, header map[string][]string, body []byte) error {
		return s.orders.Notification(ctx, sandbox.Name, header, body)
	})
	stopOrders := s.background(ctx, func(ctx context.Context) error { s.orders.Run(ctx); return nil })
	stopSandbox := s.background(ctx, func(ctx context.Context) error { s.sandbox.Run(ctx); return nil })
	return func(ctx context.Context) error {
		_ = stopSandbox(ctx) // it only ends
		return stopOrders(ctx)
	}, nil
}

// sandboxPage is where orders are paid in the sandbox.
func (s *server) sandboxPage() http.Handler { return s.sandbox }
