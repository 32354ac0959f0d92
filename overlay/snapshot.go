package overlay

import (
	"context"
	"encoding/json"
	"time"

	"github.com/vitrine-live/vitrine/media"
)

// Snapshotter tells the present state of a room. Snapshot returns NotFound for an unknown room; the channel fills in
// the pins itself. It is called by many goroutines and must not wait for the Hub.
type Snapshotter interface {
	Snapshot(ctx context.Context, roomID string) (Snapshot, error)
}

// Snapshot is all that a viewer's page needs to begin with.
type Snapshot struct {
	Room     RoomView
	Show     *ShowView // the one on air or interrupted, or the last one if the room still shows it; nil: none
	Epochs   media.Epochs
	Products []ProductSnapshot // the room's bag, in order
	Pins     []Pin             // active
	Offers   []Offer           // open
	Comments []Comment         // the newest ones, in the order of the log
	Likes    int64             // of the show so far
}

// RoomView is a room as viewers see it.
type RoomView struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	State string `json:"state"` // "idle", "live", "interrupted" or "ended"
}

// ShowView is a show as viewers see it.
type ShowView struct {
	ID        string
	Title     string
	State     string // "scheduled", "live", "interrupted" or "ended"
	StartedAt time.Time
	Duration  media.Ticks
}

// MarshalJSON renders the show with its start as null when it has not started.
func (s ShowView) MarshalJSON() ([]byte, error) {
	var started *string
	if !s.StartedAt.IsZero() {
		wall := FormatWall(s.StartedAt)
		started = &wall
	}
	return json.Marshal(struct {
		ID        string  `json:"id"`
		Title     string  `json:"title"`
		State     string  `json:"state"`
		StartedAt *string `json:"started_at"`
		Duration  int64   `json:"duration_ms"`
	}{s.ID, s.Title, s.State, started, s.Duration.Milliseconds()})
}

// MarshalJSON renders the snapshot as the channel shows it, every list a list even when it is empty.
func (s Snapshot) MarshalJSON() ([]byte, error) {
	type epochJSON struct {
		ShowTime int64  `json:"show_time_ms"`
		Wall     string `json:"wall"`
	}
	epochs := make([]epochJSON, len(s.Epochs))
	for i, e := range s.Epochs {
		epochs[i] = epochJSON{e.ShowTime.Milliseconds(), FormatWall(e.Wall)}
	}
	return json.Marshal(struct {
		Room     RoomView          `json:"room"`
		Show     *ShowView         `json:"show"`
		Epochs   []epochJSON       `json:"epochs"`
		Pins     []Pin             `json:"pins"`
		Products []ProductSnapshot `json:"products"`
		Offers   []Offer           `json:"offers"`
		Comments []Comment         `json:"comments"`
		Likes    int64             `json:"likes"`
	}{s.Room, s.Show, epochs, append([]Pin{}, s.Pins...), append([]ProductSnapshot{}, s.Products...), append([]Offer{}, s.Offers...), append([]Comment{}, s.Comments...), s.Likes})
}

// epoch is the show whose events follow the snapshot.
func (s *Snapshot) epoch() string {
	if s.Show == nil {
		return ""
	}
	return s.Show.ID
}
