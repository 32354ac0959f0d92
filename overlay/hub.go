package overlay

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// HubConfig sets up a Hub. The zero value of each field stands for its default.
type HubConfig struct {
	// MaxConnections is how many clients of all rooms are connected at once; a waiting long poll counts. Default
	// 20,000; negative: no limit. One more is answered with 503 and Retry-After.
	MaxConnections int
	// MaxPerAddress is the same for one address: one of IPv4, or one network of 64 bits of IPv6. Loopback addresses
	// have no limit. Default 1,000, since a mobile carrier puts many viewers behind one; negative: no limit.
	MaxPerAddress int
	// ClientAddr tells the address of a request, for servers behind a proxy. Default: that of its connection.
	ClientAddr func(*http.Request) netip.Addr
	// Queue is how many frames a client may be behind before it is closed with "resync". Default 64.
	Queue int
	// PingInterval is how often idle WebSockets and event streams are pinged, in whole seconds. Default 25 s, below
	// the 30 s after which some proxies take a silent connection for dead.
	PingInterval time.Duration
	// WriteTimeout is how long one write may hang before the connection is cut, in whole seconds. Default 10 s.
	WriteTimeout time.Duration
	// PollWait is how long a long poll waits for news, in whole seconds. Default 25 s.
	PollWait time.Duration
}

// Validate returns an Invalid error that names the first field out of range.
func (c HubConfig) Validate() error {
	const op = "overlay.HubConfig"
	if c.Queue < 0 || c.Queue > 4096 {
		return errs.Field(op, "queue", "the queue of a client must be 1 to 4096 frames")
	}
	for _, d := range []struct {
		field string
		value time.Duration
	}{{"ping_interval", c.PingInterval}, {"write_timeout", c.WriteTimeout}, {"poll_wait", c.PollWait}} {
		if d.value != 0 && (d.value < time.Second || d.value > 5*time.Minute) {
			return errs.Field(op, d.field, "must be between 1 s and 5 min")
		}
	}
	return nil
}

func (c HubConfig) withDefaults() HubConfig {
	def := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	defTime := func(v *time.Duration, d time.Duration) {
		if *v == 0 {
			*v = d
		}
	}
	def(&c.MaxConnections, 20_000)
	def(&c.MaxPerAddress, 1_000)
	def(&c.Queue, 64)
	defTime(&c.PingInterval, 25*time.Second)
	defTime(&c.WriteTimeout, 10*time.Second)
	defTime(&c.PollWait, 25*time.Second)
	if c.ClientAddr == nil {
		c.ClientAddr = remoteAddr
	}
	return c
}

// Hub is the realtime channel: it brings the events of each room's show to its viewers, over WebSocket, event streams
// (SSE) or long polls, with the same frames on each.
//
// A client has a position, the number of the last event of a show that it has. It gets every event after it, once and
// in order, or is told recovered:false and given a snapshot; never a part of what it missed. Pins are never dropped: a
// client that cannot keep up is closed and resumes. Values like the number of viewers are coalesced.
//
// Safe for concurrent use. Close must be called.
type Hub struct {
	cfg       HubConfig
	timeline  *Timeline
	snapshots Snapshotter
	log       *slog.Logger
	metrics   *Metrics
	upgrader  websocket.Upgrader
	clock     *clock

	base context.Context // of work that no request asked for; ends when the Hub closes
	stop context.CancelFunc
	wg   sync.WaitGroup // every seat and every goroutine but beat
	quit chan struct{}  // ends beat, after all others
	rest chan struct{}  // closed when beat has ended

	mu     sync.Mutex
	rooms  map[string]*room
	seats  int
	byAddr map[netip.Prefix]int
	shut   bool
}

// NewHub makes a Hub and starts its clock. cfg must be valid.
func NewHub(cfg HubConfig, timeline *Timeline, snapshots Snapshotter, log *slog.Logger, m *Metrics) *Hub {
	cfg = cfg.withDefaults()
	h := &Hub{
		cfg: cfg, timeline: timeline, snapshots: snapshots, log: log, metrics: m,
		upgrader: newUpgrader(), clock: newClock(cfg),
		rooms: map[string]*room{}, byAddr: map[netip.Prefix]int{},
		quit: make(chan struct{}), rest: make(chan struct{}),
	}
	h.base, h.stop = context.WithCancel(context.Background())
	go h.beat()
	return h
}

// RoomChanged tells the Hub that another show may be the room's now: it began, ended or was deleted. If so, all clients
// get a snapshot at once and follow epoch, the new show, from there. It returns immediately and may be called with any
// lock held.
func (h *Hub) RoomChanged(roomID, epoch string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if rm := h.rooms[roomID]; rm != nil && !h.shut {
		h.log.Debug("a room may have changed its show", "room", roomID, "show", epoch)
		h.look(rm)
	}
}

// look reads a room's state again, in the background. mu is held, the Hub is not shut.
func (h *Hub) look(rm *room) {
	rm.users++
	h.wg.Go(func() {
		rm.markDirty()
		rm.changed(h.base)
		h.mu.Lock()
		defer h.mu.Unlock()
		rm.users--
	})
}

// Close tells all clients that the server is going away and returns when every connection has ended. When ctx ends
// first, what is left is cut. It is called once, before http.Server.Shutdown, which waits for event streams.
func (h *Hub) Close(ctx context.Context) {
	h.mu.Lock()
	h.shut = true
	h.mu.Unlock()
	h.each(func(rm *room) { rm.closeAll(closeGoingAway) })
	stopCut := context.AfterFunc(ctx, func() { h.each((*room).killAll) })
	defer stopCut()
	h.stop()
	h.wg.Wait()
	close(h.quit)
	<-h.rest
	h.each((*room).shutdown)
}

func (h *Hub) closed() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.shut
}

// beat advances the clock until the last connection of a closing Hub has ended.
func (h *Hub) beat() {
	defer close(h.rest)
	ticker := time.NewTicker(tickEvery)
	defer ticker.Stop()
	for {
		select {
		case <-h.quit:
			return
		case <-ticker.C:
			h.tick(h.clock.ticks.Add(1))
		}
	}
}

func (h *Hub) tick(now int64) {
	h.each(func(rm *room) {
		if rm.tick(now) {
			h.mu.Lock()
			defer h.mu.Unlock()
			if !h.shut {
				h.look(rm)
			}
		}
	})
	h.mu.Lock()
	defer h.mu.Unlock()
	for id, rm := range h.rooms {
		if rm.users == 0 && now-rm.used > idleTicks {
			rm.shutdown()
			delete(h.rooms, id)
		}
	}
}

// each calls fn with every room, without mu.
func (h *Hub) each(fn func(*room)) {
	h.mu.Lock()
	rooms := make([]*room, 0, len(h.rooms))
	for _, rm := range h.rooms {
		rooms = append(rooms, rm)
	}
	h.mu.Unlock()
	for _, rm := range rooms {
		fn(rm)
	}
}

// Likes tells the Hub how many likes a show of a room has. Its viewers hear the newest number once a second at most. It
// returns immediately.
func (h *Hub) Likes(roomID, showID string, total int64) {
	h.mu.Lock()
	rm := h.rooms[roomID]
	h.mu.Unlock()
	if rm != nil {
		rm.heard(showID, total)
	}
}
