package cut_test

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/hls"
	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/ids"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/replay"
	"github.com/vitrine-live/vitrine/replay/cut"
)

const second = media.TicksPerSecond

// shorts are the films of eight seconds that were made, by how they are encoded.
var shorts = map[string]*film{}

// short is a film of eight seconds. Nobody may change it: of each kind one is made.
func short(t testing.TB, codec string, options ...string) *film {
	t.Helper()
	if testing.Short() {
		t.Skip("makes and decodes films")
	}
	need(t, "ffmpeg")
	need(t, "ffprobe")
	key := codec + fmt.Sprint(options)
	if shorts[key] == nil {
		f := filmSpec{width: 128, height: 72, codec: codec, options: options, fps: 25, seconds: 8, rate: 48_000, channels: 2}
		shorts[key] = f.make(t)
	}
	return shorts[key]
}

// streams are the codecs of a file, and how long they are presented.
func streams(t testing.TB, path string) (list []string, seconds []float64) {
	t.Helper()
	var probed struct {
		Streams []struct {
			Codec    string  `json:"codec_name"`
			Duration float64 `json:"duration,string"`
		}
	}
	if err := json.Unmarshal(run(t, nil, "ffprobe", "-v", "error", "-show_streams", "-of", "json", path), &probed); err != nil {
		t.Fatal(err)
	}
	for _, s := range probed.Streams {
		list, seconds = append(list, s.Codec), append(seconds, s.Duration)
	}
	run(t, nil, "ffmpeg", "-v", "error", "-xerror", "-i", path, "-f", "null", "-")
	return list, seconds
}

// Shows without pictures and without sound are cut too; where pictures are missing in a part of the clip, its sound
// keeps its place.
func TestTracks(t *testing.T) {
	f := short(t, "libx264", x264...)
	span := media.Span{From: 3*second + 100, To: 6*second + 1000}
	for name, without := range map[string]media.Kind{"audio": media.Video, "video": media.Audio} {
		t.Run(name, func(t *testing.T) {
			s := record(t, t.TempDir(), []scene{{film: f, times: 1, without: without}})
			path := filepath.Join(t.TempDir(), "clip.mp4")
			for _, exact := range []bool{false, true} {
				r, err := makeClip(t, exact, s.rec, span, path)
				if err != nil {
					t.Fatal(err)
				}
				list, seconds := streams(t, path)
				if len(list) != 1 || r.Video != (name == "video") || r.Audio != (name == "audio") || math.Abs(seconds[0]-r.Span.Len().Seconds()) > 0.001 {
					t.Errorf("%v of %v s, result %+v", list, seconds, r)
				}
				if name == "audio" && r.Span != span {
					t.Errorf("span %v, want %v to the tick", r.Span, span)
				}
			}
		})
	}
	t.Run("late pictures", func(t *testing.T) {
		s := record(t, t.TempDir(), []scene{{film: f, times: 1, without: media.Video}, {film: f, times: 1, reconnect: true}})
		path := filepath.Join(t.TempDir(), "clip.mp4")
		r, err := makeClip(t, false, s.rec, media.Span{From: 6 * second, To: 12 * second}, path)
		if err != nil || r.Span.From != 6*second {
			t.Fatal(err, r)
		}
		c := look(t, path)
		if start := run(t, nil, "ffprobe", "-v", "error", "-select_streams", "v", "-show_entries", "stream=start_time", "-of", "csv=p=0", path); !strings.HasPrefix(string(start), "2.0") {
			t.Errorf("pictures begin at %s", start)
		}
		if c.numbers[0] != 0 || len(c.numbers) != r.Frames {
			t.Errorf("%d frames from %d on, result %+v", len(c.numbers), c.numbers[0], r)
		}
	})
}

func makeClip(t testing.TB, exact bool, rec *replay.Recording, span media.Span, path string) (cut.Result, error) {
	t.Helper()
	if exact {
		return cut.Exact(t.Context(), rec, span, path, cut.Meta{}, cut.Encoder{Threads: 2}, nil)
	}
	return cut.Copy(t.Context(), rec, span, path, cut.Meta{}, nil)
}

