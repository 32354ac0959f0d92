package hls

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/bits"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h265"

	"github.com/vitrine-live/vitrine/media"
)

// hevcProfile is profile_tier_level() of an SPS without the fields of sub-layers (ISO 23008-2, 7.3.3), and the three
// fields before it (7.3.2.2): a NAL unit header of two bytes, then
//
//	sps_video_parameter_set_id u(4), sps_max_sub_layers_minus1 u(3), sps_temporal_id_nesting_flag u(1)
//	general_profile_space u(2), general_tier_flag u(1), general_profile_idc u(5)
//	general_profile_compatibility_flags u(32), general constraint flags u(48), general_level_idc u(8)
type hevcProfile []byte

const hevcProfileSize = 2 + 1 + 12

func hevcProfileOf(sps []byte) (hevcProfile, error) {
	p := h264.EmulationPreventionRemove(sps) // the rule is the same
	if len(p) < hevcProfileSize {
		return nil, fmt.Errorf("HEVC SPS: %d bytes", len(sps))
	}
	return p[:hevcProfileSize], nil
}

func (p hevcProfile) subLayers() byte    { return p[2]>>1&7 + 1 }
func (p hevcProfile) nested() byte       { return p[2] & 1 }
func (p hevcProfile) general() []byte    { return p[3:] } // as in an hvcC box
func (p hevcProfile) constraint() []byte { return p[8:14] }

// codec is the name of the track (ISO 14496-15, E.3): constraint bytes that are zero at the end are left out.
func (p hevcProfile) codec() string {
	name := "hvc1."
	if space := p[3] >> 6; space > 0 {
		name += string('A' - 1 + rune(space))
	}
	tier := 'L'
	if p[3]&0x20 != 0 {
		tier = 'H'
	}
	name += fmt.Sprintf("%d.%X.%c%d", p[3]&0x1F, bits.Reverse32(binary.BigEndian.Uint32(p[4:])), tier, p[14])
	for _, b := range bytes.TrimRight(p.constraint(), "\x00") {
		name += fmt.Sprintf(".%X", b)
	}
	return name
}

func (s *trackSet) describeHEVC() error {
	var sps h265.SPS
	if len(s.video.VPS) == 0 || len(s.video.SPS) == 0 || len(s.video.PPS) == 0 {
		return fmt.Errorf("HEVC parameter sets are missing")
	}
	if err := sps.Unmarshal(s.video.SPS); err != nil {
		return fmt.Errorf("HEVC SPS: %w", err)
	}
	profile, err := hevcProfileOf(s.video.SPS)
	if err != nil {
		return err
	}
	if sps.ChromaFormatIdc > 3 {
		return fmt.Errorf("HEVC SPS: chroma format %d", sps.ChromaFormatIdc)
	}
	s.info.Codecs = profile.codec()
	return s.describePicture("HEVC", sps.Width(), sps.Height(), sps.FPS())
}

// completeHvcC corrects the hvcC box of an initialization segment (ISO 14496-15, 8.3.2): profile and constraints without
// emulation prevention, the temporal layers, and the promise of hvc1 that no parameter set stands in the samples.
func completeHvcC(init []byte, track *media.Track) {
	profile, err := hevcProfileOf(track.SPS)
	at := bytes.Index(init, []byte("hvcC"))
	if err != nil || at < 0 {
		return
	}
	const fixed = 23 // bytes before the arrays
	box := init[at+4:]
	copy(box[1:], profile.general())
	box[21] = profile.subLayers()<<3 | profile.nested()<<2 | 3 // NAL unit lengths of four bytes
	at = fixed
	for _, set := range [][]byte{track.VPS, track.SPS, track.PPS} {
		box[at] |= 0x80 // array_completeness
		at += 1 + 2 + 2 + len(set)
	}
}

// Types of NAL units (ISO 23008-2, table 7-1).
const (
	hevcVPS = 32
	hevcPPS = 34
)

// withoutParameterSets returns an HEVC access unit without the parameter sets that hvc1 has in its sample entry alone.
// Nearly all have none and are returned as they are.
func withoutParameterSets(au []byte) []byte {
	var rest []byte
	found := false
	for at := 0; at+5 <= len(au); {
		end := min(at+4+int(binary.BigEndian.Uint32(au[at:])), len(au))
		kind := au[at+4] >> 1 & 0x3F
		switch set := kind >= hevcVPS && kind <= hevcPPS; {
		case set && !found:
			found, rest = true, append(make([]byte, 0, len(au)), au[:at]...)
		case !set && found:
			rest = append(rest, au[at:end]...)
		}
		at = end
	}
	if len(rest) == 0 {
		return au
	}
	return rest
}
