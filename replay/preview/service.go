// Package preview makes small pictures of shows for whoever moves through them, and looks at their sound: a storyboard, a
// waveform, the loudness of each second.
//
// It works while a show is being recorded, far behind everything else: one ffmpeg at the lowest priority for all shows,
// of the pictures keyframes alone. What it makes stands in the folder of the recording, so that it is deleted, mirrored
// and restored with it; a process that starts goes on where the files end.
package preview

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/ffmpeg"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/replay"
)

const (
	// lookEvery is how often shows on air are looked at.
	lookEvery = 5 * time.Second
	// firstBatch is how much of a show there must be for its first pictures.
	firstBatch = 8 * media.TicksPerSecond
	// mostAtOnce is the media of one batch, so that shows take turns.
	mostAtOnce = 5 * 60 * media.TicksPerSecond
	// maxWanted is how many shows that are not on air may wait. One more is left out: it waits again when it is asked for.
	maxWanted = 1024
	// recent is how long before the start a recording may have been written for it to be looked at unasked.
	recent = 48 * time.Hour
	// maxFails is how often a batch is tried. Then it stays without pictures and sound.
	maxFails   = 3
	retryAfter = 30 * time.Second
	// patience ends an ffmpeg that hangs: a batch takes seconds, on a machine that has time for nothing else minutes.
	patience = 10 * time.Minute
)

// Config sets a Service up. The zero value is the default.
type Config struct {
	// FFmpeg is the program, default "ffmpeg", looked up in PATH. Without it nothing is made.
	FFmpeg string
	// Batch is how much new media of a show on air is waited for, default 30 s.
	Batch time.Duration
}

// Validate returns an Invalid error that names the first field out of its range, or nil.
func (c Config) Validate() error {
	if c.Batch != 0 && (c.Batch < time.Second || c.Batch > time.Hour) {
		return errs.Field("preview.Config", "batch", "must be between 1s and 1h, got %v", c.Batch)
	}
	return nil
}

func (c Config) withDefaults() Config {
	c.Batch = cmp.Or(c.Batch, 30*time.Second)
	return c
}

// archive is where recordings are.
type archive interface {
	OnAir() []*replay.Recording
	Shows() ([]string, error)
	Recording(showID string) (*replay.Recording, error)
	Keep(showID, name string, data []byte) error
	Recorded(showID string) time.Time
}

// Deps are what a Service works with.
type Deps struct {
	Archive archive
	Log     *slog.Logger     // nil: nothing is logged
	Metrics *Metrics         // nil: nothing is counted
	Now     func() time.Time // nil: time.Now
}

// Metrics counts what a Service does.
type Metrics struct {
	batches *prometheus.CounterVec
	media   prometheus.Counter
	behind  prometheus.Gauge
}

// NewMetrics registers the metrics with reg; nil leaves them unregistered.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		batches: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "vitrine", Name: "preview_batches_total", Help: "Stretches of shows that storyboards and waveforms were made of, by outcome.",
		}, []string{"outcome"}),
		media: prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: "vitrine", Name: "preview_media_seconds_total", Help: "Show time that storyboards and waveforms were made of.",
		}),
		behind: prometheus.NewGauge(prometheus.GaugeOpts{
			Namespace: "vitrine", Name: "preview_behind_seconds", Help: "Show time of the show on air that is furthest ahead of its storyboard.",
		}),
	}
	for _, outcome := range []string{"done", "failed", "skipped"} {
		m.batches.WithLabelValues(outcome)
	}
	if reg != nil {
		reg.MustRegister(m.batches, m.media, m.behind)
	}
	return m
}

// Service makes and serves previews. Safe for concurrent use; Run must run, once.
type Service struct {
	Deps
	cfg      Config
	wake     chan struct{}
	patience time.Duration // tests have less

	masked masks

	mu     sync.Mutex
	wanted []string // shows that are not on air and may lack something

	// Of the goroutine that works.
	shows   map[string]*show
	missing bool // ffmpeg is, and the log says so
	began   bool
}

// show is one that is being worked at.
type show struct {
	board *board
	sound *sound
	fails int
	retry time.Time
	onAir bool // the last time it was looked for
}

