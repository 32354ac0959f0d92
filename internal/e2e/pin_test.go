package e2e

import (
	"fmt"
	"math"
	"net/http"
	"slices"
	"testing"
	"time"
)

const (
	pinEvery = 75 // frames between the flashes
	pinStays = 36 // frames that a pin stays
	pinCount = 8
)

// Pins given for flash frames: on the page as it is composited, live and in the replay, the card comes and goes with its
// frame; in every datum the pin's show time is the frame's, to the millisecond.
func TestPinsLandOnTheirFrames(t *testing.T) {
	s := serve(t)
	r := s.newRoom(t)
	product := s.newProduct(t, "Tea")
	firstFlash := 12 * fps
	b := browse(t, "about:blank") // a browser may take seconds to start, and the show does not wait
	pic := picture{width: 360, height: 640, flash: func(n int) bool { return n >= firstFlash && (n-firstFlash)%pinEvery < 3 }}
	pub := publish(t, s, r.StreamKey, publication{picture: pic, bframes: 2})
	showID := s.onAir(t, r.ID)
	pub.reach(t, 3*fps)
	heard := listen(t, s, r.ID)
	b.open(t, s.url("/r/"+r.ID))
	b.waitPlaying(t)
	b.watch(t, pic)
	pub.reach(t, firstFlash-10)
	frames := b.seen(t)
	b.rest(t, true)
	b.film(t)
	var pins []pin
	var wants []int // the frames that cards must come and go with
	for i := range pinCount {
		n := firstFlash + i*pinEvery
		pub.reach(t, n)
		at := int64(math.Round(truthMS(0, n)))
		p := s.pin(t, r.ID, product, &at)
		if p.ShowTimeMS != at {
			t.Errorf("pin %d was given for %d ms, is at %d", i, at, p.ShowTimeMS)
		}
		pins = append(pins, p)
		pub.reach(t, n+pinStays)
		s.call(t, http.MethodDelete, fmt.Sprintf("/api/v1/rooms/%s/pins/%s?show_time_ms=%d", r.ID, p.ID, int64(math.Round(truthMS(0, n+pinStays)))), nil, nil)
		wants = append(wants, n, n+pinStays)
	}
	last := firstFlash + pinCount*pinEvery
	b.rest(t, false)
	b.waitFrame(t, last, 20*time.Second)
	shots := b.cutFilm(t)
	checkCards(t, "live", film{pic, b.cardRect(t), b.videoRect(t), shots}, wants)
	checkDates(t, frames, s.show(t, showID).Epochs)
	checkData(t, s, r.ID, showID, pins, heard)

	pub.finish(t)
	s.state(t, showID, "ended", 5*time.Second)
	b.open(t, s.url("/r/"+r.ID))
	b.playReplay(t, pic, firstFlash-10)
	b.film(t)
	b.rest(t, true)
	time.Sleep(time.Duration(last-firstFlash+10) * time.Second / fps)
	b.rest(t, false)
	b.waitFrame(t, last, 30*time.Second)
	shots = b.cutFilm(t)
	checkCards(t, "replay", film{pic, b.cardRect(t), b.videoRect(t), shots}, wants)
}

// A pin given without a time belongs to the picture that was captured when it was given.
func TestPinByArrival(t *testing.T) {
	s := serve(t)
	r := s.newRoom(t)
	pub := publish(t, s, r.StreamKey, publication{picture: landscape})
	showID := s.onAir(t, r.ID)
	pub.reach(t, 3*fps)
	begin := s.show(t, showID).Epochs[0]
	uplink := begin.Wall.Sub(pub.start) - time.Duration(begin.ShowTimeMS)*time.Millisecond
	t.Logf("uplink with the encoder's delay: %v", uplink)
	const frame = time.Second / fps
	for i := range 10 {
		product := s.newProduct(t, fmt.Sprint("Tea ", i))
		pub.reach(t, (3+i)*fps+i*7)
		before := time.Since(pub.start)
		at := time.Duration(s.pin(t, r.ID, product, nil).ShowTimeMS) * time.Millisecond
		after := time.Since(pub.start)
		if at < before-uplink-frame || at > after+frame {
			t.Errorf("pin %d: tapped %v after the first frame, is at %v; one frame and the uplink of %v are allowed", i, before, at, uplink)
		}
	}
	if uplink < 0 || uplink > 800*time.Millisecond {
		t.Errorf("an uplink of %v would excuse anything", uplink)
	}
	pub.finish(t)
}

// playReplay plays the replay from a little before frame n.
func (b *browser) playReplay(t *testing.T, p picture, n int) {
	t.Helper()
	b.waitPlaying(t)
	b.watch(t, p)
	var ok bool
	b.eval(t, fmt.Sprintf(`(async () => {
		const v = document.querySelector('video');
		v.currentTime = %f;
		await v.play();
		return true;
	})()`, truthMS(0, n)/1000), &ok)
}

// checkDates wants the page's clock to give each frame its own date and show time.
func checkDates(t *testing.T, frames []seen, epochs []epoch) {
	t.Helper()
	var dates, shows []float64
	for _, f := range frames {
		if f.N < 0 || f.Date == nil || f.ShowTimeMS == nil {
			continue
		}
		e := epochs[0]
		truth := truthMS(e.ShowTimeMS, f.N)
		dates = append(dates, math.Abs(*f.Date-(float64(e.Wall.UnixMilli())+truth-float64(e.ShowTimeMS))))
		shows = append(shows, math.Abs(*f.ShowTimeMS-truth))
	}
	if len(dates) < 100 {
		t.Errorf("%d of %d frames had a date", len(dates), len(frames))
		return
	}
	slices.Sort(dates)
	slices.Sort(shows)
	p95 := func(v []float64) float64 { return v[len(v)*95/100] }
	t.Logf("%d frames: dates off by %.1f ms p50, %.1f ms p95, %.1f ms at worst; show times by %.1f ms p95", len(dates), dates[len(dates)/2], p95(dates), dates[len(dates)-1], p95(shows))
	if p95(dates) > 10 || p95(shows) > 10 {
		t.Errorf("the page's dates are off by %.1f ms p95, its show times by %.1f ms", p95(dates), p95(shows))
	}
}
