package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/vitrine-live/vitrine/commerce/lottery"
	"github.com/vitrine-live/vitrine/overlay/audience"
)

// lotteryParts are what the server has of lotteries and of what viewers say and like.
type lotteryParts struct {
	lotteries *lottery.Service
	comments  *audience.Comments
	likes     *audience.Likes
}

// startAudience lets viewers comment and like.
func (s *server) startAudience(ctx context.Context) (func(context.Context) error, error) {
	words, err := readWords(s.config.Comments.WordsFile)
	if err != nil {
		return nil, err
	}
	c := s.config.Comments
	cfg, limits := audience.Config{PerViewer: c.PerViewer, PerShow: c.PerShow, Likes: c.Likes}, s.limits
	s.comments = audience.NewComments(cfg, audience.CommentDeps{
		Store: s.db, Shows: s.rooms, Timeline: s.timeline, Limits: limits, Words: words, Log: s.log,
	})
	s.likes = audience.NewLikes(cfg, audience.LikeDeps{Store: s.db, Shows: s.rooms, Hub: s.hub, Limits: limits, Log: s.log})
	return s.background(ctx, func(ctx context.Context) error { s.likes.Run(ctx); return nil }), nil
}

// readWords reads the list of words that comments may not say.
func readWords(path string) (*audience.Words, error) {
	if path == "" {
		return audience.ReadWords(strings.NewReader(audience.DefaultWords))
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("comments.words_file: %w", err)
	}
	words, err := audience.ReadWords(f)
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("comments.words_file %s: %w", path, err)
	}
	return words, nil
}

// startLotteries opens, closes and draws lotteries when their time has come.
func (s *server) startLotteries(ctx context.Context) (func(context.Context) error, error) {
	counted := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "vitrine_lottery_total", Help: "What happened in lotteries: states they came to, viewers who entered, prizes that lapsed, steps that failed.",
	}, []string{"what"})
	s.metrics.MustRegister(counted)
	s.lotteries = lottery.New(lottery.Config{}, lottery.Deps{
		Store: s.db, Shows: s.rooms, Coupons: s.offers, Log: s.log, Facts: lottery.Facts{Commented: s.comments.Said, Likes: s.likes.Of, Reminder: s.reminders.HasReminder, Bought: s.orders.Bought},
		Count: func(what string, n int64) { counted.WithLabelValues(what).Add(float64(n)) },
	})
	return s.background(ctx, func(ctx context.Context) error { s.lotteries.Run(ctx); return nil }), nil
}
