package style

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/ffmpeg"
)

// job is the making of one clip. Two processes work hand in hand: the first decodes the source and brings every picture to
// the size of the frame, whatever sizes there are in it; the second lays the layers over, joins intro and outro, and
// encodes. A process whose input changes its size would forget its other inputs: that is why there are two.
type job struct {
	config Config
	in     Input
	scene  *scene
	layers []layer
	out    string

	level map[string]string // by file: the filters that bring its sound to one loudness
	parts []partOf          // intro and outro, as far as there are
}

// partOf is a video before or behind the clip.
type partOf struct {
	path  string
	facts facts
	first bool
}

// shareOfMeasuring is how much of the work looking at the loudness is.
const shareOfMeasuring = 0.08

func (j *job) threads() []string {
	n := strconv.Itoa(max(1, j.config.Threads))
	return []string{"-threads", n, "-filter_threads", n, "-filter_complex_threads", n}
}

// measure looks at intro, outro and the loudness of all three.
func (j *job) measure(ctx context.Context, progress func(float64)) error {
	sounds := []string{}
	if j.scene.facts.audio {
		sounds = append(sounds, j.in.Media)
	}
	for i, path := range []string{j.in.Intro, j.in.Outro} {
		if path == "" {
			continue
		}
		field := [...]string{"intro", "outro"}[i]
		f, err := probe(field, path)
		if err != nil {
			return err
		}
		if f.width == 0 {
			return errs.Field("style.measure", field, "the %s has no picture; upload a video", field)
		}
		j.parts = append(j.parts, partOf{path, f, i == 0})
		if f.audio {
			sounds = append(sounds, path)
		}
	}
	j.level = map[string]string{}
	if !on(j.in.Spec.Loudness) {
		return nil
	}
	for i, path := range sounds {
		filters, err := j.levelled(ctx, path)
		if err != nil {
			return err
		}
		j.level[path] = filters
		progress(shareOfMeasuring * float64(i+1) / float64(len(sounds)))
	}
	return nil
}

