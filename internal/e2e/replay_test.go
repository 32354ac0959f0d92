package e2e

import (
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// shelf is a product that is on the picture from one frame to another.
type shelf struct {
	product, pin string
	from, to     int
}

func (sh shelf) holds(n int) bool { return sh.from <= n && n < sh.to }

// What a show leaves: a viewer goes back to a product while it is on air, and returns; the replay is there when it ends;
// clips begin and end on the frames that were asked for, show and sell what was pinned; what the merchant cuts is not played.
func TestReplaySells(t *testing.T) {
	t.Parallel()
	s := serve(t)
	r := s.newRoom(t)
	tea, cup := s.newProduct(t, "Tea"), s.newProduct(t, "Cup")
	s.call(t, http.MethodPut, "/api/v1/rooms/"+r.ID+"/bag", map[string]any{"product_ids": []string{tea, cup}}, nil)
	b := browse(t, "about:blank")
	pub := publish(t, s, r.StreamKey, publication{picture: landscape, bframes: 2})
	showID := s.onAir(t, r.ID)
	shelves := []shelf{s.shelve(t, pub, r.ID, tea, 75, 180), s.shelve(t, pub, r.ID, cup, 210, 330)}
	b.open(t, s.url("/r/"+r.ID))
	b.waitPlaying(t)
	b.watch(t, landscape)
	pub.reach(t, 390)

	b.tap(t, `.controls .round:has(.icon-rewind)`, `[data-phase="shift"]`)
	b.checkShelves(t, "time-shift", shelves, 30, 240)
	b.tap(t, `.jump`, `[data-phase="live"]`)
	b.waitFrame(t, pub.next()-90, 20*time.Second)

	count := pub.finish(t)
	s.state(t, showID, "ended", 5*time.Second)
	if status, body := s.get(t, "/replay/"+showID+"/main.m3u8"); status != http.StatusOK || !strings.Contains(string(body), "#EXT-X-ENDLIST") {
		t.Errorf("when the show has ended its replay is not there: %d\n%s", status, body)
	}
	s.checkClips(t, b, showID, shelves)
	s.checkCut(t, b, r.ID, showID, 270, 360, count)
	s.checkUnpublished(t, showID)
	s.stop(t)
}

// shelve pins a product from a frame to another, both yet to come.
func (s *server) shelve(t *testing.T, pub *publisher, roomID, product string, from, to int) shelf {
	t.Helper()
	ms := func(n int) int64 { return int64(math.Round(truthMS(0, n))) }
	pub.reach(t, from)
	p := s.pin(t, roomID, product, new(ms(from)))
	pub.reach(t, to)
	s.call(t, http.MethodDelete, fmt.Sprintf("/api/v1/rooms/%s/pins/%s?show_time_ms=%d", roomID, p.ID, ms(to)), nil, nil)
	return shelf{product, p.ID, from, to}
}

// checkShelves wants frames from and to to be presented, each with its show time, and with its products on it.
func (b *browser) checkShelves(t *testing.T, what string, shelves []shelf, from, to int) {
	t.Helper()
	var ok bool
	b.eval(t, `(() => { window.__seen = []; window.__last = -1; return true; })()`, &ok)
	b.waitFrame(t, to, 60*time.Second)
	frames := b.seen(t)
	const near = 2 // frames: a card is put up with the frame before, and comes off so
	var clock placed
	for _, f := range frames {
		if f.N < from || f.N > to || f.ShowTimeMS == nil {
			continue
		}
		if !clock.add(*f.ShowTimeMS, truthMS(0, f.N)) {
			continue
		}
		for _, sh := range shelves {
			surely := sh.holds(f.N-near) && sh.holds(f.N+near)
			never := !sh.holds(f.N-near) && !sh.holds(f.N+near)
			if has := slices.Contains(f.Pins, sh.pin); surely && !has || never && has {
				t.Errorf("%s: frame %d has pins %v, %s is there from %d to %d", what, f.N, f.Pins, sh.pin, sh.from, sh.to)
				return
			}
		}
	}
	clock.check(t, what)
	if clock.frames < (to-from)/3 {
		t.Errorf("%s: %d of %d frames were read", what, clock.frames, to-from)
	}
}

type madeClip struct {
	ID, State, Error string
	FromMS           int64   `json:"from_ms"`
	ToMS             int64   `json:"to_ms"`
	MP4URL           *string `json:"mp4_url"`
	PageURL          string  `json:"page_url"`
}

// clip asks for a clip and waits until it is made.
func (s *server) clip(t *testing.T, showID string, want map[string]any) (c madeClip) {
	t.Helper()
	s.call(t, http.MethodPost, "/api/v1/shows/"+showID+"/clips", want, &c)
	eventually(t, 90*time.Second, fmt.Sprintf("the clip %v to be made", want), func() bool {
		s.call(t, http.MethodGet, "/api/v1/shows/"+showID+"/clips/"+c.ID, nil, &c)
		if c.State == "failed" {
			t.Fatalf("the clip %v: %s", want, c.Error)
		}
		return c.State == "done"
	})
	return c
}

func (s *server) checkClips(t *testing.T, b *browser, showID string, shelves []shelf) {
	t.Helper()
	const first, last = 97, 223 // no keyframes
	for _, kind := range []string{"copy", "exact"} {
		c := s.clip(t, showID, map[string]any{"kind": kind, "from_ms": int64(truthMS(0, first)), "to_ms": int64(truthMS(0, last))})
		if c.MP4URL == nil {
			t.Fatalf("%s: there is no file", kind)
		}
		wantFrames(t, kind, frameNumbers(t, s.url(*c.MP4URL), landscape), first, last-first)
		b.watchClip(t, s, c)
		b.checkShelves(t, kind+" in the browser", shelves, first+5, last-10)
	}
	instant := s.clip(t, showID, map[string]any{"chapter": shelves[0].pin})
	b.watchClip(t, s, instant)
	b.checkShelves(t, "instant", shelves, shelves[0].from+5, shelves[0].to-10)
	b.run(t, 20*time.Second, chromedp.WaitVisible(`[data-phase="ended"] .panel .primary`, chromedp.ByQuery))
	for _, f := range b.seen(t) {
		if f.N >= 0 && (f.N < shelves[0].from-1 || f.N > shelves[0].to+1) {
			t.Errorf("the clip of frames %d to %d shows frame %d", shelves[0].from, shelves[0].to, f.N)
			break
		}
	}
	s.checkSidecar(t, showID, instant.ID)
	s.checkBatch(t, showID, shelves)
}

// watchClip opens the page of a clip, from its beginning.
func (b *browser) watchClip(t *testing.T, s *server, c madeClip) {
	t.Helper()
	b.open(t, s.url(c.PageURL))
	b.waitPlaying(t)
	b.watch(t, landscape)
	var ok bool
	b.eval(t, `(() => { const v = document.querySelector('video'); v.pause(); document.querySelector('.range').value = 0; document.querySelector('.range').dispatchEvent(new Event('input')); return v.play().then(() => true); })()`, &ok)
}

// checkSidecar wants the times of a clip to be those of the show.
func (s *server) checkSidecar(t *testing.T, showID, clipID string) {
	t.Helper()
	var doc struct {
		FromMS int64 `json:"from_ms"`
		Events []struct {
			Seq        int64
			Type       string
			ShowTimeMS int64 `json:"show_time_ms"`
			ClipTimeMS int64 `json:"clip_time_ms"`
			Carried    bool
		}
		Products []struct{ ID string }
	}
	s.call(t, http.MethodGet, "/c/"+clipID+"/clip.json", nil, &doc)
	log := s.timeline(t, showID).Events
	for _, e := range doc.Events {
		if e.ClipTimeMS != e.ShowTimeMS-doc.FromMS {
			t.Errorf("%s %d is at %d ms of the clip from %d, and at %d of the show", e.Type, e.Seq, e.ClipTimeMS, doc.FromMS, e.ShowTimeMS)
		}
		i := slices.IndexFunc(log, func(l event) bool { return l.Seq == e.Seq })
		if i < 0 || !e.Carried && log[i].ShowTimeMS != e.ShowTimeMS {
			t.Errorf("%s %d of the clip is not in the show's timeline", e.Type, e.Seq)
		}
	}
	if len(doc.Events) == 0 || len(doc.Products) != 1 {
		t.Errorf("the clip tells of %d events and sells %d products", len(doc.Events), len(doc.Products))
	}
}

func (s *server) checkBatch(t *testing.T, showID string, shelves []shelf) {
	t.Helper()
	var batch struct {
		ID     string
		Counts struct{ Total, Done, Failed int }
	}
	s.call(t, http.MethodPost, "/api/v1/shows/"+showID+"/chapter-clips", map[string]any{"kind": "copy"}, &batch)
	eventually(t, time.Minute, "a clip of every product", func() bool {
		s.call(t, http.MethodGet, "/api/v1/shows/"+showID+"/chapter-clips/"+batch.ID, nil, &batch)
		return batch.Counts.Done == len(shelves)
	})
	if batch.Counts.Total != len(shelves) || batch.Counts.Failed != 0 {
		t.Errorf("%d products made %+v", len(shelves), batch.Counts)
	}
}

// checkCut cuts frames out of the replay and plays over them; undone, they are there again.
func (s *server) checkCut(t *testing.T, b *browser, roomID, showID string, from, to, count int) {
	t.Helper()
	path := "/api/v1/shows/" + showID + "/replay"
	var replay struct{ Revision, PlayMS, DurationMS int64 }
	s.call(t, http.MethodGet, path, nil, &replay)
	s.call(t, http.MethodPost, path+"/edits", map[string]any{"revision": replay.Revision, "kind": "cut", "from_ms": int64(truthMS(0, from)), "to_ms": int64(truthMS(0, to))}, &replay)
	b.open(t, s.url("/r/"+roomID))
	b.run(t, 20*time.Second, chromedp.WaitVisible(`[data-phase="replay"] .scrubber`, chromedp.ByQuery))
	b.waitTimeline(t)
	b.watch(t, landscape)
	var ok bool
	b.eval(t, fmt.Sprintf(`(() => { const v = document.querySelector('video'); v.currentTime = %f; return v.play().then(() => true); })()`, truthMS(0, from-60)/1000), &ok)
	b.waitFrame(t, to+10, 30*time.Second)
	for _, f := range b.seen(t) {
		if f.N > from+3 && f.N < to-1 {
			t.Errorf("frame %d was cut out, from %d to %d, and is shown", f.N, from, to)
			break
		}
	}
	s.call(t, http.MethodPost, path+"/edits/undo", map[string]any{"revision": replay.Revision}, &replay)
	if n := len(frameNumbers(t, s.url("/replay/"+showID+"/index.m3u8"), landscape)); n != count {
		t.Errorf("after undo the replay has %d frames of %d", n, count)
	}
}

// waitTimeline waits until the page knows what is played of the replay.
func (b *browser) waitTimeline(t *testing.T) {
	t.Helper()
	b.run(t, 20*time.Second, chromedp.WaitVisible(`.scrubber .stretch`, chromedp.ByQuery))
}

func (s *server) checkUnpublished(t *testing.T, showID string) {
	t.Helper()
	path := "/api/v1/shows/" + showID + "/replay"
	var replay struct{ Revision int64 }
	s.call(t, http.MethodGet, path, nil, &replay)
	s.call(t, http.MethodPost, path+"/edits", map[string]any{"revision": replay.Revision, "kind": "unpublish"}, nil)
	for _, name := range []string{"index.m3u8", "timeline.json", "chapters.json"} {
		if status, _ := s.get(t, "/replay/"+showID+"/"+name); status != http.StatusNotFound {
			t.Errorf("the public gets %d for %s of a replay that is not published", status, name)
		}
		s.call(t, http.MethodGet, "/replay/"+showID+"/"+name, nil, nil)
	}
}
