package overlay

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"
)

// serveEventStream serves a client with Server-Sent Events (HTML, 9.2). A browser reconnects by itself and names the
// last id it was given.
func (h *Hub) serveEventStream(w http.ResponseWriter, r *http.Request, s *seat) {
	defer s.leave()
	since, resume := requestedPosition(r)
	ctl := http.NewResponseController(w)
	// The stream outlives the server's time-outs, and a write that hangs is cut by the tick instead.
	_ = ctl.SetReadDeadline(time.Time{})
	_ = ctl.SetWriteDeadline(time.Time{})
	c := newClient(eventStream, h.cfg.Queue, func() { _ = ctl.SetWriteDeadline(time.Unix(1, 0)) })
	c.anchor = s.anchor
	if err := s.room.join(r.Context(), c, since, resume); err != nil {
		refuseError(w, err)
		return
	}
	defer s.room.leave(c)
	h.metrics.connections[eventStream].Inc()
	defer h.metrics.connections[eventStream].Dec()

	header := w.Header()
	header.Set("Content-Type", "text/event-stream")
	header.Set("X-Accel-Buffering", "no") // nginx would hold frames back
	out := &eventStreamOutput{w: w, ctl: ctl, metrics: h.metrics}
	// Spread, so that the clients of a server that restarts do not come back all at once.
	out.buf = fmt.Appendf(out.buf, "retry: %d\n\n", 1000+rand.IntN(2000)) //nolint:gosec // spreads load, guards nothing
	h.metrics.ended(c.run(r.Context().Done(), h.clock, out))
}

type eventStreamOutput struct {
	w       http.ResponseWriter
	ctl     *http.ResponseController
	metrics *Metrics
	buf     []byte
}

func (o *eventStreamOutput) write(frames []*frame) error {
	for _, f := range frames {
		o.buf = f.appendSSE(o.buf)
		o.metrics.frames[eventStream][f.kind].Inc()
	}
	return o.flush()
}

// control keeps the connection alive with a comment.
func (o *eventStreamOutput) control(control) error {
	o.buf = append(o.buf, ":\n\n"...)
	return o.flush()
}

// bye has nothing to say: the end of the stream makes the browser come back.
func (o *eventStreamOutput) bye(closing) {}

func (o *eventStreamOutput) flush() error {
	_, err := o.w.Write(o.buf)
	o.buf = nil // an idle connection keeps no buffer
	if err != nil {
		return err
	}
	return o.ctl.Flush()
}
