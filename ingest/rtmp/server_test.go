package rtmp

import (
	"encoding/binary"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
)

func TestPublish(t *testing.T) {
	h := serve(t, Config{})
	c, p := h.publisher()
	c.video(0, avcFrame(66, idr))
	c.audio(10, aacFrame)
	c.video(33, avcFrame(0, slice))
	p.waitSamples(t, 3)

	if len(p.tracks) != 1 || len(p.tracks[0]) != 2 {
		t.Fatalf("tracks %+v", p.tracks)
	}
	v, a := p.tracks[0][0], p.tracks[0][1]
	if v.Codec != media.H264 || string(v.SPS) != string(testSPS) || string(v.PPS) != string(testPPS) {
		t.Errorf("video %+v", v)
	}
	if a.Codec != media.AAC || a.Audio.SampleRate != 48000 || a.Audio.ChannelConfig != 2 {
		t.Errorf("audio %+v", a.Audio)
	}
	type seen struct {
		Kind     media.Kind
		PTS, DTS int64
		Key      bool
		Payload  string
	}
	var got []seen
	for _, s := range p.samples {
		if time.Since(s.Arrival) > time.Minute {
			t.Errorf("arrival %v", s.Arrival)
		}
		got = append(got, seen{s.Kind, s.PTS.Milliseconds(), s.DTS.Milliseconds(), s.Key, string(s.Payload)})
	}
	want := []seen{
		{media.Video, 66, 0, true, string(lengthPrefixed(idr))},
		{media.Audio, 10, 10, true, string(aacFrame[2:])},
		{media.Video, 33, 33, false, string(lengthPrefixed(slice))},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	req := h.gate.request(0)
	if req.Protocol != "rtmp" || req.StreamKey != goodKey || req.Encoder != "test/1.0" || !req.Remote.IsValid() {
		t.Errorf("request %+v", req)
	}
	if n := reading(h.metrics.publishers); n != 1 {
		t.Errorf("%v publishers", n)
	}
	c.Close()
	if r := p.waitClosed(t); r != media.ConnectionLost {
		t.Errorf("closed as %s", r)
	}
	h.endedBy(EndedByPeer)
	if n := reading(h.metrics.publishers) + reading(h.metrics.connections); n != 0 {
		t.Errorf("%v connections and publishers left", n)
	}
}

func TestUnpublish(t *testing.T) {
	for name, say := range map[string]func(*client){
		"FCUnpublish":  func(c *client) { c.command(0, "FCUnpublish", 6.0, nil, goodKey) },
		"deleteStream": func(c *client) { c.command(0, "deleteStream", 6.0, nil, 1.0) },
		"closeStream":  func(c *client) { c.command(1, "closeStream", 6.0, nil) },
		"all of them": func(c *client) {
			c.command(1, "FCUnpublish", 6.0, nil, goodKey)
			c.command(1, "closeStream", 6.0, nil)
			c.command(1, "deleteStream", 6.0, nil, 1.0)
		},
		"and media after it": func(c *client) {
			c.command(0, "FCUnpublish", 6.0, nil, goodKey)
			c.video(99, avcFrame(0, idr))
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := serve(t, Config{})
			c, p := h.publisher()
			c.video(0, avcFrame(0, idr))
			say(c)
			if r := p.waitClosed(t); r != media.Unpublished {
				t.Errorf("closed as %s", r)
			}
			if n := len(p.of(media.Video)); n != 1 {
				t.Errorf("%d samples", n)
			}
			c.Close()
			h.endedBy(Unpublished)
			if len(p.closed) > 0 {
				t.Error("closed twice")
			}
		})
	}
}

func TestDeleteOtherStream(t *testing.T) {
	h := serve(t, Config{})
	c, p := h.publisher()
	c.command(0, "deleteStream", 6.0, nil, 2.0)
	c.video(0, avcFrame(0, idr))
	p.waitSamples(t, 1)
}

func TestStreamKey(t *testing.T) {
	for _, c := range []struct{ app, name, want string }{
		{"live", "k1", "k1"},
		{"live", "k1?user=a&pass=b", "k1"},
		{"live/", "/k1/", "k1"},
		{"anything/else", "k1", "k1"},
		{"live/k1", "", "k1"},
		{"live/k1?x=/y", "?z", "k1"},
		{"k1", "", "k1"},
		{"", "live/k1", "k1"},
		{"", "", ""},
	} {
		if got := streamKey(c.app, c.name); got != c.want {
			t.Errorf("streamKey(%q, %q) = %q, want %q", c.app, c.name, got, c.want)
		}
	}
}

