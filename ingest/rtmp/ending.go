package rtmp

import "fmt"

// Reason says why a connection ended, as logs and metrics name it.
type Reason string

// The reasons.
const (
	// Ends as they should be.
	EndedByPeer Reason = "peer_closed" // the connection just closed
	Unpublished Reason = "unpublished" // the publisher said goodbye
	Shutdown    Reason = "shutdown"
	Displaced   Reason = "displaced" // the publication ended on our side: a newer publisher, the show's end

	// Time limits.
	HandshakeTimeout Reason = "handshake_timeout"
	PublishTimeout   Reason = "publish_timeout"
	IdleTimeout      Reason = "idle_timeout"

	// Refusals, told to the publisher.
	WrongKey     Reason = "wrong_key"
	TooManyKeys  Reason = "too_many_wrong_keys"
	Refused      Reason = "refused" // by the gate, for another reason than the key
	Codec        Reason = "codec"
	NoTracks     Reason = "no_tracks"
	SecondStream Reason = "second_publish"
	Playback     Reason = "playback"

	// Breaches of the protocol or of the limits.
	NotTLS        Reason = "not_tls" // RTMPS whose TLS handshake failed
	NotRTMP       Reason = "not_rtmp"
	BadChunk      Reason = "chunk_header"
	BadChunkSize  Reason = "chunk_size"
	ChunkStreams  Reason = "chunk_streams"
	MessageSize   Reason = "message_size"
	Buffered      Reason = "buffered_bytes"
	BadAMF        Reason = "amf"
	BadCommand    Reason = "command"
	ConnectionCap Reason = "too_many_connections"
	AddressCap    Reason = "too_many_connections_from_address"
	NotReading    Reason = "not_reading" // a write was not taken in time
	Defect        Reason = "internal"    // a panic, or the RTMP library gave up
)

// Reasons lists every reason.
var Reasons = []Reason{
	EndedByPeer, Unpublished, Shutdown, Displaced, HandshakeTimeout, PublishTimeout, IdleTimeout, WrongKey, TooManyKeys,
	Refused, Codec, NoTracks, SecondStream, Playback, NotTLS, NotRTMP, BadChunk, BadChunkSize, ChunkStreams, MessageSize,
	Buffered, BadAMF, BadCommand, ConnectionCap, AddressCap, NotReading, Defect,
}

// Codes of onStatus messages. Encoders built on librtmp end at once, with the description in their log, when they see
// Rejected, Denied or BadName; they keep waiting at Failed.
const (
	codeRejected   = "NetStream.Publish.Rejected"
	codeDenied     = "NetStream.Publish.Denied"
	codePlayFailed = "NetStream.Play.Failed"
)

// ending is the error that ends a connection.
type ending struct {
	reason Reason
	detail string
	code   string // when set, detail goes on the wire under this code first
	err    error  // the cause, for the log
}

func (e *ending) Error() string {
	s := string(e.reason)
	if e.detail != "" {
		s += ": " + e.detail
	}
	if e.err != nil {
		s += ": " + e.err.Error()
	}
	return s
}

func (e *ending) Unwrap() error { return e.err }

// breach ends a connection without a word.
func breach(reason Reason, format string, args ...any) error {
	return &ending{reason: reason, detail: fmt.Sprintf(format, args...)}
}

// reject ends a connection after telling the publisher why.
func reject(reason Reason, code, format string, args ...any) error {
	return &ending{reason: reason, code: code, detail: fmt.Sprintf(format, args...)}
}
