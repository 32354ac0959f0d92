package e2e

import (
	"bufio"
	"bytes"
	_ "embed"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/vitrine-live/vitrine/internal/badnet"
)

// whipJS runs in the page of a publisher.
//
//go:embed whip.js
var whipJS string

// The publisher's film is a loop of whole flash periods, so that it has no seam.
const (
	flashEvery = 2 * fps // frames
	flashLong  = 3
	filmLong   = 4 * flashEvery
)

// filmPicture is what the publisher's camera sees.
var filmPicture = picture{width: 640, height: 360, flash: func(n int) bool { return n%flashEvery < flashLong }}

// cameraFiles makes the film for the fake devices of Chromium: flashes, each with a beep.
func cameraFiles(t *testing.T) (camera, microphone string) {
	t.Helper()
	dir := t.TempDir()
	camera, microphone = filepath.Join(dir, "camera.y4m"), filepath.Join(dir, "microphone.wav")
	var y4m bytes.Buffer
	fmt.Fprintf(&y4m, "YUV4MPEG2 W%d H%d F%d:1 Ip A1:1 C420\n", filmPicture.width, filmPicture.height, fps)
	frame := make([]byte, filmPicture.size())
	for n := range filmLong {
		filmPicture.draw(frame, n)
		y4m.WriteString("FRAME\n")
		y4m.Write(frame)
	}
	const rate = 48000
	sound := make([]byte, 2*filmLong*rate/fps)
	for i := range len(sound) / 2 {
		if at := i % (flashEvery * rate / fps); at < rate/10 { // a beep of 100 ms
			binary.LittleEndian.PutUint16(sound[2*i:], uint16(int16(16000*math.Sin(2*math.Pi*1000*float64(at)/rate))))
		}
	}
	var wav bytes.Buffer
	wav.WriteString("RIFF")
	for _, v := range []any{uint32(36 + len(sound)), []byte("WAVEfmt "), uint32(16), uint16(1), uint16(1), uint32(rate), uint32(2 * rate), uint16(2), uint16(16), []byte("data"), uint32(len(sound)), sound} {
		_ = binary.Write(&wav, binary.LittleEndian, v) // to memory
	}
	for name, b := range map[string][]byte{camera: y4m.Bytes(), microphone: wav.Bytes()} {
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return camera, microphone
}

// anchor is a Chromium that publishes.
type anchor struct{ *browser }

// anchorPage opens a publisher's page; it does not publish yet.
func anchorPage(t *testing.T) *anchor {
	t.Helper()
	camera, microphone := cameraFiles(t)
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "<!doctype html><title>anchor</title><script>%s</script>", whipJS)
	}))
	t.Cleanup(page.Close)
	return &anchor{browse(t, page.URL,
		chromedp.Flag("use-fake-device-for-media-stream", true), chromedp.Flag("use-fake-ui-for-media-stream", true),
		chromedp.Flag("use-file-for-fake-video-capture", camera), chromedp.Flag("use-file-for-fake-audio-capture", microphone),
		chromedp.Flag("allow-loopback-in-peer-connection", true),
	)}
}

// publish goes live with a room's key. hide leaves the browser's own addresses out of the offer.
func (a *anchor) publish(t *testing.T, s *server, key string, hide bool) {
	t.Helper()
	args, _ := json.Marshal(map[string]any{"whip": s.url("/whip"), "key": key, "width": filmPicture.width, "height": filmPicture.height, "hide": hide})
	var got struct{ Codec, Connected string }
	a.eval(t, "__whip.publish("+string(args)+")", &got)
	if got.Codec != "video/H264" {
		t.Errorf("the browser sends %s", got.Codec)
	}
}

// stop ends the publish as an anchor does.
func (a *anchor) stop(t *testing.T) {
	t.Helper()
	var status int
	if a.eval(t, "__whip.stop()", &status); status != http.StatusOK {
		t.Errorf("DELETE was answered %d", status)
	}
}

