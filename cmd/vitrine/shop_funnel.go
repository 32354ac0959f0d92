package main

import (
	"cmp"
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/vitrine-live/vitrine/api"
	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/commerce/funnel"
	"github.com/vitrine-live/vitrine/commerce/reminder"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/netguard"
	"github.com/vitrine-live/vitrine/providers/webpush"
	"github.com/vitrine-live/vitrine/providers/wechat"
)

// funnelParts are what brings viewers to a show, and what tells what they did there.
type funnelParts struct {
	reminders        *reminder.Service
	reminderChannels []api.ReminderChannel
	funnel           *funnel.Service
}

func (s *server) funnelDeps() api.FunnelDeps {
	return api.FunnelDeps{Reminders: s.reminders, ReminderChannels: s.reminderChannels, Funnel: s.funnel}
}

// roomChanged tells who follows the rooms that a show of one began, changed its state or ended.
func (s *server) roomChanged(roomID, showID string) {
	s.hub.RoomChanged(roomID, showID)
	s.reminders.Wake()
}

// startReminders makes the service; it sends nothing before the rooms are there.
func (s *server) startReminders(ctx context.Context) (func(context.Context) error, error) {
	providers := map[reminder.Channel]reminder.Provider{}
	s.reminderChannels = []api.ReminderChannel{{Channel: string(reminder.Webhook)}}
	if s.wechat != nil && s.config.Reminders.WeChat.Template != "" {
		p := wechat.NewReminders(s.wechat, wechat.Subscription(s.config.Reminders.WeChat))
		providers[reminder.WeChat] = p
		s.reminderChannels = append(s.reminderChannels, api.ReminderChannel{Channel: string(reminder.WeChat), TemplateID: p.Template()})
	}
	push, err := s.webPush(ctx)
	if err != nil {
		return nil, err
	}
	if push != nil {
		providers[reminder.WebPush] = push
		s.reminderChannels = append(s.reminderChannels, api.ReminderChannel{Channel: string(reminder.WebPush), PublicKey: push.PublicKey()})
	}
	s.reminders, err = reminder.New(reminder.Config{
		Rate: s.config.Reminders.Rate, Parallel: s.config.Reminders.Parallel, Grace: time.Duration(s.config.Reminders.Grace),
		PublicURL: strings.TrimSuffix(s.config.HTTP.PublicURL, "/"),
	}, reminder.Deps{Store: s.db, Shows: laterRooms{s}, Providers: providers, Log: s.log})
	if err != nil {
		return nil, err
	}
	for _, state := range []reminder.State{reminder.Sent, reminder.Failed, reminder.Unknown, reminder.Pending} {
		s.metrics.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "vitrine_reminder_attempts_total", Help: "Attempts to send a reminder, by where they led; pending: nothing was sent, it is tried again.",
			ConstLabels: prometheus.Labels{"state": string(state)},
		}, func() float64 { return float64(s.reminders.Attempts(state)) }))
	}
	return nil, nil
}

// webPush makes the sender to browsers, nil when there is nobody that push services could turn to.
func (s *server) webPush(ctx context.Context) (*webpush.Sender, error) {
	cfg := s.config.Reminders.WebPush
	if cfg.Contact == "" && strings.HasPrefix(s.config.HTTP.PublicURL, "https://") {
		cfg.Contact = s.config.HTTP.PublicURL
	}
	if !cfg.Enabled || cfg.Contact == "" {
		return nil, nil //nolint:nilnil // none is an answer
	}
	key, err := s.db.Setting(ctx, "webpush_key")
	if errs.KindOf(err) == errs.NotFound {
		if key, err = webpush.NewKey(); err == nil {
			key, err = s.db.SettingOr(ctx, "webpush_key", key)
		}
	}
	if err != nil {
		return nil, err
	}
	client := netguard.Guard{AllowPrivate: cfg.AllowPrivate, Setting: "reminders.web_push.allow_private"}.Client(0)
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return webpush.New(webpush.Config{PrivateKey: key, Subject: cfg.Contact}, client)
}

// startReminding sends what is due until the stop, which waits for what is under way.
func (s *server) startReminding(ctx context.Context) (func(context.Context) error, error) {
	return s.background(ctx, func(ctx context.Context) error {
		s.reminders.Run(ctx)
		return nil
	}), nil
}

// laterRooms lets parts ask rooms that start after them.
type laterRooms struct{ s *server }

func (l laterRooms) ShopShow(ctx context.Context, showID string) (commerce.Show, error) {
	return l.s.rooms.ShopShow(ctx, showID)
}

// startFunnel takes what viewers' pages tell, and counts who watches, until the stop, which stores what still waits.
func (s *server) startFunnel(ctx context.Context) (func(context.Context) error, error) {
	counted := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "vitrine_funnel_events_total", Help: "What viewers' pages told, by what became of it; taken: it counts in reports.",
	}, []string{"outcome"})
	s.metrics.MustRegister(counted)
	counted.WithLabelValues("taken")
	for _, why := range funnel.Reasons {
		counted.WithLabelValues(string(why))
	}
	f, err := funnel.New(funnel.Config{Window: time.Duration(s.config.Funnel.Window)}, funnel.Deps{
		Store: s.db, Shows: s.rooms, Pins: s.pinsOf, Log: s.log, OnAir: s.watched, Limit: s.limits,
		Count: func(why funnel.Reason, n int) { counted.WithLabelValues(cmp.Or(string(why), "taken")).Add(float64(n)) },
	})
	if err != nil {
		return nil, err
	}
	s.funnel = f
	return s.background(ctx, func(ctx context.Context) error {
		f.Run(ctx)
		return nil
	}), nil
}

// pinsOf are the products of all pins of a show.
func (s *server) pinsOf(ctx context.Context, showID string) (map[string]string, error) {
	ranges, err := s.timeline.Ranges(ctx, showID)
	pins := make(map[string]string, len(ranges))
	for i := range ranges {
		pins[ranges[i].Pin.ID] = ranges[i].Pin.ProductID
	}
	return pins, err
}

// watched is how many watch each show that is on air here.
func (s *server) watched() []funnel.Sample {
	var samples []funnel.Sample
	for _, st := range s.rooms.OnAir() {
		if st.Show == nil {
			continue
		}
		samples = append(samples, funnel.Sample{
			ShowID: st.Show.ID, ShowTimeMS: st.Show.Duration.Milliseconds(), Viewers: s.hub.Viewers(st.Show.RoomID),
		})
	}
	return samples
}
