package transcode

import (
	"bytes"
	"encoding/binary"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"

	"github.com/vitrine-live/vitrine/media"
)

// h264Output makes samples of the access units of an encoder.
type h264Output struct {
	sps, pps []byte
	told     bool // the parameter sets were handed on
	newest   media.Ticks
	seen     bool
}

// begin takes the parameter sets that an encoder tells before its first picture, if any. The track is nil when it has
// not changed.
func (o *h264Output) begin(extra []byte) *media.Track {
	o.seen = false
	var sets h264.AnnexB
	if len(extra) == 0 || sets.Unmarshal(extra) != nil {
		return nil
	}
	for _, nal := range sets {
		o.adopt(nal)
	}
	return o.track()
}

// adopt takes nal if it is a parameter set.
func (o *h264Output) adopt(nal []byte) bool {
	if len(nal) == 0 {
		return true
	}
	var set *[]byte
	switch h264.NALUType(nal[0] & 0x1F) {
	case h264.NALUTypeSPS:
		set = &o.sps
	case h264.NALUTypePPS:
		set = &o.pps
	default:
		return false
	}
	if !bytes.Equal(*set, nal) {
		*set, o.told = bytes.Clone(nal), false
	}
	return true
}

func (o *h264Output) track() *media.Track {
	if o.told || o.sps == nil || o.pps == nil {
		return nil
	}
	o.told = true
	return &media.Track{Codec: media.H264, SPS: o.sps, PPS: o.pps}
}

// unit makes the sample of an access unit with start codes; the track is nil when it has not changed. ok is false when
// the unit cannot be shown: its parameters are unknown, or it does not follow the one before it.
func (o *h264Output) unit(s media.Sample) (_ media.Sample, track *media.Track, ok bool) {
	var unit h264.AnnexB
	if unit.Unmarshal(s.Payload) != nil || o.seen && s.PTS <= o.newest {
		return s, nil, false
	}
	payload := make([]byte, 0, len(s.Payload)+8)
	s.Key = false
	for _, nal := range unit {
		switch {
		case o.adopt(nal), h264.NALUType(nal[0]&0x1F) == h264.NALUTypeAccessUnitDelimiter, h264.NALUType(nal[0]&0x1F) == h264.NALUTypeFillerData:
			continue
		case h264.NALUType(nal[0]&0x1F) == h264.NALUTypeIDR:
			s.Key = true
		}
		payload = append(binary.BigEndian.AppendUint32(payload, uint32(len(nal))), nal...)
	}
	track = o.track()
	if !o.told || len(payload) == 0 || !o.seen && !s.Key {
		return s, nil, false
	}
	o.newest, o.seen = s.PTS, true
	s.Payload = payload
	return s, track, true
}

// startCodes replaces the 4-byte lengths of NAL units by start codes, in a copy.
func startCodes(unit []byte) []byte {
	out := bytes.Clone(unit)
	for at := 0; at+4 <= len(out); {
		size := int(binary.BigEndian.Uint32(out[at:]))
		copy(out[at:], []byte{0, 0, 0, 1})
		if size > len(out)-at-4 {
			break
		}
		at += 4 + size
	}
	return out
}

// annexB puts a start code before each NAL unit.
func annexB(nals ...[]byte) (out []byte) {
	for _, nal := range nals {
		if len(nal) > 0 {
			out = append(append(out, 0, 0, 0, 1), nal...)
		}
	}
	return out
}