func TestRefusalsOnTheWire(t *testing.T) {
	video := func(tag ...byte) func(*client) {
		return func(c *client) { c.mustPublish(goodKey); c.video(5, tag) }
	}
	audio := func(tag ...byte) func(*client) {
		return func(c *client) { c.mustPublish(goodKey); c.audio(5, tag) }
	}
	for _, test := range []struct {
		name   string
		say    func(*client)
		code   string
		wants  string // within the description
		reason Reason
	}{
		{"wrong key", func(c *client) { c.negotiate("live"); c.command(1, "publish", 5.0, nil, "guess", "live") }, codeDenied, "no room has this stream key", WrongKey},
		{"play", func(c *client) { c.negotiate("live"); c.command(1, "play", 5.0, nil, "x") }, codePlayFailed, "HLS", Playback},
		{"second publish", func(c *client) { c.mustPublish(goodKey); c.command(1, "publish", 9.0, nil, goodKey) }, codeRejected, "one publish", SecondStream},
		{"AV1, by number", video(0x1D, 0, 0, 0, 0, 1), codeRejected, "AV1 outside of Enhanced RTMP video", Codec},
		{"VVC", video(0x90, 'v', 'v', 'c', '1', 1), codeRejected, "VVC video", Codec},
		{"VP9", video(0x90, 'v', 'p', '0', '9', 1), codeRejected, "VP9 video", Codec},
		{"unknown FourCC", video(0x90, 'q', 0, 'q', 'q', 1), codeRejected, `"q\x00qq" video`, Codec},
		{"Sorenson", video(0x12, 1, 2, 3), codeRejected, "Sorenson H263 video", Codec},
		{"unknown number", video(0x1B, 1, 2, 3), codeRejected, "codec 11 video", Codec},
		{"MP3", audio(0x2F, 1, 2, 3), codeRejected, "MP3 audio", Codec},
		{"Speex", audio(0xB2, 1, 2, 3), codeRejected, "Speex audio", Codec},
		{"Opus, enhanced", audio(0x90, 'O', 'p', 'u', 's', 1), codeRejected, "Opus audio", Codec},
		{"AAC Main", audio(0xAF, 0, 0x09, 0x90), codeRejected, "AAC object type 1 audio", Codec},
		{"AAC with a PCE", audio(0xAF, 0, 0x11, 0x80), codeRejected, "program config element", Codec},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := serve(t, Config{})
			c := h.dial()
			test.say(c)
			code, description := c.status()
			if code != test.code || !strings.Contains(description, test.wants) {
				t.Errorf("status %s: %s", code, description)
			}
			c.closedByServer()
			h.endedBy(test.reason)
		})
	}
}

// A refused encoder goes on sending for a while; the reason must reach it all the same.
func TestRefusalSurvivesUnreadMedia(t *testing.T) {
	h := serve(t, Config{})
	c := h.dial()
	c.mustPublish(goodKey)
	c.video(5, []byte{0x90, 'v', 'p', '0', '9', 1})
	for range 50 {
		c.send(message{typeID: typeVideo, timestamp: 9, streamID: 1, body: make([]byte, 50_000)})
	}
	if code, _ := c.status(); code != codeRejected {
		t.Error(code)
	}
}

func TestGateRefusals(t *testing.T) {
	for _, test := range []struct {
		err  error
		want string
	}{
		{errs.New(errs.Exhausted, "op", "this server is full: try again in a minute"), "this server is full"},
		{errors.New("disk on fire"), "the server cannot go on"},
	} {
		h := serve(t, Config{})
		h.gate.refuse = test.err
		code, description := h.dial().publish(goodKey)
		if code != codeRejected || !strings.HasPrefix(description, test.want) {
			t.Errorf("%v: %s: %s", test.err, code, description)
		}
		h.endedBy(Refused)
	}
}

func TestWriteErrorEndsThePublish(t *testing.T) {
	h := serve(t, Config{})
	c, p := h.publisher()
	p.mu.Lock()
	p.fail = errs.New(errs.Exhausted, "op", "the disk is full")
	p.mu.Unlock()
	c.video(0, avcFrame(0, idr))
	if code, description := c.status(); code != codeRejected || description != "the disk is full" {
		t.Errorf("%s: %s", code, description)
	}
	if r := p.waitClosed(t); r != media.ConnectionLost {
		t.Errorf("closed as %s", r)
	}
}

