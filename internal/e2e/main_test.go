package e2e

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// command is the command under test, built once.
var command string

func TestMain(m *testing.M) {
	flag.Parse()
	if testing.Short() {
		fmt.Fprintln(os.Stderr, "end-to-end tests are not for -short")
		os.Exit(0)
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "vitrine-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	command = filepath.Join(dir, "vitrine")
	args := []string{"build", "-ldflags", "-X main.version=v0.0.0-e2e", "-o", command}
	if os.Getenv("VITRINE_E2E_RACE") != "" { // the server under the race detector: slower, so not by default
		args = append(args, "-race")
	}
	if out, err := exec.Command("go", append(args, "github.com/vitrine-live/vitrine/cmd/vitrine")...).CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building the command: %v\n%s", err, out)
		return 1
	}
	warm()
	return m.Run()
}

// warm starts the browser once: on a new machine its files come from a slow disk, and shows do not wait for it.
func warm() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	dir, err := os.MkdirTemp("", "vitrine-e2e-browser-")
	if err != nil {
		return
	}
	defer os.RemoveAll(dir)
	// Whoever needs the browser says what is wrong with it.
	_ = exec.CommandContext(ctx, "chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--user-data-dir="+dir, "--dump-dom", "about:blank").Run()
}
