package rtmp

import (
	"bytes"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// announce is the first chunk of a message of length bytes, none of which follow beyond that chunk.
func announce(id byte, length int, typeID byte) []byte {
	return fmt0(id, 0, length, typeID, text(128)...)
}

func repeat(n int, b []byte) []byte { return bytes.Repeat(b, n) }

func onVideo(nals ...[]byte) []byte {
	return chunked(message{typeID: typeVideo, streamID: 1, body: append([]byte{0x17, 1, 0, 0, 0}, cat(nals...)...)}, 6, 4096, true)
}

// random is n bytes that are the same in every run.
func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(b)
	return b
}

// attacks are what a hostile client sends after the handshake, or after an accepted publish, when the chunk size is 4096.
var attacks = []struct {
	name     string
	accepted bool
	wire     []byte
	ends     Reason // "" when the connection is to survive
	odd      Anomaly
}{
	{name: "a 16 MiB message", wire: announce(3, 0xFFFFFF, typeVideo), ends: MessageSize},
	{name: "a 16 MiB command", wire: announce(3, 0xFFFFFF, typeCommandAMF0), ends: MessageSize},
	{name: "64 KiB messages on many chunk streams", wire: func() (b []byte) {
		for id := byte(3); id < 60; id++ {
			b = append(b, announce(id, maxControlMessage, typeVideo)...)
		}
		return b
	}(), ends: Buffered},
	{name: "many chunk streams", wire: func() (b []byte) {
		for id := byte(3); id < 60; id++ {
			b = append(b, announce(id, 200, typeVideo)...)
		}
		return b
	}(), ends: ChunkStreams},
	{name: "AMF0 100,000 levels deep", wire: announce(3, 400_001, typeCommandAMF0), ends: MessageSize},
	{name: "AMF0 16,000 levels deep", wire: whole(message{typeID: typeCommandAMF0, body: append(values("connect", 1.0), deepAMF(16_000)...)}), ends: BadAMF},
	{name: "strict arrays 13,000 levels deep", wire: whole(message{typeID: typeCommandAMF0, body: append(values("connect", 1.0), deepArrays(13_000)...)}), ends: BadAMF},
	{name: "strict array of 2^31-1", wire: whole(message{typeID: typeCommandAMF0, body: append(values("connect", 1.0), 0x0A, 0x7F, 0xFF, 0xFF, 0xFF)}), ends: BadAMF},
	{name: "chunk size 0", wire: fmt0(2, 0, 4, 1, u32(0)...), ends: BadChunkSize},
	{name: "chunk size 2^31-1", wire: fmt0(2, 0, 4, 1, u32(1<<31-1)...), ends: BadChunkSize},
	{name: "garbage", wire: append([]byte{0xC5}, random(1<<16)...), ends: BadChunk},
	{name: "publish out of the blue", wire: whole(commandMessage("publish", 1.0, nil, goodKey)), ends: BadCommand},
	{name: "connect with no object", wire: whole(commandMessage("connect", 1.0, 5.0)), ends: BadCommand},
	{name: "a thousand connects", wire: repeat(1000, whole(commandMessage("connect", 1.0, amfObject{{"app", "a"}}))), ends: ""},
	{name: "a thousand streams", wire: append(whole(commandMessage("connect", 1.0, amfObject{})), repeat(1000, whole(commandMessage("createStream", 2.0, nil)))...), ends: ""},
	{name: "five thousand empty messages", wire: repeat(5000, fmt0(4, 0, 0, typeVideo)), ends: "", odd: EmptyMessage},
	{name: "short control messages", wire: cat(fmt0(2, 0, 1, typeUserControl, 1), fmt0(2, 0, 1, typeWindowAckSize, 1), fmt0(2, 0, 1, typePeerBandwidth, 1), fmt0(2, 0, 1, typeAbort, 1)), ends: "", odd: UnknownMessage},

	{name: "16 MiB of media", accepted: true, wire: fmt0(7, 0, 0xFFFFFF, typeVideo, text(4096)...), ends: MessageSize},
	{name: "8 MiB messages on many chunk streams", accepted: true, wire: func() (b []byte) {
		for id := byte(7); id < 20; id++ {
			b = append(b, fmt0(id, 0, 8<<20, typeVideo, text(4096)...)...)
		}
		return b
	}(), ends: Buffered},
	{name: "zero-length media", accepted: true, wire: cat(fmt0(6, 9, 0, typeVideo), fmt0(4, 9, 0, typeAudio), fmt0(4, 9, 2, typeAudio, 0xAF, 1), fmt0(6, 9, 5, typeVideo, 0x27, 1, 0, 0, 0)), ends: "", odd: EmptyMedia},
	{name: "empty NAL units", accepted: true, wire: onVideo(u32(0), u32(0), lengthPrefixed(idr), u32(0)), ends: "", odd: EmptyNAL},
	{name: "a NAL unit beyond the packet", accepted: true, wire: onVideo(u32(0xFFFFFFFF), idr), ends: "", odd: NALOverrun},
	{name: "configurations of garbage", accepted: true, wire: cat(
		fmt0(6, 0, 7, typeVideo, 0x17, 0, 0, 0, 0, 1, 2), fmt0(4, 0, 3, typeAudio, 0xAF, 0, 0x17), fmt0(6, 0, 1, typeVideo, 0x17), fmt0(4, 0, 4, typeAudio, 0xAF, 0, 0x17, 0xFF),
	), ends: "", odd: BadConfig},
	{name: "data of garbage", accepted: true, wire: cat(fmt0(3, 0, 4, typeDataAMF0, 0x55, 1, 2, 3), chunked(message{typeID: typeDataAMF0, body: values("onMetaData", 5.0)}, 3, 4096, true)), ends: "", odd: BadMetadata},
	{name: "data 16,000 levels deep", accepted: true, wire: chunked(message{typeID: typeDataAMF0, body: append(values("onMetaData"), deepAMF(16_000)...)}, 3, 4096, true), ends: BadAMF},
	{name: "an aggregate of nothing much", accepted: true, wire: fmt0(6, 0, 12, typeAggregate, 9, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0, 0, 0, 1), ends: "", odd: TruncatedAggregate},
}

