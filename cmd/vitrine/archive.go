package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/vitrine-live/vitrine/configs"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/ids"
	"github.com/vitrine-live/vitrine/replay/mirror"
	"github.com/vitrine-live/vitrine/store/blob"
)

// archiveFlags are what the commands about recordings are told.
type archiveFlags struct {
	data  string
	deep  bool
	quiet bool
}

func (p *program) archiveCommand() *cobra.Command {
	var f archiveFlags
	cmd := &cobra.Command{
		Use: "archive", Short: "List, check and mend recordings, here and in the bucket",
		Long: `List, check and mend recordings, here and in the bucket that archive.s3 names. The commands work on the data folder, whether
the server runs or not.`,
	}
	cmd.PersistentFlags().StringVar(&f.data, "data", "", "folder of everything durable (data)")
	verify := &cobra.Command{
		Use: "verify [SHOW...]", Short: "Read every recording again and compare it with its sums",
		Long: `Reads every part of every recording and compares it with the sums in its index; of the bucket's files it compares the sizes
and the sums that they carry, or with --deep every byte. The exit status is 1 when anything is damaged or lost.`,
		Example: `  vitrine archive verify
  vitrine archive verify --deep show_0123456789abcdef`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.inspect(cmd.Context(), &f, args, (*mirror.Inspector).Verify)
		},
	}
	repair := &cobra.Command{
		Use: "repair [SHOW...]", Short: "Mend each side from the other, and note what is lost",
		Long: `Does what verify does, then mends: files that are damaged here are taken from the bucket, those that are damaged or missing
there are stored anew. Segments that are good nowhere become gaps, which players pass over. A good copy is never replaced. Lines
that the index of a show lost are taken from the bucket's, or made of the media; the index that was there is kept beside it.`,
		Example: `  vitrine archive repair
  vitrine archive repair --deep show_0123456789abcdef`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.inspect(cmd.Context(), &f, args, (*mirror.Inspector).Repair)
		},
	}
	for _, c := range []*cobra.Command{verify, repair} {
		c.Flags().BoolVar(&f.deep, "deep", false, "read every byte in the bucket, which its owner may charge for")
		c.Flags().BoolVarP(&f.quiet, "quiet", "q", false, "print only what is not well")
	}
	cmd.AddCommand(&cobra.Command{
		Use: "list", Short: "List recordings and where they are", Args: cobra.NoArgs, Example: "  vitrine archive list",
		RunE: func(cmd *cobra.Command, _ []string) error { return p.listArchive(cmd.Context(), &f) },
	}, verify, repair)
	return cmd
}

// inspector is made of the configuration.
func (p *program) inspector(f *archiveFlags) (*mirror.Inspector, error) {
	c, err := p.config(func(c *configs.Config) {
		if f.data != "" {
			c.Data = f.data
		}
	})
	if err != nil {
		return nil, err
	}
	in := &mirror.Inspector{Dir: filepath.Join(c.Data, "recordings"), State: filepath.Join(c.Data, "mirror"), Deep: f.deep}
	if !c.Archive.Blob().Enabled() {
		return in, nil
	}
	bucket, err := blob.NewS3(c.Archive.Blob())
	if err != nil {
		return nil, err
	}
	in.Bucket = bucket
	return in, nil
}

func (p *program) listArchive(ctx context.Context, f *archiveFlags) error {
	in, err := p.inspector(f)
	if err != nil {
		return err
	}
	shows, err := in.Shows(ctx)
	if err != nil {
		return told(err)
	}
	if len(shows) == 0 {
		fmt.Fprintln(p.stdout, "There are no recordings.")
		return nil
	}
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "SHOW\tBEGAN\tDURATION\tHERE\tBUCKET\tSTATE")
	var here, there int64
	for _, id := range shows {
		s := in.Summarize(ctx, id)
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", id, began(s.Began), s.Duration.Duration().Round(time.Second), mebibytes(s.Local), mebibytes(s.Remote), whereabouts(&s))
		here, there = here+s.Local, there+s.Remote
	}
	fmt.Fprintf(w, "%d shows\t\t\t%s\t%s\t\n", len(shows), mebibytes(here), mebibytes(there))
	return w.Flush()
}

