package whip

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"

	"github.com/vitrine-live/vitrine/media"
)

const (
	// tick is how often the loop looks at what is due by time alone.
	tick = 250 * time.Millisecond
	// keyEvery is the floor of keyframe requests: browsers send keyframes only when asked, and segments end at them.
	keyEvery = 2 * time.Second
	// keyAgain is the least time between two requests: the first one's answer should have come.
	keyAgain = 400 * time.Millisecond
	// usualRTT stands for the round trip before it is known.
	usualRTT = 100 * time.Millisecond
)

// loopState is what the loop of a session owns.
type loopState struct {
	connected atomic.Bool // set by a callback

	out      *publisher
	streams  map[webrtc.SSRC]*stream
	active   *stream // the layer of the picture that is published
	audio    *stream
	plays    time.Duration // the newest packet of sound
	channel  channel
	base     time.Time // of jitter's transit times
	rtt      time.Duration
	keyAsked time.Time
	media    time.Time // the newest packet
	seconds  time.Time // of the last bookkeeping
	failed   error
	nacks    []uint16
	told     int64 // discarded pictures that metrics know
}

// loop works until the session's end, and returns why it ended.
func (c *session) loop() *ended {
	now := time.Now()
	c.out = newPublisher(c.pub, c.offer, c.server.cfg.HoldStart, c.log, c.server.metrics)
	c.streams, c.base, c.media, c.seconds, c.rtt = map[webrtc.SSRC]*stream{}, now, now, now, usualRTT
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	wake := time.NewTimer(time.Hour)
	defer wake.Stop()
	for c.failed == nil {
		select {
		case <-c.ctx.Done():
			c.out.finish(time.Now())
			return c.why()
		case <-c.pub.Done():
			return &ended{Displaced, c.pub.Err()}
		case a := <-c.packets:
			c.packet(a)
		case h := <-c.reports:
			c.report(h)
		case in := <-c.messages:
			c.message(in)
		case <-wake.C:
			c.drain(time.Now())
		case now := <-ticker.C:
			if how := c.tick(now); how != nil {
				return how
			}
		}
		if at, ok := c.due(); ok {
			wake.Reset(max(time.Until(at), time.Millisecond))
		}
	}
	return &ended{Unacceptable, c.failed}
}

// why says what the context ended for.
func (c *session) why() *ended {
	var how *ended
	if errors.As(context.Cause(c.ctx), &how) {
		return how
	}
	return &ended{how: Shutdown}
}

// packet takes one packet of any track.
func (c *session) packet(a arrival) {
	c.server.metrics.packets.Inc()
	c.media = a.packet.arrival
	st := c.streams[a.track.SSRC()]
	if st == nil {
		st = c.newStream(a.track)
		if st == nil {
			a.packet.recycle()
			return
		}
	}
	c.out.settle.media(a.packet.arrival)
	c.out.videoSeen = c.out.videoSeen || st.kind == media.Video
	restarts := st.ring.restarts
	st.arrived(a.packet, c.base)
	if st.ring.restarts > restarts {
		c.server.metrics.anomaly(StreamRestart)
	}
	c.drainStream(st, time.Now())
}

// newStream makes the stream of a track; nil when the session has what it needs already.
func (c *session) newStream(track *webrtc.TrackRemote) *stream {
	sec := c.offer.video
	if track.Kind() == webrtc.RTPCodecTypeAudio {
		sec = c.offer.audio
	}
	const maxStreams = 8 // three layers are usual
	if sec == nil || len(c.streams) >= maxStreams || sec == c.offer.audio && c.audio != nil {
		return nil
	}
	st := newStream(track, sec, c.server.metrics.anomaly)
	c.streams[st.ssrc] = st
	if st.kind == media.Audio {
		c.audio = st
	} else {
		c.askKey(time.Now(), keyAgain)
	}
	c.log.Info("track", "kind", st.kind.String(), "codec", sec.codec.String(), "layer", st.rid, "format", track.Codec().SDPFmtpLine)
	return st
}

