package transcode

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// tryTimeout ends an encoder that hangs when it is tried.
const tryTimeout = 15 * time.Second

// TryEncoder tells whether an encoder of H264 works on this machine, by coding a few pictures with it. The error says
// what it lacks.
func (t *Transcoder) TryEncoder(ctx context.Context, encoder string) error {
	const op = "transcode.TryEncoder"
	program, err := t.program()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, tryTimeout)
	defer cancel()
	r := Rendition{Width: 640, Height: 360, Bitrate: 600_000}
	args := append([]string{"-hide_banner", "-nostdin", "-loglevel", "error"}, deviceArguments(encoder)...)
	args = append(args, "-f", "lavfi", "-i", "testsrc2=s=640x360:r=30:d=0.3", "-vf", "scale=640:360,"+uploadFilter(encoder))
	args = append(args, encoderArguments(encoder, r, usualFPS, maxGOP)...)
	out, err := exec.CommandContext(ctx, program, append(args, "-f", "null", "-")...).CombinedOutput() //nolint:gosec // what the operator configured
	if err != nil {
		line, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
		return errs.As(errs.Unavailable, op, fmt.Errorf("%w: %s", err, line), "the encoder %s does not work here", encoder)
	}
	return nil
}
