package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/vitrine-live/vitrine/internal/pusher"
)

func (p *program) benchCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "bench", Short: "Measure what this machine can carry"}
	cmd.AddCommand(p.benchPublishCommand(), p.benchViewersCommand(), p.benchTranscodeCommand(), p.benchOrdersCommand(), p.benchClipCommand())
	return cmd
}

// publishBench loads a server with publishers.
type publishBench struct {
	benchServer
	publishers int
	duration   time.Duration
}

func (p *program) benchPublishCommand() *cobra.Command {
	b := &publishBench{benchServer: benchServer{program: p}}
	cmd := &cobra.Command{
		Use: "publish", Short: "How many RTMP publishers a server carries, with LL-HLS and recording", Args: cobra.NoArgs,
		Long: `Starts a server with a temporary data folder, on one core if --core is given, and publishes one film to it many times
in real time (default: 720p30 H264 at 2.6 Mbit/s with AAC, made by ffmpeg). Reports how late the server takes what is
sent, and what the server costs.`,
		Example: "  vitrine bench publish -n 250 --core 0",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return b.with(cmd.Context(), func(film *pusher.Film) error { return b.run(cmd.Context(), film) })
		},
	}
	cmd.Flags().IntVarP(&b.publishers, "publishers", "n", 100, "publishers at once")
	cmd.Flags().DurationVar(&b.duration, "duration", 30*time.Second, "how long to measure, after the last publisher has begun")
	b.flags(cmd)
	return cmd
}

func (b *publishBench) run(ctx context.Context, film *pusher.Film) error {
	idle := b.usage()
	rooms, err := b.makeRooms(ctx, b.publishers)
	if err != nil {
		return err
	}
	return b.load(ctx, film, rooms, idle)
}

// load runs the publishers and prints what came of it.
func (b *publishBench) load(ctx context.Context, film *pusher.Film, rooms []benchRoom, idle usage) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	lags := make([]lagLog, len(rooms))
	failed := make(chan error, len(rooms))
	var wg sync.WaitGroup
	ramp := 2 * time.Second / time.Duration(len(rooms)) // keyframes of all publishers are spread over a group of pictures
	for i, room := range rooms {
		p, err := pusher.Dial(ctx, b.ready.RTMP, room.StreamKey, film)
		if err != nil {
			return fmt.Errorf("publisher %d of %d: %w", i+1, len(rooms), err)
		}
		wg.Go(func() {
			if err := p.Run(ctx, lags[i].add); err != nil {
				failed <- fmt.Errorf("publisher %d: %w", i+1, err)
			}
		})
		time.Sleep(ramp)
	}
	settle := 8 * time.Second
	select {
	case <-ctx.Done():
	case <-time.After(settle):
	}
	for i := range lags {
		lags[i].reset()
	}
	before := b.usage()
	select {
	case <-ctx.Done():
	case <-time.After(b.duration):
	}
	after := b.usage()
	cancel()
	wg.Wait()
	close(failed)
	b.report(lags, len(failed), idle, before, after)
	return <-failed
}

func (b *publishBench) report(lags []lagLog, failed int, idle, before, after usage) {
	var all []time.Duration
	for i := range lags {
		all = append(all, lags[i].lags...)
	}
	at := quantiles(all)
	wall := after.at.Sub(before.at)
	fmt.Fprintf(b.stdout, "load      %d publishers for %v, %d failed\n", b.publishers, wall.Round(time.Second), failed)
	fmt.Fprintf(b.stdout, "send lag  p50 %v  p99 %v  max %v\n", at(0.5), at(0.99), at(1))
	fmt.Fprintf(b.stdout, "server    %.0f %% of one core, %.1f MiB: %.2f MiB per publisher beyond idle\n",
		100*(after.cpu-before.cpu).Seconds()/wall.Seconds(), after.mebibytes(), (after.mebibytes()-idle.mebibytes())/float64(b.publishers))
}

// lagLog collects the lags of one publisher.
type lagLog struct {
	mu   sync.Mutex
	lags []time.Duration
}

func (l *lagLog) add(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lags = append(l.lags, d)
}

func (l *lagLog) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lags = l.lags[:0]
}

// quantiles returns the function from q to the q-quantile of the durations; 0 when there are none.
func quantiles(all []time.Duration) func(q float64) time.Duration {
	slices.Sort(all)
	return func(q float64) time.Duration {
		if len(all) == 0 {
			return 0
		}
		return all[min(int(q*float64(len(all))), len(all)-1)].Round(100 * time.Microsecond)
	}
}
