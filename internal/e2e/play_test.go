package e2e

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bluenviron/gohlslib/v2"
	"github.com/bluenviron/gohlslib/v2/pkg/codecs"
)

var landscape = picture{width: 640, height: 360}

// One push with B-frames is played by every kind of player while it is live, and the replay holds every frame sent, once
// and at its time, as CMAF and as MPEG-TS.
func TestPlayers(t *testing.T) {
	s := serve(t)
	r := s.newRoom(t)
	pub := publish(t, s, r.StreamKey, publication{picture: landscape, bframes: 2})
	showID := s.onAir(t, r.ID)
	pub.reach(t, 4*fps) // so that segments stand in the playlist

	var players sync.WaitGroup
	live := s.url("/live/" + r.ID + "/index.m3u8")
	players.Go(func() { playGohlslib(t, live) })
	players.Go(func() { playFFmpeg(t, live) })
	players.Go(func() { playFFmpeg(t, s.url("/live/"+r.ID+"/ts/index.m3u8")) })
	playChromium(t, s, r.ID)
	players.Wait()
	sent := pub.finish(t)
	s.state(t, showID, "ended", 5*time.Second)
	ended := time.Now()

	replay := "/replay/" + showID
	eventually(t, time.Second, "the replay to be whole", func() bool {
		status, body := s.get(t, replay+"/main.m3u8")
		return status == 200 && strings.Contains(string(body), "#EXT-X-ENDLIST")
	})
	t.Logf("replay whole %v after the end", time.Since(ended).Round(time.Millisecond))
	for _, c := range []struct {
		path   string
		origin float64 // of the timestamps: MPEG-TS is set off, so that decode times are positive
		slack  float64 // for signed composition offsets, libavformat adds the largest to every presentation time
	}{{"/index.m3u8", 0, 2.0 / fps}, {"/ts/index.m3u8", 10, 0}} {
		url := s.url(replay + c.path)
		pts := packetTimes(t, url, "v")
		if shift := pts[0] - c.origin; shift < 0 || shift > c.slack+0.001 {
			t.Errorf("%s: the first frame is presented at %.3f s", c.path, pts[0])
		} else {
			c.origin = pts[0]
		}
		wantTimes(t, c.path, pts, c.origin, sent)
		wantFrames(t, c.path, frameNumbers(t, url, landscape), 0, sent)
		wantSound(t, c.path, packetTimes(t, url, "a"), sent)
	}
	if got, want := s.show(t, showID).DurationMS, int64(truthMS(0, sent)); got < want-40 || got > want+40 {
		t.Errorf("the show lasts %d ms, %d frames make %d", got, sent, want)
	}
	s.stop(t)
}

// wantSound wants one AAC packet every 1024 samples for as long as there are pictures.
func wantSound(t *testing.T, what string, pts []float64, frames int) {
	t.Helper()
	if want := float64(frames) / fps * 48000 / 1024; float64(len(pts)) < want-4 || float64(len(pts)) > want+4 {
		t.Errorf("%s: %d packets of sound, %d frames make %.0f", what, len(pts), frames, want)
	}
	for i, at := range pts {
		if off := at - pts[0] - float64(i)*1024/48000; off > 0.002 || off < -0.002 {
			t.Errorf("%s: sound packet %d is at %.4f s, %.1f ms off", what, i, at, off*1000)
			return
		}
	}
}

// playGohlslib follows with the library's client and wants consecutive frames.
func playGohlslib(t *testing.T, url string) {
	const want = 5 * fps
	var mu sync.Mutex
	var pts []int64
	var sound int
	enough := make(chan struct{})
	quiet := func(string) {}
	c := &gohlslib.Client{URI: url, OnDownloadPrimaryPlaylist: quiet, OnDownloadStreamPlaylist: quiet, OnDownloadSegment: quiet, OnDownloadPart: quiet}
	c.OnTracks = func(tracks []*gohlslib.Track) error {
		for _, tr := range tracks {
			switch tr.Codec.(type) {
			case *codecs.H264:
				c.OnDataH26x(tr, func(p, _ int64, _ [][]byte) {
					mu.Lock()
					defer mu.Unlock()
					if pts = append(pts, p); len(pts) == want {
						close(enough)
					}
				})
			case *codecs.MPEG4Audio:
				c.OnDataMPEG4Audio(tr, func(_ int64, aus [][]byte) {
					mu.Lock()
					defer mu.Unlock()
					sound += len(aus)
				})
			default:
				return fmt.Errorf("track %T", tr.Codec)
			}
		}
		return nil
	}
	if err := c.Start(); err != nil {
		t.Errorf("gohlslib: %v", err)
		return
	}
	select {
	case <-enough:
	case <-time.After(40 * time.Second):
		t.Error("gohlslib: no 5 s of frames in 40 s")
	}
	c.Close()
	mu.Lock()
	defer mu.Unlock()
	slices.Sort(pts)
	for i := range pts[:max(0, len(pts)-3)] { // the newest may still lack B-frames before them
		if step := pts[i+1] - pts[i]; i+1 < len(pts)-3 && (step < 2900 || step > 3100) {
			t.Errorf("gohlslib: frame %d comes %d ticks after the one before", i+1, step)
		}
	}
	if sound < 100 {
		t.Errorf("gohlslib: %d packets of sound", sound)
	}
}

func playFFmpeg(t *testing.T, url string) {
	t.Helper()
	out := ffmpegRun(t, 40*time.Second, "ffmpeg", "-nostdin", "-xerror", "-i", url, "-t", "4", "-progress", "pipe:1", "-f", "null", "-")
	i := strings.LastIndex(string(out), "frame=")
	var frames int
	if i >= 0 {
		_, _ = fmt.Sscanf(string(out)[i:], "frame=%d", &frames)
	}
	if frames < 110 {
		t.Errorf("ffmpeg played %d frames of 4 s of %s", frames, url)
	}
}

// playChromium watches the viewer's page for five seconds.
func playChromium(t *testing.T, s *server, roomID string) {
	t.Helper()
	b := browse(t, s.url("/r/"+roomID))
	b.waitPlaying(t)
	b.watch(t, landscape)
	time.Sleep(5 * time.Second)
	frames := b.seen(t)
	read := 0
	for i, f := range frames {
		if f.N >= 0 {
			read++
		}
		if i > 0 && f.N >= 0 && f.N < frames[i-1].N {
			t.Errorf("the page went back from frame %d to %d", frames[i-1].N, f.N)
		}
	}
	if read < 100 {
		t.Errorf("the page presented %d readable frames in 5 s", read)
	}
}

func (b *browser) waitPlaying(t *testing.T) {
	t.Helper()
	eventually(t, 30*time.Second, "the page to play", func() bool {
		var at float64
		b.eval(t, "document.querySelector('video')?.currentTime ?? 0", &at)
		return at > 0.5
	})
}
