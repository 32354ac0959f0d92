package rtmp

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
)

// Message type IDs (RTMP 1.0, 5.4 and 7.1).
const (
	typeSetChunkSize  = 1
	typeAbort         = 2
	typeAck           = 3
	typeUserControl   = 4
	typeWindowAckSize = 5
	typePeerBandwidth = 6
	typeAudio         = 8
	typeVideo         = 9
	typeDataAMF3      = 15
	typeCommandAMF3   = 17
	typeDataAMF0      = 18
	typeCommandAMF0   = 20
	typeAggregate     = 22
)

const (
	defaultChunkSize  = 128      // 5.4.1
	maxChunkSize      = 1 << 20  // no encoder uses more than 64 KiB
	maxChunkStreams   = 16       // encoders use two to five
	maxMessageLength  = 16 << 20 // what 24 bits can say, and one
	maxControlMessage = 64 << 10
	extended          = 0xFFFFFF // in the timestamp field: the real value follows in 4 bytes (5.3.1.3)

	// plausibleStep is the longest time between two messages of a chunk stream that may be meant when a type 3 chunk
	// begins a message right after a type 0 one.
	plausibleStep = 1000
)

// message is one whole RTMP message. Its body belongs to whoever receives it.
type message struct {
	typeID    byte
	timestamp uint32 // milliseconds, absolute
	streamID  uint32
	body      []byte
}

// messageLimits bound what a connection may make us hold.
type messageLimits struct {
	media    int // longest audio, video or aggregate message
	control  int // longest other message
	buffered int // announced bytes of all messages that have begun and not ended
}

// chunkReader puts the messages of a chunk stream (RTMP 1.0, 5.3) together. What breaks the protocol or a limit is an
// *ending; errors of the reader below come through unchanged. It is for one goroutine.
type chunkReader struct {
	r         *bufio.Reader
	limits    messageLimits
	chunkSize int
	streams   []*chunkStream // searched in order: there are a handful
	buffered  int
	repeats   repetition
	anomaly   func(Anomaly)
}

// repetition is what is known of this peer: whether its type 3 chunks repeat the extended timestamp. The specification
// says yes, several encoders say no.
type repetition byte

const (
	repeatsUnknown repetition = iota
	repeatsAlways
	repeatsNever
)

// chunkStream is the state of one chunk stream ID.
type chunkStream struct {
	id        uint32
	begun     bool   // a message header has been seen
	absolute  bool   // the last one was of type 0
	field     uint32 // its timestamp or delta, the extended one if there was one
	extended  bool
	delta     uint32 // what a type 3 chunk that begins a message adds
	timestamp uint32
	length    int
	typeID    byte
	streamID  uint32
	body      []byte // of the message in flight, nil between messages; its capacity is the message's length
}

func newChunkReader(r *bufio.Reader, limits messageLimits, anomaly func(Anomaly)) *chunkReader {
	return &chunkReader{r: r, limits: limits, chunkSize: defaultChunkSize, anomaly: anomaly}
}

// next returns the next message. Set Chunk Size and Abort, which concern the chunk layer alone, are obeyed and not
// returned.
func (c *chunkReader) next() (message, error) {
	for {
		m, whole, err := c.chunk()
		switch {
		case err != nil:
			return message{}, err
		case !whole:
			continue
		}
		switch m.typeID {
		case typeSetChunkSize:
			err = c.setChunkSize(m.body)
		case typeAbort:
			c.abort(m.body)
		default:
			return m, nil
		}
		if err != nil {
			return message{}, err
		}
	}
}

// chunk reads one chunk; whole says that it completed m.
func (c *chunkReader) chunk() (m message, whole bool, err error) {
	format, id, err := c.basicHeader()
	if err != nil {
		return m, false, err
	}
	s, err := c.stream(id)
	if err != nil {
		return m, false, err
	}
	if err := c.messageHeader(s, format); err != nil {
		return m, false, err
	}
	have := len(s.body)
	want := min(have+c.chunkSize, s.length)
	if _, err := io.ReadFull(c.r, s.body[have:want]); err != nil {
		return m, false, err
	}
	s.body = s.body[:want]
	if want < s.length {
		return m, false, nil
	}
	m = message{typeID: s.typeID, timestamp: s.timestamp, streamID: s.streamID, body: s.body}
	c.release(s)
	return m, true, nil
}

// basicHeader reads the format and the chunk stream ID (5.3.1.1).
func (c *chunkReader) basicHeader() (format byte, id uint32, err error) {
	b, err := c.r.ReadByte()
	if err != nil {
		return 0, 0, err
	}
	format, id = b>>6, uint32(b&0x3F)
	if id > 1 {
		return format, id, nil
	}
	more, err := c.take(1 + int(id))
	if err != nil {
		return 0, 0, err
	}
	wide := id == 1
	id = 64 + uint32(more[0])
	if wide {
		id += uint32(more[1]) << 8
	}
	return format, id, nil
}

func (c *chunkReader) stream(id uint32) (*chunkStream, error) {
	for _, s := range c.streams {
		if s.id == id {
			return s, nil
		}
	}
	if len(c.streams) == maxChunkStreams {
		return nil, breach(ChunkStreams, "more than %d chunk streams", maxChunkStreams)
	}
	s := &chunkStream{id: id}
	c.streams = append(c.streams, s)
	return s, nil
}

