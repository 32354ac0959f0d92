package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"github.com/vitrine-live/vitrine/api"
	"github.com/vitrine-live/vitrine/configs"
)

// clipCommand is what the command makes clips with.
type clipCommand struct {
	*program
	server, token, data       string
	from, to                  time.Duration
	chapter, kind, title, out string
	products, list, merge     bool
	client                    clipClient
}

func (p *program) clipCommand() *cobra.Command {
	c := &clipCommand{program: p}
	cmd := &cobra.Command{
		Use: "clip SHOW", Short: "Make clips of a show on the running server, and fetch their files", Args: cobra.ExactArgs(1),
		Long: `Asks the running server for clips of a show, which may still be on air, shows how far they are and fetches the files.
Ctrl-C cancels what is not made yet.

On the server's own machine nothing else is needed: its address is http.addr, its token is in the data folder. Elsewhere name
both; a token (vt_...) needs the scopes replay:write and rooms:read.`,
		Example: `  vitrine clip show_0123456789abcdef --from 1m30s --to 2m10s -o tea.mp4
  vitrine clip show_0123456789abcdef --from 1m30s --to 2m10s --kind instant
  vitrine clip show_0123456789abcdef --chapter pin_0123456789abcdef --kind exact
  vitrine clip show_0123456789abcdef --all-products -o clips/
  vitrine clip show_0123456789abcdef --list --server https://live.example.com --token vt_...`,
		RunE: func(cmd *cobra.Command, args []string) error { return c.run(cmd, args[0]) },
	}
	f := cmd.Flags()
	f.DurationVar(&c.from, "from", 0, "where it begins, in show time")
	f.DurationVar(&c.to, "to", 0, "where it ends")
	f.StringVar(&c.chapter, "chapter", "", "a chapter instead, by its id")
	f.BoolVar(&c.products, "all-products", false, "a clip of each chapter, that is of each product shown")
	f.BoolVar(&c.merge, "merge", false, "with --all-products: one clip of a product's chapters that follow each other closely")
	f.StringVar(&c.kind, "kind", "copy", "instant, copy, exact or styled")
	f.StringVar(&c.title, "title", "", "the clip's title")
	f.StringVarP(&c.out, "output", "o", "", "file, or folder for several (default: the clip's id, here)")
	f.BoolVar(&c.list, "list", false, "list the show's clips")
	f.StringVar(&c.server, "server", "", "address of the server (default: this machine, by http.addr)")
	f.StringVar(&c.token, "token", "", "admin or API token (default: $VITRINE_TOKEN, or the one in the data folder)")
	f.StringVar(&c.data, "data", "", "data folder")
	return cmd
}

func (c *clipCommand) run(cmd *cobra.Command, show string) error {
	ctx := cmd.Context()
	if err := c.connect(cmd); err != nil {
		return err
	}
	switch {
	case c.list:
		return c.printList(ctx, show)
	case c.products:
		return c.all(ctx, show)
	case c.chapter == "" && c.to <= 0:
		return errors.New("say which part: --from and --to, --chapter, or --all-products")
	}
	in := api.ClipInput{Kind: c.kind, Title: c.title, Chapter: c.chapter}
	if c.chapter == "" {
		in.FromMS, in.ToMS = new(c.from.Milliseconds()), new(c.to.Milliseconds())
	}
	made, err := c.client.create(ctx, show, in)
	if err != nil {
		return err
	}
	return c.finish(ctx, show, []api.Clip{made})
}

// connect finds out where the server is and with what to ask.
func (c *clipCommand) connect(cmd *cobra.Command) error {
	cfg, err := c.config(func(cfg *configs.Config) {
		if cmd.Flags().Changed("data") {
			cfg.Data = c.data
		}
	})
	if err != nil {
		return err
	}
	c.client = clipClient{base: strings.TrimSuffix(c.server, "/"), token: c.token}
	if c.client.base == "" {
		c.client.base = "http://" + reachable(cfg.HTTP.Addr)
	}
	for _, kv := range c.env {
		if v, ok := strings.CutPrefix(kv, "VITRINE_TOKEN="); ok && c.client.token == "" {
			c.client.token = v
		}
	}
	if c.client.token == "" {
		b, err := os.ReadFile(filepath.Join(cfg.Data, "admin.token"))
		if err != nil {
			return fmt.Errorf("there is no token in %s: name the server's folder with --data, or give one with --token", cfg.Data)
		}
		c.client.token = strings.TrimSpace(string(b))
	}
	return nil
}

// reachable is how this machine reaches an address that is listened on.
func reachable(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}

