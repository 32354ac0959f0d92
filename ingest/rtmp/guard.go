package rtmp

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"runtime/debug"
)

const (
	rtmpVersion = 3
	// handshakeLength is C0, C1 and C2 (RTMP 1.0, 5.2).
	handshakeLength = 1 + 1536 + 1536
	// readBuffer takes what a publisher sends between two wake-ups in one system call.
	readBuffer = 64 << 10
	// libraryChunkSize is announced to the library, so that each message we hand to it is one chunk.
	libraryChunkSize = maxControlMessage
	// libraryChunkStream carries all that we hand to the library, which answers on it.
	libraryChunkStream = 3
)

// consumer is what the guard serves. All its methods run on the goroutine that reads the guard.
type consumer interface {
	// handshaken is told when the handshake is over.
	handshaken()
	// admit is asked before each message, and may wait.
	admit() error
	// media takes an audio or video message and owns its body.
	media(m message) error
	// data takes an AMF 0 data message.
	data(m message) error
	// command takes a command, which it may correct; forward says that the RTMP library is to answer it.
	command(c *command) (forward bool, err error)
	// control takes a protocol or user control message.
	control(m message) error
}

// guard stands between a publisher and the RTMP library, which reads the connection through it. Media and data messages
// never reach the library: the guard has put them together, so it hands them straight to the consumer, in the order of
// the wire and on the same goroutine. Commands are decoded within limits and passed on in a plain form of their own; all
// else that could harm the library (see its many panics on odd chunks and AMF) ends here.
//
// Read returns an *ending, or the error of the connection.
type guard struct {
	source    io.Reader
	consumer  consumer
	anomaly   func(Anomaly)
	handshake int // bytes of it still to come
	chunks    *chunkReader
	pending   []byte // for the library
}

func newGuard(source io.Reader, c consumer, anomaly func(Anomaly)) *guard {
	return &guard{source: source, consumer: c, anomaly: anomaly, handshake: handshakeLength}
}

// unauthenticated and publishing are what a stranger and an accepted publisher may make us hold.
func unauthenticated() messageLimits {
	return messageLimits{media: maxControlMessage, control: maxControlMessage, buffered: 4 * maxControlMessage}
}

func publishing(maxMedia int) messageLimits {
	return messageLimits{media: maxMedia, control: maxControlMessage, buffered: 2 * maxMedia}
}

// Read gives the library its next bytes. It returns only when there is something for the library: through a whole show
// it blocks here while media goes by.
func (g *guard) Read(p []byte) (n int, err error) {
	defer func() {
		if r := recover(); r != nil {
			n, err = 0, &ending{reason: Defect, detail: "panic", err: fmt.Errorf("%v\n%s", r, debug.Stack())}
		}
	}()
	if g.handshake > 0 {
		return g.readHandshake(p)
	}
	for len(g.pending) == 0 {
		m, err := g.chunks.next()
		if err != nil {
			return 0, err
		}
		if err := g.consumer.admit(); err != nil {
			return 0, err
		}
		if err := g.route(m); err != nil {
			return 0, err
		}
	}
	n = copy(p, g.pending)
	g.pending = g.pending[n:]
	return n, nil
}

// readHandshake lets the handshake through, byte by byte as the library asks, and never a byte beyond.
func (g *guard) readHandshake(p []byte) (int, error) {
	n, err := g.source.Read(p[:min(len(p), g.handshake)])
	if n > 0 && g.handshake == handshakeLength && p[0] != rtmpVersion {
		return 0, breach(NotRTMP, "the first byte is 0x%02x, not RTMP version 3", p[0])
	}
	if g.handshake -= n; g.handshake == 0 {
		g.chunks = newChunkReader(bufio.NewReaderSize(g.source, readBuffer), unauthenticated(), g.anomaly)
		size := binary.BigEndian.AppendUint32(nil, libraryChunkSize)
		g.pending = appendChunk(nil, message{typeID: typeSetChunkSize, body: size})
		g.consumer.handshaken()
	}
	return n, err
}

// accept raises the limits to those of an accepted publisher.
func (g *guard) accept(maxMedia int) { g.chunks.limits = publishing(maxMedia) }

// route sends one message where it belongs.
func (g *guard) route(m message) error {
	if len(m.body) == 0 {
		g.anomaly(EmptyMessage)
		return nil
	}
	switch m.typeID {
	case typeAudio, typeVideo:
		return g.consumer.media(m)
	case typeDataAMF0:
		return g.consumer.data(m)
	case typeCommandAMF0:
		return g.command(m)
	case typeDataAMF3, typeCommandAMF3:
		return g.route(fromAMF3(m))
	case typeAggregate:
		return g.aggregate(m)
	case typeAck, typeUserControl, typeWindowAckSize, typePeerBandwidth:
		return g.consumer.control(m)
	}
	g.anomaly(UnknownMessage)
	return nil
}

// fromAMF3 makes the AMF 0 message out of an AMF 3 one: encoders put AMF 0 behind a format byte of zero (AMF 3, 4.1),
// and turn to AMF 3 within it only for types that no command needs.
func fromAMF3(m message) message {
	if m.body[0] == 0 {
		m.body = m.body[1:]
	}
	m.typeID += typeCommandAMF0 - typeCommandAMF3
	return m
}

func (g *guard) command(m message) error {
	c, err := parseCommand(m)
	if err != nil {
		return err
	}
	forward, err := g.consumer.command(&c)
	if err != nil || !forward {
		return err
	}
	body := c.canonical()
	if len(body) > libraryChunkSize {
		return breach(BadCommand, "a %s command of %d bytes", c.name, len(body))
	}
	g.pending = appendChunk(g.pending[:0], message{typeID: typeCommandAMF0, streamID: c.streamID, body: body})
	return nil
}

// aggregate splits an aggregate message (RTMP 1.0, 7.1.6), whose body is a row of FLV tags. The first tag's timestamp
// stands for the message's.
func (g *guard) aggregate(m message) error {
	const header, trailer = 11, 4
	var first uint32
	for body, i := m.body, 0; len(body) > 0; i++ {
		if len(body) < header {
			g.anomaly(TruncatedAggregate)
			return nil
		}
		size := int(uint24(body[1:]))
		at := uint24(body[4:]) | uint32(body[7])<<24
		if header+size > len(body) {
			g.anomaly(TruncatedAggregate)
			return nil
		}
		if i == 0 {
			first = at
		}
		part := message{typeID: body[0], timestamp: m.timestamp + at - first, streamID: m.streamID, body: body[header : header+size : header+size]}
		if part.typeID == typeAggregate {
			g.anomaly(UnknownMessage)
		} else if err := g.part(part); err != nil {
			return err
		}
		body = body[min(header+size+trailer, len(body)):]
	}
	return nil
}

// part routes what an aggregate message carries, which counts as a message of its own.
func (g *guard) part(m message) error {
	if err := g.consumer.admit(); err != nil {
		return err
	}
	return g.route(m)
}

// appendChunk appends m as a single type 0 chunk without extended timestamp.
func appendChunk(dst []byte, m message) []byte {
	dst = append(dst, libraryChunkStream, 0, 0, 0, byte(len(m.body)>>16), byte(len(m.body)>>8), byte(len(m.body)), m.typeID)
	return append(binary.LittleEndian.AppendUint32(dst, m.streamID), m.body...)
}
