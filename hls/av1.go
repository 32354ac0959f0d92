package hls

import (
	"fmt"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/av1"
)

func (s *trackSet) describeAV1() error {
	var h av1.SequenceHeader
	if len(s.video.SequenceHeader) == 0 {
		return fmt.Errorf("the AV1 sequence header is missing")
	}
	if err := h.Unmarshal(s.video.SequenceHeader); err != nil {
		return fmt.Errorf("AV1 sequence header: %w", err)
	}
	s.info.Codecs = av1Codec(&h)
	var fps float64
	if t := h.TimingInfo; t != nil && t.EqualPictureInterval {
		fps = float64(t.TimeScale) / (float64(t.NumUnitsInDisplayTick) * (float64(t.NumTicksPerPictureMinus1) + 1))
	}
	return s.describePicture("AV1", h.Width(), h.Height(), fps)
}

// av1Codec is the name of an AV1 track (AV1-ISOBMFF, 5). What follows the bit depth is left out when it is as that
// clause presumes: 4:2:0 in BT.709 with limited range.
func av1Codec(h *av1.SequenceHeader) string {
	tier := 'M'
	if h.SeqTier[0] {
		tier = 'H'
	}
	c := &h.ColorConfig
	name := fmt.Sprintf("av01.%d.%02d%c.%02d", h.SeqProfile, h.SeqLevelIdx[0], tier, c.BitDepth)
	primaries, transfer, matrix := 1, 1, 1
	if c.ColorDescriptionPresentFlag {
		primaries, transfer, matrix = int(c.ColorPrimaries), int(c.TransferCharacteristics), int(c.MatrixCoefficients)
	}
	rest := fmt.Sprintf(".%d.%d%d%d.%02d.%02d.%02d.%d", digit(c.MonoChrome), digit(c.SubsamplingX), digit(c.SubsamplingY), c.ChromaSamplePosition,
		primaries, transfer, matrix, digit(c.ColorRange))
	if rest == ".0.110.01.01.01.0" {
		return name
	}
	return name + rest
}

func digit(b bool) int {
	if b {
		return 1
	}
	return 0
}
