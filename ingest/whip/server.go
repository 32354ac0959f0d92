// Package whip takes publishers over WebRTC by the WebRTC-HTTP Ingestion Protocol (RFC 9725): phone browsers, OBS,
// GStreamer. H.264, VP8 and Opus become samples of a media.Publication, unchanged.
//
// All sessions share one UDP socket and one TCP listener. pion/webrtc does ICE, DTLS, SRTP and SCTP; what arrives is put
// in order, asked for again, assembled and timed here, because loss must freeze the picture until the next keyframe
// rather than smear it, and because sound and picture must meet on one clock.
//
// Each session has one loop, which owns all that becomes of its media; readers of tracks and reports only feed it.
package whip

import (
	"context"
	"log/slog"
	"net"
	"sync"

	"github.com/pion/ice/v4"
	"github.com/pion/logging"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
)

// socketBuffer is asked of the kernel for the media socket, in each direction: a keyframe of each of a hundred publishers
// may wait there for a moment. The kernel may grant less.
const socketBuffer = 4 << 20

// Gate decides about publishes. Kinds of its errors: Unauthorized (wrong key), Forbidden, NotFound, Conflict, Exhausted,
// Invalid, Unavailable; their message goes to the publisher. ctx bounds the decision only, not the publication. It is
// called by many goroutines.
type Gate interface {
	Publish(ctx context.Context, req media.PublishRequest) (media.Publication, error)
}

// Server takes WHIP sessions. It is safe for concurrent use.
type Server struct {
	cfg     Config
	gate    Gate
	log     *slog.Logger
	metrics *Metrics
	doors   *doorkeeper

	mu        sync.Mutex
	transport *transport // nil before Serve and after
	sessions  map[string]*session
	wait      sync.WaitGroup // for the sessions
}

// transport is what all sessions of one Serve share.
type transport struct {
	ctx     context.Context
	udp     ice.UDPMux
	tcp     ice.TCPMux // nil without TCP
	udpPort int
	tcpPort int // 0 without TCP
	logs    logging.LoggerFactory
}

// New makes a server. Its error is Invalid and names the field of cfg that is out of range.
func New(cfg Config, gate Gate, log *slog.Logger, m *Metrics) (*Server, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	return &Server{
		cfg: cfg, gate: gate, log: log.With("protocol", "whip"), metrics: m, doors: newDoorkeeper(cfg),
		sessions: map[string]*session{},
	}, nil
}

// Serve carries the media of the sessions over udp and, unless it is nil, tcp, both of which it closes, until ctx ends:
// then it ends every session as ConnectionLost, waits for all of them and returns nil. ServeHTTP refuses publishers
// outside of it. It may run once at a time.
func (s *Server) Serve(ctx context.Context, udp net.PacketConn, tcp net.Listener) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	t, err := s.open(ctx, udp, tcp)
	if err != nil {
		return err
	}
	<-ctx.Done()
	s.mu.Lock()
	s.transport = nil
	s.mu.Unlock()
	s.wait.Wait() // their contexts are children of ctx
	if t.tcp != nil {
		_ = t.tcp.Close()
	}
	_ = t.udp.Close() // nobody is left to be told
	return nil
}

func (s *Server) open(ctx context.Context, udp net.PacketConn, tcp net.Listener) (*transport, error) {
	local, ok := udp.LocalAddr().(*net.UDPAddr)
	if !ok {
		return nil, errs.New(errs.Invalid, "whip.Serve", "%s is no UDP address", udp.LocalAddr())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.transport != nil {
		return nil, errs.New(errs.Conflict, "whip.Serve", "the server serves already")
	}
	s.enlarge(udp)
	logs := pionLogs{s.log}
	t := &transport{
		ctx: ctx, udpPort: local.Port, logs: logs,
		udp: ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: udp, Logger: logs.NewLogger("ice")}),
	}
	if tcp != nil {
		if a, ok := tcp.Addr().(*net.TCPAddr); ok {
			t.tcpPort = a.Port
		}
		t.tcp = ice.NewTCPMuxDefault(ice.TCPMuxParams{
			Listener: tcp, Logger: logs.NewLogger("ice"), ReadBufferSize: tcpReadPackets, WriteBufferSize: tcpWriteBytes,
		})
	}
	s.transport = t
	return t, nil
}

// Bounds of one publisher's TCP connection: packets that wait to be read (more are not read from the socket), and bytes
// of reports that wait to be written (more are dropped, as on UDP).
const (
	tcpReadPackets = 64
	tcpWriteBytes  = 64 << 10
)

// enlarge asks for socket buffers that hold a burst.
func (s *Server) enlarge(udp net.PacketConn) {
	conn, ok := udp.(interface {
		SetReadBuffer(bytes int) error
		SetWriteBuffer(bytes int) error
	})
	if !ok {
		return
	}
	for _, set := range []func(int) error{conn.SetReadBuffer, conn.SetWriteBuffer} {
		if err := set(socketBuffer); err != nil {
			s.log.Warn("the media socket keeps its small buffers", "error", err)
		}
	}
}

// enter registers a session, which then must be left.
func (s *Server) enter(c *session) *refusal {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.transport != c.transport {
		return stopping()
	}
	s.sessions[c.id] = c
	s.wait.Add(1)
	s.metrics.created.Inc()
	s.metrics.sessions.Inc()
	return nil
}

func (s *Server) left(c *session) {
	s.mu.Lock()
	delete(s.sessions, c.id)
	s.mu.Unlock()
	s.metrics.sessions.Dec()
	s.wait.Done()
}

func (s *Server) session(id string) *session {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sessions[id]
}

// serving returns what sessions share, or why there can be none.
func (s *Server) serving() (*transport, *refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.transport == nil || s.transport.ctx.Err() != nil {
		return nil, stopping()
	}
	return s.transport, nil
}

func stopping() *refusal {
	return refuse(Stopping, 503, "the server is starting or stopping: try again in a moment")
}
