// Package retention deletes the recordings of stores that keep theirs for a number of days only, copies included.
package retention

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// MaxDays bounds how long a recording may be asked to be kept; 0 keeps it for ever.
const MaxDays = 36_500

const (
	// sweepEvery is how often recordings are looked at.
	sweepEvery = 6 * time.Hour
	// grace is how long after a store changed its mind the first recording goes by it: a slip can be taken back.
	grace = 24 * time.Hour
	// pageSize is how many shows are read at once.
	pageSize = 500
)

// Config says what holds for stores that say nothing. The zero value keeps everything.
type Config struct {
	Days int // 0: for ever; at most MaxDays
}

// Validate returns an Invalid error that names the field out of its range, or nil.
func (c Config) Validate() error { return checkDays("retention.Config", c.Days) }

func checkDays(op string, days int) error {
	if days < 0 || days > MaxDays {
		return errs.Field(op, "days", "must be between 0, which keeps recordings for ever, and %d, got %d", MaxDays, days)
	}
	return nil
}

// Policy is how long a store keeps its recordings.
type Policy struct {
	Days      *int      // nil: the server's default
	ChangedAt time.Time // zero: never
}

// Show is one that is over, with the policy of its store.
type Show struct {
	ID      string
	StoreID string
	EndedAt time.Time
	Policy  Policy
}

// Store keeps policies. Each method is one transaction.
type Store interface {
	// RetentionPolicy is the zero Policy for a store that never said anything.
	RetentionPolicy(ctx context.Context, storeID string) (Policy, error)
	SetRetentionPolicy(ctx context.Context, storeID string, p Policy) error
	// EndedShows lists shows by id, those behind after.
	EndedShows(ctx context.Context, after string, limit int) ([]Show, error)
}

// archive is what is deleted from.
type archive interface {
	Has(showID string) bool
	Delete(showID string) error
}

// Service answers for how long recordings are kept. Safe for concurrent use.
type Service struct {
	cfg     Config
	store   Store
	archive archive // nil: nothing is recorded
	log     *slog.Logger
	now     func() time.Time
	deleted prometheus.Counter
}

// Deps are what a Service works with. A nil Archive, Log, Registry or Now is allowed.
type Deps struct {
	Store    Store
	Archive  archive
	Log      *slog.Logger
	Registry prometheus.Registerer
	Now      func() time.Time
}

// New makes a Service. Invalid: the configuration.
func New(cfg Config, d Deps) (*Service, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	s := &Service{cfg: cfg, store: d.Store, archive: d.Archive, log: d.Log, now: d.Now, deleted: prometheus.NewCounter(prometheus.CounterOpts{
		Namespace: "vitrine", Name: "recordings_expired_total", Help: "Recordings deleted because their store does not keep them longer.",
	})}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.now == nil {
		s.now = time.Now
	}
	if d.Registry != nil {
		d.Registry.MustRegister(s.deleted)
	}
	return s, nil
}

// Default is how many days a store that says nothing keeps its recordings; 0: for ever.
func (s *Service) Default() int { return s.cfg.Days }

// Policy is how long a store keeps its recordings.
func (s *Service) Policy(ctx context.Context, storeID string) (Policy, error) {
	p, err := s.store.RetentionPolicy(ctx, storeID)
	return p, errs.Wrap("retention.Policy", err)
}

// Set says how long a store keeps its recordings; nil: as long as the server's default. It holds a day later. Invalid:
// days.
func (s *Service) Set(ctx context.Context, storeID string, days *int) (Policy, error) {
	const op = "retention.Set"
	if days != nil {
		if err := checkDays(op, *days); err != nil {
			return Policy{}, err
		}
	}
	p := Policy{Days: days, ChangedAt: s.now()}
	return p, errs.Wrap(op, s.store.SetRetentionPolicy(ctx, storeID, p))
}

// HoldsFrom is from when on recordings go by a policy.
func HoldsFrom(p Policy) time.Time { return p.ChangedAt.Add(grace) }

// due reports whether the recording of a show has to go.
func (s *Service) due(show *Show, now time.Time) bool {
	days := s.cfg.Days
	if show.Policy.Days != nil {
		days = *show.Policy.Days
	}
	return days > 0 && !show.EndedAt.IsZero() && now.Sub(show.EndedAt) > time.Duration(days)*24*time.Hour && now.After(HoldsFrom(show.Policy))
}

// Run deletes what is due, a few times a day, until ctx ends.
func (s *Service) Run(ctx context.Context) {
	if s.archive == nil {
		return
	}
	wait := time.Duration(rand.Int64N(int64(10 * time.Minute))) //nolint:gosec // spreads servers over time; nothing is secret
	for {
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case <-t.C:
		}
		if _, err := s.Sweep(ctx); err != nil && ctx.Err() == nil {
			s.log.WarnContext(ctx, "recordings that are due could not all be deleted; they are tried again", "error", err)
		}
		wait = sweepEvery
	}
}

// Sweep deletes what is due and returns how many recordings that were. One that cannot be deleted now keeps no other from
// it, and is tried again by the next sweep.
func (s *Service) Sweep(ctx context.Context) (deleted int, err error) {
	const op = "retention.Sweep"
	now, after := s.now(), ""
	var failed error
	for {
		shows, err := s.store.EndedShows(ctx, after, pageSize)
		if err != nil {
			return deleted, errs.Wrap(op, err)
		}
		for i := range shows {
			if !s.due(&shows[i], now) || !s.archive.Has(shows[i].ID) {
				continue
			}
			if err := s.archive.Delete(shows[i].ID); err != nil && errs.KindOf(err) != errs.NotFound {
				failed = err
				continue
			}
			deleted++
			s.deleted.Inc()
			s.log.InfoContext(ctx, "a recording is deleted: its store does not keep it longer", "show", shows[i].ID, "store", shows[i].StoreID, "ended", shows[i].EndedAt)
		}
		if len(shows) < pageSize {
			return deleted, errs.Wrap(op, failed)
		}
		after = shows[len(shows)-1].ID
	}
}
