package e2e

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/internal/pusher"
)

// An anchor who sends HEVC or AV1 by Enhanced RTMP is on air with it as it is, live and in the replay.
func TestEnhancedRTMP(t *testing.T) {
	t.Parallel()
	s := serve(t)
	for _, c := range []struct {
		name, tag string // as ffprobe and CODECS call it
		encoder   []string
	}{
		{"hevc", "hvc1", []string{"-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none:open-gop=0:bframes=2:keyint=30:min-keyint=30:scenecut=0"}},
		{"av1", "av01", []string{"-c:v", "libaom-av1", "-cpu-used", "8", "-usage", "realtime", "-row-mt", "1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := s.newRoom(t)
			stop := s.pushFilm(t, r.StreamKey, c.encoder)
			show := s.onAir(t, r.ID)
			eventually(t, 20*time.Second, "two segments", func() bool {
				_, playlist := s.get(t, "/live/"+r.ID+"/"+show+"/main.m3u8")
				return strings.Count(string(playlist), "#EXTINF") >= 2
			})
			if _, index := s.get(t, "/live/"+r.ID+"/index.m3u8"); !strings.Contains(string(index), c.tag+".") || !strings.Contains(string(index), "RESOLUTION=320x180") {
				t.Errorf("multivariant playlist:\n%s", index)
			}
			if status, problem := s.get(t, "/live/"+r.ID+"/ts/index.m3u8"); status != http.StatusNotFound || !strings.Contains(string(problem), "ladder") {
				t.Errorf("as MPEG-TS: %d %s", status, problem)
			}
			stop()
			s.call(t, http.MethodPost, "/api/v1/rooms/"+r.ID+"/end", nil, nil)
			s.state(t, show, "ended", 10*time.Second)
			replay := s.url("/replay/" + show + "/index.m3u8")
			checkStream(t, replay, c.name, c.tag)
			ffmpegRun(t, time.Minute, "ffmpeg", "-nostdin", "-xerror", "-i", replay, "-map", "0", "-f", "null", "-")
			pts := packetTimes(t, replay, "v")
			const reordered = 3 // pictures at the end, some of which were not sent any more
			for i := 1; i < len(pts)-reordered; i++ {
				if step := pts[i] - pts[i-1]; step > 0.05 && i%filmFrames != 0 || step > 0.1 {
					t.Errorf("picture %d comes %.3f s after the one before", i, step)
				}
			}
		})
	}
}

// filmFrames are the pictures of a film of two seconds. Its sound is a little longer, so that loops leave a gap.
const filmFrames = 60

// pushFilm makes a film of two seconds and pushes it in loops until stop.
func (s *server) pushFilm(t *testing.T, key string, encoder []string) (stop func()) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "film.mp4")
	args := append([]string{
		"-f", "lavfi", "-i", "testsrc2=size=320x180:rate=30", "-f", "lavfi", "-i", "sine=sample_rate=48000", "-t", "2", "-pix_fmt", "yuv420p", "-g", "30", "-c:a", "aac",
	}, encoder...)
	ffmpegRun(t, time.Minute, "ffmpeg", append(args, path)...)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	film, err := pusher.ReadMP4(b)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	p, err := pusher.Dial(ctx, s.rtmp, key, film)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := p.Run(ctx, func(time.Duration) {}); err != nil {
			t.Errorf("pushing: %v", err)
		}
	}()
	stop = func() {
		cancel()
		<-done
	}
	t.Cleanup(stop)
	return stop
}

// checkStream wants one video stream of that codec and one of AAC.
func checkStream(t *testing.T, url, name, tag string) {
	t.Helper()
	out := ffmpegRun(t, time.Minute, "ffprobe", "-show_entries", "stream=codec_name,codec_tag_string", "-of", "json", url)
	var r struct {
		Streams []struct {
			Name string `json:"codec_name"`
			Tag  string `json:"codec_tag_string"`
		} `json:"streams"`
	}
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, st := range r.Streams {
		found[st.Name] = st.Tag
	}
	if len(found) != 2 || found[name] != tag || found["aac"] != "mp4a" {
		t.Errorf("%s holds %v", url, found)
	}
}
