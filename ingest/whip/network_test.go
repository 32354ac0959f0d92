package whip

import (
	"encoding/json"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/vitrine-live/vitrine/internal/badnet"
	"github.com/vitrine-live/vitrine/media"
)

// serveBehind makes a server that publishers reach through a bad network only.
func serveBehind(t *testing.T, cfg Config, network badnet.Config) *harness {
	t.Helper()
	n, err := badnet.Listen(network)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Close)
	udp, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n.Connect(udp.LocalAddr().String())
	cfg.Public, cfg.PublicOnly = []string{n.Addr()}, true
	return serveOn(t, cfg, udp)
}

// A lossy, reordering, repeating network: nothing but whole pictures comes out, in order, and never one that follows a
// missing one before the next keyframe.
func TestBadNetwork(t *testing.T) {
	if testing.Short() {
		t.Skip("keeps real time")
	}
	h := serveBehind(t, Config{}, badnet.Config{Loss: 0.05, Repeat: 0.05, Late: 0.1, Jitter: 30 * time.Millisecond})
	c, p := newClient(t, h, clientOptions{}), (*recording)(nil)
	c.publish("/whip", clientOptions{keepHidden: true})
	p = h.next()
	c.film()
	p.wait(t, "seven seconds of film", func() bool {
		n := len(p.samples)
		return n > 0 && p.samples[n-1].PTS-p.samples[0].PTS > 7*media.TicksPerSecond
	})
	c.close()
	p.waitClosed(t)
	video := p.of(media.Video)
	c.checkPictures(video)
	checkNoGaps(t, video)
	if len(video) < 100 {
		t.Errorf("%d pictures of about 210 came", len(video))
	}
	h.stop()
	lost, repaired := reading(h.metrics.lost), reading(h.metrics.repaired)
	t.Logf("%v packets, %v repaired, %v lost, %v pictures discarded, %d came", reading(h.metrics.packets), repaired, lost, reading(h.metrics.discarded), len(video))
	if repaired < 10 || lost > 2*repaired {
		t.Errorf("%v packets were repaired, %v lost", repaired, lost)
	}
}

// checkNoGaps wants every picture that is no keyframe to follow the one before it on the film.
func checkNoGaps(t *testing.T, video []media.Sample) {
	t.Helper()
	last := -2
	for i, s := range video {
		n := number(s.Payload)
		if n <= last {
			t.Fatalf("picture %d comes after %d", n, last)
		}
		if !s.Key && n != last+1 {
			t.Fatalf("sample %d: picture %d follows %d and is no keyframe", i, n, last)
		}
		last = n
	}
}

// number reads the number that the camera writes into an H264 picture.
func number(payload []byte) (n int) {
	for _, b := range payload[5:9] {
		n = n<<7 | int(b&0x7F)
	}
	return n
}

// page is the studio's end of the data channel.
type page struct {
	dc    *webrtc.DataChannel
	ahead time.Duration // of the page's clock before the one of sender reports

	mu   sync.Mutex
	got  map[string]message // by type and id
	news chan struct{}
}

func openPage(t *testing.T, c *client, ahead time.Duration) *page {
	t.Helper()
	dc, err := c.pc.CreateDataChannel(channelLabel, nil)
	if err != nil {
		t.Fatal(err)
	}
	p := &page{dc: dc, ahead: ahead, got: map[string]message{}, news: make(chan struct{}, 1)}
	dc.OnMessage(func(raw webrtc.DataChannelMessage) { p.take(raw.Data) })
	return p
}

func (p *page) clock() float64 {
	return float64(time.Now().Add(p.ahead).UnixMicro()) / 1000
}

func (p *page) take(raw []byte) {
	var m message
	if json.Unmarshal(raw, &m) != nil {
		return
	}
	if m.Type == "ping" {
		now := p.clock()
		p.send(message{Type: "pong", ID: m.ID, Now: &now})
		return
	}
	p.mu.Lock()
	p.got[m.Type+string(m.ID)] = m
	p.mu.Unlock()
	select {
	case p.news <- struct{}{}:
	default:
	}
}

