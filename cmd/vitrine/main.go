// Command vitrine is the live-commerce media server.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// version is set by the build (-ldflags "-X main.version=...").
var version = "dev"

func main() {
	ctx, stop := drainThenForce(os.Stderr)
	err := run(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr)
	stop()
	if err == nil {
		return
	}
	if !errors.Is(err, errReported) {
		fmt.Fprintln(os.Stderr, "vitrine:", err)
	}
	os.Exit(1)
}

// errReported ends the program with a failure that has been printed already.
var errReported = errors.New("reported")

// run is the whole program, free of globals so that tests can call it.
func run(ctx context.Context, args, env []string, stdout, stderr io.Writer) error {
	root := &cobra.Command{
		Use:   "vitrine",
		Short: "A live-commerce media server: RTMP in, low-latency HLS out, products pinned to the media clock",
		Example: `  vitrine serve                         run with data in ./data
  vitrine serve --demo                  the same with a room and products to try
  vitrine doctor                        look for what would go wrong
  vitrine config show > vitrine.yaml    begin a configuration file`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	p := &program{env: env, stdout: stdout, stderr: stderr}
	root.PersistentFlags().StringVarP(&p.configPath, "config", "c", "", "configuration file (default: $VITRINE_CONFIG, or none)")
	root.AddCommand(p.serveCommand(), p.configCommand(), p.doctorCommand(), p.benchCommand(), p.lotteryCommand(), p.backupCommand(), p.archiveCommand(), p.restoreCommand(), p.staffCommand(), p.clipCommand(), p.versionCommand())
	return root.ExecuteContext(ctx)
}

// program is what every command shares.
type program struct {
	env            []string
	stdout, stderr io.Writer
	configPath     string
}

// drainThenForce returns a context that the first interrupt or termination ends; the second one ends the process.
func drainThenForce(stderr io.Writer) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() { // lives as long as the process
		<-signals
		cancel()
		<-signals
		fmt.Fprintln(stderr, "vitrine: forced to stop; the recordings are continued at the next start")
		os.Exit(130)
	}()
	return ctx, cancel
}