// A phone's browser publishes with no app: its pictures reach the viewers as the encoder made them, its sound as AAC, and
// both together.
func TestPublishFromChromium(t *testing.T) {
	s := serve(t)
	r := s.newRoom(t)
	a := anchorPage(t)
	a.publish(t, s, r.StreamKey, false)
	showID := s.onAir(t, r.ID)
	viewer := browse(t, s.url("/r/"+r.ID))
	viewer.waitPlaying(t)
	viewer.watch(t, filmPicture)
	eventually(t, 20*time.Second, "the viewer to see two seconds of film", func() bool { return readable(viewer.seen(t)) > fps })
	eventually(t, 30*time.Second, "six beeps", func() bool {
		var n int
		a.eval(t, "__whip.beeps.length", &n)
		return n >= 6
	})
	var source struct {
		Slices         []uint32
		Flashes, Beeps []float64
	}
	a.stop(t)
	a.eval(t, "({slices: __whip.slices, flashes: __whip.flashes.map((f) => f()), beeps: __whip.beeps.map((f) => f())})", &source)
	s.state(t, showID, "ended", 5*time.Second)

	url := s.url("/replay/" + showID + "/index.m3u8")
	checkSlices(t, url, source.Slices)
	checkSound(t, url)
	flashes, beeps := flashTimes(t, url), beepTimes(t, url)
	// Both lists of flashes tell how the two clocks relate; what the beeps tell beside that is the error.
	behind, ok1 := apart(flashes, seconds(source.Flashes), 0)
	slip, ok2 := apart(beeps, seconds(source.Beeps), behind)
	if !ok1 || !ok2 {
		t.Fatalf("flashes at %v, beeps at %v; captured flashes %v, beeps %v", flashes, beeps, source.Flashes, source.Beeps)
	}
	t.Logf("sound is %.0f ms later than its picture", 1000*slip)
	if math.Abs(slip) > 0.045 {
		t.Errorf("sound and picture are %.0f ms apart", 1000*slip)
	}
}

