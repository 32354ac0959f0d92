package preview

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/hls"
	"github.com/vitrine-live/vitrine/internal/ids"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/media/mediatest"
	"github.com/vitrine-live/vitrine/replay"
)

const (
	testRate  = 25
	bits      = 9 // of the counter in each picture, as columns from the left, the lowest bit first
	frameTime = media.TicksPerSecond / testRate
)

// clip is what a publisher sends: tracks, and samples in the order of decoding, from PTS 0 on.
type clip struct {
	tracks  []media.Track
	samples []media.Sample
}

// encoded are the shows that were made, each once for all tests, by what encode is asked for.
var encoded sync.Map

// encode makes a show of some seconds: pictures with their number, and a beep of half a second every five.
func encode(t testing.TB, seconds, size string, sound bool) *clip {
	t.Helper()
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("ffmpeg is not installed")
	}
	key := fmt.Sprint(seconds, " ", size, " ", sound)
	if c, ok := encoded.Load(key); ok {
		return c.(*clip)
	}
	c := encodeAnew(t, seconds, size, sound)
	encoded.Store(key, c)
	return c
}

func encodeAnew(t testing.TB, seconds, size string, sound bool) *clip {
	t.Helper()
	var boxes []string
	for bit := range bits {
		boxes = append(boxes, "drawbox=x=iw*"+itoa(bit)+"/"+itoa(bits)+":y=0:w=iw/"+itoa(bits)+":h=ih:color=white:t=fill:enable='mod(floor(n/"+itoa(1<<bit)+"),2)'")
	}
	args := []string{
		"-v", "error", "-f", "lavfi", "-i", "color=black:s=" + size + ":r=" + itoa(testRate),
		"-f", "lavfi", "-i", "aevalsrc='if(lt(mod(t,5),0.5),0.8*sin(2*PI*997*t),0)':s=48000", "-t", seconds, "-vf", strings.Join(boxes, ","),
		"-c:v", "libx264", "-preset", "veryfast", "-crf", "18", "-bf", "2", "-g", "50", "-keyint_min", "50", "-sc_threshold", "0", "-pix_fmt", "yuv420p", "-map", "0:v",
	}
	if sound {
		args = append(args, "-c:a", "aac", "-ac", "2", "-map", "1:a")
	}
	var out, said bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "ffmpeg", append(args, "-f", "mpegts", "pipe:1")...)
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		t.Fatal(err, said.String())
	}
	tracks, samples := mediatest.ReadTS(t, out.Bytes())
	return &clip{tracks, samples}
}

// studio records a show of several publishes.
type studio struct {
	t   testing.TB
	rec *replay.Recorder
	p   *hls.Packager
}

func record(t testing.TB, a *replay.Archive, show string) *studio {
	t.Helper()
	r, resume, err := a.Record(show)
	if err != nil {
		t.Fatal(err)
	}
	return &studio{t, r, hls.NewPackager(hls.Config{}, hls.Resume(resume), r, nil, nil)}
}

// publish sends a clip as one epoch and returns the show time of its first picture.
func (s *studio) publish(c *clip) media.Ticks {
	s.t.Helper()
	epoch := media.Epoch{ShowTime: s.p.Position(), Wall: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC).Add(s.p.Position().Duration())}
	s.p.StartEpoch(epoch)
	if err := s.p.SetTracks(c.tracks); err != nil {
		s.t.Fatal(err)
	}
	s.rec.OnEpoch(epoch)
	for _, sample := range c.samples {
		sample.PTS, sample.DTS = sample.PTS+epoch.ShowTime, sample.DTS+epoch.ShowTime
		if err := s.p.Write(sample); err != nil {
			s.t.Fatal(err)
		}
	}
	s.p.EndEpoch()
	return epoch.ShowTime
}

// settle waits until what was published is on the disk.
func (s *studio) settle() {
	s.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); s.rec.Recording().Duration() < s.p.Position(); {
		if time.Now().After(deadline) {
			s.t.Fatal("the recorder does not get on")
		}
		time.Sleep(time.Millisecond)
	}
}

func (s *studio) end(over bool) {
	s.t.Helper()
	if over {
		s.rec.End()
	}
	if err := s.rec.Close(); err != nil {
		s.t.Fatal(err)
	}
}

// ended is a show of one publish that is over, in an archive of its own.
func ended(t testing.TB, c *clip) (a *replay.Archive, show string) {
	t.Helper()
	a, show = openArchive(t, t.TempDir(), nil), ids.New("show")
	st := record(t, a, show)
	st.publish(c)
	st.end(true)
	return a, show
}

func openArchive(t testing.TB, dir string, beside replay.Beside) *replay.Archive {
	t.Helper()
	a, err := replay.Open(dir, replay.Config{Reserve: -1, FFmpeg: "no-posters-here", Beside: beside}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	return a
}

func copyFile(t testing.TB, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(to), 0o755)
	}
	if err == nil {
		err = os.WriteFile(to, b, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}
