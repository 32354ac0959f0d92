package overlay

import (
	"encoding/json"
	"net/http"
	"time"
)

// serveLongPoll answers as soon as there is a snapshot or an event, or when PollWait is over.
func (h *Hub) serveLongPoll(w http.ResponseWriter, r *http.Request, s *seat) {
	defer s.leave()
	since, resume := requestedPosition(r)
	ctl := http.NewResponseController(w)
	_ = ctl.SetReadDeadline(time.Time{})
	_ = ctl.SetWriteDeadline(time.Now().Add(h.cfg.PollWait + h.cfg.WriteTimeout))
	c := newClient(longPoll, h.cfg.Queue, func() {})
	c.anchor = s.anchor
	if err := s.room.join(r.Context(), c, since, resume); err != nil {
		refuseError(w, err)
		return
	}
	h.metrics.connections[longPoll].Inc()
	frames := c.gather(r.Context().Done())
	h.metrics.connections[longPoll].Dec()
	s.room.leave(c)
	h.metrics.ended(c.reason())
	h.answer(w, frames, c.pos)
}

// gather waits until there is something to tell.
func (c *client) gather(done <-chan struct{}) []*frame {
	var frames []*frame
	for {
		d, _ := c.take()
		frames = append(frames, d.frames...)
		if d.control&expire != 0 || d.closing.code != 0 || anyMoves(d.frames) {
			return frames
		}
		select {
		case <-c.wake:
		case <-done:
			return frames
		}
	}
}

// anyMoves reports whether one of the frames moves the position.
func anyMoves(frames []*frame) bool {
	for _, f := range frames {
		if f.kind == snapshotFrame || f.kind == eventFrame {
			return true
		}
	}
	return false
}

func (h *Hub) answer(w http.ResponseWriter, frames []*frame, pos position) {
	type positionJSON struct {
		Epoch  string `json:"epoch"`
		Offset int64  `json:"offset"`
	}
	body := struct {
		Frames   []json.RawMessage `json:"frames"`
		Position positionJSON      `json:"position"`
	}{make([]json.RawMessage, len(frames)), positionJSON{pos.epoch, pos.offset}}
	for i, f := range frames {
		body.Frames[i] = f.json
		h.metrics.frames[longPoll][f.kind].Inc()
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(mustJSON(body)) // the client is gone if this fails, and asks again from its position
}