// drain hands on what has become ready in any stream.
func (c *session) drain(now time.Time) {
	for _, st := range c.streams {
		c.drainStream(st, now)
	}
}

func (c *session) drainStream(st *stream, now time.Time) {
	for p := st.ring.pop(now); p != nil && c.failed == nil; p = st.ring.pop(now) {
		if st.kind == media.Video {
			st.pictures.push(p, func(pic picture) { c.picture(st, pic, now) })
		} else if len(p.Payload) > 0 {
			c.plays = opusDuration(p.Payload)
			c.fail(c.out.packet(&st.clock, st.clock.peek(p.Timestamp), append([]byte(nil), p.Payload...), p.arrival, now))
		}
		p.recycle()
	}
	if st.nack {
		c.askAgain(st, now)
	}
	if st.kind == media.Video && st.pictures.needKey && (st == c.active || c.active == nil) {
		c.askKey(now, keyAgain)
	}
}

func (c *session) fail(err error) {
	if c.failed == nil {
		c.failed = err
	}
}

// picture takes a picture of a layer.
func (c *session) picture(st *stream, pic picture, now time.Time) {
	st.learn(&pic)
	if st != c.active {
		if !pic.key || !st.betterThan(c.active, c.out.begun, now) {
			return
		}
		if c.active != nil {
			c.server.metrics.anomaly(LayerSwitch)
			c.log.Info("another layer takes over", "layer", st.rid, "width", st.width, "height", st.height)
		}
		c.active, pic.track = st, st.track
		c.out.follow(&st.clock, now)
		c.mapCapture()
	}
	c.fail(c.out.picture(pic, st.width, st.height, now))
}

// size returns the size that a track's parameters tell.
func size(t *media.Track) (width, height int) {
	if t.Codec != media.H264 {
		return t.Width, t.Height
	}
	var sps h264.SPS
	if sps.Unmarshal(t.SPS) != nil { // was read before
		return 0, 0
	}
	return sps.Width(), sps.Height()
}

// report takes a sender report.
func (c *session) report(h heard) {
	st := c.streams[h.ssrc]
	if st == nil || !st.clock.started {
		return // the next one comes in a moment
	}
	st.clock.hear(h.report)
	c.channel.clocks.report(h.report)
	c.align(h.report.arrival)
	c.mapCapture()
	c.fail(c.out.begin(time.Now()))
}

// align brings the sound's clock nearer to that of the picture.
func (c *session) align(now time.Time) {
	if path, ok := c.channel.clocks.reports.value(); ok && c.audio != nil {
		c.out.tooNew = impossibleAge(&c.audio.clock, path, c.plays, now)
	}
	c.out.align(now)
}

// mapCapture renews what the session tells about captured instants.
func (c *session) mapCapture() {
	lead := c.out.lead
	if lead == nil || !lead.report.known {
		return
	}
	lag, ok := c.channel.clocks.lag(c.rtt)
	if !ok {
		return
	}
	c.capture.now.Store(&captureMap{ntp: lead.report.ntp, at: c.out.publisherTime(lead.report.at), lag: lag})
}

// due returns when a missing packet needs attention.
func (c *session) due() (t time.Time, ok bool) {
	for _, st := range c.streams {
		if at, waits := st.ring.due(c.rtt); waits && (!ok || at.Before(t)) {
			t, ok = at, true
		}
	}
	return t, ok
}

// askAgain requests the packets that are missing.
func (c *session) askAgain(st *stream, now time.Time) {
	c.nacks = st.ring.nacks(now, c.rtt, c.nacks[:0])
	if len(c.nacks) == 0 {
		return
	}
	c.server.metrics.nacks.Add(float64(len(c.nacks)))
	c.write(&rtcp.TransportLayerNack{MediaSSRC: uint32(st.ssrc), Nacks: rtcp.NackPairsFromSequenceNumbers(c.nacks)})
}

