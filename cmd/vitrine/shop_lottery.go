package main

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/vitrine-live/vitrine/commerce/lottery"
)

// lotteryParts are what the server has of lotteries.
type lotteryParts struct {
	lotteries *lottery.Service
}

// startLotteries opens, closes and draws lotteries when their time has come.
func (s *server) startLotteries(ctx context.Context) (func(context.Context) error, error) {
	counted := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "vitrine_lottery_total", Help: "What happened in lotteries: states they came to, viewers who entered, prizes that lapsed, steps that failed.",
	}, []string{"what"})
	s.metrics.MustRegister(counted)
	s.lotteries = lottery.New(lottery.Config{}, lottery.Deps{
		Store: s.db, Shows: s.rooms, Log: s.log, Count: func(what string, n int64) { counted.WithLabelValues(what).Add(float64(n)) },
	})
	return s.background(ctx, func(ctx context.Context) error { s.lotteries.Run(ctx); return nil }), nil
}
