package media

import (
	"bytes"
	"fmt"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"
)

// Codec names how a track is coded.
type Codec uint8

// The codecs that the media path carries. HLS takes H264, HEVC, AV1 and AAC as they are; VP8 and Opus are what browsers
// send and are transcoded on the way in.
const (
	H264 Codec = iota + 1 // ISO 14496-10; payloads are access units with 4-byte NAL unit lengths
	AAC                   // ISO 14496-3; payloads are raw access units without ADTS
	HEVC                  // ISO 23008-2; payloads are access units with 4-byte NAL unit lengths
	AV1                   // payloads are temporal units in the low-overhead format without temporal delimiters (AV1-ISOBMFF, 2.4)
	VP8                   // RFC 6386; payloads are frames
	Opus                  // RFC 6716; payloads are packets
)

// String returns the codec's usual name.
func (c Codec) String() string {
	switch c {
	case H264:
		return "H264"
	case AAC:
		return "AAC"
	case HEVC:
		return "HEVC"
	case AV1:
		return "AV1"
	case VP8:
		return "VP8"
	case Opus:
		return "Opus"
	}
	return fmt.Sprintf("codec(%d)", uint8(c))
}

// Kind is the sort of media in a track.
type Kind uint8

// The kinds of tracks.
const (
	Video Kind = iota + 1
	Audio
)

// String returns "video" or "audio".
func (k Kind) String() string {
	if k == Video {
		return "video"
	}
	return "audio"
}

// Kind returns the sort of media that the codec codes.
func (c Codec) Kind() Kind {
	if c == AAC || c == Opus {
		return Audio
	}
	return Video
}

// Track describes one track of a publisher. A Track is immutable: changed parameters make a new one.
type Track struct {
	Codec Codec

	// H264 (7.3.2.1, 7.3.2.2 of ISO 14496-10) and HEVC (7.3.2.1 to 7.3.2.3 of ISO 23008-2), NAL units without start
	// code or length.
	VPS      []byte // HEVC alone
	SPS, PPS []byte

	// AV1: the sequence header OBU with its header, without a size field.
	SequenceHeader []byte

	// VP8: the size of the last key frame, which no parameter set tells.
	Width, Height int

	// AAC.
	Audio *mpeg4audio.AudioSpecificConfig

	// Opus, always 48 kHz on the clock: 1 or 2.
	Channels int
}

// Kind returns the sort of media of the track.
func (t *Track) Kind() Kind { return t.Codec.Kind() }

// SameParameters reports whether samples of the two tracks can share one initialization segment.
func (t *Track) SameParameters(o *Track) bool {
	if t.Codec != o.Codec || t.Width != o.Width || t.Height != o.Height || t.Channels != o.Channels {
		return false
	}
	if !bytes.Equal(t.VPS, o.VPS) || !bytes.Equal(t.SPS, o.SPS) || !bytes.Equal(t.PPS, o.PPS) || !bytes.Equal(t.SequenceHeader, o.SequenceHeader) {
		return false
	}
	if t.Audio == nil || o.Audio == nil {
		return t.Audio == o.Audio
	}
	return *t.Audio == *o.Audio
}
