package rtmp

import (
	"math"
	"testing"

	"github.com/vitrine-live/vitrine/media"
)

const hour = 3_600_000

// beat is a publisher that sends a picture every 40 ms and two sounds between, for a second, from a timestamp on.
type beat struct {
	c      *client
	repeat bool // type 3 chunks repeat the extended timestamp
	frame  []byte
}

func (b beat) send(kind byte, timestamp uint32, body []byte) {
	b.c.t.Helper()
	b.c.write(chunked(message{typeID: kind, timestamp: timestamp, streamID: 1, body: body}, chunkStreamOf(message{typeID: kind}), b.c.chunkSize, b.repeat))
}

// second sends 25 pictures and 50 sounds.
func (b beat) second(from uint32) {
	b.c.t.Helper()
	for i := range uint32(25) {
		b.send(typeVideo, from+40*i, b.frame)
		b.send(typeAudio, from+40*i+5, aacFrame)
		b.send(typeAudio, from+40*i+25, aacFrame)
	}
}

// Whatever the timestamps do, every sample comes through once, in order, and the publish goes on.
func TestTimestampsOnTheWire(t *testing.T) {
	for _, test := range []struct {
		name   string
		from   []uint32 // of each second
		first  int64    // publisher time of the first picture, ms
		last   int64    // of the last picture
		counts media.Anomaly
	}{
		{name: "from zero", from: []uint32{0, 1000}, last: 1960},
		{name: "from beyond 24 bits", from: []uint32{5 * hour, 5*hour + 1000}, first: 5 * hour, last: 5*hour + 1960},
		{name: "over the 24-bit border", from: []uint32{0xFFFFFF - 1015, 0xFFFFFF - 15, 0xFFFFFF + 985}, first: 0xFFFFFF - 1015, last: 0xFFFFFF + 985 + 960},
		{name: "over the 32-bit border", from: []uint32{math.MaxUint32 - 1015, math.MaxUint32 - 15, 984}, first: math.MaxUint32 - 1015, last: math.MaxUint32 + 985 + 960, counts: media.AnomalyUnwrap},
		{name: "hours forward", from: []uint32{0, 4 * hour}, last: 1960, counts: media.AnomalyJumpForward},
		{name: "hours forward beyond 24 bits", from: []uint32{hour, 9 * hour}, first: hour, last: hour + 1960, counts: media.AnomalyJumpForward},
		{name: "hours back", from: []uint32{9 * hour, hour, 0}, first: 9 * hour, last: 9*hour + 2960, counts: media.AnomalyJumpBack},
		{name: "the same second twice", from: []uint32{0, 0}, last: 999, counts: media.AnomalyDTSNotRising},
	} {
		for _, repeat := range []bool{true, false} {
			t.Run(test.name, func(t *testing.T) {
				h := serve(t, Config{})
				c, p := h.publisher()
				b := beat{c: c, repeat: repeat, frame: avcFrame(0, filled(idr, 9000))}
				for _, from := range test.from {
					b.second(from)
				}
				p.waitSamples(t, 75*len(test.from))
				checkRising(t, p, 25*len(test.from), 50*len(test.from))
				video := p.of(media.Video)
				if got := video[0].PTS.Milliseconds(); got != test.first {
					t.Errorf("the first picture at %d ms, want %d", got, test.first)
				}
				if got := video[len(video)-1].PTS.Milliseconds(); got != test.last && test.name != "the same second twice" {
					t.Errorf("the last picture at %d ms, want %d", got, test.last)
				}
				if test.counts != "" && h.anomalies(Anomaly(test.counts)) == 0 {
					t.Errorf("%s was not counted", test.counts)
				}
				checkInStep(t, p)
				if len(p.closed) > 0 {
					t.Error("the publish ended")
				}
			})
		}
	}
}

// checkRising checks numbers, payloads and strictly rising DTS of both kinds.
func checkRising(t *testing.T, p *recording, videos, audios int) {
	t.Helper()
	for kind, want := range map[media.Kind]int{media.Video: videos, media.Audio: audios} {
		samples := p.of(kind)
		if len(samples) != want {
			t.Errorf("%d %s samples, want %d", len(samples), kind, want)
		}
		size := len(aacFrame) - 2
		if kind == media.Video {
			size = 9004
		}
		for i, s := range samples {
			if i > 0 && s.DTS <= samples[i-1].DTS {
				t.Fatalf("%s sample %d: DTS %d after %d", kind, i, s.DTS, samples[i-1].DTS)
			}
			if len(s.Payload) != size {
				t.Fatalf("%s sample %d has %d bytes", kind, i, len(s.Payload))
			}
		}
	}
}

// checkInStep checks that the sound sent after each picture stands within half a second of it.
func checkInStep(t *testing.T, p *recording) {
	t.Helper()
	video, audio := p.of(media.Video), p.of(media.Audio)
	for i := range video {
		if d := audio[2*i].DTS - video[i].DTS; d > media.TicksPerSecond/2 || d < -media.TicksPerSecond/2 {
			t.Fatalf("picture %d and its sound are %d ms apart", i, d.Milliseconds())
		}
	}
}

// Deltas across the border, as librtmp and ffmpeg send them.
func TestDeltasAcrossTheBorder(t *testing.T) {
	h := serve(t, Config{})
	c, p := h.publisher()
	frame := avcFrame(0, filled(idr, 100))
	c.write(fmt0(6, 0xFFFFFE, len(frame), typeVideo, frame...))
	for range 10 {
		c.write(fmt2(6, 40, frame...))
		c.write(fmt3(6, frame...))
	}
	p.waitSamples(t, 21)
	for i, s := range p.of(media.Video) {
		if want := int64(0xFFFFFE + 40*i); s.DTS.Milliseconds() != want {
			t.Fatalf("picture %d at %d ms, want %d", i, s.DTS.Milliseconds(), want)
		}
	}
}
