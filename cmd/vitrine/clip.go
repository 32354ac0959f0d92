package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"github.com/vitrine-live/vitrine/api"
	"github.com/vitrine-live/vitrine/configs"
	"github.com/vitrine-live/vitrine/replay/clip"
)

// clipCommand is what the command makes clips with.
type clipCommand struct {
	*program
	server, token, data       string
	recording                 string // the folder to cut without a server; "": a server is asked
	from, to                  time.Duration
	chapter, kind, title, out string
	products, list, merge     bool
	force                     bool
	client                    clipClient
	config                    configs.Config
}

func (p *program) clipCommand() *cobra.Command {
	c := &clipCommand{program: p}
	cmd := &cobra.Command{
		Use: "clip SHOW", Short: "Make clips of a show on the running server and fetch their files, or cut a recording without a server", Args: cobra.MaximumNArgs(1),
		Long: `Asks the running server for clips of a show, which may still be on air, shows how far they are and fetches the files.
Ctrl-C cancels what is not made yet.

On the server's own machine nothing else is needed: its address is http.addr, its token is in the data folder. Elsewhere name
both; a token (vt_...) needs the scopes replay:write and rooms:read.

--recording cuts the folder of a show without any server: copies and exact cuts, and beside the file its sidecar (.json). The
folder alone knows pictures, sound and their wall clock. Products, chapters, events and the show's title are in the database:
with --data as well they are read from the SQLite database there, which is only read and may be in use. An instant clip, a
styled one, and --all-products need the server.`,
		Example: `  vitrine clip show_0123456789abcdef --from 1m30s --to 2m10s -o tea.mp4
  vitrine clip show_0123456789abcdef --from 1m30s --to 2m10s --kind instant
  vitrine clip show_0123456789abcdef --chapter pin_0123456789abcdef --kind exact
  vitrine clip show_0123456789abcdef --all-products -o clips/
  vitrine clip show_0123456789abcdef --list --server https://live.example.com --token vt_...
  vitrine clip --recording data/recordings/show_0123456789abcdef --from 1m30s --to 2m10s -o tea.mp4
  vitrine clip --recording data/recordings/show_0123456789abcdef --data data --chapter pin_0123456789abcdef`,
		RunE: func(cmd *cobra.Command, args []string) error { return c.run(cmd, args) },
	}
	c.flags(cmd)
	return cmd
}

func (c *clipCommand) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.DurationVar(&c.from, "from", 0, "where it begins, in show time")
	f.DurationVar(&c.to, "to", 0, "where it ends")
	f.StringVar(&c.chapter, "chapter", "", "a chapter instead, by its id")
	f.BoolVar(&c.products, "all-products", false, "a clip of each chapter, that is of each product shown")
	f.BoolVar(&c.merge, "merge", false, "with --all-products: one clip of a product's chapters that follow each other closely")
	f.StringVar(&c.kind, "kind", "copy", "instant, copy, exact or styled")
	f.StringVar(&c.title, "title", "", "the clip's title")
	f.StringVarP(&c.out, "output", "o", "", "file, or folder for several (default: the clip's id, here)")
	f.BoolVar(&c.force, "force", false, "write over a file that is there")
	f.BoolVar(&c.list, "list", false, "list the show's clips")
	f.StringVar(&c.recording, "recording", "", "cut the recording in this folder, without a server")
	f.StringVar(&c.server, "server", "", "address of the server (default: this machine, by http.addr)")
	f.StringVar(&c.token, "token", "", "admin or API token (default: $VITRINE_TOKEN, or the one in the data folder)")
	f.StringVar(&c.data, "data", "", "data folder; with --recording the one whose database knows the show")
}

func (c *clipCommand) run(cmd *cobra.Command, args []string) error {
	if err := c.check(cmd, args); err != nil {
		return err
	}
	cfg, err := c.program.config(func(cfg *configs.Config) {
		if c.data != "" {
			cfg.Data = c.data
		}
	})
	if err != nil {
		return err
	}
	c.config = cfg
	ctx := cmd.Context()
	if c.recording != "" {
		return c.cutFolder(ctx)
	}
	if err := c.connect(); err != nil {
		return err
	}
	switch show := args[0]; {
	case c.list:
		return c.printList(ctx, show)
	case c.products:
		return c.all(ctx, show)
	default:
		return c.one(ctx, show)
	}
}

// check refuses what cannot be meant, before anything is asked for.
func (c *clipCommand) check(cmd *cobra.Command, args []string) error {
	given := func(name string) bool { return cmd.Flags().Changed(name) }
	ranged := given("from") || given("to")
	kinds := []clip.Kind{clip.Instant, clip.Copy, clip.Exact, clip.Styled}
	switch {
	case !slices.Contains(kinds, clip.Kind(c.kind)):
		return fmt.Errorf("there is no kind %q: --kind takes instant, copy, exact or styled", c.kind)
	case c.list && (c.products || ranged || c.chapter != ""):
		return errors.New("--list makes no clip: leave out --from, --to, --chapter and --all-products")
	case c.merge && !c.products:
		return errors.New("--merge is for --all-products")
	case ranged && (c.chapter != "" || c.products), c.chapter != "" && c.products:
		return errors.New("say one of these: --from and --to, --chapter, or --all-products")
	case c.products && c.title != "":
		return errors.New("clips of all products are called after their products: leave out --title")
	case c.kind == string(clip.Instant) && c.out != "":
		return errors.New("an instant clip has no file: leave out -o, or choose --kind copy")
	}
	if err := c.checkWhere(given, args); err != nil || c.list || c.products || c.chapter != "" {
		return err
	}
	switch {
	case !given("to"):
		return errors.New("say which part: --from and --to, --chapter, or --all-products")
	case c.from < 0:
		return errors.New("--from must be at least 0: the show begins there")
	case c.to <= c.from:
		return fmt.Errorf("--to (%v) must be after --from (%v)", c.to, c.from)
	}
	return nil
}

