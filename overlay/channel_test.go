package overlay_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gorilla/websocket"

	"github.com/vitrine-live/vitrine/overlay"
)

// eachTransport runs a test on every transport.
func eachTransport(t *testing.T, test func(t *testing.T, open connect)) {
	for name, open := range transports {
		t.Run(name, func(t *testing.T) { test(t, open) })
	}
}

func TestBeginsWithSnapshot(t *testing.T) {
	eachTransport(t, func(t *testing.T, open connect) {
		c := newChannel(t, overlay.HubConfig{})
		room := c.room(t)
		show := c.show(t, room)
		if err := errors.Join(c.db.CreateProduct(ctx, product(1)), c.db.CreateProduct(ctx, product(2)),
			c.db.SetBag(ctx, room, []string{product(2).ID, product(1).ID})); err != nil {
			t.Fatal(err)
		}
		plain := c.pinAt(t, show, 1, true, ms(1000))
		featured := c.pinAt(t, show, 2, true, ms(2000))
		v := &viewer{}
		conn := open(t, c, room, "")
		defer conn.close()
		v.until(t, conn, v.begun)

		if v.hello.Recovered || v.hello.Epoch != show || v.hello.Offset != 2 || v.pos != show+":2" {
			t.Errorf("hello is %+v, then we are at %s", v.hello, v.pos)
		}
		plain.Featured = false
		state := v.snapshot.State
		if diff := cmp.Diff([]overlay.Pin{plain, featured}, state.Pins); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]overlay.ProductSnapshot{featured.Product, plain.Product}, state.Products); diff != "" {
			t.Error(diff)
		}
		want := fmt.Sprintf(`{"id":%q,"title":"Show","state":"live","started_at":"2026-11-22T12:00:00.000Z","duration_ms":0}`, show)
		if string(state.Show) != want || state.Room.State != "live" {
			t.Errorf("the show is %s in a room that is %s, want %s", state.Show, state.Room.State, want)
		}
		if len(state.Epochs) != 1 || string(state.Epochs[0]) != `{"show_time_ms":0,"wall":"2026-11-22T12:00:00.000Z"}` {
			t.Errorf("the epochs are %s", state.Epochs)
		}
	})
}

// A client that came before the show gets the show's snapshot at once, and goes on to the next show.
func TestRollsOverToTheNextShow(t *testing.T) {
	eachTransport(t, func(t *testing.T, open connect) {
		c := newChannel(t, overlay.HubConfig{})
		room := c.room(t)
		v := &viewer{}
		conn := open(t, c, room, "")
		defer conn.close()
		v.until(t, conn, v.begun)
		if v.pos != ":0" || string(v.snapshot.State.Show) != "null" {
			t.Errorf("before the show we are at %q, the show is %s", v.pos, v.snapshot.State.Show)
		}
		for range 3 {
			show := c.show(t, room)
			c.announce(t, show, 1) // before anyone is told of the show
			c.hub.RoomChanged(room, show)
			v.until(t, conn, func() bool { return v.epoch == show })
			c.announce(t, show, 2)
			c.hub.RoomChanged(room, show) // nothing new
			c.announce(t, show, 3)
			v.until(t, conn, func() bool { return v.offset == 3 })
		}
		c.endShow(t, room)
		c.hub.RoomChanged(room, "")
		v.until(t, conn, func() bool { return v.epoch == "" })
	})
}

// However a client is thrown off, it gets every event exactly once and in order.
func TestResumeThroughDisconnects(t *testing.T) {
	const count = 400
	eachTransport(t, func(t *testing.T, open connect) {
		c := newChannel(t, overlay.HubConfig{Queue: 512})
		room := c.room(t)
		show := c.show(t, room)
		var wg sync.WaitGroup
		ready := make(chan struct{}, 8)
		for range cap(ready) {
			wg.Go(func() {
				v := &viewer{}
				conn := open(t, c, room, "")
				v.until(t, conn, v.begun)
				ready <- struct{}{}
				first := v.offset
				for v.offset < count {
					stop := v.offset + 1 + rand.Int64N(40)
					v.until(t, conn, func() bool { return v.offset >= min(stop, count) })
					conn.close()
					conn = open(t, c, room, v.pos)
				}
				conn.close()
				if v.lost > 0 || int64(len(v.seen)) != count-first {
					t.Errorf("began at %d, began anew %d times, saw %d events", first, v.lost, len(v.seen))
				}
			})
		}
		for n := range count {
			if n == 1 {
				for range cap(ready) { // all see at least most of it
					<-ready
				}
			}
			c.announce(t, show, n)
		}
		wg.Wait()
	})
}

