package whip

import (
	"encoding/json"
	"math"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
)

const (
	// channelLabel is the data channel that the studio opens. Its messages are JSON texts.
	channelLabel = "vitrine"
	// channelBacklog is how many bytes may wait to be sent; while more do, nothing is said.
	channelBacklog = 64 << 10
	// pingEarly and pingLater are how often the clocks are compared: pingEarlyCount times the former, then the latter.
	pingEarly      = 500 * time.Millisecond
	pingLater      = 2 * time.Second
	pingEarlyCount = 10
	// tapPast and tapFuture bound how far from the newest picture a tap may be placed.
	tapPast   = 60 * media.TicksPerSecond
	tapFuture = 10 * media.TicksPerSecond
)

// message is what comes and goes on the data channel.
type message struct {
	Type string `json:"type"`
	// ID is that of a ping, a number, or of a pin, a string: it is given back as it came.
	ID json.RawMessage `json:"id,omitempty"`
	// Now is the page's clock in milliseconds since 1970.
	Now *float64 `json:"now,omitempty"`

	ProductID  string   `json:"product_id,omitempty"`
	PinID      string   `json:"pin_id,omitempty"`
	Featured   *bool    `json:"featured,omitempty"`
	CapturedAt *float64 `json:"captured_at,omitempty"` // the page's clock at the tap

	Message string   `json:"message,omitempty"`
	Offset  *float64 `json:"offset_ms,omitempty"` // our clock minus the page's
	RTT     *float64 `json:"rtt_ms,omitempty"`
}

// timedMessage is what a publication is told.
type timedMessage struct {
	Type      string `json:"type"`
	ProductID string `json:"product_id,omitempty"`
	PinID     string `json:"pin_id,omitempty"`
	Featured  *bool  `json:"featured,omitempty"`
}

// channel is the studio's data channel. It belongs to the session's loop.
type channel struct {
	dc     *webrtc.DataChannel
	clocks remoteClocks

	pings    int64
	sent     time.Time // of the newest ping
	answered bool
}

// incoming is a message with its arrival.
type incoming struct {
	dc      *webrtc.DataChannel
	data    []byte // nil: the channel has opened
	arrival time.Time
}

// due reports whether it is time for a ping. One that is not answered is repeated.
func (ch *channel) due(now time.Time) bool {
	every := pingLater
	if ch.pings < pingEarlyCount {
		every = pingEarly
	}
	return ch.dc != nil && now.Sub(ch.sent) >= every
}

// ping asks the page for its clock.
func (ch *channel) ping(now time.Time) {
	ch.pings++
	ch.sent, ch.answered = now, false
	id, _ := json.Marshal(ch.pings) // of a number
	ch.send(message{Type: "ping", ID: id})
}

// send writes to the page. What cannot be sent is left out: the page asks again, or is gone.
func (ch *channel) send(m message) {
	b, err := json.Marshal(m)
	if err != nil || ch.dc == nil || ch.dc.BufferedAmount() > channelBacklog {
		return
	}
	_ = ch.dc.SendText(string(b))
}

// pong takes the answer to the newest ping; others are too late to measure anything.
func (ch *channel) pong(m message, arrival time.Time) error {
	var id int64
	if json.Unmarshal(m.ID, &id) != nil || m.Now == nil {
		return errs.New(errs.Invalid, "whip.pong", "a pong needs the ping's id and the page's clock as now")
	}
	page, err := pageTime(*m.Now)
	if err != nil {
		return err
	}
	if id != ch.pings || ch.answered {
		return nil
	}
	ch.answered = true
	ch.clocks.pong(page, ch.sent, arrival)
	if best, ok := ch.clocks.best(); ok {
		offset, rtt := milliseconds(best.offset), milliseconds(best.rtt)
		ch.send(message{Type: "clock", Offset: &offset, RTT: &rtt})
	}
	return nil
}

// pageTime reads milliseconds since 1970, as Date.now() has them.
func pageTime(ms float64) (time.Time, error) {
	if math.IsNaN(ms) || ms < 0 || ms > 1e14 {
		return time.Time{}, errs.New(errs.Invalid, "whip.pageTime", "the clock must be milliseconds since 1970, got %v", ms)
	}
	return time.UnixMicro(int64(math.Round(ms * 1000))), nil
}

func milliseconds(d time.Duration) float64 {
	return math.Round(float64(d)/float64(time.Microsecond)) / 1000
}

// message carries out a message of the page. Only a failure of the session is returned.
func (c *session) message(in incoming) {
	ch := &c.channel
	ch.dc = in.dc
	if in.data == nil {
		ch.ping(time.Now())
		return
	}
	var m message
	if err := json.Unmarshal(in.data, &m); err != nil {
		c.complain(m, errs.As(errs.Invalid, "whip.message", err, "a message must be one JSON object"))
		return
	}
	switch m.Type {
	case "pong":
		if err := ch.pong(m, in.arrival); err != nil {
			c.complain(m, err)
		}
		c.mapCapture()
	case "pin", "unpin":
		if err := c.timed(m); err != nil {
			c.complain(m, err)
			return
		}
		ch.send(message{Type: "ack", ID: m.ID})
	default:
		c.complain(m, errs.New(errs.Invalid, "whip.message", "messages of type %q mean nothing here", m.Type))
	}
}

// timed places a tap on the picture captured at it, and passes it on.
func (c *session) timed(m message) error {
	at, err := c.tappedAt(m)
	if err != nil {
		return err
	}
	payload, err := json.Marshal(timedMessage{Type: m.Type, ProductID: m.ProductID, PinID: m.PinID, Featured: m.Featured})
	if err != nil {
		return errs.As(errs.Internal, "whip.timed", err, "the message could not be passed on")
	}
	if err := c.pub.WriteData(at, payload); err != nil {
		c.server.metrics.anomaly(RefusedData)
		c.log.Warn("timed message refused", "type", m.Type, "publisher_ms", at.Milliseconds(), "error", err)
		return err
	}
	c.server.metrics.data.Inc()
	return nil
}

// tappedAt returns the publisher time of a tap. The page's clock is that of the sender reports, so that it does not matter
// how long the message took. A message without an instant, or before the first report, stands at the newest picture.
func (c *session) tappedAt(m message) (media.Ticks, error) {
	known := c.capture.now.Load()
	if m.CapturedAt == nil || known == nil {
		return c.out.newest, nil
	}
	page, err := pageTime(*m.CapturedAt)
	if err != nil {
		return 0, err
	}
	at := known.on(page.Add(c.channel.clocks.pageAhead()))
	if d := at - c.out.newest; d < -tapPast || d > tapFuture {
		return 0, errs.New(errs.Invalid, "whip.tappedAt", "captured_at is %d ms from the newest picture: send the page's clock (Date.now()) at the tap", d.Milliseconds())
	}
	return at, nil
}

// complain tells the page what is wrong with its message.
func (c *session) complain(m message, err error) {
	c.server.metrics.anomaly(BadMessage)
	text := errs.MessageOf(err)
	if text == "" {
		text = "something went wrong on the server; its log says more"
	}
	c.log.Info("message refused", "type", m.Type, "detail", text)
	c.channel.send(message{Type: "error", ID: m.ID, Message: text})
}
