package hlspull

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/vitrine-live/vitrine/media"
)

// house is a gate and its rooms: it keeps what is published.
type house struct {
	t *testing.T

	mu      sync.Mutex
	sources map[string]string
	busy    bool
	pubs    []*published
	refuse  error
}

// published is one publish. It checks what a Publication may expect.
type published struct {
	t       *testing.T
	req     media.PublishRequest
	mu      sync.Mutex
	tracks  [][]media.Track
	samples []media.Sample
	changes []int // number of samples before each of tracks
	closed  bool
	reason  media.CloseReason
	done    chan struct{}
	err     error
}

func (h *house) Publish(_ context.Context, req media.PublishRequest) (media.Publication, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.refuse != nil {
		return nil, h.refuse
	}
	p := &published{t: h.t, req: req, done: make(chan struct{})}
	h.pubs = append(h.pubs, p)
	return p, nil
}

func (h *house) Sources(context.Context) (map[string]string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := map[string]string{}
	for k, v := range h.sources {
		out[k] = v
	}
	return out, nil
}

func (h *house) Busy(string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.busy
}

// publishes are those so far.
func (h *house) publishes() []*published {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]*published(nil), h.pubs...)
}

// only is the one publish there was.
func (h *house) only(t *testing.T) *published {
	t.Helper()
	pubs := h.publishes()
	if len(pubs) != 1 {
		t.Fatalf("%d publishes", len(pubs))
	}
	return pubs[0]
}

func (h *house) setBusy(busy bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.busy = busy
}

func (h *house) setSources(p *Puller, sources map[string]string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sources = sources
	p.Changed()
}

func (p *published) SetTracks(tracks []media.Track) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tracks, p.changes = append(p.tracks, tracks), append(p.changes, len(p.samples))
	return nil
}

func (p *published) Write(s media.Sample) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.closed:
		p.t.Error("a sample after the end")
	case len(p.tracks) == 0:
		p.t.Error("a sample before the tracks")
	}
	for i := len(p.samples) - 1; i >= 0; i-- {
		if o := p.samples[i]; o.Kind == s.Kind {
			if s.DTS <= o.DTS {
				p.t.Errorf("%v decodes at %d after %d", s.Kind, s.DTS, o.DTS)
			}
			break
		}
	}
	p.samples = append(p.samples, s)
	return p.err
}

func (p *published) WriteData(media.Ticks, []byte) error { return nil }

func (p *published) Close(reason media.CloseReason) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		p.t.Error("closed twice")
	}
	p.closed, p.reason = true, reason
}

func (p *published) Done() <-chan struct{} { return p.done }

func (p *published) Err() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

// kick lets the publisher go.
func (p *published) kick(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.err = err
	close(p.done)
}

func (p *published) of(kind media.Kind) (out []media.Sample) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.samples {
		if s.Kind == kind {
			out = append(out, s)
		}
	}
	return out
}

func (p *published) wantEnd(t *testing.T, why media.CloseReason) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed || p.reason != why {
		t.Errorf("ended: %v, %v; want %v", p.closed, p.reason, why)
	}
}

// pull starts a puller of one room, from an origin over net.
func pull(t *testing.T, h *house, net *pipeNet, cfg Config) *Puller {
	t.Helper()
	h.t = t
	if h.sources == nil { // a test that wants none says so with an empty map
		h.sources = map[string]string{"room_1": "http://origin/live.m3u8"}
	}
	p := New(cfg, h, h, slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug})), NewMetrics(prometheus.NewRegistry()))
	p.dial = net.dial
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return p
}

// reach lets time pass until d after start.
func reach(start time.Time, d time.Duration) { time.Sleep(time.Until(start.Add(d))) }
