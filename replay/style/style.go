package style

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
)

// Limits of what a clip is styled with.
const (
	maxPins     = 500
	maxCaptions = 5000
	maxDuration = 4 * 3600 * media.TicksPerSecond
)

// Config says how clips are styled. Its zero value works.
type Config struct {
	FFmpeg  string // the ffmpeg command, 5.1 or later; "": ffmpeg
	Font    string // a font file with Chinese; "": looked for, see FindFonts
	Threads int    // of each ffmpeg process; 0: 2
	Preset  string // of libx264, from "ultrafast" to "veryslow"; "": "faster"
}

// presets are those of libx264, the fastest first.
var presets = []string{"ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow"}

// Validate returns an Invalid error that names the key. Whether there is such a font is known when it is opened.
func (c Config) Validate() error {
	const op = "style.Config"
	if c.Threads < 0 || c.Threads > 256 {
		return errs.Field(op, "threads", "must be 0 to 256, got %d", c.Threads)
	}
	if c.Preset != "" && !oneOf(c.Preset, presets...) {
		return errs.Field(op, "preset", "must be one of %v, got %q", presets, c.Preset)
	}
	return nil
}

// Pin is a product that is shown for a while.
type Pin struct {
	Span  media.Span // clip time
	Title string
	Price string // as it is read: see Price
	Was   string // a price that is struck through beside it; "": none
	Image []byte // JPEG or PNG; nil: a tinted ground
	Link  string // what the QR code says; "": none
}

// Caption is what is said for a while.
type Caption struct {
	Span media.Span // clip time
	Text string
}

// Input is what a styled clip is made of. What is not known of it beforehand, such as its frame rate, is read from Media.
type Input struct {
	Media     string // an MP4 file with an edit list that begins at clip time 0, as replay/cut makes them
	Duration  media.Ticks
	Spec      Spec
	Pins      []Pin
	Captions  []Caption
	Watermark []byte // JPEG or PNG; nil: none
	Intro     string // an MP4 file, as Assets keeps them; "": none
	Outro     string
}

// Renderer styles clips. It may be used concurrently; how many are made at once is up to its user.
type Renderer struct {
	config Config
	log    *slog.Logger
	fonts  func() (*Fonts, error) // opened when they are first needed
}

// New makes a Renderer.
func New(c Config, log *slog.Logger) (*Renderer, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if c.Threads == 0 {
		c.Threads = 2
	}
	if c.Preset == "" {
		c.Preset = "faster"
	}
	r := &Renderer{config: c, log: log}
	r.fonts = sync.OnceValues(func() (*Fonts, error) {
		fonts, err := FindFonts(context.Background(), c.Font)
		if err == nil && !fonts.Chinese() {
			log.Warn("no font with Chinese: Chinese titles and captions are left out of styled clips; install one (Debian: fonts-noto-cjk) or set clips.font", "font", fonts.String())
		}
		return fonts, err
	})
	return r, nil
}

// Render makes a styled clip: an MP4 file at path, H264 and AAC, that can be played while it is being loaded. It is written
// beside path and moved there when it is whole; what an earlier try left behind is removed. progress hears, from one
// goroutine, how much of the work is done, 0 to 1; it may be nil.
//
// Invalid names the field: the Spec, a picture, or a clip without a picture; Unavailable: ffmpeg or the font is not there;
// the context's error when that ended first.
func (r *Renderer) Render(ctx context.Context, in Input, path string, progress func(done float64)) error {
	const op = "style.Render"
	if progress == nil {
		progress = func(float64) {}
	}
	if err := in.validate(); err != nil {
		return errs.Wrap(op, err)
	}
	work := path + ".work" // one for each clip, so that what a crash left is found again
	if err := os.RemoveAll(work); err != nil {
		return errs.Wrap(op, err)
	}
	if err := os.MkdirAll(work, 0o755); err != nil {
		return errs.As(errs.Internal, op, err, "the folder of the clip cannot be written")
	}
	defer os.RemoveAll(work)
	if err := r.render(ctx, in, work, path, progress); err != nil {
		return errs.Wrap(op, err)
	}
	return nil
}

func (r *Renderer) render(ctx context.Context, in Input, work, path string, progress func(float64)) error {
	fonts, err := r.fonts()
	if err != nil {
		return err
	}
	s, err := newScene(in, fonts)
	if err != nil {
		return err
	}
	layers, err := s.layers(work)
	if err != nil {
		return err
	}
	j := job{config: r.config, in: in, scene: s, layers: layers, out: filepath.Join(work, "clip.mp4")}
	if err := j.measure(ctx, progress); err != nil {
		return err
	}
	if err := j.run(ctx, progress); err != nil {
		return err
	}
	if err := syncFile(j.out); err != nil {
		return errs.As(errs.Internal, "style.render", err, "the clip cannot be written")
	}
	progress(1)
	return os.Rename(j.out, path)
}

func (in *Input) validate() error {
	const op = "style.Input"
	if err := in.Spec.Validate(); err != nil {
		return err
	}
	switch {
	case in.Duration <= 0 || in.Duration > maxDuration:
		return errs.Field(op, "to", "a styled clip is longer than nothing and lasts at most %d hours", maxDuration/media.TicksPerSecond/3600)
	case len(in.Pins) > maxPins:
		return errs.Field(op, "card", "a styled clip shows at most %d products; make it shorter", maxPins)
	case len(in.Captions) > maxCaptions:
		return errs.Field(op, "subtitles", "a styled clip has at most %d captions; make it shorter", maxCaptions)
	}
	return nil
}

func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		_ = f.Close()
		return fmt.Errorf("sync: %w", err)
	}
	return f.Close()
}
