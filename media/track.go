package media

import (
	"bytes"
	"fmt"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"
)

// Codec names how a track is coded.
type Codec uint8

// The codecs that the media path carries.
const (
	H264 Codec = iota + 1 // ISO 14496-10; payloads are access units with 4-byte NAL unit lengths
	AAC                   // ISO 14496-3; payloads are raw access units without ADTS
)

// String returns the codec's usual name.
func (c Codec) String() string {
	switch c {
	case H264:
		return "H264"
	case AAC:
		return "AAC"
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
	if c == AAC {
		return Audio
	}
	return Video
}

// Track describes one track of a publisher. A Track is immutable: changed parameters make a new one.
type Track struct {
	Codec Codec

	// H264 (7.3.2.1, 7.3.2.2 of ISO 14496-10), NAL units without start code or length.
	SPS, PPS []byte

	// AAC.
	Audio *mpeg4audio.AudioSpecificConfig
}

// Kind returns the sort of media of the track.
func (t *Track) Kind() Kind { return t.Codec.Kind() }

// SameParameters reports whether samples of the two tracks can share one initialization segment.
func (t *Track) SameParameters(o *Track) bool {
	if t.Codec != o.Codec || !bytes.Equal(t.SPS, o.SPS) || !bytes.Equal(t.PPS, o.PPS) {
		return false
	}
	if t.Audio == nil || o.Audio == nil {
		return t.Audio == o.Audio
	}
	return *t.Audio == *o.Audio
}
