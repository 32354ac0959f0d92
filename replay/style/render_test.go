package style

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"log/slog"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
)

const second = media.TicksPerSecond

// film makes a film with ffmpeg and returns where it is.
func film(t *testing.T, name string, args ...string) string {
	t.Helper()
	if testing.Short() {
		t.Skip("encodes films")
	}
	program, err := exec.LookPath("ffmpeg")
	if err != nil {
		t.Skip("ffmpeg is not installed")
	}
	path := filepath.Join(t.TempDir(), name)
	full := append(append([]string{"-v", "error", "-nostdin", "-y"}, args...), path)
	if out, err := exec.CommandContext(t.Context(), program, full...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return path
}

// plain is a film of one colour, 25 pictures a second with B-frames, with a quiet tone.
func plain(t *testing.T, ink, size string, seconds float64) string {
	t.Helper()
	secs := fmt.Sprint(seconds)
	return film(t, "plain.mp4", "-f", "lavfi", "-i", "color="+ink+":s="+size+":r=25:d="+secs, "-f", "lavfi", "-i", "sine=f=440:r=48000:d="+secs,
		"-af", "volume=-14dB", "-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-pix_fmt", "yuv420p", "-c:a", "aac", "-ac", "1")
}

// shared is the renderer of all tests: reading fonts of the size of Chinese ones takes longer than many a clip.
var shared = sync.OnceValues(func() (*Renderer, error) {
	return New(Config{Preset: "ultrafast"}, slog.New(slog.DiscardHandler))
})

func renderer(t *testing.T) *Renderer {
	t.Helper()
	r, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// styled renders a clip and returns where it is.
func styled(t *testing.T, in Input) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "clip.mp4")
	last := -1.0
	err := renderer(t).Render(t.Context(), in, path, func(done float64) {
		if done < last || done > 1 {
			t.Errorf("progress went from %v to %v", last, done)
		}
		last = done
	})
	if err != nil {
		t.Fatal(err)
	}
	if last != 1 {
		t.Errorf("progress ended at %v", last)
	}
	if left, _ := filepath.Glob(path + ".*"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	return path
}

// frames decodes a clip's pictures, each as 24-bit RGB.
func frames(t *testing.T, path string) (out []*image.NRGBA) {
	t.Helper()
	f, err := probe("", path)
	if err != nil {
		t.Fatal(err)
	}
	var raw, said bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "ffmpeg", "-v", "error", "-nostdin", "-xerror", "-i", path, "-f", "rawvideo", "-pix_fmt", "rgba", "-fps_mode", "passthrough", "pipe:1")
	cmd.Stdout, cmd.Stderr = &raw, &said
	if err := cmd.Run(); err != nil || said.Len() > 0 {
		t.Fatal(err, said.String())
	}
	for size := f.width * f.height * 4; raw.Len() >= size; {
		out = append(out, &image.NRGBA{Pix: raw.Next(size), Stride: f.width * 4, Rect: image.Rect(0, 0, f.width, f.height)})
	}
	return out
}

func near(a, b color.NRGBA, off int) bool {
	d := func(x, y uint8) bool { return max(int(x)-int(y), int(y)-int(x)) <= off }
	return d(a.R, b.R) && d(a.G, b.G) && d(a.B, b.B)
}

var grey = color.NRGBA{128, 128, 128, 255}

// A card is on every picture within its span, and on no other.
func TestCardWithinItsSpan(t *testing.T) {
	const from, to = 15, 60 // pictures
	tick := func(frame media.Ticks) media.Ticks { return frame * second / 25 }
	src := plain(t, "gray", "320x180", 3)
	for _, aspect := range []string{AspectSource, AspectPortrait} {
		path := styled(t, Input{
			Media: src, Duration: 3 * second, Spec: Spec{Aspect: aspect, Height: 240},
			Pins:     []Pin{{Span: media.Span{From: tick(from), To: tick(to)}, Title: "Tea", Price: "¥88"}},
			Captions: []Caption{{media.Span{From: tick(5), To: tick(10)}, "hello there"}},
		})
		pictures := frames(t, path)
		if len(pictures) != 75 {
			t.Fatalf("%s: %d pictures", aspect, len(pictures))
		}
		s, err := newScene(Input{Media: src, Duration: 3 * second, Spec: Spec{Aspect: aspect, Height: 240}}, fontsOf(t))
		if err != nil {
			t.Fatal(err)
		}
		// Within the card, right of all text, and low enough to be on it while it rises.
		x, y := s.safe.Min.X+int(s.cardW*0.9), s.cardTop()+int(s.px(cardHeight)*0.75)
		for i, p := range pictures {
			if there := !near(p.NRGBAAt(x, y), grey, 8); there != (i >= from && i < to) {
				t.Errorf("%s: picture %d: %v at %d,%d", aspect, i, p.NRGBAAt(x, y), x, y)
			}
		}
		if full := pictures[30].NRGBAAt(x, y); !near(full, cardGround, 4) {
			t.Errorf("the card is %v", full)
		}
		for i, p := range pictures[:15] {
			if said := differs(p, image.Rect(s.w/4, s.h/3, s.w*3/4, s.h)); said != (i >= 5 && i < 10) {
				t.Errorf("%s: picture %d: caption %v", aspect, i, said)
			}
		}
	}
}

