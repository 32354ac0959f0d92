// Package ffmpeg runs ffmpeg for work that nobody on air waits for: at the lowest priority, killed with its context, its
// complaint in the error.
package ffmpeg

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// Job is one run of ffmpeg.
type Job struct {
	Program string // looked up in PATH; "": ffmpeg
	Args    []string
	Stdin   io.Reader // nil: none
	Stdout  io.Writer // nil: dropped
	Dir     string    // where relative names are; "": here
	// Progress is called a few times a second with how much of the output is made. It must not block.
	Progress func(at time.Duration)
}

// complaint is how much of what ffmpeg says at its end is kept.
const complaint = 4 << 10

// Find returns where the program is. Unavailable: it is not installed.
func Find(program string) (string, error) {
	if program == "" {
		program = "ffmpeg"
	}
	path, err := exec.LookPath(program)
	return path, errs.As(errs.Unavailable, "ffmpeg.Find", err, "ffmpeg is not installed on this server; install it or set transcode.ffmpeg")
}

// Run runs ffmpeg to its end at the lowest priority. Unavailable: it is not installed; Internal: it failed, and the error
// has its last words; the context's error when that ended first.
func Run(ctx context.Context, j Job) error {
	const op = "ffmpeg.Run"
	program, err := Find(j.Program)
	if err != nil {
		return err
	}
	args := []string{program, "-hide_banner", "-nostdin", "-loglevel", "error", "-y"}
	if j.Stdin != nil {
		args = []string{program, "-hide_banner", "-loglevel", "error", "-y"}
	}
	var progress sync.WaitGroup
	if j.Progress != nil {
		args = append(args, "-stats_period", "0.2", "-progress", "pipe:2")
	}
	args = append(args, j.Args...)
	if nice, err := exec.LookPath("nice"); err == nil {
		args = append([]string{nice, "-n", "19"}, args...)
	}
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.WaitDelay = time.Second
	cmd.Dir, cmd.Stdin, cmd.Stdout = j.Dir, j.Stdin, j.Stdout
	said := &tail{limit: complaint}
	cmd.Stderr = said
	var listen *io.PipeWriter
	if j.Progress != nil {
		r, w := io.Pipe()
		listen, cmd.Stderr = w, w
		progress.Go(func() { report(r, said, j.Progress) })
	}
	err = cmd.Run()
	if listen != nil {
		_ = listen.Close()
		progress.Wait()
	}
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	return errs.As(errs.Internal, op, errors.Join(err, fmt.Errorf("%s", said.String())), "ffmpeg failed")
}

// report tells how far ffmpeg is, and keeps everything else that it says.
func report(r io.Reader, said io.Writer, progress func(time.Duration)) {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		key, value, ok := strings.Cut(lines.Text(), "=")
		switch {
		case ok && key == "out_time_us":
			if us, err := strconv.ParseInt(value, 10, 64); err == nil && us >= 0 {
				progress(time.Duration(us) * time.Microsecond)
			}
		case ok && isProgress[strings.TrimRight(key, "0123456789_")]:
		default:
			_, _ = fmt.Fprintln(said, lines.Text()) // memory
		}
	}
	_, _ = io.Copy(io.Discard, r) // a line too long for the scanner must not stop ffmpeg
}

// isProgress are the keys of -progress, which are no complaints.
var isProgress = map[string]bool{
	"frame": true, "fps": true, "stream": true, "bitrate": true, "total_size": true, "out_time": true, "out_time_ms": true,
	"dup_frames": true, "drop_frames": true, "speed": true, "progress": true,
}

// tail keeps the last bytes that are written.
type tail struct {
	limit int
	bytes.Buffer
}

func (t *tail) Write(b []byte) (int, error) {
	t.Buffer.Write(b)
	if over := t.Len() - t.limit; over > 0 {
		t.Next(over)
	}
	return len(b), nil
}

// String is what is kept, on one line.
func (t *tail) String() string {
	return strings.Join(strings.FieldsFunc(t.Buffer.String(), func(r rune) bool { return r == '\n' || r == '\r' }), "; ")
}
