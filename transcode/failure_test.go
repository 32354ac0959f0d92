package transcode

import (
	"errors"
	"log/slog"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
)

const anyFilm = "-f lavfi -i testsrc2=s=320x180:r=30:d=2 -c:v libx264 -preset ultrafast -g 30 -bf 0"

var smallPlan = []Rendition{{"a", 240, 136, 200_000}, {"b", 160, 90, 100_000}}

// endless sends a film again and again on one clock, until it is stopped.
type endless struct {
	film film
	next int
}

func (e *endless) sample() media.Sample {
	n := len(e.film.samples)
	s := e.film.samples[e.next%n]
	s.PTS += media.Ticks(e.next/n) * 2 * media.TicksPerSecond
	e.next++
	return s
}

func startSmall(t *testing.T, tr *Transcoder) (*Ladder, *gathered, *endless) {
	t.Helper()
	tr.pause = time.Millisecond
	e := &endless{film: readFilm(t, anyFilm)}
	g := newGathered()
	l, err := tr.StartLadder(e.film.track, 30, smallPlan, g, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return l, g, e
}

// until writes pictures, a second of them ahead at most, until enough came out or was told.
func until(l *Ladder, g *gathered, e *endless, enough func() bool) {
	for {
		g.mu.Lock()
		over := enough()
		got := e.film.samples[0].PTS
		if n := len(g.samples[0]); n > 0 {
			got = g.samples[0][n-1].PTS
		}
		g.mu.Unlock()
		if over {
			return
		}
		s := e.sample()
		l.Write(s)
		if s.PTS-got > media.TicksPerSecond {
			time.Sleep(20 * time.Millisecond) // a publisher is paced by the clock; this one is faster while it can be
		}
	}
}

func pid(l *Ladder) int { return l.worker.current.Load().process.cmd.Process.Pid }

func TestLadderComesBack(t *testing.T) {
	if testing.Short() {
		t.Skip("keeps real time")
	}
	send := func(signal syscall.Signal) func(int) error {
		return func(pid int) error { return syscall.Kill(pid, signal) }
	}
	for name, c := range map[string]struct {
		hurt   func(pid int) error
		reason string
	}{
		"killed":  {send(syscall.SIGKILL), "ffmpeg ended without a word: signal: killed"},
		"stopped": {send(syscall.SIGSTOP), "behind"},
		"starved": {starve, "behind"},
	} {
		t.Run(name, func(t *testing.T) {
			l, g, e := startSmall(t, newTranscoder(t, Config{}))
			until(l, g, e, func() bool { return len(g.samples[0]) > 20 && len(g.samples[1]) > 20 })
			if s := l.Status(); s.State != LadderOn || s.Encoder != x264 || s.Cost <= 0 {
				t.Errorf("status %+v", s)
			}
			was := pid(l)
			hurt := make(chan error, 1)
			go func() { hurt <- c.hurt(was) }()
			until(l, g, e, func() bool { return len(g.downs) > 0 })
			if err := <-hurt; err != nil {
				t.Fatal(err)
			}
			g.mu.Lock()
			before := len(g.samples[1])
			g.mu.Unlock()
			until(l, g, e, func() bool { return len(g.samples[1]) > before+20 && len(g.samples[0]) > 0 })
			status := l.Status()
			l.Close()
			if s := g.samples[1][before]; !s.Key {
				t.Error("it came back with a picture that is no key picture")
			}
			if status.State != LadderOn || status.Restarts != 1 || status.Reason != g.downs[0] || !strings.Contains(status.Reason, c.reason) {
				t.Errorf("status %+v after %q", status, g.downs)
			}
			if syscall.Kill(was, 0) == nil {
				t.Error("the first process is still there")
			}
			if n := len(g.tracks[1]); n != 1 {
				t.Errorf("the same parameters were told %d times", n)
			}
		})
	}
}

// starve leaves a process about one part of the processor in four hundred, until it is no more.
func starve(pid int) error {
	for {
		err := syscall.Kill(pid, syscall.SIGSTOP)
		if errors.Is(err, syscall.ESRCH) {
			return nil // it was given up
		}
		if err != nil {
			return err
		}
		time.Sleep(400 * time.Millisecond)
		_ = syscall.Kill(pid, syscall.SIGCONT)
		time.Sleep(time.Millisecond)
	}
}

// Close does not wait for a process that hangs.
func TestCloseEndsWhatHangs(t *testing.T) {
	if testing.Short() {
		t.Skip("keeps real time")
	}
	l, g, e := startSmall(t, newTranscoder(t, Config{}))
	until(l, g, e, func() bool { return len(g.samples[0]) > 0 })
	was := pid(l)
	if err := syscall.Kill(was, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	l.Close()
	if g.drained != 1 || len(g.downs) != 0 {
		t.Errorf("drained %d times, down %q", g.drained, g.downs)
	}
	if syscall.Kill(was, 0) == nil {
		t.Error("the process is still there")
	}
	l.Close()
	l.Write(e.sample()) // must do nothing
}

func TestCloseBeforeTheFirstPicture(t *testing.T) {
	l, g, _ := startSmall(t, newTranscoder(t, Config{}))
	l.Close()
	if g.drained != 1 {
		t.Errorf("drained %d times", g.drained)
	}
}

// A program that fails is tried again, and says why.
func TestLadderSaysWhyItIsDown(t *testing.T) {
	tr := newTranscoder(t, Config{Encoder: v4l2})
	l, g, e := startSmall(t, tr)
	until(l, g, e, func() bool { return len(g.downs) > 1 })
	l.Close()
	if s := l.Status(); s.Restarts < 2 || !strings.HasPrefix(s.Reason, "ffmpeg: ") {
		t.Errorf("status %+v", s)
	}
}

func TestWithoutFFmpeg(t *testing.T) {
	tr := newTranscoder(t, Config{FFmpeg: "/no/such/program"})
	if err := tr.Ready(); errs.KindOf(err) != errs.Unavailable || !strings.Contains(errs.MessageOf(err), "install") {
		t.Errorf("ready: %v", err)
	}
	if _, err := tr.StartLadder(media.Track{}, 0, smallPlan, newGathered(), slog.New(slog.DiscardHandler)); errs.KindOf(err) != errs.Unavailable {
		t.Errorf("ladder: %v", err)
	}
	p := newPublished()
	c := tr.Convert(p)
	if err := c.SetTracks([]media.Track{{Codec: media.H264}}); err != nil {
		t.Errorf("nothing to convert: %v", err)
	}
	if err := c.SetTracks([]media.Track{{Codec: media.Opus, Channels: 2}}); errs.KindOf(err) != errs.Unavailable {
		t.Errorf("sound: %v", err)
	}
	c.Close(media.Unpublished)
	if len(p.closed) != 1 {
		t.Errorf("closed %d times", len(p.closed))
	}
}

func TestBudgetRefuses(t *testing.T) {
	tr := newTranscoder(t, Config{MaxCost: 0.02})
	track := readFilm(t, anyFilm).track
	l, err := tr.StartLadder(track, 30, smallPlan[1:], newGathered(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	_, err = tr.StartLadder(track, 30, smallPlan, newGathered(), slog.New(slog.DiscardHandler))
	if errs.KindOf(err) != errs.Exhausted || !strings.Contains(errs.MessageOf(err), "transcode.max_cost") {
		t.Errorf("beyond the budget: %v", err)
	}
	if b := tr.Budget(); b.Spent <= 0 || b.Spent > b.Limit {
		t.Errorf("budget %+v", b)
	}
	l.Close()
	if b := tr.Budget(); b.Spent != 0 {
		t.Errorf("after the end %+v", b)
	}
}
