package api

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/vitrine-live/vitrine/overlay"
)

// A timeline is rendered once and not at each request; whoever changes what it says reads that at once.
func TestTimelineIsRenderedOnce(t *testing.T) {
	h := newHouse(t, withRecordings(t))
	show, _ := h.recorded(4)
	path := "/replay/" + show + "/timeline.json"
	first, again := h.ask(http.MethodGet, path, "", nil), h.ask(http.MethodGet, path, "", nil)
	etag := first.Header().Get("ETag")
	if first.Code != http.StatusOK || etag == "" || again.Header().Get("ETag") != etag || again.Body.String() != first.Body.String() {
		t.Fatalf("%d %s, then %d %s", first.Code, etag, again.Code, again.Header().Get("ETag"))
	}
	a, err := h.server.told(t.Context(), show)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := h.server.told(t.Context(), show); err != nil || a != b {
		t.Errorf("it was rendered twice: %v", err)
	}
	h.read(http.StatusOK, nil, http.MethodPost, "/api/v1/shows/"+show+"/replay/edits", adminToken, map[string]any{"revision": 0, "kind": "cut", "from_ms": 0, "to_ms": 2000})
	edited := h.ask(http.MethodGet, path, "", nil)
	if edited.Header().Get("ETag") == etag {
		t.Errorf("after a cut it says %s", edited.Body)
	}
	// Another server of the same database wrote this.
	if _, err := h.db.AppendEvents(t.Context(), show, []overlay.Event{{Type: overlay.TypeAnnouncement, Wall: h.now, Data: []byte(`{"text":"from elsewhere"}`)}}); err != nil {
		t.Fatal(err)
	}
	if w := h.ask(http.MethodGet, path, "", nil); w.Header().Get("ETag") == edited.Header().Get("ETag") {
		t.Errorf("what another server wrote is not there: %s", w.Body)
	}
}

// BenchmarkTimeline answers a request for timeline.json of a show with 20,000 comments.
func BenchmarkTimeline(b *testing.B) {
	h := newHouse(b, withRecordings(b))
	show, _ := h.recorded(4)
	events := make([]overlay.Event, 0, overlay.MaxEvents)
	for n := 0; n < 20_000; n += len(events) {
		events = events[:0]
		for i := range overlay.MaxEvents {
			events = append(events, overlay.Event{
				Type: overlay.TypeComment, Wall: h.now, Data: fmt.Appendf(nil, `{"id":"cmt_%d","name":"#%d","text":"This is comment %d"}`, n+i, n+i, n+i),
			})
		}
		if _, err := h.db.AppendEvents(b.Context(), show, events); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		r := httptest.NewRequest(http.MethodGet, "/replay/"+show+"/timeline.json", http.NoBody)
		r.Header.Set("Accept-Encoding", "gzip")
		w := httptest.NewRecorder()
		h.server.Handler().ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			b.Fatal(w.Code)
		}
	}
}
