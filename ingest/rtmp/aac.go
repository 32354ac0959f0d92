package rtmp

import (
	"bytes"
	"fmt"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"

	"github.com/vitrine-live/vitrine/media"
)

// Audio object types (ISO 14496-3, table 1.17) that a publisher may name: AAC-LC alone or with SBR and PS on top.
const (
	objectLC  = 2
	objectSBR = 5
	objectPS  = 29
)

// aacTrack is the sound of a publisher.
type aacTrack struct {
	config []byte // the AudioSpecificConfig in use
}

// configure takes an AudioSpecificConfig. It returns nil when that is the one in use already. An *ending refuses the
// codec, any other error says that the configuration is unusable.
func (t *aacTrack) configure(config []byte) (*media.Track, error) {
	if t.config != nil && bytes.Equal(t.config, config) {
		return nil, nil
	}
	if len(config) < 2 {
		return nil, fmt.Errorf("AudioSpecificConfig of %d bytes", len(config))
	}
	switch object := config[0] >> 3; object {
	case objectLC, objectSBR, objectPS:
	default:
		return nil, refuseCodec(media.Audio, fmt.Sprintf("AAC object type %d", object))
	}
	var asc mpeg4audio.AudioSpecificConfig
	if err := asc.Unmarshal(config); err != nil {
		return nil, err
	}
	if asc.ChannelConfig == 0 {
		return nil, refuseCodec(media.Audio, "AAC with a program config element")
	}
	if asc.SampleRate < 7350 || asc.SampleRate > 96000 {
		return nil, fmt.Errorf("sample rate %d", asc.SampleRate)
	}
	t.config = bytes.Clone(config)
	return &media.Track{Codec: media.AAC, Audio: &asc}, nil
}
