package rtmp

import (
	"bytes"
	"context"
	"strings"
	"time"

	"github.com/yutopp/go-rtmp"
	rtmpmsg "github.com/yutopp/go-rtmp/message"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/printable"
	"github.com/vitrine-live/vitrine/media"
)

const (
	// maxMessageStreams is how many streams one connection may create; encoders create one.
	maxMessageStreams = 3
	// farewell is how long a publisher that has said goodbye may take to close.
	farewell = 5 * time.Second
	// gateTimeout bounds the look-up of a key.
	gateTimeout = 10 * time.Second
)

// command implements consumer.
func (c *session) command(cmd *command) (forward bool, err error) {
	switch cmd.name {
	case "connect":
		if len(cmd.args) == 0 || cmd.object(0) == nil {
			return false, breach(BadCommand, "connect without its object")
		}
		if c.connected {
			c.server.metrics.anomaly(UnknownCommand)
			return false, nil
		}
		if speaksEnhanced(cmd.object(0)) {
			body := enhancedAnswer(cmd.transaction)
			c.answer.body.Store(&body)
		}
		c.app, c.encoder = cmd.object(0).text("app"), printable.Clip(cmd.object(0).text("flashVer"))
		c.connected, cmd.streamID = true, rtmp.ControlStreamID
		return true, nil
	case "createStream":
		cmd.streamID = rtmp.ControlStreamID
		if c.connected && c.streams < maxMessageStreams {
			c.streams++
		}
		return true, nil
	case "publish":
		return true, c.publish(cmd)
	case "play", "play2":
		return false, reject(Playback, codePlayFailed, "this address takes publishers only: watch over HLS")
	case "FCUnpublish", "closeStream":
		c.goodbye()
	case "deleteStream":
		if id, ok := cmd.number(1); !ok || id == float64(c.streamID) {
			c.goodbye()
		}
	case "FCPublish":
		return false, c.onFCPublish(cmd)
	case "releaseStream", "_checkbw", "getStreamLength", "_result", "_error", "onStatus":
	default:
		c.server.metrics.anomaly(UnknownCommand)
	}
	return false, nil
}

// onFCPublish answers FCPublish, which Flash Media Live Encoder brought up and hardware encoders learned from it: some of
// them publish only after an answer.
func (c *session) onFCPublish(cmd *command) error {
	status := amfObject{{"level", "status"}, {"code", "NetStream.Publish.Start"}, {"description", printable.Clip(cmd.text(1))}}
	err := c.send(libraryChunkStream, rtmp.ControlStreamID, &rtmpmsg.CommandMessage{
		CommandName: "onFCPublish", Encoding: rtmpmsg.EncodingTypeAMF0, Body: bytes.NewReader(appendAMF(appendAMF(nil, nil), status)),
	})
	if err != nil {
		return &ending{reason: NotReading, detail: "an answer could not be sent", err: err}
	}
	return nil
}

// publish asks the gate.
func (c *session) publish(cmd *command) error {
	if c.streams == 0 {
		return breach(BadCommand, "publish without connect and createStream")
	}
	if cmd.streamID == 0 || cmd.streamID > c.streams { // some encoders send it on the control stream
		cmd.streamID = c.streams
	}
	c.streamID = cmd.streamID
	if c.pub != nil || c.over {
		return reject(SecondStream, codeRejected, "one connection carries one publish: connect anew")
	}
	from, doors := c.wire.remote.Addr(), c.server.doors
	if !doors.mayTry(from, time.Now()) {
		return reject(TooManyKeys, codeDenied, "too many wrong stream keys from this address: wait a minute")
	}
	ctx, cancel := context.WithTimeout(c.ctx, gateTimeout)
	defer cancel()
	path := newLink(c.wire.Conn)
	pub, err := c.server.gate.Publish(ctx, media.PublishRequest{
		Protocol: c.wire.protocol(), Remote: c.wire.remote, StreamKey: streamKey(c.app, cmd.text(1)), Encoder: c.encoder,
		Link: path.read,
	})
	if err != nil {
		if errs.KindOf(err) == errs.Unauthorized {
			doors.wrongKey(from, time.Now())
		}
		return gateError(err)
	}
	c.accepted(pub, path)
	return nil
}

// accepted turns the stranger into a publisher.
func (c *session) accepted(pub media.Publication, path *link) {
	cfg, now := c.server.cfg, time.Now()
	c.server.doors.recognise(c.wire.remote.Addr())
	c.stranger = false
	c.since = now
	c.pub = newPublisher(pub, path, cfg.PublishTimeout, now, c.log, c.server.metrics)
	c.guard.accept(cfg.MaxMediaMessage)
	c.wire.deadline = deadline{idle: cfg.IdleTimeout, reason: IdleTimeout}
	c.server.metrics.published.Inc()
	c.server.metrics.publishers.Inc()
	c.watch(pub)
	c.log.Info("publish accepted", "encoder", c.encoder)
}

// watch ends the connection when the publication is over on the other side.
func (c *session) watch(pub media.Publication) {
	c.watcher, c.watched = make(chan struct{}), make(chan struct{})
	go func() {
		defer close(c.watched)
		select {
		case <-pub.Done():
			message := errs.MessageOf(pub.Err())
			if message == "" {
				message = "the publish was ended by the server"
			}
			c.wire.end(&ending{reason: Displaced, code: codeRejected, detail: message, err: pub.Err()})
		case <-c.watcher:
		}
	}()
}

// goodbye ends the publish as its anchor wishes. The connection then has a moment to close.
func (c *session) goodbye() {
	if c.pub == nil {
		return
	}
	c.unpublish(media.Unpublished)
	c.over = true
	c.wire.deadline = deadline{at: time.Now().Add(farewell), reason: Unpublished}
}

func (c *session) unpublish(reason media.CloseReason) {
	pub := c.pub
	c.pub = nil
	pub.finish()
	close(c.watcher)
	<-c.watched
	c.server.metrics.publishers.Dec()
	pub.pub.Close(reason)
	c.log.Info("publish ended", "how", reason.String(), "published_for", time.Since(c.since).Round(time.Millisecond))
}

// streamKey finds the key: the stream name's last element without query. An encoder that knows one address field only
// leaves the name empty and puts the key at the end of the app.
func streamKey(app, name string) string {
	for _, s := range []string{name, app} {
		s, _, _ = strings.Cut(s, "?")
		s = strings.Trim(s, "/")
		if s != "" {
			return s[strings.LastIndexByte(s, '/')+1:]
		}
	}
	return ""
}
