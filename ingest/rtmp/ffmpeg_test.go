package rtmp

import (
	"encoding/csv"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/vitrine-live/vitrine/media"
)

// packet is one packet as ffprobe lists it.
type packet struct {
	Kind     media.Kind
	PTS, DTS int64 // ms
	Size     int
	Key      bool
}

// run runs a program of ffmpeg's and returns what it writes to stdout.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%v: install ffmpeg (apt-get install ffmpeg)", err)
	}
	var stderr strings.Builder
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, stderr.String())
	}
	return string(out)
}

// encode makes three seconds of H264 with two B-frames and AAC.
func encode(t *testing.T, args ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "in.flv")
	all := []string{
		"-v", "error", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=30", "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000",
		"-t", "3", "-c:v", "libx264", "-preset", "veryfast", "-bf", "2", "-g", "30", "-pix_fmt", "yuv420p", "-c:a", "aac", "-ac", "2",
	}
	run(t, "ffmpeg", append(append(all, args...), "-f", "flv", path)...)
	return path
}

// probe lists the packets of a file in its order.
func probe(t *testing.T, path string) []packet {
	t.Helper()
	out := run(t, "ffprobe", "-v", "error", "-show_entries", "packet=codec_type,pts,dts,size,flags", "-of", "csv=p=0", path)
	r := csv.NewReader(strings.NewReader(out))
	r.FieldsPerRecord = -1
	lines, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	number := func(s string) int64 {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		return n
	}
	var packets []packet
	for _, l := range lines {
		p := packet{Kind: media.Audio, PTS: number(l[1]), DTS: number(l[2]), Size: int(number(l[3])), Key: strings.Contains(l[4], "K")}
		if l[0] == "video" {
			p.Kind = media.Video
		}
		packets = append(packets, p)
	}
	return packets
}

// received lists the samples of a publish likewise.
func (p *recording) received() []packet {
	p.mu.Lock()
	defer p.mu.Unlock()
	var packets []packet
	for _, s := range p.samples {
		packets = append(packets, packet{s.Kind, s.PTS.Milliseconds(), s.DTS.Milliseconds(), len(s.Payload), s.Key})
	}
	return packets
}

// Every packet of a file that ffmpeg pushes arrives once, in order, with its times, and the end of the file is a clean
// unpublish.
func TestFFmpegPush(t *testing.T) {
	file := encode(t)
	for _, test := range []struct {
		name   string
		args   []string
		offset int64
	}{
		{name: "from zero"},
		{name: "from beyond 24 bits", args: []string{"-output_ts_offset", "20000"}, offset: 20_000_000},
		{name: "over the 24-bit border", args: []string{"-output_ts_offset", "16776"}, offset: 16_776_000},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := serve(t, Config{})
			args := append([]string{"-v", "error", "-i", file, "-c", "copy"}, test.args...)
			run(t, "ffmpeg", append(args, "-f", "flv", "rtmp://"+h.addr+"/live/"+goodKey)...)
			p := h.next()
			if r := p.waitClosed(t); r != media.Unpublished {
				t.Errorf("closed as %s", r)
			}
			want, got := probe(t, file), p.received()
			if len(want) < 90+140 || len(got) == 0 {
				t.Fatalf("%d packets were made, %d came", len(want), len(got))
			}
			offset := got[0].DTS - want[0].DTS // ffmpeg takes the file's own start off before it adds the offset
			if d := offset - test.offset; d > 0 || d < -100 {
				t.Errorf("moved by %d ms, want %d", offset, test.offset)
			}
			for i := range want {
				want[i].PTS += offset
				want[i].DTS += offset
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			if len(p.tracks) != 1 || len(p.tracks[0]) != 2 || p.tracks[0][1].Audio.SampleRate != 48000 {
				t.Errorf("tracks %+v", p.tracks)
			}
			h.stop()
			h.noAnomalies()
		})
	}
}

// noAnomalies checks that nothing odd was seen.
func (h *harness) noAnomalies() {
	h.t.Helper()
	metrics := make(chan prometheus.Metric, 64)
	h.metrics.anomalies.Collect(metrics)
	close(metrics)
	for m := range metrics {
		if n := reading(m); n != 0 {
			h.t.Errorf("%v: %v", m.Desc(), n)
		}
	}
}

func TestFFmpegRefusal(t *testing.T) {
	h := serve(t, Config{})
	file := encode(t)
	path, err := exec.LookPath("ffmpeg")
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), path, "-v", "error", "-i", file, "-c", "copy", "-f", "flv", "rtmp://"+h.addr+"/live/guess").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "no room has this stream key") {
		t.Errorf("%v: %s", err, out)
	}
	h.endedBy(WrongKey)
}

// A publisher that is killed has not said goodbye.
func TestFFmpegKilled(t *testing.T) {
	h := serve(t, Config{})
	path, err := exec.LookPath("ffmpeg")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), path, "-v", "error", "-re", "-stream_loop", "-1", "-i", encode(t), "-c", "copy", "-f", "flv", "rtmp://"+h.addr+"/live/"+goodKey)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := h.next()
	p.waitSamples(t, 20)
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	if r := p.waitClosed(t); r != media.ConnectionLost {
		t.Errorf("closed as %s", r)
	}
}
