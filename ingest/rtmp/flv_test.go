package rtmp

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vitrine-live/vitrine/media"
)

// tagCases are bodies of audio and video messages. They seed the fuzzer as well.
var tagCases = []struct {
	name  string
	video bool
	body  []byte
	want  tag
}{
	{"AVC configuration", true, []byte{0x17, 0, 0, 0, 0, 1, 2}, tag{codec: media.H264, packet: packetConfig, payload: []byte{1, 2}}},
	{"AVC frame", true, []byte{0x27, 1, 0, 0, 66, 1}, tag{codec: media.H264, packet: packetFrame, cts: 66, payload: []byte{1}}},
	{"negative composition offset", true, []byte{0x27, 1, 0xFF, 0xFF, 0xDF, 1}, tag{codec: media.H264, packet: packetFrame, cts: -33, payload: []byte{1}}},
	{"largest and least composition offset", true, []byte{0x27, 1, 0x80, 0, 0, 1}, tag{codec: media.H264, packet: packetFrame, cts: -1 << 23, payload: []byte{1}}},
	{"AVC frame of nothing", true, []byte{0x27, 1, 0, 0, 0}, tag{codec: media.H264, packet: packetFrame, payload: []byte{}}},
	{"end of sequence", true, []byte{0x17, 2, 0, 0, 0}, tag{codec: media.H264, packet: packetEnd, payload: []byte{}}},
	{"unknown packet type", true, []byte{0x17, 9, 0, 0, 0}, tag{codec: media.H264, packet: packetIgnore, payload: []byte{}}},
	{"short AVC tag", true, []byte{0x17}, tag{packet: packetIgnore}},
	{"seek command", true, []byte{0x57, 0}, tag{packet: packetIgnore}},
	{"enhanced AVC configuration", true, []byte{0x90, 'a', 'v', 'c', '1', 7}, tag{codec: media.H264, packet: packetConfig, payload: []byte{7}}},
	{"enhanced AVC frame", true, []byte{0xA1, 'a', 'v', 'c', '1', 0, 0, 33, 7}, tag{codec: media.H264, packet: packetFrame, cts: 33, payload: []byte{7}}},
	{"enhanced AVC frame without offset", true, []byte{0xA3, 'a', 'v', 'c', '1', 7}, tag{codec: media.H264, packet: packetFrame, payload: []byte{7}}},
	{"enhanced end", true, []byte{0xA2, 'a', 'v', 'c', '1'}, tag{codec: media.H264, packet: packetEnd, payload: []byte{}}},
	{"enhanced metadata", true, []byte{0xA4, 'a', 'v', 'c', '1', 2}, tag{codec: media.H264, packet: packetIgnore, payload: []byte{2}}},
	{"short enhanced frame", true, []byte{0xA1, 'a', 'v', 'c', '1', 0}, tag{codec: media.H264, packet: packetIgnore, payload: []byte{0}}},
	{"short enhanced tag", true, []byte{0x90, 'h', 'v'}, tag{packet: packetIgnore}},
	{"HEVC before Enhanced RTMP", true, []byte{0x1C, 0, 0, 0, 0, 1}, tag{codec: media.HEVC, packet: packetConfig, payload: []byte{1}}},
	{"HEVC configuration", true, []byte{0x90, 'h', 'v', 'c', '1', 7}, tag{codec: media.HEVC, packet: packetConfig, payload: []byte{7}}},
	{"HEVC frame", true, []byte{0xA1, 'h', 'v', 'c', '1', 0xFF, 0xFF, 0xDF, 7}, tag{codec: media.HEVC, packet: packetFrame, cts: -33, payload: []byte{7}}},
	{"HEVC frame without offset", true, []byte{0x93, 'h', 'v', 'c', '1', 7}, tag{codec: media.HEVC, packet: packetFrame, payload: []byte{7}}},
	{"AV1 configuration", true, []byte{0x90, 'a', 'v', '0', '1', 0x81}, tag{codec: media.AV1, packet: packetConfig, payload: []byte{0x81}}},
	{"AV1 frame, which has no offset", true, []byte{0xA1, 'a', 'v', '0', '1', 1, 2, 3, 4}, tag{codec: media.AV1, packet: packetFrame, payload: []byte{1, 2, 3, 4}}},
	{"AV1 in a transport stream", true, []byte{0x95, 'a', 'v', '0', '1', 1}, tag{codec: media.AV1, packet: packetIgnore, payload: []byte{1}}},
	{"enhanced seek command", true, []byte{0xD1, 'h', 'v', 'c', '1', 0}, tag{packet: packetIgnore}},
	{"metadata, whatever the frame type", true, []byte{0xD4, 'h', 'v', 'c', '1', 2}, tag{codec: media.HEVC, packet: packetIgnore, payload: []byte{2}}},
	{"a modifier", true, []byte{0x97, 2, 0, 1, 2, 0x01, 'h', 'v', 'c', '1', 0, 0, 33, 7}, tag{codec: media.HEVC, packet: packetFrame, cts: 33, payload: []byte{7}}},
	{"two modifiers", true, []byte{0x97, 0, 9, 0x17, 1, 9, 9, 0x03, 'h', 'v', 'c', '1', 7}, tag{codec: media.HEVC, packet: packetFrame, payload: []byte{7}}},
	{"a long modifier", true, slices.Concat([]byte{0x97, 255, 1, 0}, make([]byte, 257), []byte{0x00, 'a', 'v', '0', '1', 7}), tag{codec: media.AV1, packet: packetConfig, payload: []byte{7}}},
	{"a modifier that is cut short", true, []byte{0x97, 9, 0, 1}, tag{packet: packetIgnore}},
	{"one of several tracks, alone", true, []byte{0x96, 0x03, 'h', 'v', 'c', '1', 0, 7}, tag{codec: media.HEVC, packet: packetFrame, tracks: true, payload: []byte{7}}},
	{"another of several tracks, alone", true, []byte{0x96, 0x03, 'h', 'v', 'c', '1', 1, 7}, tag{packet: packetIgnore, tracks: true}},
	{"several tracks", true, []byte{0x96, 0x10, 'h', 'v', 'c', '1', 2, 0, 0, 1, 9, 0, 0, 0, 2, 7, 8}, tag{codec: media.HEVC, packet: packetConfig, tracks: true, payload: []byte{7, 8}}},
	{"several tracks and codecs", true, []byte{0x96, 0x23, 'v', 'p', '0', '9', 1, 0, 0, 1, 9, 'a', 'v', 'c', '1', 0, 0, 0, 1, 7}, tag{codec: media.H264, packet: packetFrame, tracks: true, payload: []byte{7}}},
	{"several tracks that are cut short", true, []byte{0x96, 0x10, 'h', 'v', 'c', '1', 0, 0, 0, 9, 7}, tag{packet: packetIgnore, tracks: true}},
	{"several tracks without the first", true, []byte{0x96, 0x10, 'h', 'v', 'c', '1', 1, 0, 0, 1, 7}, tag{packet: packetIgnore, tracks: true}},
	{"tracks that share in an unknown way", true, []byte{0x96, 0x30, 'h', 'v', 'c', '1', 0, 7}, tag{packet: packetIgnore, tracks: true}},
	{"several sounds", false, []byte{0x95, 0x01, 'm', 'p', '4', 'a', 0, 5}, tag{codec: media.AAC, packet: packetFrame, tracks: true, payload: []byte{5}}},
	{"layout of channels", false, []byte{0x94, 'm', 'p', '4', 'a', 1, 2}, tag{codec: media.AAC, packet: packetIgnore, payload: []byte{1, 2}}},
	{"AAC configuration", false, []byte{0xAF, 0, 0x11, 0x90}, tag{codec: media.AAC, packet: packetConfig, payload: []byte{0x11, 0x90}}},
	{"AAC frame", false, []byte{0xAF, 1, 1, 2, 3}, tag{codec: media.AAC, packet: packetFrame, payload: []byte{1, 2, 3}}},
	{"AAC frame of nothing", false, []byte{0xAF, 1}, tag{codec: media.AAC, packet: packetFrame, payload: []byte{}}},
	{"short AAC tag", false, []byte{0xAF}, tag{packet: packetIgnore}},
	{"unknown AAC packet type", false, []byte{0xAF, 2, 1}, tag{packet: packetIgnore}},
	{"enhanced AAC configuration", false, []byte{0x90, 'm', 'p', '4', 'a', 0x11}, tag{codec: media.AAC, packet: packetConfig, payload: []byte{0x11}}},
	{"enhanced AAC frame", false, []byte{0x91, 'm', 'p', '4', 'a', 5}, tag{codec: media.AAC, packet: packetFrame, payload: []byte{5}}},
}

