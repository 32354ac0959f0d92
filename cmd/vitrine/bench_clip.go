package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/vitrine-live/vitrine/internal/ffmpeg"
	"github.com/vitrine-live/vitrine/internal/ids"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/replay"
	"github.com/vitrine-live/vitrine/replay/cut"
)

// clipBench cuts clips out of a recording, beside ffmpeg.
type clipBench struct {
	*program
	film         clipFilm
	show, length time.Duration
	pairs        int
	threads      int
	dir          string

	streams        int
	taped, watched time.Duration // by the recorder, by the storyboard
}

func (p *program) benchClipCommand() *cobra.Command {
	b := &clipBench{program: p}
	cmd := &cobra.Command{
		Use: "clip", Short: "How fast clips are cut out of a replay, beside ffmpeg, and what recording and storyboards cost", Args: cobra.NoArgs,
		Long: `Records a synthetic show faster than it plays, then cuts clips at random places, in turn: a copy, an exact cut, and
ffmpeg -c copy both from the same replay (its MPEG-TS playlist, in which ffmpeg can seek) and from one local file of all
its segments. Reports how long each took (with the file on the disk, which ffmpeg does not wait for), how many times
faster than it plays that is, and the bytes written a second.

Then shows are recorded in real time, packaged beforehand, which tells what the recorder alone costs; and the storyboard and
the waveform of a show are made in the batches in which they are made on air. What they cost is the time of all processors,
that of ffmpeg included. The defaults take about a minute.`,
		Example: "  vitrine bench clip --length 1m --pairs 20\n  vitrine bench clip --streams 100 --record 1m --storyboard 0",
		RunE:    func(cmd *cobra.Command, _ []string) error { return b.run(cmd.Context()) },
	}
	f := cmd.Flags()
	f.DurationVar(&b.show, "show", 10*time.Minute, "how long the show is")
	f.DurationVar(&b.length, "length", time.Minute, "how long the clips are")
	f.IntVarP(&b.pairs, "pairs", "n", 10, "clips of each kind")
	f.IntVar(&b.film.width, "width", 1280, "of the pictures")
	f.IntVar(&b.film.height, "height", 720, "of the pictures")
	f.IntVar(&b.film.bitrate, "bitrate", 2600, "of the pictures, in kbit/s")
	f.IntVar(&b.threads, "threads", 0, "that exact cuts may use; 0: as many as there are cores")
	f.IntVar(&b.streams, "streams", 20, "shows that are recorded at once")
	f.DurationVar(&b.taped, "record", 15*time.Second, "how long they are recorded, in real time; 0: not at all")
	f.DurationVar(&b.watched, "storyboard", 2*time.Minute, "how long the show is whose storyboard is made; 0: none is")
	f.StringVar(&b.dir, "dir", "", "folder for the recording and the clips; empty: a temporary one")
	return cmd
}

func (b *clipBench) run(ctx context.Context) error {
	if b.pairs < 1 || b.length < time.Second || b.show < b.length+time.Second {
		return errors.New("--pairs must be at least 1, --length at least 1s, and --show longer than that")
	}
	if b.streams < 1 || b.taped < 0 || b.watched < 0 {
		return errors.New("--streams must be at least 1, --record and --storyboard not below 0")
	}
	c, err := b.config()
	if err != nil {
		return err
	}
	b.film.program = c.Transcode.FFmpeg
	dir, err := os.MkdirTemp(b.dir, "vitrine-clip")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	archive, err := replay.Open(filepath.Join(dir, "recordings"), replay.Config{Reserve: -1, Queue: 1 << 30}, nil, nil)
	if err != nil {
		return err
	}
	defer func() { _ = archive.Close() }() // everything in it is thrown away
	if err := b.cutClips(ctx, archive, dir); err != nil {
		return err
	}
	return errors.Join(b.tape(ctx, archive), b.paint(ctx, archive))
}

// cutClips records the show and makes clips of it.
func (b *clipBench) cutClips(ctx context.Context, archive *replay.Archive, dir string) error {
	show := ids.New("show")
	fmt.Fprintf(b.stdout, "show      %v of %dx%d at %d kbit/s, being made\n", b.show, b.film.width, b.film.height, b.film.bitrate)
	if err := b.film.record(ctx, archive, show, b.show); err != nil {
		return err
	}
	address, stop, err := serveReplay(ctx, archive)
	if err != nil {
		return err
	}
	defer stop()
	rec, err := archive.Recording(show)
	if err != nil {
		return err
	}
	whole := filepath.Join(dir, "whole.mp4")
	if err := join(rec, whole); err != nil {
		return err
	}
	return b.cut(ctx, rec, filepath.Join(dir, "clip.mp4"), "http://"+address+"/"+show+"/ts/index.m3u8", whole)
}

// join makes one file of a recording with one initialization segment.
func join(rec *replay.Recording, path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	in, err := rec.InitData(1)
	if err != nil {
		return errors.Join(err, f.Close())
	}
	_, err = f.Write(in)
	for _, s := range rec.Segments() {
		segment, _, openErr := rec.OpenSegment(s.MSN)
		if err = errors.Join(err, openErr); err != nil {
			break
		}
		_, err = io.Copy(f, segment)
		_ = segment.Close()
	}
	return errors.Join(err, f.Close())
}

