package preview

import (
	"bytes"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/internal/ids"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/media/mediatest"
	"github.com/vitrine-live/vitrine/replay"
)

// BenchmarkShowOf1080p makes the preview of three minutes of a show of 1920x1080, 30 pictures a second at 6 Mbit/s with a
// keyframe every two seconds, in the batches of a show on air. cpu-s/hour is the time of all processors for an hour of
// show, this process and ffmpeg together.
func BenchmarkShowOf1080p(b *testing.B) {
	c := fullHD(b)
	var worked, shown time.Duration
	for b.Loop() {
		b.StopTimer()
		show := ids.New("show")
		a, err := replay.Open(b.TempDir(), replay.Config{Reserve: -1, Queue: 1 << 30, FFmpeg: "no-posters-here"}, nil, nil)
		if err != nil {
			b.Fatal(err)
		}
		s := New(Config{}, Deps{Archive: a})
		st := record(b, a, show)
		for range 12 {
			st.publish(c)
			st.settle()
			b.StartTimer()
			began := used(b)
			s.CatchUp(b.Context())
			worked += used(b) - began
			b.StopTimer()
		}
		st.end(true)
		shown += st.p.Position().Duration()
		if err := a.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
	b.ReportMetric(worked.Seconds()/shown.Hours(), "cpu-s/hour")
	b.ReportMetric(0, "ns/op")
}

// fullHD is a quarter of a minute.
func fullHD(b *testing.B) *clip {
	b.Helper()
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		b.Skip("ffmpeg is not installed")
	}
	var out bytes.Buffer
	cmd := exec.CommandContext(b.Context(), "ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=1920x1080:r=30,noise=alls=12:allf=t",
		"-f", "lavfi", "-i", "sine=r=48000", "-t", "15", "-c:v", "libx264", "-preset", "veryfast", "-b:v", "6M", "-maxrate", "6M", "-bufsize", "6M",
		"-g", "60", "-keyint_min", "60", "-sc_threshold", "0", "-pix_fmt", "yuv420p", "-c:a", "aac", "-ac", "2", "-b:a", "128k", "-f", "mpegts", "pipe:1")
	cmd.Stdout = &out
	if err := cmd.Run(); err != nil {
		b.Fatal(err)
	}
	tracks, samples := mediatest.ReadTS(b, out.Bytes())
	return &clip{tracks, samples}
}

// used is the processors' time of this process and of its children that ended.
func used(b *testing.B) (sum time.Duration) {
	b.Helper()
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var u syscall.Rusage
		if err := syscall.Getrusage(who, &u); err != nil {
			b.Fatal(err)
		}
		sum += time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	return sum
}

// BenchmarkVTT renders the storyboard of four hours.
func BenchmarkVTT(b *testing.B) {
	d := Storyboard{Covered: 4 * 3_600_000, Tile: size{192, 108}, Columns: columns, Rows: rows}
	for at := media.Ticks(0); at.Milliseconds() < d.Covered; at += interval(at) {
		n := len(d.Sheets)
		if n == 0 || len(d.Sheets[n-1].Tiles) == perSheet {
			d.Sheets = append(d.Sheets, Sheet{URL: sheetName(n + 1)})
			n++
		}
		d.Sheets[n-1].Tiles = append(d.Sheets[n-1].Tiles, at.Milliseconds())
	}
	for b.Loop() {
		d.VTT(nil)
	}
}
