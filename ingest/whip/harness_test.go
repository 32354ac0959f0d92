package whip

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"go.uber.org/goleak"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	goodKey = "live_key"
	// patience bounds every wait of these tests: far above what a loaded machine needs.
	patience = 30 * time.Second
)

// recorder is a Gate whose publications keep all they are given.
type recorder struct {
	mu       sync.Mutex
	requests []media.PublishRequest
	newest   *recording
	refuse   error           // for the right key
	arrived  chan *recording // every accepted publication
}

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
	if r.newest != nil {
		r.newest.kick(errs.New(errs.Conflict, "test", "a newer publisher took over"))
	}
	p := &recording{req: req, done: make(chan struct{}), closed: make(chan media.CloseReason, 8), changed: make(chan struct{}, 1)}
	r.newest = p
	r.arrived <- p
	return p, nil
}

// recording is one publication of a recorder.
type recording struct {
	req media.PublishRequest

	mu      sync.Mutex
	tracks  [][]media.Track
	named   []int // how many samples came before each of tracks
	samples []media.Sample
	data    []string
	dataAt  []media.Ticks
	fail    error // of the next Write
	panics  bool  // at the next Write
	err     error
	kicked  bool

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
	p.tracks, p.named = append(p.tracks, tracks), append(p.named, len(p.samples))
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
	if strings.Contains(string(payload), "prod_unknown") {
		return errs.New(errs.NotFound, "test", "there is no such product")
	}
	p.data, p.dataAt = append(p.data, string(payload)), append(p.dataAt, t)
	p.notify()
	return nil
}

func (p *recording) Close(reason media.CloseReason) { p.closed <- reason }
func (p *recording) Done() <-chan struct{}          { return p.done }

func (p *recording) Err() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

// kick ends the publication from the gate's side.
func (p *recording) kick(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.kicked {
		p.kicked, p.err = true, err
		close(p.done)
	}
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

// told returns the i-th timed message and its place.
func (p *recording) told(i int) (payload string, at media.Ticks) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.data[i], p.dataAt[i]
}

// wait returns when ok says so, asked under the lock after each change.
func (p *recording) wait(t testing.TB, what string, ok func() bool) {
	t.Helper()
	timeout := time.After(patience)
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
	case <-time.After(patience):
		t.Fatal("the publication was not closed")
		panic("unreachable")
	}
}

// harness is a server on loopback ports.
type harness struct {
	t       testing.TB
	url     string
	gate    *recorder
	metrics *Metrics
	server  *Server
	udp     net.Addr
	stop    func() // ends the media of the server and waits for it
}

func serve(t testing.TB, cfg Config) *harness {
	t.Helper()
	udp, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return serveOn(t, cfg, udp)
}

func serveOn(t testing.TB, cfg Config, udp net.PacketConn) *harness {
	t.Helper()
	tcp, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cfg.Loopback = true
	h := &harness{t: t, gate: &recorder{arrived: make(chan *recording, 64)}, metrics: NewMetrics(prometheus.NewRegistry()), udp: udp.LocalAddr()}
	if h.server, err = New(cfg, h.gate, testLog(t), h.metrics); err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(h.server)
	h.url = web.URL
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- h.server.Serve(ctx, udp, tcp) }()
	h.awaitServing()
	h.stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-served:
			if err != nil {
				t.Errorf("Serve: %v", err)
			}
		case <-time.After(patience):
			t.Error("Serve did not return")
		}
	})
	t.Cleanup(func() {
		h.stop()
		web.Close()
		http.DefaultClient.CloseIdleConnections()
	})
	return h
}

// awaitServing returns when Serve has begun.
func (h *harness) awaitServing() {
	for range 1000 {
		if _, refused := h.server.serving(); refused == nil {
			return
		}
		time.Sleep(time.Millisecond)
	}
	h.t.Fatal("the server does not serve")
}

// testLog is silent unless WHIP_TEST_LOG is set.
func testLog(testing.TB) *slog.Logger {
	if os.Getenv("WHIP_TEST_LOG") == "" {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

func (h *harness) next() *recording {
	h.t.Helper()
	select {
	case p := <-h.gate.arrived:
		return p
	case <-time.After(patience):
		h.t.Fatal("no publication")
		panic("unreachable")
	}
}

// answer is what a request was answered with.
type answer struct {
	status int
	header http.Header
	body   string
}

// request is one HTTP request to the server; header is pairs.
func (h *harness) request(method, path, body string, header ...string) answer {
	h.t.Helper()
	req, err := http.NewRequest(method, h.url+path, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, string(b)}
}

// endedBy stops the server and checks that exactly one session ended for that reason.
func (h *harness) endedBy(want Ending) {
	h.t.Helper()
	h.stop()
	for _, e := range Endings {
		if got := reading(h.metrics.ended.WithLabelValues(string(e))); (e == want) != (got == 1) || got > 1 {
			h.t.Errorf("%v sessions ended as %s; one should have, as %s", got, e, want)
		}
	}
	if n := reading(h.metrics.sessions); n != 0 {
		h.t.Errorf("%v sessions are left", n)
	}
}

// reading returns the value of one counter or gauge.
func reading(m prometheus.Metric) float64 {
	var pb dto.Metric
	if err := m.Write(&pb); err != nil {
		panic(err)
	}
	return pb.GetCounter().GetValue() + pb.GetGauge().GetValue()
}

// waitConnected returns when the peer connection stands.
func waitConnected(t testing.TB, pc *webrtc.PeerConnection) {
	t.Helper()
	connected := make(chan struct{})
	var once sync.Once
	check := func(s webrtc.PeerConnectionState) {
		if s == webrtc.PeerConnectionStateConnected {
			once.Do(func() { close(connected) })
		}
	}
	pc.OnConnectionStateChange(check)
	check(pc.ConnectionState())
	select {
	case <-connected:
	case <-time.After(patience):
		t.Fatalf("not connected: %s", pc.ConnectionState())
	}
}

func newTestMetrics() *Metrics { return NewMetrics(prometheus.NewRegistry()) }