// What is older than the ring of a room is read from the log; what is too much, or not of this show, is a new beginning.
func TestResumeFromLog(t *testing.T) {
	eachTransport(t, func(t *testing.T, open connect) {
		c := newChannel(t, overlay.HubConfig{PollWait: time.Second})
		room := c.room(t)
		old := c.show(t, room)
		c.announce(t, old, 1)
		show := c.show(t, room)
		const count = overlay.MaxEvents + 100
		v := &viewer{}
		conn := open(t, c, room, "")
		v.until(t, conn, v.begun)
		conn.close()
		var events []overlay.Event
		for range count {
			events = append(events, overlay.Event{Type: overlay.TypeAnnouncement, Wall: wall0, Data: json.RawMessage(`{"text":""}`)})
		}
		if _, err := c.db.AppendEvents(ctx, show, events[:count-1]); err != nil { // another process
			t.Fatal(err)
		}
		c.announce(t, show, count)
		for _, tc := range []struct {
			epoch     string
			offset    int64
			recovered bool
		}{
			{show, count, true},
			{show, count - 10, true},
			{show, count - 256, true},
			{show, count - 257, true},
			{show, count - overlay.MaxEvents, true},
			{show, count - overlay.MaxEvents - 1, false},
			{show, 0, false},
			{show, count + 1, false}, // a log that was longer once
			{old, 1, false},
			{"", 0, false},
		} {
			v := &viewer{epoch: tc.epoch, offset: tc.offset, pos: fmt.Sprintf("%s:%d", tc.epoch, tc.offset)}
			conn := open(t, c, room, v.pos)
			v.until(t, conn, func() bool { return v.hello != nil && v.epoch == show && v.offset == count })
			conn.close()
			if v.hello.Recovered != tc.recovered {
				t.Errorf("from %s:%d: recovered is %v", tc.epoch, tc.offset, v.hello.Recovered)
			}
			if want := count - tc.offset; tc.recovered && int64(len(v.seen)) != want || !tc.recovered && len(v.seen) != 0 {
				t.Errorf("from %s:%d: %d events", tc.epoch, tc.offset, len(v.seen))
			}
		}
		for _, pos := range []string{"nonsense", show + ":-1", show + ":x", ":"} {
			v := &viewer{}
			conn := open(t, c, room, pos)
			v.until(t, conn, v.begun)
			conn.close()
		}
	})
}

func TestSlowClientResyncs(t *testing.T) {
	c := newChannel(t, overlay.HubConfig{Queue: 8, WriteTimeout: 5 * time.Minute})
	room := c.room(t)
	show := c.show(t, room)
	v := &viewer{}
	conn := dialWebSocket(t, c, room, "").(wsConnection)
	if err := conn.NetConn().(*net.TCPConn).SetReadBuffer(64 << 10); err != nil {
		t.Fatal(err)
	}
	v.until(t, conn, v.begun)
	const count = 60
	text := strings.Repeat("x", 200_000) // more at once than sockets hold
	for range count {
		if _, err := c.timeline.Append(ctx, show, overlay.TypeAnnouncement, 0, wall0, overlay.AnnouncementData{Text: text}); err != nil {
			t.Fatal(err)
		}
	}
	var err error
	for err == nil {
		var f received
		if f, err = conn.next(); err == nil {
			v.follow(t, f)
		}
	}
	conn.close()
	var closed *websocket.CloseError
	if !errors.As(err, &closed) || closed.Code != 4408 || closed.Text != "resync" {
		t.Fatalf("at %s: %v", v.pos, err)
	}
	if v.offset == 0 || v.offset == count {
		t.Errorf("thrown off at %d of %d", v.offset, count)
	}
	again := dialWebSocket(t, c, room, v.pos)
	defer again.close()
	v.until(t, again, func() bool { return v.offset == count })
	if v.lost > 0 || len(v.seen) != count {
		t.Errorf("began anew %d times, saw %d events", v.lost, len(v.seen))
	}
}

func TestShutdownSaysSo(t *testing.T) {
	c := newChannel(t, overlay.HubConfig{})
	room := c.room(t)
	c.show(t, room)
	ws := dialWebSocket(t, c, room, "").(wsConnection)
	defer ws.close()
	stream := openStream(t, c, room, "")
	defer stream.close()
	poll := startPolling(t, c, room, "").(*pollConnection)
	defer poll.close()
	for _, conn := range []connection{ws, stream, poll} {
		v := &viewer{}
		v.until(t, conn, v.begun)
	}
	polled := make(chan struct{})
	go func() {
		defer close(polled)
		_ = poll.poll() // answered or, if it comes too late, refused
	}()
	read := make(chan error)
	go func() {
		for {
			if _, err := ws.next(); err != nil {
				read <- err
				return
			}
		}
	}()
	c.hub.Close(t.Context())
	var closed *websocket.CloseError
	if err := <-read; !errors.As(err, &closed) || closed.Code != 4503 || closed.Text != "server going away" {
		t.Errorf("the WebSocket ends with %v", err)
	}
	for {
		if _, err := stream.next(); err != nil {
			break
		}
	}
	<-polled
	resp, err := c.client.Get(c.events(room) + "?since=")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" {
		t.Errorf("afterwards: %s", resp.Status)
	}
	c.hub = overlay.NewHub(overlay.HubConfig{}, c.timeline, c.world, quiet, c.metrics) // for the cleanup
}

