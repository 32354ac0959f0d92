package main

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/vitrine-live/vitrine/commerce/offer"
)

// offerParts are what the server has of offers.
type offerParts struct {
	offers *offer.Service
}

// startOffers keeps the clock of flash sales, and tells timelines what becomes of offers.
func (s *server) startOffers(ctx context.Context) (func(context.Context) error, error) {
	counted := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "vitrine_offers_total", Help: "What happened to offers: claims of coupons and red packets by how they ended, flash sales that started, turned and stopped, and what failed and is tried again.",
	}, []string{"what"})
	s.metrics.MustRegister(counted)
	s.offers = offer.New(offer.Deps{
		Store: s.db, Shows: s.rooms, Goods: s.catalogue, Log: s.log, Count: func(what string) { counted.WithLabelValues(what).Inc() },
	})
	return s.background(ctx, func(ctx context.Context) error { s.offers.Run(ctx); return nil }), nil
}
