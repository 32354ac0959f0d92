package whip

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
)

func typeName(v any) string { return fmt.Sprintf("%T", v) }

// film publishes and returns the client with what the gate sees of it.
func film(t *testing.T, h *harness, o clientOptions) (*client, *recording) {
	t.Helper()
	c := newClient(t, h, o)
	c.publish("/whip", o)
	p := h.next()
	c.film()
	return c, p
}

func TestPublishH264AndOpus(t *testing.T) {
	h := serve(t, Config{})
	c, p := film(t, h, clientOptions{})
	p.wait(t, "a second of film", func() bool { return len(p.samples) > 80 })
	video, audio := p.of(media.Video), p.of(media.Audio)
	c.checkPictures(video)
	if !video[0].Key {
		t.Error("the first picture is no keyframe")
	}
	if first := p.tracks[len(p.tracks)-1]; len(p.tracks) != 2 || len(first) != 2 || first[0].Codec != media.H264 || string(first[0].SPS) != string(testSPS(1280, 720)) || first[1].Codec != media.Opus || first[1].Channels != 2 {
		t.Errorf("tracks %+v", p.tracks)
	}
	for i := 1; i < len(audio); i++ {
		if d := audio[i].PTS - audio[i-1].PTS; d < 1700 || d > 1900 {
			t.Errorf("sound %d comes %d ticks after the one before", i, d)
		}
	}
	if d := video[0].PTS - audio[0].PTS; d.Duration().Abs() > 500*time.Millisecond {
		t.Errorf("sound begins %v before the picture", d.Duration())
	}
	if a := c.delete(); a.status != http.StatusOK {
		t.Errorf("DELETE: %d %s", a.status, a.body)
	}
	if r := p.waitClosed(t); r != media.Unpublished {
		t.Errorf("closed as %s", r)
	}
	h.endedBy(Deleted)
}

func TestPublishTells(t *testing.T) {
	if testing.Short() {
		t.Skip("keeps real time")
	}
	h := serve(t, Config{})
	_, p := film(t, h, clientOptions{})
	p.waitSamples(t, 200)
	req := p.req
	if req.Protocol != "whip" || req.StreamKey != goodKey || !req.Remote.Addr().IsLoopback() || req.Encoder == "" {
		t.Errorf("request %+v", req)
	}
	p.wait(t, "a link", func() bool { l := req.Link(); return l.RTT > 0 && l.Loss == 0 && l.Jitter > 0 })
	newest := p.of(media.Video)
	now := time.Now()
	at, ok := req.CapturedAt(now)
	if !ok {
		t.Fatal("nothing is known of the capture clock")
	}
	last := newest[len(newest)-1]
	if d := at - last.PTS - media.FromDuration(now.Sub(last.Arrival)); d.Duration().Abs() > 300*time.Millisecond {
		t.Errorf("the picture captured now is %v from the newest", d.Duration())
	}
}

func TestPublishVP8WhereThereIsNoH264(t *testing.T) {
	h := serve(t, Config{})
	c, p := film(t, h, clientOptions{mime: webrtc.MimeTypeVP8, width: 640, height: 480})
	p.waitSamples(t, 60)
	c.checkPictures(p.of(media.Video))
	if first := p.tracks[len(p.tracks)-1][0]; first.Codec != media.VP8 || first.Width != 640 || first.Height != 480 {
		t.Errorf("track %+v", first)
	}
}

func TestPublishSoundAlone(t *testing.T) {
	h := serve(t, Config{})
	_, p := film(t, h, clientOptions{noVideo: true})
	p.waitSamples(t, 30)
	if len(p.tracks) != 1 || len(p.tracks[0]) != 1 || p.tracks[0][0].Codec != media.Opus {
		t.Errorf("tracks %+v", p.tracks)
	}
}

func TestPublishOverTCP(t *testing.T) {
	h := serve(t, Config{})
	c, p := film(t, h, clientOptions{tcp: true})
	p.waitSamples(t, 30)
	c.checkPictures(p.of(media.Video))
}

func TestConnectionLost(t *testing.T) {
	h := serve(t, Config{})
	c, p := film(t, h, clientOptions{})
	p.waitSamples(t, 5)
	c.close()
	if r := p.waitClosed(t); r != media.ConnectionLost {
		t.Errorf("closed as %s", r)
	}
	h.endedBy(Lost)
}

func TestNewestPublisherWins(t *testing.T) {
	if testing.Short() {
		t.Skip("keeps real time")
	}
	h := serve(t, Config{})
	_, first := film(t, h, clientOptions{})
	first.waitSamples(t, 5)
	_, second := film(t, h, clientOptions{})
	if r := first.waitClosed(t); r != media.ConnectionLost {
		t.Errorf("the first was closed as %s", r)
	}
	second.waitSamples(t, 5)
}

func TestShutdown(t *testing.T) {
	h := serve(t, Config{})
	_, p := film(t, h, clientOptions{})
	p.waitSamples(t, 5)
	h.endedBy(Shutdown)
	if r := p.waitClosed(t); r != media.ConnectionLost {
		t.Errorf("closed as %s", r)
	}
	if a := h.request(http.MethodPost, "/whip", "", "Authorization", "Bearer "+goodKey); a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") == "" {
		t.Errorf("after the end: %d", a.status)
	}
}

func TestRefusedSampleEndsTheSession(t *testing.T) {
	h := serve(t, Config{})
	_, p := film(t, h, clientOptions{})
	p.waitSamples(t, 5)
	p.mu.Lock()
	p.fail = errs.New(errs.Invalid, "test", "no more")
	p.mu.Unlock()
	p.waitClosed(t)
	h.endedBy(Unacceptable)
}

func TestDefectEndsTheSessionAlone(t *testing.T) {
	h := serve(t, Config{})
	_, p := film(t, h, clientOptions{})
	p.waitSamples(t, 5)
	p.mu.Lock()
	p.panics = true
	p.mu.Unlock()
	p.waitClosed(t)
	h.endedBy(Broken)
}

func TestNotConnected(t *testing.T) {
	h := serve(t, Config{ConnectTimeout: time.Second})
	c := newClient(t, h, clientOptions{})
	offer := c.offer(nil)
	if a := h.request(http.MethodPost, "/whip", offer, "Content-Type", sdpType, "Authorization", "Bearer "+goodKey); a.status != http.StatusCreated {
		t.Fatalf("POST: %d %s", a.status, a.body)
	}
	h.next().waitClosed(t)
	h.endedBy(NotConnected)
}

func TestStereoIsWelcome(t *testing.T) {
	h := serve(t, Config{})
	c := newClient(t, h, clientOptions{})
	a := h.request(http.MethodPost, "/whip", c.offer(nil), "Content-Type", sdpType, "Authorization", "Bearer "+goodKey)
	if !strings.Contains(a.body, "stereo=1;sprop-stereo=1") || !strings.Contains(a.body, "a=setup:passive") {
		t.Errorf("answer\n%s", a.body)
	}
}
