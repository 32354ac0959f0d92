package rtmp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"

	"github.com/vitrine-live/vitrine/media"
)

// NAL unit types (ISO 14496-10, table 7-1).
const (
	nalIDR    = 5
	nalSPS    = 7
	nalPPS    = 8
	nalAUD    = 9
	nalFiller = 12
	nalMax    = 23 // beyond are types for transport formats, which no decoder takes
)

// h264Track is the picture of a publisher.
type h264Track struct {
	lengthSize int // of the NAL unit lengths on the wire: 1, 2 or 4. 0 before the configuration
	sps, pps   []byte
	nextSPS    []byte // sent in a packet of their own, for the next IDR
	nextPPS    []byte
}

// accessUnit is one picture as the media path wants it.
type accessUnit struct {
	payload []byte
	key     bool
	track   *media.Track // set when the parameters changed with this picture
}

// configure takes an AVCDecoderConfigurationRecord (ISO 14496-15, 5.3.3.1). It returns nil when the parameter sets are
// those in use already. An error says that the record is unusable.
func (t *h264Track) configure(record []byte) (*media.Track, error) {
	lengthSize, sps, pps, err := parseAVCConfig(record)
	if err != nil {
		return nil, err
	}
	track, err := t.adopt(sps, pps)
	if err != nil {
		return nil, err
	}
	t.lengthSize = lengthSize
	return track, nil
}

// adopt makes sps and pps the parameter sets in use.
func (t *h264Track) adopt(sps, pps []byte) (*media.Track, error) {
	if bytes.Equal(sps, t.sps) && bytes.Equal(pps, t.pps) {
		return nil, nil
	}
	var parsed h264.SPS
	if err := parsed.Unmarshal(sps); err != nil {
		return nil, fmt.Errorf("SPS: %w", err)
	}
	if w, h := parsed.Width(), parsed.Height(); w < 1 || h < 1 || w > 1<<14 || h > 1<<14 {
		return nil, fmt.Errorf("SPS: picture of %dx%d", w, h)
	}
	t.sps, t.pps = bytes.Clone(sps), bytes.Clone(pps)
	return &media.Track{Codec: media.H264, SPS: t.sps, PPS: t.pps}, nil
}

// parseAVCConfig returns the first SPS and PPS of an AVCDecoderConfigurationRecord; encoders send one of each.
func parseAVCConfig(b []byte) (lengthSize int, sps, pps []byte, err error) {
	if len(b) < 7 || b[0] != 1 {
		return 0, nil, nil, fmt.Errorf("AVC configuration of %d bytes", len(b))
	}
	lengthSize = int(b[4]&3) + 1
	if lengthSize == 3 {
		return 0, nil, nil, errors.New("AVC configuration with 3-byte lengths")
	}
	sps, rest, ok := firstSet(b[6:], int(b[5]&0x1F))
	if !ok || len(rest) < 1 {
		return 0, nil, nil, errors.New("AVC configuration without SPS")
	}
	pps, _, ok = firstSet(rest[1:], int(rest[0]))
	if !ok || sps[0]&0x1F != nalSPS || pps[0]&0x1F != nalPPS {
		return 0, nil, nil, errors.New("AVC configuration without PPS")
	}
	return lengthSize, sps, pps, nil
}

// firstSet reads n parameter sets with their 16-bit lengths and returns the first and what follows the last.
func firstSet(b []byte, n int) (first, rest []byte, ok bool) {
	for i := range n {
		if len(b) < 2 {
			return nil, nil, false
		}
		size := int(binary.BigEndian.Uint16(b))
		if b = b[2:]; size > len(b) {
			return nil, nil, false
		}
		if i == 0 {
			first = b[:size]
		}
		b = b[size:]
	}
	return first, b, len(first) > 0
}

