package clip_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os/exec"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/bluenviron/mediacommon/v2/pkg/formats/mpegts"
	tscodecs "github.com/bluenviron/mediacommon/v2/pkg/formats/mpegts/codecs"

	"github.com/vitrine-live/vitrine/hls"
	"github.com/vitrine-live/vitrine/media"
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
	theFilm.film = parse(t, out)
	return theFilm.film
}

func parse(t testing.TB, stream []byte) *film {
	f := &film{}
	r := &mpegts.Reader{R: bytes.NewReader(stream)}
	if err := r.Initialize(); err != nil {
		t.Fatal(err)
	}
	video := media.Track{Codec: media.H264}
	for _, track := range r.Tracks() {
		switch c := track.Codec.(type) {
		case *tscodecs.H264:
			r.OnDataH264(track, func(pts, dts int64, au [][]byte) error {
				f.samples = append(f.samples, picture(&video, pts, dts, au))
				return nil
			})
		case *tscodecs.MPEG4Audio:
			f.tracks = append(f.tracks, media.Track{Codec: media.AAC, Audio: &c.Config})
			r.OnDataMPEG4Audio(track, func(pts int64, aus [][]byte) error {
				for i, au := range aus {
					at := media.Ticks(pts + int64(i)*1920)
					f.samples = append(f.samples, media.Sample{Kind: media.Audio, PTS: at, DTS: at, Key: true, Payload: au})
				}
				return nil
			})
		}
	}
	for {
		if err := r.Read(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	f.tracks = append(f.tracks, video)
	first := slices.IndexFunc(f.samples, func(s media.Sample) bool { return s.Kind == media.Video && s.Key })
	origin := f.samples[first].PTS
	for i := range f.samples {
		f.samples[i].PTS -= origin
		f.samples[i].DTS -= origin
	}
	slices.SortStableFunc(f.samples, func(a, b media.Sample) int { return int(a.DTS - b.DTS) })
	return f
}

func picture(track *media.Track, pts, dts int64, au [][]byte) media.Sample {
	s := media.Sample{Kind: media.Video, PTS: media.Ticks(pts), DTS: media.Ticks(dts)}
	for _, nal := range au {
		switch nal[0] & 0x1F {
		case 7:
			track.SPS = nal
			continue
		case 8:
			track.PPS = nal
			continue
		case 5:
			s.Key = true
		}
		s.Payload = append(binary.BigEndian.AppendUint32(s.Payload, uint32(len(nal))), nal...)
	}
	return s
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
