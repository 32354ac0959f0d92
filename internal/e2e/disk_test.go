package e2e

import (
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/vitrine-live/vitrine/internal/llhls"
)

// The disk of the recordings fills up and is freed again: live goes on within every rule, the recording marks what it
// lacks and goes on by itself, what was recorded before is unharmed.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	disk := filepath.Join(data, "recordings")
	smallDisk(t, disk, "16m")
	s := &server{data: data, http: "127.0.0.1:0", rtmp: "127.0.0.1:0", env: []string{"VITRINE_RECORDING_RESERVE=1MiB"}}
	s.start(t)
	r := s.newRoom(t)
	pub := publish(t, s, r.StreamKey, publication{picture: landscape})
	showID := s.onAir(t, r.ID)
	pub.reach(t, 3*fps)

	followed := make(chan *llhls.Report, 1)
	go func() {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		rep, err := llhls.Follow(ctx, s.url("/live/"+r.ID+"/index.m3u8"), llhls.Options{Duration: 28 * time.Second})
		if err != nil {
			t.Error(err)
			rep = &llhls.Report{}
		}
		followed <- rep
	}()
	pub.reach(t, 8*fps)
	ballast := fill(t, disk)
	paused := func() bool { rec := s.room(t, r.ID).Recording; return rec != nil && rec.Paused }
	eventually(t, 10*time.Second, "the recording to pause", paused)
	if rec := s.room(t, r.ID).Recording; rec.Reason == "" {
		t.Error("the API does not say why recording is paused")
	}
	full := pub.next()
	pub.reach(t, full+8*fps)
	if _, metrics := s.metrics(t); !strings.Contains(metrics, "vitrine_") || !pausedMetric(metrics) {
		t.Error("no metric says that a recording is paused")
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	eventually(t, 15*time.Second, "the recording to go on", func() bool { return !paused() })
	freed := pub.next()
	pub.reach(t, freed+8*fps)
	rep := <-followed
	if err := rep.Err(); err != nil {
		t.Errorf("the live playlist while the disk was full: %v", err)
	}
	if rep.Segments < 12 || rep.Parts < 45 {
		t.Errorf("the checker saw too little: %+v", *rep)
	}
	sent := pub.finish(t)
	s.state(t, showID, "ended", 5*time.Second)
	checkGap(t, s, showID, full, freed, sent)
	s.stop(t)
}

// checkGap wants a replay whose timing is whole and whose only hole lies between the frames at which the disk was full
// and was freed, with all else in place.
func checkGap(t *testing.T, s *server, showID string, full, freed, sent int) {
	t.Helper()
	rep, err := llhls.Follow(t.Context(), s.url("/replay/"+showID+"/index.m3u8"), llhls.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := rep.Err(); err != nil {
		t.Errorf("the replay: %v", err)
	}
	_, body := s.get(t, "/replay/"+showID+"/main.m3u8")
	if gaps := strings.Count(string(body), "#EXT-X-GAP"); gaps < 2 {
		t.Errorf("%d gaps are marked", gaps)
	}
	if got, want := s.listedReplay(string(body)), truthMS(0, sent); got < want-50 || got > want+50 {
		t.Errorf("the replay lasts %.0f ms, %d frames make %.0f", got, sent, want)
	}
	numbers := frameNumbers(t, s.url("/replay/"+showID+"/index.m3u8"), landscape)
	if !slices.IsSorted(numbers) {
		t.Error("frames are out of order")
	}
	have := map[int]bool{}
	for _, n := range numbers {
		have[n] = true
	}
	missing := 0
	for n := range sent {
		if have[n] {
			continue
		}
		missing++
		if n < full-6*fps || n > freed+4*fps {
			t.Errorf("frame %d is missing; the disk was full from %d to %d", n, full, freed)
			return
		}
	}
	t.Logf("%d of %d frames missing, the disk was full from frame %d to %d", missing, sent, full, freed)
	if missing == 0 {
		t.Error("nothing is missing: the disk was never full")
	}
}

func (s *server) listedReplay(body string) (ms float64) {
	for _, m := range listedDuration.FindAllStringSubmatch(body, -1) {
		if m[1] != "" {
			d, _ := time.ParseDuration(m[1] + "s")
			ms += d.Seconds() * 1000
		}
	}
	return ms
}

// metrics reads /metrics as the operator.
func (s *server) metrics(t *testing.T) (int, string) {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, s.url("/metrics"), nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.token)
	res, err := httpClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

func pausedMetric(metrics string) bool {
	for line := range strings.Lines(metrics) {
		if strings.HasPrefix(line, "vitrine_") && strings.Contains(line, "paused") && !strings.HasSuffix(strings.TrimSpace(line), " 0") {
			return true
		}
	}
	return false
}

// smallDisk mounts a file system of its own.
func smallDisk(t *testing.T, dir, size string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root, to mount a small disk")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size="+size, "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("cannot mount here: %v: %s", err, out)
	}
	t.Cleanup(func() { // after the server is gone, as cleanups run in reverse
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
}

// fill leaves no space on a disk.
func fill(t *testing.T, dir string) (ballast string) {
	t.Helper()
	ballast = filepath.Join(dir, "ballast")
	f, err := os.Create(ballast)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 1 << 20; size > 0; size /= 16 {
		buf := make([]byte, size)
		for {
			if _, err := f.Write(buf); err != nil {
				break
			}
		}
	}
	return ballast
}
