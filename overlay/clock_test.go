package overlay_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
	dto "github.com/prometheus/client_model/go"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/overlay"
)

// These tests run on the clock of a bubble: a second passes when everybody waits.

// reading is a viewer who reads in the background until the connection ends.
type reading struct {
	over chan struct{} // closed at the end

	mu   sync.Mutex
	v    *viewer
	told int // how often the number of viewers was told
	end  error
}

// now returns where the viewer is once everybody waits.
func (r *reading) now() reading {
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	v := *r.v
	return reading{v: &v, told: r.told, end: r.end}
}

func read(t *testing.T, conn connection) *reading { return readOn(t, conn, &viewer{}) }

// readOn goes on where v is.
func readOn(t *testing.T, conn connection, v *viewer) *reading {
	r := &reading{v: v, over: make(chan struct{})}
	go func() {
		defer close(r.over)
		for {
			f, err := conn.next()
			if r.take(t, f, err); err != nil {
				return
			}
		}
	}()
	return r
}

func (r *reading) take(t *testing.T, f received, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.end = err
		return
	}
	r.v.follow(t, f)
	if f.Type == "state" {
		r.told++
	}
}

func TestViewersAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newPipeChannel(t, overlay.HubConfig{})
		room := c.room(t)
		show := c.show(t, room)
		first := dialWebSocket(t, c, room, "")
		watch := read(t, first)
		check := func(want int64, why string) {
			t.Helper()
			if got := watch.now().v.viewers; got != want {
				t.Errorf("%s: %d viewers are told, want %d", why, got, want)
			}
		}
		step := func(n int) { time.Sleep(time.Duration(n) * time.Second) } // of the bubble
		step(2)
		check(1, "alone")
		anchor := dialWebSocket(t, c, room, "role=anchor")
		studio := read(t, anchor)
		step(2)
		check(1, "with the anchor")
		if got := studio.now().v.viewers; got != 1 {
			t.Errorf("the anchor is told of %d viewers, want 1", got)
		}
		anchor.close()
		step(2)
		check(1, "the anchor gone")
		for range 50 {
			openStream(t, c, room, "").close()
		}
		conns := []connection{openStream(t, c, room, ""), dialWebSocket(t, c, room, ""), openStream(t, c, room, "")}
		for _, conn := range conns {
			read(t, conn)
		}
		step(2)
		check(4, "with three more")
		told := watch.now().told
		if told > 4 {
			t.Errorf("told %d times in 4 seconds", told)
		}
		step(20)
		check(4, "unchanged")
		if watch.now().told != told {
			t.Error("told again though nothing changed")
		}
		for _, conn := range conns {
			conn.close()
		}
		step(2)
		check(1, "alone again")

		poller := startPolling(t, c, room, "")
		read(t, poller)
		for n := range 20 { // each event answers the poll, which comes again
			c.announce(t, show, n)
			step(1)
			if n > 2 {
				check(2, "with one who polls")
			}
		}
		poller.close()
		step(10)
		check(1, "after the polls")
		first.close()
		synctest.Wait()
	})
}

func TestIdleConnectionsArePinged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newPipeChannel(t, overlay.HubConfig{})
		room := c.room(t)
		ws := dialWebSocket(t, c, room, "").(wsConnection)
		var pings atomic.Int32
		answer := ws.PingHandler()
		ws.SetPingHandler(func(s string) error {
			pings.Add(1)
			return answer(s)
		})
		r := read(t, ws)
		stream := openStream(t, c, room, "")
		sr := read(t, stream)
		time.Sleep(10 * 25 * time.Second)
		if rn, sn := r.now(), sr.now(); pings.Load() < 9 || pings.Load() > 11 || rn.end != nil || sn.end != nil {
			t.Errorf("%d pings in 250 s; the connections end with %v, %v", pings.Load(), rn.end, sn.end)
		}
		ws.close()
		stream.close()
	})
}