func (p *page) send(m message) {
	b, _ := json.Marshal(m)
	_ = p.dc.SendText(string(b))
}

// wait returns the message of a type and id when it has come.
func (p *page) wait(t *testing.T, key string) message {
	t.Helper()
	timeout := time.After(patience)
	for {
		p.mu.Lock()
		m, ok := p.got[key]
		p.mu.Unlock()
		if ok {
			return m
		}
		select {
		case <-p.news:
		case <-timeout:
			t.Fatalf("no %s came", key)
		}
	}
}

// A tap lands on the picture captured at it, however slow the uplink, and whatever the page's clock says.
func TestTapLandsOnItsPicture(t *testing.T) {
	for _, ahead := range []time.Duration{0, 90 * time.Minute} {
		t.Run("page ahead by "+ahead.String(), func(t *testing.T) {
			t.Parallel()
			h := serveBehind(t, Config{}, badnet.Config{Up: 300 * time.Millisecond})
			c := newClient(t, h, clientOptions{})
			pg := openPage(t, c, ahead)
			c.publish("/whip", clientOptions{keepHidden: true})
			p := h.next()
			c.film()
			p.waitSamples(t, 100)
			pg.wait(t, "clock")
			tap := time.Now()
			at := float64(tap.Add(ahead).UnixMicro()) / 1000
			featured := true
			pg.send(message{Type: "pin", ID: json.RawMessage(`"c1"`), ProductID: "prod_1", Featured: &featured, CapturedAt: &at})
			pg.wait(t, `ack"c1"`)
			told, placed := p.told(0)
			if want := `{"type":"pin","product_id":"prod_1","featured":true}`; told != want {
				t.Errorf("told %s, want %s", told, want)
			}
			// The picture captured at the tap arrives a path later.
			p.wait(t, "the picture", func() bool { return p.samples[len(p.samples)-1].PTS > placed+9000 })
			if off := capturedNear(p.of(media.Video), placed).Sub(tap) - 300*time.Millisecond; off.Abs() > 50*time.Millisecond {
				t.Errorf("the tap lies %v from its picture", off)
			}
			if exact, ok := p.req.CapturedAt(tap); !ok || (exact-placed).Duration().Abs() > 250*time.Millisecond {
				t.Errorf("a wall instant is %v from the tap", (exact - placed).Duration())
			}
		})
	}
}

// capturedNear returns when the picture shown at t arrived.
func capturedNear(video []media.Sample, t media.Ticks) time.Time {
	for _, s := range video {
		if s.PTS >= t {
			return s.Arrival.Add(-(s.PTS - t).Duration())
		}
	}
	return time.Time{}
}

func TestChannelComplains(t *testing.T) {
	h := serve(t, Config{})
	c := newClient(t, h, clientOptions{noAudio: true})
	pg := openPage(t, c, 0)
	c.publish("/whip", clientOptions{})
	p := h.next()
	c.film()
	p.waitSamples(t, 40)
	pg.wait(t, "clock")
	wild := 12.5
	pg.send(message{Type: "pin", ID: json.RawMessage(`"a"`), ProductID: "prod_unknown"})
	pg.send(message{Type: "dance", ID: json.RawMessage(`"b"`)})
	pg.send(message{Type: "pin", ID: json.RawMessage(`"c"`), ProductID: "prod_1", CapturedAt: &wild})
	_ = pg.dc.SendText("rubbish")
	pg.send(message{Type: "unpin", ID: json.RawMessage(`"d"`), PinID: "pin_1"})
	for key, text := range map[string]string{`error"a"`: "there is no such product", `error"b"`: `messages of type "dance" mean nothing here`, `error`: "a message must be one JSON object"} {
		if m := pg.wait(t, key); m.Message != text {
			t.Errorf("%s says %q", key, m.Message)
		}
	}
	pg.wait(t, `error"c"`)
	pg.wait(t, `ack"d"`)
}
