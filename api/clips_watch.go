package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

const (
	// clipsAgain is how often the clips of a show are looked at when nothing is heard: another server may be at work on them.
	clipsAgain = 3 * time.Second
	// clipsKeep is how often a connection on which nothing happens says that it is alive.
	clipsKeep = 15 * time.Second
	// clipsPause is the least time between two looks, however quickly things change.
	clipsPause = 200 * time.Millisecond
)

// ClipNews is what watch-clips says of a batch.
type ClipNews struct {
	ID     string     `json:"id"`
	Counts ClipCounts `json:"counts"`
}

func (s *Server) watchClipsOperation(tags []string, read []map[string][]string) {
	operation(s, huma.Operation{
		OperationID: "watch-clips", Method: http.MethodGet, Path: "/api/v1/shows/{show}/clips/events", Tags: tags, Security: read, Summary: "Follow the clips of a show",
		Description: "Server-Sent Events: `clip` has a clip as get-clip shows it, first each one that waits or is being made, then whatever changes; `batch` has the counts of a batch. Whoever lost the connection comes back and is told the present state.",
		Responses: map[string]*huma.Response{"200": {Description: "OK", Content: map[string]*huma.MediaType{
			"text/event-stream": {Schema: &huma.Schema{Type: "string"}},
		}}},
	}, s.watchClips)
}

func (s *Server) watchClips(_ context.Context, in *ShowPath) (*huma.StreamResponse, error) {
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		r, w := humago.Unwrap(ctx)
		ctl := http.NewResponseController(w)
		_ = ctl.SetWriteDeadline(time.Time{}) // outlives the server's time-outs
		h := w.Header()
		h.Set("Content-Type", "text/event-stream")
		h.Set("Cache-Control", "no-store")
		h.Set("X-Accel-Buffering", "no") // nginx would hold the events back
		f := &clipFeed{s: s, showID: in.Show, since: s.Now(), seen: map[string]Clip{}, counts: map[string]ClipCounts{}, w: w, flush: ctl.Flush}
		f.run(r)
	}}, nil
}

// clipFeed tells one client of the clips of a show.
type clipFeed struct {
	s      *Server
	showID string
	since  time.Time
	seen   map[string]Clip       // as the client knows them
	counts map[string]ClipCounts // of batches, likewise
	w      http.ResponseWriter
	flush  func() error
}

func (f *clipFeed) run(r *http.Request) {
	next, leave := f.s.Clips.Watch(f.showID)
	defer leave()
	again, alive := time.NewTicker(clipsAgain), time.NewTicker(clipsKeep)
	defer again.Stop()
	defer alive.Stop()
	fmt.Fprint(f.w, "retry: 2000\n\n")
	for {
		changed := next() // before looking, so that nothing falls in between
		if !f.look(r) {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-f.s.Clips.Stopping():
			return // the client comes back to the next process
		case <-changed:
		case <-again.C:
			continue
		case <-alive.C:
			fmt.Fprint(f.w, ":\n\n")
			continue
		}
		select { // changes that come together are told together
		case <-r.Context().Done():
			return
		case <-time.After(clipsPause):
		}
	}
}

// look tells what is different from what the client knows; false: the client is gone.
func (f *clipFeed) look(r *http.Request) bool {
	clips, err := f.s.Clips.Changes(r.Context(), f.showID, f.since)
	if err != nil {
		f.s.Log.WarnContext(r.Context(), "clips cannot be followed for now", "show", f.showID, "error", err)
		return f.flush() == nil
	}
	batches := map[string]bool{}
	current := make(map[string]Clip, len(clips))
	for i := range clips {
		c := clipOf(&clips[i])
		current[c.ID] = c
		if old, known := f.seen[c.ID]; known && reflect.DeepEqual(old, c) {
			continue
		}
		f.tell("clip", c)
		if c.BatchID != "" {
			batches[c.BatchID] = true
		}
	}
	for id, c := range f.seen { // deleted
		if _, still := current[id]; !still && c.BatchID != "" {
			batches[c.BatchID] = true
		}
	}
	f.seen = current
	for id := range batches {
		f.tellBatch(r.Context(), id)
	}
	return f.flush() == nil
}

func (f *clipFeed) tellBatch(ctx context.Context, id string) {
	n, err := f.s.Clips.Batch(ctx, f.showID, id)
	counts := ClipCounts(n)
	if err != nil || f.counts[id] == counts {
		return
	}
	f.counts[id] = counts
	f.tell("batch", ClipNews{id, counts})
}

func (f *clipFeed) tell(event string, data any) {
	b, err := json.Marshal(data)
	if err != nil {
		return // plain values always marshal
	}
	fmt.Fprintf(f.w, "event: %s\ndata: %s\n\n", event, b)
}
