package api

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/vitrine-live/vitrine/internal/memo"
	"github.com/vitrine-live/vitrine/live"
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

// timelineCache is how many bytes of rendered timelines are kept, both as they are and compressed.
const timelineCache = 64 << 20

// toldShow is a rendered timeline.json.
type toldShow struct {
	*document
	version string // what it says beside its events
	last    int64  // the number of its last event
}

func newTimelines() *memo.Cache[*toldShow] {
	return memo.New(memo.Config[*toldShow]{Limit: timelineCache, Size: func(t *toldShow) int64 { return t.size() }})
}

func (s *Server) timeline(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w, err := s.watchable(w, r, r.PathValue("show"))
	if err != nil {
		s.writeError(w, r, err)
		return
	}
	doc, err := s.told(r.Context(), r.PathValue("show"))
	if err != nil {
		s.writeError(w, r, err)
		return
	}
	doc.serve(w, r)
}

// told finds timeline.json rendered, or renders it: when a show ends, all who watched it ask for it at once.
func (s *Server) told(ctx context.Context, showID string) (*toldShow, error) {
	head, err := s.sidecarHead(ctx, showID)
	if err != nil {
		return nil, err
	}
	version, err := versionOf(head)
	if err != nil {
		return nil, err
	}
	fresh := func(t *toldShow) bool {
		newer, err := s.Timeline.Events(ctx, showID, t.last, 1) // not what this process knows: others may have written
		return err == nil && len(newer) == 0 && t.version == version
	}
	return s.timelines.Get(memo.Key{Group: showID, Name: "timeline.json"}, fresh, func() (*toldShow, error) {
		return s.tell(context.WithoutCancel(ctx), head, version) // others wait for it too
	})
}

// versionOf tells apart what timelines say beside their events. The length of a show on air counts in seconds: it grows with
// every part.
func versionOf(head *Sidecar) (string, error) {
	h := *head
	if h.State != string(live.Ended) {
		h.DurationMS -= h.DurationMS % 1000
	}
	b, err := json.Marshal(h)
	return string(b), err
}

func (s *Server) tell(ctx context.Context, head *Sidecar, version string) (*toldShow, error) {
	doc, last := *head, int64(0)
	doc.Events = []overlay.Event{}
	for {
		page, err := s.Timeline.Events(ctx, doc.Show, last, eventsPage)
		if err != nil {
			return nil, err
		}
		doc.Events = append(doc.Events, page...)
		if len(page) > 0 {
			last = page[len(page)-1].Seq
		}
		if len(page) < eventsPage {
			break
		}
	}
	b, err := json.Marshal(&doc)
	if err != nil {
		return nil, err
	}
	return &toldShow{newDocument("application/json", b), version, last}, nil
}

// sidecarHead is timeline.json without its events.
func (s *Server) sidecarHead(ctx context.Context, showID string) (*Sidecar, error) {
	show, err := s.Rooms.Show(ctx, showID)
	if err != nil {
		return nil, err
	}
	doc := &Sidecar{
		Show: show.ID, Title: show.Title, State: string(show.State), DurationMS: show.Duration.Milliseconds(),
		Epochs: epochs(show.Epochs), Cuts: []SpanMS{},
	}
	return doc, s.addRanges(ctx, doc)
}