// New makes a Service. cfg must be valid.
func New(cfg Config, deps Deps) *Service {
	if deps.Log == nil {
		deps.Log = slog.New(slog.DiscardHandler)
	}
	if deps.Metrics == nil {
		deps.Metrics = NewMetrics(nil)
	}
	if deps.Now == nil {
		deps.Now = time.Now
	}
	return &Service{Deps: deps, cfg: cfg.withDefaults(), wake: make(chan struct{}, 1), patience: patience, shows: map[string]*show{}}
}

// Run works until ctx ends.
func (s *Service) Run(ctx context.Context) {
	t := time.NewTicker(lookEvery)
	defer t.Stop()
	for {
		s.CatchUp(ctx)
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		case <-s.wake:
		}
	}
}

// CatchUp makes what can be made now and returns. It must not be called while Run runs.
func (s *Service) CatchUp(ctx context.Context) {
	if !s.able() {
		return
	}
	if !s.began {
		s.began = true
		s.wantRecent()
	}
	for ctx.Err() == nil {
		rec := s.choose()
		if rec == nil {
			return
		}
		s.work(ctx, rec)
	}
}

// able reports whether there is an ffmpeg.
func (s *Service) able() bool {
	_, err := ffmpeg.Find(s.cfg.FFmpeg)
	if missing := err != nil; missing != s.missing {
		s.missing = missing
		if missing {
			s.Log.Warn("no storyboards and waveforms are made", "error", err)
		}
	}
	return err == nil
}

