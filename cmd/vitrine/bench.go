package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/vitrine-live/vitrine/internal/pusher"
)

// publishBench loads a server of its own with publishers.
type publishBench struct {
	*program
	publishers int
	duration   time.Duration
	core       int
	film       string

	dir    string
	ready  readyFile
	token  string
	server *exec.Cmd
}

func (p *program) benchCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "bench", Short: "Measure what this machine can carry"}
	b := &publishBench{program: p}
	publish := &cobra.Command{
		Use: "publish", Short: "How many RTMP publishers a server carries, with LL-HLS and recording", Args: cobra.NoArgs,
		Long: `Starts a server with a temporary data folder, on one core if --core is given, and publishes one film to it many times
in real time (default: 720p30 H264 at 2.6 Mbit/s with AAC, made by ffmpeg). Reports how late the server takes what is
sent, how far the shows are behind, and what the server costs.`,
		Example: "  vitrine bench publish -n 250 --core 0",
		RunE:    func(cmd *cobra.Command, _ []string) error { return b.run(cmd.Context()) },
	}
	publish.Flags().IntVarP(&b.publishers, "publishers", "n", 100, "publishers at once")
	publish.Flags().DurationVar(&b.duration, "duration", 30*time.Second, "how long to measure, after the last publisher has begun")
	publish.Flags().IntVar(&b.core, "core", -1, "bind the server to this processor")
	publish.Flags().StringVar(&b.film, "film", "", "FLV file to publish instead of the one that ffmpeg makes")
	cmd.AddCommand(publish)
	return cmd
}

func (b *publishBench) run(ctx context.Context) (err error) {
	if b.dir, err = os.MkdirTemp("", "vitrine-bench-*"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.dir)) }()
	film, err := b.loadFilm(ctx)
	if err != nil {
		return err
	}
	if err := b.startServer(ctx); err != nil {
		return err
	}
	defer b.stopServer()
	idle := b.usage()
	keys, err := b.makeRooms(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(b.stdout, "film      %.2f Mbit/s\nserver    idle %.1f MiB\n", float64(film.Bitrate())/1e6, idle.mebibytes())
	return b.load(ctx, film, keys, idle)
}

