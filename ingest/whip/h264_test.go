package whip

import (
	"bytes"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"

	"github.com/vitrine-live/vitrine/media"
)

// h264Run is the packets of a stream, fed to an assembler.
type h264Run struct {
	a   *assembler
	odd map[Anomaly]int
	out []picture
}

func newH264Run(sps, pps []byte) *h264Run {
	r := &h264Run{odd: map[Anomaly]int{}}
	tell := func(a Anomaly) { r.odd[a]++ }
	r.a = newAssembler(newH264Format(sps, pps, tell), tell)
	return r
}

// send feeds one picture made of payloads; lost ones are given as nil.
func (r *h264Run) send(stamp uint32, payloads ...[]byte) {
	gap := false
	for i, b := range payloads {
		if b == nil {
			gap = true
			continue
		}
		p := newPacket()
		p.Packet = rtp.Packet{Header: rtp.Header{Timestamp: stamp, Marker: i == len(payloads)-1}, Payload: b}
		p.gap, gap = gap, false
		r.a.push(p, func(pic picture) { r.out = append(r.out, pic) })
	}
	if gap {
		r.a.broken, r.a.needKey = true, true // what the ring would say with the next packet
	}
}

func stap(units ...[]byte) []byte {
	out := []byte{24}
	for _, u := range units {
		out = append(append(out, byte(len(u)>>8), byte(len(u))), u...)
	}
	return out
}

var (
	smallSPS = testSPS(320, 176)
	largeSPS = testSPS(1280, 720)
	idr      = []byte{0x65, 1, 2, 3}
	slice    = []byte{0x41, 4, 5, 6}
)

func TestH264Pictures(t *testing.T) {
	for _, c := range []struct {
		name     string
		payloads [][]byte
		want     []byte // nil: none
		key      bool
	}{
		{"single NAL units", [][]byte{largeSPS, testPPS, idr}, avcc(idr), true},
		{"aggregated", [][]byte{stap(largeSPS, testPPS, idr)}, avcc(idr), true},
		{"delimiter and filler", [][]byte{{9, 0xF0}, stap(largeSPS, testPPS), {12, 255, 0x80}, idr}, avcc(idr), true},
		{"SEI stays", [][]byte{stap(largeSPS, testPPS, []byte{6, 5, 1, 0, 0x80}), idr}, avcc([]byte{6, 5, 1, 0, 0x80}, idr), true},
		{"two slices", [][]byte{stap(largeSPS, testPPS), idr, idr}, avcc(idr, idr), true},
		{"fragments", [][]byte{stap(largeSPS, testPPS), {0x7C, 0x85, 1}, {0x7C, 0x05, 2}, {0x7C, 0x45, 3}}, avcc(idr), true},
		{"empty unit in an aggregate", [][]byte{stap(largeSPS, testPPS, nil, idr)}, avcc(idr), true},
		{"fragment without end", [][]byte{stap(largeSPS, testPPS), {0x7C, 0x85, 1}, {0x7C, 0x05, 2}}, nil, false},
		{"fragment without start", [][]byte{stap(largeSPS, testPPS), {0x7C, 0x05, 2}, {0x7C, 0x45, 3}}, nil, false},
		{"NAL unit within a fragment", [][]byte{stap(largeSPS, testPPS), {0x7C, 0x85, 1}, idr, {0x7C, 0x45, 3}}, nil, false},
		{"fragment of no length", [][]byte{stap(largeSPS, testPPS), {0x7C}}, nil, false},
		{"aggregate cut off", [][]byte{stap(largeSPS, testPPS, idr)[:12]}, nil, false},
		{"interleaved mode", [][]byte{{25, 0, 0, 0, 1, 0x65}}, nil, false},
		{"a slice before any keyframe", [][]byte{slice}, nil, false},
		{"a keyframe without parameters", [][]byte{idr}, nil, false},
		{"parameters alone", [][]byte{stap(largeSPS, testPPS)}, nil, false},
		{"unreadable SPS", [][]byte{stap([]byte{0x67, 66}, testPPS, idr)}, nil, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newH264Run(nil, nil)
			r.send(1, c.payloads...)
			if c.want == nil {
				if len(r.out) != 0 {
					t.Fatalf("%d pictures", len(r.out))
				}
				return
			}
			if len(r.out) != 1 || !bytes.Equal(r.out[0].payload, c.want) || r.out[0].key != c.key {
				t.Fatalf("%+v, want %x; %v", r.out, c.want, r.odd)
			}
			if tr := r.out[0].track; tr == nil || tr.Codec != media.H264 || !bytes.Equal(tr.SPS, largeSPS) || !bytes.Equal(tr.PPS, testPPS) {
				t.Errorf("track %+v", tr)
			}
		})
	}
}

