package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/internal/ids"
	"github.com/vitrine-live/vitrine/live"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/overlay"
	"github.com/vitrine-live/vitrine/replay"
	"github.com/vitrine-live/vitrine/store/sqldb"
	"github.com/vitrine-live/vitrine/store/sqldb/sqldbtest"
)

// clipHouse is a server in this process whose data folder has one show of 16 s, in which two products are shown.
type clipHouse struct {
	dir, show string
	base      string // of the server; "": none runs
	hangs     string // a file: while it is there, ffmpeg hangs
	pins      []overlay.Pin
	env       []string
}

// hangingFFmpeg is ffmpeg, or hangs while the file beside it says so.
const hangingFFmpeg = "#!/bin/sh\n[ -e \"$0.hangs\" ] && exec sleep 600\nexec ffmpeg \"$@\"\n"

func newClipHouse(t *testing.T) *clipHouse {
	t.Helper()
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("ffmpeg is not installed")
	}
	h := &clipHouse{dir: t.TempDir()}
	program := filepath.Join(h.dir, "ffmpeg")
	if err := os.WriteFile(program, []byte(hangingFFmpeg), 0o755); err != nil {
		t.Fatal(err)
	}
	h.hangs = program + ".hangs"
	h.env = []string{
		"PATH=" + os.Getenv("PATH"), "GOGC=100", "VITRINE_DATA=" + h.dir, "VITRINE_TRANSCODE_FFMPEG=" + program, "VITRINE_HTTP_ADDR=127.0.0.1:0",
		"VITRINE_RTMP_ADDR=127.0.0.1:0", "VITRINE_WEBRTC_ADDR=127.0.0.1:0", "VITRINE_RECORDING_RESERVE=1MiB",
	}
	db := sqldbtest.OpenAt(t, filepath.Join(h.dir, databaseFile))
	defer db.Close()
	h.fill(t, db)
	return h
}

var clipShowBegan = time.Date(2026, 11, 22, 20, 0, 0, 0, time.UTC)

// fill makes the show, as it lies in the data folder when it is over.
func (h *clipHouse) fill(t *testing.T, db *sqldb.DB) {
	t.Helper()
	room := live.Room{ID: ids.New("room"), Title: "Teas", KeyHash: "x", StoreID: account.DefaultStore, CreatedAt: clipShowBegan}
	show := live.Show{
		ID: ids.New("show"), RoomID: room.ID, StoreID: room.StoreID, Title: "Evening", State: live.Live, StartedAt: clipShowBegan, CreatedAt: clipShowBegan,
		Epochs: media.Epochs{{Wall: clipShowBegan}},
	}
	h.show = show.ID
	timeline := overlay.NewTimeline(db, slog.New(slog.DiscardHandler), overlay.NewMetrics(prometheus.NewRegistry()))
	err := errors.Join(db.CreateRoom(t.Context(), room), db.CreateShow(t.Context(), show))
	for n, span := range []media.Span{{From: 1, To: 4}, {From: 6, To: 9}} {
		from, to := span.From*media.TicksPerSecond, span.To*media.TicksPerSecond
		product := commerce.Product{ID: fmt.Sprintf("prod_%d", n), Title: fmt.Sprintf("Tea %d", n+1), Price: commerce.Money{Amount: 1990, Currency: "CNY"}}
		pin, pinErr := timeline.Pin(t.Context(), show.ID, product, true, from, clipShowBegan.Add(from.Duration()))
		h.pins = append(h.pins, pin)
		err = errors.Join(err, pinErr, timeline.Unpin(t.Context(), show.ID, pin.ID, to, clipShowBegan.Add(to.Duration())))
	}
	show.State, show.Duration, show.EndedAt = live.Ended, filmLength, clipShowBegan.Add(filmLength.Duration())
	err = errors.Join(err, timeline.EndShow(t.Context(), show.ID, filmLength, show.EndedAt), db.UpdateShow(t.Context(), show))
	archive, openErr := replay.Open(filepath.Join(h.dir, "recordings"), replay.Config{Reserve: -1, Queue: 1 << 30}, nil, nil)
	if err := errors.Join(err, openErr); err != nil {
		t.Fatal(err)
	}
	film := clipFilm{program: "ffmpeg", width: 160, height: 90, bitrate: 100}
	if err := errors.Join(film.record(t.Context(), archive, show.ID, filmLength.Duration()), archive.Close()); err != nil {
		t.Fatal(err)
	}
}

// serve runs the server until the test ends.
func (h *clipHouse) serve(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ready := filepath.Join(h.dir, "ready.json")
	said := newAwaited("vitrine is ready")
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, []string{"serve", "--ready-file", ready}, h.env, said, said) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	select {
	case <-said.came:
	case err := <-ended:
		ended <- nil
		t.Fatalf("%v\n%s", err, said)
	}
	var r readyFile
	b, err := os.ReadFile(ready)
	if err := errors.Join(err, json.Unmarshal(b, &r)); err != nil {
		t.Fatal(err)
	}
	h.base = "http://" + r.HTTP
}

// path is a place for the file of a clip.
func (h *clipHouse) path(t *testing.T, name string) string {
	t.Helper()
	return filepath.Join(t.TempDir(), name)
}

// clip runs the command on the show, at the server with the token of the data folder.
func (h *clipHouse) clip(t *testing.T, args ...string) (out string, err error) {
	t.Helper()
	return h.command(t.Context(), append([]string{h.show, "--server", h.base}, args...), h.env...)
}

func (h *clipHouse) command(ctx context.Context, args []string, env ...string) (out string, err error) {
	var stdout, stderr bytes.Buffer
	err = run(ctx, append([]string{"clip"}, args...), env, &stdout, &stderr)
	return stdout.String() + stderr.String(), err
}

// awaited is a log that tells when a text was written to it.
type awaited struct {
	mu   sync.Mutex
	text string
	buf  bytes.Buffer
	came chan struct{}
	once sync.Once
}

func newAwaited(text string) *awaited { return &awaited{text: text, came: make(chan struct{})} }

func (a *awaited) Write(p []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.buf.Write(p)
	if strings.Contains(a.buf.String(), a.text) {
		a.once.Do(func() { close(a.came) })
	}
	return len(p), nil
}

func (a *awaited) String() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.buf.String()
}

// lasts is how long a file plays, in seconds.
func lasts(t *testing.T, path string) float64 {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", path).Output()
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	seconds, err := strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
	if err != nil {
		t.Fatal(err)
	}
	return seconds
}

// says checks that a command failed with words that hold all of these.
func says(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("it did not fail; want %q", words)
		return
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%q does not say %q", err, w)
		}
	}
}