// load runs the publishers and prints what came of it.
func (b *publishBench) load(ctx context.Context, film *pusher.Film, keys []string, idle usage) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	lags := make([]lagLog, len(keys))
	failed := make(chan error, len(keys))
	var wg sync.WaitGroup
	ramp := 2 * time.Second / time.Duration(len(keys)) // keyframes of all publishers are spread over a group of pictures
	for i, key := range keys {
		p, err := pusher.Dial(ctx, b.ready.RTMP, key, film)
		if err != nil {
			return fmt.Errorf("publisher %d of %d: %w", i+1, len(keys), err)
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
	slices.Sort(all)
	at := func(q float64) time.Duration {
		if len(all) == 0 {
			return 0
		}
		return all[min(int(q*float64(len(all))), len(all)-1)].Round(100 * time.Microsecond)
	}
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

func (b *publishBench) loadFilm(ctx context.Context) (*pusher.Film, error) {
	path := b.film
	if path == "" {
		path = filepath.Join(b.dir, "film.flv")
		cmd := exec.CommandContext(ctx, "ffmpeg", "-v", "error",
			"-f", "lavfi", "-i", "testsrc2=s=1280x720:r=30,noise=alls=12:allf=t", "-f", "lavfi", "-i", "sine=r=48000", "-t", "20",
			"-c:v", "libx264", "-preset", "veryfast", "-g", "60", "-sc_threshold", "0", "-bf", "2", "-pix_fmt", "yuv420p",
			"-b:v", "2480k", "-minrate", "2480k", "-maxrate", "2480k", "-bufsize", "2480k", "-x264-params", "nal-hrd=cbr",
			"-c:a", "aac", "-b:a", "128k", "-ac", "2", path)
		if out, err := cmd.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("ffmpeg could not make the film: %w\n%s", err, out)
		}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return pusher.ReadFLV(data)
}

// startServer runs this very program as a server of its own.
func (b *publishBench) startServer(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	readyPath := filepath.Join(b.dir, "ready.json")
	b.server = exec.CommandContext(ctx, self, "serve", "--data", filepath.Join(b.dir, "data"), "--http", "127.0.0.1:0", "--rtmp", "127.0.0.1:0", "--ready-file", readyPath)
	b.server.Env = append(os.Environ(), "VITRINE_LOG_LEVEL=error", "VITRINE_RTMP_MAX_CONNECTIONS=10000", "VITRINE_RTMP_MAX_CONNECTIONS_PER_ADDRESS=10000")
	if b.core >= 0 {
		b.server.Env = append(b.server.Env, "GOMAXPROCS=1")
	}
	b.server.Stderr = b.stderr
	b.server.Cancel = func() error { return b.server.Process.Signal(syscall.SIGTERM) }
	if err := b.server.Start(); err != nil {
		return err
	}
	if b.core >= 0 {
		var set unix.CPUSet
		set.Set(b.core)
		if err := bindThreads(b.server.Process.Pid, &set); err != nil {
			return fmt.Errorf("cannot bind the server to processor %d: %w", b.core, err)
		}
	}
	return b.awaitReady(readyPath)
}

// bindThreads binds every thread of a process; those that it starts later inherit it.
func bindThreads(pid int, set *unix.CPUSet) error {
	tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		return err
	}
	for _, t := range tasks {
		var tid int
		if _, err := fmt.Sscan(t.Name(), &tid); err != nil {
			return err
		}
		if err := unix.SchedSetaffinity(tid, set); err != nil {
			return err
		}
	}
	return nil
}

func (b *publishBench) awaitReady(path string) error {
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		data, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		if err := json.Unmarshal(data, &b.ready); err != nil {
			return err
		}
		token, err := os.ReadFile(b.ready.AdminTokenFile)
		b.token = strings.TrimSpace(string(token))
		return err
	}
	return errors.New("the server did not become ready within 20 s")
}

func (b *publishBench) stopServer() {
	_ = b.server.Process.Signal(syscall.SIGTERM)
	_ = b.server.Wait() // how it ends says nothing about the measurement
}

func (b *publishBench) makeRooms(ctx context.Context) ([]string, error) {
	keys := make([]string, b.publishers)
	for i := range keys {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+b.ready.HTTP+"/api/v1/rooms", bytes.NewReader([]byte(`{"title":"bench"}`)))
		if err != nil {
			return nil, err
		}
		req.Header.Set("Authorization", "Bearer "+b.token)
		req.Header.Set("Content-Type", "application/json")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return nil, err
		}
		body, err := io.ReadAll(res.Body)
		if err = errors.Join(err, res.Body.Close()); err != nil {
			return nil, err
		}
		var room struct {
			StreamKey string `json:"stream_key"`
		}
		if err := json.Unmarshal(body, &room); err != nil || room.StreamKey == "" {
			return nil, fmt.Errorf("no room: %s", body)
		}
		keys[i] = room.StreamKey
	}
	return keys, nil
}

// usage is what the server has cost so far.
type usage struct {
	at  time.Time
	cpu time.Duration
	rss int64 // bytes
}

func (u usage) mebibytes() float64 { return float64(u.rss) / (1 << 20) }

// usage reads /proc; zeros where there is none.
func (b *publishBench) usage() usage {
	u := usage{at: time.Now()}
	pid := b.server.Process.Pid
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return u
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	const utime, stime, rss, ticksPerSecond = 11, 12, 21, 100 // proc(5), counted after the name; USER_HZ is 100 on Linux
	for _, i := range []int{utime, stime} {
		var ticks int64
		_, _ = fmt.Sscan(fields[i], &ticks)
		u.cpu += time.Duration(ticks) * time.Second / ticksPerSecond
	}
	_, _ = fmt.Sscan(fields[rss], &u.rss)
	u.rss *= int64(os.Getpagesize())
	return u
}