func TestWrongKeysAreLimitedPerAddress(t *testing.T) {
	h := serve(t, Config{MaxWrongKeys: 3})
	other, p := h.publisher()
	for range 3 {
		if code, _ := h.dial().publish("guess"); code != codeDenied {
			t.Fatal(code)
		}
	}
	code, description := h.dial().publish(goodKey)
	if code != codeDenied || !strings.Contains(description, "too many wrong stream keys") {
		t.Errorf("%s: %s", code, description)
	}
	if len(h.gate.pubs) != 1 || len(h.gate.requests) != 4 {
		t.Errorf("the gate saw %d requests", len(h.gate.requests))
	}
	other.video(0, avcFrame(0, idr)) // who publishes already goes on
	p.waitSamples(t, 1)
}

func TestDoneClosesTheConnection(t *testing.T) {
	h := serve(t, Config{})
	c, p := h.publisher()
	c.video(0, avcFrame(0, idr))
	p.waitSamples(t, 1)
	p.kick(errs.New(errs.Conflict, "op", "a newer publisher took over"))
	if code, description := c.status(); code != codeRejected || description != "a newer publisher took over" {
		t.Errorf("%s: %s", code, description)
	}
	c.closedByServer()
	p.waitClosed(t)
	h.endedBy(Displaced)
}

func TestShutdownEndsPublications(t *testing.T) {
	h := serve(t, Config{})
	c, p := h.publisher()
	silent := connect(t, h.addr)
	silent.write([]byte{3})
	h.stop()
	if r := p.waitClosed(t); r != media.ConnectionLost {
		t.Errorf("closed as %s", r)
	}
	c.closedByServer()
	silent.closedByServer()
	if n := h.ended(Shutdown); n != 2 {
		t.Errorf("%v connections shut down", n)
	}
	if _, err := net.Dial("tcp", h.addr); err == nil {
		t.Error("still listening")
	}
}

func TestConnectionCaps(t *testing.T) {
	t.Run("per address, strangers only", func(t *testing.T) {
		h := serve(t, Config{MaxConnectionsPerAddress: 2})
		h.publisher()
		h.publisher()
		h.dial()
		h.dial()
		connect(t, h.addr).closedByServer()
		h.endedByCap(AddressCap)
	})
	t.Run("in all", func(t *testing.T) {
		h := serve(t, Config{MaxConnections: 4})
		h.dial()
		h.dial()
		connect(t, h.addr).closedByServer() // half of the places are for publishers
		h.endedByCap(ConnectionCap)
	})
	t.Run("a place comes free", func(t *testing.T) {
		h := serve(t, Config{MaxConnectionsPerAddress: 1})
		for range 5 {
			c := h.dial()
			c.write([]byte{0xC3}) // a breach
			c.closedByServer()
			h.untilQuiet()
		}
	})
}

func (h *harness) endedByCap(want Reason) {
	h.t.Helper()
	if n := h.ended(want); n != 1 {
		h.t.Errorf("%v refused as %s, want 1", n, want)
	}
}

// A listener that fails for a while, as for want of file descriptors, is asked again, with pauses.
func TestAcceptBackOff(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := serveOn(t, Config{}, &flakyListener{Listener: l, failures: 3})
	h.publisher()
	if n := reading(h.metrics.retries); n != 3 {
		t.Errorf("%v retries", n)
	}
}

type flakyListener struct {
	net.Listener
	failures int
}

func (l *flakyListener) Accept() (net.Conn, error) {
	if l.failures > 0 {
		l.failures--
		return nil, errors.New("too many open files")
	}
	return l.Listener.Accept()
}

func TestListenerThatDies(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := New(Config{}, newRecorder(), testLog(t), newTestMetrics())
	served := make(chan error, 1)
	go func() { served <- s.Serve(t.Context(), l) }()
	dial(t, l.Addr().String()).Close()
	l.Close()
	if err := <-served; !errors.Is(err, net.ErrClosed) {
		t.Errorf("Serve: %v", err)
	}
}

