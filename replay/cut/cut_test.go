package cut_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/replay/cut"
)

// found is what ffmpeg finds in a file.
type found struct {
	numbers []int
	pts     []media.Ticks
	beeps   []media.Ticks
}

// packets is how many frames are in a file, shown or not.
func packets(t testing.TB, path string) int {
	t.Helper()
	out := run(t, nil, "ffprobe", "-v", "error", "-count_packets", "-select_streams", "v:0", "-show_entries", "stream=nb_read_packets", "-of", "csv=p=0", path)
	n, err := strconv.Atoi(strings.TrimSpace(string(out)))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// look decodes a file. Nothing in it may give ffmpeg cause for complaint.
func look(t testing.TB, path string) (c found) {
	t.Helper()
	const width, height = 160, 90
	dir := t.TempDir()
	raw := run(t, nil, "ffmpeg", "-v", "error", "-xerror", "-i", path,
		"-map", "0:v", "-fps_mode", "passthrough", "-vf", "scale=160:90:flags=neighbor", "-pix_fmt", "gray", "-f", "rawvideo", "pipe:1",
		"-map", "0:v", "-fps_mode", "passthrough", "-enc_time_base", "1:90000", "-f", "framecrc", dir+"/times",
		"-map", "0:a", "-ac", "1", "-ar", "48000", "-f", "s16le", dir+"/pcm")
	for ; len(raw) >= width*height; raw = raw[width*height:] {
		c.numbers = append(c.numbers, number(raw, width, height))
	}
	for line := range strings.Lines(string(read(t, dir+"/times"))) {
		if fields := strings.Split(line, ","); len(fields) > 2 && line[0] != '#' {
			pts, _ := strconv.Atoi(strings.TrimSpace(fields[2]))
			c.pts = append(c.pts, media.Ticks(pts))
		}
	}
	c.beeps = beeps(read(t, dir+"/pcm"))
	return c
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// beeps are where it becomes loud after a silence, by the count of samples at 48 kHz.
func beeps(pcm []byte) (at []media.Ticks) {
	const quiet = 4800
	silence := quiet
	for i := 0; i+1 < len(pcm); i += 2 {
		v := int16(binary.LittleEndian.Uint16(pcm[i:]))
		if v < 3000 && v > -3000 {
			silence++
			continue
		}
		if silence >= quiet {
			at = append(at, media.Rescale(media.Ticks(i/2), 90_000, 48_000))
		}
		silence = 0
	}
	return at
}

// wanted are the frames of the show in a span.
func (s *show) wanted(span media.Span) []frame {
	const nearly = 45
	return slices.DeleteFunc(slices.Clone(s.frames), func(f frame) bool { return f.pts < span.From-nearly || f.pts >= span.To-nearly })
}

// check compares a file, and what is said of it, with what the show has in a span.
func (s *show) check(t *testing.T, path string, span media.Span, r cut.Result) (found, []frame) {
	t.Helper()
	c, want := s.checkMedia(t, path, span, r.Span)
	if r.Frames != len(want) {
		t.Errorf("result %+v, want %d frames", r, len(want))
	}
	if st, err := os.Stat(path); err != nil || st.Size() != r.Bytes {
		t.Errorf("%v, result %+v", err, r)
	}
	return c, want
}

// checkMedia compares a file of a span, of which shown is in it, with the show.
func (s *show) checkMedia(t *testing.T, path string, span, shown media.Span) (found, []frame) {
	t.Helper()
	c, want := look(t, path), s.wanted(span)
	var numbers []int
	var pts []media.Ticks
	for _, f := range want {
		numbers, pts = append(numbers, f.number), append(pts, f.pts-want[0].pts)
	}
	if !slices.Equal(c.numbers, numbers) {
		t.Errorf("%d frames, %v ... %v; want %d, %v ... %v", len(c.numbers), head(c.numbers), tail(c.numbers), len(numbers), head(numbers), tail(numbers))
	}
	if !slices.Equal(c.pts, pts) {
		t.Errorf("frames at %v ... %v, want %v ... %v", head(c.pts), tail(c.pts), head(pts), tail(pts))
	}
	if last := want[len(want)-1].pts; shown.From != want[0].pts || shown.To <= last || shown.To > last+4000 {
		t.Errorf("it shows %v, want frames from %d to after %d", shown, want[0].pts, last)
	}
	s.checkBeeps(t, &c, shown)
	return c, want
}

// checkMiddle wants all frames but those of the groups of pictures at the edges to be the recording's, in its order.
func checkMiddle(t *testing.T, path string, want []frame, shown media.Span) {
	t.Helper()
	const gop = 2 * media.TicksPerSecond
	middle := slices.DeleteFunc(slices.Clone(want), func(f frame) bool { return f.pts < shown.From+gop || f.pts >= shown.To-gop })
	slices.SortFunc(middle, func(a, b frame) int { return a.decoded - b.decoded })
	file := read(t, path)
	for _, f := range middle {
		i := bytes.Index(file, f.payload)
		if i < 0 {
			t.Errorf("the frame at %d ms is not the recording's", f.pts.Milliseconds())
			return
		}
		file = file[i+len(f.payload):]
	}
}

func head[T any](list []T) []T { return list[:min(3, len(list))] }
func tail[T any](list []T) []T { return list[max(0, len(list)-3):] }

// checkBeeps wants every beep of the span less than 25 ms from its frame, but where a publish begins or ends.
func (s *show) checkBeeps(t *testing.T, c *found, span media.Span) {
	t.Helper()
	const margin = media.TicksPerSecond / 10
	for _, at := range s.beeps {
		if at < span.From+margin || at > span.To-margin || slices.ContainsFunc(s.rec.Segments(), func(x playlist.Segment) bool {
			return x.Discontinuity && at > x.Start-margin && at < x.Start+margin
		}) {
			continue
		}
		best := media.TicksPerSecond
		for _, b := range c.beeps {
			best = min(best, max(b-(at-span.From), (at-span.From)-b))
		}
		if best >= 25*media.TicksPerMillisecond {
			t.Errorf("the beep of %d ms is %d ms off", (at - span.From).Milliseconds(), best.Milliseconds())
		}
	}
}

// edges are spans of the show where something happens. Others, anywhere, are those of TestTenMinutes.
func (s *show) edges() []media.Span {
	const second = media.TicksPerSecond
	return []media.Span{
		{From: 0, To: 3 * second}, // the beginning
		{From: reconnect - 3*second + 3600*8, To: reconnect + 2*second + 3600*12},
		{From: otherInit - 4*second + 3600*3, To: otherInit + 4*second + 3600*7},
		{From: parameters - 4*second + 3600*11, To: parameters + 3*second + 3600},
		{From: 590 * second, To: s.rec.Duration()},                       // the end
		{From: 10*second + 3600*2, To: 10*second + 3600*3},               // one frame
		{From: 20*second + 3600*20, To: 21*second + 3600*4},              // within one group of pictures
		{From: otherInit - 2*second, To: parameters + 2*second + 3600*5}, // over both
		{From: 30*second + 1234, To: 37*second + 1234 + 45},              // between frames
	}
}

// A copy of a range shows the frames of that range, the first and the last to the frame, with their sound.
func TestCopy(t *testing.T) {
	s := ten(t)
	for _, span := range s.edges() {
		t.Run(fmt.Sprintf("%d-%d", span.From, span.To), func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "clip.mp4")
			var done, total int64
			r, err := cut.Copy(t.Context(), s.rec, span, path, cut.Meta{Title: "Copy"}, func(d, n int64) { done, total = d, n })
			if err != nil {
				t.Fatal(err)
			}
			if done != total || done != r.Bytes || r.Encoded != 0 || !r.Video || !r.Audio {
				t.Errorf("progress %d of %d, result %+v", done, total, r)
			}
			s.check(t, path, span, r)
		})
	}
}

