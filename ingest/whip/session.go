package whip

import (
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"net/netip"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
)

// Ending names how a session ended, as metrics do.
type Ending string

// The endings.
const (
	Deleted      Ending = "deleted"        // the publisher said DELETE
	Lost         Ending = "lost"           // the connection broke, or the publisher closed it without a word
	NotConnected Ending = "not_connected"  // it never came about
	NoMedia      Ending = "no_media"       // the publisher was connected and sent nothing
	Displaced    Ending = "displaced"      // the gate let the publisher go
	Unacceptable Ending = "not_acceptable" // the media path did not take a sample
	Shutdown     Ending = "shutdown"       // the server stopped
	Broken       Ending = "broken"         // a defect
)

// Endings lists every ending.
var Endings = []Ending{Deleted, Lost, NotConnected, NoMedia, Displaced, Unacceptable, Shutdown, Broken}

// ended is why a session's context is over.
type ended struct {
	how Ending
	err error
}

// Error implements error.
func (e *ended) Error() string {
	if e.err == nil {
		return string(e.how)
	}
	return string(e.how) + ": " + e.err.Error()
}

// Unwrap returns the cause.
func (e *ended) Unwrap() error { return e.err }

// Queues between the readers and the loop. A full one makes its readers wait: pion then keeps up to a megabyte for each
// stream and drops what comes on top.
const (
	packetQueue  = 256
	reportQueue  = 16
	messageQueue = 64
)

// session is one publisher's session, from its offer to its end.
type session struct {
	server    *Server
	transport *transport
	id        string
	offer     *offer
	remote    netip.AddrPort
	keyHash   [sha256.Size]byte
	log       *slog.Logger
	ctx       context.Context
	cancel    context.CancelCauseFunc
	done      chan struct{} // closed when the session has ended

	// Set before run.
	pc  *webrtc.PeerConnection
	pub media.Publication

	signalling sync.Mutex // one PATCH at a time; guards the field below
	generation int        // of ICE

	readers  sync.WaitGroup
	mu       sync.Mutex // guards the field below
	closing  bool       // no reader may begin
	packets  chan arrival
	reports  chan heard
	messages chan incoming

	capture capture
	link    link

	loopState
}

// arrival is a packet of a track.
type arrival struct {
	track  *webrtc.TrackRemote
	packet *packet
}

// heard is a sender report of a stream.
type heard struct {
	ssrc   webrtc.SSRC
	report senderReport
}

func newSession(s *Server, t *transport, o *offer, remote netip.AddrPort, key string) *session {
	c := &session{
		server: s, transport: t, id: newID(), offer: o, remote: remote, keyHash: sha256.Sum256([]byte(key)),
		done: make(chan struct{}), generation: 1,
		packets: make(chan arrival, packetQueue), reports: make(chan heard, reportQueue), messages: make(chan incoming, messageQueue),
	}
	c.log = s.log.With("remote", remoteOf(remote), "session", c.id[:6])
	c.ctx, c.cancel = context.WithCancelCause(t.ctx)
	return c
}

// end makes the session end; only the first reason counts.
func (c *session) end(how Ending, err error) { c.cancel(&ended{how, err}) }

func (c *session) entityTag() string {
	c.signalling.Lock()
	defer c.signalling.Unlock()
	return c.entityTagLocked()
}

// entityTagLocked names the present ICE session (RFC 9725, 4.3.1).
func (c *session) entityTagLocked() string { return `"` + c.id[:8] + "-" + itoa(c.generation) + `"` }

func itoa(n int) string { return strconv.Itoa(n) }

// errNoPath is for the operator: signalling came through, media did not.
var errNoPath = errors.New("the publisher never reached the media port: open it for UDP and TCP (webrtc.addr), and behind NAT set webrtc.public")

// attach listens to the peer connection. The callbacks only feed the loop.
func (c *session) attach(pc *webrtc.PeerConnection) {
	c.pc = pc
	pc.OnTrack(func(track *webrtc.TrackRemote, receiver *webrtc.RTPReceiver) {
		c.spawn(func() { c.readTrack(track) })
		c.spawn(func() { c.readReports(track, receiver) })
	})
	pc.OnConnectionStateChange(func(state webrtc.PeerConnectionState) {
		c.log.Debug("connection", "state", state.String())
		switch state {
		case webrtc.PeerConnectionStateConnected:
			c.connected.Store(true)
		case webrtc.PeerConnectionStateFailed:
			if !c.connected.Load() {
				c.end(NotConnected, errNoPath)
				return
			}
			c.end(Lost, errors.New("the network path is gone"))
		case webrtc.PeerConnectionStateClosed:
			c.end(Lost, errors.New("the publisher closed the connection"))
		}
	})
	pc.OnDataChannel(func(dc *webrtc.DataChannel) {
		if dc.Label() != channelLabel {
			c.log.Debug("data channel left alone", "label", dc.Label())
			return
		}
		dc.OnOpen(func() { c.tell(incoming{dc: dc, arrival: time.Now()}) })
		dc.OnMessage(func(m webrtc.DataChannelMessage) {
			c.tell(incoming{dc: dc, data: m.Data, arrival: time.Now()})
		})
	})
}

func (c *session) tell(in incoming) {
	select {
	case c.messages <- in:
	case <-c.ctx.Done():
	}
}

// spawn runs a reader that the session's end waits for.
func (c *session) spawn(read func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closing {
		c.readers.Go(read)
	}
}

// readTrack feeds the packets of a track to the loop until the peer connection closes.
func (c *session) readTrack(track *webrtc.TrackRemote) {
	for {
		p := newPacket()
		n, attributes, err := track.Read(p.buf[:])
		if err != nil {
			p.recycle()
			return
		}
		p.arrival = time.Now()
		if p.Unmarshal(p.buf[:n]) != nil {
			c.server.metrics.anomaly(BadPacket)
			p.recycle()
			continue
		}
		p.repaired = attributes.Get(webrtc.AttributeRtxSsrc) != nil
		select {
		case c.packets <- arrival{track, p}:
		case <-c.ctx.Done():
			p.recycle()
			return
		}
	}
}

// run carries the session until its end.
func (c *session) run() {
	defer c.server.left(c)
	defer close(c.done)
	began := time.Now()
	c.log.Info("publish accepted")
	how := c.guarded()
	c.end(how.how, how.err)
	c.mu.Lock()
	c.closing = true
	c.mu.Unlock()
	_ = c.pc.GracefulClose() // nothing is lost by what fails
	c.readers.Wait()
	reason := media.ConnectionLost
	if how.how == Deleted {
		reason = media.Unpublished
	}
	c.pub.Close(reason)
	c.server.doors.leave(c.remote.Addr(), time.Now())
	c.server.metrics.ended.WithLabelValues(string(how.how)).Inc()
	args := []any{"how", string(how.how), "published_for", time.Since(began).Round(time.Millisecond)}
	if how.err != nil {
		args = append(args, "why", how.err)
	}
	c.log.Info("publish ended", args...)
}

// guarded runs the loop so that a defect in it ends this session alone.
func (c *session) guarded() (how *ended) {
	defer func() {
		if v := recover(); v != nil {
			c.log.Error("a session panicked", "panic", v, "stack", string(debug.Stack()))
			how = &ended{Broken, errs.New(errs.Internal, "whip.run", "panic")}
		}
	}()
	return c.loop()
}