func TestAcknowledgements(t *testing.T) {
	h := serve(t, Config{})
	c, p := h.publisher()
	c.send(message{typeID: typeWindowAckSize, body: binary.BigEndian.AppendUint32(nil, 1)})
	c.send(message{typeID: typeUserControl, body: []byte{0, 6, 1, 2, 3, 4}})
	for i := range uint32(100) {
		c.video(i*33, avcFrame(0, filled(idr, 1000)))
	}
	p.waitSamples(t, 100)
	var acks, pongs int
	for acks == 0 || pongs == 0 {
		m, err := c.replies.next()
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case m.typeID == typeAck:
			if n := binary.BigEndian.Uint32(m.body); n < minAckWindow || n > 200_000 {
				t.Errorf("acknowledged %d bytes", n)
			}
			acks++
		case m.typeID == typeUserControl && string(m.body) == "\x00\x07\x01\x02\x03\x04":
			pongs++
		}
	}
	if n := h.ended(Defect); n != 0 {
		t.Error("the connection ended")
	}
}

func TestPublishOnControlStream(t *testing.T) {
	h := serve(t, Config{})
	c := h.dial()
	c.negotiate("live")
	c.command(0, "publish", 0.0, nil, goodKey)
	if code, _ := c.status(); code != "NetStream.Publish.Start" {
		t.Error(code)
	}
}

func TestAMF3Commands(t *testing.T) {
	h := serve(t, Config{})
	c := h.dial()
	c.negotiate("live")
	c.send(message{typeID: typeCommandAMF3, streamID: 1, body: append([]byte{0}, values("publish", 5.0, nil, goodKey)...)})
	if code, _ := c.status(); code != "NetStream.Publish.Start" {
		t.Error(code)
	}
}

func TestTracksChangeInMidStream(t *testing.T) {
	h := serve(t, Config{})
	c, p := h.publisher()
	c.video(0, avcFrame(0, idr))
	c.video(33, avcConfig(testSPS, testPPS)) // repeated, unchanged
	c.video(33, avcFrame(0, slice))
	c.video(66, avcConfig(otherSPS, testPPS))
	c.video(66, avcFrame(0, idr))
	c.video(99, avcFrame(0, []byte{avcAUD, 0xF0}, testSPS, testPPS, idr)) // in band
	p.waitSamples(t, 4)
	var got []string
	for _, tracks := range p.tracks {
		got = append(got, string(tracks[0].SPS))
	}
	if diff := cmp.Diff([]string{string(testSPS), string(otherSPS), string(testSPS)}, got); diff != "" {
		t.Error(diff)
	}
	if s := p.of(media.Video)[3]; string(s.Payload) != string(lengthPrefixed(idr)) || !s.Key {
		t.Errorf("%x", s.Payload)
	}
}

func TestOneTrackAlone(t *testing.T) {
	h := serve(t, Config{})
	c := h.dial()
	c.publish(goodKey)
	p := h.next()
	c.video(5000, avcConfig(testSPS, testPPS))
	for i := range uint32(31) {
		c.video(5000+i*33, avcFrame(0, idr))
	}
	c.audio(6000, aacConfig)
	c.audio(6000, aacFrame)
	p.waitSamples(t, 32)
	if len(p.tracks) != 1 || len(p.tracks[0]) != 2 {
		t.Errorf("sound within a second is part of the beginning: %+v", p.tracks)
	}

	c2 := h.dial()
	c2.publish(goodKey)
	p2 := h.next()
	c2.audio(0, aacConfig)
	for i := range uint32(60) {
		c2.audio(i*21, aacFrame)
	}
	p2.waitSamples(t, 60)
	c2.video(1300, avcConfig(testSPS, testPPS))
	c2.video(1300, avcFrame(0, idr))
	p2.waitSamples(t, 61)
	if len(p2.tracks) != 2 || len(p2.tracks[0]) != 1 || len(p2.tracks[1]) != 2 {
		t.Errorf("tracks %+v", p2.tracks)
	}
}

// A publish that ends before its second track showed up loses nothing.
func TestShortPublishIsComplete(t *testing.T) {
	h := serve(t, Config{})
	c := h.dial()
	c.publish(goodKey)
	p := h.next()
	c.video(0, avcConfig(testSPS, testPPS))
	c.video(0, avcFrame(0, idr))
	c.command(0, "FCUnpublish", 6.0, nil, goodKey)
	p.waitClosed(t)
	if n := len(p.of(media.Video)); n != 1 {
		t.Errorf("%d samples", n)
	}
}

func TestNoUsableTrack(t *testing.T) {
	h := serve(t, Config{PublishTimeout: 50 * time.Millisecond})
	c := h.dial()
	c.publish(goodKey)
	go func() {
		for c.try(chunked(message{typeID: typeVideo, streamID: 1, body: avcFrame(0, idr)}, 6, c.chunkSize, true)) == nil {
		}
	}()
	if code, description := c.status(); code != codeRejected || !strings.Contains(description, "configuration") {
		t.Errorf("%s: %s", code, description)
	}
	c.closedByServer()
	h.endedBy(NoTracks)
}