// askKey requests a keyframe of the published layer, or of all layers while none is, unless one was asked for within the
// given time.
func (c *session) askKey(now time.Time, within time.Duration) {
	if now.Sub(c.keyAsked) < within {
		return
	}
	c.keyAsked = now
	for _, st := range c.streams {
		if st.kind != media.Video || st != c.active && c.active != nil && c.active.alive(now) && c.out.begun {
			continue
		}
		c.server.metrics.keyRequests.Inc()
		c.write(&rtcp.PictureLossIndication{MediaSSRC: uint32(st.ssrc)})
	}
}

// write sends a report. One that is lost is made good by the next.
func (c *session) write(p rtcp.Packet) { _ = c.pc.WriteRTCP([]rtcp.Packet{p}) }

// tick does what is due by time alone, and says when the session is over.
func (c *session) tick(now time.Time) *ended {
	cfg := c.server.cfg
	silent := now.Sub(c.media)
	switch {
	case !c.connected.Load() && silent >= cfg.ConnectTimeout:
		return &ended{NotConnected, errNoPath}
	case c.connected.Load() && silent >= max(cfg.MediaTimeout, cfg.ConnectTimeout):
		return &ended{NoMedia, errors.New("connected, but no picture or sound comes")}
	}
	c.drain(now)
	c.askKey(now, keyEvery)
	if c.channel.due(now) {
		c.channel.ping(now)
	}
	if now.Sub(c.seconds) >= time.Second {
		c.seconds = c.seconds.Add(time.Second)
		c.second()
		c.align(now)
	}
	c.fail(c.out.begin(now))
	return nil
}

// second keeps the books.
func (c *session) second() {
	c.measureRTT()
	var all counts
	var discarded int64
	var worst time.Duration
	m := c.server.metrics
	for _, st := range c.streams {
		now := counts{received: st.ring.received, repaired: st.ring.repaired, lost: st.ring.lost}
		m.lost.Add(float64(now.lost - st.counted.lost))
		m.repaired.Add(float64(now.repaired - st.counted.repaired))
		st.counted = now
		all.received, all.repaired, all.lost = all.received+now.received, all.repaired+now.repaired, all.lost+now.lost
		if st.pictures != nil {
			discarded += st.pictures.discarded
		}
		if st == c.active || st == c.audio {
			worst = max(worst, st.jitter.value)
		}
	}
	m.discarded.Add(float64(discarded - c.told))
	c.told = discarded
	c.link.second(all, c.rtt, worst, discarded)
}

// measureRTT asks ICE, whose checks go on for as long as the session.
func (c *session) measureRTT() {
	if stats, ok := c.pc.SCTP().Transport().ICETransport().GetSelectedCandidatePairStats(); ok && stats.CurrentRoundTripTime > 0 {
		c.rtt = time.Duration(stats.CurrentRoundTripTime * float64(time.Second))
	}
}

// readReports feeds the sender reports of a track to the loop. Reports must be read in any case, or pion's own reading of
// them stops.
func (c *session) readReports(track *webrtc.TrackRemote, receiver *webrtc.RTPReceiver) {
	buf := make([]byte, mtu)
	for {
		var n int
		var err error
		if rid := track.RID(); rid != "" {
			n, _, err = receiver.ReadSimulcast(buf, rid)
		} else {
			n, _, err = receiver.Read(buf)
		}
		if err != nil {
			return
		}
		now := time.Now()
		all, err := rtcp.Unmarshal(buf[:n])
		if err != nil {
			continue
		}
		for _, p := range all {
			sr, ok := p.(*rtcp.SenderReport)
			if !ok || sr.NTPTime == 0 { // 0: the sender has no clock (RFC 3550, 6.4.1)
				continue
			}
			select {
			case c.reports <- heard{webrtc.SSRC(sr.SSRC), senderReport{ntp: ntpTime(sr.NTPTime), stamp: sr.RTPTime, arrival: now}}:
			case <-c.ctx.Done():
				return
			}
		}
	}
}
