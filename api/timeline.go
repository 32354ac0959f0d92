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
}

func (s *Server) timeline(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
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
		Epochs: epochs(show.Epochs), Events: []overlay.Event{},
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
	h := w.Header()
	etag := fmt.Sprintf(`W/"%08x-%d"`, crc32.ChecksumIEEE(b), len(b))
	h.Set("Content-Type", "application/json")
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
