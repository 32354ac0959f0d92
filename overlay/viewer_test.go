package overlay_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/overlay"
)

// Snapshot makes world the Snapshotter of its rooms: what is in the database.
func (w *world) Snapshot(ctx context.Context, roomID string) (overlay.Snapshot, error) {
	room, err := w.db.Room(ctx, roomID)
	if err != nil {
		return overlay.Snapshot{}, err
	}
	bag, err := w.db.Bag(ctx, roomID)
	if err != nil {
		return overlay.Snapshot{}, err
	}
	s := overlay.Snapshot{
		Room: overlay.RoomView{ID: room.ID, Title: room.Title, State: "idle"}, Products: overlay.SnapshotsOf(bag),
	}
	show, err := w.db.CurrentShow(ctx, roomID)
	if err == nil {
		s.Room.State = string(show.State)
		s.Show = &overlay.ShowView{
			ID: show.ID, Title: show.Title, State: string(show.State), StartedAt: show.StartedAt, Duration: show.Duration,
		}
		s.Epochs = show.Epochs
	} else if errs.KindOf(err) != errs.NotFound {
		return overlay.Snapshot{}, err
	}
	return s, nil
}

// channel is a hub behind an HTTP server.
type channel struct {
	*world
	hub *overlay.Hub
	url string // of the server
	// client and dialer reach the server, by TCP or within the process.
	client *http.Client
	dialer *websocket.Dialer
}

func newChannel(t testing.TB, cfg overlay.HubConfig) *channel {
	t.Helper()
	c := &channel{world: newWorld(t), client: &http.Client{Transport: &http.Transport{}}, dialer: &websocket.Dialer{}}
	c.start(t, cfg, httptest.NewUnstartedServer(nil))
	return c
}

// newPipeChannel is a channel whose connections are pipes, which works with the clock of a synctest bubble.
func newPipeChannel(t testing.TB, cfg overlay.HubConfig) *channel {
	t.Helper()
	l := &pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) { return l.dial(ctx) }
	c := &channel{world: newWorld(t), client: &http.Client{Transport: &http.Transport{DialContext: dial}}}
	c.dialer = &websocket.Dialer{NetDialContext: dial}
	c.start(t, cfg, &httptest.Server{Listener: l, Config: &http.Server{}})
	return c
}

func (c *channel) start(t testing.TB, cfg overlay.HubConfig, server *httptest.Server) {
	t.Helper()
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	c.hub = overlay.NewHub(cfg, c.timeline, c.world, quiet, c.metrics)
	mux := http.NewServeMux()
	mux.HandleFunc("/live/{room}/events", func(w http.ResponseWriter, r *http.Request) {
		c.hub.Serve(w, r, r.PathValue("room"))
	})
	server.Config.Handler = mux
	server.Start()
	c.url = server.URL
	t.Cleanup(func() {
		done, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		c.hub.Close(done)
		c.client.CloseIdleConnections()
		server.Close()
	})
}

func (c *channel) events(room string) string { return c.url + "/live/" + room + "/events" }

// announce puts a numbered event on a show's timeline.
func (c *channel) announce(t testing.TB, show string, n int) {
	t.Helper()
	_, err := c.timeline.Append(ctx, show, overlay.TypeAnnouncement, ms(int64(n)), wallAt(ms(int64(n))), overlay.AnnouncementData{Text: fmt.Sprint(n)})
	if err != nil {
		t.Fatal(err)
	}
}

// received is a frame as a client reads it.
type received struct {
	Type      string        `json:"type"`
	Epoch     string        `json:"epoch"`
	Offset    int64         `json:"offset"`
	Recovered bool          `json:"recovered"`
	Key       string        `json:"key"`
	Value     int64         `json:"value"`
	State     receivedState `json:"state"`
	Event     struct {
		Seq  int64           `json:"seq"`
		Type string          `json:"type"`
		Data json.RawMessage `json:"data"`
	} `json:"event"`
	ServerTime string `json:"server_time"`
	id         string // of the event stream
}

type receivedState struct {
	Room     overlay.RoomView          `json:"room"`
	Show     json.RawMessage           `json:"show"`
	Epochs   []json.RawMessage         `json:"epochs"`
	Pins     []overlay.Pin             `json:"pins"`
	Products []overlay.ProductSnapshot `json:"products"`
	Comments []struct {
		ShowTime int64 `json:"show_time_ms"`
		overlay.CommentData
	} `json:"comments"`
	Likes int64 `json:"likes"`
}

// connection is a client on one transport. next returns io.EOF or a *websocket.CloseError at the end of it.
type connection interface {
	next() (received, error)
	close()
}

// connect opens a connection that resumes at pos, or begins when pos is "".
type connect func(t testing.TB, c *channel, room, pos string) connection

// transports are the ways to follow a room.
var transports = map[string]connect{"websocket": dialWebSocket, "sse": openStream, "longpoll": startPolling}

type wsConnection struct{ *websocket.Conn }

