package rtmp

import (
	"errors"
	"fmt"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h265"

	"github.com/vitrine-live/vitrine/media"
)

// NAL unit types of HEVC (ISO 23008-2, table 7-1).
const (
	hevcFirstIRAP = 16 // BLA, IDR and CRA pictures, and two that are reserved
	hevcLastIRAP  = 23
	hevcLastVCL   = 31
	hevcVPS       = 32
	hevcPPS       = 34
	hevcAUD       = 35
	hevcFiller    = 38
	hevcSuffixSEI = 40 // the last with a meaning; beyond are reserved types and those of transport formats
)

// hevc is the syntax of HEVC. Its parameter sets are the VPS, the SPS and the PPS.
var hevc = nalSyntax{kinds: 3, role: hevcRole, parse: parseHEVCConfig, track: hevcTrack}

// hevcRole takes every IRAP picture for a key picture, not IDR alone: with open GOPs, the default of x265, all but the
// first are CRA pictures.
func hevcRole(nal []byte) (role nalRole, set int) {
	kind := nal[0] >> 1 & 0x3F
	switch {
	case len(nal) < 2:
		return nalUnknown, 0
	case kind >= hevcFirstIRAP && kind <= hevcLastIRAP:
		return nalKey, 0
	case kind <= hevcLastVCL:
		return nalSlice, 0
	case kind <= hevcPPS:
		return nalSet, int(kind - hevcVPS)
	case kind == hevcAUD || kind == hevcFiller:
		return nalDropped, 0
	case kind > hevcSuffixSEI:
		return nalUnknown, 0
	}
	return nalOther, 0
}

func hevcTrack(sets [maxSets][]byte) (*media.Track, error) {
	var sps h265.SPS
	if err := sps.Unmarshal(sets[1]); err != nil {
		return nil, fmt.Errorf("SPS: %w", err)
	}
	if err := checkSize(sps.Width(), sps.Height()); err != nil {
		return nil, err
	}
	return &media.Track{Codec: media.HEVC, VPS: sets[0], SPS: sets[1], PPS: sets[2]}, nil
}

// parseHEVCConfig returns the first VPS, SPS and PPS of an HEVCDecoderConfigurationRecord (ISO 14496-15, 8.3.3.1).
func parseHEVCConfig(b []byte) (lengthSize int, sets [maxSets][]byte, err error) {
	const header = 23
	if len(b) < header || b[0] > 1 { // encoders older than the standard say version 0
		return 0, sets, fmt.Errorf("HEVC configuration of %d bytes", len(b))
	}
	if lengthSize, err = lengthSizeOf(b[21]); err != nil {
		return 0, sets, err
	}
	rest := b[header:]
	for range int(b[22]) { // arrays
		if len(rest) < 3 {
			return 0, sets, errors.New("HEVC configuration that is cut short")
		}
		kind, count := rest[0]&0x3F, int(rest[1])<<8|int(rest[2])
		first, after, ok := firstSet(rest[3:], count)
		if !ok && count > 0 {
			return 0, sets, errors.New("HEVC configuration that is cut short")
		}
		if kind >= hevcVPS && kind <= hevcPPS && count > 0 && first[0]>>1&0x3F == kind {
			sets[kind-hevcVPS] = first
		}
		rest = after
	}
	for i, name := range []string{"VPS", "SPS", "PPS"} {
		if sets[i] == nil {
			return 0, sets, fmt.Errorf("HEVC configuration without %s", name)
		}
	}
	return lengthSize, sets, nil
}
