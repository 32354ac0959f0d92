package transcode

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/transcode/nut"
)

// measureFor is how much picture the cost of a machine is measured with.
const measureFor = 3 * time.Second

// UsualSource is what "a ladder" is said of: the picture that most anchors send.
var UsualSource = Source{Codec: media.H264, Width: 1280, Height: 720, FPS: usualFPS}

// Measure finds out what transcoding costs on this machine, with its encoder, and reckons by that from then on. It takes
// some seconds of one core, at low priority. The processor time counts, not the clock, so that a busy machine measures
// the same. The error is Unavailable when nothing can be transcoded here.
func (t *Transcoder) Measure(ctx context.Context) (Speed, error) {
	const op = "transcode.Measure"
	program, err := t.program()
	if err != nil {
		return Speed{}, err
	}
	encoder, err := t.findEncoder(ctx)
	if err != nil {
		return Speed{}, err
	}
	film, stream, err := makeFilm(ctx, program, encoder, UsualSource, measureFor)
	if err != nil {
		return Speed{}, errs.As(errs.Unavailable, op, err, "the encoder %s does not work here", encoder)
	}
	plan, err := Plan(presetNames(), UsualSource, nil)
	if err != nil {
		return Speed{}, err
	}
	_, decode, err := runOnce(ctx, program, []string{"-threads", "1", "-f", "nut", "-i", "pipe:0", "-f", "null", "-"}, stream)
	if err != nil {
		return Speed{}, errs.As(errs.Unavailable, op, err, "this ffmpeg cannot decode H264")
	}
	j := ladderJob(film.track, UsualSource.FPS, plan)
	args := j.arguments(encoder)
	for i := range plan { // what is made is thrown away
		args = replaceLast(args, fmt.Sprintf("pipe:%d", 3+i), "/dev/null")
	}
	_, both, err := runOnce(ctx, program, append([]string{"-y"}, args...), stream)
	if err != nil {
		return Speed{}, errs.As(errs.Unavailable, op, err, "the encoder %s does not work here", encoder)
	}
	return t.budget.measured(speedOf(len(film.samples), plan, decode, both)), nil
}

// speedOf works out what a pixel costs.
func speedOf(pictures int, plan []Rendition, decode, both time.Duration) Speed {
	pixels := 0
	for _, r := range plan {
		pixels += r.Width * r.Height
	}
	million := func(pixels int) float64 { return float64(pixels) * float64(pictures) / 1e6 }
	return Speed{
		Decode: decode.Seconds() / million(UsualSource.Width*UsualSource.Height),
		Encode: max(0, both-decode).Seconds() / million(pixels),
	}
}

func replaceLast(args []string, what, with string) []string {
	for i := len(args) - 1; i >= 0; i-- {
		if args[i] == what {
			args[i] = with
			return args
		}
	}
	return args
}

func (b *budget) measured(s Speed) Speed {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.speed = s
	return s
}

// Ladders is how many ladders with every preset below UsualSource the budget holds, and what one of them costs in cores.
func (t *Transcoder) Ladders() (n int, each float64) {
	plan, err := Plan(presetNames(), UsualSource, nil)
	if err != nil {
		return 0, 0
	}
	each = t.budget.cost(UsualSource, plan)
	return int(t.budget.limit / each), each
}

// testFilm is pictures to measure with.
type testFilm struct {
	track   media.Track
	samples []media.Sample
}

// makeFilm has ffmpeg make a moving, noisy picture, and returns it as samples and as it came.
func makeFilm(ctx context.Context, program, encoder string, source Source, length time.Duration) (f testFilm, stream []byte, err error) {
	args := append(deviceArguments(encoder), "-f", "lavfi", "-i", fmt.Sprintf("testsrc2=s=%dx%d:r=%g,noise=alls=12:allf=t", source.Width, source.Height, source.FPS),
		"-t", fmt.Sprintf("%.3f", length.Seconds()), "-vf", uploadFilter(encoder))
	args = append(args, encoderArguments(encoder, Rendition{Bitrate: 2_600_000 * source.Width * source.Height / (1280 * 720)}, source.FPS, 2*int(source.FPS))...)
	if stream, _, err = runOnce(ctx, program, append(args, "-f", "nut", "pipe:1"), nil); err != nil {
		return f, nil, err
	}
	d, err := nut.NewReader(bytes.NewReader(stream))
	if err != nil {
		return f, nil, err
	}
	s := d.Streams()[0]
	var out h264Output
	if track := out.begin(s.Extra); track != nil {
		f.track = *track
	}
	for {
		frame, err := d.Next()
		if errors.Is(err, io.EOF) {
			return f, stream, nil
		}
		if err != nil {
			return f, nil, err
		}
		at := media.Rescale(media.Ticks(frame.PTS), int64(s.Num)*int64(media.TicksPerSecond), int64(s.Den))
		sample, track, ok := out.unit(media.Sample{Kind: media.Video, PTS: at, DTS: at, Payload: frame.Data})
		if track != nil {
			f.track = *track
		}
		if ok {
			f.samples = append(f.samples, sample)
		}
	}
}
