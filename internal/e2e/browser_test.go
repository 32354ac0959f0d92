package e2e

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"image"
	"image/jpeg"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// watchJS runs in the page: it reads the number burned into each frame that is presented, and what the page says of it.
//
//go:embed watch.js
var watchJS string

// browser is a Chromium with one page, the size of a phone.
type browser struct {
	ctx    context.Context
	mu     sync.Mutex
	said   tail
	shots  []shot
	filmed bool
}

// shot is one picture of the page as it was composited.
type shot struct {
	at   time.Time
	jpeg []byte
}

const viewWidth, viewHeight = 390, 844

// browse opens Chromium at an address; more are flags beside the usual ones.
func browse(t *testing.T, url string, more ...chromedp.ExecAllocatorOption) *browser {
	t.Helper()
	if _, err := exec.LookPath("chromium"); err != nil {
		t.Fatal("Chromium is not installed; make test installs it")
	}
	// What is measured is the page, not what else this machine does: where it may, the browser goes first.
	dir := t.TempDir()
	path := filepath.Join(t.TempDir(), "browser")
	if err := os.WriteFile(path, []byte("#!/bin/sh\nexec nice -n -10 chromium \"$@\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	alloc, stop := chromedp.NewExecAllocator(context.Background(), append([]chromedp.ExecAllocatorOption{
		chromedp.ExecPath(path), chromedp.UserDataDir(dir), chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck, chromedp.NoSandbox,
		chromedp.Flag("headless", "new"), chromedp.DisableGPU, chromedp.Flag("disable-quic", true), chromedp.Flag("mute-audio", true),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("autoplay-policy", "no-user-gesture-required"), chromedp.Flag("lang", "en-US"),
		chromedp.WindowSize(viewWidth, viewHeight+200), chromedp.WSURLReadTimeout(60 * time.Second),
		chromedp.ModifyCmdFunc(func(cmd *exec.Cmd) {
			cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
		}),
	}, more...)...)
	b := &browser{}
	quiet := func(string, ...any) {} // of events newer than the library
	ctx, cancel := chromedp.NewContext(alloc, chromedp.WithErrorf(quiet))
	b.ctx = ctx
	chromedp.ListenTarget(ctx, b.heard)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the page said:\n%s\n%s", b.said.String(), b.try(`JSON.stringify(window.__vitrine?.events?.slice(-30))`))
		}
		cmd := chromedp.FromContext(ctx).Browser.Process()
		_ = chromedp.Cancel(ctx)
		cancel()
		stop()
		_ = syscall.Kill(-cmd.Pid, syscall.SIGKILL) // what the browser started
	})
	if err := chromedp.Run(ctx, chromedp.EmulateViewport(viewWidth, viewHeight, chromedp.EmulateMobile)); err != nil {
		t.Fatalf("Chromium: %v", err)
	}
	b.open(t, url)
	return b
}

func (b *browser) open(t *testing.T, url string) {
	t.Helper()
	b.run(t, 30*time.Second, chromedp.Navigate(url))
}

func (b *browser) run(t *testing.T, limit time.Duration, actions ...chromedp.Action) {
	t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, limit)
	defer cancel()
	if err := chromedp.Run(ctx, actions...); err != nil {
		t.Fatalf("Chromium: %v", err)
	}
}

// eval evaluates an expression, or a promise, whose value is JSON text, into out.
func (b *browser) eval(t *testing.T, expression string, out any) {
	t.Helper()
	var text string
	b.run(t, 15*time.Second, chromedp.Evaluate("Promise.resolve("+expression+").then(v => JSON.stringify(v ?? null))", &text, func(p *runtime.EvaluateParams) *runtime.EvaluateParams {
		return p.WithAwaitPromise(true)
	}))
	if err := json.Unmarshal([]byte(text), out); err != nil {
		t.Fatalf("%s gave %s: %v", expression, text, err)
	}
}

// try evaluates for a log line.
func (b *browser) try(expression string) (text string) {
	ctx, cancel := context.WithTimeout(b.ctx, 5*time.Second)
	defer cancel()
	_ = chromedp.Run(ctx, chromedp.Evaluate(expression, &text))
	return text
}