func TestInBandData(t *testing.T) {
	h := serve(t, Config{})
	c, p := h.publisher()
	send := func(at uint32, vs ...any) {
		c.send(message{typeID: typeDataAMF0, timestamp: at, streamID: 1, body: values(vs...)})
	}
	c.video(1000, avcFrame(0, idr))
	send(0, "@setDataFrame", "onMetaData", amfObject{{"encoder", "obs"}, {"width", 320.0}})
	send(0, "onMetaData", "not an object")
	pin := amfObject{{"type", "pin"}, {"product_id", "prod_1"}, {"featured", true}, {"show_time_ms", 1200.0}, {"tags", []any{1.0, "a", nil}}}
	send(1010, "@vitrine", pin)
	send(1020, "onTextData", amfObject{{"text", `{"type":"unpin"}`}})
	send(1030, "onCuePoint", amfObject{{"name", "x"}, {"type", "event"}, {"parameters", pin}})
	send(1040, "@setDataFrame", "onTextData", `[1]`)
	send(0, "onTextData", `{"late":true}`) // no timestamp of use: now
	send(1050, "onTextData", "no JSON")
	send(1050, "@vitrine", 5.0)
	send(1050, "onFI", amfObject{})
	c.video(1033, avcFrame(0, slice))
	p.waitSamples(t, 2)

	json := `{"type":"pin","product_id":"prod_1","featured":true,"show_time_ms":1200,"tags":[1,"a",null]}`
	if diff := cmp.Diff([]string{json, `{"type":"unpin"}`, json, `[1]`, `{"late":true}`}, p.data); diff != "" {
		t.Error(diff)
	}
	var at []int64
	for _, ticks := range p.dataAt {
		at = append(at, ticks.Milliseconds())
	}
	if diff := cmp.Diff([]int64{1010, 1020, 1030, 1040, 0}, at); diff != "" {
		t.Error(diff)
	}
	if n := h.anomalies(BadMetadata); n != 3 {
		t.Errorf("%v bad data messages", n)
	}
}

func TestIdlePublisherIsClosed(t *testing.T) {
	h := serve(t, Config{IdleTimeout: 50 * time.Millisecond})
	c, p := h.publisher()
	c.closedByServer()
	if r := p.waitClosed(t); r != media.ConnectionLost {
		t.Errorf("closed as %s", r)
	}
	h.endedBy(IdleTimeout)
}

// A publisher that is faster than its limits is slowed down and loses nothing.
func TestRateLimit(t *testing.T) {
	h := serve(t, Config{MessagesPerSecond: 100, BytesPerSecond: readBuffer})
	c, p := h.publisher()
	began := time.Now()
	for i := range uint32(250) {
		c.video(i*33, avcFrame(0, idr))
	}
	p.waitSamples(t, 250)
	if d := time.Since(began); d < 300*time.Millisecond {
		t.Errorf("250 messages took %s at 100 a second and 200 ahead", d)
	}
	if h.anomalies(Throttled) == 0 {
		t.Error("not counted")
	}
}

// A defect behind the gate ends the one connection that meets it.
func TestPanicIsContained(t *testing.T) {
	h := serve(t, Config{})
	good, p := h.publisher()
	c, victim := h.publisher()
	victim.mu.Lock()
	victim.panics = true
	victim.mu.Unlock()
	c.video(0, avcFrame(0, idr))
	c.closedByServer()
	victim.waitClosed(t)
	good.video(0, avcFrame(0, idr))
	p.waitSamples(t, 1)
	if n := h.ended(Defect); n != 1 {
		t.Errorf("%v defects", n)
	}
}

func TestConfigValidate(t *testing.T) {
	if err := (Config{}).Validate(); err != nil {
		t.Error(err)
	}
	for _, c := range []Config{
		{MaxConnections: -1},
		{MaxConnectionsPerAddress: -1},
		{MaxWrongKeys: -1},
		{MessagesPerSecond: -1},
		{BytesPerSecond: 1},
		{HandshakeTimeout: -1},
		{PublishTimeout: 1},
		{IdleTimeout: -1},
		{WriteTimeout: -1},
		{MaxMediaMessage: 1},
		{MaxMediaMessage: 1 << 30},
	} {
		if err := c.Validate(); errs.KindOf(err) != errs.Invalid || errs.FieldOf(err) == "" {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
