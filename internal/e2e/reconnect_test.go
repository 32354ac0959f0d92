package e2e

import (
	"math"
	"net"
	"net/http"
	"slices"
	"testing"
	"time"
)

// The anchor's network is gone for five seconds and comes back with another address, timestamps anew and other parameters of
// the picture: whoever watches goes on watching, pins on both sides are right, there is one recording, and clips go over the
// seam.
func TestAnchorComesBack(t *testing.T) {
	t.Parallel()
	s := serve(t)
	r := s.newRoom(t)
	product := s.newProduct(t, "Tea")
	b := browse(t, "about:blank")
	pub := publish(t, s, r.StreamKey, publication{picture: landscape, bframes: 2})
	showID := s.onAir(t, r.ID)
	pub.reach(t, 3*fps)
	b.open(t, s.url("/r/"+r.ID))
	b.waitPlaying(t)
	b.watch(t, landscape)
	pub.reach(t, 10*fps)
	atBefore := int64(math.Round(truthMS(0, 10*fps)))
	before := s.pin(t, r.ID, product, &atBefore)
	b.waitFrame(t, 11*fps, 20*time.Second)
	s.call(t, http.MethodDelete, "/api/v1/rooms/"+r.ID+"/pins/"+before.ID, nil, nil)
	pub.cut()
	sentBefore := int(pub.sent.Load())
	s.state(t, showID, "interrupted", 5*time.Second)
	time.Sleep(5 * time.Second)

	const again = 1000
	pub = publish(t, s, r.StreamKey, publication{picture: landscape, first: again, from: net.IPv4(127, 0, 0, 2)}) // without B-frames
	s.state(t, showID, "live", 10*time.Second)
	pub.reach(t, again+4*fps)
	second := s.show(t, showID).Epochs[1]
	atAfter := int64(math.Round(truthMS(second.ShowTimeMS, 4*fps)))
	after := s.pin(t, r.ID, product, &atAfter)
	b.waitFrame(t, again+8*fps, 20*time.Second)
	frames := b.seen(t)
	sentAfter := pub.finish(t)
	s.state(t, showID, "ended", 5*time.Second)

	checkSides(t, frames, s.show(t, showID).Epochs, again)
	checkSeenPin(t, frames, before.ID, 10*fps)
	checkSeenPin(t, frames, after.ID, again+4*fps)
	var shows struct {
		Items []show `json:"items"`
	}
	s.call(t, http.MethodGet, "/api/v1/rooms/"+r.ID+"/shows", nil, &shows)
	if len(shows.Items) != 1 {
		t.Errorf("there are %d shows", len(shows.Items))
	}
	numbers := checkTwoEpochs(t, s, showID, sentBefore, again, sentAfter)
	s.checkClipsOverSeam(t, b, showID, numbers, again, second)
	tl := s.timeline(t, showID)
	if b, a := tl.pin(t, before.ID), tl.pin(t, after.ID); b.ShowTimeMS != atBefore || a.ShowTimeMS != atAfter || len(tl.Epochs) != 2 ||
		(a.Wall.Sub(tl.Epochs[1].Wall)-time.Duration(atAfter-tl.Epochs[1].ShowTimeMS)*time.Millisecond).Abs() > time.Millisecond { // the epoch begins amid a millisecond
		t.Errorf("the timeline has %+v, %+v, %+v", b, a, tl.Epochs)
	}
}

// checkSides wants the page's clock to be right on both sides of a reconnect.
func checkSides(t *testing.T, frames []seen, epochs []epoch, again int) {
	t.Helper()
	if len(epochs) != 2 {
		t.Fatalf("%d epochs", len(epochs))
	}
	if epochs[1].Wall.Sub(epochs[0].Wall) < time.Duration(epochs[1].ShowTimeMS-epochs[0].ShowTimeMS)*time.Millisecond+4*time.Second {
		t.Errorf("the wall clock did not jump between %+v", epochs)
	}
	var off [2][]float64
	for _, f := range frames {
		if f.N < 0 || f.Date == nil || f.ShowTimeMS == nil {
			continue
		}
		side, n := 0, f.N
		if n >= again {
			side, n = 1, n-again
		}
		e := epochs[side]
		show := math.Abs(*f.ShowTimeMS - truthMS(e.ShowTimeMS, n))
		date := math.Abs(*f.Date - float64(e.Wall.UnixMilli()) - truthMS(0, n))
		off[side] = append(off[side], max(show, date))
	}
	for side, v := range off {
		if len(v) < 100 {
			t.Errorf("side %d: %d frames with a clock", side, len(v))
			continue
		}
		slices.Sort(v)
		t.Logf("side %d: %d frames, clock off by %.1f ms p95", side, len(v), v[len(v)*95/100])
		if p95 := v[len(v)*95/100]; p95 > 10 {
			t.Errorf("side %d: the clock is off by %.1f ms p95", side, p95)
		}
	}
}

