package e2e

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/vitrine-live/vitrine/internal/badnet"
)

// studioJS runs in the anchor's page before the page's own scripts.
//
//go:embed studio.js
var studioJS string

// studio is a Chromium at the anchor's page, with a camera that counts its pictures.
type studio struct{ *browser }

// openStudio opens the anchor's page with the room's key in its address, and waits until it could go live.
func openStudio(t *testing.T, s *server, r room) *studio {
	t.Helper()
	b := browse(t, "about:blank", chromedp.Flag("allow-loopback-in-peer-connection", true), chromedp.Flag("use-fake-ui-for-media-stream", true),
		chromedp.Flag("use-fake-device-for-media-stream", true))
	x, y, cell := landscape.codeBlock()
	args, _ := json.Marshal(map[string]int{"x": x, "y": y, "cell": cell, "width": landscape.width, "height": landscape.height})
	calm := emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-reduced-motion", Value: "reduce"}}) // what moves is hard to press
	b.run(t, 10*time.Second, calm, chromedp.ActionFunc(func(ctx context.Context) error {
		_, err := page.AddScriptToEvaluateOnNewDocument(studioJS + "(" + string(args) + ")").Do(ctx)
		return err
	}))
	b.open(t, s.url("/studio/"+r.ID+"#key="+r.StreamKey))
	return &studio{b}
}

// goLive presses the button as soon as it is there, and waits until viewers are shown the picture.
func (st *studio) goLive(t *testing.T) {
	t.Helper()
	st.press(t, `[data-testid=go]`)
	st.is(t, "live", 30*time.Second)
}

func (st *studio) press(t *testing.T, selector string) {
	t.Helper()
	st.run(t, 20*time.Second, chromedp.Click(selector, chromedp.ByQuery, chromedp.NodeVisible))
}

// is waits until the page is in a state.
func (st *studio) is(t *testing.T, state string, within time.Duration) {
	t.Helper()
	var now string
	eventually(t, within, "the studio to be "+state, func() bool {
		st.eval(t, "window.__vitrine?.state", &now)
		return now == state
	})
}

// tap is what became of a tap on a product.
type tap struct {
	ProductID  string  `json:"productId"`
	What       string  `json:"what"`
	Via        string  `json:"via"`
	CapturedAt float64 `json:"capturedAt"` // the page's clock, ms
	Failed     *string `json:"failed"`
}

// taps waits until the page has the server's answer to n of them.
func (st *studio) taps(t *testing.T, n int) (taps []tap) {
	t.Helper()
	eventually(t, 10*time.Second, fmt.Sprintf("%d answers to taps", n), func() bool {
		st.eval(t, "window.__vitrine.taps", &taps)
		return len(taps) >= n
	})
	for _, tp := range taps {
		if tp.Failed != nil {
			t.Fatalf("%+v: %s", tp, *tp.Failed)
		}
	}
	return taps
}

// end ends the show, and says yes to the question.
func (st *studio) end(t *testing.T) {
	t.Helper()
	st.press(t, `[data-testid=go]`)
	st.press(t, `[data-testid=end-yes]`)
	st.is(t, "ended", 10*time.Second)
}

// fillBag puts n new products into the room's bag.
func (s *server) fillBag(t *testing.T, roomID string, n int) (products []string) {
	t.Helper()
	for i := range n {
		products = append(products, s.newProduct(t, fmt.Sprint("Tea ", i+1)))
	}
	s.call(t, http.MethodPut, "/api/v1/rooms/"+roomID+"/bag", map[string]any{"product_ids": products}, nil)
	return products
}

// A product that the anchor taps stands on the picture the camera saw at the tap, however long the way to the server is.
func TestStudioPinsAtCapture(t *testing.T) {
	const delay = 300 * time.Millisecond
	n, err := badnet.Listen(badnet.Config{Up: delay})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Close)
	s := serve(t, "VITRINE_WEBRTC_PUBLIC="+n.Addr())
	n.Connect(s.webrtc)
	r := s.newRoom(t)
	products := s.fillBag(t, r.ID, 5)
	st := openStudio(t, s, r)
	st.goLive(t)
	showID := s.onAir(t, r.ID)
	var quality struct {
		RTTMS float64 `json:"rttMs"`
	}
	eventually(t, 20*time.Second, "the round trip to be known", func() bool {
		st.eval(t, "window.__vitrine.quality ?? {}", &quality)
		return quality.RTTMS > 0
	})
	if got := time.Duration(quality.RTTMS * float64(time.Millisecond)); got < delay {
		t.Fatalf("a round trip of %v goes around the network under test", got)
	}
	for i, p := range products {
		time.Sleep(time.Duration(700+30*i) * time.Millisecond) // an anchor talks meanwhile
		st.press(t, `.tile[data-product=`+p+`]`)
		st.taps(t, 2*i+1) // a pin each, and what it replaces
	}
	taps := st.taps(t, 2*len(products)-1)
	var drawn []float64
	st.eval(t, "window.__camera.drawn", &drawn)
	var address string
	if st.eval(t, "location.href", &address); strings.Contains(address, r.StreamKey) {
		t.Errorf("the address still tells the key: %s", address)
	}
	time.Sleep(delay + 200*time.Millisecond) // so that the pictures of the last taps have been sent
	st.end(t)
	s.state(t, showID, "ended", 5*time.Second)
	checkTaps(t, s, showID, taps, drawn)
}

