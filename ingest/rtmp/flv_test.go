package rtmp

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// tagCases are bodies of audio and video messages. They seed the fuzzer as well.
var tagCases = []struct {
	name  string
	video bool
	body  []byte
	want  tag
}{
	{"AVC configuration", true, []byte{0x17, 0, 0, 0, 0, 1, 2}, tag{packetConfig, 0, []byte{1, 2}}},
	{"AVC frame", true, []byte{0x27, 1, 0, 0, 66, 1}, tag{packetFrame, 66, []byte{1}}},
	{"negative composition offset", true, []byte{0x27, 1, 0xFF, 0xFF, 0xDF, 1}, tag{packetFrame, -33, []byte{1}}},
	{"largest and least composition offset", true, []byte{0x27, 1, 0x80, 0, 0, 1}, tag{packetFrame, -1 << 23, []byte{1}}},
	{"AVC frame of nothing", true, []byte{0x27, 1, 0, 0, 0}, tag{packetFrame, 0, []byte{}}},
	{"end of sequence", true, []byte{0x17, 2, 0, 0, 0}, tag{packetEnd, 0, []byte{}}},
	{"unknown packet type", true, []byte{0x17, 9, 0, 0, 0}, tag{packetIgnore, 0, []byte{}}},
	{"short AVC tag", true, []byte{0x17}, tag{packet: packetIgnore}},
	{"seek command", true, []byte{0x57, 0}, tag{packet: packetIgnore}},
	{"enhanced AVC configuration", true, []byte{0x90, 'a', 'v', 'c', '1', 7}, tag{packetConfig, 0, []byte{7}}},
	{"enhanced AVC frame", true, []byte{0xA1, 'a', 'v', 'c', '1', 0, 0, 33, 7}, tag{packetFrame, 33, []byte{7}}},
	{"enhanced AVC frame without offset", true, []byte{0xA3, 'a', 'v', 'c', '1', 7}, tag{packetFrame, 0, []byte{7}}},
	{"enhanced end", true, []byte{0xA2, 'a', 'v', 'c', '1'}, tag{packetEnd, 0, []byte{}}},
	{"enhanced metadata", true, []byte{0xA4, 'a', 'v', 'c', '1', 2}, tag{packetIgnore, 0, []byte{2}}},
	{"short enhanced frame", true, []byte{0xA1, 'a', 'v', 'c', '1', 0}, tag{packetIgnore, 0, []byte{0}}},
	{"short enhanced tag", true, []byte{0x90, 'h', 'v'}, tag{packet: packetIgnore}},
	{"AAC configuration", false, []byte{0xAF, 0, 0x11, 0x90}, tag{packetConfig, 0, []byte{0x11, 0x90}}},
	{"AAC frame", false, []byte{0xAF, 1, 1, 2, 3}, tag{packetFrame, 0, []byte{1, 2, 3}}},
	{"AAC frame of nothing", false, []byte{0xAF, 1}, tag{packetFrame, 0, []byte{}}},
	{"short AAC tag", false, []byte{0xAF}, tag{packet: packetIgnore}},
	{"unknown AAC packet type", false, []byte{0xAF, 2, 1}, tag{packet: packetIgnore}},
	{"enhanced AAC configuration", false, []byte{0x90, 'm', 'p', '4', 'a', 0x11}, tag{packetConfig, 0, []byte{0x11}}},
	{"enhanced AAC frame", false, []byte{0x91, 'm', 'p', '4', 'a', 5}, tag{packetFrame, 0, []byte{5}}},
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
		var record h264Track
		_, _ = record.configure(parsed.payload)
		for _, size := range []int{1, 2, 4} {
			checkClean(t, h264Track{lengthSize: size, sps: testSPS, pps: testPPS}, parsed.payload)
		}
	})
}
