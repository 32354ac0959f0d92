package api

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"net/http"

	"github.com/vitrine-live/vitrine/overlay"
)

// eventsPage is how many events are read from the store at once.
const eventsPage = 1000

// Sidecar is timeline.json: everything timed of a show, for players that expose only their position.
type Sidecar struct {
	Show       string          `json:"show"`
	Title      string          `json:"title"`
	State      string          `json:"state"`
	DurationMS int64           `json:"duration_ms"`
	Epochs     []Epoch         `json:"epochs"`
	Events     []overlay.Event `json:"events"`
	// Ranges are what a replay plays, in show time and in playing order: a player's position is how much of them is before
	// an instant. They are there once the show is over, if it was recorded.
	Ranges []SpanMS `json:"ranges,omitempty"`
	PlayMS int64    `json:"play_ms,omitempty"` // how long the ranges are
	// Cuts are what the merchant cut out, exact: of segments that are partly wanted, pages skip the rest.
	Cuts []SpanMS `json:"cuts"`
}

func (s *Server) timeline(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w, err := s.watchable(w, r, r.PathValue("show"))
	if err != nil {
		s.writeError(w, r, err)
		return
	}
	doc, err := s.sidecar(r.Context(), r.PathValue("show"))
	if err != nil {
		s.writeError(w, r, err)
		return
	}
	b, err := json.Marshal(doc)
	if err != nil {
		s.writeError(w, r, err)
		return
	}
	serveJSON(w, r, b)
}

func (s *Server) sidecar(ctx context.Context, showID string) (*Sidecar, error) {
	show, err := s.Rooms.Show(ctx, showID)
	if err != nil {
		return nil, err
	}
	doc := &Sidecar{
		Show: show.ID, Title: show.Title, State: string(show.State), DurationMS: show.Duration.Milliseconds(),
		Epochs: epochs(show.Epochs), Events: []overlay.Event{}, Cuts: []SpanMS{},
	}
	if err := s.addRanges(ctx, doc); err != nil {
		return nil, err
	}
	for after := int64(0); ; {
		page, err := s.Timeline.Events(ctx, show.ID, after, eventsPage)
		if err != nil {
			return nil, err
		}
		doc.Events = append(doc.Events, page...)
		if len(page) < eventsPage {
			return doc, nil
		}
		after = page[len(page)-1].Seq
	}
}

// serveJSON answers with a JSON document that caches must check again, compressed where the client takes it.
func serveJSON(w http.ResponseWriter, r *http.Request, b []byte) {
	serveDocument(w, r, "application/json", b)
}

// serveDocument is serveJSON for a document of any type.
func serveDocument(w http.ResponseWriter, r *http.Request, typ string, b []byte) {
	h := w.Header()
	etag := fmt.Sprintf(`W/"%08x-%d"`, crc32.ChecksumIEEE(b), len(b))
	h.Set("Content-Type", typ)
	h.Set("Cache-Control", "no-cache")
	h.Set("Vary", "Accept-Encoding")
	h.Set("ETag", etag)
	if r.Header.Get("If-None-Match") == etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	if gzipAccepted(r) {
		var z bytes.Buffer
		gz := gzip.NewWriter(&z)
		_, _ = gz.Write(b) // a buffer does not fail
		_ = gz.Close()
		h.Set("Content-Encoding", "gzip")
		b = z.Bytes()
	}
	h.Set("Content-Length", fmt.Sprint(len(b)))
	if r.Method != http.MethodHead {
		_, _ = w.Write(b) // the client is gone when this fails
	}
}
