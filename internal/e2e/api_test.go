package e2e

import (
	"net/http"
	"testing"
	"time"
)

type room struct {
	ID          string  `json:"id"`
	State       string  `json:"state"`
	CurrentShow *string `json:"current_show"`
	StreamKey   string  `json:"stream_key"`
	Recording   *struct {
		Paused bool   `json:"paused"`
		Reason string `json:"reason"`
	} `json:"recording"`
}

type epoch struct {
	ShowTimeMS int64     `json:"show_time_ms"`
	Wall       time.Time `json:"wall"`
}

type show struct {
	ID         string  `json:"id"`
	State      string  `json:"state"`
	DurationMS int64   `json:"duration_ms"`
	Epochs     []epoch `json:"epochs"`
}

type pin struct {
	ID         string `json:"id"`
	ProductID  string `json:"product_id"`
	ShowTimeMS int64  `json:"show_time_ms"`
}

type timeline struct {
	Show   string  `json:"show"`
	Epochs []epoch `json:"epochs"`
	Events []event `json:"events"`
}

type event struct {
	Seq        int64     `json:"seq"`
	Type       string    `json:"type"`
	ShowTimeMS int64     `json:"show_time_ms"`
	Wall       time.Time `json:"wall"`
	Data       struct {
		Pin   pin    `json:"pin"`
		PinID string `json:"pin_id"`
	} `json:"data"`
}

func (tl *timeline) pin(t *testing.T, id string) event {
	t.Helper()
	for _, e := range tl.Events {
		if e.Type == "pin" && e.Data.Pin.ID == id {
			return e
		}
	}
	t.Fatalf("the timeline has no %s", id)
	return event{}
}

func (s *server) newRoom(t *testing.T) (r room) {
	t.Helper()
	s.call(t, http.MethodPost, "/api/v1/rooms", map[string]any{"title": "Tea evening"}, &r)
	return r
}

func (s *server) newProduct(t *testing.T, title string) (id string) {
	t.Helper()
	var p struct {
		ID string `json:"id"`
	}
	s.call(t, http.MethodPost, "/api/v1/stores/store_default/products", map[string]any{
		"title": title, "price": 19900, "currency": "CNY", "url": "https://example.com/p", "image_url": "https://example.com/p.jpg",
	}, &p)
	return p.ID
}

func (s *server) room(t *testing.T, id string) (r room) {
	t.Helper()
	s.call(t, http.MethodGet, "/api/v1/rooms/"+id, nil, &r)
	return r
}

func (s *server) show(t *testing.T, id string) (sh show) {
	t.Helper()
	s.call(t, http.MethodGet, "/api/v1/shows/"+id, nil, &sh)
	return sh
}

func (s *server) timeline(t *testing.T, show string) (tl timeline) {
	t.Helper()
	s.call(t, http.MethodGet, "/replay/"+show+"/timeline.json", nil, &tl)
	return tl
}

// pin pins a product; at nil is now.
func (s *server) pin(t *testing.T, roomID, product string, atMS *int64) (p pin) {
	t.Helper()
	in := map[string]any{"product_id": product}
	if atMS != nil {
		in["show_time_ms"] = *atMS
	}
	s.call(t, http.MethodPost, "/api/v1/rooms/"+roomID+"/pins", in, &p)
	return p
}

func (s *server) unpin(t *testing.T, roomID, pinID string) {
	t.Helper()
	s.call(t, http.MethodDelete, "/api/v1/rooms/"+roomID+"/pins/"+pinID, nil, nil)
}

// onAir waits until the room's show is live, and returns its id.
func (s *server) onAir(t *testing.T, roomID string) (showID string) {
	t.Helper()
	eventually(t, 20*time.Second, "the show to be live", func() bool {
		r := s.room(t, roomID)
		if r.State == "live" && r.CurrentShow != nil {
			showID = *r.CurrentShow
		}
		return showID != ""
	})
	return showID
}

func (s *server) state(t *testing.T, showID, want string, within time.Duration) {
	t.Helper()
	eventually(t, within, "the show to be "+want, func() bool { return s.show(t, showID).State == want })
}
