package whip

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"

	"github.com/vitrine-live/vitrine/media"
)

// NAL unit types (ISO 14496-10, table 7-1) and payload structures (RFC 6184, table 1).
const (
	nalIDR    = 5
	nalSPS    = 7
	nalPPS    = 8
	nalAUD    = 9
	nalFiller = 12
	nalMax    = 23
	stapA     = 24
	fuA       = 28
)

// h264Format makes access units out of H264 payloads of packetization mode 1 (RFC 6184): 4-byte lengths, no delimiters,
// no filler, and no parameter sets where they stand in the track.
type h264Format struct {
	anomaly  func(Anomaly)
	sps, pps []byte // in use
	nextSPS  []byte // came without an IDR, for the next one
	nextPPS  []byte
	named    bool // a track has been made of sps and pps
	size     [2]int

	buf    []byte // the picture so far
	start  int    // of the NAL unit in the making
	inside bool   // of a fragmented NAL unit
	torn   bool   // a fragmented NAL unit has no end
	slices int
	key    bool
	sets   parameterSets
	last   int // size of the picture before, so that most need one allocation
}

// newH264Format makes a depacketizer; sps and pps, which may be nil, came with the offer.
func newH264Format(sps, pps []byte, anomaly func(Anomaly)) *h264Format {
	return &h264Format{nextSPS: sps, nextPPS: pps, anomaly: anomaly}
}

func (f *h264Format) begin() {
	f.buf = make([]byte, 0, f.last+f.last/4+256)
	f.inside, f.torn, f.slices, f.key, f.sets = false, false, 0, false, parameterSets{}
}

// begins implements depacketizer: delimiters and parameter sets precede a picture's slices (7.4.1.2.3).
func (f *h264Format) begins(payload []byte) bool {
	kind := payload[0] & 0x1F
	if kind == stapA && len(payload) > 3 {
		kind = payload[3] & 0x1F
	}
	return kind == nalAUD || kind == nalSPS
}

func (f *h264Format) add(payload []byte) bool {
	if len(f.buf)+len(payload) > maxPicture {
		return false
	}
	switch kind := payload[0] & 0x1F; {
	case kind == fuA:
		return f.addFragment(payload)
	case f.inside:
		return false
	case kind == stapA:
		return f.addAggregate(payload[1:])
	case kind == 0 || kind > nalMax:
		return false
	}
	f.addNAL(payload)
	return true
}

// addAggregate takes a STAP-A (5.7.1).
func (f *h264Format) addAggregate(b []byte) bool {
	for len(b) > 0 {
		if len(b) < 2 {
			return false
		}
		size := int(binary.BigEndian.Uint16(b))
		if b = b[2:]; size > len(b) {
			return false
		}
		if size > 0 {
			if kind := b[0] & 0x1F; kind == 0 || kind > nalMax {
				return false
			}
			f.addNAL(b[:size])
		}
		b = b[size:]
	}
	return true
}

// addFragment takes an FU-A (5.8).
func (f *h264Format) addFragment(payload []byte) bool {
	if len(payload) < 2 {
		return false
	}
	indicator, header := payload[0], payload[1]
	first, last := header&0x80 != 0, header&0x40 != 0
	if kind := header & 0x1F; first == f.inside || kind == 0 || kind > nalMax {
		return false
	}
	if first {
		f.start, f.inside = len(f.buf), true
		f.buf = append(f.buf, 0, 0, 0, 0, indicator&0xE0|header&0x1F)
	}
	f.buf = append(f.buf, payload[2:]...)
	if last {
		f.inside = false
		f.endNAL()
	}
	return true
}

func (f *h264Format) addNAL(nal []byte) {
	f.start = len(f.buf)
	f.buf = append(append(f.buf, 0, 0, 0, 0), nal...)
	f.endNAL()
}