// differs reports whether anything within a part of a picture is not grey.
func differs(p *image.NRGBA, in image.Rectangle) bool {
	for y := in.Min.Y; y < in.Max.Y; y++ {
		for x := in.Min.X; x < in.Max.X; x++ {
			if !near(p.NRGBAAt(x, y), grey, 24) {
				return true
			}
		}
	}
	return false
}

func TestFrame(t *testing.T) {
	// Red to the left, blue to the right.
	src := film(t, "halves.mp4", "-f", "lavfi", "-i", "color=red:s=160x180:r=25:d=0.4", "-f", "lavfi", "-i", "color=blue:s=160x180:r=25:d=0.4",
		"-filter_complex", "hstack", "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")
	red, blue := color.NRGBA{254, 0, 0, 255}, color.NRGBA{0, 0, 254, 255}
	for _, c := range []struct {
		spec        Spec
		w, h        int
		left, right color.NRGBA
	}{
		{Spec{Height: 240}, 426, 240, red, blue},
		{Spec{Aspect: AspectWide, Height: 360}, 640, 360, red, blue},
		{Spec{Aspect: AspectSquare, Height: 240}, 240, 240, red, blue},
		{Spec{Aspect: AspectPortrait, Height: 240, Focus: new(0.0)}, 240, 426, red, red},
		{Spec{Aspect: AspectPortrait, Height: 240, Focus: new(1.0)}, 240, 426, blue, blue},
		{Spec{Aspect: AspectPortrait, Height: 240, Fit: FitPad}, 240, 426, red, blue},
	} {
		p := frames(t, styled(t, Input{Media: src, Duration: second * 2 / 5, Spec: c.spec}))
		if len(p) != 10 || p[5].Rect.Dx() != c.w || p[5].Rect.Dy() != c.h {
			t.Errorf("%+v: %d pictures of %v", c.spec, len(p), p[0].Rect)
			continue
		}
		y := int(float64(c.h) * 0.47)
		if left, right := p[5].NRGBAAt(c.w/8, y), p[5].NRGBAAt(c.w*7/8, y); !near(left, c.left, 20) || !near(right, c.right, 20) {
			t.Errorf("%+v: %v to the left, %v to the right", c.spec, left, right)
		}
		if top := p[5].NRGBAAt(c.w/8, 6); c.spec.Fit == FitPad && (near(top, red, 10) || near(top, color.NRGBA{}, 10)) {
			t.Errorf("above the picture is %v, which is no blurred copy", top)
		}
	}
}

// A phone reads the code off the finished clip.
func TestCodeIsRead(t *testing.T) {
	const link = "https://shop.example.com/go/prd_0123456789abcdef?show=show_0123456789abcdef&via=clip"
	src := plain(t, "gray", "320x180", 0.4)
	for _, aspect := range []string{AspectPortrait, AspectWide} {
		p := frames(t, styled(t, Input{
			Media: src, Duration: second * 2 / 5, Spec: Spec{Aspect: aspect},
			Pins: []Pin{{Span: media.Span{To: second}, Title: "明前龙井", Price: "¥1,299", Link: link}},
		}))
		bitmap, err := gozxing.NewBinaryBitmapFromImage(p[5])
		if err != nil {
			t.Fatal(err)
		}
		got, err := qrcode.NewQRCodeReader().Decode(bitmap, nil)
		if err != nil || got.GetText() != link {
			t.Errorf("%s: %v %v", aspect, got, err)
		}
	}
}

func TestLoudness(t *testing.T) {
	for name, sound := range map[string]string{
		"quiet":  "sine=f=440:r=48000,volume=-18dB",
		"loud":   "sine=f=440:r=48000,volume=12dB",
		"peaky":  "aevalsrc=0.04*sin(2*PI*330*t)+0.9*sin(2*PI*900*t)*lt(mod(t\\,1)\\,0.012):s=48000",
		"silent": "anullsrc=r=48000",
	} {
		t.Run(name, func(t *testing.T) {
			src := film(t, "loud.mp4", "-f", "lavfi", "-i", "color=gray:s=64x36:r=25", "-f", "lavfi", "-i", sound, "-t", "2",
				"-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a", "192k")
			path := styled(t, Input{Media: src, Duration: 2 * second, Spec: Spec{Height: 240}})
			j := job{config: Config{Threads: 1}}
			got, err := j.loudnessOf(t.Context(), path, "")
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%.2f LUFS, %.2f dBTP", got.lufs, got.peak)
			if name == "silent" {
				if got.lufs > silentLUFS {
					t.Error("silence was amplified")
				}
				return
			}
			if math.Abs(got.lufs-targetLUFS) > 1 || got.peak > -1.5 {
				t.Errorf("%.2f LUFS, %.2f dBTP", got.lufs, got.peak)
			}
		})
	}
}