func dialWebSocket(t testing.TB, c *channel, room, pos string) connection {
	t.Helper()
	u := "ws" + strings.TrimPrefix(c.events(room), "http")
	if epoch, offset, ok := strings.Cut(pos, ":"); ok {
		u += "?" + url.Values{"epoch": {epoch}, "offset": {offset}}.Encode()
	} else if pos != "" {
		u += "?" + pos
	}
	conn, resp, err := c.dialer.Dial(u, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return wsConnection{conn}
}

func (c wsConnection) next() (f received, err error) {
	err = c.ReadJSON(&f)
	return f, err
}

func (c wsConnection) close() { c.Close() }

type streamConnection struct {
	body  io.ReadCloser
	lines *bufio.Reader
}

func openStream(t testing.TB, c *channel, room, pos string) connection {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, c.events(room), nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "text/event-stream")
	if pos != "" {
		req.Header.Set("Last-Event-ID", pos)
	}
	resp, err := c.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if ct := resp.Header.Get("Content-Type"); resp.StatusCode != http.StatusOK || ct != "text/event-stream" {
		resp.Body.Close()
		t.Fatalf("got %s, %s", resp.Status, ct)
	}
	return &streamConnection{resp.Body, bufio.NewReader(resp.Body)}
}

// next reads one message by the rules of HTML 9.2.6, as far as the server uses them.
func (c *streamConnection) next() (f received, err error) {
	for {
		line, err := c.lines.ReadString('\n')
		if err != nil {
			return f, err
		}
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		switch name {
		case "id":
			f.id = value
		case "data":
			id := f.id
			if err := json.Unmarshal([]byte(value), &f); err != nil {
				return f, err
			}
			f.id = id
		case "":
			if f.Type != "" {
				return f, nil
			}
		}
	}
}

func (c *streamConnection) close() { c.body.Close() }

// pollConnection asks again and again from where it is.
type pollConnection struct {
	client *http.Client
	url    string
	since  string
	frames []received
	cancel context.CancelFunc
	ctx    context.Context
	began  bool
}

func startPolling(_ testing.TB, c *channel, room, pos string) connection {
	p := &pollConnection{client: c.client, url: c.events(room), since: pos}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	return p
}

// next hides the hello of each further poll, which only repeats that it went on.
func (p *pollConnection) next() (received, error) {
	for len(p.frames) == 0 {
		if err := p.poll(); err != nil {
			return received{}, err
		}
		if p.began && len(p.frames) > 0 && p.frames[0].Recovered {
			p.frames = p.frames[1:]
		}
		p.began = true
	}
	f := p.frames[0]
	p.frames = p.frames[1:]
	return f, nil
}

func (p *pollConnection) poll() error {
	req, err := http.NewRequestWithContext(p.ctx, http.MethodGet, p.url+"?since="+url.QueryEscape(p.since), nil)
	if err != nil {
		return err
	}
	resp, err := p.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return errors.New(resp.Status)
	}
	var answer struct {
		Frames   []received
		Position struct {
			Epoch  string
			Offset int64
		}
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return err
	}
	p.frames = answer.Frames
	p.since = fmt.Sprintf("%s:%d", answer.Position.Epoch, answer.Position.Offset)
	return nil
}

func (p *pollConnection) close() { p.cancel() }

// viewer follows a room through any number of connections and checks the promise of the channel at each frame.
type viewer struct {
	pos      string // "" before the first snapshot or event
	epoch    string
	offset   int64
	seen     []int64 // numbers of the events of epoch
	lost     int     // times that it had to begin anew
	viewers  int64   // as last told
	likes    []int64 // each number as told
	snapshot *received
	hello    *received
}

// follow reads one frame. It fails when a frame breaks the promise.
func (v *viewer) follow(t testing.TB, f received) {
	t.Helper()
	switch f.Type {
	case "hello":
		if f.Recovered && (f.Epoch != v.epoch || f.Offset != v.offset) {
			t.Fatalf("hello goes on at %s:%d, we are at %s", f.Epoch, f.Offset, v.pos)
		}
		if _, err := time.Parse(time.RFC3339, f.ServerTime); err != nil {
			t.Fatal(err)
		}
		if !f.Recovered && v.pos != "" {
			v.lost++
		}
		v.hello = &f
	case "snapshot":
		v.epoch, v.offset, v.seen, v.snapshot = f.Epoch, f.Offset, nil, &f
	case "event":
		if f.Epoch != v.epoch || f.Offset != v.offset+1 || f.Event.Seq != f.Offset {
			t.Fatalf("after %s comes event %d at %s:%d", v.pos, f.Event.Seq, f.Epoch, f.Offset)
		}
		v.offset = f.Offset
		v.seen = append(v.seen, f.Offset)
	case "state":
		if f.Key == "likes" {
			v.likes = append(v.likes, f.Value)
		} else {
			v.viewers = f.Value
		}
		return
	default:
		t.Fatalf("what is a frame of type %q?", f.Type)
	}
	if f.Type == "hello" {
		return
	}
	v.pos = fmt.Sprintf("%s:%d", v.epoch, v.offset)
	if f.id != "" && f.id != v.pos {
		t.Fatalf("the id of the frame at %s is %s", v.pos, f.id)
	}
}

// until follows a connection until cond holds.
func (v *viewer) until(t testing.TB, c connection, cond func() bool) {
	t.Helper()
	for !cond() {
		f, err := c.next()
		if err != nil {
			t.Fatalf("at %s: %v", v.pos, err)
		}
		v.follow(t, f)
	}
}

// begun says that the viewer has been told everything that a new connection is told.
func (v *viewer) begun() bool { return v.hello != nil && v.snapshot != nil }

// pipeListener hands out pipes as connections.
type pipeListener struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (l *pipeListener) dial(ctx context.Context) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case l.conns <- theirs:
		return ours, nil
	case <-l.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }
