// Package highlight finds the moments of a show that its audience answered to: by what was liked, said and bought, by
// who came, and by how loud it was. It proposes them with the reasons; merchants accept, trim or dismiss them.
//
// Finding is pure (Score). A Service reads the signals, on air as well, and keeps what merchants decide.
package highlight

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/overlay"
	"github.com/vitrine-live/vitrine/replay/edit"
)

const (
	// sampleEvery is how often it is stored how many watch.
	sampleEvery = 10 * time.Second
	// sameMoment is how far the peak of a moment may move when the show goes on.
	sameMoment = 20 * media.TicksPerSecond
	// maxShows is how many shows' counts are kept in memory: 0.4 MB for a show of four hours. Beyond it the one that
	// was not asked for longest goes, and is read again.
	maxShows = 32
)

// Store keeps samples and decisions. Each method is one transaction.
type Store interface {
	// AddViewerSamples stores samples; one at the same time of the same show is replaced.
	AddViewerSamples(ctx context.Context, samples []Sample) error
	// ViewerSamples returns those of a show in order.
	ViewerSamples(ctx context.Context, showID string) ([]Sample, error)
	// Highlights returns the highlights of a show that were decided on, in the order of their spans.
	Highlights(ctx context.Context, showID string) ([]Highlight, error)
	// ChangeHighlight stores what change makes of the stored highlight, or of fresh when there is none of its ID.
	ChangeHighlight(ctx context.Context, fresh Highlight, change func(Highlight) (Highlight, error)) (Highlight, error)
}

// timeline is the log of shows.
type timeline interface {
	Events(ctx context.Context, showID string, after int64, limit int) ([]overlay.Event, error)
}

// Deps are what a Service works with.
type Deps struct {
	Store    Store
	Timeline timeline
	// Duration is the show time so far. NotFound: there is no such show.
	Duration func(ctx context.Context, showID string) (media.Ticks, error)
	// Chapters are those of a show's replay; nil: there are none.
	Chapters func(ctx context.Context, showID string) ([]edit.Chapter, error)
	// Loudness is that of each second, as far as it is known; nil: of none.
	Loudness func(showID string) ([]float64, error)
	// OnAir is how many watch each show that is on air here now.
	OnAir   func() []Sample
	Log     *slog.Logger     // nil: nothing is logged
	Metrics *Metrics         // nil: nothing is counted
	Now     func() time.Time // nil: time.Now
}

// Metrics counts what a Service does.
type Metrics struct {
	samples *prometheus.CounterVec
	scored  prometheus.Histogram
}

// NewMetrics registers the metrics with reg; nil leaves them unregistered.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		samples: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "vitrine", Name: "highlight_samples_total", Help: "How often it was stored how many watch a show, by outcome.",
		}, []string{"outcome"}),
		scored: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: "vitrine", Name: "highlight_score_seconds", Help: "How long finding the highlights of a show took.", Buckets: []float64{.01, .05, .2, 1, 5},
		}),
	}
	for _, outcome := range []string{"stored", "lost"} {
		m.samples.WithLabelValues(outcome)
	}
	if reg != nil {
		reg.MustRegister(m.samples, m.scored)
	}
	return m
}

// Service finds highlights. Safe for concurrent use; Run must run for the audience to be known.
type Service struct {
	Deps

	mu     sync.Mutex
	counts map[string]*known
	clock  int64 // of uses
}

// known is what was counted of a show.
type known struct {
	mu   sync.Mutex // held while the log is read
	used int64      // under Service.mu
	counts
}

// New makes a Service.
func New(deps Deps) *Service {
	if deps.Log == nil {
		deps.Log = slog.New(slog.DiscardHandler)
	}
	if deps.Metrics == nil {
		deps.Metrics = NewMetrics(nil)
	}
	if deps.Now == nil {
		deps.Now = time.Now
	}
	return &Service{Deps: deps, counts: map[string]*known{}}
}

// Run stores how many watch the shows that are on air, until ctx ends.
func (s *Service) Run(ctx context.Context) {
	t := time.NewTicker(sampleEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			s.Sample(ctx)
		}
	}
}

// Sample does once what Run does again and again. What cannot be stored is lost: a line is drawn over it.
func (s *Service) Sample(ctx context.Context) {
	samples := s.OnAir()
	if len(samples) == 0 {
		return
	}
	if err := s.Store.AddViewerSamples(ctx, samples); err != nil {
		s.Metrics.samples.WithLabelValues("lost").Add(float64(len(samples)))
		s.Log.ErrorContext(ctx, "how many watch could not be stored", "shows", len(samples), "error", err)
		return
	}
	s.Metrics.samples.WithLabelValues("stored").Add(float64(len(samples)))
}

// Signals returns what happened in a show so far. NotFound: there is no such show.
func (s *Service) Signals(ctx context.Context, showID string) (Signals, error) {
	const op = "highlight.Signals"
	duration, err := s.Duration(ctx, showID)
	if err != nil {
		return Signals{}, errs.Wrap(op, err)
	}
	signals := NewSignals(min(duration, at(maxSeconds)))
	if err := s.count(ctx, showID, &signals); err != nil {
		return Signals{}, errs.Wrap(op, err)
	}
	samples, err := s.Store.ViewerSamples(ctx, showID)
	if err != nil {
		return Signals{}, errs.Wrap(op, err)
	}
	signals.setViewers(samples)
	if s.Loudness != nil {
		loud, err := s.Loudness(showID)
		if err != nil && errs.KindOf(err) != errs.NotFound { // a show that was not recorded
			return Signals{}, errs.Wrap(op, err)
		}
		copy(signals.Loudness, loud)
	}
	return signals, nil
}