// An intro without sound and an outro of another aspect and rate come before and behind.
func TestIntroAndOutro(t *testing.T) {
	intro := film(t, "intro.mp4", "-f", "lavfi", "-i", "color=red:s=320x240:r=30:d=1", "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")
	outro := plain(t, "blue", "180x320", 0.8)
	src := plain(t, "gray", "320x180", 1.2)
	path := styled(t, Input{Media: src, Duration: second * 6 / 5, Spec: Spec{Height: 240}, Intro: intro, Outro: outro})
	p := frames(t, path)
	if n := len(p); n != 75 {
		t.Fatalf("%d pictures, want 25 + 30 + 20", n)
	}
	for _, c := range []struct {
		frame int
		want  color.NRGBA
	}{{0, color.NRGBA{254, 0, 0, 255}}, {24, color.NRGBA{254, 0, 0, 255}}, {25, grey}, {54, grey}, {55, color.NRGBA{0, 0, 254, 255}}, {74, color.NRGBA{0, 0, 254, 255}}} {
		if got := p[c.frame].NRGBAAt(213, 120); !near(got, c.want, 20) {
			t.Errorf("picture %d is %v", c.frame, got)
		}
	}
	if f, err := probe("", path); err != nil || !f.audio || math.Abs(f.seconds-3) > 0.05 {
		t.Errorf("%+v %v", f, err)
	}
}

// A show whose anchor turned the phone: the picture changes its size in the middle, and the card stays.
func TestChangingSize(t *testing.T) {
	part := func(ink, size string) string {
		return film(t, "part.h264", "-f", "lavfi", "-i", "color="+ink+":s="+size+":r=25:d=1", "-c:v", "libx264", "-preset", "ultrafast", "-bf", "0", "-pix_fmt", "yuv420p", "-bsf:v", "dump_extra")
	}
	var both []byte
	for _, path := range []string{part("gray", "320x180"), part("gray", "180x320"), part("gray", "640x360")} {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		both = append(both, b...)
	}
	raw := filepath.Join(t.TempDir(), "both.h264")
	if err := os.WriteFile(raw, both, 0o600); err != nil {
		t.Fatal(err)
	}
	src := film(t, "both.mp4", "-r", "25", "-i", raw, "-f", "lavfi", "-i", "sine=r=48000:d=3", "-c:v", "copy", "-c:a", "aac", "-shortest")
	p := frames(t, styled(t, Input{
		Media: src, Duration: 3 * second, Spec: Spec{Height: 240},
		Pins: []Pin{{Span: media.Span{To: 3 * second}, Title: "Tea", Price: "¥88"}},
	}))
	if len(p) != 75 {
		t.Fatalf("%d pictures", len(p))
	}
	for _, i := range []int{5, 24, 25, 26, 49, 50, 51, 74} {
		if at := p[i].NRGBAAt(150, 200); !near(at, cardGround, 4) {
			t.Errorf("picture %d: no card, but %v", i, at)
		}
		if at := p[i].NRGBAAt(213, 100); !near(at, grey, 6) {
			t.Errorf("picture %d: %v in the middle", i, at)
		}
	}
}

// A piece that is longer than the clip ends with the clip; one that is shorter stands still.
func TestLength(t *testing.T) {
	src := plain(t, "gray", "320x180", 1)
	for _, length := range []media.Ticks{second * 2 / 5, second * 6 / 5} {
		path := styled(t, Input{Media: src, Duration: length, Spec: Spec{Height: 240}})
		f, err := probe("", path)
		if got := len(frames(t, path)); got != int(length*25/second) || err != nil || math.Abs(f.seconds-length.Seconds()) > 0.03 {
			t.Errorf("%d pictures, %+v, %v", got, f, err)
		}
	}
}

