package replay_test

import (
	"bytes"
	"encoding/json"
	"image/jpeg"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/hls"
	"github.com/vitrine-live/vitrine/internal/ids"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/media/mediatest"
	"github.com/vitrine-live/vitrine/replay"
)

// The packager's stream and a recorder fit together without an adapter.
var (
	_ hls.Sink    = (*replay.Recorder)(nil)
	_ hls.Archive = (*replay.Recorder)(nil)
	_ hls.Archive = (*replay.Recording)(nil)
	_             = hls.Resume(replay.Resume{})
)

func program(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skip(name + " is not installed")
	}
	return path
}

// run runs a program that must not complain.
func run(t testing.TB, name string, args ...string) []byte {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), program(t, name), args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil || stderr.Len() > 0 {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, stderr.String())
	}
	return stdout.Bytes()
}

// encoded is what a publisher sends: tracks, and samples in the order of decoding, from PTS 0 on.
type encoded struct {
	tracks  []media.Track
	samples []media.Sample
}

// encode makes eight seconds of video with two B-frames and an IDR every two seconds, and sound.
func encode(t testing.TB) *encoded {
	t.Helper()
	stream := run(t, "ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=320x180:r=30", "-f", "lavfi", "-i", "sine=r=48000",
		"-t", "8", "-c:v", "libx264", "-preset", "veryfast", "-bf", "2", "-g", "60", "-sc_threshold", "0", "-pix_fmt", "yuv420p",
		"-c:a", "aac", "-ac", "2", "-f", "mpegts", "pipe:1")
	tracks, samples := mediatest.ReadTS(t, stream)
	return &encoded{tracks, samples}
}

// record packages and records the samples as a show of two epochs. It returns the show times of all pictures.
func (e *encoded) record(t testing.TB, a *replay.Archive, show string) (pictures []media.Ticks) {
	t.Helper()
	r, resume, err := a.Record(show)
	if err != nil {
		t.Fatal(err)
	}
	p := hls.NewPackager(hls.Config{}, hls.Resume(resume), r, nil, nil)
	wall := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for range 2 {
		epoch := media.Epoch{ShowTime: p.Position(), Wall: wall}
		p.StartEpoch(epoch)
		if err := p.SetTracks(e.tracks); err != nil {
			t.Fatal(err)
		}
		r.OnEpoch(epoch)
		for _, s := range e.samples {
			s.PTS, s.DTS = s.PTS+epoch.ShowTime, s.DTS+epoch.ShowTime
			if err := p.Write(s); err != nil {
				t.Fatal(err)
			}
			if s.Kind == media.Video {
				pictures = append(pictures, s.PTS)
			}
		}
		p.EndEpoch()
		wall = wall.Add(time.Minute)
	}
	r.End()
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(pictures)
	return pictures
}

func serve(t testing.TB, a *replay.Archive) (base string) {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("/replay/{show}/{name...}", func(w http.ResponseWriter, r *http.Request) {
		a.Serve(w, r, r.PathValue("show"), r.PathValue("name"))
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL + "/replay/"
}

// ffprobe finds every picture of a replay once at its show time, and ffmpeg decodes it without complaint, as CMAF and
// as MPEG-TS, over a reconnect.
func TestReplayPlays(t *testing.T) {
	e := encode(t)
	a, err := replay.Open(t.TempDir(), replay.Config{}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	show := ids.New("show")
	pictures := e.record(t, a, show)
	base := serve(t, a) + show + "/"
	// ffmpeg adds the largest negative composition offset, one picture here, to every PTS of a fragmented MP4.
	for name, offset := range map[string]media.Ticks{"index.m3u8": 3000, "ts/index.m3u8": 10 * media.TicksPerSecond} {
		t.Run(name, func(t *testing.T) {
			out := run(t, "ffprobe", "-v", "error", "-select_streams", "v", "-show_packets", "-of", "json", base+name)
			var probed struct {
				Packets []struct{ PTS media.Ticks }
			}
			if err := json.Unmarshal(out, &probed); err != nil {
				t.Fatal(err)
			}
			var got []media.Ticks
			for _, p := range probed.Packets {
				got = append(got, p.PTS-offset)
			}
			slices.Sort(got)
			if !slices.Equal(got, pictures) {
				t.Errorf("%d pictures at %v,\nwant %d at %v", len(got), got, len(pictures), pictures)
			}
			run(t, "ffmpeg", "-v", "error", "-xerror", "-i", base+name, "-f", "null", "-")
		})
	}
}

func TestPoster(t *testing.T) {
	program(t, "ffmpeg")
	e := encode(t)
	dir := t.TempDir()
	a, err := replay.Open(dir, replay.Config{}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	show := ids.New("show")
	e.record(t, a, show)
	url := serve(t, a) + show + "/poster.jpg"
	for range 2 { // made while the show was recorded, then again because it is gone
		resp, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		picture, err := jpeg.Decode(resp.Body)
		_ = resp.Body.Close()
		if err != nil || resp.Header.Get("Content-Type") != "image/jpeg" {
			t.Fatalf("%s: %v", resp.Status, err)
		}
		if size := picture.Bounds().Size(); size.X != 320 || size.Y != 180 {
			t.Errorf("a poster of %v", size)
		}
		if err := os.Remove(filepath.Join(dir, show, "poster.jpg")); err != nil {
			t.Fatal(err)
		}
	}
	http.DefaultClient.CloseIdleConnections()
}