// messageHeader reads the header of one chunk (5.3.1.2) and, where it begins a message, opens that.
func (c *chunkReader) messageHeader(s *chunkStream, format byte) error {
	if format == 3 {
		return c.continuation(s)
	}
	if !s.begun && format == 2 {
		return breach(BadChunk, "chunk stream %d begins with a chunk of type 2", s.id)
	}
	if s.body != nil { // no encoder does this on purpose; the unfinished message is lost
		c.anomaly(InterruptedMessage)
		c.release(s)
	}
	h, err := c.take([...]int{11, 7, 3}[format])
	if err != nil {
		return err
	}
	s.field = uint24(h)
	if format <= 1 {
		s.length, s.typeID = int(uint24(h[3:])), h[6]
	}
	if format == 0 {
		s.streamID = binary.LittleEndian.Uint32(h[7:])
	}
	if s.extended = s.field == extended; s.extended {
		b, err := c.take(4)
		if err != nil {
			return err
		}
		s.field = binary.BigEndian.Uint32(b)
	}
	s.begun, s.absolute = true, format == 0
	if s.absolute {
		s.timestamp, s.delta = s.field, impliedDelta(s.field)
	} else {
		s.timestamp, s.delta = s.timestamp+s.field, s.field
	}
	return c.open(s)
}

// impliedDelta is what a type 3 chunk that begins a message right after a type 0 one adds to the timestamp. By 5.3.1.2.4
// it is the timestamp of the type 0 chunk, and ffmpeg sends it so, when its first step happens to equal its first
// timestamp. Others mean "at the same time", and only that makes sense once the timestamp is no likely step.
func impliedDelta(timestamp uint32) uint32 {
	if timestamp < plausibleStep {
		return timestamp
	}
	return 0
}

// continuation handles a type 3 chunk: the rest of a message, or a message like the last one.
func (c *chunkReader) continuation(s *chunkStream) error {
	if !s.begun {
		return breach(BadChunk, "chunk stream %d begins with a chunk of type 3", s.id)
	}
	if s.body != nil {
		return c.skipRepetition(s)
	}
	at, err := c.repeated(s)
	if err != nil {
		return err
	}
	switch {
	case at == nil:
		s.timestamp += s.delta
	case s.absolute:
		s.timestamp, s.field = *at, *at
	default:
		s.timestamp += *at
	}
	return c.open(s)
}

// skipRepetition drops the extended timestamp that a chunk within a message may repeat: the four bytes are taken for it
// when they equal the header's field or the message's timestamp, and left as payload otherwise.
func (c *chunkReader) skipRepetition(s *chunkStream) error {
	if !s.extended {
		return nil
	}
	if c.repeats == repeatsNever && s.length-len(s.body) < 4 {
		return nil // the bytes to compare may be those of the next message, long to come
	}
	at, err := c.peek32()
	if err != nil || at == nil {
		return err
	}
	if *at != s.field && *at != s.timestamp {
		c.repeats = repeatsNever
		return nil
	}
	c.repeats = repeatsAlways
	_, err = c.take(4)
	return err
}

// repeated returns the extended timestamp of a type 3 chunk that begins a message, or nil when there is none. A peer
// that is not known to repeat must show the same value, or an absolute one that is a little later.
func (c *chunkReader) repeated(s *chunkStream) (*uint32, error) {
	if !s.extended || c.repeats == repeatsNever {
		return nil, nil
	}
	at, err := c.peek32()
	if err != nil || at == nil {
		return nil, err
	}
	likely := *at == s.field || s.absolute && *at-s.field < plausibleStep
	if c.repeats == repeatsUnknown && !likely {
		return nil, nil
	}
	_, err = c.take(4)
	return at, err
}

// peek32 returns the next four bytes, or nil when the peer ends before.
func (c *chunkReader) peek32() (*uint32, error) {
	b, err := c.r.Peek(4)
	if errors.Is(err, io.EOF) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	v := binary.BigEndian.Uint32(b)
	return &v, nil
}

// open begins the message that s describes.
func (c *chunkReader) open(s *chunkStream) error {
	limit := c.limits.control
	if s.typeID == typeAudio || s.typeID == typeVideo || s.typeID == typeAggregate {
		limit = c.limits.media
	}
	if s.length > limit {
		return breach(MessageSize, "a message of type %d with %d bytes, at most %d are allowed", s.typeID, s.length, limit)
	}
	if c.buffered+s.length > c.limits.buffered {
		return breach(Buffered, "unfinished messages of more than %d bytes", c.limits.buffered)
	}
	c.buffered += s.length
	s.body = make([]byte, 0, s.length)
	return nil
}

// release ends the message in flight on s.
func (c *chunkReader) release(s *chunkStream) {
	s.body = nil
	c.buffered -= s.length
}

func (c *chunkReader) setChunkSize(body []byte) error {
	if len(body) < 4 {
		return breach(BadChunkSize, "a Set Chunk Size message of %d bytes", len(body))
	}
	size := binary.BigEndian.Uint32(body)
	if size < 1 || size > maxChunkSize {
		return breach(BadChunkSize, "a chunk size of %d, 1 to %d are allowed", size, maxChunkSize)
	}
	c.chunkSize = int(size)
	return nil
}

// abort drops the unfinished message of the named chunk stream (5.4.2).
func (c *chunkReader) abort(body []byte) {
	if len(body) < 4 {
		c.anomaly(UnknownMessage)
		return
	}
	id := binary.BigEndian.Uint32(body)
	for _, s := range c.streams {
		if s.id == id && s.body != nil {
			c.anomaly(AbortedMessage)
			c.release(s)
		}
	}
}

// take returns the next n bytes, n <= 11, valid until the next read.
func (c *chunkReader) take(n int) ([]byte, error) {
	b, err := c.r.Peek(n)
	if err != nil {
		return nil, err
	}
	_, _ = c.r.Discard(n) // n bytes are buffered
	return b, nil
}

func uint24(b []byte) uint32 { return uint32(b[0])<<16 | uint32(b[1])<<8 | uint32(b[2]) }
