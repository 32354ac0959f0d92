package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/vitrine-live/vitrine/configs"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/transcode"
)

// verdict is what a check says.
type verdict uint8

const (
	good verdict = iota
	worth
	bad
)

func (v verdict) String() string { return [...]string{"ok   ", "note ", "FAIL "}[v] }

// finding is the result of one check; hint says what to do.
type finding struct {
	name    string
	verdict verdict
	text    string
	hint    string
}

func (p *program) doctorCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Look for what would go wrong: configuration, ports, TLS, ffmpeg, disk, clock, data folder, PostgreSQL, Redis, S3",
		Example: `  vitrine doctor
  vitrine doctor -c /etc/vitrine.yaml`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.doctor(cmd.Context())
		},
	}
}

func (p *program) doctor(ctx context.Context) error {
	c, err := p.config()
	if err != nil {
		p.print(finding{"configuration", bad, err.Error(), "`vitrine config show` prints every key"})
		return errReported
	}
	findings := []finding{
		{name: "configuration", text: "good"},
		checkData(c.Data), checkDisk(c.Data, int64(c.Recording.Reserve)),
		checkPort("HTTP port", "http.addr", c.HTTP.Addr), checkPort("RTMP port", "rtmp.addr", c.RTMP.Addr),
		checkWebRTC(c.WebRTC),
		checkFFmpeg(ctx, c.Transcode.FFmpeg), checkFont(ctx, c.Clips.Font), checkTranscoding(ctx, c), checkClock(time.Now()), checkFiles(c),
	}
	findings = append(findings, checkTLS(ctx, c, time.Now())...)
	findings = append(append(append(findings, checkDatabase(ctx, c)...), checkRedis(ctx, c.Redis)...), checkBucket(ctx, c.Archive)...)
	failed := 0
	for _, f := range findings {
		p.print(f)
		if f.verdict == bad {
			failed++
		}
	}
	if failed > 0 {
		fmt.Fprintf(p.stdout, "\n%d of %d checks failed.\n", failed, len(findings))
		return errReported
	}
	fmt.Fprintln(p.stdout, "\nEverything needed is there.")
	return nil
}

func (p *program) print(f finding) {
	fmt.Fprintf(p.stdout, "%s %-14s %s\n", f.verdict, f.name, strings.ReplaceAll(f.text, "\n", "; "))
	if f.hint != "" && f.verdict != good {
		fmt.Fprintf(p.stdout, "      %-14s -> %s\n", "", f.hint)
	}
}

func checkData(path string) finding {
	f := finding{name: "data folder"}
	abs, err := filepath.Abs(path)
	if err != nil {
		abs = path
	}
	existed := true
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		existed = false
	}
	d, err := openData(path)
	switch {
	case err != nil && strings.Contains(err.Error(), "another vitrine"):
		f.verdict, f.text, f.hint = worth, "a vitrine runs on "+abs, "the ports below are then its own"
		return f
	case err != nil:
		f.verdict, f.text, f.hint = bad, err.Error(), "make it writable for this user, or choose another with the key data"
		return f
	}
	_ = d.Close()
	f.text = abs + " is writable"
	if !existed { // a check leaves nothing behind
		_ = os.Remove(d.file("lock"))
		_ = os.Remove(path)
		f.text = abs + " can be made"
	}
	return f
}

// hoursWorthNoting is how much recording the disk should at least hold: one long show at 2.6 Mbit/s.
const hoursWorthNoting = 12

func checkDisk(path string, reserve int64) finding {
	f := finding{name: "disk"}
	dir := path
	for {
		if _, err := os.Stat(dir); err == nil || dir == filepath.Dir(dir) {
			break
		}
		dir = filepath.Dir(dir)
	}
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		f.verdict, f.text = worth, "cannot tell the free space: "+err.Error()
		return f
	}
	free := int64(st.Bavail)*st.Bsize - reserve
	const bytesPerHour = 2_600_000 / 8 * 3600
	hours := max(free, 0) / bytesPerHour
	f.text = fmt.Sprintf("%.1f GiB beyond the reserve: about %d hours of one 720p show", float64(free)/(1<<30), hours)
	f.hint = "recording pauses when the reserve is reached; free space or move data to a larger disk"
	switch {
	case free <= 0:
		f.verdict = bad
	case hours < hoursWorthNoting:
		f.verdict = worth
	}
	return f
}

