package pusher

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/vitrine-live/vitrine/ingest/rtmp"
	"github.com/vitrine-live/vitrine/media"
)

// shoot makes a film of one second with ffmpeg.
func shoot(t *testing.T, encoder ...string) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "film.mp4")
	args := append([]string{
		"-v", "error", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=30", "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000",
		"-t", "1", "-pix_fmt", "yuv420p", "-g", "15", "-c:a", "aac", "-ac", "2",
	}, encoder...)
	if out, err := exec.CommandContext(t.Context(), "ffmpeg", append(args, path)...).CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg (apt-get install ffmpeg): %v\n%s", err, out)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// stage keeps what one publisher sends.
type stage struct {
	room
	tracks chan []media.Track
}

func (s *stage) Publish(context.Context, media.PublishRequest) (media.Publication, error) {
	return s, nil
}
func (s *stage) SetTracks(tracks []media.Track) error { s.tracks <- tracks; return nil }

// What a muxer that knows nothing of us wrote goes through Enhanced RTMP and comes out as it was.
func TestFilmsOfNewCodecs(t *testing.T) {
	for _, c := range []struct {
		codec   media.Codec
		encoder []string
	}{
		{media.HEVC, []string{"-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none:bframes=2:keyint=15:min-keyint=15:scenecut=0"}},
		{media.AV1, []string{"-c:v", "libaom-av1", "-cpu-used", "8", "-usage", "realtime", "-row-mt", "1"}},
		{media.H264, []string{"-c:v", "libx264", "-preset", "ultrafast", "-bf", "2"}},
	} {
		t.Run(c.codec.String(), func(t *testing.T) {
			film, err := ReadMP4(shoot(t, c.encoder...))
			if err != nil {
				t.Fatal(err)
			}
			s := &stage{room: room{samples: make(chan media.Sample, 1000), done: make(chan struct{})}, tracks: make(chan []media.Track, 100)}
			push(t, film, s)
			tracks := <-s.tracks
			if len(tracks) != 2 || tracks[0].Codec != c.codec || tracks[1].Codec != media.AAC {
				t.Fatalf("tracks %v", tracks)
			}
			checkFilm(t, film, s)
		})
	}
}

// push publishes the film to s until the test ends.
func push(t *testing.T, film *Film, s *stage) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	t.Cleanup(func() {
		cancel()
		wg.Wait()
	})
	srv := rtmp.New(rtmp.Config{}, s, slog.New(slog.DiscardHandler), rtmp.NewMetrics(prometheus.NewRegistry()))
	wg.Go(func() { _ = srv.Serve(ctx, l) })
	p, err := Dial(ctx, l.Addr().String(), "right", film)
	if err != nil {
		t.Fatal(err)
	}
	wg.Go(func() { _ = p.Run(ctx, func(time.Duration) {}) })
}

// checkFilm wants the first pictures of the film, evenly spaced when shown, with two key pictures.
func checkFilm(t *testing.T, film *Film, s *stage) {
	t.Helper()
	const pictures = 30
	shown := map[int64]bool{}
	keys, bytes, want := 0, 0, 0
	for n := 0; n < pictures; {
		sample := <-s.samples
		if sample.Kind != media.Video {
			continue
		}
		shown[(sample.PTS.Milliseconds()+16)/33] = true
		if sample.Key {
			keys++
		}
		bytes += len(sample.Payload)
		n++
	}
	if keys != 2 {
		t.Errorf("%d key pictures", keys)
	}
	if len(shown) < pictures-1 { // rounded to the frame
		t.Errorf("%d pictures at %d times", pictures, len(shown))
	}
	for _, tag := range film.tags {
		if tag.typeID == 9 {
			want += len(tag.body) - 5
		}
	}
	if bytes < want*9/10 || bytes > want {
		t.Errorf("%d bytes of pictures, the film has %d with its delimiters", bytes, want)
	}
}

func TestNoMP4(t *testing.T) {
	good := shoot(t, "-c:v", "libx264", "-preset", "ultrafast")
	for name, b := range map[string][]byte{
		"nothing": nil, "FLV": flv(10), "half a film": good[:len(good)/2],
		"another codec": shoot(t, "-c:v", "mpeg4"),
		"no record":     []byte(strings.ReplaceAll(string(good), "avcC", "xxxx")),
	} {
		if _, err := ReadMP4(b); err == nil || name == "another codec" && !errors.Is(err, errNotMP4) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
