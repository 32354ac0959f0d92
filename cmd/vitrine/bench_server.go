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
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/vitrine-live/vitrine/internal/pusher"
)

// benchServer is a server of its own that a benchmark loads, with a temporary data folder.
type benchServer struct {
	*program
	core int
	film string

	dir    string
	ready  readyFile
	token  string
	server *exec.Cmd
}

// benchRoom is a room to publish to.
type benchRoom struct {
	ID        string `json:"id"`
	StreamKey string `json:"stream_key"`
}

func (b *benchServer) flags(cmd *cobra.Command) {
	cmd.Flags().IntVar(&b.core, "core", -1, "bind the server to this processor")
	cmd.Flags().StringVar(&b.film, "film", "", "FLV file to publish instead of the one that ffmpeg makes")
}

// with runs work on the film while the server runs.
func (b *benchServer) with(ctx context.Context, work func(*pusher.Film) error) (err error) {
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
	fmt.Fprintf(b.stdout, "film      %.2f Mbit/s\nserver    idle %.1f MiB\n", float64(film.Bitrate())/1e6, b.usage().mebibytes())
	return work(film)
}

func (b *benchServer) loadFilm(ctx context.Context) (*pusher.Film, error) {
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
func (b *benchServer) startServer(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	readyPath := filepath.Join(b.dir, "ready.json")
	b.server = exec.CommandContext(ctx, self, "serve", "--data", filepath.Join(b.dir, "data"), "--http", "127.0.0.1:0", "--rtmp", "127.0.0.1:0", "--ready-file", readyPath)
	b.server.Env = append(os.Environ(), "VITRINE_LOG_LEVEL=error", "VITRINE_WEBRTC_ENABLED=false", "VITRINE_RTMP_MAX_CONNECTIONS=10000", "VITRINE_RTMP_MAX_CONNECTIONS_PER_ADDRESS=10000")
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

func (b *benchServer) awaitReady(path string) error {
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

func (b *benchServer) stopServer() {
	_ = b.server.Process.Signal(syscall.SIGTERM)
	_ = b.server.Wait() // how it ends says nothing about the measurement
}

// makeRooms makes n rooms and returns them with their stream keys.
func (b *benchServer) makeRooms(ctx context.Context, n int) ([]benchRoom, error) {
	rooms := make([]benchRoom, n)
	for i := range rooms {
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
		if err := json.Unmarshal(body, &rooms[i]); err != nil || rooms[i].StreamKey == "" {
			return nil, fmt.Errorf("no room: %s", body)
		}
	}
	return rooms, nil
}

// usage is what the server has cost so far.
type usage struct {
	at  time.Time
	cpu time.Duration
	rss int64 // bytes
}

func (u usage) mebibytes() float64 { return float64(u.rss) / (1 << 20) }

// usage reads /proc; zeros where there is none.
func (b *benchServer) usage() usage {
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
