package rtmp

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"io"
	"net"
	"testing"
	"time"
)

// client is a publisher that can write any chunk it is told to.
type client struct {
	t         testing.TB
	net.Conn  // writes go out as they are
	chunkSize int
	replies   *chunkReader
}

// dial connects and shakes hands.
func dial(t testing.TB, addr string) *client {
	t.Helper()
	c := connect(t, addr)
	c.handshake()
	return c
}

// connect connects and says nothing.
func connect(t testing.TB, addr string) *client {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return newClient(t, conn)
}

func newClient(t testing.TB, conn net.Conn) *client {
	limits := messageLimits{media: 1 << 20, control: 1 << 20, buffered: 1 << 20}
	return &client{t: t, Conn: conn, chunkSize: defaultChunkSize, replies: newChunkReader(bufio.NewReader(conn), limits, func(Anomaly) {})}
}

func (c *client) handshake() {
	c.t.Helper()
	said := make(chan error, 1)
	go func() { // the server answers C0 before it reads C1
		_, err := c.Write(hello()[:1+1536])
		said <- err
	}()
	answer := make([]byte, handshakeLength)
	if _, err := io.ReadFull(c, answer); err != nil {
		c.t.Fatalf("handshake: %v", err)
	}
	if err := <-said; err != nil {
		c.t.Fatalf("handshake: %v", err)
	}
	c.write(answer[1 : 1+1536])
}

func (c *client) write(b []byte) {
	c.t.Helper()
	if _, err := c.Write(b); err != nil {
		c.t.Fatalf("write: %v", err)
	}
}

// try writes and does not mind when the server has closed.
func (c *client) try(b []byte) error {
	_ = c.SetWriteDeadline(time.Now().Add(5 * time.Second))
	_, err := c.Write(b)
	return err
}

// chunked renders m on a chunk stream: a type 0 header, then type 3 chunks, which repeat the extended timestamp or not.
func chunked(m message, id byte, chunkSize int, repeat bool) []byte {
	field := min(m.timestamp, extended)
	b := []byte{id, byte(field >> 16), byte(field >> 8), byte(field), byte(len(m.body) >> 16), byte(len(m.body) >> 8), byte(len(m.body)), m.typeID}
	b = binary.LittleEndian.AppendUint32(b, m.streamID)
	if field == extended {
		b = binary.BigEndian.AppendUint32(b, m.timestamp)
	}
	for rest := m.body; ; {
		n := min(len(rest), chunkSize)
		b, rest = append(b, rest[:n]...), rest[n:]
		if len(rest) == 0 {
			return b
		}
		b = append(b, 0xC0|id)
		if field == extended && repeat {
			b = binary.BigEndian.AppendUint32(b, m.timestamp)
		}
	}
}

// send writes a message, with extended timestamps as the specification has them.
func (c *client) send(m message) {
	c.t.Helper()
	c.write(chunked(m, chunkStreamOf(m), c.chunkSize, true))
}

func chunkStreamOf(m message) byte {
	switch m.typeID {
	case typeSetChunkSize, typeAbort, typeAck, typeUserControl, typeWindowAckSize, typePeerBandwidth:
		return 2
	case typeAudio:
		return 4
	case typeVideo:
		return 6
	}
	return 3
}

func (c *client) setChunkSize(n int) {
	c.t.Helper()
	c.send(message{typeID: typeSetChunkSize, body: binary.BigEndian.AppendUint32(nil, uint32(n))})
	c.chunkSize = n
}

func values(vs ...any) []byte {
	var b []byte
	for _, v := range vs {
		b = appendAMF(b, v)
	}
	return b
}

func (c *client) command(streamID uint32, vs ...any) {
	c.t.Helper()
	c.send(message{typeID: typeCommandAMF0, streamID: streamID, body: values(vs...)})
}

// reply returns the values of the next command that the server sends under one of these names.
func (c *client) reply(names ...string) []any {
	c.t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
	for {
		m, err := c.replies.next()
		if err != nil {
			c.t.Fatalf("waiting for %v: %v", names, err)
		}
		if m.typeID != typeCommandAMF0 {
			continue
		}
		d := amfDecoder{b: m.body}
		vs, err := d.all()
		if err != nil || len(vs) < 2 {
			c.t.Fatalf("reply %x: %v", m.body, err)
		}
		for _, name := range names {
			if vs[0] == name {
				return vs
			}
		}
	}
}

// status returns code and description of the next onStatus.
func (c *client) status() (code, description string) {
	c.t.Helper()
	vs := c.reply("onStatus")
	info, ok := vs[len(vs)-1].(amfObject)
	if !ok {
		c.t.Fatalf("onStatus %v", vs)
	}
	return info.text("code"), info.text("description")
}

