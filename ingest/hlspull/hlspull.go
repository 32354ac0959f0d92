// Package hlspull takes the picture of rooms from HLS addresses: another Vitrine, or any origin. It also reads finished
// shows from there, for imports.
//
// A Puller keeps one source per room that names an address. A source follows the origin's playlists by rules of its own
// (late segments, gaps, new parameters, missed media, origins that start anew) and shows each uninterrupted stretch of it,
// a run, to a client of the HLS library (bluenviron/gohlslib), which demultiplexes and paces it. Its samples go into one
// media.Publication for as long as the origin lives.
//
// What an origin sends can end its own pull only. Addresses that are not of the public internet are refused where the
// connection is made, unless they are allowed.
package hlspull

import (
	"context"
	"log/slog"
	"net/url"
	"sync"
	"time"

	"github.com/vitrine-live/vitrine/media"
)

// Gate decides about publishes, see media.PublishRequest. ctx bounds the decision only, not the publication. It is called
// by many goroutines.
type Gate interface {
	Publish(ctx context.Context, req media.PublishRequest) (media.Publication, error)
}

// Rooms tells which rooms name a source. Its methods are called by many goroutines.
type Rooms interface {
	// Sources returns the address of every room that names one.
	Sources(ctx context.Context) (map[string]string, error)
	// Busy reports whether somebody else publishes in the room: who comes in person is more than a source.
	Busy(room string) bool
}

// Puller pulls the sources of all rooms.
type Puller struct {
	cfg     Config
	gate    Gate
	rooms   Rooms
	log     *slog.Logger
	metrics *Metrics
	changed chan struct{}
	dial    dialer // tests put another one in its place
}

// lookAgain is how often the rooms are asked without a Changed, in case one was missed because the store failed.
const lookAgain = time.Minute

// New makes a puller; cfg must be valid.
func New(cfg Config, gate Gate, rooms Rooms, log *slog.Logger, m *Metrics) *Puller {
	cfg = cfg.withDefaults()
	return &Puller{
		cfg: cfg, gate: gate, rooms: rooms, log: log.With("protocol", "hls"), metrics: m, changed: make(chan struct{}, 1), dial: dialerOf(cfg),
	}
}

// Changed says that the rooms' sources may be others now. It does not wait and may be called by any goroutine.
func (p *Puller) Changed() {
	select {
	case p.changed <- struct{}{}:
	default: // one is waiting already
	}
}

// pulled is a source at work.
type pulled struct {
	url    string
	cancel context.CancelFunc
	done   chan struct{}
}

// stop ends a source and waits for it.
func (p *pulled) stop() {
	p.cancel()
	<-p.done
}

// Run pulls what the rooms name until ctx ends. Then it ends every publication as ConnectionLost, so that shows go on
// when the server is back, waits for all of them and returns.
func (p *Puller) Run(ctx context.Context) {
	running := map[string]*pulled{}
	tick := time.NewTicker(lookAgain)
	defer tick.Stop()
	for {
		p.keepStep(ctx, running)
		select {
		case <-ctx.Done():
			var wg sync.WaitGroup
			for _, s := range running {
				wg.Go(s.stop)
			}
			wg.Wait()
			p.metrics.sources.Set(0)
			return
		case <-p.changed:
		case <-tick.C:
		}
	}
}

// keepStep stops the sources that no room names any more and starts those that are new.
func (p *Puller) keepStep(ctx context.Context, running map[string]*pulled) {
	want, err := p.rooms.Sources(ctx)
	if err != nil {
		if ctx.Err() == nil {
			p.log.Error("could not read which rooms name a source; those at work go on", "error", err)
		}
		return
	}
	for room, s := range running {
		if want[room] != s.url {
			s.stop()
			delete(running, room)
		}
	}
	for room, address := range want {
		if running[room] == nil {
			running[room] = p.start(ctx, room, address)
		}
	}
	p.metrics.sources.Set(float64(len(running)))
}

func (p *Puller) start(ctx context.Context, room, address string) *pulled {
	ctx, cancel := context.WithCancel(ctx)
	s := &pulled{url: address, cancel: cancel, done: make(chan struct{})}
	log := p.log.With("room", room)
	u, err := url.Parse(address)
	if err == nil {
		u, err = checkURL(u)
	}
	if err != nil { // checked when it was set: only another version of this program can have let it in
		log.Error("the room's source cannot be read", "error", err)
		close(s.done)
		return s
	}
	src := &source{
		cfg: p.cfg, gate: p.gate, busy: p.rooms.Busy, room: room, url: u, fetch: newFetcher(p.cfg, p.dial), metrics: p.metrics,
		log: log.With("source", u.Host+u.Path), // without the query, which may be a secret
	}
	go func() {
		defer close(s.done)
		src.run(ctx)
	}()
	return s
}
