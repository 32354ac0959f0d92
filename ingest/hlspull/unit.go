package hlspull

import (
	"bytes"
	"encoding/binary"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/av1"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h265"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/opus"

	"github.com/vitrine-live/vitrine/media"
)

// picture is the video track of a run: it makes access units as the media path wants them, and finds the parameter sets
// where the stream has them in band (MPEG-TS, avc3).
type picture struct {
	codec media.Codec
	sets  [3][]byte // H264: SPS, PPS. HEVC: VPS, SPS, PPS. AV1: sequence header
}

// unit is one access unit.
type unit struct {
	payload []byte
	key     bool
}

// track is what is known of the parameters; ok is false while something is missing.
func (p *picture) track() (t media.Track, ok bool) {
	t.Codec = p.codec
	switch p.codec {
	case media.H264:
		t.SPS, t.PPS = p.sets[0], p.sets[1]
		ok = t.SPS != nil && t.PPS != nil
	case media.HEVC:
		t.VPS, t.SPS, t.PPS = p.sets[0], p.sets[1], p.sets[2]
		ok = t.VPS != nil && t.SPS != nil && t.PPS != nil
	default:
		t.SequenceHeader = p.sets[0]
		ok = t.SequenceHeader != nil
	}
	return t, ok
}

// take makes the access unit of NAL units or OBUs. ok is false when there is no picture in them.
func (p *picture) take(units [][]byte) (u unit, ok bool) {
	var kept [][]byte
	var found [3][]byte
	for _, n := range units {
		if len(n) == 0 {
			continue
		}
		switch set, slice, key := p.classify(n); {
		case set >= 0:
			found[set] = n
		case slice:
			u.key, ok = u.key || key, true
			kept = append(kept, n)
		case p.keeps(n):
			kept = append(kept, n)
		}
	}
	if u.key { // parameters hold from an IDR on
		for i, n := range found {
			if n != nil && !bytes.Equal(n, p.sets[i]) {
				p.sets[i] = bytes.Clone(n)
			}
		}
	}
	if !ok {
		return u, false
	}
	if p.codec == media.AV1 {
		u.key = av1.IsRandomAccess2(units)
		u.payload, ok = av1Unit(kept)
		return u, ok
	}
	u.payload = withLengths(kept)
	return u, true
}

// classify says which parameter set a unit is, -1 for none, or that it is a slice, and if so whether of a key picture.
func (p *picture) classify(n []byte) (set int, slice, key bool) {
	switch p.codec {
	case media.H264:
		switch kind := h264.NALUType(n[0] & 0x1F); kind {
		case h264.NALUTypeSPS:
			return 0, false, false
		case h264.NALUTypePPS:
			return 1, false, false
		default:
			return -1, kind >= h264.NALUTypeNonIDR && kind <= h264.NALUTypeIDR, kind == h264.NALUTypeIDR
		}
	case media.HEVC:
		kind := h265.NALUType(n[0] >> 1 & 0x3F)
		if kind >= h265.NALUType_VPS_NUT && kind <= h265.NALUType_PPS_NUT {
			return int(kind - h265.NALUType_VPS_NUT), false, false
		}
		return -1, kind < h265.NALUType_VPS_NUT, kind >= h265.NALUType_BLA_W_LP && kind <= h265.NALUType_CRA_NUT
	}
	// The sequence header stays in the temporal unit too.
	switch kind := av1.OBUType(n[0] >> 3 & 0xF); kind {
	case av1.OBUTypeSequenceHeader:
		p.sets[0] = latestOf(p.sets[0], n)
		return -1, true, false
	case av1.OBUTypeTemporalDelimiter:
		return -1, false, false
	}
	return -1, true, false
}

func latestOf(old, now []byte) []byte {
	if bytes.Equal(old, now) {
		return old
	}
	return bytes.Clone(now)
}

// keeps reports whether a unit that is neither a slice nor a parameter set goes on: SEI messages do, delimiters and
// filler do not.
func (p *picture) keeps(n []byte) bool {
	switch p.codec {
	case media.H264:
		return h264.NALUType(n[0]&0x1F) == h264.NALUTypeSEI
	case media.HEVC:
		kind := h265.NALUType(n[0] >> 1 & 0x3F)
		return kind == h265.NALUType_PREFIX_SEI_NUT || kind == h265.NALUType_SUFFIX_SEI_NUT
	}
	return false
}

// withLengths joins NAL units with 4-byte lengths (ISO 14496-15).
func withLengths(nals [][]byte) []byte {
	size := 0
	for _, n := range nals {
		size += 4 + len(n)
	}
	out := make([]byte, 0, size)
	for _, n := range nals {
		out = append(binary.BigEndian.AppendUint32(out, uint32(len(n))), n...)
	}
	return out
}

func av1Unit(obus [][]byte) ([]byte, bool) {
	data, err := av1.Bitstream(obus).Marshal()
	return data, err == nil
}

// aacFrame is how many samples an access unit of AAC has.
func aacFrame(c *mpeg4audio.AudioSpecificConfig) int64 {
	if c.FrameLengthFlag {
		return 960
	}
	return 1024
}

// soundLength is how long a packet of sound lasts.
func soundLength(t *media.Track, packet []byte) media.Ticks {
	if t.Codec == media.Opus {
		return media.Rescale(media.Ticks(opus.PacketDuration2(packet)), int64(media.TicksPerSecond), 48_000)
	}
	return media.Rescale(media.Ticks(aacFrame(t.Audio)), int64(media.TicksPerSecond), int64(t.Audio.SampleRate))
}