// checkWhere refuses flags that do not belong to a server, or to a folder.
func (c *clipCommand) checkWhere(given func(string) bool, args []string) error {
	if c.recording == "" {
		if len(args) == 0 {
			return errors.New("name the show by its id (the studio shows it), or with --recording the folder of its recording")
		}
		return nil
	}
	switch {
	case len(args) > 0:
		return errors.New("--recording names the show already: leave out its id")
	case given("server") || given("token"):
		return errors.New("--recording works without a server: leave out --server and --token, or --recording")
	case c.list:
		return errors.New("the clips of a show are known to its server alone: leave out --recording, and name the show")
	case c.products:
		return errors.New("clips of all products are made by the server: leave out --recording and name the show, or cut one --chapter after the other")
	case c.kind == string(clip.Instant):
		return errors.New("an instant clip is a page of the server: leave out --recording and name the show, or choose --kind copy or exact")
	case c.kind == string(clip.Styled):
		return errors.New("a styled clip is drawn by the server, which has the store's pictures: leave out --recording and name the show, or choose --kind copy or exact")
	case c.chapter != "" && c.data == "":
		return errors.New("chapters are in the database: name the server's data folder with --data, or say --from and --to")
	}
	return nil
}

// one makes a single clip.
func (c *clipCommand) one(ctx context.Context, show string) error {
	if err := c.checkTarget(); err != nil {
		return err
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

func (c *clipCommand) all(ctx context.Context, show string) error {
	if c.kind != string(clip.Instant) {
		if err := c.makeTarget(); err != nil {
			return err
		}
	}
	batch, err := c.client.createAll(ctx, show, api.ChapterClipsInput{Kind: c.kind, Merge: c.merge})
	if err != nil {
		return err
	}
	if len(batch.Clips) == 0 {
		_, err := fmt.Fprintln(c.stdout, "The show has no chapters: nothing was pinned.")
		return err
	}
	return c.finish(ctx, show, batch.Clips)
}

// errClipStopped is what is said when the person no longer waits.
var errClipStopped = errors.New("stopped: what was not made is cancelled")

// finish waits for clips and fetches their files. What is not made when the person stops waiting is cancelled.
func (c *clipCommand) finish(ctx context.Context, show string, clips []api.Clip) error {
	progress, done := clipBar(c.stderr)
	err := c.wait(ctx, show, clips, progress)
	done()
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
		return fmt.Errorf("%d of %d clips were not made: the studio and `--list` show them; try again there or here", failed, len(clips))
	}
	return nil
}

// clipBar shows how much of the work is done, from 0 to 1, until done is called.
func clipBar(w io.Writer) (progress func(share float64), done func()) {
	bar := progressbar.NewOptions(1000, progressbar.OptionSetWriter(w), progressbar.OptionSetDescription("making"),
		progressbar.OptionClearOnFinish(), progressbar.OptionSetPredictTime(true), progressbar.OptionThrottle(100*time.Millisecond))
	_ = bar.RenderBlank() // or nothing is seen until the first clip is begun
	return func(share float64) { _ = bar.Set(int(share * 1000)) }, func() { _ = bar.Finish() }
}

// clipPoll is how often a clip is asked for while it is made.
const clipPoll = 300 * time.Millisecond

// wait asks until nothing is to happen to the clips any more, which it brings up to date.
func (c *clipCommand) wait(ctx context.Context, show string, clips []api.Clip, progress func(float64)) error {
	for {
		open, sum := 0, 0.0
		for i := range clips {
			if !clipOpen(&clips[i]) {
				sum++
				continue
			}
			now, err := c.client.get(ctx, show, clips[i].ID)
			if ctx.Err() != nil {
				return errClipStopped
			}
			if err != nil {
				return err
			}
			clips[i] = now
			sum += now.Progress
			if clipOpen(&now) {
				open++
			}
		}
		progress(sum / float64(len(clips)))
		if open == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return errClipStopped
		case <-time.After(clipPoll):
		}
	}
}

func clipOpen(clip *api.Clip) bool { return clip.State == "queued" || clip.State == "running" }

// cancel cancels those clips that are not made, each of which may be made in this very moment.
func (c *clipCommand) cancel(ctx context.Context, show string, clips []api.Clip) error {
	ctx, stop := context.WithTimeout(ctx, 5*time.Second)
	defer stop()
	var failed error
	for i := range clips {
		if !clipOpen(&clips[i]) {
			continue
		}
		if err := c.client.cancel(ctx, show, clips[i].ID); err != nil && !isStatus(err, 409) {
			failed = errors.Join(failed, fmt.Errorf("clip %s is not cancelled: %w", clips[i].ID, err))
		}
	}
	return failed
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
