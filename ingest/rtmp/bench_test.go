package rtmp

import (
	"context"
	"errors"
	"io"
	"net"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/media"
)

// seconds is n seconds of what a publisher of 720p30 at 2.6 Mbit/s sends: 30 pictures of 10.5 kB and 47 sounds of 370
// bytes, in chunks of 4096 bytes.
func seconds(n int) (wire []byte, messages int) {
	frame := avcFrame(0, filled(slice, 10_500))
	key := avcFrame(0, sei, filled(idr, 30_000))
	sound := append([]byte{0xAF, 1}, text(370)...)
	for s := range n {
		base := uint32(1000 * s)
		for i := range uint32(30) {
			body := frame
			if i == 0 {
				body = key
			}
			wire = append(wire, chunked(message{typeID: typeVideo, timestamp: base + i*33, streamID: 1, body: body}, 6, 4096, true)...)
			messages++
		}
		for i := range uint32(47) {
			wire = append(wire, chunked(message{typeID: typeAudio, timestamp: base + i*21, streamID: 1, body: sound}, 4, 4096, true)...)
			messages++
		}
	}
	return wire, messages
}

var testTime = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// loop gives a wire over and over, after the handshake and the chunk size, in reads as TCP makes them.
type loop struct {
	head, wire []byte
	at, left   int // left: bytes still to give
}

var errLoopEnds = errors.New("the end of the loop")

func (l *loop) Read(p []byte) (int, error) {
	if len(l.head) > 0 {
		n := copy(p, l.head)
		l.head = l.head[n:]
		return n, nil
	}
	if l.left <= 0 {
		return 0, errLoopEnds
	}
	n := copy(p[:min(len(p), 10_000)], l.wire[l.at:])
	l.at = (l.at + n) % len(l.wire)
	l.left -= n
	return n, nil
}

type sink struct {
	tape
	n int
}

func (s *sink) media(m message) error { s.n += len(m.body); return nil }

// BenchmarkGuard is the guard alone: chunks in, whole messages out.
func BenchmarkGuard(b *testing.B) {
	wire, _ := seconds(1)
	b.SetBytes(1 << 20)
	b.ReportAllocs()
	var s sink
	l := &loop{head: cat(hello(), fmt0(2, 0, 4, typeSetChunkSize, u32(4096)...)), wire: wire, left: b.N << 20}
	g := newGuard(l, &s, func(a Anomaly) { b.Fatal(a) })
	buf := make([]byte, 4096)
	for {
		_, err := g.Read(buf)
		if errors.Is(err, errLoopEnds) {
			break
		}
		if err != nil {
			b.Fatal(err)
		}
		if g.chunks != nil {
			g.accept(8 << 20)
		}
	}
	if s.n < b.N<<20*9/10 {
		b.Fatalf("%d bytes of media", s.n)
	}
}

// BenchmarkPicture is one picture of 10.5 kB from tag to sample.
func BenchmarkPicture(b *testing.B) {
	for _, bench := range []struct {
		name string
		tag  []byte
	}{
		{"clean", avcFrame(0, filled(slice, 10_500))},
		{"with delimiter", avcFrame(0, aud, filled(slice, 10_500))},
		{"with parameters", avcFrame(0, aud, testSPS, testPPS, filled(idr, 10_500))},
	} {
		b.Run(bench.name, func(b *testing.B) {
			p := newPublisher(discard{}, &link{}, 0, testTime, testLog(b), newTestMetrics())
			p.begun = true
			p.codec, p.picture = media.H264, avcWith(4)
			body := make([]byte, len(bench.tag))
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for i := range b.N {
				copy(body, bench.tag) // cleaning writes over it
				if err := p.media(message{typeID: typeVideo, timestamp: uint32(i * 33), body: body}, testTime); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkServer is the whole path from the socket to the samples of one publisher, per sample.
func BenchmarkServer(b *testing.B) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	gate := &countingGate{}
	server := New(Config{BytesPerSecond: 1 << 40, MessagesPerSecond: 1 << 40}, gate, testLog(b), newTestMetrics())
	served := make(chan error, 1)
	go func() { served <- server.Serve(ctx, l) }()
	c := dial(b, l.Addr().String())
	c.mustPublish(goodKey)
	go io.Copy(io.Discard, c) //nolint:errcheck // acknowledgements

	wire, messages := seconds(1)
	b.SetBytes(int64(len(wire) / messages))
	b.ReportAllocs()
	b.ResetTimer()
	for sent := 0; sent < b.N; sent += messages {
		c.write(wire)
	}
	for int(gate.samples.Load()) < b.N {
		runtime.Gosched()
	}
	b.StopTimer()
	c.Close()
	cancel()
	if err := <-served; err != nil {
		b.Fatal(err)
	}
}

// discard is a publication that takes everything and keeps nothing.
type discard struct{}

func (discard) SetTracks([]media.Track) error       { return nil }
func (discard) Write(media.Sample) error            { return nil }
func (discard) WriteData(media.Ticks, []byte) error { return nil }
func (discard) Close(media.CloseReason)             {}
func (discard) Done() <-chan struct{}               { return nil }
func (discard) Err() error                          { return nil }

// countingGate takes everybody and counts samples.
type countingGate struct {
	discard
	samples atomic.Int64
}

func (g *countingGate) Publish(context.Context, media.PublishRequest) (media.Publication, error) {
	return g, nil
}
func (g *countingGate) Write(media.Sample) error { g.samples.Add(1); return nil }
