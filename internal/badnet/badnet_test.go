package badnet

import (
	"net"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestPassesBothWaysWithDelay(t *testing.T) {
	server, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	const up = 50 * time.Millisecond
	n, err := Listen(Config{Up: up, Loss: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	n.Connect(server.LocalAddr().String())
	client, err := net.Dial("udp4", n.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	sent := time.Now()
	_, _ = client.Write([]byte{128, 1}) // media: lost
	_, _ = client.Write([]byte{1, 2})   // a handshake: passes
	buf := make([]byte, 16)
	_ = server.SetReadDeadline(sent.Add(20 * time.Second))
	size, from, err := server.ReadFrom(buf)
	if err != nil || size != 2 || buf[0] != 1 {
		t.Fatalf("%x, %v", buf[:size], err)
	}
	if took := time.Since(sent); took < up {
		t.Errorf("arrived after %v", took)
	}
	_, _ = server.WriteTo([]byte{3}, from)
	_ = client.SetReadDeadline(time.Now().Add(20 * time.Second))
	if size, err := client.Read(buf); err != nil || size != 1 || buf[0] != 3 {
		t.Fatalf("%x, %v", buf[:size], err)
	}
}
