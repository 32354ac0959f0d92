package clip_test

import (
	"os/exec"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/hls"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/media/mediatest"
	"github.com/vitrine-live/vitrine/replay"
)

// begun is the wall instant of a test show's first picture.
var begun = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// filmLength is how long one turn of the film is.
const filmLength = 8 * media.TicksPerSecond

// film is what a publisher sends: eight seconds with B-frames, an IDR every second, and sound.
type film struct {
	tracks  []media.Track
	samples []media.Sample
}

var theFilm = struct {
	sync.Mutex
	*film
}{}

// encoded makes the film, once for all tests.
func encoded(t testing.TB) *film {
	t.Helper()
	theFilm.Lock()
	defer theFilm.Unlock()
	if theFilm.film != nil {
		return theFilm.film
	}
	program, err := exec.LookPath("ffmpeg")
	if err != nil {
		t.Skip("ffmpeg is not installed")
	}
	out, err := exec.CommandContext(t.Context(), program, "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=160x90:r=25", "-f", "lavfi", "-i", "sine=r=48000",
		"-t", "8", "-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-g", "25", "-sc_threshold", "0", "-pix_fmt", "yuv420p",
		"-c:a", "aac", "-ac", "2", "-f", "mpegts", "pipe:1").Output()
	if err != nil {
		t.Fatal(err)
	}
	tracks, samples := mediatest.ReadTS(t, out)
	theFilm.film = &film{tracks, samples}
	return theFilm.film
}

// taping is a show that is being recorded.
type taping struct {
	t        testing.TB
	film     *film
	recorder *replay.Recorder
	packager *hls.Packager
	at       media.Ticks
	epochs   media.Epochs
}

func tape(t testing.TB, a *replay.Archive, showID string) *taping {
	t.Helper()
	r, resume, err := a.Record(showID)
	if err != nil {
		t.Fatal(err)
	}
	x := &taping{t: t, film: encoded(t), recorder: r, packager: hls.NewPackager(hls.Config{}, hls.Resume(resume), r, nil, nil)}
	x.connect(0)
	return x
}

// connect begins an epoch after a pause of the wall clock.
func (x *taping) connect(pause time.Duration) {
	if len(x.epochs) > 0 {
		x.at = x.packager.EndEpoch()
	}
	e := media.Epoch{ShowTime: x.at, Wall: begun.Add(x.at.Duration() + pause)}
	x.epochs = append(x.epochs, e)
	x.packager.StartEpoch(e)
	x.recorder.OnEpoch(e)
	if err := x.packager.SetTracks(x.film.tracks); err != nil {
		x.t.Fatal(err)
	}
}

// play shows the film some times.
func (x *taping) play(times int) {
	for range times {
		for _, s := range x.film.samples {
			if s.Kind == media.Audio && (s.PTS < 0 || s.PTS >= filmLength) {
				continue
			}
			s.PTS, s.DTS = s.PTS+x.at, s.DTS+x.at
			if err := x.packager.Write(s); err != nil {
				x.t.Fatal(err)
			}
		}
		x.at += filmLength
	}
	for x.recorder.Status().LagBytes > 0 { // it writes in a goroutine of its own
		runtime.Gosched()
	}
}

// end ends the show.
func (x *taping) end() {
	x.packager.EndEpoch()
	x.recorder.End()
	if err := x.recorder.Close(); err != nil {
		x.t.Fatal(err)
	}
}
