package e2e

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// cli runs the command to its end.
func cli(t *testing.T, env []string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // the doctor looks at what every encoder can do
	defer cancel()
	cmd := exec.CommandContext(ctx, command, args...)
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	cmd.WaitDelay = time.Second
	_ = cmd.Run()
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

func TestCommandLine(t *testing.T) {
	t.Parallel()
	bad := filepath.Join(t.TempDir(), "bad.yaml")
	if err := os.WriteFile(bad, []byte("http:\n  addr: \":0\"\nhls:\n  prat: 500ms\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	good := filepath.Join(t.TempDir(), "good.yaml")
	if err := os.WriteFile(good, []byte("hls:\n  part: 400ms\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		args, env      []string
		fails          bool
		stdout, stderr []string
	}{
		"help":              {args: []string{"--help"}, stdout: []string{"serve", "doctor", "config", "version"}},
		"help of serve":     {args: []string{"serve", "--help"}, stdout: []string{"--ready-file", "--data", "vitrine serve"}},
		"version":           {args: []string{"version"}, stdout: []string{"v0.0.0-e2e"}},
		"unknown command":   {args: []string{"srve"}, fails: true, stderr: []string{"srve"}},
		"unknown flag":      {args: []string{"serve", "--dat"}, fails: true, stderr: []string{"--dat"}},
		"config show":       {args: []string{"config", "show"}, stdout: []string{"reconnect_window: 60s", "# "}},
		"config effective":  {args: []string{"config", "show", "--effective", "-c", good}, stdout: []string{"400ms"}},
		"environment":       {args: []string{"config", "show", "--effective"}, env: []string{"VITRINE_HLS_PART=300ms"}, stdout: []string{"300ms"}},
		"config check":      {args: []string{"config", "check", "-c", good}, stdout: []string{"good"}},
		"unknown key":       {args: []string{"config", "check", "-c", bad}, fails: true, stderr: []string{"bad.yaml", "4", "prat"}},
		"unknown variable":  {args: []string{"config", "check"}, env: []string{"VITRINE_HLS_PRAT=1s"}, fails: true, stderr: []string{"VITRINE_HLS_PRAT"}},
		"impossible value":  {args: []string{"config", "check"}, env: []string{"VITRINE_HLS_WINDOW=1"}, fails: true, stderr: []string{"window"}},
		"file is missing":   {args: []string{"config", "check", "-c", "/nonexistent.yaml"}, fails: true, stderr: []string{"/nonexistent.yaml"}},
		"doctor":            {args: []string{"doctor"}, env: []string{"VITRINE_HTTP_ADDR=127.0.0.1:0", "VITRINE_RTMP_ADDR=127.0.0.1:0"}, stdout: []string{"ffmpeg", "disk", "clock"}},
		"shell completion":  {args: []string{"completion", "bash"}, stdout: []string{"vitrine"}},
		"serve, port taken": {args: []string{"serve", "--http", "256.0.0.1:1"}, fails: true, stderr: []string{"256.0.0.1"}},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := cli(t, c.env, c.args...)
			if (code != 0) != c.fails {
				t.Errorf("exit code %d", code)
			}
			for _, want := range c.stdout {
				if !strings.Contains(stdout, want) {
					t.Errorf("standard output lacks %q", want)
				}
			}
			for _, want := range c.stderr {
				if !strings.Contains(stderr, want) {
					t.Errorf("standard error lacks %q", want)
				}
			}
			if t.Failed() {
				t.Logf("standard output:\n%s\nstandard error:\n%s", stdout, stderr)
			}
		})
	}
}

// The first signal drains: the show is interrupted, not ended, and goes on with the next start.
func TestGracefulStop(t *testing.T) {
	t.Parallel()
	s := serve(t)
	r := s.newRoom(t)
	pub := publish(t, s, r.StreamKey, publication{picture: landscape})
	showID := s.onAir(t, r.ID)
	pub.reach(t, 5*fps)
	s.stop(t)
	pub.kill()
	s.start(t)
	if got := s.show(t, showID); got.State != "interrupted" || got.DurationMS < 3000 {
		t.Errorf("after a restart the show is %+v", got)
	}
	s.call(t, "POST", "/api/v1/rooms/"+r.ID+"/end", nil, nil)
	s.state(t, showID, "ended", 5*time.Second)
	s.stop(t)
}

// The second signal does not wait for whoever holds a connection open.
func TestSecondSignalForces(t *testing.T) {
	t.Parallel()
	s := serve(t, "VITRINE_SHUTDOWN_TIMEOUT=60s")
	r := s.newRoom(t)
	pub := publish(t, s, r.StreamKey, publication{picture: landscape})
	s.onAir(t, r.ID)
	pub.reach(t, 2*fps)
	s.signal(syscall.SIGTERM)
	s.signal(syscall.SIGTERM)
	s.wait(t, 5*time.Second)
}
