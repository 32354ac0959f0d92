package rtmp

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// lingerFor is how long a refused publisher has to read why: closing a socket with unread bytes resets it, and the reset
// overtakes the reason.
const (
	lingerFor   = time.Second
	lingerBytes = 16 << 20
)

// wire is the connection of one publisher below RTMP: deadlines, rates, counting, and ending it from another goroutine.
// Reading is for one goroutine, writing for another; end may be called by any.
type wire struct {
	net.Conn
	remote  netip.AddrPort
	secure  bool // RTMPS
	metrics *Metrics
	writing time.Duration // bounds one write
	// greetBy bounds the writes of the handshake together; zero after it. The library writes from the reading goroutine
	// until then, and from its writing goroutine only what it was handed later.
	greetBy time.Time

	// The reader's.
	arrival  time.Time // of the newest bytes
	received uint64
	bytes    bucket
	messages bucket
	deadline deadline
	armed    time.Time // the read deadline that is set on the connection

	failed atomic.Pointer[error] // of a write
	once   sync.Once
	ended  chan struct{}
	why    error // set before ended is closed
}

// protocol names what the publisher speaks.
func (w *wire) protocol() string {
	if w.secure {
		return "rtmps"
	}
	return "rtmp"
}

// deadline is by when a publisher must have done something.
type deadline struct {
	at     time.Time     // a fixed instant, or
	idle   time.Duration // this long after the newest bytes
	reason Reason
}

func newWire(c net.Conn, cfg Config, m *Metrics, now time.Time) *wire {
	_, secure := c.(*tls.Conn)
	return &wire{
		Conn: c, secure: secure, remote: addrPort(c.RemoteAddr()), metrics: m, writing: cfg.WriteTimeout, arrival: now,
		bytes:    newBucket(float64(cfg.BytesPerSecond), 2*float64(cfg.BytesPerSecond), now),
		messages: newBucket(float64(cfg.MessagesPerSecond), 2*float64(cfg.MessagesPerSecond), now),
		deadline: deadline{at: now.Add(cfg.HandshakeTimeout), reason: HandshakeTimeout},
		greetBy:  now.Add(cfg.HandshakeTimeout),
		ended:    make(chan struct{}),
	}
}

func addrPort(a net.Addr) netip.AddrPort {
	if tcp, ok := a.(*net.TCPAddr); ok {
		return tcp.AddrPort()
	}
	return netip.AddrPort{}
}

// end makes the reader return why, now or at its next read. The first call counts.
func (w *wire) end(why error) {
	w.once.Do(func() {
		w.why = why
		close(w.ended)
		_ = w.Conn.SetReadDeadline(time.Unix(1, 0)) // wakes the reader; a dead connection wakes it as well
	})
}

// Read reads within the deadline and the rate. Its error is an *ending, or one of the connection.
func (w *wire) Read(p []byte) (int, error) {
	if err := w.arm(); err != nil {
		return 0, err
	}
	if w.received == 0 {
		if err := w.shake(); err != nil {
			return 0, w.readError(err)
		}
	}
	n, err := w.Conn.Read(p)
	w.arrival = time.Now()
	if n > 0 {
		w.received += uint64(n)
		w.metrics.bytes.Add(float64(n))
		if err := w.slow(w.bytes.take(w.arrival, n)); err != nil {
			return n, err
		}
	}
	if err != nil {
		return n, w.readError(err)
	}
	return n, nil
}

// arm sets the read deadline. One that rolls is moved at most twice a second: a system call's worth of work saved.
func (w *wire) arm() error {
	want := w.deadline.at
	if w.deadline.idle > 0 {
		want = time.Now().Add(w.deadline.idle)
		if want.Sub(w.armed) < 500*time.Millisecond && want.After(w.armed) {
			want = w.armed
		}
	}
	if !want.Equal(w.armed) {
		if err := w.Conn.SetReadDeadline(want); err != nil {
			return w.readError(err)
		}
		w.armed = want
	}
	select { // end may have set its deadline before ours
	case <-w.ended:
		return w.why
	default:
		return nil
	}
}

func (w *wire) readError(err error) error {
	select {
	case <-w.ended:
		return w.why
	default:
	}
	switch {
	case errors.Is(err, io.EOF):
		return err
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &ending{reason: w.deadline.reason}
	case w.secure && w.received == 0:
		return notSecured(err)
	}
	return &ending{reason: EndedByPeer, err: err} // reset, or the network gave up
}

// notSecured says why TLS did not come about.
func notSecured(err error) error {
	var record tls.RecordHeaderError
	var op *net.OpError
	switch {
	case errors.As(err, &record):
		return &ending{reason: NotTLS, detail: "the publisher does not speak TLS: its address must begin with rtmps://, or lead to the port for RTMP", err: err}
	case errors.As(err, &op) && op.Op == "remote error": // an alert
		return &ending{reason: NotTLS, detail: "the publisher did not take this server's certificate: it must trust its authority, and reach the server by a name in it", err: err}
	}
	return &ending{reason: NotTLS, err: err}
}

// shake makes the TLS handshake of RTMPS, if it is that, within the time for the handshake of RTMP. Without it the first
// read would make it, under no deadline for writing.
func (w *wire) shake() error {
	conn, ok := w.Conn.(*tls.Conn)
	if !ok || conn.ConnectionState().HandshakeComplete {
		return nil
	}
	if err := conn.SetWriteDeadline(w.greetBy); err != nil {
		return err
	}
	return conn.HandshakeContext(context.Background()) // the deadlines bound it, and end wakes it
}

// slow waits for d, unless the connection ends.
func (w *wire) slow(d time.Duration) error {
	if d <= 0 {
		return nil
	}
	w.metrics.anomaly(Throttled)
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-w.ended:
		return w.why
	}
}

// admit counts one message against the rate.
func (w *wire) admit() error { return w.slow(w.messages.take(w.arrival, 1)) }

// Write writes within the write deadline.
func (w *wire) Write(p []byte) (int, error) {
	by := time.Now().Add(w.writing)
	if !w.greetBy.IsZero() && w.greetBy.Before(by) {
		by = w.greetBy
	}
	if err := w.Conn.SetWriteDeadline(by); err != nil {
		return 0, err
	}
	n, err := w.Conn.Write(p)
	if err != nil {
		w.failed.Store(&err)
	}
	return n, err
}

// linger says that no more will be written and lets the publisher read what was, before the connection is closed.
func (w *wire) linger() {
	half, ok := w.Conn.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	if w.Conn.SetReadDeadline(time.Now().Add(lingerFor)) == nil {
		_, _ = io.CopyN(io.Discard, w.Conn, lingerBytes)
	}
}