// An exact cut has those frames and no others, and all but the groups of pictures at its edges are the recording's.
func TestExact(t *testing.T) {
	s := ten(t)
	for _, span := range s.edges() {
		t.Run(fmt.Sprintf("%d-%d", span.From, span.To), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path := filepath.Join(dir, "clip.mp4")
			r, err := cut.Exact(t.Context(), s.rec, span, path, cut.Meta{Title: "Exact"}, cut.Encoder{Threads: 2}, nil)
			if err != nil {
				t.Fatal(err)
			}
			_, want := s.check(t, path, span, r)
			if n := packets(t, path); n != len(want) {
				t.Errorf("%d frames in the file, want %d", n, len(want))
			}
			if r.Encoded > 4*media.TicksPerSecond {
				t.Errorf("%d ms were encoded", r.Encoded.Milliseconds())
			}
			checkMiddle(t, path, want, r.Span)
			if left, _ := os.ReadDir(dir); len(left) != 1 {
				t.Errorf("files are left over: %v", left)
			}
		})
	}
}

// What a clip says of itself is read by ffprobe.
func TestMeta(t *testing.T) {
	s := ten(t)
	path := filepath.Join(t.TempDir(), "clip.mp4")
	const second = media.TicksPerSecond
	meta := cut.Meta{
		Title: "Lamps 灯", Comment: "a comment", Sidecar: []byte(`{"clip":"clp_1"}`),
		Chapters: []cut.Chapter{
			{Span: media.Span{From: second, To: 2 * second}, Title: "First 一", Link: "https://shop.example/1"},
			{Span: media.Span{From: 2 * second, To: 100 * second}, Title: "Second"},
		},
	}
	if _, err := cut.Copy(t.Context(), s.rec, media.Span{From: 5 * second, To: 9 * second}, path, meta, nil); err != nil {
		t.Fatal(err)
	}
	var probed struct {
		Format   struct{ Tags map[string]string }
		Chapters []struct {
			Start, End media.Ticks
			Tags       map[string]string
		}
	}
	if err := json.Unmarshal(run(t, nil, "ffprobe", "-v", "error", "-show_format", "-show_chapters", "-of", "json", path), &probed); err != nil {
		t.Fatal(err)
	}
	tags := probed.Format.Tags
	if tags["title"] != meta.Title || tags["comment"] != meta.Comment || tags["sidecar"] != string(meta.Sidecar) ||
		tags["links"] != `[{"from_ms":1000,"to_ms":2000,"title":"First 一","link":"https://shop.example/1"}]` {
		t.Errorf("tags %q", tags)
	}
	if n := len(probed.Chapters); n != 3 || probed.Chapters[1].Start != second || probed.Chapters[1].Tags["title"] != "First 一" || probed.Chapters[2].End != 4*second {
		t.Errorf("chapters %+v", probed.Chapters)
	}
}

// A clip that is given up leaves nothing behind.
func TestCancel(t *testing.T) {
	s := ten(t)
	dir := t.TempDir()
	ctx, cancel := context.WithCancelCause(t.Context())
	span := media.Span{From: 0, To: 300 * media.TicksPerSecond}
	_, err := cut.Copy(ctx, s.rec, span, filepath.Join(dir, "clip.mp4"), cut.Meta{}, func(done, total int64) {
		if done > total/2 {
			cancel(context.DeadlineExceeded)
		}
	})
	if left, _ := os.ReadDir(dir); err != context.DeadlineExceeded || len(left) != 0 { //nolint:errorlint // it is handed through as it is
		t.Errorf("%v, left over %v", err, left)
	}
}
