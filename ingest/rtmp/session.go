package rtmp

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"os"
	"runtime/debug"
	"time"

	"github.com/yutopp/go-rtmp"
	rtmpmsg "github.com/yutopp/go-rtmp/message"

	"github.com/vitrine-live/vitrine/media"
)

const (
	// ackWindow is after how many bytes we acknowledge when the publisher asks for nothing else, and minAckWindow the
	// least that it may ask for.
	ackWindow    = 2_500_000
	minAckWindow = 16 << 10
)

// session is one connection: the life of a publisher from accept to close. It is the io.ReadWriteCloser that the RTMP
// library works on, the consumer of the guard, and the library's handler. All of it happens on the library's reading
// goroutine, but for Write, which is the library's writing goroutine's.
type session struct {
	rtmp.DefaultHandler

	server *Server
	ctx    context.Context
	wire   *wire
	guard  *guard
	log    *slog.Logger
	leave  func() // called when all has ended

	conn     *rtmp.Conn // set once the handshake is over
	answer   answer
	err      error // why reading ended, the first error
	told     bool  // a status is on its way to the publisher
	ackEvery uint32
	acked    uint64 // of the bytes received

	// What the publisher has said and become.
	connected bool
	streams   uint32 // created; their IDs count from 1
	app       string
	encoder   string
	stranger  bool       // no publish has been accepted
	over      bool       // a publish has been unpublished
	streamID  uint32     // of the publish
	since     time.Time  // of the publish
	pub       *publisher // while publishing
	watcher   chan struct{}
	watched   chan struct{}
}

var (
	_ consumer           = (*session)(nil)
	_ io.ReadWriteCloser = (*session)(nil)
	_ rtmp.Handler       = (*session)(nil)
)

func newSession(ctx context.Context, s *Server, w *wire, leave func()) *session {
	c := &session{
		server: s, ctx: ctx, wire: w, leave: leave, stranger: true, ackEvery: ackWindow,
		log: s.log.With("protocol", w.protocol(), "remote", w.remote.String()),
	}
	c.guard = newGuard(w, c, s.metrics.anomaly)
	return c
}

// config is how the library is to treat this connection.
func (c *session) config() *rtmp.ConnConfig {
	return &rtmp.ConnConfig{
		Handler:                                 c,
		RPreset:                                 &c.answer,
		SkipHandshakeVerification:               true, // some encoders do not echo S1
		IgnoreMessagesOnNotExistStream:          true,
		IgnoreMessagesOnNotExistStreamThreshold: 64,
		ControlState: rtmp.StreamControlStateConfig{
			MaxChunkSize:               libraryChunkSize,
			MaxChunkStreams:            maxChunkStreams,
			MaxMessageStreams:          1 + maxMessageStreams, // and the control stream
			DefaultAckWindowSize:       ackWindow,
			DefaultBandwidthWindowSize: ackWindow,
			DefaultBandwidthLimitType:  rtmpmsg.LimitTypeDynamic,
		},
	}
}

// Read implements io.Reader for the library.
func (c *session) Read(p []byte) (int, error) {
	n, err := c.guard.Read(p)
	if err == nil {
		return n, nil
	}
	if c.err == nil {
		c.err = err
		c.tell(err)
	}
	return n, err
}