// clean makes an access unit out of the NAL units of one packet, which it owns: 4-byte lengths, no delimiters, no filler,
// no empty units, and no parameter sets where they stand in the track. It works in place, so that a picture is copied at
// most once. ok is false when the packet holds no usable picture; anomaly then has been told, unless that is in order.
func (t *h264Track) clean(packet []byte, anomaly func(Anomaly)) (unit accessUnit, ok bool) {
	if t.lengthSize == 0 {
		anomaly(NoConfig)
		return unit, false
	}
	nals := nalReader{rest: packet, lengthSize: t.lengthSize, anomaly: anomaly}
	kept := nalWriter{buffer: packet, inPlace: t.lengthSize == 4}
	var sets parameterSets
	slices := 0
	for nals.next() {
		switch kind := nals.kind(); {
		case kind == nalAUD || kind == nalFiller:
		case kind == nalSPS || kind == nalPPS:
			sets.add(kind, nals.nal)
		case kind == 0 || kind > nalMax:
			anomaly(UnknownNAL)
		default:
			if kind <= nalIDR {
				slices++
				unit.key = unit.key || kind == nalIDR
			}
			kept.add(nals.nal)
		}
	}
	if nals.overrun || slices == 0 {
		t.withoutPicture(sets, nals.overrun, anomaly)
		return unit, false
	}
	unit.payload = kept.bytes()
	t.promote(&unit, sets, anomaly)
	return unit, true
}

// withoutPicture remembers parameter sets that came in a packet of their own, for the next IDR.
func (t *h264Track) withoutPicture(sets parameterSets, overrun bool, anomaly func(Anomaly)) {
	switch {
	case overrun:
		anomaly(NALOverrun)
	case len(sets.all) == 0:
		anomaly(NoPicture)
	default:
		t.nextSPS, t.nextPPS = latest(sets.sps, t.nextSPS), latest(sets.pps, t.nextPPS)
	}
}

// promote takes new parameter sets of an IDR into the track. Sets that the track cannot say (several of a kind, or new
// ones in mid-sequence) go back into the picture, where decoders find them.
func (t *h264Track) promote(unit *accessUnit, sets parameterSets, anomaly func(Anomaly)) {
	if unit.key && !sets.several {
		track, err := t.adopt(latest(sets.sps, t.nextSPS, t.sps), latest(sets.pps, t.nextPPS, t.pps))
		if err != nil {
			anomaly(BadConfig)
		}
		unit.track = track
		t.nextSPS, t.nextPPS = nil, nil
	}
	if sets.saidBy(t.sps, t.pps) {
		return
	}
	anomaly(InBandParameters)
	with := nalWriter{}
	for _, set := range sets.all {
		with.add(set)
	}
	unit.payload = append(with.other, unit.payload...)
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

// parameterSets are the SPS and PPS among the NAL units of a packet, copied.
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

// nalReader walks over NAL units with their lengths, skipping empty ones.
type nalReader struct {
	rest       []byte
	lengthSize int
	anomaly    func(Anomaly)
	nal        []byte
	overrun    bool // a unit is longer than what is left
}

func (r *nalReader) next() bool {
	for len(r.rest) > 0 {
		if len(r.rest) < r.lengthSize {
			r.overrun = true
			return false
		}
		var size uint32
		for _, b := range r.rest[:r.lengthSize] {
			size = size<<8 | uint32(b)
		}
		body := r.rest[r.lengthSize:]
		if uint64(size) > uint64(len(body)) {
			r.overrun = true
			return false
		}
		r.nal, r.rest = body[:size], body[size:]
		if size > 0 {
			return true
		}
		r.anomaly(EmptyNAL)
	}
	return false
}

func (r *nalReader) kind() byte { return r.nal[0] & 0x1F }

// nalWriter collects NAL units with 4-byte lengths. In place it writes over the packet that they come from, never ahead
// of the reader, and moves nothing as long as nothing was left out.
type nalWriter struct {
	buffer  []byte // the packet
	inPlace bool
	n       int    // bytes of the packet that are written
	other   []byte // when not in place
}

func (w *nalWriter) add(nal []byte) {
	if !w.inPlace {
		w.other = append(binary.BigEndian.AppendUint32(w.other, uint32(len(nal))), nal...)
		return
	}
	dst := w.buffer[w.n+4 : w.n+4+len(nal)]
	if &dst[0] != &nal[0] {
		copy(dst, nal)
	}
	binary.BigEndian.PutUint32(w.buffer[w.n:], uint32(len(nal)))
	w.n += 4 + len(nal)
}

func (w *nalWriter) bytes() []byte {
	if w.inPlace {
		return w.buffer[:w.n:w.n]
	}
	return w.other
}