func TestH264ParametersOfTheOffer(t *testing.T) {
	r := newH264Run(largeSPS, testPPS)
	r.send(1, idr)
	if len(r.out) != 1 || r.out[0].track == nil {
		t.Fatalf("%+v", r.out)
	}
}

func TestH264ParametersChangeAtKeyframes(t *testing.T) {
	r := newH264Run(nil, nil)
	r.send(1, stap(smallSPS, testPPS), idr)
	r.send(2, slice)
	r.send(3, stap(smallSPS, testPPS), idr)    // said again
	r.send(4, stap(largeSPS, testPPS))         // ahead of their keyframe
	r.send(5, idr)                             // which brings them in
	r.send(6, []byte{0x68, 1, 2, 0x80}, slice) // a PPS in mid-sequence stays with its picture
	var changed []int
	for i, p := range r.out {
		if p.track != nil {
			changed = append(changed, i)
		}
	}
	if len(r.out) != 5 || len(changed) != 2 || changed[0] != 0 || changed[1] != 3 || !bytes.Equal(r.out[3].track.SPS, largeSPS) {
		t.Fatalf("%d pictures, parameters changed at %v", len(r.out), changed)
	}
	if want := avcc([]byte{0x68, 1, 2, 0x80}, slice); !bytes.Equal(r.out[4].payload, want) || r.odd[OddParameters] != 1 {
		t.Errorf("%x, want %x; %v", r.out[4].payload, want, r.odd)
	}
}

// On loss the picture freezes until the next whole keyframe.
func TestLossDropsToTheNextKeyframe(t *testing.T) {
	head, mid, tail := []byte{0x7C, 0x85, 1}, []byte{0x7C, 0x05, 2}, []byte{0x7C, 0x45, 3}
	key := [][]byte{stap(largeSPS, testPPS), head, mid, tail}
	for _, c := range []struct {
		name string
		lose func(r *h264Run)
		want int // pictures after it: a slice, a keyframe, a slice
	}{
		{"nothing", func(*h264Run) {}, 3},
		{"a whole slice", func(r *h264Run) { r.send(2, nil) }, 2},
		{"a piece of a slice", func(r *h264Run) { r.send(2, []byte{0x5C, 0x81, 1}, nil, []byte{0x5C, 0x41, 1}) }, 2},
		{"the end of a slice", func(r *h264Run) { r.send(2, []byte{0x5C, 0x81, 1}, nil) }, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newH264Run(nil, nil)
			r.send(1, key...)
			c.lose(r)
			before := len(r.out)
			r.send(3, slice)
			r.send(4, key...)
			r.send(5, slice)
			if got := len(r.out) - before; got != c.want {
				t.Errorf("%d pictures followed, want %d", got, c.want)
			}
			if len(r.out) > before && c.want == 2 && !r.out[before].key {
				t.Error("the first of them is no keyframe")
			}
		})
	}
	t.Run("a keyframe with a hole", func(t *testing.T) {
		r := newH264Run(nil, nil)
		r.send(1, stap(largeSPS, testPPS), head, nil, tail)
		r.send(2, slice)
		if len(r.out) != 0 || r.a.discarded != 2 || !r.a.needKey {
			t.Errorf("%d pictures, %d discarded", len(r.out), r.a.discarded)
		}
		r.send(3, key...)
		if len(r.out) != 1 || r.out[0].track == nil {
			t.Errorf("%+v", r.out)
		}
	})
}