func (c *clipCommand) all(ctx context.Context, show string) error {
	batch, err := c.client.createAll(ctx, show, api.ChapterClipsInput{Kind: c.kind, Merge: c.merge})
	if err != nil {
		return err
	}
	if len(batch.Clips) == 0 {
		_, err := fmt.Fprintln(c.stdout, "The show has no chapters: nothing was pinned.")
		return err
	}
	if c.out != "" && c.kind != "instant" {
		if err := os.MkdirAll(c.out, 0o755); err != nil {
			return err
		}
	}
	return c.finish(ctx, show, batch.Clips)
}

// finish waits for clips and fetches their files. What is not made when the person stops waiting is cancelled.
func (c *clipCommand) finish(ctx context.Context, show string, clips []api.Clip) error {
	bar := progressbar.NewOptions(1000, progressbar.OptionSetWriter(c.stderr), progressbar.OptionSetDescription("making"),
		progressbar.OptionClearOnFinish(), progressbar.OptionSetPredictTime(true), progressbar.OptionThrottle(100*time.Millisecond))
	err := c.wait(ctx, show, clips, func(share float64) { _ = bar.Set(int(share * 1000)) })
	_ = bar.Finish()
	if err != nil {
		return errors.Join(err, c.cancel(context.WithoutCancel(ctx), show, clips))
	}
	failed := 0
	for i := range clips {
		if clips[i].State != "done" {
			failed++
			fmt.Fprintf(c.stdout, "%s  %s  %s: %s\n", clips[i].ID, clips[i].Title, clips[i].State, clips[i].Error)
			continue
		}
		if err := c.fetch(ctx, &clips[i], len(clips) > 1 || c.products); err != nil {
			return err
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d clips were not made", failed, len(clips))
	}
	return nil
}

// clipPoll is how often a clip is asked for while it is made.
const clipPoll = 300 * time.Millisecond

// wait asks until nothing is to happen to the clips any more, which it brings up to date.
func (c *clipCommand) wait(ctx context.Context, show string, clips []api.Clip, progress func(float64)) error {
	for {
		open, sum := 0, 0.0
		for i := range clips {
			if state := clips[i].State; state == "queued" || state == "running" {
				now, err := c.client.get(ctx, show, clips[i].ID)
				if err != nil {
					return err
				}
				clips[i] = now
				open++
				sum += now.Progress
			} else {
				sum++
			}
		}
		progress(sum / float64(len(clips)))
		if open == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.New("stopped: what was not made is cancelled")
		case <-time.After(clipPoll):
		}
	}
}

func (c *clipCommand) cancel(ctx context.Context, show string, clips []api.Clip) error {
	ctx, stop := context.WithTimeout(ctx, 5*time.Second)
	defer stop()
	var failed error
	for i := range clips {
		if state := clips[i].State; state == "queued" || state == "running" {
			failed = errors.Join(failed, c.client.cancel(ctx, show, clips[i].ID))
		}
	}
	return failed
}

// fetch saves the file of a clip, or tells where an instant one is.
func (c *clipCommand) fetch(ctx context.Context, clip *api.Clip, several bool) error {
	if clip.MP4URL == nil {
		_, err := fmt.Fprintf(c.stdout, "%s  %s  %s%s\n", clip.ID, clip.Title, c.client.base, clip.PageURL)
		return err
	}
	path := c.out
	switch {
	case several:
		path = filepath.Join(c.out, clip.ID+".mp4")
	case path == "":
		path = clip.ID + ".mp4"
	}
	if err := c.save(ctx, *clip.MP4URL, path); err != nil {
		return err
	}
	_, err := fmt.Fprintf(c.stdout, "%s  %s  %s\n", clip.ID, clip.Title, path)
	return err
}

// save fetches a file, which is whole or not there.
func (c *clipCommand) save(ctx context.Context, url, path string) (err error) {
	body, err := c.client.open(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	defer body.Close()
	f, err := os.Create(path + ".part")
	if err != nil {
		return err
	}
	_, err = io.Copy(f, body)
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(path+".part"))
	}
	return os.Rename(path+".part", path)
}

func (c *clipCommand) printList(ctx context.Context, show string) error {
	for after := ""; ; {
		page, err := c.client.list(ctx, show, after)
		if err != nil {
			return err
		}
		for _, clip := range page.Items {
			length := time.Duration(clip.DurationMS) * time.Millisecond
			fmt.Fprintf(c.stdout, "%s  %-7s  %-9s  %10s  %s  %s\n", clip.ID, clip.Kind, clip.State, length, clip.PageURL, clip.Title)
		}
		if page.Next == nil {
			return nil
		}
		after = *page.Next
	}
}