func TestUnknownRoomIsRefusedBeforeTheUpgrade(t *testing.T) {
	c := newChannel(t, overlay.HubConfig{})
	_, resp, err := c.dialer.Dial("ws"+strings.TrimPrefix(c.events("room_x"), "http"), nil)
	if err == nil || resp == nil || resp.StatusCode != http.StatusNotFound {
		t.Fatalf("got %v, %v", resp, err)
	}
	var problem struct {
		Status int
		Detail string
	}
	if err := json.NewDecoder(resp.Body).Decode(&problem); err != nil || problem.Status != 404 || problem.Detail == "" {
		t.Errorf("got %+v, %v", problem, err)
	}
	if ct := resp.Header.Get("Content-Type"); ct != "application/problem+json" {
		t.Errorf("got a %s", ct)
	}
}

func TestOtherRequestsAreRefused(t *testing.T) {
	c := newChannel(t, overlay.HubConfig{})
	room := c.room(t)
	for _, tc := range []struct {
		method, query string
		want          int
	}{
		{http.MethodGet, "", http.StatusBadRequest},
		{http.MethodPost, "?since=", http.StatusMethodNotAllowed},
		{http.MethodOptions, "", http.StatusNoContent},
	} {
		req, err := http.NewRequest(tc.method, c.events(room)+tc.query, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := c.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != tc.want || resp.Header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s %s: got %s, %v", tc.method, tc.query, resp.Status, resp.Header)
		}
	}
}

func TestConnectionsAreLimited(t *testing.T) {
	poll := func(c *channel, room string) *http.Response {
		resp, err := c.client.Get(c.events(room) + "?since=")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp
	}
	for name, cfg := range map[string]overlay.HubConfig{
		"in all":      {MaxConnections: 2},
		"per address": {MaxPerAddress: 2, ClientAddr: func(*http.Request) netip.Addr { return netip.MustParseAddr("2001:db8::1") }},
	} {
		t.Run(name, func(t *testing.T) {
			c := newChannel(t, cfg)
			room, other := c.room(t), c.room(t)
			first, second := dialWebSocket(t, c, room, ""), openStream(t, c, other, "")
			v := &viewer{}
			v.until(t, second, v.begun)
			resp := poll(c, room)
			if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" {
				t.Errorf("one more: %s", resp.Status)
			}
			first.close()
			deadline := time.Now().Add(5 * time.Second)
			for poll(c, room).StatusCode != http.StatusOK { // as soon as the server has noticed
				if time.Now().After(deadline) {
					t.Fatal("the place was not given back")
				}
			}
			second.close()
		})
	}
	t.Run("loopback has no limit of its own", func(t *testing.T) {
		c := newChannel(t, overlay.HubConfig{MaxPerAddress: 1})
		room := c.room(t)
		for range 3 {
			defer dialWebSocket(t, c, room, "").close()
		}
	})
}

func TestThousandViewers(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	const viewers, count = 1000, 30
	c := newChannel(t, overlay.HubConfig{})
	room := c.room(t)
	show := c.show(t, room)
	var begun, done sync.WaitGroup
	begun.Add(viewers)
	for range viewers {
		done.Go(func() {
			v := &viewer{}
			conn := dialWebSocket(t, c, room, "")
			defer conn.close()
			v.until(t, conn, v.begun)
			begun.Done()
			v.until(t, conn, func() bool { return v.offset == count })
			if len(v.seen) != count {
				t.Errorf("saw %d events", len(v.seen))
			}
		})
	}
	begun.Wait()
	for n := range count {
		c.announce(t, show, n)
	}
	done.Wait()
}

// Joining, leaving, new shows and events all at once, on all transports: the promise holds throughout.
func TestEverythingAtOnce(t *testing.T) {
	c := newChannel(t, overlay.HubConfig{PollWait: time.Second})
	room := c.room(t)
	last := make(chan string, 1)
	var wg sync.WaitGroup
	wg.Go(func() {
		var show string
		for range 12 {
			show = c.show(t, room)
			c.hub.RoomChanged(room, show)
			for n := range 40 {
				c.announce(t, show, n)
			}
		}
		c.announce(t, show, 99)
		last <- show
	})
	var mu sync.Mutex
	final := ""
	over := func(v *viewer) bool {
		mu.Lock()
		defer mu.Unlock()
		select {
		case final = <-last:
		default:
		}
		return final != "" && v.epoch == final && v.offset == 41
	}
	for _, open := range transports {
		for range 4 {
			wg.Go(func() {
				v := &viewer{}
				for !over(v) {
					conn := open(t, c, room, v.pos)
					for range 1 + rand.IntN(30) {
						if over(v) {
							break
						}
						f, err := conn.next()
						if err != nil {
							break
						}
						v.follow(t, f)
					}
					conn.close()
				}
			})
		}
	}
	wg.Wait()
}