// count reads what is new in the log and copies the counts.
func (s *Service) count(ctx context.Context, showID string, into *Signals) error {
	k := s.known(showID)
	k.mu.Lock()
	defer k.mu.Unlock()
	for {
		events, err := s.Timeline.Events(ctx, showID, k.after, overlay.MaxEvents)
		if err != nil {
			return err
		}
		for _, e := range events {
			k.add(e)
		}
		if len(events) < overlay.MaxEvents {
			break
		}
	}
	copy(into.Likes, k.likes)
	copy(into.Comments, k.comments)
	copy(into.Orders, k.orders)
	return nil
}

func (s *Service) known(showID string) *known {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clock++
	k := s.counts[showID]
	if k == nil {
		k = &known{}
		if len(s.counts) >= maxShows {
			oldest := ""
			for id, other := range s.counts {
				if oldest == "" || other.used < s.counts[oldest].used {
					oldest = id
				}
			}
			delete(s.counts, oldest)
		}
		s.counts[showID] = k
	}
	k.used = s.clock
	return k
}

// Highlights returns the moments of a show that stand out and those that were decided on, in the order of the show.
// NotFound: there is no such show.
func (s *Service) Highlights(ctx context.Context, showID string) ([]Highlight, error) {
	const op = "highlight.Highlights"
	signals, err := s.Signals(ctx, showID)
	if err != nil {
		return nil, errs.Wrap(op, err)
	}
	return s.highlights(ctx, showID, signals)
}

func (s *Service) highlights(ctx context.Context, showID string, signals Signals) ([]Highlight, error) {
	const op = "highlight.Highlights"
	var chapters []edit.Chapter
	var err error
	if s.Chapters != nil {
		if chapters, err = s.Chapters(ctx, showID); err != nil {
			return nil, errs.Wrap(op, err)
		}
	}
	decided, err := s.Store.Highlights(ctx, showID)
	if err != nil {
		return nil, errs.Wrap(op, err)
	}
	began := time.Now()
	found := Score(signals, chapters)
	s.Metrics.scored.Observe(time.Since(began).Seconds())
	return merge(showID, found, decided), nil
}

// merge puts what was decided in the place of what was found again.
func merge(showID string, found []Moment, decided []Highlight) []Highlight {
	all := slices.Clone(decided)
	for _, m := range found {
		i := nearest(decided, m.Peak)
		if i < 0 {
			all = append(all, Highlight{ShowID: showID, ID: m.ID, State: Proposed, Span: m.Span, Title: m.Title, Found: m})
			continue
		}
		all[i].Found = m
	}
	slices.SortStableFunc(all, func(a, b Highlight) int { return cmp.Compare(a.Span.From, b.Span.From) })
	return all
}

// nearest is the highlight whose peak is at t, or was before the show went on; -1 for none.
func nearest(all []Highlight, t media.Ticks) int {
	best, least := -1, sameMoment+1
	for i := range all {
		if peak, ok := peakOf(all[i].ID); ok && distance(peak, t) < least {
			best, least = i, distance(peak, t)
		}
	}
	return best
}

// Find returns a highlight of a show. NotFound: there is none of the ID.
func (s *Service) Find(ctx context.Context, showID, id string) (Highlight, error) {
	h, _, err := s.find(ctx, showID, id)
	return h, err
}

func (s *Service) find(ctx context.Context, showID, id string) (h Highlight, duration media.Ticks, err error) {
	const op = "highlight.Find"
	signals, err := s.Signals(ctx, showID)
	if err != nil {
		return h, 0, errs.Wrap(op, err)
	}
	all, err := s.highlights(ctx, showID, signals)
	if err != nil {
		return h, 0, errs.Wrap(op, err)
	}
	i := slices.IndexFunc(all, func(h Highlight) bool { return h.ID == id })
	if peak, ok := peakOf(id); ok && i < 0 {
		i = nearest(all, peak)
	}
	if i < 0 {
		return h, 0, errs.New(errs.NotFound, op, "the show has no highlight %q", id)
	}
	return all[i], signals.Duration, nil
}

// Highlight returns where a highlight is and what it is called.
func (s *Service) Highlight(ctx context.Context, showID, id string) (span media.Span, title string, err error) {
	h, err := s.Find(ctx, showID, id)
	return h.Span, h.Title, err
}

// Change keeps what somebody decided of a highlight. NotFound; Invalid names the field.
func (s *Service) Change(ctx context.Context, showID, id, by string, u Update) (Highlight, error) {
	const op = "highlight.Change"
	fresh, duration, err := s.find(ctx, showID, id)
	if err != nil {
		return Highlight{}, err
	}
	h, err := s.Store.ChangeHighlight(ctx, fresh, func(h Highlight) (Highlight, error) {
		h.By, h.At, h.Found = by, s.Now().UTC().Truncate(time.Millisecond), fresh.Found
		return u.Apply(h, duration)
	})
	return h, errs.Wrap(op, err)
}
