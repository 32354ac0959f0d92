package rtmp

import (
	"errors"
	"fmt"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"

	"github.com/vitrine-live/vitrine/media"
)

// NAL unit types of H.264 (ISO 14496-10, table 7-1).
const (
	avcIDR    = 5
	avcSPS    = 7
	avcPPS    = 8
	avcAUD    = 9
	avcFiller = 12
	avcMax    = 23 // beyond are types for transport formats, which no decoder takes
)

// avc is the syntax of H.264. Its parameter sets are the SPS and the PPS.
var avc = nalSyntax{kinds: 2, role: avcRole, parse: parseAVCConfig, track: avcTrack}

func avcRole(nal []byte) (role nalRole, set int) {
	switch kind := nal[0] & 0x1F; {
	case kind == avcIDR:
		return nalKey, 0
	case kind == 0 || kind > avcMax:
		return nalUnknown, 0
	case kind < avcIDR:
		return nalSlice, 0
	case kind == avcSPS || kind == avcPPS:
		return nalSet, int(kind - avcSPS)
	case kind == avcAUD || kind == avcFiller:
		return nalDropped, 0
	}
	return nalOther, 0
}

func avcTrack(sets [maxSets][]byte) (*media.Track, error) {
	var sps h264.SPS
	if err := sps.Unmarshal(sets[0]); err != nil {
		return nil, fmt.Errorf("SPS: %w", err)
	}
	if err := checkSize(sps.Width(), sps.Height()); err != nil {
		return nil, err
	}
	return &media.Track{Codec: media.H264, SPS: sets[0], PPS: sets[1]}, nil
}

// parseAVCConfig returns the first SPS and PPS of an AVCDecoderConfigurationRecord (ISO 14496-15, 5.3.3.1); encoders
// send one of each.
func parseAVCConfig(b []byte) (lengthSize int, sets [maxSets][]byte, err error) {
	if len(b) < 7 || b[0] != 1 {
		return 0, sets, fmt.Errorf("AVC configuration of %d bytes", len(b))
	}
	if lengthSize, err = lengthSizeOf(b[4]); err != nil {
		return 0, sets, err
	}
	sps, rest, ok := firstSet(b[6:], int(b[5]&0x1F))
	if !ok || len(rest) < 1 {
		return 0, sets, errors.New("AVC configuration without SPS")
	}
	pps, _, ok := firstSet(rest[1:], int(rest[0]))
	if !ok || sps[0]&0x1F != avcSPS || pps[0]&0x1F != avcPPS {
		return 0, sets, errors.New("AVC configuration without PPS")
	}
	return lengthSize, [maxSets][]byte{sps, pps}, nil
}
