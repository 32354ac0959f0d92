package cut_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"

	"github.com/vitrine-live/vitrine/hls"
	"github.com/vitrine-live/vitrine/internal/ids"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/media/mediatest"
	"github.com/vitrine-live/vitrine/replay"
	"github.com/vitrine-live/vitrine/replay/mp4"
)

// film is what a publisher sends: tracks, and samples in the order of decoding, from PTS 0 on. Frame n has the number n
// drawn as blocks, and each full second begins with a beep.
type film struct {
	spec    filmSpec
	tracks  []media.Track
	samples []media.Sample
}

type filmSpec struct {
	width, height int
	codec         string // of ffmpeg
	options       []string
	fps           int
	seconds       int
	rate          int // of the sound; 0: none
	channels      int
}

// blocks is in how many blocks, side by side, a frame shows its number.
const blocks = 16

func need(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skip(name + " is not installed")
	}
	return path
}

// run runs a program that must not complain.
func run(t testing.TB, stdin io.Reader, name string, args ...string) []byte {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), need(t, name), args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, &stdout, &stderr
	if err := cmd.Run(); err != nil || stderr.Len() > 0 {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, stderr.String())
	}
	return stdout.Bytes()
}

func write(t testing.TB, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
}

// draw is frame n: 4:2:0 with 16 blocks that are the bits of n, and something that moves below.
func (s *filmSpec) draw(b []byte, n int) []byte {
	at := len(b)
	b = slices.Grow(b, s.width*s.height*3/2)[:at+s.width*s.height*3/2]
	luma := b[at:][:s.width*s.height]
	row := make([]byte, s.width)
	for x := range row {
		row[x] = 32
		if n>>(x*blocks/s.width)&1 == 1 {
			row[x] = 224
		}
	}
	for y := range s.height / 3 {
		copy(luma[y*s.width:], row)
	}
	for y := s.height / 3; y < s.height; y++ {
		for x := range s.width {
			luma[y*s.width+x] = byte(64 + (x+n*3)%128 + y%7)
		}
	}
	for i := range b[at+s.width*s.height:] {
		b[at+s.width*s.height+i] = byte(118 + n/s.fps%20)
	}
	return b
}

// number reads what draw drew.
func number(luma []byte, width, height int) (n int) {
	row := luma[height/6*width:][:width]
	for i := range blocks {
		if row[(2*i+1)*width/blocks/2] > 128 {
			n |= 1 << i
		}
	}
	return n
}

// beep is the sound: 20 ms of 1 kHz at each full second.
func (s *filmSpec) beep() []byte {
	b := make([]byte, 0, s.seconds*s.rate*s.channels*2)
	for i := range s.seconds * s.rate {
		v := 0.0
		if at := i % s.rate; at < s.rate/50 {
			v = 20_000 * math.Sin(2*math.Pi*1000*float64(at)/float64(s.rate))
		}
		for range s.channels {
			b = binary.LittleEndian.AppendUint16(b, uint16(int16(v)))
		}
	}
	return b
}

// make encodes the film.
func (s filmSpec) make(t testing.TB) *film {
	t.Helper()
	args := []string{
		"-v", "error", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", fmt.Sprintf("%dx%d", s.width, s.height), "-r", fmt.Sprint(s.fps), "-i", "pipe:0",
	}
	if s.rate > 0 {
		wav := t.TempDir() + "/beep.pcm"
		write(t, wav, s.beep())
		args = append(args, "-f", "s16le", "-ar", fmt.Sprint(s.rate), "-ac", fmt.Sprint(s.channels), "-i", wav, "-c:a", "aac", "-b:a", "96k")
	}
	args = append(args, "-c:v", s.codec)
	args = append(args, s.options...)
	if s.codec == "libsvtav1" { // which MPEG-TS cannot carry
		args = append(args, "-video_track_timescale", "90000", "-movflags", "empty_moov+default_base_moof+frag_keyframe", "-f", "mp4", "pipe:1")
	} else {
		args = append(args, "-f", "mpegts", "pipe:1")
	}
	r, w := io.Pipe()
	go func() {
		var b []byte
		for n := range s.seconds * s.fps {
			b = s.draw(b[:0], n)
			if _, err := w.Write(b); err != nil {
				return
			}
		}
		_ = w.Close()
	}()
	f := &film{spec: s}
	if stream := run(t, r, "ffmpeg", args...); s.codec == "libsvtav1" {
		f.parseAV1(t, stream)
	} else {
		f.tracks, f.samples = mediatest.ReadTS(t, stream)
	}
	return f
}

