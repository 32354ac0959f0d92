package ts

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	tscodecs "github.com/bluenviron/mediacommon/v2/pkg/formats/mpegts/codecs"
	"github.com/google/go-cmp/cmp"

	"github.com/vitrine-live/vitrine/media"
)

// encode makes a stream of 6 s with a real encoder: an IDR every second, two B-frames or none, and its sound.
func encode(t *testing.T, bframes int) (source []byte, d demuxed) {
	t.Helper()
	source = ffmpeg(t, nil, "-f", "lavfi", "-i", "testsrc2=s=320x180:r=30", "-f", "lavfi", "-i", "sine=r=48000", "-t", "6",
		"-c:v", "libx264", "-preset", "veryfast", "-bf", strconv.Itoa(bframes), "-g", "30", "-sc_threshold", "0",
		"-pix_fmt", "yuv420p", "-c:a", "aac", "-ac", "2", "-f", "mpegts", "pipe:1")
	return source, demux(t, source)
}

func ffmpeg(t *testing.T, stdin []byte, args ...string) []byte {
	t.Helper()
	path, err := exec.LookPath("ffmpeg")
	if err != nil {
		t.Skip("ffmpeg is not installed")
	}
	cmd := exec.CommandContext(t.Context(), path, append([]string{"-hide_banner", "-v", "error", "-xerror"}, args...)...)
	cmd.Stdin = bytes.NewReader(stdin)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil || stderr.Len() > 0 {
		t.Fatalf("ffmpeg %v: %v\n%s", args, err, stderr.String())
	}
	return stdout.Bytes()
}

// cmaf packages the units as the packager does: show time 0 at the first picture, a segment per IDR, each of them in
// two parts, sound at or after a segment's start in it. It moves the units of d to show time.
func cmaf(t *testing.T, d *demuxed) (init []byte, segments [][]byte, reorder media.Ticks) {
	t.Helper()
	var sps, pps []byte
	origin := d.video[0].pts
	for i := range d.video {
		u := &d.video[i]
		u.pts, u.dts = u.pts-origin, u.dts-origin
		for _, nal := range u.nals {
			switch nal[0] & 0x1F {
			case 7:
				sps = nal
			case 8:
				pps = nal
			}
		}
	}
	reorder = -d.video[0].dts
	audio := d.audio[:0]
	for _, u := range d.audio {
		// The encoder's container rounds; the packager counts samples.
		at := media.Rescale(u.pts-origin, testRate, 90_000)
		u.pts = media.Rescale(at, 90_000, testRate)
		if u.pts >= 0 {
			audio = append(audio, u)
		}
	}
	d.audio = audio

	rate := 0
	for _, track := range d.tracks {
		if c, ok := track.Codec.(*tscodecs.MPEG4Audio); ok {
			rate = c.SampleRate
		}
	}
	if rate != testRate {
		t.Fatalf("sound of %d Hz", rate)
	}
	init = makeInit(t, true, true, sps, pps, testAAC)
	video := d.video
	for len(video) > 0 {
		n := 1
		for n < len(video) && !video[n].key() {
			n++
		}
		m := len(audio)
		if n < len(video) {
			for m = 0; m < len(audio) && audio[m].pts < video[n].pts; m++ {
			}
		}
		seg := makePart(t, video[:n/2], audio[:m/2], reorder, testRate)
		segments = append(segments, append(seg, makePart(t, video[n/2:n], audio[m/2:m], reorder, testRate)...))
		video, audio = video[n:], audio[m:]
	}
	return init, segments, reorder
}

type probed struct {
	Packets []struct {
		Type  string `json:"codec_type"`
		PTS   int64  `json:"pts"`
		DTS   int64  `json:"dts"`
		Flags string `json:"flags"`
	} `json:"packets"`
}

// ffprobe finds every frame once, with its time; ffmpeg decodes the same pictures as from the source, without a word
// of complaint, over all segments put together.
func TestFFmpegPlaysSegments(t *testing.T) {
	for _, bframes := range []int{0, 2} {
		t.Run(strconv.Itoa(bframes)+" B-frames", func(t *testing.T) {
			source, d := encode(t, bframes)
			init, segments, reorder := cmaf(t, &d)
			if len(segments) != 6 {
				t.Fatalf("%d segments", len(segments))
			}
			if want := media.Ticks(bframes) * 3000; reorder < want-3000 || reorder > want {
				t.Fatalf("reorder %d", reorder)
			}
			var stream []byte
			for _, seg := range segments {
				out, err := Remux(init, seg, reorder)
				if err != nil {
					t.Fatal(err)
				}
				ffmpeg(t, out, "-i", "pipe:0", "-f", "null", "-") // each stands alone
				stream = append(stream, out...)
			}
			checkProbe(t, probe(t, stream), &d)

			decode := []string{"-i", "pipe:0", "-map", "0:v", "-f", "framehash", "-fps_mode", "passthrough", "pipe:1"}
			if diff := cmp.Diff(hashes(ffmpeg(t, source, decode...)), hashes(ffmpeg(t, stream, decode...))); diff != "" {
				t.Errorf("decoded pictures (-source +stream):\n%s", diff)
			}
			ffmpeg(t, stream, "-i", "pipe:0", "-map", "0:a", "-f", "null", "-")
		})
	}
}

// hashes takes the hash of each picture out of ffmpeg's framehash output.
func hashes(b []byte) (out []string) {
	for line := range bytes.Lines(b) {
		if fields := bytes.Split(bytes.TrimSpace(line), []byte(",")); len(fields) == 6 {
			out = append(out, string(bytes.TrimSpace(fields[5])))
		}
	}
	return out
}

func probe(t *testing.T, stream []byte) (p probed) {
	t.Helper()
	path, err := exec.LookPath("ffprobe")
	if err != nil {
		t.Skip("ffprobe is not installed")
	}
	file := filepath.Join(t.TempDir(), "stream.ts")
	if err := os.WriteFile(file, stream, 0o644); err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), path, "-v", "error", "-show_packets", "-of", "json", file)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || stderr.Len() > 0 {
		t.Fatalf("ffprobe: %v\n%s", err, stderr.String())
	}
	if err := json.Unmarshal(out, &p); err != nil {
		t.Fatal(err)
	}
	return p
}

func checkProbe(t *testing.T, p probed, d *demuxed) {
	t.Helper()
	var v, a int
	for _, pkt := range p.Packets {
		switch {
		case pkt.Type == "video" && v < len(d.video):
			u := &d.video[v]
			if got := (unit{pts: media.Ticks(pkt.PTS) - timeOffset, dts: media.Ticks(pkt.DTS) - timeOffset}); got.pts != u.pts || got.dts != u.dts {
				t.Fatalf("picture %d: PTS %d DTS %d, want %d %d", v, got.pts, got.dts, u.pts, u.dts)
			}
			if key := pkt.Flags[0] == 'K'; key != u.key() || pkt.Flags[1] != '_' {
				t.Errorf("picture %d: flags %s", v, pkt.Flags)
			}
			v++
		case pkt.Type == "audio" && a < len(d.audio):
			if diff := media.Ticks(pkt.PTS) - timeOffset - d.audio[a].pts; diff < -1 || diff > 1 {
				t.Fatalf("sound %d: PTS off by %d", a, diff)
			}
			a++
		default:
			t.Fatal("more packets than were sent")
		}
	}
	if v != len(d.video) || a != len(d.audio) {
		t.Errorf("%d pictures and %d frames of sound, want %d and %d", v, a, len(d.video), len(d.audio))
	}
}
