package hls

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"

	"github.com/vitrine-live/vitrine/media"
)

// A real decoder takes the silence of every channel layout without a complaint, and finds it silent.
func TestSilenceDecodes(t *testing.T) {
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("ffmpeg is not installed")
	}
	for config := uint8(1); config <= 7; config++ {
		track := audioTrackOf(48_000)
		track.Audio.ChannelConfig, track.Audio.ChannelCount = config, int(config) //nolint:staticcheck // the old field still counts
		if config == 7 {
			track.Audio.ChannelCount = 8 //nolint:staticcheck // as above
		}
		c := newCollector(t)
		p := NewPackager(Config{}, Resume{}, c, nil, nil)
		p.StartEpoch(media.Epoch{Wall: wallStart})
		if err := p.SetTracks([]media.Track{track}); err != nil {
			t.Fatal(err)
		}
		silence := silentFrame(track.Audio)
		for i := range int64(100) {
			at := media.Ticks(i * 1920)
			if err := p.Write(media.Sample{Kind: media.Audio, PTS: at, DTS: at, Key: true, Payload: silence}); err != nil {
				t.Fatal(err)
			}
		}
		p.EndEpoch()
		file := c.initData[1]
		for _, s := range c.segments {
			file = append(file, c.bytes[s.MSN]...)
		}
		if n := len(probe(t, file, "mp4")["audio"]); n != 100 {
			t.Errorf("configuration %d: %d packets", config, n)
		}
		cmd := exec.CommandContext(t.Context(), "ffmpeg", "-i", "pipe:", "-af", "volumedetect", "-f", "null", "-")
		cmd.Stdin = strings.NewReader(string(file))
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "max_volume: -91.0 dB") {
			t.Errorf("configuration %d: %v\n%s", config, err, out)
		}
	}
	if silentFrame(&mpeg4audio.AudioSpecificConfig{}) != nil {
		t.Error("silence of an unknown layout")
	}
}
