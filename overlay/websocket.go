package overlay

import (
	"bytes"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"github.com/vitrine-live/vitrine/internal/errs"
)

const (
	// maxInbound is the largest message taken from a client, in bytes; a larger one ends the connection with 1009.
	maxInbound = 512
	// byeTimeout is how long a client has to take its close frame and to answer it.
	byeTimeout = 2 * time.Second
)

var (
	wsPing, _ = websocket.NewPreparedMessage(websocket.PingMessage, nil)
	wsPong, _ = websocket.NewPreparedMessage(websocket.TextMessage, []byte(`{"type":"pong"}`))
)

// newUpgrader sets the buffers of a connection: inbound messages are tiny, and frames are written as they are, without
// a buffer of their own. No compression: it would cost each connection more memory than the frames are long.
func newUpgrader() websocket.Upgrader {
	return websocket.Upgrader{
		HandshakeTimeout: 10 * time.Second,
		ReadBufferSize:   512,
		WriteBufferSize:  1024,
		WriteBufferPool:  &sync.Pool{},
		CheckOrigin:      func(*http.Request) bool { return true },
		Error: func(w http.ResponseWriter, _ *http.Request, status int, reason error) {
			refuse(w, status, reason.Error())
		},
	}
}

// serveWebSocket hands the connection over to a goroutine of its own that reads, so that nothing of the HTTP server's
// (stack, request, buffers) is kept for it. Another one, at most, writes while something is queued; at rest there is
// none. By BenchmarkMemoryPerConnection that makes 8.4 KB of resident memory, where a writer that waits makes 13.5 KB;
// by BenchmarkFanout1000 the processor time is the same.
func (h *Hub) serveWebSocket(w http.ResponseWriter, r *http.Request, s *seat) {
	since, resume := requestedPosition(r)
	conn, err := h.upgrader.Upgrade(w, r, nil) // answers by itself when it fails
	if err != nil {
		s.leave()
		return
	}
	c := &client{transport: webSocket, queueMax: h.cfg.Queue, kill: func() { _ = conn.Close() }, writing: true}
	c.spawn = func() { h.wg.Go(func() { h.writeWebSocket(conn, c) }) }
	h.metrics.connections[webSocket].Inc()
	c.anchor = s.anchor
	if err := s.room.join(r.Context(), c, since, resume); err != nil {
		h.log.Warn("a viewer cannot be let in", "room", s.room.id, "error", err)
		c.close(refusal(err))
	}
	c.spawn()        // writing was true so that nobody else writes before the backlog is complete
	h.wg.Go(func() { // last: it gives the seat free, and nothing may begin without one
		defer s.leave()
		readWebSocket(conn, c)
		s.room.leave(c)
		_ = conn.Close()
		h.metrics.connections[webSocket].Dec()
	})
}

// refusal is how a client that was upgraded already is told that it cannot join.
func refusal(err error) closing {
	if errs.KindOf(err) == errs.NotFound {
		return closeRoomGone
	}
	return closeTryLater
}

// readWebSocket reads until the connection ends. Clients have nothing to say but that they are there.
func readWebSocket(conn *websocket.Conn, c *client) {
	conn.SetReadLimit(maxInbound)
	conn.SetPongHandler(func(string) error {
		c.heard.Store(true)
		return nil
	})
	for {
		_, msg, err := conn.ReadMessage()
		if err != nil {
			return
		}
		c.heard.Store(true)
		if bytes.Contains(msg, []byte(`"ping"`)) {
			c.pushControl(pong)
		}
	}
}

// writeWebSocket writes what is queued. After the last frame it lets the reader wait for the answer to it, or ends it.
func (h *Hub) writeWebSocket(conn *websocket.Conn, c *client) {
	if over := c.drain(h.clock, &webSocketOutput{conn, h.metrics}); !over {
		return
	}
	why := c.reason()
	h.metrics.ended(why)
	if why.code == 0 {
		_ = conn.Close()
		return
	}
	_ = conn.NetConn().SetReadDeadline(time.Now().Add(byeTimeout))
}

type webSocketOutput struct {
	conn    *websocket.Conn
	metrics *Metrics
}

func (o *webSocketOutput) write(frames []*frame) error {
	for _, f := range frames {
		if err := o.conn.WritePreparedMessage(f.websocket()); err != nil {
			return err
		}
		o.metrics.frames[webSocket][f.kind].Inc()
	}
	return nil
}

func (o *webSocketOutput) control(k control) error {
	if k&ping != 0 {
		if err := o.conn.WritePreparedMessage(wsPing); err != nil {
			return err
		}
	}
	if k&pong != 0 {
		return o.conn.WritePreparedMessage(wsPong)
	}
	return nil
}

func (o *webSocketOutput) bye(why closing) {
	msg := websocket.FormatCloseMessage(why.code, why.reason)
	_ = o.conn.WriteControl(websocket.CloseMessage, msg, time.Now().Add(byeTimeout))
}
