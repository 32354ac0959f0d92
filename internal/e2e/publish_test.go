package e2e

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// publication says what ffmpeg sends.
type publication struct {
	picture
	bframes int
	first   int    // number of the first frame; timestamps begin at 0 all the same
	from    net.IP // address to come from; nil: any
}

// publisher is an ffmpeg that encodes the test video and pushes it by RTMP in real time, with a tone for sound.
type publisher struct {
	*process
	first  int
	start  time.Time // when the first frame was captured
	sent   atomic.Int64
	end    chan struct{}
	ended  sync.Once
	fed    sync.WaitGroup
	tunnel *tunnel
}

// publish starts pushing; it goes on until finish or cut, and no longer than three minutes.
func publish(t *testing.T, s *server, key string, p publication) *publisher {
	t.Helper()
	pub := &publisher{first: p.first, end: make(chan struct{}), tunnel: dig(t, s.rtmp, p.from)}
	args := []string{
		"-hide_banner", "-loglevel", "warning", "-nostdin",
		"-thread_queue_size", "64", "-probesize", "32", "-analyzeduration", "0", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", fmt.Sprintf("%dx%d", p.width, p.height), "-r", strconv.Itoa(fps), "-i", "pipe:3",
		"-thread_queue_size", "64", "-probesize", "32", "-analyzeduration", "0", "-f", "s16le", "-ar", "48000", "-ac", "1", "-i", "pipe:4",
		"-map", "0:v", "-map", "1:a", "-c:v", "libx264", "-preset", "veryfast", "-g", "60", "-keyint_min", "60", "-sc_threshold", "0",
		"-b:v", "700k", "-maxrate", "900k", "-bufsize", "700k",
	}
	if p.bframes == 0 {
		args = append(args, "-tune", "zerolatency")
	} else { // a lookahead as short as B-frames allow
		args = append(args, "-bf", strconv.Itoa(p.bframes), "-b_strategy", "0", "-x264-params", "rc-lookahead=4:sync-lookahead=0:sliced-threads=1")
	}
	args = append(args, "-c:a", "aac", "-b:a", "96k", "-f", "flv", "rtmp://"+pub.tunnel.addr()+"/live/"+key)

	videoRead, videoWrite := pipe(t)
	audioRead, audioWrite := pipe(t)
	cmd := exec.Command("ffmpeg", args...)
	cmd.ExtraFiles = []*os.File{videoRead, audioRead}
	pub.process = start(t, "ffmpeg", cmd)
	videoRead.Close()
	audioRead.Close()
	t.Cleanup(func() {
		pub.kill()
		pub.stopFeeding()
	})
	pub.roll(t, videoWrite, audioWrite, p)
	return pub
}

// roll waits until ffmpeg reads, which takes it a second, and then feeds it in real time.
func (p *publisher) roll(t *testing.T, video, audio *os.File, pic publication) {
	t.Helper()
	first := make([]byte, pic.size())
	pic.draw(first, p.first)
	_ = video.SetWriteDeadline(time.Now().Add(20 * time.Second))
	if _, err := video.Write(first); err != nil { // more than a pipe holds
		t.Fatalf("ffmpeg does not read: %v", err)
	}
	_ = video.SetWriteDeadline(time.Time{})
	p.start = time.Now()
	p.sent.Add(1)
	p.fed.Go(func() { p.feed(video, 1, pic.size(), pic.draw, true) })
	p.fed.Go(func() { p.feed(audio, 0, 2*48000/fps, tone, false) })
}

func pipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	return r, w
}

// feed writes one buffer per frame when its time has come, until the end or until ffmpeg is gone.
func (p *publisher) feed(w *os.File, from, size int, draw func(buf []byte, n int), counts bool) {
	defer w.Close()
	buf := make([]byte, size)
	for i := from; i < 180*fps; i++ {
		draw(buf, p.first+i)
		select {
		case <-p.end:
			return
		case <-time.After(time.Until(p.start.Add(time.Duration(i) * time.Second / fps))):
		}
		if _, err := w.Write(buf); err != nil {
			return
		}
		if counts {
			p.sent.Add(1)
		}
	}
}

// tone is a quiet note of 440 Hz: one frame's worth of 48 kHz.
func tone(buf []byte, n int) {
	const perFrame = 48000 / fps
	for i := range perFrame {
		v := 1500 * math.Sin(2*math.Pi*440*float64(n*perFrame+i)/48000)
		binary.LittleEndian.PutUint16(buf[2*i:], uint16(int16(v)))
	}
}

// next is the number of the next frame to be sent.
func (p *publisher) next() int { return p.first + int(p.sent.Load()) }

// reach waits until frame n was sent.
func (p *publisher) reach(t *testing.T, n int) {
	t.Helper()
	d := time.Until(p.start.Add(time.Duration(n-p.first)*time.Second/fps)) + 10*time.Second
	eventually(t, d, fmt.Sprintf("frame %d to be sent", n), func() bool {
		select {
		case <-p.done:
			t.Fatalf("ffmpeg ended: %v", p.err)
		default:
		}
		return p.next() > n
	})
}

func (p *publisher) stopFeeding() {
	p.ended.Do(func() { close(p.end) })
	p.fed.Wait()
}

// finish ends the stream as an anchor does: everything sent arrives, then the unpublish. It returns how many frames.
func (p *publisher) finish(t *testing.T) int {
	t.Helper()
	p.stopFeeding()
	if code := p.wait(t, 15*time.Second); code != 0 {
		t.Errorf("ffmpeg ended with %d", code)
	}
	return int(p.sent.Load())
}

// cut breaks the connection as a lost network does: the server hears of no unpublish.
func (p *publisher) cut() {
	p.tunnel.collapse()
	p.kill()
	p.stopFeeding()
}

// tunnel carries one side's bytes to the server from an address of choice, until it collapses.
type tunnel struct {
	l  net.Listener
	mu sync.Mutex
	cs []net.Conn
	wg sync.WaitGroup
}

func dig(t *testing.T, to string, from net.IP) *tunnel {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	tu := &tunnel{l: l}
	dialer := &net.Dialer{Timeout: 5 * time.Second}
	if from != nil {
		dialer.LocalAddr = &net.TCPAddr{IP: from}
	}
	tu.wg.Go(func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := dialer.Dial("tcp", to)
			if err != nil {
				near.Close()
				continue
			}
			tu.join(near, far)
		}
	})
	t.Cleanup(func() {
		l.Close()
		tu.collapse()
		tu.wg.Wait()
	})
	return tu
}

func (tu *tunnel) addr() string { return tu.l.Addr().String() }

func (tu *tunnel) join(near, far net.Conn) {
	tu.mu.Lock()
	tu.cs = append(tu.cs, near, far)
	tu.mu.Unlock()
	carry := func(to, from net.Conn) {
		_, err := io.Copy(to, from)
		if tcp, ok := to.(*net.TCPConn); ok && (err == nil || errors.Is(err, io.EOF)) {
			_ = tcp.CloseWrite()
		}
	}
	tu.wg.Go(func() { carry(far, near) })
	tu.wg.Go(func() { carry(near, far) })
}

func (tu *tunnel) collapse() {
	tu.mu.Lock()
	defer tu.mu.Unlock()
	for _, c := range tu.cs {
		c.Close()
	}
	tu.cs = nil
}