// Write implements io.Writer for the library.
func (c *session) Write(p []byte) (int, error) {
	if c.conn == nil { // the handshake
		return c.wire.Write(p)
	}
	if _, err := c.wire.Write(c.answer.replace(p)); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Close implements io.Closer: the last thing that the library does with a connection.
func (c *session) Close() error {
	defer c.leave()
	if c.told {
		c.wire.linger()
	}
	err := c.wire.Conn.Close()
	if c.conn != nil {
		<-c.conn.GetChunkStreamer().Done() // the library's writing goroutine
	}
	return err
}

// OnServe implements rtmp.Handler: the handshake is over.
func (c *session) OnServe(conn *rtmp.Conn) { c.conn = conn }

// OnClose implements rtmp.Handler: reading has ended and nothing more comes.
func (c *session) OnClose() {
	defer func() {
		if r := recover(); r != nil {
			c.server.metrics.ended.WithLabelValues(string(Defect)).Inc()
			c.log.Error("panic while a publish ended", "panic", r, "stack", string(debug.Stack()))
		}
	}()
	why := c.ending()
	if c.pub != nil {
		c.unpublish(media.ConnectionLost)
	}
	c.server.metrics.ended.WithLabelValues(string(why.reason)).Inc()
	attrs := []any{"reason", string(why.reason), "detail", why.detail, "received_bytes", c.wire.received}
	if why.err != nil {
		attrs = append(attrs, "error", why.err)
	}
	if !c.since.IsZero() {
		attrs = append(attrs, "published_for", time.Since(c.since).Round(time.Millisecond))
	}
	if why.reason == Defect {
		c.log.Error("connection ended", attrs...)
		return
	}
	c.log.Info("connection ended", attrs...)
}

// ending says why reading ended.
func (c *session) ending() *ending {
	var e *ending
	switch {
	case errors.As(c.err, &e):
		if c.over && e.reason == Shutdown {
			return &ending{reason: Unpublished}
		}
		return e
	case errors.Is(c.err, io.EOF), errors.Is(c.err, io.ErrUnexpectedEOF):
		if c.over {
			return &ending{reason: Unpublished}
		}
		return &ending{reason: EndedByPeer}
	}
	if err := c.wire.failed.Load(); err != nil {
		if errors.Is(*err, os.ErrDeadlineExceeded) {
			return &ending{reason: NotReading, err: *err}
		}
		return &ending{reason: EndedByPeer, err: *err}
	}
	return &ending{reason: Defect, detail: "the RTMP library gave up", err: c.err}
}

// tell puts the reason on the wire when the publisher is to know it.
func (c *session) tell(err error) {
	var e *ending
	if !errors.As(err, &e) || e.code == "" || c.conn == nil || c.wire.failed.Load() != nil {
		return
	}
	status := amfObject{{"level", "error"}, {"code", e.code}, {"description", e.detail}}
	c.told = c.send(libraryChunkStream, c.streamID, &rtmpmsg.CommandMessage{
		CommandName: "onStatus", Encoding: rtmpmsg.EncodingTypeAMF0, Body: bytes.NewReader(appendAMF(appendAMF(nil, nil), status)),
	}) == nil
}

// send hands a message to the library's writing goroutine.
func (c *session) send(chunkStream int, streamID uint32, m rtmpmsg.Message) error {
	ctx, cancel := context.WithTimeout(context.Background(), c.server.cfg.WriteTimeout)
	defer cancel()
	return c.conn.Write(ctx, chunkStream, 0, &rtmp.ChunkMessage{StreamID: streamID, Message: m})
}

// handshaken implements consumer.
func (c *session) handshaken() {
	c.wire.greetBy = time.Time{}
	c.wire.deadline = deadline{at: time.Now().Add(c.server.cfg.PublishTimeout), reason: PublishTimeout}
}

// admit implements consumer: it keeps the rate, and acknowledges what has come.
func (c *session) admit() error {
	if err := c.wire.admit(); err != nil {
		return err
	}
	if c.wire.received-c.acked < uint64(c.ackEvery) || c.conn == nil {
		return nil
	}
	c.acked = c.wire.received
	if err := c.send(2, rtmp.ControlStreamID, &rtmpmsg.Ack{SequenceNumber: uint32(c.acked)}); err != nil {
		return &ending{reason: NotReading, detail: "an acknowledgement could not be sent", err: err}
	}
	return nil
}

func (c *session) media(m message) error {
	if c.pub == nil {
		c.server.metrics.anomaly(StrayMedia)
		return nil
	}
	return c.pub.media(m, c.wire.arrival)
}

func (c *session) data(m message) error {
	if c.pub == nil {
		c.server.metrics.anomaly(StrayMedia)
		return nil
	}
	return c.pub.data(m)
}

// control answers pings and remembers how often the publisher wants to be acknowledged (RTMP 1.0, 5.4 and 7.1.7).
func (c *session) control(m message) error {
	const pingRequest, pingResponse = 6, 7
	switch {
	case m.typeID == typeWindowAckSize && len(m.body) >= 4:
		c.ackEvery = max(binary.BigEndian.Uint32(m.body), minAckWindow)
	case m.typeID == typeUserControl && len(m.body) >= 6 && binary.BigEndian.Uint16(m.body) == pingRequest && c.conn != nil:
		pong := &rtmpmsg.UserCtrl{Event: &rtmpmsg.UserCtrlEventPingResponse{Timestamp: binary.BigEndian.Uint32(m.body[2:])}}
		if err := c.send(2, rtmp.ControlStreamID, pong); err != nil {
			return &ending{reason: NotReading, detail: "a pong could not be sent", err: err}
		}
	case m.typeID == typeUserControl && len(m.body) < 6:
		c.server.metrics.anomaly(UnknownMessage)
	}
	return nil
}
