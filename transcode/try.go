package transcode

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/transcode/nut"
)

const (
	// tryTimeout ends an encoder that hangs when it is tried.
	tryTimeout = 15 * time.Second
	// tryPictures are coded to try an encoder, and tryKey of them must become a key picture besides the first.
	tryPictures = 12
	tryKey      = 5
)

// TryEncoder tells whether an encoder of H264 does on this machine what renditions need: it codes a few pictures and
// keeps the time of each, in order, with key pictures where they are asked for. The error says what is wrong.
func (t *Transcoder) TryEncoder(ctx context.Context, encoder string) error {
	const op = "transcode.TryEncoder"
	program, err := t.program()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, tryTimeout)
	defer cancel()
	args := append(deviceArguments(encoder), "-f", "lavfi", "-i", "testsrc2=s=640x360:r=30,settb=1/90000", "-frames:v", strconv.Itoa(tryPictures),
		"-vf", uploadFilter(encoder))
	args = append(args, encoderArguments(encoder, Rendition{Bitrate: 600_000}, usualFPS, maxGOP)...)
	args = append(args, "-fps_mode", "passthrough", "-enc_time_base", "1:90000", "-force_key_frames", fmt.Sprintf("expr:eq(n,%d)", tryKey), "-f", "nut", "pipe:1")
	out, _, err := runOnce(ctx, program, args, nil)
	if err == nil {
		err = checkTried(out)
	}
	return errs.As(errs.Unavailable, op, err, "the encoder %s does not work here", encoder)
}

// checkTried looks at what an encoder made of its trial.
func checkTried(out []byte) error {
	d, err := nut.NewReader(bytes.NewReader(out))
	if err != nil {
		return fmt.Errorf("it wrote no picture: %w", err)
	}
	s := d.Streams()[0]
	var o h264Output
	o.begin(s.Extra)
	for i := 0; ; i++ {
		f, err := d.Next()
		if errors.Is(err, io.EOF) && i == tryPictures {
			return nil
		}
		if err != nil {
			return fmt.Errorf("it wrote %d pictures of %d: %w", i, tryPictures, err)
		}
		at := media.Rescale(media.Ticks(f.PTS), int64(s.Num)*int64(media.TicksPerSecond), int64(s.Den))
		unit, _, ok := o.unit(media.Sample{PTS: at, Payload: f.Data})
		switch {
		case !ok:
			return fmt.Errorf("picture %d cannot be shown", i)
		case at != media.Ticks(i)*media.TicksPerSecond/usualFPS:
			return fmt.Errorf("picture %d came out at %v", i, at.Duration())
		case unit.Key != (i == 0 || i == tryKey):
			return fmt.Errorf("picture %d: key picture %v", i, unit.Key)
		}
	}
}

// runOnce runs ffmpeg to its end, at low priority, and returns what it wrote and how much processor time it took.
func runOnce(ctx context.Context, program string, args []string, in []byte) (out []byte, cpu time.Duration, err error) {
	args = append([]string{program, "-hide_banner", "-nostdin", "-nostats", "-loglevel", "error"}, args...)
	if nice, err := exec.LookPath("nice"); err == nil {
		args = append([]string{nice, "-n", strconv.Itoa(ladderNice)}, args...)
	}
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.WaitDelay = time.Second
	cmd.Stdin = bytes.NewReader(in)
	var said tail
	cmd.Stderr = &said
	out, err = cmd.Output()
	if cmd.ProcessState != nil {
		cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	}
	if text := said.String(); err != nil && text != "" {
		err = fmt.Errorf("%w: %s", err, strings.TrimSpace(text))
	}
	return out, cpu, errors.Join(err, ctx.Err())
}