// run works both processes. Whichever fails stops the other.
func (j *job) run(ctx context.Context, progress func(float64)) error {
	r, w, err := os.Pipe()
	if err != nil {
		return errs.As(errs.Internal, "style.run", err, "no pipe")
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var decoding sync.WaitGroup
	var decoded error
	decoding.Go(func() {
		decoded = ffmpeg.Run(ctx, ffmpeg.Job{Program: j.config.FFmpeg, Args: j.decode(), Stdout: w})
		_ = w.Close() // the other reads the end
		if decoded != nil {
			cancel(decoded)
		}
	})
	total := j.seconds()
	encoded := ffmpeg.Run(ctx, ffmpeg.Job{
		Program: j.config.FFmpeg, Args: j.encode(), Stdin: r,
		Progress: func(at time.Duration) {
			progress(shareOfMeasuring + (1-shareOfMeasuring)*min(at.Seconds()/total, 1)*0.99)
		},
	})
	whole := encoded == nil && ctx.Err() == nil
	// Only now does the first find that nobody reads what lies behind the clip: that is no failure.
	_ = r.Close()
	if encoded != nil {
		cancel(encoded)
	}
	decoding.Wait()
	switch {
	case whole:
		return nil
	case encoded != nil && !errors.Is(encoded, decoded):
		return encoded
	}
	return decoded
}

// seconds is how long the clip will be.
func (j *job) seconds() float64 {
	sum := j.in.Duration.Seconds()
	for _, p := range j.parts {
		sum += p.facts.seconds
	}
	return max(sum, 0.001)
}

// decode are the arguments of the first process: pictures of the frame's size and floating sound, at their own times.
func (j *job) decode() []string {
	args := append(j.threads(), "-copyts", "-i", "file:"+j.in.Media, "-map", "0:v:0", "-map", "0:a:0?",
		"-vf", j.scene.reframe(), "-af", soundForm, "-c:v", "rawvideo", "-c:a", "pcm_f32le",
		"-fps_mode", "passthrough", "-enc_time_base:v", "1:90000")
	return append(args, "-f", "nut", "pipe:1")
}

// reframe are the filters that bring a picture of any size into the frame. Nothing of it remembers an earlier picture, for
// it begins anew whenever the size changes.
func (s *scene) reframe() string {
	var out strings.Builder
	if s.facts.untagged { // what players take it for
		matrix := "bt709"
		if min(s.facts.width, s.facts.height) < 700 {
			matrix = "smpte170m"
		}
		fmt.Fprintf(&out, "setparams=colorspace=%s,", matrix)
	}
	out.WriteString("scale=w=trunc(iw*sar/2)*2:h=trunc(ih/2)*2:flags=bicubic:out_color_matrix=bt709:out_range=tv,setsar=1,format=yuv420p,")
	if s.pads() {
		out.WriteString(s.padded(0.46))
	} else {
		fmt.Fprintf(&out, "scale=%d:%d:force_original_aspect_ratio=increase:flags=lanczos,crop=%d:%d:(iw-ow)*%.4f:(ih-oh)*%.4f",
			s.w, s.h, s.w, s.h, s.in.Spec.focus(), s.in.Spec.focus())
	}
	out.WriteString(",setsar=1,format=yuv420p")
	return out.String()
}

// pads reports whether all of the picture is shown. At the source's own aspect only a phone that was turned has another one.
func (s *scene) pads() bool {
	if s.in.Spec.Fit != "" {
		return s.in.Spec.Fit == FitPad
	}
	return s.in.Spec.Aspect == "" || s.in.Spec.Aspect == AspectSource
}

// padded shows all of a picture before a blurred, darker copy of itself; at says how far down it stands, 0 to 1.
func (s *scene) padded(at float64) string {
	small := func(n int) int { return max(8, n/12) &^ 1 }
	return fmt.Sprintf("split[fg][bg];"+
		"[bg]scale=%d:%d:force_original_aspect_ratio=increase:flags=area,crop=%d:%d,gblur=sigma=3:steps=2,eq=brightness=-0.09:saturation=1.15,scale=%d:%d:flags=bilinear,setsar=1[far];"+
		"[fg]scale=%d:%d:force_original_aspect_ratio=decrease:force_divisible_by=2:flags=lanczos,setsar=1[near];"+
		"[far][near]overlay=(W-w)/2:trunc((H-h)*%.3f/2)*2:format=yuv420",
		small(s.w), small(s.h), small(s.w), small(s.h), s.w, s.h, s.w, s.h, at)
}

// encode are the arguments of the second process.
func (j *job) encode() []string {
	args := append(j.threads(), "-copyts", "-f", "nut", "-i", "pipe:0")
	for _, l := range j.layers {
		if l.runs {
			args = append(args, "-safe", "0", "-f", "concat")
		}
		args = append(args, "-i", l.list)
	}
	for _, p := range j.parts {
		args = append(args, "-i", "file:"+p.path)
	}
	args = append(args, "-filter_complex", j.graph(), "-map", "[v]", "-map", "[a]", "-map_metadata", "-1", "-map_chapters", "-1",
		"-c:v", "libx264", "-preset", j.config.Preset, "-crf", "20", "-profile:v", "high", "-pix_fmt", "yuv420p",
		"-g", strconv.Itoa(int(j.scene.fps*2+0.5)), "-maxrate", j.ceiling(1), "-bufsize", j.ceiling(2),
		"-color_primaries", "bt709", "-color_trc", "bt709", "-colorspace", "bt709", "-color_range", "tv",
		"-c:a", "aac", "-b:a", "160k", "-ar", "48000")
	args = append(args, j.threads()...)
	return append(args, "-movflags", "+faststart", "-f", "mp4", j.out)
}

// ceiling is the highest rate of the pictures: what apps take without encoding worse than they must.
func (j *job) ceiling(times int) string {
	kbits := 8000 * float64(j.scene.w*j.scene.h) / (1280 * 720) * max(1, j.scene.fps/30)
	return strconv.Itoa(int(kbits)*times) + "k"
}

// graph is how everything comes together. All numbers in it are our own.
func (j *job) graph() string {
	s, secs := j.scene, fmt.Sprintf("%.6f", j.in.Duration.Seconds())
	var g strings.Builder
	fmt.Fprintf(&g, "[0:v]fps=%s:start_time=0,tpad=stop=-1:stop_mode=clone,trim=end=%s,setpts=PTS-STARTPTS[m0];", s.rate, secs)
	for i, l := range j.layers {
		fmt.Fprintf(&g, "[%d:v]scale=out_color_matrix=bt709:out_range=tv,format=yuva420p[l%d];[m%d][l%d]overlay=%d:%d:format=yuv420:eof_action=repeat[m%d];",
			i+1, i, i, i, l.at.X, l.at.Y, i+1)
	}
	fmt.Fprintf(&g, "[m%d]setsar=1,format=yuv420p[mv];", len(j.layers))
	if s.facts.audio {
		fmt.Fprintf(&g, "[0:a]%s,aresample=async=1:first_pts=0,apad,atrim=end=%s%s", soundForm, secs, j.level[j.in.Media])
	} else {
		fmt.Fprintf(&g, "anullsrc=r=48000:cl=stereo,atrim=end=%s", secs)
	}
	g.WriteString(",asetpts=PTS-STARTPTS,aformat=sample_fmts=fltp:sample_rates=48000:channel_layouts=stereo[ma];")
	return g.String() + j.joined()
}

// joined puts the intro before and the outro behind.
func (j *job) joined() string {
	if len(j.parts) == 0 {
		return "[mv]null[v];[ma]anull[a]"
	}
	s := j.scene
	var g strings.Builder
	order, n := "", 1
	for i, p := range j.parts {
		input := 1 + len(j.layers) + i
		secs := fmt.Sprintf("%.6f", p.facts.seconds)
		fmt.Fprintf(&g, "[%d:v]scale=w=trunc(iw*sar/2)*2:h=trunc(ih/2)*2:flags=bicubic:out_color_matrix=bt709:out_range=tv,setsar=1,format=yuv420p,", input)
		fmt.Fprintf(&g, "%s,fps=%s:start_time=0,tpad=stop=-1:stop_mode=clone,trim=end=%s,setpts=PTS-STARTPTS,setsar=1,format=yuv420p[v%d];", labelled(s.padded(0.5), i), s.rate, secs, i)
		if p.facts.audio {
			fmt.Fprintf(&g, "[%d:a]%s,aresample=async=1:first_pts=0,apad,atrim=end=%s%s", input, soundForm, secs, j.level[p.path])
		} else {
			fmt.Fprintf(&g, "anullsrc=r=48000:cl=stereo,atrim=end=%s", secs)
		}
		fmt.Fprintf(&g, ",asetpts=PTS-STARTPTS,aformat=sample_fmts=fltp:sample_rates=48000:channel_layouts=stereo[a%d];", i)
		if p.first {
			order += fmt.Sprintf("[v%d][a%d]", i, i)
		}
	}
	order += "[mv][ma]"
	for i, p := range j.parts {
		n++
		if !p.first {
			order += fmt.Sprintf("[v%d][a%d]", i, i)
		}
	}
	return g.String() + fmt.Sprintf("%sconcat=n=%d:v=1:a=1[v][a]", order, n)
}

// labelled gives the labels within a padded chain names of its own.
func labelled(chain string, i int) string {
	n := strconv.Itoa(i)
	return strings.NewReplacer("[fg]", "[fg"+n+"]", "[bg]", "[bg"+n+"]", "[far]", "[far"+n+"]", "[near]", "[near"+n+"]").Replace(chain)
}
