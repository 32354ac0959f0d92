// Package badnet is a bad network for tests: a UDP proxy between WebRTC publishers and a server that loses, repeats,
// reorders and delays what passes.
package badnet

import (
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// Config says what the network does to packets on their way to the server. Shares are 0 to 1. Only media suffers loss,
// repetition and jitter (RFC 7983 tells it apart): that handshakes survive them is not what is tested.
type Config struct {
	Loss   float64       // share of packets that never arrive
	Repeat float64       // share of packets that arrive twice
	Late   float64       // share of packets that are held for up to Jitter beyond the delay
	Jitter time.Duration // see Late
	Up     time.Duration // delay of every packet to the server
	Down   time.Duration // delay of every packet to the publishers
}

// Network is a running proxy.
type Network struct {
	cfg   Config
	front net.PacketConn // publishers see this

	mu     sync.Mutex
	rng    *rand.Rand
	server string              // "" until Connect: what comes is lost
	backs  map[string]net.Conn // by publisher: the socket that stands for it towards the server
	closed bool
	flying map[*flight]struct{}
	wait   sync.WaitGroup // for the readers
}

// flight is a packet on its way.
type flight struct{ timer *time.Timer }

// Listen opens a network's near side on a free port of 127.0.0.1. It must be closed.
func Listen(cfg Config) (*Network, error) {
	front, err := net.ListenPacket("udp4", "127.0.0.1:0") //nolint:noctx // ends with Close
	if err != nil {
		return nil, err
	}
	n := &Network{cfg: cfg, front: front, rng: rand.New(rand.NewPCG(1, 2)), backs: map[string]net.Conn{}, flying: map[*flight]struct{}{}} //nolint:gosec // dice
	n.wait.Go(n.run)
	return n, nil
}

// Addr is what publishers must be told instead of the server's address.
func (n *Network) Addr() string { return n.front.LocalAddr().String() }

// Connect says where the server is, host:port.
func (n *Network) Connect(server string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.server = server
}

// Close ends the network; packets on their way are lost. It returns when nothing of it is left.
func (n *Network) Close() {
	n.mu.Lock()
	n.closed = true
	for _, b := range n.backs {
		b.Close()
	}
	for f := range n.flying {
		f.timer.Stop()
	}
	n.mu.Unlock()
	_ = n.front.Close()
	n.wait.Wait()
}

const largest = 2048 // bytes of a packet

func (n *Network) run() {
	buf := make([]byte, largest)
	for {
		size, from, err := n.front.ReadFrom(buf)
		if err != nil {
			return
		}
		if back := n.back(from); back != nil && size > 0 {
			n.pass(append([]byte(nil), buf[:size]...), back)
		}
	}
}

// pass sends a packet on to the server as the network pleases.
func (n *Network) pass(packet []byte, back net.Conn) {
	n.mu.Lock()
	lost, repeated, late := n.rng.Float64() < n.cfg.Loss, n.rng.Float64() < n.cfg.Repeat, n.rng.Float64() < n.cfg.Late
	extra := time.Duration(n.rng.Float64() * float64(n.cfg.Jitter))
	n.mu.Unlock()
	send := func() { _, _ = back.Write(packet) }
	if media := packet[0] >= 128 && packet[0] < 192; !media {
		n.after(n.cfg.Up, send)
		return
	}
	if lost {
		return
	}
	delay := n.cfg.Up
	if late {
		delay += extra
	}
	n.after(delay, send)
	if repeated {
		n.after(delay+extra/2, send)
	}
}

// after sends later; at once when d is 0, so that nothing is reordered unasked.
func (n *Network) after(d time.Duration, send func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case n.closed:
		return
	case d == 0:
		send()
		return
	}
	f := &flight{}
	n.flying[f] = struct{}{}
	f.timer = time.AfterFunc(d, func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		delete(n.flying, f)
		if !n.closed {
			send()
		}
	})
}

// back returns the socket that stands for a publisher, nil when there is no server.
func (n *Network) back(from net.Addr) net.Conn {
	n.mu.Lock()
	defer n.mu.Unlock()
	if b := n.backs[from.String()]; b != nil || n.closed || n.server == "" {
		return b
	}
	b, err := net.Dial("udp4", n.server) //nolint:noctx // connects nothing
	if err != nil {
		return nil
	}
	n.backs[from.String()] = b
	n.wait.Go(func() { n.returns(b, from) })
	return b
}

// returns carries what the server sends to one publisher.
func (n *Network) returns(b net.Conn, to net.Addr) {
	buf := make([]byte, largest)
	for {
		size, err := b.Read(buf)
		if err != nil {
			return
		}
		packet := append([]byte(nil), buf[:size]...)
		n.after(n.cfg.Down, func() { _, _ = n.front.WriteTo(packet, to) })
	}
}
