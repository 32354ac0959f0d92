package rtmp

import (
	"context"
	"log/slog"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"go.uber.org/goleak"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// goodKey is the key that recorders take.
const goodKey = "live_key"

// recorder is a Gate whose publications keep all they are given.
type recorder struct {
	mu       sync.Mutex
	pubs     []*recording
	arrived  chan *recording // every accepted publication
	requests []media.PublishRequest
	refuse   error // for the right key
}

func newRecorder() *recorder { return &recorder{arrived: make(chan *recording, 1024)} }

func (r *recorder) Publish(_ context.Context, req media.PublishRequest) (media.Publication, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests = append(r.requests, req)
	if req.StreamKey != goodKey {
		return nil, errs.New(errs.Unauthorized, "test", "no room has this stream key")
	}
	if r.refuse != nil {
		return nil, r.refuse
	}
	p := &recording{done: make(chan struct{}), closed: make(chan media.CloseReason, 8), changed: make(chan struct{}, 1)}
	r.pubs = append(r.pubs, p)
	r.arrived <- p
	return p, nil
}

func (r *recorder) request(i int) media.PublishRequest {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.requests[i]
}

// recording is one publication of a recorder.
type recording struct {
	mu      sync.Mutex
	tracks  [][]media.Track
	samples []media.Sample
	data    []string
	dataAt  []media.Ticks
	fail    error // of the next Write
	panics  bool  // at the next Write
	err     error

	done    chan struct{}
	closed  chan media.CloseReason
	changed chan struct{}
}

func (p *recording) notify() {
	select {
	case p.changed <- struct{}{}:
	default:
	}
}

func (p *recording) SetTracks(tracks []media.Track) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tracks = append(p.tracks, tracks)
	p.notify()
	return nil
}

func (p *recording) Write(s media.Sample) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.panics {
		panic("a defect behind the gate")
	}
	if p.fail != nil {
		return p.fail
	}
	if len(p.tracks) == 0 {
		return errs.New(errs.Internal, "test", "a sample before any track")
	}
	p.samples = append(p.samples, s)
	p.notify()
	return nil
}

func (p *recording) WriteData(t media.Ticks, payload []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.data, p.dataAt = append(p.data, string(payload)), append(p.dataAt, t)
	p.notify()
	return nil
}

func (p *recording) Close(reason media.CloseReason) { p.closed <- reason }
func (p *recording) Done() <-chan struct{}          { return p.done }
func (p *recording) Err() error                     { return p.err }

// kick ends the publication from the server's side.
func (p *recording) kick(err error) {
	p.err = err
	close(p.done)
}

// of returns the samples of a kind.
func (p *recording) of(kind media.Kind) []media.Sample {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []media.Sample
	for _, s := range p.samples {
		if s.Kind == kind {
			out = append(out, s)
		}
	}
	return out
}

// wait returns when ok says so, asked under the lock after each change.
func (p *recording) wait(t testing.TB, what string, ok func() bool) {
	t.Helper()
	timeout := time.After(15 * time.Second)
	for {
		p.mu.Lock()
		done := ok()
		p.mu.Unlock()
		if done {
			return
		}
		select {
		case <-p.changed:
		case <-timeout:
			p.mu.Lock()
			defer p.mu.Unlock()
			t.Fatalf("waited for %s; have %d samples, %d track lists, %d data", what, len(p.samples), len(p.tracks), len(p.data))
		}
	}
}

func (p *recording) waitSamples(t testing.TB, n int) {
	t.Helper()
	p.wait(t, "samples", func() bool { return len(p.samples) >= n })
}

func (p *recording) waitClosed(t testing.TB) media.CloseReason {
	t.Helper()
	select {
	case r := <-p.closed:
		return r
	case <-time.After(15 * time.Second):
		t.Fatal("the publication was not closed")
		panic("unreachable")
	}
}

// harness is a server on a loopback port.
type harness struct {
	t       testing.TB
	addr    string
	gate    *recorder
	metrics *Metrics
	server  *Server
	stop    func() // ends the server and waits for it
}

func serve(t testing.TB, cfg Config) *harness {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return serveOn(t, cfg, l)
}

func serveOn(t testing.TB, cfg Config, l net.Listener) *harness {
	t.Helper()
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	h := &harness{t: t, addr: l.Addr().String(), gate: newRecorder(), metrics: NewMetrics(prometheus.NewRegistry())}
	h.server = New(cfg, h.gate, testLog(t), h.metrics)
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- h.server.Serve(ctx, l) }()
	h.stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-served:
			if err != nil {
				t.Errorf("Serve: %v", err)
			}
		case <-time.After(15 * time.Second):
			t.Error("Serve did not return")
		}
	})
	t.Cleanup(h.stop)
	return h
}

// testLog is silent unless RTMP_TEST_LOG is set.
func testLog(testing.TB) *slog.Logger {
	if os.Getenv("RTMP_TEST_LOG") == "" {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(os.Stderr, nil))
}

func (h *harness) dial() *client { h.t.Helper(); return dial(h.t, h.addr) }

// publisher returns a client that publishes with both tracks, and what the gate sees of it.
func (h *harness) publisher() (*client, *recording) {
	h.t.Helper()
	c := h.dial()
	c.mustPublish(goodKey)
	return c, h.next()
}

func (h *harness) next() *recording {
	h.t.Helper()
	select {
	case p := <-h.gate.arrived:
		return p
	case <-time.After(15 * time.Second):
		h.t.Fatal("no publication")
		panic("unreachable")
	}
}

func (h *harness) ended(r Reason) float64 {
	return reading(h.metrics.ended.WithLabelValues(string(r)))
}

func (h *harness) anomalies(a Anomaly) float64 {
	return reading(h.metrics.anomalies.WithLabelValues(string(a)))
}

// endedBy stops the server and checks that exactly one connection ended for that reason.
func (h *harness) endedBy(want Reason) {
	h.t.Helper()
	h.stop()
	if got := h.ended(want); got != 1 {
		for _, r := range Reasons {
			if n := h.ended(r); n > 0 {
				h.t.Logf("ended %s: %v", r, n)
			}
		}
		h.t.Errorf("%v connections ended as %s, want 1", got, want)
	}
}

func newTestMetrics() *Metrics { return NewMetrics(prometheus.NewRegistry()) }

// reading returns the value of one counter or gauge.
func reading(m prometheus.Metric) float64 {
	var pb dto.Metric
	if err := m.Write(&pb); err != nil {
		panic(err)
	}
	return pb.GetCounter().GetValue() + pb.GetGauge().GetValue()
}