// endNAL keeps the NAL unit at start, or takes it out again.
func (f *h264Format) endNAL() {
	nal := f.buf[f.start+4:]
	switch kind := nal[0] & 0x1F; kind {
	case nalAUD, nalFiller:
	case nalSPS, nalPPS:
		f.sets.add(kind, nal)
	default:
		if kind <= nalIDR {
			f.slices++
			f.key = f.key || kind == nalIDR
		}
		binary.BigEndian.PutUint32(f.buf[f.start:], uint32(len(nal)))
		return
	}
	f.buf = f.buf[:f.start]
}

func (f *h264Format) finish() (p picture, ok bool) {
	p = picture{payload: f.buf, key: f.key}
	f.last = len(f.buf)
	f.buf = nil
	switch {
	case f.inside:
		return p, false
	case f.slices == 0:
		f.nextSPS, f.nextPPS = latest(f.sets.sps, f.nextSPS), latest(f.sets.pps, f.nextPPS)
		return picture{}, false
	}
	return p, f.promote(&p)
}

// promote takes the parameter sets of an IDR into the track. Sets that the track cannot say (several of a kind, or new ones
// in mid-sequence) go back into the picture, where decoders find them. ok is false when nothing could decode the picture.
func (f *h264Format) promote(p *picture) (ok bool) {
	if p.key && !f.sets.several {
		if err := f.adopt(p, latest(f.sets.sps, f.nextSPS, f.sps), latest(f.sets.pps, f.nextPPS, f.pps)); err != nil {
			f.anomaly(BadParameters)
		}
	}
	if !f.named {
		return false
	}
	if f.sets.saidBy(f.sps, f.pps) {
		return true
	}
	f.anomaly(OddParameters)
	var with []byte
	for _, set := range f.sets.all {
		with = append(binary.BigEndian.AppendUint32(with, uint32(len(set))), set...)
	}
	p.payload = append(with, p.payload...)
	return true
}

// adopt makes sps and pps the parameter sets in use, and a track of them when they are new.
func (f *h264Format) adopt(p *picture, sps, pps []byte) error {
	f.nextSPS, f.nextPPS = nil, nil
	if f.named && bytes.Equal(sps, f.sps) && bytes.Equal(pps, f.pps) {
		return nil
	}
	if len(sps) == 0 || len(pps) == 0 {
		return fmt.Errorf("a keyframe without SPS or PPS")
	}
	var parsed h264.SPS
	if err := parsed.Unmarshal(sps); err != nil {
		return fmt.Errorf("SPS: %w", err)
	}
	w, h := parsed.Width(), parsed.Height()
	if w < 1 || h < 1 || w > 1<<14 || h > 1<<14 {
		return fmt.Errorf("SPS: picture of %dx%d", w, h)
	}
	f.sps, f.pps, f.named, f.size = sps, pps, true, [2]int{w, h}
	p.track = &media.Track{Codec: media.H264, SPS: sps, PPS: pps}
	return nil
}

// latest returns the first that is there.
func latest(candidates ...[]byte) []byte {
	for _, c := range candidates {
		if c != nil {
			return c
		}
	}
	return nil
}

// parameterSets are the SPS and PPS among the NAL units of a picture, copied.
type parameterSets struct {
	all      [][]byte
	sps, pps []byte
	several  bool // different ones of a kind
}

func (p *parameterSets) add(kind byte, nal []byte) {
	set := &p.sps
	if kind == nalPPS {
		set = &p.pps
	}
	if bytes.Equal(*set, nal) {
		return
	}
	p.several = p.several || *set != nil
	*set = bytes.Clone(nal)
	p.all = append(p.all, *set)
}

// saidBy reports whether a track with sps and pps says all of the sets.
func (p *parameterSets) saidBy(sps, pps []byte) bool {
	return !p.several && (p.sps == nil || bytes.Equal(p.sps, sps)) && (p.pps == nil || bytes.Equal(p.pps, pps))
}
