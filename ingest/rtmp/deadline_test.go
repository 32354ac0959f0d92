package rtmp

import (
	"context"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitrine-live/vitrine/media"
)

// pipeListener accepts in-memory connections, which keep deadlines by the bubble's clock.
type pipeListener struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}
func (l *pipeListener) Close() error   { l.once.Do(func() { close(l.done) }); return nil }
func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{} }

// inBubble runs f with a server whose clock is virtual. f gets a client that has not shaken hands.
func inBubble(t *testing.T, f func(h *harness, c *client)) {
	synctest.Test(t, func(t *testing.T) {
		l := &pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}
		h := &harness{t: t, gate: newRecorder(), metrics: newTestMetrics()}
		h.server = New(Config{}, h.gate, testLog(t), h.metrics)
		ctx, cancel := context.WithCancel(t.Context())
		served := make(chan error, 1)
		go func() { served <- h.server.Serve(ctx, l) }()
		h.stop = sync.OnceFunc(func() {
			cancel()
			if err := <-served; err != nil {
				t.Error(err)
			}
		})
		theirs, ours := net.Pipe()
		l.conns <- theirs
		c := newClient(t, ours)
		defer ours.Close()
		f(h, c)
		h.stop()
	})
}

// closesAfter checks that the server closes just then.
func (c *client) closesAfter(d time.Duration) {
	c.t.Helper()
	began := time.Now()
	_ = c.SetReadDeadline(began.Add(time.Hour))
	buf := make([]byte, 4096)
	for {
		if _, err := c.Read(buf); err != nil {
			break
		}
	}
	if got := time.Since(began); got != d {
		c.t.Errorf("closed after %s, want %s", got, d)
	}
}

func TestHandshakeDeadline(t *testing.T) {
	t.Run("silent", func(t *testing.T) {
		inBubble(t, func(h *harness, c *client) {
			c.closesAfter(5 * time.Second)
			h.endedBy(HandshakeTimeout)
		})
	})
	t.Run("a byte now and then does not help", func(t *testing.T) {
		inBubble(t, func(h *harness, c *client) {
			go io.Copy(io.Discard, c) //nolint:errcheck // until the server closes
			began := time.Now()
			for c.try([]byte{rtmpVersion}) == nil {
				time.Sleep(time.Second)
			}
			if d := time.Since(began); d < 5*time.Second || d > 6*time.Second {
				t.Errorf("closed after %s", d)
			}
			h.endedBy(HandshakeTimeout)
		})
	})
}

func TestPublishDeadline(t *testing.T) {
	inBubble(t, func(h *harness, c *client) {
		c.handshake()
		c.negotiate("live")
		c.closesAfter(10 * time.Second)
		h.endedBy(PublishTimeout)
	})
}

func TestIdleDeadline(t *testing.T) {
	inBubble(t, func(h *harness, c *client) {
		c.handshake()
		c.mustPublish(goodKey)
		p := h.next()
		for i := range uint32(5) {
			time.Sleep(9 * time.Second)
			c.video(i*9000, avcFrame(0, idr))
		}
		c.closesAfter(10 * time.Second)
		if r := <-p.closed; r != media.ConnectionLost {
			t.Errorf("closed as %s", r)
		}
		if n := len(p.of(media.Video)); n != 5 {
			t.Errorf("%d samples", n)
		}
		h.endedBy(IdleTimeout)
	})
}

func TestFarewellDeadline(t *testing.T) {
	inBubble(t, func(h *harness, c *client) {
		c.handshake()
		c.mustPublish(goodKey)
		p := h.next()
		c.command(0, "FCUnpublish", 6.0, nil, goodKey)
		if r := <-p.closed; r != media.Unpublished {
			t.Errorf("closed as %s", r)
		}
		c.closesAfter(5 * time.Second)
		h.endedBy(Unpublished)
	})
}

// A publisher that does not read must not hold a goroutine for ever. By the real clock: the library waits for a mutex
// here, where a bubble's clock would stand still.
func TestWriteDeadline(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	l := &pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}
	h := serveOn(t, Config{WriteTimeout: 50 * time.Millisecond, PublishTimeout: 300 * time.Millisecond}, l)
	theirs, ours := net.Pipe()
	defer ours.Close()
	l.conns <- theirs
	c := newClient(t, ours)
	c.handshake()
	c.command(0, "connect", 1.0, amfObject{{"app", "live"}})
	h.untilQuiet()
	if n := h.ended(NotReading) + h.ended(PublishTimeout); n != 1 { // by whether the library had more to say
		t.Errorf("%v connections ended", n)
	}
}
