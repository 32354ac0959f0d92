package whip

import (
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/vitrine-live/vitrine/media"
)

const (
	// videoPatience is how long a missing packet of the picture is waited for: two or three retransmissions on most
	// networks.
	videoPatience = 250 * time.Millisecond
	// audioPatience is the same for sound, which browsers do not send again.
	audioPatience = 60 * time.Millisecond
	// silentAfter is when a layer of a simulcast counts as gone.
	silentAfter = 2 * time.Second
	// steadyAfter is how long a layer must be there before it may take over from one that works.
	steadyAfter = 5 * time.Second
)

// stream is one RTP stream: the sound, or one layer of the picture. It belongs to the session's loop.
type stream struct {
	kind     media.Kind
	ssrc     webrtc.SSRC
	rid      string
	nack     bool // missing packets may be asked for
	ring     ring
	clock    streamClock
	jitter   jitter
	pictures *assembler // of the picture
	track    *media.Track
	width    int
	height   int
	since    time.Time // of the first packet after silence
	newest   time.Time // arrival
	counted  counts    // of the ring, as far as metrics know
}

func newStream(track *webrtc.TrackRemote, sec *section, anomaly func(Anomaly)) *stream {
	codec := track.Codec()
	st := &stream{ssrc: track.SSRC(), rid: track.RID(), kind: sec.codec.Kind(), clock: streamClock{rate: int64(codec.ClockRate)}}
	for _, f := range codec.RTCPFeedback {
		st.nack = st.nack || f.Type == webrtc.TypeRTCPFBNACK && f.Parameter == ""
	}
	st.ring.patience = videoPatience
	switch sec.codec {
	case media.H264:
		st.pictures = newAssembler(newH264Format(sec.sps, sec.pps, anomaly), anomaly)
	case media.VP8:
		st.pictures = newAssembler(&vp8Format{}, anomaly)
	default:
		st.ring.patience = audioPatience
	}
	return st
}

// arrived notes the arrival of a packet and puts it into the ring.
func (st *stream) arrived(p *packet, base time.Time) {
	if p.arrival.Sub(st.newest) > silentAfter {
		st.since = p.arrival
	}
	st.newest = p.arrival
	at := st.clock.take(p.Timestamp)
	if !p.repaired { // those come late by nature
		st.clock.arrivals.Observe(at, p.arrival)
		st.jitter.observe(at, p.arrival, base)
	}
	st.ring.push(p)
}

// alive reports whether packets come.
func (st *stream) alive(now time.Time) bool { return now.Sub(st.newest) < silentAfter }

func (st *stream) area() int { return st.width * st.height }

// betterThan reports whether the layer should take over from active at its keyframe.
func (st *stream) betterThan(active *stream, begun bool, now time.Time) bool {
	switch {
	case active == nil || !active.alive(now):
		return true
	case st.area() <= active.area():
		return false
	}
	return !begun || now.Sub(st.since) >= steadyAfter
}

// learn notes the parameters of a keyframe.
func (st *stream) learn(pic *picture) {
	if pic.track != nil {
		st.track = pic.track
		st.width, st.height = size(pic.track)
	}
}