func TestPictureWithoutMarker(t *testing.T) {
	r := newH264Run(largeSPS, testPPS)
	p := newPacket()
	p.Packet = rtp.Packet{Header: rtp.Header{Timestamp: 1}, Payload: idr}
	r.a.push(p, func(pic picture) { r.out = append(r.out, pic) })
	r.send(2, slice)
	if len(r.out) != 2 || r.out[0].stamp != 1 || r.out[1].stamp != 2 {
		t.Fatalf("%+v", r.out)
	}
}

func TestVP8Frames(t *testing.T) {
	key := []byte{0x10, 0, 0, 0x9D, 1, 0x2A, 0x80, 2, 0xE0, 1, 7, 8, 9}
	inter := []byte{0x11, 1, 2, 3}
	var got []picture
	odd := 0
	a := newAssembler(&vp8Format{}, func(Anomaly) { odd++ })
	send := func(stamp uint32, payloads ...[]byte) {
		for i, b := range payloads {
			p := newPacket()
			p.Packet, p.arrival = rtp.Packet{Header: rtp.Header{Timestamp: stamp, Marker: i == len(payloads)-1}, Payload: b}, time.Time{}
			a.push(p, func(pic picture) { got = append(got, pic) })
		}
	}
	payloader := codecs.VP8Payloader{EnablePictureID: true}
	send(0, payloader.Payload(1200, inter)...)
	send(1, payloader.Payload(8, key)...)
	send(2, payloader.Payload(1200, inter)...)
	send(3, append([]byte{0x90, 0xE0, 0x81, 0x23, 5, 0x40}, inter...)) // every optional field
	send(4, []byte{0x80, 0x80})                                        // cut off
	if len(got) != 3 || !got[0].key || !bytes.Equal(got[0].payload, key) || !bytes.Equal(got[2].payload, inter) {
		t.Fatalf("%+v", got)
	}
	if tr := got[0].track; tr == nil || tr.Width != 640 || tr.Height != 480 || got[1].track != nil {
		t.Errorf("track %+v", tr)
	}
	if odd != 1 {
		t.Errorf("%d anomalies", odd)
	}
}

func FuzzDepacketizers(f *testing.F) {
	f.Add([]byte{24, 0, 4, 0x67, 66, 0, 31, 0, 4, 0x68, 1, 2, 3}, []byte{0x7C, 0x85, 1}, []byte{0x7C, 0x45, 1})
	f.Add(stap(largeSPS, testPPS), idr, slice)
	f.Add([]byte{0x90, 0xE0, 0x81, 0x23, 5, 0x40, 0x10, 0, 0, 0x9D}, []byte{0x80}, []byte{0x10})
	f.Fuzz(func(t *testing.T, x, y, z []byte) {
		for _, format := range []depacketizer{newH264Format(nil, nil, func(Anomaly) {}), &vp8Format{}} {
			a := newAssembler(format, func(Anomaly) {})
			for i, b := range [][]byte{x, y, z, x, z, y} {
				p := newPacket()
				p.Packet = rtp.Packet{Header: rtp.Header{Timestamp: uint32(i / 2), Marker: i%3 == 0}, Payload: b}
				a.push(p, func(pic picture) { checkPicture(t, format, pic) })
			}
		}
	})
}

// checkPicture wants the lengths of an H264 picture to add up.
func checkPicture(t *testing.T, format depacketizer, pic picture) {
	t.Helper()
	if len(pic.payload) == 0 {
		t.Fatal("an empty picture")
	}
	if _, ok := format.(*h264Format); !ok {
		return
	}
	for b := pic.payload; len(b) > 0; {
		if len(b) < 5 {
			t.Fatalf("%x ends within a length", pic.payload)
		}
		n := int(b[0])<<24 | int(b[1])<<16 | int(b[2])<<8 | int(b[3])
		if n < 1 || n > len(b)-4 {
			t.Fatalf("a NAL unit of %d bytes in %d", n, len(b))
		}
		b = b[4+n:]
	}
}

func BenchmarkH264(b *testing.B) {
	c := camera{mime: "video/H264", width: 1280, height: 720}
	_, key := c.shoot(0, true)
	_, other := c.shoot(6, false)
	r := newH264Run(nil, nil)
	r.send(0, key...)
	b.ReportAllocs()
	for i := range b.N {
		r.send(uint32(i+1), other...)
		r.out = r.out[:0]
	}
}