// negotiate goes as far as a created stream.
func (c *client) negotiate(app string) {
	c.t.Helper()
	c.command(0, "connect", 1.0, amfObject{{"app", app}, {"flashVer", "test/1.0"}, {"tcUrl", "rtmp://test/" + app}})
	c.reply("_result")
	c.command(0, "releaseStream", 2.0, nil, "x")
	c.command(0, "FCPublish", 3.0, nil, "x")
	c.command(0, "createStream", 4.0, nil)
	vs := c.reply("_result")
	if len(vs) != 4 || vs[1] != 4.0 || vs[3] != 1.0 {
		c.t.Fatalf("createStream: %v", vs)
	}
}

// publish negotiates a publish and returns the server's verdict.
func (c *client) publish(key string) (code, description string) {
	c.t.Helper()
	c.negotiate("live")
	c.setChunkSize(4096)
	c.command(1, "publish", 5.0, nil, key, "live")
	return c.status()
}

// mustPublish publishes, and announces its tracks.
func (c *client) mustPublish(key string) {
	c.t.Helper()
	if code, description := c.publish(key); code != "NetStream.Publish.Start" {
		c.t.Fatalf("publish: %s: %s", code, description)
	}
	c.video(0, avcConfig(testSPS, testPPS))
	c.audio(0, aacConfig)
}

func (c *client) video(timestamp uint32, tag []byte) {
	c.t.Helper()
	c.send(message{typeID: typeVideo, timestamp: timestamp, streamID: 1, body: tag})
}

func (c *client) audio(timestamp uint32, tag []byte) {
	c.t.Helper()
	c.send(message{typeID: typeAudio, timestamp: timestamp, streamID: 1, body: tag})
}

// closedByServer waits for the server to close and fails if it does not.
func (c *client) closedByServer() {
	c.t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.Copy(io.Discard, c); err != nil && isTimeout(err) {
		c.t.Fatal("the server did not close")
	}
	c.Close()
}

func isTimeout(err error) bool {
	ne, ok := err.(net.Error) //nolint:errorlint // straight from the connection
	return ok && ne.Timeout()
}

// What encoders send. The parameter sets are x264's for 320x180 and 640x360.
var (
	testSPS  = unhex("6764000dacd941419f9f0110000003001000000303c0f1429960")
	otherSPS = unhex("6764001eacd940a02ff970110000030001000003003c0f162d96")
	testPPS  = unhex("68ebe3cb22c0")

	aacConfig = []byte{0xAF, 0, 0x11, 0x90, 0x56, 0xE5, 0x00} // OBS: LC, 48 kHz, stereo, SBR off
	aacFrame  = []byte{0xAF, 1, 0x21, 0x10, 0x04, 0x60, 0x8C, 0x1C}
	idr       = []byte{0x65, 0x88, 0x84, 0x00, 0x10}
	slice     = []byte{0x41, 0x9A, 0x24, 0x6C, 0x41}
)

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

// avcRecord makes an AVCDecoderConfigurationRecord.
func avcRecord(lengthSize int, sps, pps []byte) []byte {
	b := []byte{1, sps[1], sps[2], sps[3], 0xFC | byte(lengthSize-1), 0xE1}
	b = append(binary.BigEndian.AppendUint16(b, uint16(len(sps))), sps...)
	return append(binary.BigEndian.AppendUint16(append(b, 1), uint16(len(pps))), pps...)
}

// avcConfig is the tag of a sequence header.
func avcConfig(sps, pps []byte) []byte {
	return append([]byte{0x17, 0, 0, 0, 0}, avcRecord(4, sps, pps)...)
}

// avcFrame is the tag of one picture with a composition offset.
func avcFrame(cts int32, nals ...[]byte) []byte {
	frame := byte(0x27)
	for _, n := range nals {
		if len(n) > 0 && n[0]&0x1F == avcIDR {
			frame = 0x17
		}
	}
	return append([]byte{frame, 1, byte(cts >> 16), byte(cts >> 8), byte(cts)}, lengthPrefixed(nals...)...)
}

func lengthPrefixed(nals ...[]byte) []byte {
	var b []byte
	for _, n := range nals {
		b = append(binary.BigEndian.AppendUint32(b, uint32(len(n))), n...)
	}
	return b
}

// filled is a NAL unit of n bytes that begins like nal.
func filled(nal []byte, n int) []byte {
	return append(bytes.Clone(nal), bytes.Repeat([]byte{0x5A}, n-len(nal))...)
}
