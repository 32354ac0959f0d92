package whip

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"

	"github.com/vitrine-live/vitrine/media"
)

// layer is one encoding of a simulcast.
type layer struct {
	rid           string
	width, height int
	delay         time.Duration // until it begins
}

// Of the layers of a simulcast the largest is published, from the start or as soon as it is steady.
func TestSimulcastTakesTheLargestLayer(t *testing.T) {
	if testing.Short() {
		t.Skip("keeps real time")
	}
	h := serve(t, Config{})
	c := newClient(t, h, clientOptions{noVideo: true, noAudio: true})
	layers := []layer{{"q", 320, 176, 0}, {"f", 1280, 720, 200 * time.Millisecond}, {"h", 640, 352, 0}}
	c.simulcast(layers)
	p := h.next()
	p.waitSamples(t, 60)
	c.checkPictures(p.of(media.Video))
	if w, hh := size(&p.tracks[len(p.tracks)-1][0]); w != 1280 || hh != 720 {
		t.Errorf("a picture of %dx%d is published", w, hh)
	}
	if len(p.tracks) != 1 {
		t.Errorf("tracks were named %d times", len(p.tracks))
	}
	video := p.of(media.Video)
	for i := 1; i < len(video); i++ {
		if step := (video[i].PTS - video[i-1].PTS).Duration(); step <= 0 || step > time.Second {
			t.Errorf("picture %d steps by %v", i, step)
		}
	}
}

// simulcast publishes layers and films until the client is closed.
func (c *client) simulcast(layers []layer) {
	c.t.Helper()
	var tracks []*webrtc.TrackLocalStaticRTP
	var sender *webrtc.RTPSender
	for _, l := range layers {
		track, err := webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeH264, ClockRate: 90000}, "video", "film", webrtc.WithRTPStreamID(l.rid))
		if err != nil {
			c.t.Fatal(err)
		}
		tracks = append(tracks, track)
		if sender == nil {
			tr, err := c.pc.AddTransceiverFromTrack(track, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
			if err != nil {
				c.t.Fatal(err)
			}
			sender = tr.Sender()
		} else if err := sender.AddEncoding(track); err != nil {
			c.t.Fatal(err)
		}
	}
	c.publish("/whip", clientOptions{})
	waitConnected(c.t, c.pc)
	ids := map[string]uint8{}
	for _, e := range sender.GetParameters().HeaderExtensions {
		ids[e.URI] = uint8(e.ID)
	}
	for i, l := range layers {
		c.wait.Go(func() { c.filmLayer(tracks[i], l, ids) })
	}
}

func (c *client) filmLayer(track *webrtc.TrackLocalStaticRTP, l layer, ids map[string]uint8) {
	cam := camera{mime: webrtc.MimeTypeH264, width: l.width, height: l.height}
	stamp, seq, began := rand.Uint32(), uint16(rand.Uint32()), time.Now()
	ticker := time.NewTicker(time.Second / 30)
	defer ticker.Stop()
	for n := 0; ; n++ {
		select {
		case <-c.stop:
			return
		case <-ticker.C:
		}
		if time.Since(began) < l.delay {
			continue
		}
		whole, payloads := cam.shoot(n, n%15 == 0)
		c.mu.Lock()
		c.sent[string(whole)] = true
		c.mu.Unlock()
		at := stamp + uint32(time.Since(began)*90/time.Millisecond)
		for i, b := range payloads {
			p := &rtp.Packet{Header: rtp.Header{Version: 2, Timestamp: at, SequenceNumber: seq, Marker: i == len(payloads)-1}, Payload: b}
			_ = p.SetExtension(ids[sdp.SDESMidURI], []byte("0"))
			_ = p.SetExtension(ids[sdp.SDESRTPStreamIDURI], []byte(l.rid))
			_ = track.WriteRTP(p)
			seq++
		}
	}
}