// On a network that loses every twentieth packet nothing broken is recorded.
func TestPublishOverABadNetwork(t *testing.T) {
	n, err := badnet.Listen(badnet.Config{Loss: 0.05, Repeat: 0.03, Late: 0.05, Jitter: 30 * time.Millisecond, Up: 20 * time.Millisecond, Down: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Close)
	s := serve(t, "VITRINE_WEBRTC_PUBLIC="+n.Addr())
	n.Connect(s.webrtc)
	r := s.newRoom(t)
	a := anchorPage(t)
	a.publish(t, s, r.StreamKey, true)
	showID := s.onAir(t, r.ID)
	viewer := browse(t, s.url("/r/"+r.ID))
	eventually(t, 30*time.Second, "eight seconds of film", func() bool { return s.listed(t, r.ID, showID) > 8*time.Second })
	// The viewer goes on all the while.
	var begun float64
	eventually(t, 20*time.Second, "the viewer to play", func() bool {
		viewer.eval(t, "document.querySelector('video')?.currentTime ?? 0", &begun)
		return begun > 0
	})
	eventually(t, 20*time.Second, "the viewer to go on for four seconds", func() bool {
		var now float64
		viewer.eval(t, "document.querySelector('video').currentTime", &now)
		return now > begun+4
	})
	a.stop(t)
	s.state(t, showID, "ended", 5*time.Second)
	var sent []uint32
	a.eval(t, "__whip.slices", &sent)
	url := s.url("/replay/" + showID + "/index.m3u8")
	checkSlices(t, url, sent)
	ffmpegRun(t, time.Minute, "ffmpeg", "-nostdin", "-xerror", "-err_detect", "explode", "-i", url, "-f", "null", "-")
}

// One show goes from OBS to a phone and back; its replay is one piece.
func TestHandOver(t *testing.T) {
	s := serve(t)
	r := s.newRoom(t)
	a := anchorPage(t)
	film := publication{picture: filmPicture}
	first := publish(t, s, r.StreamKey, film)
	showID := s.onAir(t, r.ID)
	first.reach(t, 3*fps)
	a.publish(t, s, r.StreamKey, false)
	s.epochs(t, showID, 2)
	first.cut()
	time.Sleep(3 * time.Second) // of the phone's film
	film.first = 1000
	second := publish(t, s, r.StreamKey, film)
	s.epochs(t, showID, 3)
	second.reach(t, film.first+3*fps)
	second.finish(t)
	s.state(t, showID, "ended", 5*time.Second)
	if sh := s.show(t, showID); len(sh.Epochs) != 3 || sh.DurationMS < 7000 {
		t.Errorf("the show is %+v", sh)
	}
	url := s.url("/replay/" + showID + "/ts/index.m3u8") // ffmpeg reads one initialization segment of a CMAF playlist alone
	out := ffmpegRun(t, time.Minute, "ffmpeg", "-nostdin", "-xerror", "-i", url, "-map", "0:v", "-map", "0:a", "-progress", "pipe:1", "-f", "null", "-")
	var frames int
	if i := bytes.LastIndex(out, []byte("frame=")); i >= 0 {
		_, _ = fmt.Sscanf(string(out[i:]), "frame=%d", &frames)
	}
	if frames < 7*fps*8/10 {
		t.Errorf("the replay has %d frames", frames)
	}
}

// epochs waits until the show has n of them and is live.
func (s *server) epochs(t *testing.T, showID string, n int) {
	t.Helper()
	eventually(t, 20*time.Second, fmt.Sprintf("epoch %d", n), func() bool {
		sh := s.show(t, showID)
		return len(sh.Epochs) >= n && sh.State == "live"
	})
}

func readable(frames []seen) (n int) {
	for _, f := range frames {
		if f.N >= 0 {
			n++
		}
	}
	return n
}

// checkSlices wants every coded slice of a recording to be one that the publisher's encoder made, and most of those to be
// there.
func checkSlices(t *testing.T, url string, sent []uint32) {
	t.Helper()
	stream := ffmpegRun(t, time.Minute, "ffmpeg", "-nostdin", "-i", url, "-map", "0:v", "-c", "copy", "-bsf:v", "h264_mp4toannexb", "-f", "h264", "pipe:1")
	known := map[uint32]bool{}
	for _, h := range sent {
		known[h] = true
	}
	count := 0
	for _, nal := range bytes.Split(stream, []byte{0, 0, 1}) {
		nal = bytes.TrimRight(nal, "\x00")
		if len(nal) == 0 || nal[0]&31 != 1 && nal[0]&31 != 5 {
			continue
		}
		count++
		h := fnv.New32a()
		_, _ = h.Write(nal)
		if !known[h.Sum32()] {
			t.Fatalf("slice %d of the recording, %d bytes, is not the encoder's", count, len(nal))
		}
	}
	t.Logf("%d slices recorded, all the encoder's; it made %d", count, len(sent))
	if count < len(sent)/2 || count < 3*fps {
		t.Errorf("only %d of %d slices are recorded", count, len(sent))
	}
}

// checkSound wants AAC with both channels.
func checkSound(t *testing.T, url string) {
	t.Helper()
	out := ffmpegRun(t, time.Minute, "ffprobe", "-select_streams", "a", "-show_entries", "stream=codec_name,profile,sample_rate,channels", "-of", "csv=p=0", url)
	if line, _, _ := bytes.Cut(out, []byte("\n")); string(bytes.TrimSpace(line)) != "aac,LC,48000,2" {
		t.Errorf("the sound is %s", out)
	}
}

// flashTimes are when the flashes of a stream begin, in seconds of its own time.
func flashTimes(t *testing.T, url string) (at []float64) {
	t.Helper()
	pts := packetTimes(t, url, "v")
	raw := ffmpegRun(t, time.Minute, "ffmpeg", "-nostdin", "-i", url, "-map", "0:v", "-vsync", "passthrough", "-vf", "crop=iw:ih/10:0:0,scale=4:4", "-f", "rawvideo", "-pix_fmt", "gray", "pipe:1")
	lit := true
	for i := 0; (i+1)*16 <= len(raw) && i < len(pts); i++ {
		bright := raw[i*16+5] > 180
		if bright && !lit {
			at = append(at, pts[i])
		}
		lit = bright
	}
	return at
}

// beepTimes are when the beeps of a stream begin, likewise.
func beepTimes(t *testing.T, url string) (at []float64) {
	t.Helper()
	const rate = 48000
	raw := bufio.NewReader(bytes.NewReader(ffmpegRun(t, time.Minute, "ffmpeg", "-nostdin", "-i", url, "-map", "0:a", "-af", "aresample=async=1:first_pts=0", "-ac", "1", "-f", "s16le", "pipe:1")))
	quiet := 0
	for i := 0; ; i++ {
		var v int16
		if binary.Read(raw, binary.LittleEndian, &v) != nil {
			return at
		}
		if v > -3000 && v < 3000 {
			quiet++
			continue
		}
		if quiet > rate/2 {
			at = append(at, float64(i)/rate)
		}
		quiet = 0
	}
}

// apart returns by how much the events of a stream are later than known ones that are moved by about: the median over the
// pairing with the most events that agree. Without about any distance will do. ok is false when fewer than two agree.
func apart(viewed, known []float64, about float64) (by float64, ok bool) {
	var best []float64
	for _, first := range viewed {
		for _, k := range known {
			d := first - k
			if about != 0 && math.Abs(d-about) > 0.5 {
				continue
			}
			if agree := agreeing(viewed, known, d); len(agree) > len(best) {
				best = agree
			}
		}
	}
	if len(best) < 2 {
		return 0, false
	}
	return median(best) - about, true
}

// agreeing are the distances within 60 ms of d between events of the two lists.
func agreeing(viewed, known []float64, d float64) (out []float64) {
	for _, v := range viewed {
		for _, k := range known {
			if math.Abs(v-k-d) < 0.06 {
				out = append(out, v-k)
			}
		}
	}
	return out
}

func seconds(ms []float64) (out []float64) {
	for _, v := range ms {
		out = append(out, v/1000)
	}
	return out
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}
