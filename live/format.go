package live

import (
	"fmt"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/av1"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h265"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"

	"github.com/vitrine-live/vitrine/media"
)

// Format is how a publisher's picture and sound are coded, as its parameter sets say.
type Format struct {
	Video        string // codec, "" without picture
	VideoProfile string // with its level, as "High 4.0"; "" when not known
	Width        int    // as shown
	Height       int
	BitDepth     int    // of a colour; 0: not known
	Chroma       string // "4:2:0" and the like; "" when not known
	Interlaced   bool

	Audio        string // codec, "" without sound
	AudioProfile string // "LC" and the like; "" when there is none
	SampleRate   int    // Hz
	Channels     int    // 0: not known
}

// chromas names chroma_format_idc (ISO 14496-10, table 6-1; ISO 23008-2, table 6-1).
var chromas = []string{"4:0:0", "4:2:0", "4:2:2", "4:4:4"}

func formatOf(tracks []media.Track) (f Format) {
	for i := range tracks {
		switch t := &tracks[i]; t.Codec {
		case media.H264:
			f.h264(t)
		case media.HEVC:
			f.hevc(t)
		case media.AV1:
			f.av1(t)
		case media.VP8:
			f.Width, f.Height, f.BitDepth, f.Chroma = t.Width, t.Height, 8, chromas[1]
		case media.AAC:
			f.aac(t)
		case media.Opus:
			f.SampleRate, f.Channels = 48_000, t.Channels
		}
		if t := &tracks[i]; t.Kind() == media.Audio {
			f.Audio = t.Codec.String()
		} else {
			f.Video = t.Codec.String()
		}
	}
	return f
}

// Orientation is "portrait", "landscape" or "square", "" without picture.
func (f *Format) Orientation() string {
	switch {
	case f.Width == 0 || f.Height == 0:
		return ""
	case f.Width < f.Height:
		return "portrait"
	case f.Width > f.Height:
		return "landscape"
	}
	return "square"
}

// short is the short side of the picture: what a size is called after.
func (f *Format) short() int { return min(f.Width, f.Height) }

// profiles of H264 (ISO 14496-10, A.2), of which those with constraint sets share a number.
var h264Profiles = map[uint8]string{66: "Baseline", 77: "Main", 88: "Extended", 100: "High", 110: "High 10", 122: "High 4:2:2", 244: "High 4:4:4 Predictive", 44: "CAVLC 4:4:4 Intra"}

func (f *Format) h264(t *media.Track) {
	var sps h264.SPS
	if sps.Unmarshal(t.SPS) != nil {
		return
	}
	f.Width, f.Height, f.Interlaced = sps.Width(), sps.Height(), !sps.FrameMbsOnlyFlag
	f.BitDepth, f.Chroma = 8, chromas[1]
	if sps.ProfileIdc >= 100 || sps.ProfileIdc == 44 {
		f.BitDepth, f.Chroma = 8+int(sps.BitDepthLumaMinus8), chromas[min(int(sps.ChromaFormatIdc), 3)]
	}
	f.VideoProfile = profile(h264Profiles[sps.ProfileIdc], float64(sps.LevelIdc)/10)
}

// profiles of HEVC (ISO 23008-2, A.3).
var hevcProfiles = map[uint8]string{1: "Main", 2: "Main 10", 3: "Main Still Picture", 4: "Range Extensions"}

func (f *Format) hevc(t *media.Track) {
	var sps h265.SPS
	if sps.Unmarshal(t.SPS) != nil {
		return
	}
	f.Width, f.Height = sps.Width(), sps.Height()
	f.BitDepth, f.Chroma = 8+int(sps.BitDepthLumaMinus8), chromas[min(int(sps.ChromaFormatIdc), 3)]
	f.VideoProfile = profile(hevcProfiles[sps.ProfileTierLevel.GeneralProfileIdc], float64(sps.ProfileTierLevel.GeneralLevelIdc)/30)
}

// profiles of AV1 (AV1 specification, 6.4.1).
var av1Profiles = []string{"Main", "High", "Professional"}

func (f *Format) av1(t *media.Track) {
	var h av1.SequenceHeader
	if h.Unmarshal(t.SequenceHeader) != nil {
		return
	}
	f.Width, f.Height, f.BitDepth = h.Width(), h.Height(), h.ColorConfig.BitDepth
	switch {
	case h.ColorConfig.MonoChrome:
		f.Chroma = chromas[0]
	case h.ColorConfig.SubsamplingX && h.ColorConfig.SubsamplingY:
		f.Chroma = chromas[1]
	case h.ColorConfig.SubsamplingX:
		f.Chroma = chromas[2]
	default:
		f.Chroma = chromas[3]
	}
	if int(h.SeqProfile) < len(av1Profiles) {
		f.VideoProfile = av1Profiles[h.SeqProfile]
	}
}

var aacProfiles = map[mpeg4audio.ObjectType]string{mpeg4audio.ObjectTypeAACLC: "LC", 5: "HE", 29: "HE v2"}

func (f *Format) aac(t *media.Track) {
	if t.Audio == nil {
		return
	}
	f.SampleRate, f.Channels, f.AudioProfile = t.Audio.SampleRate, int(t.Audio.ChannelConfig), aacProfiles[t.Audio.Type]
	if t.Audio.ChannelConfig == 7 { // 7.1 (ISO 14496-3, table 1.19)
		f.Channels = 8
	}
}

// profile joins a profile and its level; without a name there is nothing to say.
func profile(name string, level float64) string {
	if name == "" || level <= 0 {
		return name
	}
	return fmt.Sprintf("%s %.1f", name, level)
}