// Whatever people write: a clip comes of it, and nothing of it reaches ffmpeg's arguments.
func TestHostileTexts(t *testing.T) {
	src := plain(t, "gray", "320x180", 0.4)
	texts := hostileTexts()
	var pins []Pin
	var said []Caption
	for i, text := range texts {
		pins = append(pins, Pin{Span: media.Span{From: media.Ticks(i) * 900, To: second}, Title: text, Price: text, Was: text, Link: text})
		said = append(said, Caption{media.Span{From: media.Ticks(i) * 900, To: second}, text})
	}
	in := Input{Media: src, Duration: second * 2 / 5, Spec: Spec{Height: 240}, Pins: pins, Captions: said}
	if p := frames(t, styled(t, in)); len(p) != 10 {
		t.Errorf("%d pictures", len(p))
	}
	s, err := newScene(in, fontsOf(t))
	if err != nil {
		t.Fatal(err)
	}
	layers, err := s.layers(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	j := job{config: Config{Threads: 1, Preset: "ultrafast"}, in: in, scene: s, layers: layers}
	if args := strings.Join(append(j.decode(), j.encode()...), " "); strings.Contains(args, "drawtext") || strings.Contains(args, "passwd") {
		t.Error(args)
	}
}

func hostileTexts() []string {
	return []string{
		"'; DROP TABLE clips; --", "\"quotes\" \\ and [brackets]:=,;'%{pts}", "line\nbreak\r\n\ttab", "😀👩‍👩‍👧🏽 family", "مرحبا بالعالم 123 שלום",
		"\u202e\u2066right to left\u2069", "\x00\x01\x7f", "\xff\xfe broken", strings.Repeat("很长的标题", 2000), strings.Repeat("W", 10_000), "",
		"file:///etc/passwd", strings.Repeat("\u0301", 300), "a" + strings.Repeat(" ", 5000) + "b",
	}
}

func TestRefused(t *testing.T) {
	src := plain(t, "gray", "64x36", 0.2)
	sound := film(t, "sound.mp4", "-f", "lavfi", "-i", "sine=d=0.3", "-c:a", "aac")
	bomb := pngOf(20_000, 20_000)
	for name, c := range map[string]struct {
		in    Input
		field string
	}{
		"watermark that unfolds": {Input{Media: src, Duration: second, Watermark: bomb}, "watermark"},
		"watermark that is none": {Input{Media: src, Duration: second, Watermark: []byte("<svg/>")}, "watermark"},
		"heavy watermark":        {Input{Media: src, Duration: second, Watermark: make([]byte, maxImageBytes+1)}, "watermark"},
		"picture of a product":   {Input{Media: src, Duration: second, Pins: []Pin{{Span: media.Span{To: second}, Image: bomb}}}, "image"},
		"no length":              {Input{Media: src}, "to"},
		"no picture":             {Input{Media: sound, Duration: second}, "kind"},
		"aspect":                 {Input{Media: src, Duration: second, Spec: Spec{Aspect: "4:3"}}, "aspect"},
		"focus":                  {Input{Media: src, Duration: second, Spec: Spec{Focus: new(math.NaN())}}, "focus"},
		"height":                 {Input{Media: src, Duration: second, Spec: Spec{Height: -1}}, "height"},
		"corner":                 {Input{Media: src, Duration: second, Spec: Spec{Corner: "x=0"}}, "corner"},
		"intro without picture":  {Input{Media: src, Duration: second, Intro: sound}, "intro"},
	} {
		path := filepath.Join(t.TempDir(), "clip.mp4")
		err := renderer(t).Render(t.Context(), c.in, path, nil)
		if field := fieldOf(err); errs.KindOf(err) != errs.Invalid || field != c.field {
			t.Errorf("%s: %v (%q)", name, err, field)
		}
		if _, err := os.Stat(path + ".work"); err == nil {
			t.Errorf("%s: the folder is left behind", name)
		}
	}
}

func TestCancelled(t *testing.T) {
	src := plain(t, "gray", "640x360", 3)
	ctx, cancel := context.WithCancel(t.Context())
	path := filepath.Join(t.TempDir(), "clip.mp4")
	err := renderer(t).Render(ctx, Input{Media: src, Duration: 3 * second, Spec: Spec{Height: 1080}}, path, func(float64) { cancel() })
	if err == nil || ctx.Err() == nil {
		t.Error("it went on", err)
	}
	if left, _ := filepath.Glob(filepath.Dir(path) + "/*"); len(left) > 0 {
		t.Error(left)
	}
}

// pngOf is the beginning of a PNG file that says it has a size.
func pngOf(w, h int) []byte {
	head := append([]byte("IHDR"), 0, 0, 0, 0, 0, 0, 0, 0, 8, 6, 0, 0, 0)
	binary.BigEndian.PutUint32(head[4:], uint32(w))
	binary.BigEndian.PutUint32(head[8:], uint32(h))
	out := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d"), head...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(head))
}

// fieldOf is the field that an error names.
func fieldOf(err error) string {
	for e := (*errs.Error)(nil); errors.As(err, &e); err = e.Err {
		if e.Field != "" {
			return e.Field
		}
	}
	return ""
}
