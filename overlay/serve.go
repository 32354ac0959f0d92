package overlay

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/gorilla/websocket"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// retryAfter is what a refused client is told, in seconds.
const retryAfter = 5

// Serve serves the channel of a room to one client: as a WebSocket when the request asks for the upgrade, as an event
// stream when it accepts text/event-stream, as a long poll when it has ?since=. The channel is public and only read, so
// any origin may use it.
//
// A client resumes with ?epoch=&offset= (WebSocket), Last-Event-ID: epoch:offset (event stream) or ?since=epoch:offset
// (long poll), each the position of the last snapshot or event frame that it has; the position in hello is not one to
// resume from while recovered is false.
//
// Refusals are application/problem+json: 404 for an unknown room, 503 with Retry-After when a limit is reached or the
// server is going away.
func (h *Hub) Serve(w http.ResponseWriter, r *http.Request, roomID string) {
	header := w.Header()
	header.Set("Access-Control-Allow-Origin", "*")
	header.Set("Cache-Control", "no-store")
	if r.Method == http.MethodOptions {
		header.Set("Access-Control-Allow-Methods", "GET")
		header.Set("Access-Control-Allow-Headers", "Last-Event-ID, Cache-Control")
		header.Set("Access-Control-Max-Age", "86400")
		w.WriteHeader(http.StatusNoContent)
		return
	}
	serve, problem := h.choose(r)
	if serve == nil {
		header.Set("Allow", "GET, OPTIONS")
		refuse(w, problem, "this is the realtime channel: ask for a WebSocket, for text/event-stream, or with ?since= for a long poll")
		return
	}
	s, err := h.enter(r, roomID)
	if err != nil {
		refuseError(w, err)
		return
	}
	if err := s.room.open(r.Context()); err != nil {
		s.leave()
		refuseError(w, err)
		return
	}
	serve(w, r, s)
}

// choose finds the transport, or the status to refuse with. What it returns gives the seat back.
func (h *Hub) choose(r *http.Request) (func(http.ResponseWriter, *http.Request, *seat), int) {
	switch {
	case r.Method != http.MethodGet:
		return nil, http.StatusMethodNotAllowed
	case websocket.IsWebSocketUpgrade(r):
		return h.serveWebSocket, 0
	case strings.Contains(r.Header.Get("Accept"), "text/event-stream"):
		return h.serveEventStream, 0
	case r.URL.Query().Has("since"):
		return h.serveLongPoll, 0
	}
	return nil, http.StatusBadRequest
}

func refuseError(w http.ResponseWriter, err error) {
	status := http.StatusServiceUnavailable
	switch errs.KindOf(err) {
	case errs.NotFound:
		status = http.StatusNotFound
	case errs.Internal:
		status = http.StatusInternalServerError
	case errs.Exhausted, errs.Unavailable, errs.Invalid, errs.Conflict, errs.Unauthorized, errs.Forbidden:
	}
	refuse(w, status, errs.MessageOf(err))
}

// refuse answers with a problem (RFC 9457).
func refuse(w http.ResponseWriter, status int, detail string) {
	header := w.Header()
	header.Set("Content-Type", "application/problem+json")
	if status == http.StatusServiceUnavailable {
		header.Set("Retry-After", strconv.Itoa(retryAfter))
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(struct { // the client is gone if this fails
		Title  string `json:"title"`
		Status int    `json:"status"`
		Detail string `json:"detail,omitempty"`
	}{http.StatusText(status), status, detail})
}