// parseAV1 takes the samples of a fragmented MP4.
func (f *film) parseAV1(t testing.TB, file []byte) {
	tracks, err := mp4.ReadInit(file)
	if err != nil {
		t.Fatal(err)
	}
	samples, err := mp4.ReadSamples(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range tracks {
		priming := int64(1920) // ffmpeg moves pictures by what the encoder of the sound puts before it, except the first
		if in.Codec == media.AAC {
			format, _ := mp4.Audio(in.Entry)
			priming = 1024
			f.tracks = append(f.tracks, media.Track{Codec: media.AAC, Audio: &mpeg4audio.AudioSpecificConfig{
				Type: mpeg4audio.ObjectType(format.ObjectType), SampleRate: format.Rate, ChannelConfig: uint8(format.Channels),
			}})
		} else {
			sets, err := mp4.ParameterSets(in.Entry)
			if err != nil {
				t.Fatal(err)
			}
			header := slices.Clone(sets[0][:1]) // without its size, which is one byte
			header[0] &^= 2
			f.tracks = append(f.tracks, media.Track{Codec: media.AV1, SequenceHeader: append(header, sets[0][2:]...)})
		}
		for _, s := range samples {
			if s.Track == in.ID {
				at := func(v int64) media.Ticks {
					return media.Rescale(media.Ticks(max(v-priming, 0)), 90_000, int64(in.Timescale))
				}
				f.samples = append(f.samples, media.Sample{
					Kind: in.Codec.Kind(), PTS: at(s.PTS()), DTS: at(s.DTS), Key: s.Sync, Payload: file[s.Offset : s.Offset+s.Size],
				})
			}
		}
	}
	mediatest.Rebase(f.samples)
}

// length is how long the pictures of the film last.
func (f *film) length() media.Ticks { return media.Ticks(f.spec.seconds) * media.TicksPerSecond }

// scene is a film that is shown some times in turn, and how it begins.
type scene struct {
	film      *film
	times     int
	reconnect bool // a new epoch; else new parameters in the same
	without   media.Kind
}

// frame is a frame of the show.
type frame struct {
	pts     media.Ticks
	number  int
	decoded int // its place in the order of decoding
	film    *film
	payload []byte
}

// show is a recording and what is in it.
type show struct {
	dir    string // of the archive
	rec    *replay.Recording
	frames []frame // as displayed
	beeps  []media.Ticks
}

// record packages and records scenes faster than real time.
func record(t testing.TB, dir string, scenes []scene) *show {
	t.Helper()
	a, err := replay.Open(dir, replay.Config{Reserve: -1, Queue: 1 << 30}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	id := ids.New("show")
	r, resume, err := a.Record(id)
	if err != nil {
		t.Fatal(err)
	}
	p := hls.NewPackager(hls.Config{}, hls.Resume(resume), r, nil, nil)
	s := &show{dir: dir}
	wall := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	at := media.Ticks(0)
	for i, sc := range scenes {
		if i == 0 || sc.reconnect {
			if i > 0 {
				at = p.EndEpoch()
			}
			epoch := media.Epoch{ShowTime: at, Wall: wall.Add(at.Duration() + time.Duration(i)*7*time.Second)}
			p.StartEpoch(epoch)
			r.OnEpoch(epoch)
		}
		tracks := slices.DeleteFunc(slices.Clone(sc.film.tracks), func(x media.Track) bool { return x.Kind() == sc.without })
		if err := p.SetTracks(tracks); err != nil {
			t.Fatal(err)
		}
		for range sc.times {
			s.play(t, p, &sc, at)
			at += sc.film.length()
		}
	}
	p.EndEpoch()
	r.End()
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if s.rec, err = replay.OpenRecording(filepath.Join(dir, id)); err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(s.frames, func(a, b frame) int { return int(a.pts - b.pts) })
	return s
}

// play writes a film once. Sound before its first picture and after its last is left out when it is repeated.
func (s *show) play(t testing.TB, p *hls.Packager, sc *scene, at media.Ticks) {
	f := sc.film
	for _, x := range f.samples {
		if x.Kind == sc.without || x.Kind == media.Audio && (x.PTS < 0 || x.PTS >= f.length()) {
			continue
		}
		if x.Kind == media.Video {
			n := int(media.Rescale(x.PTS, int64(f.spec.fps), int64(media.TicksPerSecond)))
			s.frames = append(s.frames, frame{at + x.PTS, n, len(s.frames), f, x.Payload})
			if n%f.spec.fps == 0 && f.spec.rate > 0 && sc.without != media.Audio {
				s.beeps = append(s.beeps, at+x.PTS)
			}
		}
		x.PTS, x.DTS = x.PTS+at, x.DTS+at
		if err := p.Write(x); err != nil {
			t.Fatal(err)
		}
	}
}

var x264 = []string{"-preset", "veryfast", "-bf", "2", "-g", "50", "-sc_threshold", "0", "-b:v", "120k"}

// The films of the tests, whose sound is whole access units: a film that is repeated has no hole.
var (
	usual = filmSpec{width: 160, height: 90, codec: "libx264", options: x264, fps: 25, seconds: 40, rate: 48_000, channels: 2}
	small = filmSpec{
		width: 128, height: 72, codec: "libx264", options: append(slices.Clone(x264), "-bf", "3"), fps: 25, seconds: 20, rate: 32_000, channels: 1,
	}
)

// Where something happens in the show of ten minutes.
const (
	reconnect  = 160 * media.TicksPerSecond
	otherInit  = 280 * media.TicksPerSecond // a reconnect with another resolution and sound
	parameters = 320 * media.TicksPerSecond // without a reconnect
)

// ten is a show of ten minutes: the publisher reconnects, does so again with another resolution and sound, and changes back
// without a reconnect. It is made once.
func ten(t testing.TB) *show {
	t.Helper()
	if testing.Short() {
		t.Skip("makes and decodes films")
	}
	need(t, "ffmpeg")
	need(t, "ffprobe")
	tenOnce.Do(func() {
		a, b := usual.make(t), small.make(t)
		dir, err := os.MkdirTemp("", "cut")
		if err != nil {
			t.Fatal(err)
		}
		tenDir = dir
		tenShow = record(t, dir, []scene{
			{film: a, times: 4}, {film: a, times: 3, reconnect: true}, {film: b, times: 2, reconnect: true}, {film: a, times: 7},
		})
	})
	if tenShow == nil {
		t.Skip("the show could not be made")
	}
	return tenShow
}

var (
	tenOnce sync.Once
	tenShow *show
	tenDir  string
)

func TestMain(m *testing.M) {
	m.Run()
	if tenDir != "" {
		_ = os.RemoveAll(tenDir)
	}
}
