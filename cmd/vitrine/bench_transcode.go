package main

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/vitrine-live/vitrine/configs"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/transcode"
)

// transcodeBench runs ladders without a server.
type transcodeBench struct {
	*program
	load          transcode.Load
	width, height int
	fps           float64
}

func (p *program) benchTranscodeCommand() *cobra.Command {
	b := &transcodeBench{program: p}
	cmd := &cobra.Command{
		Use: "transcode", Short: "How many ladders this machine carries in real time", Args: cobra.NoArgs,
		Long: `Measures what decoding and encoding cost here with the encoder of the configuration, then runs ladders in real time and
reports how late their pictures come. A machine carries them when no picture is lost and the delay stays flat: raise
-n until it does not.`,
		Example: "  vitrine bench transcode -n 2\n  vitrine bench transcode --width 1920 --height 1080 --ladder 720p,480p",
		RunE:    func(cmd *cobra.Command, _ []string) error { return b.run(cmd.Context()) },
	}
	usual := transcode.UsualSource
	cmd.Flags().IntVarP(&b.load.Ladders, "ladders", "n", 1, "ladders at once")
	cmd.Flags().DurationVar(&b.load.Duration, "duration", 20*time.Second, "how long to run them")
	cmd.Flags().IntVar(&b.width, "width", usual.Width, "of the source")
	cmd.Flags().IntVar(&b.height, "height", usual.Height, "of the source")
	cmd.Flags().Float64Var(&b.fps, "fps", usual.FPS, "pictures a second of the source")
	cmd.Flags().StringSliceVar(&b.load.Presets, "ladder", []string{"720p", "480p", "360p"}, "renditions of each, where the source is larger")
	return cmd
}

func (b *transcodeBench) run(ctx context.Context) error {
	c, err := b.config()
	if err != nil {
		return err
	}
	t, err := newTranscoder(c)
	if err != nil {
		return err
	}
	speed, err := t.Measure(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(b.stdout, "decode    %.2f ms of processor per million pixels\nencode    %.2f ms\n", 1000*speed.Decode, 1000*speed.Encode)
	b.load.Source = transcode.Source{Codec: media.H264, Width: b.width, Height: b.height, FPS: b.fps}
	fmt.Fprintf(b.stdout, "load      %d ladders for %v\n", b.load.Ladders, b.load.Duration)
	r, err := t.Run(ctx, b.load)
	if err != nil {
		return err
	}
	b.report(r)
	return nil
}

func (b *transcodeBench) report(r transcode.LoadReport) {
	for _, p := range r.Plan {
		fmt.Fprintf(b.stdout, "rendition %-5s %dx%d at %.1f Mbit/s\n", p.Name, p.Width, p.Height, float64(p.Bitrate)/1e6)
	}
	n := float64(b.load.Ladders)
	at := quantiles(slices.Clone(r.Delays))
	fmt.Fprintf(b.stdout, "delay     p50 %v  p99 %v  max %v, of the first picture %v\n", at(0.5), at(0.99), at(1), r.First.Round(time.Millisecond))
	fmt.Fprintf(b.stdout, "lost      %d pictures of %d\n", r.Sent*len(r.Plan)-r.Made, r.Sent*len(r.Plan))
	fmt.Fprintf(b.stdout, "cost      %.2f cores a ladder, estimated %.2f\n", r.CPU.Seconds()/b.load.Duration.Seconds()/n, r.Cost)
	for _, f := range slices.Compact(slices.Sorted(slices.Values(r.Failures))) {
		fmt.Fprintf(b.stdout, "failed    %s\n", f)
	}
}

func newTranscoder(c configs.Config) (*transcode.Transcoder, error) {
	return transcode.New(transcode.Config{FFmpeg: c.Transcode.FFmpeg, Encoder: c.Transcode.Encoder, MaxCost: c.Transcode.MaxCost}, slog.New(slog.DiscardHandler), transcode.NewMetrics(nil))
}