// serveReplay serves the archive to ffmpeg.
func serveReplay(ctx context.Context, a *replay.Archive) (address string, stop func(), err error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/{show}/{name...}", func(w http.ResponseWriter, r *http.Request) { a.Serve(w, r, r.PathValue("show"), r.PathValue("name")) })
	s := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = s.Serve(l) // until it is closed
	}()
	return l.Addr().String(), func() { _ = s.Close(); <-ended }, nil
}

// clipTimes are the measurements of one kind of clip.
type clipTimes struct {
	name  string
	took  []time.Duration
	bytes int64
}

// cut makes the clips and prints what came of it.
func (b *clipBench) cut(ctx context.Context, rec *replay.Recording, path, url, whole string) error {
	var encoded media.Ticks
	run := func(input string) func(media.Span) error {
		return func(span media.Span) error {
			args := []string{"-ss", seconds(span.From), "-i", input, "-t", seconds(span.Len()), "-c", "copy", "-movflags", "+faststart", path}
			return ffmpeg.Run(ctx, ffmpeg.Job{Program: b.film.program, Args: args})
		}
	}
	kinds := []func(media.Span) error{
		func(span media.Span) error {
			_, err := cut.Copy(ctx, rec, span, path, cut.Meta{}, nil)
			return err
		},
		run(whole), run(url),
		func(span media.Span) error {
			r, err := cut.Exact(ctx, rec, span, path, cut.Meta{}, cut.Encoder{Program: b.film.program, Threads: b.threads}, nil)
			encoded += r.Encoded
			return err
		},
	}
	times := []clipTimes{{name: "copy"}, {name: "ffmpeg, file"}, {name: "ffmpeg, replay"}, {name: "exact"}}
	random := rand.New(rand.NewPCG(1, uint64(b.pairs))) //nolint:gosec // the same places each time
	length := media.FromDuration(b.length)
	for range b.pairs {
		from := media.Ticks(random.Int64N(int64(rec.Duration() - length)))
		for k := range kinds {
			begun := time.Now()
			if err := kinds[k](media.Span{From: from, To: from + length}); err != nil {
				return fmt.Errorf("%s at %v: %w", times[k].name, from.Duration(), err)
			}
			times[k].took = append(times[k].took, time.Since(begun))
			st, err := os.Stat(path)
			if err != nil {
				return err
			}
			times[k].bytes += st.Size()
		}
	}
	b.report(times, encoded)
	return nil
}

func seconds(t media.Ticks) string { return strconv.FormatFloat(t.Seconds(), 'f', 6, 64) }

func (b *clipBench) report(times []clipTimes, encoded media.Ticks) {
	fmt.Fprintf(b.stdout, "clips     %d of %v each, in turn\n", b.pairs, b.length)
	for i := range times {
		t := &times[i]
		sum := time.Duration(0)
		for _, d := range t.took {
			sum += d
		}
		faster := make([]float64, b.pairs)
		for k := range faster {
			faster[k] = times[1].took[k].Seconds() / t.took[k].Seconds()
		}
		slices.Sort(faster)
		at := quantiles(slices.Clone(t.took))
		fmt.Fprintf(b.stdout, "%-15s p50 %8v  max %8v  %7.0f x real time  %6.0f MB/s  %5.1f x ffmpeg from a file\n", t.name, at(0.5), at(1),
			float64(b.pairs)*b.length.Seconds()/sum.Seconds(), float64(t.bytes)/1e6/sum.Seconds(), faster[b.pairs/2])
	}
	fmt.Fprintf(b.stdout, "encoded   %.2f s of each exact cut\n", encoded.Seconds()/float64(b.pairs))
}

// clipFilm is a film that is recorded over and over.
type clipFilm struct {
	program                string
	width, height, bitrate int

	tracks  []media.Track // from prepare on
	samples []media.Sample
}

// filmLength is how long the film is: whole access units of sound, so that it can be repeated.
const filmLength = 16 * media.TicksPerSecond

// make encodes the film: two B-frames, an IDR every two seconds, AAC.
func (f *clipFilm) make(ctx context.Context) ([]byte, error) {
	var out bytes.Buffer
	size, rate := fmt.Sprintf("%dx%d", f.width, f.height), strconv.Itoa(f.bitrate)+"k"
	err := ffmpeg.Run(ctx, ffmpeg.Job{Program: f.program, Stdout: &out, Args: []string{
		"-f", "lavfi", "-i", "testsrc2=r=30:s=" + size, "-f", "lavfi", "-i", "sine=r=48000", "-t", "16",
		"-c:v", "libx264", "-preset", "veryfast", "-bf", "2", "-g", "60", "-sc_threshold", "0", "-pix_fmt", "yuv420p",
		"-b:v", rate, "-minrate", rate, "-maxrate", rate, "-bufsize", rate, "-x264-params", "nal-hrd=cbr",
		"-c:a", "aac", "-b:a", "128k", "-ac", "2", "-video_track_timescale", "90000",
		"-movflags", "empty_moov+default_base_moof+frag_keyframe", "-f", "mp4", "pipe:1",
	}})
	return out.Bytes(), err
}
