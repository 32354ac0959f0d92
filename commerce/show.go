package commerce

import "time"

// Show is what the shop needs to know of a broadcast.
type Show struct {
	ID      string
	RoomID  string
	StoreID string
	Title   string
	State   string // "scheduled", "live", "interrupted" or "ended"
	// Zero times are unset.
	ScheduledAt time.Time
	StartedAt   time.Time
	EndedAt     time.Time
	PositionMS  int64 // where its clock stands: the duration so far
}

// OnAir reports whether the show is live or may be again.
func (s *Show) OnAir() bool { return s.State == "live" || s.State == "interrupted" }

// Ended reports whether the show is over.
func (s *Show) Ended() bool { return s.State == "ended" }