func began(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Local().Format("2006-01-02 15:04")
}

func mebibytes(n int64) string {
	if n == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
}

// whereabouts says in a few words where the media of a show is.
func whereabouts(s *mirror.Summary) string {
	media := s.Segments - s.Gaps
	var state string
	switch {
	case s.Err != nil:
		return errs.MessageOf(s.Err)
	case s.LocalFiles >= media && s.RemoteFiles >= media:
		state = "both"
	case s.RemoteFiles >= media:
		state = "bucket"
	case s.LocalFiles >= media && s.RemoteFiles == 0:
		state = "here"
	case s.LocalFiles >= media:
		state = fmt.Sprintf("here, %d of %d in the bucket", s.RemoteFiles, media)
	default:
		state = fmt.Sprintf("%d here and %d in the bucket of %d", s.LocalFiles, s.RemoteFiles, media)
	}
	if !s.Ended {
		state += ", not over"
	}
	return state
}

// inspect verifies or repairs shows, all of them when none is named.
func (p *program) inspect(ctx context.Context, f *archiveFlags, shows []string, look func(*mirror.Inspector, context.Context, string) mirror.Report) error {
	in, err := p.inspector(f)
	if err != nil {
		return err
	}
	for _, id := range shows {
		if !ids.Valid("show", id) {
			return fmt.Errorf("%q is not the id of a show; `vitrine archive list` tells them", id)
		}
	}
	if len(shows) == 0 {
		if shows, err = in.Shows(ctx); err != nil {
			return told(err)
		}
	}
	unwell := 0
	for _, id := range shows {
		r := look(in, ctx, id)
		if ctx.Err() != nil {
			return errors.New("broken off")
		}
		if !r.Healthy() {
			unwell++
		}
		if !f.quiet || !r.Healthy() || len(r.Mended) > 0 {
			p.tell(&r)
		}
	}
	if unwell > 0 {
		fmt.Fprintf(p.stdout, "%d of %d recordings are not well.\n", unwell, len(shows))
		return errReported
	}
	fmt.Fprintf(p.stdout, "%d recordings are well.\n", len(shows))
	return nil
}

// maxDetails bounds the lines about one show.
const maxDetails = 20

func (p *program) tell(r *mirror.Report) {
	if r.Err != nil {
		fmt.Fprintf(p.stdout, "FAIL  %s  %s\n", r.Show, told(r.Err))
		for _, m := range r.Mended {
			fmt.Fprintf(p.stdout, "      %s\n", m)
		}
		return
	}
	verdict := "ok   "
	if !r.Healthy() {
		verdict = "FAIL "
	}
	good, here, there, waiting, lost := r.Counts()
	words := []string{fmt.Sprintf("%d files good", good+waiting)}
	for _, c := range []struct {
		n    int
		text string
	}{{here, "damaged here"}, {there, "damaged in the bucket"}, {waiting, "only here"}, {lost, "lost"}, {r.Gaps, "gaps of the recording"}} {
		if c.n > 0 && (c.n != waiting || r.RemoteFiles > 0 || c.text != "only here") {
			words = append(words, fmt.Sprintf("%d %s", c.n, c.text))
		}
	}
	fmt.Fprintf(p.stdout, "%s %s  %s\n", verdict, r.Show, strings.Join(words, ", "))
	if r.Index.Any() {
		fmt.Fprintf(p.stdout, "      index.jsonl: %s\n", r.Index.String())
	}
	for _, m := range r.Mended {
		fmt.Fprintf(p.stdout, "      %s\n", m)
	}
	n := 0
	for i := range r.Files {
		f := &r.Files[i]
		if f.Detail == "" || f.Lost {
			continue
		}
		if n++; n > maxDetails {
			fmt.Fprintln(p.stdout, "      ...")
			return
		}
		fmt.Fprintf(p.stdout, "      %s: %s\n", f.Name, f.Detail)
	}
}

// told is an error in words for the operator.
func told(err error) error {
	if m := errs.MessageOf(err); m != "" {
		return errors.New(m)
	}
	return err
}