// HEVC is cut as H264 is; its parameter sets have no identifiers to spare, so what is encoded has a sample entry of its
// own. In open groups of pictures, some frames stand behind a picture that they are shown before.
func TestHEVC(t *testing.T) {
	for _, open := range []string{"0", "1"} {
		f := short(t, "libx265", "-preset", "ultrafast", "-x265-params", "log-level=error:bframes=2:keyint=50:scenecut=0:open-gop="+open)
		s := record(t, t.TempDir(), []scene{{film: f, times: 1}})
		for _, exact := range []bool{false, true} {
			t.Run(fmt.Sprintf("open %s, exact %v", open, exact), func(t *testing.T) {
				path := filepath.Join(t.TempDir(), "clip.mp4")
				span := media.Span{From: second + 3600*3, To: 6*second + 3600*5}
				r, err := makeClip(t, exact, s.rec, span, path)
				if err != nil {
					t.Fatal(err)
				}
				_, want := s.check(t, path, span, r)
				if exact {
					if n := packets(t, path); n != len(want) {
						t.Errorf("%d frames in the file, want %d", n, len(want))
					}
				}
			})
		}
	}
}

// AV1 is copied; an exact cut of it is refused, and says what to do.
func TestAV1(t *testing.T) {
	t.Setenv("SVT_LOG", "0") // it says what it does
	f := short(t, "libsvtav1", "-preset", "12", "-g", "50")
	s := record(t, t.TempDir(), []scene{{film: f, times: 1}})
	path := filepath.Join(t.TempDir(), "clip.mp4")
	span := media.Span{From: second + 3600*3, To: 6*second + 3600*5}
	r, err := makeClip(t, false, s.rec, span, path)
	if err != nil {
		t.Fatal(err)
	}
	// ffmpeg's decoder of AV1 hands out frames before the edit too, at times before the file's beginning, where no player
	// shows them.
	c, want := look(t, path), s.wanted(span)
	hidden := slices.IndexFunc(c.pts, func(at media.Ticks) bool { return at >= 0 })
	if got := c.numbers[hidden:]; len(got) != len(want) || r.Frames != len(want) || got[0] != want[0].number || got[len(got)-1] != want[len(want)-1].number {
		t.Errorf("%d frames, %v ... %v, result %+v, want %d from %d on", len(got), head(got), tail(got), r, len(want), want[0].number)
	}
	_, err = makeClip(t, true, s.rec, span, path)
	if errs.KindOf(err) != errs.Invalid || errs.FieldOf(err) != "kind" {
		t.Error(err)
	}
}

// Pictures of publishers whose clocks count milliseconds, or that come rarely, keep their times.
func TestTimes(t *testing.T) {
	f := short(t, "libx264", append(slices.Clone(x264), "-bf", "0")...)
	for name, move := range map[string]func(media.Ticks) media.Ticks{
		"milliseconds": func(at media.Ticks) media.Ticks { return (at*25/29 + 44) / 90 * 90 },
		"rare":         func(at media.Ticks) media.Ticks { return at * 25 }, // one a second
	} {
		t.Run(name, func(t *testing.T) {
			slow := &film{spec: f.spec, tracks: f.tracks}
			for _, x := range f.samples {
				if x.Kind == media.Video {
					x.PTS, x.DTS = move(x.PTS), move(x.PTS)
					slow.samples = append(slow.samples, x)
				}
			}
			s := record(t, t.TempDir(), []scene{{film: slow, times: 1, without: media.Audio}})
			var pts []media.Ticks
			for _, x := range slow.samples {
				pts = append(pts, x.PTS)
			}
			for _, exact := range []bool{false, true} {
				path := filepath.Join(t.TempDir(), "clip.mp4")
				from, to := pts[20]+45, pts[70]
				r, err := makeClip(t, exact, s.rec, media.Span{From: from, To: to}, path)
				if err != nil {
					t.Fatal(err)
				}
				if name == "milliseconds" && (r.Frames != 50 || r.Span != media.Span{From: pts[20], To: pts[70]}) {
					t.Errorf("result %+v, want frames from %d to %d", r, pts[20], pts[70])
				}
				if name == "rare" && (r.Span.From > from || r.Span.To != to) {
					t.Errorf("result %+v, want %d to %d", r, from, to)
				}
				if _, seconds := streams(t, path); math.Abs(seconds[0]-r.Span.Len().Seconds()) > 0.001 {
					t.Errorf("%v s, result %+v", seconds, r)
				}
			}
		})
	}
}