// checkSeenPin wants the page to have put a pin up with its frame; in the page itself it stands one frame early, so that
// both are composited together.
func checkSeenPin(t *testing.T, frames []seen, id string, n int) {
	t.Helper()
	i := slices.IndexFunc(frames, func(f seen) bool { return slices.Contains(f.Pins, id) })
	if i < 0 {
		t.Errorf("%s never came", id)
		return
	}
	for frames[i].N < 0 {
		i++
	}
	if got := frames[i].N; got < n-2 || got > n+2 {
		t.Errorf("%s belongs to frame %d, came with %d", id, n, got)
	}
}

// checkTwoEpochs wants the replay to hold one run of frames up to the cut and, in full, the one after it. It returns them.
func checkTwoEpochs(t *testing.T, s *server, showID string, sentBefore, again, sentAfter int) (numbers []int) {
	t.Helper()
	// As MPEG-TS: in fragmented MP4 ffmpeg goes on with the parameters of the first initialization segment.
	numbers = frameNumbers(t, s.url("/replay/"+showID+"/ts/index.m3u8"), landscape)
	cut := slices.Index(numbers, again)
	if cut < 0 {
		t.Fatalf("frame %d is not in the replay of %d frames", again, len(numbers))
	}
	if cut < sentBefore-fps { // what the encoder and the network still held is lost
		t.Errorf("%d frames were sent before the cut, the replay has %d", sentBefore, cut)
	}
	whole := max(0, cut-2) // of the last ones, pictures that are coded after what they precede may not have come
	wantFrames(t, "before the cut", numbers[:whole], 0, whole)
	wantFrames(t, "after the cut", numbers[cut:], again, sentAfter)
	return numbers
}

// checkClipsOverSeam wants clips that begin before the frame again and end after it to have the frames of the replay, numbers,
// between the ones that were asked for, and the browser to play them over the seam with the clock of the show.
func (s *server) checkClipsOverSeam(t *testing.T, b *browser, showID string, numbers []int, again int, second epoch) {
	t.Helper()
	const after = 50 // no keyframe
	seam := slices.Index(numbers, again)
	first := numbers[seam-40]
	if first%60 == 0 {
		first++
	}
	want := numbers[slices.Index(numbers, first) : seam+after]
	for _, kind := range []string{"copy", "exact"} {
		c := s.clip(t, showID, map[string]any{
			"kind": kind, "from_ms": int64(math.Round(truthMS(0, first))), "to_ms": int64(math.Round(truthMS(second.ShowTimeMS, after) - 10)),
		})
		if got := frameNumbers(t, s.url(*c.MP4URL), landscape); !slices.Equal(got, want) {
			t.Errorf("the %s over the seam has frames %v, want %v", kind, got, want)
		}
		b.watchClip(t, s, c)
		var ok bool
		b.eval(t, `(() => { window.__seen = []; window.__last = -1; return true; })()`, &ok)
		b.waitFrame(t, again+after-5, 60*time.Second)
		var sides [2]int
		var clock placed
		for _, f := range b.seen(t) {
			if f.N < 0 || f.ShowTimeMS == nil {
				continue
			}
			side, truth := 0, truthMS(0, f.N)
			if f.N >= again {
				side, truth = 1, truthMS(second.ShowTimeMS, f.N-again)
			}
			sides[side]++
			clock.add(*f.ShowTimeMS, truth)
			if !slices.Contains(want, f.N) {
				t.Errorf("in the browser the %s of frames %d to %d shows frame %d", kind, first, again+after-1, f.N)
				break
			}
		}
		clock.check(t, kind+" over the seam")
		if sides[0] < 5 || sides[1] < 15 {
			t.Errorf("the browser shows %v frames of the %s on the sides of the seam", sides, kind)
		}
	}
}
