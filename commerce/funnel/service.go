package funnel

import (
	"context"
	"log/slog"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/ratelimit"
)

// store keeps events, share codes and counts, and adds up reports. Each method is one transaction.
type store interface {
	// AddFunnelEvents stores entries; those whose key is there already are left out.
	AddFunnelEvents(ctx context.Context, entries []Entry) error
	ProductStore(ctx context.Context, productID string) (storeID string, err error) // NotFound
	// AddShareCode stores c, or returns the one of the same show, viewer and channel.
	AddShareCode(ctx context.Context, c ShareCode) (ShareCode, error)
	ShareCode(ctx context.Context, code string) (ShareCode, error) // NotFound
	// ShareCodes lists the store's own ones of a show, newest first.
	ShareCodes(ctx context.Context, storeID, showID string, limit int) ([]ShareCode, error)
	AddViewerCounts(ctx context.Context, samples []Sample) error
	ShowReport(ctx context.Context, q ReportQuery) (Report, error)
	StoreReport(ctx context.Context, q StoreQuery) (StoreReport, error)
}

// shows is what the service asks of rooms.
type shows interface {
	ShopShow(ctx context.Context, showID string) (commerce.Show, error) // NotFound
}

// Deps are what the service works with.
type Deps struct {
	Store store
	Shows shows
	// Pins returns the products of all pins that a show has had, by the pins' ids.
	Pins  func(ctx context.Context, showID string) (map[string]string, error)
	Limit ratelimit.Limiter
	Log   *slog.Logger
	Now   func() time.Time // nil: time.Now
	// Count is told how many events were taken (reason empty) or dropped; nil: nobody counts.
	Count func(reason Reason, n int)
	// OnAir tells the shows on air here, where their clocks are and how many watch each; nil: nobody is counted.
	OnAir func() []Sample
}

// Service takes events and makes reports. Safe for concurrent use.
type Service struct {
	Deps
	cfg   Config
	facts *facts
	queue chan []Entry
	room  chan struct{} // one token for each event that waits: its capacity bounds the queue
	// adding makes one report of what is asked for several times at once: adding up a large show takes seconds.
	adding singleflight.Group
}

// New makes a service; Run must run for events to be stored. Invalid: a setting that cannot work.
func New(cfg Config, deps Deps) (*Service, error) {
	if err := cfg.Validate(); err != nil {
		return nil, errs.As(errs.Invalid, "funnel.New", err, "funnel: %v", err)
	}
	if deps.Now == nil {
		deps.Now = time.Now
	}
	if deps.Count == nil {
		deps.Count = func(Reason, int) {}
	}
	if deps.OnAir == nil {
		deps.OnAir = func() []Sample { return nil }
	}
	if deps.Limit == nil {
		deps.Limit = ratelimit.NewMemory(deps.Now)
	}
	s := &Service{Deps: deps, cfg: cfg.withDefaults(), queue: make(chan []Entry, queueSize), room: make(chan struct{}, queueSize)}
	s.facts = newFacts(deps)
	return s, nil
}

// Run stores events and counts viewers until ctx ends, and then stores what still waits.
func (s *Service) Run(ctx context.Context) {
	sample := time.NewTicker(sampleEvery)
	defer sample.Stop()
	flush := time.NewTicker(flushEvery)
	defer flush.Stop()
	var waiting []Entry
	for {
		select {
		case <-ctx.Done():
			s.drain(context.WithoutCancel(ctx), waiting)
			return
		case batch := <-s.queue:
			if waiting = append(waiting, batch...); len(waiting) >= flushSize {
				waiting = s.store(ctx, waiting)
			}
		case <-flush.C:
			waiting = s.store(ctx, waiting)
		case <-sample.C:
			s.sample(ctx)
		}
	}
}

func (s *Service) drain(ctx context.Context, waiting []Entry) {
	for {
		select {
		case batch := <-s.queue:
			waiting = append(waiting, batch...)
		default:
			s.store(ctx, waiting)
			return
		}
	}
}

// store writes what waits and returns what waits from then on: nothing. A store that does not take it costs a piece of
// statistics; to keep it would cost all that follows.
func (s *Service) store(ctx context.Context, waiting []Entry) []Entry {
	if len(waiting) == 0 {
		return waiting
	}
	err := s.Store.AddFunnelEvents(ctx, waiting)
	for range waiting {
		<-s.room
	}
	if err != nil {
		s.Count(Unstored, len(waiting))
		s.Log.ErrorContext(ctx, "what viewers did could not be stored and is missing in reports", "events", len(waiting), "error", err)
	}
	return waiting[:0]
}

func (s *Service) instant() time.Time { return s.Now().UTC().Truncate(time.Millisecond) }