func parseTag(video bool, body []byte) (tag, error) {
	if video {
		return parseVideo(body)
	}
	return parseAudio(body)
}

func TestParseTag(t *testing.T) {
	for _, c := range tagCases {
		got, err := parseTag(c.video, c.body)
		if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(tag{})); err != nil || diff != "" {
			t.Errorf("%s: %v %s", c.name, err, diff)
		}
	}
}

// A refusal names the codec and says what to choose instead.
func TestRefusedCodecs(t *testing.T) {
	for _, c := range []struct {
		video bool
		body  []byte
		wants []string
	}{
		{true, []byte{0x22, 0}, []string{"Sorenson H263", "H.264", "Video Encoder"}},
		{true, []byte{0x90, 'v', 'p', '0', '9', 0}, []string{"VP9", "H.264", "Video Encoder"}},
		{true, []byte{0x90, 'm', 'p', '4', 'a', 0}, []string{`"mp4a" video`}},
		{true, []byte{0x90, 0, 1, 2, 3, 0}, []string{`"\x00\x01\x02\x03" video`}},
		{true, []byte{0x96, 0x00, 'v', 'v', 'c', '1', 0, 7}, []string{"VVC"}},
		{false, []byte{0x2F, 0}, []string{"MP3", "AAC", "Audio Encoder"}},
		{false, []byte{0x90, 'O', 'p', 'u', 's', 0}, []string{"Opus audio", "AAC", "Audio Encoder"}},
		{false, []byte{0x90, 'f', 'L', 'a', 'C', 0}, []string{"FLAC"}},
	} {
		_, err := parseTag(c.video, c.body)
		var e *ending
		if !errors.As(err, &e) || e.reason != Codec || e.code != codeRejected {
			t.Errorf("% x: %v", c.body, err)
			continue
		}
		for _, want := range c.wants {
			if !strings.Contains(e.detail, want) {
				t.Errorf("% x: no %q in %q", c.body, want, e.detail)
			}
		}
	}
}