// attack opens a connection for attack i.
func (h *harness) attack(i int) (*client, *recording) {
	h.t.Helper()
	if !attacks[i].accepted {
		return h.dial(), nil
	}
	return h.publisher()
}

// Each attack ends its connection for the right reason, or is survived.
func TestAttacks(t *testing.T) {
	for i, a := range attacks {
		t.Run(a.name, func(t *testing.T) {
			h := serve(t, Config{})
			c, p := h.attack(i)
			err := c.try(a.wire)
			if a.ends != "" {
				c.closedByServer()
				h.endedBy(a.ends)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			c.ping()
			if p != nil {
				c.video(500, avcFrame(0, filled(idr, 1234)))
				p.wait(t, "a sample after the attack", func() bool {
					n := len(p.samples)
					return n > 0 && len(p.samples[n-1].Payload) == 4+1234
				})
			}
			c.Close()
			h.untilQuiet()
			h.endedBy(EndedByPeer)
			if a.odd != "" && h.anomalies(a.odd) == 0 {
				t.Errorf("%s was not counted", a.odd)
			}
		})
	}
}

// ping returns when the server has answered all that was sent before.
func (c *client) ping() {
	c.t.Helper()
	c.send(message{typeID: typeUserControl, body: []byte{0, 6, 1, 2, 3, 4}})
	for {
		m, err := c.replies.next()
		if err != nil {
			c.t.Fatalf("waiting for a pong: %v", err)
		}
		if m.typeID == typeUserControl && string(m.body) == "\x00\x07\x01\x02\x03\x04" {
			return
		}
	}
}

// untilQuiet waits until the server has seen every connection end.
func (h *harness) untilQuiet() {
	h.t.Helper()
	for deadline := time.Now().Add(15 * time.Second); reading(h.metrics.connections) > 0; runtime.Gosched() {
		if time.Now().After(deadline) {
			h.t.Fatal("connections are left")
		}
	}
}

// All attacks at once, again and again, with slow handshakes and unread answers beside them, cost bounded memory, and a
// publisher in their midst loses nothing.
func TestHostileCrowd(t *testing.T) {
	const rounds, slow, bound = 8, 60, 96 << 20
	h := serve(t, Config{})
	good, p := h.publisher()

	runtime.GC()
	var before, now runtime.MemStats
	runtime.ReadMemStats(&before)
	var peak atomic.Uint64
	stop := make(chan struct{})
	var watch, crowd sync.WaitGroup
	watch.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			runtime.ReadMemStats(&now)
			peak.Store(max(peak.Load(), now.HeapInuse+now.StackInuse))
			runtime.Gosched()
		}
	})
	for range slow { // half a handshake each
		c := connect(t, h.addr)
		c.write(hello()[:700])
	}
	sent := uint32(0)
	for range rounds {
		for i, a := range attacks {
			crowd.Go(func() {
				c, err := h.raw(i)
				if err != nil {
					return // the caps did their work
				}
				defer c.Close()
				if _, err = c.Write(a.wire); err == nil && a.ends != "" {
					_, _ = io.Copy(io.Discard, c)
				}
			})
		}
		for range 50 {
			good.video(sent*40, avcFrame(0, filled(idr, 9000)))
			sent++
		}
		crowd.Wait()
	}
	p.waitSamples(t, 50*rounds)
	close(stop)
	watch.Wait()
	if got := peak.Load() - min(peak.Load(), before.HeapInuse+before.StackInuse); got > bound {
		t.Errorf("%d MiB at the peak, at most %d are allowed", got>>20, bound>>20)
	} else {
		t.Logf("%d MiB at the peak", got>>20)
	}
	if n := len(p.samples); n != 50*rounds {
		t.Errorf("%d samples of %d", n, 50*rounds)
	}
	for _, a := range attacks {
		if a.ends != "" && h.ended(a.ends) == 0 {
			t.Errorf("no connection ended by %s", a.ends)
		}
	}
	if n := h.ended(Defect); n != 0 {
		t.Errorf("%v connections ended by a defect", n)
	}
}

// raw connects for attack i without a testing.TB, from any goroutine.
func (h *harness) raw(i int) (net.Conn, error) {
	conn, err := net.Dial("tcp", h.addr)
	if err != nil {
		return nil, err
	}
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	opening := hello()
	if attacks[i].accepted {
		opening = cat(opening,
			whole(commandMessage("connect", 1.0, amfObject{{"app", "live"}})), whole(commandMessage("createStream", 2.0, nil)),
			fmt0(2, 0, 4, typeSetChunkSize, binary.BigEndian.AppendUint32(nil, 4096)...),
			chunked(message{typeID: typeCommandAMF0, streamID: 1, body: values("publish", 3.0, nil, goodKey)}, 3, 4096, true),
			chunked(message{typeID: typeVideo, streamID: 1, body: avcConfig(testSPS, testPPS)}, 6, 4096, true),
			chunked(message{typeID: typeAudio, streamID: 1, body: aacConfig}, 4, 4096, true),
		)
	}
	if _, err := conn.Write(opening); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}
