package media

import "net/netip"

// PublishRequest says who wants to publish where.
type PublishRequest struct {
	Protocol  string         // "rtmp"
	Remote    netip.AddrPort // of the publisher, as the listener saw it
	StreamKey string         // secret: never logged
	Encoder   string         // what the publisher calls itself, for the operator; may be empty
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
