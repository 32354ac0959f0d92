// Package rtmp takes publishers over RTMP and RTMPS: H.264 and AAC become samples of a media.Publication.
//
// The RTMP library (yutopp/go-rtmp) shakes hands and answers commands. In front of it stands a guard of ours, which reads
// the chunk stream, keeps limits and deadlines, mends what encoders get wrong, and hands the library nothing but the
// commands that it can take. Media never passes through the library: the guard has whole messages in hand, and their
// bodies become the samples' payloads.
//
// What a publisher does can end its own connection only. Each connection has one reading goroutine, on which everything
// happens, and an idle writing one.
package rtmp

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/yutopp/go-rtmp"

	"github.com/vitrine-live/vitrine/media"
)

// Gate decides about publishes. Kinds of its errors: Unauthorized (wrong key), Exhausted, Invalid, Conflict, Unavailable;
// their message goes to the publisher. ctx bounds the decision only, not the publication. It is called by many goroutines.
type Gate interface {
	Publish(ctx context.Context, req media.PublishRequest) (media.Publication, error)
}

// Server takes RTMP connections.
type Server struct {
	cfg     Config
	gate    Gate
	log     *slog.Logger
	metrics *Metrics
	doors   *doorkeeper
}

// New makes a server; cfg must be valid.
func New(cfg Config, gate Gate, log *slog.Logger, m *Metrics) *Server {
	cfg = cfg.withDefaults()
	return &Server{cfg: cfg, gate: gate, log: log, metrics: m, doors: newDoorkeeper(cfg)}
}

// Serve takes connections from l, which it closes, until ctx ends: then it ends every publication as ConnectionLost,
// waits for all of them and returns nil. Any other error is that of the listener. For RTMPS l is a TLS listener; a
// Server may serve several listeners at once.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	door := &door{Listener: l, server: s, ctx: ctx, sessions: map[*session]struct{}{}}
	door.library = rtmp.NewServer(&rtmp.ServerConfig{OnConnect: door.connect})
	stop := context.AfterFunc(ctx, door.shut)
	err := door.library.Serve(door)
	if stop() {
		door.shut()
	}
	door.wait.Wait()
	if door.err != nil {
		return door.err
	}
	if errors.Is(err, rtmp.ErrClosed) {
		return nil
	}
	return err
}

// Back-off after a failed Accept, such as for want of file descriptors.
const (
	minBackOff = 5 * time.Millisecond
	maxBackOff = time.Second
)

// door is the listener that the RTMP library accepts from. It lets in whom the limits allow, and never returns an error
// before the library has been closed, because the library would spin on it.
type door struct {
	net.Listener
	server  *Server
	library *rtmp.Server
	ctx     context.Context // of one Serve call
	wait    sync.WaitGroup
	err     error // why Accept ended by itself; set before the library is closed

	mu       sync.Mutex
	closed   bool
	sessions map[*session]struct{}
}

// Accept implements net.Listener. Its connections are *wire.
func (d *door) Accept() (net.Conn, error) {
	backOff := minBackOff
	for {
		conn, err := d.Listener.Accept()
		switch {
		case err == nil:
			backOff = minBackOff
			if w := d.admit(conn); w != nil {
				return w, nil
			}
		case d.ctx.Err() != nil:
			return nil, err
		case errors.Is(err, net.ErrClosed):
			d.err = err
			_ = d.library.Close()
			return nil, err
		default:
			d.server.metrics.retries.Inc()
			d.server.log.Warn("accept failed", "protocol", "rtmp", "address", d.Addr().String(), "error", err, "retry_in", backOff)
			d.pause(backOff)
			backOff = min(2*backOff, maxBackOff)
		}
	}
}

func (d *door) pause(t time.Duration) {
	timer := time.NewTimer(t)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-d.ctx.Done():
	}
}

// admit lets a connection in, or closes it and returns nil.
func (d *door) admit(conn net.Conn) *wire {
	s, now := d.server, time.Now()
	s.metrics.accepted.Inc()
	w := newWire(conn, s.cfg, s.metrics, now)
	if why := s.doors.enter(w.remote.Addr(), now); why != "" {
		s.metrics.ended.WithLabelValues(string(why)).Inc()
		s.log.Info("connection refused", "protocol", w.protocol(), "remote", w.remote.String(), "reason", string(why))
		_ = conn.Close()
		return nil
	}
	s.metrics.connections.Inc()
	d.wait.Add(1)
	return w
}

// connect gives the library what it works on for an accepted connection.
func (d *door) connect(conn net.Conn) (io.ReadWriteCloser, *rtmp.ConnConfig) {
	w, _ := conn.(*wire) // from Accept
	c := newSession(d.ctx, d.server, w, nil)
	c.leave = func() { d.left(c) }
	d.mu.Lock()
	d.sessions[c] = struct{}{}
	closed := d.closed
	d.mu.Unlock()
	if closed {
		w.end(&ending{reason: Shutdown})
	}
	return c, c.config()
}

func (d *door) left(c *session) {
	d.mu.Lock()
	delete(d.sessions, c)
	d.mu.Unlock()
	d.server.doors.leave(c.wire.remote.Addr(), c.stranger)
	d.server.metrics.connections.Dec()
	d.wait.Done()
}

// shut stops accepting and ends every connection.
func (d *door) shut() {
	_ = d.library.Close()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	for c := range d.sessions {
		c.wire.end(&ending{reason: Shutdown})
	}
}