// heard takes the events of the page: what it logs, and its pictures while filming.
func (b *browser) heard(ev any) {
	switch ev := ev.(type) {
	case *runtime.EventConsoleAPICalled:
		var words []string
		for _, a := range ev.Args {
			words = append(words, string(a.Value)+a.Description)
		}
		_, _ = b.said.Write([]byte(string(ev.Type) + ": " + strings.Join(words, " ") + "\n"))
	case *runtime.EventExceptionThrown:
		_, _ = b.said.Write([]byte("exception: " + ev.ExceptionDetails.Error() + "\n"))
	case *page.EventScreencastFrame:
		data, err := base64.StdEncoding.DecodeString(ev.Data)
		b.mu.Lock()
		if err == nil && b.filmed {
			b.shots = append(b.shots, shot{time.Now(), data})
		}
		b.mu.Unlock()
		go func() { _ = chromedp.Run(b.ctx, page.ScreencastFrameAck(ev.SessionID)) }() // not from the listener: it would wait for itself
	}
}

// film keeps a picture of each frame that the page composites, from now until cut.
func (b *browser) film(t *testing.T) {
	t.Helper()
	b.mu.Lock()
	b.shots, b.filmed = nil, true
	b.mu.Unlock()
	b.run(t, 10*time.Second, page.StartScreencast().WithFormat(page.ScreencastFormatJpeg).WithQuality(60).WithMaxWidth(viewWidth/2).WithMaxHeight(viewHeight/2).WithEveryNthFrame(1))
}

func (b *browser) cutFilm(t *testing.T) []shot {
	t.Helper()
	b.run(t, 10*time.Second, page.StopScreencast())
	b.mu.Lock()
	defer b.mu.Unlock()
	b.filmed = false
	return b.shots
}

func (s shot) image(t *testing.T) image.Image {
	t.Helper()
	img, err := jpeg.Decode(bytes.NewReader(s.jpeg))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// watch starts reading frames in the page.
func (b *browser) watch(t *testing.T, p picture) {
	t.Helper()
	x, y, cell := p.codeBlock()
	var ok bool
	args, _ := json.Marshal(map[string]int{"x": x, "y": y, "cell": cell})
	b.eval(t, "("+watchJS+")("+string(args)+")", &ok)
}

// rest stops or resumes the reading of frames in the page, which costs it time.
func (b *browser) rest(t *testing.T, on bool) {
	t.Helper()
	var ok bool
	b.eval(t, fmt.Sprintf("(window.__rest = %v, true)", on), &ok)
}

// seen is a frame that the page presented.
type seen struct {
	N          int      `json:"n"`          // -1: unreadable
	ShowTimeMS *float64 `json:"showTimeMs"` // as the page says
	Date       *float64 `json:"date"`       // likewise, ms since 1970
	Pins       []string `json:"pins"`       // on the page
	At         float64  `json:"at"`         // performance.now()
}

// placed counts frames by whether they are where the page places them. On a busy machine the next frame may stand there by the
// time a frame's number is read from the picture: one in twenty may be off, by what a few frames last.
type placed struct {
	frames, off int
	worst       float64 // ms
}

// add counts a frame whose show time the page gives as said, and reports whether it is as true.
func (p *placed) add(said, truth float64) bool {
	p.frames++
	off := math.Abs(said - truth)
	p.worst = max(p.worst, off)
	if off <= 40 {
		return true
	}
	p.off++
	return false
}

func (p *placed) check(t *testing.T, what string) {
	t.Helper()
	if p.off*20 > p.frames || p.worst > 250 {
		t.Errorf("%s: %d of %d frames are not where the page places them, the worst is %.0f ms off", what, p.off, p.frames, p.worst)
	}
}

func (b *browser) seen(t *testing.T) (frames []seen) {
	t.Helper()
	b.eval(t, "window.__seen", &frames)
	return frames
}

// waitFrame waits until the page has presented frame n or a later one.
func (b *browser) waitFrame(t *testing.T, n int, within time.Duration) {
	t.Helper()
	eventually(t, within, "the page to show the frame", func() bool {
		var last int
		b.eval(t, "window.__last ?? -1", &last)
		return last >= n
	})
}
