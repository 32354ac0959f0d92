package rtmp

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// Raw chunks. id is that of the basic header's first form.

func fmt0(id byte, field uint32, length int, typeID byte, rest ...byte) []byte {
	b := []byte{id, byte(field >> 16), byte(field >> 8), byte(field), byte(length >> 16), byte(length >> 8), byte(length), typeID, 1, 0, 0, 0}
	return append(b, rest...)
}

func fmt1(id byte, field uint32, length int, typeID byte, rest ...byte) []byte {
	b := []byte{0x40 | id, byte(field >> 16), byte(field >> 8), byte(field), byte(length >> 16), byte(length >> 8), byte(length), typeID}
	return append(b, rest...)
}

func fmt2(id byte, field uint32, rest ...byte) []byte {
	return append([]byte{0x80 | id, byte(field >> 16), byte(field >> 8), byte(field)}, rest...)
}

func fmt3(id byte, rest ...byte) []byte { return append([]byte{0xC0 | id}, rest...) }

func u32(v uint32) []byte { return binary.BigEndian.AppendUint32(nil, v) }

func cat(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// text returns n payload bytes.
func text(n int) []byte { return bytes.Repeat([]byte("abcdefghij"), n/10+1)[:n] }

// chunkCases are what a chunk stream may look like. They seed the fuzzers as well.
var chunkCases = []struct {
	name string
	wire []byte
	want []string // "type@timestamp:length", see show
	ends Reason   // instead of the end of the stream
	odd  []Anomaly
}{
	{name: "one chunk", wire: fmt0(3, 7, 3, 20, 'a', 'b', 'c'), want: []string{"20@7:abc"}},
	{name: "several chunks", wire: cat(fmt0(3, 7, 300, 9, text(128)...), fmt3(3, text(128)...), fmt3(3, text(44)...)), want: []string{"9@7:300"}},
	{name: "interleaved", wire: cat(
		fmt0(4, 1, 130, 8, text(128)...), fmt0(6, 2, 129, 9, text(128)...), fmt3(4, 'x', 'y'), fmt3(6, 'z'),
	), want: []string{"8@1:130", "9@2:129"}},
	{name: "deltas", wire: cat(
		fmt0(4, 5000, 1, 8, 'a'), fmt1(4, 10, 2, 8, 'b', 'c'), fmt2(4, 20, 'd', 'e'), fmt3(4, 'f', 'g'), fmt1(4, 0, 1, 9, 'h'),
	), want: []string{"8@5000:a", "8@5010:bc", "8@5030:de", "8@5050:fg", "9@5050:h"}},
	{name: "a type 3 message repeats the timestamp of type 0 when that is a step", wire: cat(fmt0(4, 23, 1, 8, 'a'), fmt3(4, 'b'), fmt3(4, 'c')), want: []string{"8@23:a", "8@46:b", "8@69:c"}},
	{name: "and not when it is none", wire: cat(fmt0(4, 7000, 1, 8, 'a'), fmt3(4, 'b')), want: []string{"8@7000:a", "8@7000:b"}},
	{name: "a chunk stream that begins with type 1", wire: fmt1(4, 40, 1, 8, 'a'), want: []string{"8@40:a"}},
	{name: "2-byte chunk stream ID", wire: cat([]byte{0, 10}, fmt0(0, 0, 1, 8, 'a')[1:]), want: []string{"8@0:a"}},
	{name: "3-byte chunk stream ID", wire: cat(
		[]byte{1, 0xFF, 0xFF}, fmt0(0, 0, 130, 8, text(128)...)[1:], fmt0(9, 1, 1, 9, 'v'), []byte{0xC1, 0xFF, 0xFF, 'y', 'z'},
	), want: []string{"9@1:v", "8@0:130"}},
	{name: "one ID in two forms", wire: cat(
		[]byte{0, 10}, fmt0(0, 0, 130, 8, text(128)...)[1:], []byte{0xC1, 10, 0, 'y', 'z'},
	), want: []string{"8@0:130"}},

	{name: "extended timestamp", wire: fmt0(4, extended, 1, 8, append(u32(0x1000000), 'a')...), want: []string{"8@16777216:a"}},
	{name: "extended timestamp below the border", wire: fmt0(4, extended, 1, 8, append(u32(5), 'a')...), want: []string{"8@5:a"}},
	{name: "type 3 repeats it", wire: cat(
		fmt0(4, extended, 200, 9, append(u32(0x1000000), text(128)...)...), fmt3(4, append(u32(0x1000000), text(72)...)...),
	), want: []string{"9@16777216:200"}},
	{name: "type 3 does not repeat it", wire: cat(
		fmt0(4, extended, 200, 9, append(u32(0x1000000), text(128)...)...), fmt3(4, text(72)...),
	), want: []string{"9@16777216:200"}},
	{name: "type 3 does not repeat it and little is left", wire: cat(
		fmt0(4, extended, 130, 9, append(u32(0x1000000), text(128)...)...), fmt3(4, 'i', 'j'),
	), want: []string{"9@16777216:130"}},
	{name: "extended delta, repeated", wire: cat(
		fmt0(4, 100, 1, 9, 'a'), fmt1(4, extended, 130, 9, append(u32(0x2000000), text(128)...)...), fmt3(4, append(u32(0x2000000), 'i', 'j')...),
	), want: []string{"9@100:a", "9@33554532:130"}},
	{name: "extended delta, type 3 carries the absolute timestamp", wire: cat(
		fmt0(4, 100, 1, 9, 'a'), fmt1(4, extended, 130, 9, append(u32(0x2000000), text(128)...)...), fmt3(4, append(u32(0x2000064), 'i', 'j')...),
	), want: []string{"9@100:a", "9@33554532:130"}},
	{name: "a type 3 message after an extended type 0, the same time", wire: cat(
		fmt0(4, extended, 4, 8, append(u32(0x1000000), "abcd"...)...), fmt3(4, append(u32(0x1000000), "efgh"...)...),
	), want: []string{"8@16777216:abcd", "8@16777216:efgh"}},
	{name: "a little later", wire: cat(
		fmt0(4, extended, 4, 8, append(u32(0x1000000), "abcd"...)...), fmt3(4, append(u32(0x1000017), "efgh"...)...),
	), want: []string{"8@16777216:abcd", "8@16777239:efgh"}},
	{name: "not repeated at all", wire: cat(
		fmt0(4, extended, 4, 8, append(u32(0x1000000), "abcd"...)...), fmt3(4, []byte("efgh")...),
	), want: []string{"8@16777216:abcd", "8@16777216:efgh"}},
	{name: "not repeated, as is known by then", wire: cat(
		fmt0(4, extended, 200, 9, append(u32(0x1000000), text(128)...)...), fmt3(4, text(72)...),
		fmt3(4, text(128)...), fmt3(4, text(72)...),
	), want: []string{"9@16777216:200", "9@16777216:200"}},
	{name: "an extended delta of a type 3 message", wire: cat(
		fmt0(4, 0, 1, 8, 'a'), fmt2(4, extended, append(u32(0x1000000), 'b')...), fmt3(4, append(u32(0x1000000), 'c')...),
	), want: []string{"8@0:a", "8@16777216:b", "8@33554432:c"}},
	{name: "timestamps wrap", wire: cat(fmt0(4, extended, 1, 8, append(u32(0xFFFFFFFF), 'a')...), fmt2(4, 21, 'b')), want: []string{"8@4294967295:a", "8@20:b"}},

	{name: "set chunk size", wire: cat(fmt0(2, 0, 4, 1, u32(300)...), fmt0(4, 0, 300, 9, text(300)...)), want: []string{"9@0:300"}},
	{name: "chunk size 1", wire: cat(fmt0(2, 0, 4, 1, u32(1)...), fmt0(4, 0, 2, 9, 'a'), fmt3(4, 'b')), want: []string{"9@0:ab"}},
	{name: "chunk size 0", wire: fmt0(2, 0, 4, 1, u32(0)...), ends: BadChunkSize},
	{name: "chunk size 2^31-1", wire: fmt0(2, 0, 4, 1, u32(1<<31-1)...), ends: BadChunkSize},
	{name: "chunk size with the reserved bit", wire: fmt0(2, 0, 4, 1, u32(1<<31|128)...), ends: BadChunkSize},
	{name: "short set chunk size", wire: fmt0(2, 0, 2, 1, 0, 1), ends: BadChunkSize},
	{name: "abort", wire: cat(
		fmt0(4, 0, 200, 9, text(128)...), fmt0(2, 0, 4, 2, u32(4)...), fmt0(4, 5, 1, 9, 'a'),
	), want: []string{"9@5:a"}, odd: []Anomaly{AbortedMessage}},
	{name: "abort of nothing, short abort", wire: cat(fmt0(2, 0, 4, 2, u32(4)...), fmt0(2, 0, 1, 2, 1), fmt0(4, 5, 1, 9, 'a')), want: []string{"9@5:a"}, odd: []Anomaly{UnknownMessage}},
	{name: "a new message within another", wire: cat(fmt0(4, 0, 200, 9, text(128)...), fmt0(4, 5, 1, 9, 'a')), want: []string{"9@5:a"}, odd: []Anomaly{InterruptedMessage}},
	{name: "a header that shortens a message", wire: cat(fmt0(4, 0, 200, 9, text(128)...), fmt1(4, 5, 1, 9, 'a')), want: []string{"9@5:a"}, odd: []Anomaly{InterruptedMessage}},
	{name: "messages of no length", wire: cat(fmt0(4, 0, 0, 8), fmt0(4, 1, 0, 0), fmt0(4, 2, 1, 8, 'a')), want: []string{"8@0:", "0@1:", "8@2:a"}},

	{name: "type 3 on a new chunk stream", wire: fmt3(4, 'a'), ends: BadChunk},
	{name: "type 2 on a new chunk stream", wire: fmt2(4, 0, 'a'), ends: BadChunk},
	{name: "a command too long", wire: fmt0(4, 0, maxControlMessage+1, 20), ends: MessageSize},
	{name: "media too long", wire: fmt0(4, 0, 1<<17+1, 9), ends: MessageSize},
	{name: "too much in flight", wire: cat(
		fmt0(4, 0, 1<<17, 9, text(128)...), fmt0(5, 0, 1<<17, 9, text(128)...), fmt0(6, 0, 1, 9, 'a'),
	), ends: Buffered},
	{name: "too many chunk streams", wire: func() []byte {
		var b []byte
		for id := byte(2); id < 2+maxChunkStreams+1; id++ {
			b = append(b, fmt0(id, 0, 200, 9, text(128)...)...)
		}
		return b
	}(), ends: ChunkStreams},
	{name: "as many as allowed", wire: func() []byte {
		var b []byte
		for id := byte(2); id < 2+maxChunkStreams; id++ {
			b = append(b, fmt0(id, 0, 1, 9, 'a')...)
		}
		return b
	}(), want: strings.Split(strings.Repeat("9@0:a ", maxChunkStreams)[:6*maxChunkStreams-1], " ")},
}

var testLimits = messageLimits{media: 1 << 17, control: maxControlMessage, buffered: 1 << 18}

// show renders a message; long bodies, which are text(n), by their length.
func show(m message) string {
	body := string(m.body)
	if len(body) > 20 {
		body = fmt.Sprint(len(body))
	}
	return fmt.Sprintf("%d@%d:%s", m.typeID, m.timestamp, body)
}

func TestChunkReader(t *testing.T) {
	readers := map[string]func(io.Reader) io.Reader{
		"at once":      func(r io.Reader) io.Reader { return r },
		"byte by byte": iotest.OneByteReader,
	}
	for _, c := range chunkCases {
		for how, reader := range readers {
			t.Run(c.name+", "+how, func(t *testing.T) {
				var got []string
				var odd []Anomaly
				r := newChunkReader(bufio.NewReaderSize(reader(bytes.NewReader(c.wire)), 64), testLimits, func(a Anomaly) { odd = append(odd, a) })
				m, err := r.next()
				for ; err == nil; m, err = r.next() {
					got = append(got, show(m))
				}
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Error(diff)
				}
				if diff := cmp.Diff(c.odd, odd); diff != "" {
					t.Error(diff)
				}
				var e *ending
				switch {
				case c.ends == "" && !errors.Is(err, io.EOF):
					t.Errorf("ended by %v", err)
				case c.ends != "" && (!errors.As(err, &e) || e.reason != c.ends):
					t.Errorf("ended by %v, want %s", err, c.ends)
				case c.ends == "" && r.buffered != 0:
					t.Errorf("%d bytes counted as in flight", r.buffered)
				}
			})
		}
	}
}