func FuzzTag(f *testing.F) {
	for _, c := range tagCases {
		f.Add(c.video, c.body)
	}
	for _, c := range nalCases {
		f.Add(true, append([]byte{0x17, 1, 0, 0, 0}, c.packet...))
	}
	f.Add(true, avcConfig(testSPS, testPPS))
	f.Add(false, aacConfig)
	f.Fuzz(func(t *testing.T, video bool, body []byte) {
		if len(body) == 0 {
			return
		}
		parsed, err := parseTag(video, body)
		if err != nil {
			var e *ending
			if !errors.As(err, &e) || e.reason != Codec || e.detail == "" {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		if !video {
			var track aacTrack
			if got, err := track.configure(parsed.payload); err == nil && got == nil {
				t.Fatal("a first configuration without a track")
			}
			return
		}
		for _, codec := range []media.Codec{media.H264, media.HEVC, media.AV1} {
			record := newPicture(codec)
			if got, err := record.configure(parsed.payload); err == nil && got == nil {
				t.Fatal("a first configuration without a track")
			}
		}
		for _, c := range []picture{hevcWith(4), av1With()} {
			if unit, ok := c.clean(bytes.Clone(parsed.payload), func(Anomaly) {}); ok && len(unit.payload) == 0 {
				t.Fatal("a picture of nothing")
			}
		}
		for _, size := range []int{1, 2, 4} {
			checkClean(t, *avcWith(size), parsed.payload)
		}
	})
}