func TestClientMayPingInText(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newPipeChannel(t, overlay.HubConfig{})
		ws := dialWebSocket(t, c, c.room(t), "").(wsConnection)
		defer ws.close()
		for _, msg := range []string{"", "x", `{"type":"ping"}`} {
			if err := ws.WriteMessage(websocket.TextMessage, []byte(msg)); err != nil {
				t.Fatal(err)
			}
		}
		for {
			_, msg, err := ws.ReadMessage()
			if err != nil {
				t.Fatal(err)
			}
			if string(msg) == `{"type":"pong"}` {
				break
			}
		}
		go func() { _ = ws.WriteMessage(websocket.TextMessage, make([]byte, 513)) }() // fails in the middle
		var closed *websocket.CloseError
		for closed == nil {
			if _, _, err := ws.ReadMessage(); err != nil && !errors.As(err, &closed) {
				t.Fatal(err)
			}
		}
		if closed.Code != websocket.CloseMessageTooBig {
			t.Errorf("too large a message ends with %v", closed)
		}
	})
}

func TestSilentClientIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newPipeChannel(t, overlay.HubConfig{})
		ws := dialWebSocket(t, c, c.room(t), "").(wsConnection)
		ws.SetPingHandler(func(string) error { return nil }) // a dead client does not answer
		began := time.Now()
		r := read(t, ws)
		<-r.over
		var closed *websocket.CloseError
		if took := time.Since(began); !errors.As(r.end, &closed) || closed.Code != 4410 || took > time.Minute {
			t.Errorf("it ends with %v after %v", r.end, took)
		}
	})
}

func TestHangingWriteIsCut(t *testing.T) {
	for name, open := range map[string]connect{"websocket": dialWebSocket, "sse": openStream} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newPipeChannel(t, overlay.HubConfig{MaxConnections: 1})
				room := c.room(t)
				conn := open(t, c, room, "") // and never reads: a pipe holds nothing
				defer conn.close()
				time.Sleep(9 * time.Second)
				refused := func() bool {
					resp, err := c.client.Get(c.events(room) + "?since=")
					if err != nil {
						t.Fatal(err)
					}
					resp.Body.Close()
					return resp.StatusCode == http.StatusServiceUnavailable
				}
				if !refused() {
					t.Error("it was cut too early")
				}
				time.Sleep(5 * time.Second)
				if refused() {
					t.Error("it still holds its place after 14 s")
				}
			})
		})
	}
}

func TestLongPollWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newPipeChannel(t, overlay.HubConfig{})
		room := c.room(t)
		show := c.show(t, room)
		p := startPolling(t, c, room, "").(*pollConnection)
		defer p.close()
		v := &viewer{}
		v.until(t, p, v.begun) // at once
		ask := func() time.Duration {
			began := time.Now()
			if err := p.poll(); err != nil {
				t.Fatal(err)
			}
			return time.Since(began)
		}
		if took := ask(); took < 24*time.Second || took > 26*time.Second || p.frames[0].Type != "hello" || !p.frames[0].Recovered || p.since != show+":0" {
			t.Errorf("without news it took %v and said %+v", took, p.frames)
		}
		go func() {
			time.Sleep(3500 * time.Millisecond)
			c.announce(t, show, 1)
		}()
		if took := ask(); took != 3500*time.Millisecond || p.since != show+":1" {
			t.Errorf("with news after 3.5 s it took %v and is at %s", took, p.since)
		}
	})
}

// unready is a Snapshotter that fails for a while.
type unready struct {
	*world
	mu  sync.Mutex
	err error
}

func (u *unready) fail(err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.err = err
}

func (u *unready) Snapshot(ctx context.Context, room string) (overlay.Snapshot, error) {
	u.mu.Lock()
	err := u.err
	u.mu.Unlock()
	if err != nil {
		return overlay.Snapshot{}, err
	}
	return u.world.Snapshot(ctx, room)
}