// The payload of interleaved and repeated chunks is exactly what was sent.
func TestChunkReaderKeepsPayload(t *testing.T) {
	for _, repeat := range []bool{true, false} {
		for _, size := range []int{1, 2, 3, 5, 128, 4096} {
			body := text(1000)
			m := message{typeID: typeVideo, timestamp: 0x1234567, streamID: 1, body: body}
			wire := cat(fmt0(2, 0, 4, 1, u32(uint32(size))...), chunked(m, 6, size, repeat), chunked(m, 6, size, repeat))
			r := newChunkReader(bufio.NewReader(bytes.NewReader(wire)), testLimits, func(Anomaly) {})
			for range 2 {
				got, err := r.next()
				if err != nil || !bytes.Equal(got.body, body) || got.timestamp != m.timestamp {
					t.Fatalf("chunk size %d, repeat %v: %v, %d bytes at %d", size, repeat, err, len(got.body), got.timestamp)
				}
			}
		}
	}
}

func FuzzChunkReader(f *testing.F) {
	for _, c := range chunkCases {
		f.Add(c.wire)
	}
	f.Fuzz(func(t *testing.T, wire []byte) {
		r := newChunkReader(bufio.NewReaderSize(bytes.NewReader(wire), 64), testLimits, func(Anomaly) {})
		total := 0
		for {
			m, err := r.next()
			if err != nil {
				break
			}
			total += len(m.body)
			if len(m.body) > testLimits.media {
				t.Fatalf("a message of %d bytes", len(m.body))
			}
		}
		if total > len(wire) {
			t.Fatalf("%d bytes of messages from %d of chunks", total, len(wire))
		}
		if r.buffered < 0 || r.buffered > testLimits.buffered || len(r.streams) > maxChunkStreams {
			t.Fatalf("%d bytes in flight on %d chunk streams", r.buffered, len(r.streams))
		}
	})
}
