package overlay_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/vitrine-live/vitrine/overlay"
)

// BenchmarkFanout1000 is one event from the call to the last of 1,000 WebSockets in the same process.
func BenchmarkFanout1000(b *testing.B) {
	const viewers = 1000
	c := newChannel(b, overlay.HubConfig{})
	room := c.room(b)
	show := c.show(b, room)
	var got, ended sync.WaitGroup
	for range viewers {
		conn := dialWebSocket(b, c, room, "").(wsConnection)
		v := &viewer{}
		v.until(b, conn, v.begun)
		ended.Go(func() {
			for {
				_, msg, err := conn.ReadMessage()
				if err != nil {
					return
				}
				if strings.HasPrefix(string(msg), `{"type":"event"`) {
					got.Done()
				}
			}
		})
		b.Cleanup(conn.close)
	}
	n := 0
	for b.Loop() {
		got.Add(viewers)
		c.announce(b, show, n)
		got.Wait()
		n++
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/viewers, "ns/frame")
	c.hub.Close(b.Context())
	ended.Wait()
	c.hub = overlay.NewHub(overlay.HubConfig{}, c.timeline, c.world, quiet, c.metrics) // for the cleanup
}

// BenchmarkAppend is one event from the call to its being stored and published.
func BenchmarkAppend(b *testing.B) {
	w := newWorld(b)
	show := w.show(b, w.room(b))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := w.timeline.Append(ctx, show, overlay.TypeAnnouncement, 0, wall0, overlay.AnnouncementData{Text: "hello"}); err != nil {
			b.Fatal(err)
		}
	}
}

// memoryChildEnv makes the test binary a server of its own, so that its memory is not mixed with that of the clients.
const memoryChildEnv = "VITRINE_TEST_MEMORY_CHILD"

// BenchmarkMemoryPerConnection reports the resident memory of the server per idle connection, before and after all of
// them were given an event.
func BenchmarkMemoryPerConnection(b *testing.B) {
	const clients = 2000
	for name, open := range map[string]connect{"websocket": dialWebSocket, "sse": openStream} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				server := startMemoryChild(b)
				c := &channel{url: server.url, client: &http.Client{Transport: &http.Transport{}}, dialer: &websocket.Dialer{}}
				before := server.ask(b, "rss")
				conns := make([]connection, clients)
				for i := range conns {
					conns[i] = open(b, c, server.room, "")
				}
				for _, conn := range conns {
					v := &viewer{}
					v.until(b, conn, v.begun)
				}
				idle := server.ask(b, "rss")
				server.ask(b, "event")
				for _, conn := range conns {
					for f, err := conn.next(); err != nil || f.Type != "event"; f, err = conn.next() {
						if err != nil {
							b.Fatal(err)
						}
					}
				}
				after := server.ask(b, "rss")
				for _, conn := range conns {
					conn.close()
				}
				server.end(b)
				b.ReportMetric(float64(idle-before)/clients, "bytes/conn")
				b.ReportMetric(float64(after-before)/clients, "bytes/conn-after-event")
			}
		})
	}
}

type memoryChild struct {
	cmd       *exec.Cmd
	in        io.WriteCloser
	out       *bufio.Scanner
	url, room string
}

func startMemoryChild(b *testing.B) *memoryChild {
	b.Helper()
	m := &memoryChild{cmd: exec.Command(os.Args[0], "-test.run=^TestMemoryChild$", "-test.v=false")}
	m.cmd.Env = append(os.Environ(), memoryChildEnv+"=1")
	m.cmd.Stderr = os.Stderr
	in, err := m.cmd.StdinPipe()
	out, outErr := m.cmd.StdoutPipe()
	if err := errors.Join(err, outErr, m.cmd.Start()); err != nil {
		b.Fatal(err)
	}
	m.in, m.out = in, bufio.NewScanner(out)
	if !m.out.Scan() {
		b.Fatal("the server says nothing")
	}
	m.url, m.room, _ = strings.Cut(m.out.Text(), " ")
	return m
}

func (m *memoryChild) ask(b *testing.B, what string) int64 {
	b.Helper()
	if _, err := fmt.Fprintln(m.in, what); err != nil || !m.out.Scan() {
		b.Fatal("the server is gone", err)
	}
	n, err := strconv.ParseInt(m.out.Text(), 10, 64)
	if err != nil {
		b.Fatal(m.out.Text())
	}
	return n
}

func (m *memoryChild) end(b *testing.B) {
	b.Helper()
	if err := m.in.Close(); err != nil {
		b.Fatal(err)
	}
	for m.out.Scan() { // to the end
	}
	if err := m.cmd.Wait(); err != nil {
		b.Fatal(err)
	}
}

// TestMemoryChild is the server of BenchmarkMemoryPerConnection.
func TestMemoryChild(t *testing.T) {
	if os.Getenv(memoryChildEnv) == "" {
		t.Skip("serves a benchmark")
	}
	c := newChannel(t, overlay.HubConfig{})
	room := c.room(t)
	show := c.show(t, room)
	fmt.Fprintln(os.Stdout, c.url, room)
	for commands := bufio.NewScanner(os.Stdin); commands.Scan(); {
		if commands.Text() == "event" {
			c.announce(t, show, 1)
		}
		fmt.Fprintln(os.Stdout, residentBytes(t))
	}
}

// residentBytes is measured once the garbage of the handshakes is gone.
func residentBytes(t *testing.T) int64 {
	debug.FreeOSMemory()
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Skip(err)
	}
	pages, err := strconv.ParseInt(strings.Fields(string(statm))[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}
