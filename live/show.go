package live

import (
	"time"

	"github.com/vitrine-live/vitrine/media"
)

// ShowState is where a show stands in its life: scheduled -> live <-> interrupted -> ended.
type ShowState string

// The states of a show.
const (
	Scheduled   ShowState = "scheduled"
	Live        ShowState = "live"
	Interrupted ShowState = "interrupted" // the publisher is gone and may come back within the reconnect window
	Ended       ShowState = "ended"
)

// Show is one broadcast in a room.
type Show struct {
	ID     string
	RoomID string
	// StoreID is the store that the room belonged to when the show was made.
	StoreID string
	Title   string
	State   ShowState

	// Zero times are unset.
	ScheduledAt   time.Time
	StartedAt     time.Time
	InterruptedAt time.Time
	EndedAt       time.Time
	CreatedAt     time.Time

	Duration media.Ticks // of the media so far; kept current at each change of state
	Epochs   media.Epochs
}

// Unfinished reports whether the show is on air or may be again.
func (s *Show) Unfinished() bool { return s.State == Live || s.State == Interrupted }
