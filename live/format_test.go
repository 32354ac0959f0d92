package live

import (
	"encoding/hex"
	"testing"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"

	"github.com/vitrine-live/vitrine/media"
)

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestFormatOf(t *testing.T) {
	aac := func(rate, channels int) media.Track {
		return media.Track{Codec: media.AAC, Audio: &mpeg4audio.AudioSpecificConfig{Type: mpeg4audio.ObjectTypeAACLC, SampleRate: rate, ChannelConfig: uint8(channels)}}
	}
	for _, c := range []struct {
		name   string
		tracks []media.Track
		want   Format
	}{
		{"nothing", nil, Format{}},
		{
			"baseline and stereo",
			[]media.Track{{Codec: media.H264, SPS: unhex(t, "6742c01ed900a02ff970110000030001000003003c0f162e48")}, aac(48000, 2)},
			Format{Video: "H264", VideoProfile: "Baseline 3.0", Width: 640, Height: 360, BitDepth: 8, Chroma: "4:2:0", Audio: "AAC", AudioProfile: "LC", SampleRate: 48000, Channels: 2},
		},
		{
			"HEVC with 10 bit",
			[]media.Track{{Codec: media.HEVC, SPS: unhex(t, "42010102200000030090000003000003005da00280802d1365959a4932bc05a020000003002000000303c1")}},
			Format{Video: "HEVC", VideoProfile: "Main 10 3.1", Width: 1280, Height: 720, BitDepth: 10, Chroma: "4:2:0"},
		},
		{
			"AV1",
			[]media.Track{{Codec: media.AV1, SequenceHeader: unhex(t, "080000000cc4ff6736be4010")}},
			Format{Video: "AV1", VideoProfile: "Main", Width: 640, Height: 360, BitDepth: 8, Chroma: "4:2:0"},
		},
		{"7.1", []media.Track{aac(44100, 7)}, Format{Audio: "AAC", AudioProfile: "LC", SampleRate: 44100, Channels: 8}},
		{
			"a phone without H264",
			[]media.Track{{Codec: media.VP8, Width: 720, Height: 1280}, {Codec: media.Opus, Channels: 1}},
			Format{Video: "VP8", Width: 720, Height: 1280, BitDepth: 8, Chroma: "4:2:0", Audio: "Opus", SampleRate: 48000, Channels: 1},
		},
		{
			"parameters that nobody can read",
			[]media.Track{{Codec: media.H264, SPS: []byte{0x67}}, {Codec: media.HEVC, SPS: []byte{1, 2}}, {Codec: media.AV1, SequenceHeader: []byte{9}}, {Codec: media.AAC}},
			Format{Video: "AV1", Audio: "AAC"},
		},
	} {
		if got := formatOf(c.tracks); got != c.want {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
}

func TestOrientation(t *testing.T) {
	for want, f := range map[string]Format{"": {}, "portrait": {Width: 720, Height: 1280}, "landscape": {Width: 1280, Height: 720}, "square": {Width: 720, Height: 720}} {
		if got := f.Orientation(); got != want {
			t.Errorf("%+v: %q", f, got)
		}
	}
}
