package live

import "time"

// Room is a lasting place to broadcast from.
type Room struct {
	ID      string
	Title   string
	KeyHash string // hex SHA-256 of the stream key; the key itself is shown once and kept nowhere
	// CaptureDelay is how long a picture takes from the anchor's camera to the server, where the protocol does not
	// tell; at least 0, at most a minute.
	CaptureDelay time.Duration
	CreatedAt    time.Time
}

// RoomUpdate is a partial change of a room; nil fields stay as they are.
type RoomUpdate struct {
	Title        *string
	KeyHash      *string
	CaptureDelay *time.Duration
}