// Want asks for the preview of a show that is not on air. It returns at once.
func (s *Service) Want(showID string) {
	s.mu.Lock()
	if len(s.wanted) < maxWanted && !slices.Contains(s.wanted, showID) {
		s.wanted = append(s.wanted, showID)
	}
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// wantRecent looks for recordings of the last days that an earlier process did not bring to their end.
func (s *Service) wantRecent() {
	all, err := s.Archive.Shows()
	if err != nil {
		s.Log.Warn("recordings without storyboards cannot be looked for", "error", err)
	}
	since := s.Now().Add(-recent)
	for _, id := range all {
		if s.Archive.Recorded(id).After(since) {
			s.Want(id)
		}
	}
}

// choose returns the recording whose turn it is: of the shows on air the one that waits longest, then of the others.
func (s *Service) choose() *replay.Recording {
	var next *replay.Recording
	var most, behind media.Ticks
	onAir := map[string]bool{}
	for _, rec := range s.Archive.OnAir() {
		onAir[rec.Show()] = true
		sh := s.show(rec)
		sh.onAir = true
		waits, done := sh.waits(rec)
		behind = max(behind, waits)
		if waits >= min(media.FromDuration(s.cfg.Batch), max(firstBatch, done)) && waits > most && s.Now().After(sh.retry) {
			next, most = rec, waits
		}
	}
	s.Metrics.behind.Set(behind.Seconds())
	for id, sh := range s.shows {
		if sh.onAir && !onAir[id] {
			sh.onAir = false
			s.Want(id)
		}
	}
	if next != nil {
		return next
	}
	return s.chooseWanted(onAir)
}

func (s *Service) chooseWanted(onAir map[string]bool) *replay.Recording {
	s.mu.Lock()
	ids := slices.Clone(s.wanted)
	s.mu.Unlock()
	for _, id := range ids {
		if onAir[id] {
			s.forget(id, false)
			continue
		}
		rec, err := s.Archive.Recording(id)
		if err != nil {
			s.forget(id, true)
			continue
		}
		sh := s.show(rec)
		if waits, _ := sh.waits(rec); waits == 0 && (sh.complete() || !rec.Ended()) {
			s.forget(id, true)
		} else if !rec.Here() { // nobody waits so much for it that all of a show is fetched
			s.forget(id, true)
		} else if s.Now().After(sh.retry) {
			return rec
		}
	}
	return nil
}

// forget takes a show off the list of the wanted ones.
func (s *Service) forget(id string, wholly bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wanted = slices.DeleteFunc(s.wanted, func(w string) bool { return w == id })
	if wholly {
		delete(s.shows, id)
	}
}

// show returns what is known of a show, read from its files when it is new.
func (s *Service) show(rec *replay.Recording) *show {
	id := rec.Show()
	sh := s.shows[id]
	if sh == nil {
		sh = &show{}
		s.shows[id] = sh
	}
	if sh.board == nil {
		kept := func(name string) []byte {
			b, _ := rec.ReadKept(name) // what cannot be read is made anew
			return b
		}
		segments := rec.Segments()
		sh.board, sh.sound = loadBoard(id, kept(storyboardName)), loadSound(id, kept(loudnessName), kept(waveformName))
		sh.board.resume(segments)
		sh.sound.resume(segments)
	}
	return sh
}

// waits is how much of the recording was not looked at yet, and up to where it was.
func (sh *show) waits(rec *replay.Recording) (waits, done media.Ticks) {
	segments := rec.Segments()
	rest := from(segments, min(sh.board.doc.Next, sh.sound.doc.Next))
	if len(rest) == 0 {
		return 0, 0
	}
	return rest[len(rest)-1].End() - rest[0].Start, rest[0].Start
}

func (sh *show) complete() bool { return sh.board.doc.Complete && sh.sound.doc.Complete }

// from are the segments numbered msn and above.
func from(segments []playlist.Segment, msn int64) []playlist.Segment {
	i, _ := slices.BinarySearchFunc(segments, msn, func(s playlist.Segment, msn int64) int { return cmp.Compare(s.MSN, msn) })
	return segments[i:]
}

// batch are the first segments of rest that are worked at together.
func batch(rest []playlist.Segment) []playlist.Segment {
	for i := range rest {
		if rest[i].End()-rest[0].Start >= mostAtOnce {
			return rest[:i+1]
		}
	}
	return rest
}

// work brings a show one batch further.
func (s *Service) work(ctx context.Context, rec *replay.Recording) {
	sh := s.show(rec)
	id := rec.Show()
	keep := func(name string, data []byte) error { return s.Archive.Keep(id, name, data) }
	ended, segments := rec.Ended(), rec.Segments()
	limited, cancel := context.WithTimeoutCause(ctx, s.patience, errTooLong)
	defer cancel()
	err := s.workBoard(limited, rec, sh.board, segments, ended, sh.fails >= maxFails, keep)
	if err == nil {
		err = s.workSound(limited, rec, sh.sound, segments, ended, sh.fails >= maxFails, keep)
	}
	switch {
	case err == nil:
		if sh.fails >= maxFails {
			s.Metrics.batches.WithLabelValues("skipped").Inc()
		} else {
			s.Metrics.batches.WithLabelValues("done").Inc()
		}
		sh.fails = 0
		return
	case ctx.Err() != nil:
		sh.board = nil // what is in memory may be half done
		return
	case errs.KindOf(err) == errs.NotFound && !s.has(id):
		s.forget(id, true) // deleted meanwhile
		return
	}
	s.Metrics.batches.WithLabelValues("failed").Inc()
	sh.board, sh.sound, sh.retry = nil, nil, s.Now().Add(retryAfter)
	if errs.KindOf(err) != errs.Exhausted { // that the disk is full is no fault of the media
		sh.fails++
	}
	s.Log.Warn("a storyboard or waveform cannot be made for now", "show", id, "failures", sh.fails, "error", err)
}

var errTooLong = errs.New(errs.Unavailable, "preview", "ffmpeg took too long; it was ended")

func (s *Service) has(id string) bool {
	_, err := s.Archive.Recording(id)
	return err == nil
}

func (s *Service) workBoard(ctx context.Context, src source, b *board, segments []playlist.Segment, ended, skip bool, keep func(string, []byte) error) error {
	rest := from(segments, b.doc.Next)
	now := batch(rest)
	if b.doc.Complete || len(now) == 0 && !ended {
		return nil
	}
	if !skip {
		if err := s.addTiles(ctx, src, b, now, keep); err != nil {
			return err
		}
	}
	if n := len(now); n > 0 {
		b.doc.Next, b.doc.Covered = now[n-1].MSN+1, now[n-1].End().Milliseconds()
		s.Metrics.media.Add((now[n-1].End() - now[0].Start).Seconds())
	}
	b.doc.Complete = ended && len(now) == len(rest)
	return b.save(keep)
}

func (s *Service) workSound(ctx context.Context, src source, snd *sound, segments []playlist.Segment, ended, skip bool, keep func(string, []byte) error) error {
	rest := from(segments, snd.doc.Next)
	now := batch(rest)
	if snd.doc.Complete || len(now) == 0 && !ended {
		return nil
	}
	if !skip {
		if err := s.addSound(ctx, src, snd, now); err != nil {
			return err
		}
	}
	if n := len(now); n > 0 {
		snd.doc.Next = now[n-1].MSN + 1
		snd.covered(now[n-1].End())
	}
	snd.doc.Complete = ended && len(now) == len(rest)
	return snd.save(keep)
}