func checkPort(name, key, addr string) finding {
	f := finding{name: name}
	l, err := net.Listen("tcp", addr) //nolint:noctx // the address that serve will take
	if err != nil {
		f.verdict, f.text, f.hint = bad, err.Error(), "stop what uses it, or set "+key
		return f
	}
	f.text = l.Addr().String() + " is free"
	_ = l.Close()
	return f
}

// checkWebRTC looks at the media port of browsers, UDP first.
func checkWebRTC(c configs.WebRTC) finding {
	f := finding{name: "WebRTC port", text: "off"}
	if !c.Enabled {
		return f
	}
	conn, err := net.ListenPacket("udp", c.Addr) //nolint:noctx // the address that serve will take
	if err != nil {
		f.verdict, f.text, f.hint = bad, err.Error(), "stop what uses it, or set webrtc.addr"
		return f
	}
	f.text = conn.LocalAddr().String() + " is free"
	_ = conn.Close()
	if c.TCP {
		f = checkPort(f.name, "webrtc.addr", c.Addr)
	}
	return f
}

func checkFFmpeg(ctx context.Context, program string) finding {
	f := finding{
		name: "ffmpeg",
		hint: "install it (Debian: apt-get install ffmpeg); without it browsers cannot publish, and there are no lower qualities, no poster images and no storyboards",
	}
	path, err := exec.LookPath(program)
	if err != nil {
		f.verdict, f.text = worth, "not found"
		return f
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, path, "-hide_banner", "-version").Output()
	if err != nil {
		f.verdict, f.text = worth, path+" does not run: "+err.Error()
		return f
	}
	first, _, _ := strings.Cut(string(out), "\n")
	first, _, _ = strings.Cut(first, " Copyright")
	f.text = first
	return f
}

// checkTranscoding tries every encoder of H264 and measures what ladders cost here.
func checkTranscoding(ctx context.Context, c configs.Config) finding {
	f := finding{name: "transcoding", hint: "the source of each show is delivered all the same; without ladders, viewers on slow networks have no lower quality"}
	t, err := newTranscoder(c)
	if err == nil {
		err = t.Ready()
	}
	if err != nil {
		f.verdict, f.text = worth, errs.MessageOf(err)
		return f
	}
	var works []string
	for _, e := range transcode.Encoders {
		if t.TryEncoder(ctx, e) == nil {
			works = append(works, e)
		}
	}
	if len(works) == 0 {
		f.verdict, f.text = worth, "this ffmpeg has no encoder of H264 that works here"
		return f
	}
	if e := c.Transcode.Encoder; e != "auto" && !slices.Contains(works, e) {
		f.verdict, f.text, f.hint = bad, e+" does not work here", "set transcode.encoder to auto or to one of: "+strings.Join(works, ", ")
		return f
	}
	if _, err := t.Measure(ctx); err != nil {
		f.verdict, f.text = worth, errs.MessageOf(err)
		return f
	}
	n, each := t.Ladders()
	f.text = fmt.Sprintf("%s; this machine can carry about %d ladders (720p30 to 480p and 360p, %.2f cores each of %.1f)",
		strings.Join(works, ", "), n, each, t.Budget().Limit)
	if n == 0 {
		f.verdict, f.hint = worth, "ladders are refused: raise transcode.max_cost, or take a machine with more cores"
	}
	return f
}

// checkClock looks at the wall clock: dates of pins and playlists come from it.
func checkClock(now time.Time) finding {
	f := finding{name: "clock", text: now.UTC().Format(time.RFC3339)}
	var tx unix.Timex
	state, err := unix.Adjtimex(&tx)
	switch {
	case now.Year() < 2026:
		f.verdict, f.hint = bad, "the clock is wrong; set it, and run an NTP service"
	case err != nil:
		f.text += ", synchronisation unknown"
	case state == unix.TIME_ERROR:
		f.verdict, f.hint = worth, "the clock is not synchronised by NTP; run chrony or systemd-timesyncd, so that dates stay true"
	default:
		f.text += ", synchronised"
	}
	return f
}

func checkFiles(c configs.Config) finding {
	f := finding{name: "open files", hint: "raise it (systemd: LimitNOFILE=65536): each viewer and publisher is one file"}
	var lim unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &lim); err != nil {
		f.verdict, f.text = worth, "limit unknown: "+err.Error()
		return f
	}
	f.text = fmt.Sprintf("limit %d", lim.Max)
	if want := uint64(c.Channel.MaxConnections + c.RTMP.MaxConnections); lim.Max < want {
		f.verdict, f.text = worth, fmt.Sprintf("limit %d is below the %d connections that are allowed", lim.Max, want)
	}
	return f
}