// A show is cut while it is recorded, up to its newest part.
func TestOnAir(t *testing.T) {
	f := short(t, "libx264", x264...)
	a, err := replay.Open(t.TempDir(), replay.Config{Reserve: -1}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	id := ids.New("show")
	r, resume, err := a.Record(id)
	if err != nil {
		t.Fatal(err)
	}
	s := &show{}
	p := hls.NewPackager(hls.Config{}, hls.Resume(resume), r, nil, nil)
	epoch := media.Epoch{Wall: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
	p.StartEpoch(epoch)
	r.OnEpoch(epoch)
	if err := p.SetTracks(f.tracks); err != nil {
		t.Fatal(err)
	}
	s.play(t, p, &scene{film: f}, 0)
	slices.SortFunc(s.frames, func(a, b frame) int { return int(a.pts - b.pts) })
	if s.rec, err = a.Recording(id); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(10 * time.Second)
	for s.rec.Duration() < p.Position() && time.Now().Before(deadline) {
		time.Sleep(time.Millisecond) // the recorder writes what it was given
	}
	const reorder = 2 * 3600 // pictures that are decoded after one that they precede may not be recorded yet
	span := media.Span{From: second, To: s.rec.Duration() - reorder}
	path := filepath.Join(t.TempDir(), "clip.mp4")
	made, err := makeClip(t, true, s.rec, span, path)
	if err != nil || span.To < 7*second {
		t.Fatal(err, span)
	}
	s.check(t, path, span, made)
	p.EndEpoch()
	r.End()
}

// Where the recording has a gap, the clip shows the frame before it, and what comes after keeps its place.
func TestGap(t *testing.T) {
	f := short(t, "libx264", x264...)
	dir := t.TempDir()
	s := record(t, dir, []scene{{film: f, times: 2}})
	rec := withGap(t, s.rec, 3)
	gap := rec.Segments()[3]
	span := media.Span{From: gap.Start - 2*second - 3600*3, To: gap.End() + 2*second}
	for _, exact := range []bool{false, true} {
		path := filepath.Join(t.TempDir(), "clip.mp4")
		r, err := makeClip(t, exact, rec, span, path)
		if err != nil {
			t.Fatal(err)
		}
		c := look(t, path)
		want := slices.DeleteFunc(s.wanted(span), func(x frame) bool { return x.pts >= gap.Start && x.pts < gap.End() })
		if len(c.numbers) != len(want) || r.Frames != len(want) || c.pts[len(c.pts)-1] != want[len(want)-1].pts-want[0].pts {
			t.Errorf("%d frames to %v, want %d to %v", len(c.numbers), tail(c.pts), len(want), want[len(want)-1].pts-want[0].pts)
		}
	}
	_, err := cut.Clamp(rec, media.Span{From: gap.Start + 100, To: gap.End() - 100})
	if errs.KindOf(err) != errs.Invalid || errs.FieldOf(err) != "from" {
		t.Error(err)
	}
}

// withGap records a show again, with the files of another, but for one segment.
func withGap(t testing.TB, rec *replay.Recording, msn int64) *replay.Recording {
	t.Helper()
	dir := t.TempDir()
	a, err := replay.Open(dir, replay.Config{Reserve: -1, Queue: 1 << 30}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	id := ids.New("show")
	r, _, err := a.Record(id)
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range rec.Inits() {
		b, err := rec.InitData(in.Number)
		if err != nil {
			t.Fatal(err)
		}
		r.OnInit(in, b)
	}
	for _, s := range rec.Segments() {
		part := playlist.Part{Duration: s.Duration, Independent: true, Last: true, Size: s.Size, Gap: s.MSN == msn}
		b := make([]byte, s.Size)
		f, _, err := rec.OpenSegment(s.MSN)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Read(b); err != nil {
			t.Fatal(err)
		}
		_ = f.Close()
		s.TargetDuration, s.Gap = 2, s.MSN == msn
		if !s.Gap {
			r.OnPart(s, part, b)
		}
		r.OnSegment(s)
	}
	r.End()
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := replay.OpenRecording(filepath.Join(dir, id))
	if err != nil {
		t.Fatal(err)
	}
	if !again.Segments()[msn].Gap {
		t.Fatal("there is no gap")
	}
	return again
}

func TestClamp(t *testing.T) {
	s := ten(t)
	end := s.rec.Duration()
	for _, c := range []struct {
		span  media.Span
		want  media.Span
		field string
	}{
		{media.Span{From: 0, To: end}, media.Span{From: 0, To: end}, ""},
		{media.Span{From: second, To: end + second}, media.Span{From: second, To: end}, ""},
		{media.Span{From: -1, To: second}, media.Span{}, "from"},
		{media.Span{From: math.MinInt64, To: math.MaxInt64}, media.Span{}, "from"},
		{media.Span{From: second, To: second}, media.Span{}, "to"},
		{media.Span{From: 2 * second, To: second}, media.Span{}, "to"},
		{media.Span{From: end, To: end + 1}, media.Span{}, "from"},
		{media.Span{From: 0, To: end + second + 1}, media.Span{}, "to"},
		{media.Span{From: 0, To: math.MaxInt64}, media.Span{}, "to"},
	} {
		got, err := cut.Clamp(s.rec, c.span)
		if c.field == "" && (err != nil || got != c.want) || c.field != "" && (errs.KindOf(err) != errs.Invalid || errs.FieldOf(err) != c.field) {
			t.Errorf("%v: %v, %v", c.span, got, err)
		}
	}
}

// What cannot be cut is refused in words, and a damaged recording never makes a file.
func TestRefused(t *testing.T) {
	f := short(t, "libx264", x264...)
	h := short(t, "libx265", "-preset", "ultrafast", "-x265-params", "log-level=error:bframes=0:keyint=50")
	dir := t.TempDir()
	s := record(t, dir, []scene{{film: f, times: 1}, {film: h, times: 1, reconnect: true}})
	path := filepath.Join(t.TempDir(), "clip.mp4")
	_, err := makeClip(t, false, s.rec, media.Span{From: 4 * second, To: 12 * second}, path)
	if errs.KindOf(err) != errs.Invalid || !strings.Contains(errs.MessageOf(err), "H264 to HEVC at 0:00:08") {
		t.Error(err)
	}
	_, err = cut.Exact(t.Context(), s.rec, media.Span{From: second + 3600, To: 5 * second}, path, cut.Meta{}, cut.Encoder{Program: "no-such-program"}, nil)
	if errs.KindOf(err) != errs.Unavailable {
		t.Error(err)
	}
	for name, damage := range map[string]func([]byte) []byte{
		"truncated": func(b []byte) []byte { return b[:len(b)-100] },
		"counts": func(b []byte) []byte {
			i := strings.Index(string(b), "trun")
			binary.BigEndian.PutUint32(b[i+8:], 1<<31)
			return b
		},
		"sizes": func(b []byte) []byte { binary.BigEndian.PutUint32(b, 1<<31); return b },
		"empty": func([]byte) []byte { return nil },
	} {
		name1 := filepath.Join(dir, s.rec.Show(), "1.m4s")
		whole := read(t, name1)
		write(t, name1, damage(slices.Clone(whole)))
		_, err := makeClip(t, false, s.rec, media.Span{From: second, To: 5 * second}, path)
		if err == nil {
			t.Errorf("%s: a clip of a damaged recording", name)
		}
		write(t, name1, whole)
	}
	if left, _ := os.ReadDir(filepath.Dir(path)); len(left) > 0 {
		t.Errorf("left over: %v", fmt.Sprint(left))
	}
}
