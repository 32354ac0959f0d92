package ffmpeg

import (
	"bytes"
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
)

func need(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("ffmpeg is not installed")
	}
}

func TestRun(t *testing.T) {
	need(t)
	var out bytes.Buffer
	var last time.Duration
	err := Run(t.Context(), Job{
		Args:   []string{"-f", "lavfi", "-i", "sine=duration=2", "-f", "s16le", "pipe:1"},
		Stdout: &out, Progress: func(at time.Duration) { last = at },
	})
	if err != nil || out.Len() < 44_100*2*2 || last < time.Second {
		t.Errorf("%v, %d bytes, progress %v", err, out.Len(), last)
	}
}

func TestFailures(t *testing.T) {
	if err := Run(t.Context(), Job{Program: "no-such-program"}); errs.KindOf(err) != errs.Unavailable {
		t.Error(err)
	}
	need(t)
	for _, progress := range []func(time.Duration){nil, func(time.Duration) {}} {
		err := Run(t.Context(), Job{Args: []string{"-i", "no-such-file", "-f", "null", "-"}, Progress: progress})
		if errs.KindOf(err) != errs.Internal || !strings.Contains(err.Error(), "No such file") {
			t.Error(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	err := Run(ctx, Job{Args: []string{"-re", "-f", "lavfi", "-i", "sine", "-f", "null", "-"}})
	if err == nil || ctx.Err() == nil {
		t.Error("it went on", err)
	}
}
