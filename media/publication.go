package media

import (
	"net/netip"
	"time"
)

// PublishRequest says who wants to publish where.
type PublishRequest struct {
	Protocol  string         // "rtmp", "rtmps", "whip", "hls"
	Remote    netip.AddrPort // of the publisher, as the listener saw it
	StreamKey string         // secret: never logged
	// Room names the room: with a stream key it must be that key's room, without one the caller vouches for the
	// publisher, as a pull that the room's owner asked for does.
	Room    string
	Encoder string // what the publisher calls itself, for the operator; may be empty

	// CapturedAt tells which publisher time was captured at a wall instant of this server. It is nil, or answers
	// ok false, where the protocol does not know; live then reckons from arrivals. Safe for concurrent use.
	CapturedAt func(wall time.Time) (t Ticks, ok bool)
	// Link tells how the publisher's network does; nil where the protocol does not know. Safe for concurrent use.
	Link func() Link
}

// Link is what a protocol knows about the network between publisher and server, over the last seconds.
type Link struct {
	RTT       time.Duration // 0: unknown
	Jitter    time.Duration // of RFC 3550, 6.4.1, or its like; 0: unknown
	Loss      float64       // share of packets lost on the way and not repaired in time, 0 to 1; negative: unknown
	Repaired  float64       // share of packets that came only after a retransmission, 0 to 1; negative: unknown
	Discarded int64         // pictures dropped since the start because a piece of them, or of one they need, is missing
}

// CloseReason says how a publish ended.
type CloseReason uint8

const (
	// ConnectionLost is a publish that just stopped: the anchor may be back within the reconnect window.
	ConnectionLost CloseReason = iota
	// Unpublished is a publish that the anchor ended on purpose (FCUnpublish, deleteStream, WHIP DELETE).
	Unpublished
)

// String names the reason as logs and metrics do.
func (r CloseReason) String() string {
	if r == Unpublished {
		return "unpublished"
	}
	return "connection_lost"
}

// Publication is one accepted publish, as the protocol that carries it sees it. Its methods are called by one goroutine,
// but for Done and Err, which any may call.
type Publication interface {
	// SetTracks names the tracks, at most one of a kind. It comes before the first sample and again whenever a
	// track's parameters change or a track is added, before the first sample that needs them.
	SetTracks(tracks []Track) error
	// Write takes one sample in publisher time: any origin, DTS strictly rising per track. An error ends the publish.
	Write(s Sample) error
	// WriteData takes a timed message that the publisher carries in band, such as a pin, at publisher time t.
	// payload is one JSON value. An error concerns this message alone.
	WriteData(t Ticks, payload []byte) error
	// Close ends the publish. It is called exactly once, also after Done.
	Close(reason CloseReason)
	// Done is closed when the publish must end because of something on this side: a newer publisher, the show's end,
	// shutdown. Err then says why.
	Done() <-chan struct{}
	Err() error
}
