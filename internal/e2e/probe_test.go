package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"os/exec"
	"slices"
	"strconv"
	"testing"
	"time"
)

// ffmpegRun runs ffmpeg or ffprobe to its end and returns its standard output.
func ffmpegRun(t *testing.T, limit time.Duration, name string, args ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	cmd := exec.Command(name, append([]string{"-hide_banner", "-loglevel", "error"}, args...)...)
	cmd.Stdout = &out
	p := start(t, name, cmd)
	if code := p.wait(t, limit); code != 0 {
		t.Fatalf("%s ended with %d", name, code)
	}
	if s := p.out.String(); s != "" {
		t.Logf("%s says: %s", name, s)
	}
	return out.Bytes()
}

// packetTimes are the presentation times of every packet of a stream ("v" or "a"), in seconds, sorted.
func packetTimes(t *testing.T, url, stream string) (pts []float64) {
	t.Helper()
	out := ffmpegRun(t, time.Minute, "ffprobe", "-select_streams", stream, "-show_entries", "packet=pts_time", "-of", "json", url)
	var r struct {
		Packets []struct {
			PTS string `json:"pts_time"`
		} `json:"packets"`
	}
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatal(err)
	}
	for _, p := range r.Packets {
		v, err := strconv.ParseFloat(p.PTS, 64)
		if err != nil {
			t.Fatalf("a packet of %s has pts_time %q", url, p.PTS)
		}
		pts = append(pts, v)
	}
	slices.Sort(pts)
	return pts
}

// frameNumbers decodes a stream and reads the number of every frame, in the order of presentation.
func frameNumbers(t *testing.T, url string, p picture) (numbers []int) {
	t.Helper()
	cmd := exec.Command("ffmpeg", "-hide_banner", "-loglevel", "error", "-nostdin", "-i", url,
		"-map", "0:v", "-vsync", "passthrough", "-f", "rawvideo", "-pix_fmt", "gray", "pipe:1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	proc := start(t, "ffmpeg", cmd)
	time.AfterFunc(time.Minute, proc.kill)
	frame := make([]byte, p.width*p.height)
	for {
		if _, err := io.ReadFull(out, frame); err != nil {
			break
		}
		n, ok := p.readGray(frame)
		if !ok {
			t.Errorf("frame %d of %s is unreadable", len(numbers), url)
			n = -1
		}
		numbers = append(numbers, n)
	}
	if code := proc.wait(t, 10*time.Second); code != 0 {
		t.Errorf("ffmpeg ended with %d", code)
	}
	return numbers
}

// wantFrames wants every frame of first <= n < first+count once and in order.
func wantFrames(t *testing.T, what string, numbers []int, first, count int) {
	t.Helper()
	if len(numbers) != count {
		t.Errorf("%s: %d frames, sent were %d", what, len(numbers), count)
	}
	for i, n := range numbers[:min(len(numbers), count)] {
		if n != first+i {
			t.Errorf("%s: frame %d comes at place %d", what, n, first+i)
			return
		}
	}
}

// wantTimes wants the presentation times of frames 0 to count, from origin on, to the millisecond.
func wantTimes(t *testing.T, what string, pts []float64, origin float64, count int) {
	t.Helper()
	if len(pts) != count {
		t.Errorf("%s: %d packets, sent were %d frames", what, len(pts), count)
	}
	for i := range min(len(pts), count) {
		if off := (pts[i]-origin)*1000 - truthMS(0, i); math.Abs(off) > 1 {
			t.Errorf("%s: frame %d is presented at %.3f s, %.1f ms off", what, i, pts[i], off)
			return
		}
	}
}
