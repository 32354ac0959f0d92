package whip

import (
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"
)

// mobile is a bad network between publishers and the server: a UDP proxy that loses, repeats and reorders packets towards
// the server and delays them. What goes back is only delayed by what down says.
type mobile struct {
	loss, again, late float64       // shares of packets
	up, down          time.Duration // delays
	jitter            time.Duration // of what is late

	front  net.PacketConn // publishers see this
	server net.Addr

	mu     sync.Mutex
	rng    *rand.Rand
	backs  map[string]net.Conn
	wait   sync.WaitGroup
	timers sync.WaitGroup
	over   bool
}

// network makes a network before a server that is about to be made on udp.
func network(t *testing.T, udp net.PacketConn, m *mobile) *mobile {
	t.Helper()
	front, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m.front, m.server, m.backs, m.rng = front, udp.LocalAddr(), map[string]net.Conn{}, rand.New(rand.NewPCG(1, 2))
	m.wait.Go(m.run)
	t.Cleanup(m.close)
	return m
}

func (m *mobile) address() string { return m.front.LocalAddr().String() }

func (m *mobile) close() {
	m.mu.Lock()
	m.over = true
	for _, b := range m.backs {
		b.Close()
	}
	m.mu.Unlock()
	m.front.Close()
	m.wait.Wait()
	m.timers.Wait()
}

func (m *mobile) run() {
	buf := make([]byte, 2048)
	for {
		n, from, err := m.front.ReadFrom(buf)
		if err != nil {
			return
		}
		back := m.back(from)
		if back == nil {
			return
		}
		m.pass(append([]byte(nil), buf[:n]...), back)
	}
}

// pass sends a packet on as the network pleases. Handshakes pass unharmed: what they survive is not under test.
func (m *mobile) pass(packet []byte, back net.Conn) {
	m.mu.Lock()
	dice, repeat, late := m.rng.Float64(), m.rng.Float64(), m.rng.Float64()
	extra := time.Duration(m.rng.Float64() * float64(m.jitter))
	m.mu.Unlock()
	media := packet[0] >= 128 && packet[0] < 192 // RFC 7983
	if media && dice < m.loss {
		return
	}
	delay := m.up
	if media && late < m.late {
		delay += extra
	}
	m.after(delay, func() { _, _ = back.Write(packet) })
	if media && repeat < m.again {
		m.after(delay+extra/2, func() { _, _ = back.Write(packet) })
	}
}

func (m *mobile) after(d time.Duration, send func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.over:
	case d == 0:
		send()
	default:
		m.timers.Add(1)
		time.AfterFunc(d, func() { defer m.timers.Done(); send() })
	}
}

// back returns the socket that stands for a publisher towards the server.
func (m *mobile) back(from net.Addr) net.Conn {
	m.mu.Lock()
	defer m.mu.Unlock()
	if b := m.backs[from.String()]; b != nil || m.over {
		return b
	}
	b, err := net.Dial("udp4", m.server.String())
	if err != nil {
		return nil
	}
	m.backs[from.String()] = b
	m.wait.Go(func() {
		buf := make([]byte, 2048)
		for {
			n, err := b.Read(buf)
			if err != nil {
				return
			}
			packet := append([]byte(nil), buf[:n]...)
			m.after(m.down, func() { _, _ = m.front.WriteTo(packet, from) })
		}
	})
	return b
}

// serveBehind makes a server that publishers reach through a network only.
func serveBehind(t *testing.T, cfg Config, m *mobile) *harness {
	t.Helper()
	udp, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	network(t, udp, m)
	cfg.Public, cfg.PublicOnly = []string{m.address()}, true
	return serveOn(t, cfg, udp)
}
