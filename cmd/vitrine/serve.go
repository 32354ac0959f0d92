package main

import (
	"context"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vitrine-live/vitrine/configs"
)

// serveFlags are the settings that a command line may change, and what only it can ask for.
type serveFlags struct {
	data, http, rtmp, webrtc string
	readyFile                string
	demo                     bool
}

func (p *program) serveCommand() *cobra.Command {
	var f serveFlags
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the server",
		Long: `Run the server. No configuration is needed: data goes to ./data, the admin token is printed at the first start.

The first SIGINT or SIGTERM drains: shows are marked interrupted and go on when the server is back within the
reconnect window. A second one stops at once.`,
		Example: `  vitrine serve
  vitrine serve --demo
  vitrine serve -c /etc/vitrine.yaml --http 127.0.0.1:8080`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := p.config(f.apply(cmd))
			if err != nil {
				return err
			}
			return p.serve(cmd.Context(), c, f)
		},
	}
	cmd.Flags().StringVar(&f.data, "data", "", "folder of everything durable (data)")
	cmd.Flags().StringVar(&f.http, "http", "", "address of pages, playlists and API (http.addr); port 0 picks a free one")
	cmd.Flags().StringVar(&f.rtmp, "rtmp", "", "address for RTMP publishers (rtmp.addr); port 0 picks a free one")
	cmd.Flags().StringVar(&f.webrtc, "webrtc", "", "address of WebRTC media (webrtc.addr); port 0 picks free ones")
	cmd.Flags().StringVar(&f.readyFile, "ready-file", "", "write the addresses as JSON to this file when everything listens")
	cmd.Flags().BoolVar(&f.demo, "demo", false, "make a room and products to try")
	return cmd
}

// apply returns the change that the given flags make.
func (f *serveFlags) apply(cmd *cobra.Command) func(*configs.Config) {
	return func(c *configs.Config) {
		for name, set := range map[string]func(){
			"data":   func() { c.Data = f.data },
			"http":   func() { c.HTTP.Addr = f.http },
			"rtmp":   func() { c.RTMP.Addr = f.rtmp },
			"webrtc": func() { c.WebRTC.Addr = f.webrtc },
		} {
			if cmd.Flags().Changed(name) {
				set()
			}
		}
	}
}

// gcPercent is how much garbage the server lets gather beside what is alive, unless GOGC says otherwise. Nearly all of
// its memory is media without pointers, which costs the collector nothing to look at, so that collecting twice as often
// as by default is cheap and halves the garbage.
const gcPercent = 50

// serve runs the server until ctx ends.
func (p *program) serve(ctx context.Context, c configs.Config, f serveFlags) error {
	if !slices.ContainsFunc(p.env, func(v string) bool { return strings.HasPrefix(v, "GOGC=") }) {
		debug.SetGCPercent(gcPercent)
	}
	s := &server{config: c, flags: f, log: newLogger(p.stderr, c.Log), stdout: p.stdout}
	return s.run(ctx)
}