// When the state cannot be read, newcomers are refused and those who follow wait; then the new show reaches them.
func TestStateThatCannotBeRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newPipeChannel(t, overlay.HubConfig{})
		source := &unready{world: c.world}
		c.hub.Close(t.Context())
		c.hub = overlay.NewHub(overlay.HubConfig{}, c.timeline, source, quiet, c.metrics)
		room := c.room(t)
		ws := dialWebSocket(t, c, room, "")
		defer ws.close()
		r := read(t, ws)
		synctest.Wait()
		time.Sleep(2 * time.Second)

		source.fail(errs.New(errs.Unavailable, "test", "the disk is gone"))
		show := c.show(t, room)
		c.hub.RoomChanged(room, show)
		time.Sleep(2 * time.Second)
		if resp, err := c.client.Get(c.events(room) + "?since="); err != nil || resp.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("a newcomer got %v, %v", resp, err)
		} else {
			resp.Body.Close()
		}
		if is := r.now(); is.v.epoch != "" || is.end != nil {
			t.Errorf("the follower is at %s, %v", is.v.pos, is.end)
		}
		source.fail(nil)
		time.Sleep(2 * time.Second)
		if is := r.now(); is.v.epoch != show {
			t.Errorf("the follower is at %s", is.v.pos)
		}

		source.fail(errs.New(errs.NotFound, "test", "there is no such room"))
		c.hub.RoomChanged(room, "")
		<-r.over
		var closed *websocket.CloseError
		if !errors.As(r.end, &closed) || closed.Code != 4404 {
			t.Errorf("once the room is gone: %v", r.end)
		}
		if resp, err := c.client.Get(c.events(room) + "?since="); err != nil || resp.StatusCode != http.StatusNotFound {
			t.Errorf("afterwards: %v, %v", resp, err)
		} else {
			resp.Body.Close()
		}
	})
}

// A room that nobody follows is forgotten, and found again.
func TestIdleRoomIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newPipeChannel(t, overlay.HubConfig{})
		room := c.room(t)
		show := c.show(t, room)
		for range 2 {
			v := &viewer{}
			ws := dialWebSocket(t, c, room, "")
			v.until(t, ws, v.begun)
			c.announce(t, show, 1)
			before := v.offset
			v.until(t, ws, func() bool { return v.offset == before+1 })
			ws.close()
			time.Sleep(2 * time.Minute)
			c.announce(t, show, 2)
		}
	})
}

func TestMetrics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newPipeChannel(t, overlay.HubConfig{})
		room := c.room(t)
		show := c.show(t, room)
		ws := dialWebSocket(t, c, room, "")
		r := read(t, ws)
		synctest.Wait()
		c.announce(t, show, 1)
		synctest.Wait()
		here := r.now().v
		back := openStream(t, c, room, here.pos)
		readOn(t, back, here)
		synctest.Wait()
		for name, want := range map[string]float64{
			`vitrine_channel_connections{transport="websocket"}`:               1,
			`vitrine_channel_connections{transport="sse"}`:                     1,
			`vitrine_channel_recoveries_total{recovered="false"}`:              1,
			`vitrine_channel_recoveries_total{recovered="true"}`:               1,
			`vitrine_channel_frames_total{transport="websocket",type="event"}`: 1,
			`vitrine_timeline_events_total{type="announcement"}`:               1,
		} {
			if got := c.metric(t, name); got != want {
				t.Errorf("%s is %v, want %v", name, got, want)
			}
		}
		ws.close()
		back.close()
		synctest.Wait()
		if got := c.metric(t, `vitrine_channel_connections{transport="websocket"}`); got != 0 {
			t.Errorf("%v connections are left", got)
		}
	})
}

// metric reads a metric by its name and labels.
func (w *world) metric(t *testing.T, name string) float64 {
	t.Helper()
	families, err := w.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if seriesName(f, m) == name {
				return m.GetGauge().GetValue() + m.GetCounter().GetValue()
			}
		}
	}
	t.Fatalf("there is no %s", name)
	return 0
}

func seriesName(f *dto.MetricFamily, m *dto.Metric) string {
	s := f.GetName()
	for i, l := range m.GetLabel() {
		quoted, _ := json.Marshal(l.GetValue())
		s += map[bool]string{true: "{", false: ","}[i == 0] + l.GetName() + "=" + string(quoted)
	}
	if len(m.GetLabel()) > 0 {
		s += "}"
	}
	return s
}