// checkTaps wants each pin at the show time of the picture that was drawn at its tap, within 50 ms.
func checkTaps(t *testing.T, s *server, showID string, taps []tap, drawn []float64) {
	t.Helper()
	url := s.url("/replay/" + showID + "/index.m3u8")
	pts, numbers := packetTimes(t, url, "v"), frameNumbers(t, url, landscape)
	shown := map[int]float64{} // show time in ms by picture
	for i, n := range numbers {
		if _, known := shown[n]; n >= 0 && !known && i < len(pts) {
			shown[n] = pts[i] * 1000
		}
	}
	pinned := map[string]int64{}
	for _, e := range s.timeline(t, showID).Events {
		if e.Type == "pin" {
			pinned[e.Data.Pin.ProductID] = e.ShowTimeMS
		}
	}
	var errs []string
	worst := 0.0
	for _, tp := range taps {
		if tp.What != "pin" {
			continue
		}
		want, ok := showTimeOf(tp.CapturedAt, drawn, shown)
		got, there := pinned[tp.ProductID]
		if !ok || !there || tp.Via != "channel" {
			t.Fatalf("%+v: the picture is in the replay: %v; the pin is in the timeline: %v", tp, ok, there)
		}
		off := float64(got) - want
		errs = append(errs, fmt.Sprintf("%+.0f", off))
		worst = max(worst, math.Abs(off))
	}
	t.Logf("%d frames in the replay, %d read; pins are off by %s ms", len(pts), len(shown), strings.Join(errs, ", "))
	if len(errs) < 5 || worst > 50 {
		t.Errorf("%d pins are off by up to %.0f ms", len(errs), worst)
	}
}

// showTimeOf says where in the show an instant of the page's clock is: beside the newest picture in the replay that had
// been drawn by then.
func showTimeOf(at float64, drawn []float64, shown map[int]float64) (ms float64, ok bool) {
	for n := len(drawn) - 1; n >= 0; n-- {
		if drawn[n] > at {
			continue
		}
		if ms, ok := shown[n]; ok {
			return ms + at - drawn[n], at-drawn[n] < 500
		}
	}
	return 0, false
}

// The studio comes back by itself when the server was gone; it leaves the room to another device that takes over, serves it
// as a remote control, and takes it back when the anchor wants it. All of it is one show.
func TestStudioKeepsItsPlace(t *testing.T) {
	s := serve(t)
	r := s.newRoom(t)
	products := s.fillBag(t, r.ID, 2)
	st := openStudio(t, s, r)
	st.goLive(t)
	showID := s.onAir(t, r.ID)
	s.kill()
	st.is(t, "reconnecting", 30*time.Second)
	s.start(t)
	st.is(t, "live", 40*time.Second)
	s.epochs(t, showID, 2)

	obs := publish(t, s, r.StreamKey, publication{picture: landscape})
	st.is(t, "elsewhere", 20*time.Second)
	s.epochs(t, showID, 3)
	obs.reach(t, 2*fps)
	st.press(t, `.tile[data-product=`+products[0]+`]`)
	if got := st.taps(t, 1)[0]; got.What != "pin" || got.Via != "api" || got.ProductID != products[0] {
		t.Errorf("the tap was %+v", got)
	}
	obs.reach(t, 5*fps)
	if sh := s.show(t, showID); len(sh.Epochs) != 3 {
		t.Errorf("the two push each other out: the show has %d epochs", len(sh.Epochs))
	}
	st.goLive(t)
	s.epochs(t, showID, 4)
	obs.cut()
	st.end(t)
	s.state(t, showID, "ended", 5*time.Second)
}
