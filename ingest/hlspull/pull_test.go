package hlspull

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/vitrine-live/vitrine/internal/bmff"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A show is pulled from its beginning to its end: every sample once, evenly in time, then a clean end.
func TestWholeShow(t *testing.T) {
	for _, kind := range []string{"fmp4", "ts", "ranges", "apart", "hevc"} {
		t.Run(kind, func(t *testing.T) {
			film := filmOf(t, kind)
			synctest.Test(t, func(t *testing.T) {
				o := newOrigin(act{film: film, n: 8})
				o.ended = true
				h := &house{}
				pull(t, h, serve(t, o), Config{})
				reach(o.start, 30*time.Second)
				p := h.only(t)
				p.wantEnd(t, media.Unpublished)
				wantFilm(t, p, 8)
				if len(p.tracks) != 1 || len(p.tracks[0]) != 2 {
					t.Errorf("tracks were named %d times", len(p.tracks))
				}
			})
		})
	}
}

// wantFilm wants n segments of a film, from the start of one.
func wantFilm(t *testing.T, p *published, segments int) {
	t.Helper()
	pictures, sounds := p.of(media.Video), p.of(media.Audio)
	if len(pictures) != segments*60 || !pictures[0].Key {
		t.Errorf("%d pictures of %d, the first a key: %v", len(pictures), segments*60, len(pictures) > 0 && pictures[0].Key)
	}
	if want := segments * 2 * 48000 / 1024; len(sounds) < want-3 || len(sounds) > want+3 {
		t.Errorf("%d packets of sound, not about %d", len(sounds), want)
	}
	for i, s := range pictures {
		if i > 0 && s.DTS-pictures[i-1].DTS != 3000 {
			t.Errorf("picture %d decodes %d ticks after the one before", i, s.DTS-pictures[i-1].DTS)
		}
		if late := s.Arrival.Sub(pictures[0].Arrival) - (s.DTS - pictures[0].DTS).Duration(); late < -time.Millisecond || late > 100*time.Millisecond {
			t.Errorf("picture %d comes %v late", i, late)
		}
	}
}

// Who comes late begins near the live edge, with a segment in reserve.
func TestBeginsNearTheEdge(t *testing.T) {
	film := filmOf(t, "fmp4")
	synctest.Test(t, func(t *testing.T) {
		o := newOrigin(act{film: film, n: 8})
		o.ended, o.window = true, 4
		h := &house{}
		reach(o.start, 9*time.Second) // four segments are listed, the newest since one second
		pull(t, h, serve(t, o), Config{})
		reach(o.start, 30*time.Second)
		wantFilm(t, h.only(t), 6)
	})
}

// The origin's dates say when a picture was captured, if they can be true.
func TestCaptureClock(t *testing.T) {
	film := filmOf(t, "fmp4")
	for name, c := range map[string]struct {
		dates bool
		shift time.Duration
		want  bool
	}{"dates": {true, 0, true}, "none": {}, "a clock of another year": {true, 9000 * time.Hour, false}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := newOrigin(act{film: film, n: 8})
				o.dates, o.datesOff = c.dates, c.shift
				h := &house{}
				pull(t, h, serve(t, o), Config{})
				reach(o.start, 10*time.Second)
				p := h.only(t)
				got, ok := p.req.CapturedAt(o.start.Add(3 * time.Second))
				if ok != c.want {
					t.Fatalf("known: %v", ok)
				}
				if want := 3*media.TicksPerSecond + p.of(media.Video)[0].PTS; ok && (got < want-90 || got > want+90) {
					t.Errorf("3 s into the show is publisher time %d, not %d", got, want)
				}
			})
		})
	}
}

// New parameters and a break in time at the origin: publisher time goes on, the tracks are named anew, and the first
// sample of each kind says that the clock was moved.
func TestDiscontinuity(t *testing.T) {
	big, small := filmOf(t, "fmp4"), filmOf(t, "small")
	synctest.Test(t, func(t *testing.T) {
		o := newOrigin(act{film: big, n: 3}, act{film: small, n: 3, at: 14 * time.Second})
		o.ended = true
		h := &house{}
		pull(t, h, serve(t, o), Config{})
		reach(o.start, 40*time.Second)
		p := h.only(t)
		p.wantEnd(t, media.Unpublished)
		pictures := p.of(media.Video)
		if len(pictures) != 6*60 {
			t.Fatalf("%d pictures", len(pictures))
		}
		if len(p.tracks) != 2 || string(p.tracks[0][0].SPS) == string(p.tracks[1][0].SPS) {
			t.Errorf("tracks were named %d times", len(p.tracks))
		}
		second := pictures[180]
		if !second.Rebased || !second.Key || second.DTS-pictures[179].DTS > media.TicksPerSecond {
			t.Errorf("the second part begins with %+v, after %d", second, pictures[179].DTS)
		}
		if gap := second.Arrival.Sub(pictures[179].Arrival); gap < 7*time.Second || gap > 10*time.Second {
			t.Errorf("8 s passed at the origin, here %v", gap)
		}
	})
}

// What an origin does for a while costs nothing when it is over.
func TestHiccups(t *testing.T) {
	film := filmOf(t, "fmp4")
	for name, hiccup := range map[string]func(*origin){
		"503 for four requests":  func(o *origin) { o.down = 4 },
		"a connection is lost":   func(o *origin) { o.cut = 2 },
		"a playlist from before": func(o *origin) { o.stale = 2 },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := newOrigin(act{film: film, n: 8})
				o.ended = true
				h := &house{}
				pull(t, h, serve(t, o), Config{})
				reach(o.start, 9*time.Second+500*time.Millisecond)
				o.do(hiccup)
				reach(o.start, 40*time.Second)
				p := h.only(t)
				p.wantEnd(t, media.Unpublished)
				if n := len(p.of(media.Video)); n != 8*60 {
					t.Errorf("%d pictures of %d", n, 8*60)
				}
			})
		})
	}
}

// An origin that is gone for longer than the patience ends the publish as a lost one; when it is back the show goes on
// where it stopped, without anything twice.
func TestOriginGoneAndBack(t *testing.T) {
	film := filmOf(t, "fmp4")
	synctest.Test(t, func(t *testing.T) {
		o := newOrigin(act{film: film, n: 4}, act{film: film, n: 4, at: 60 * time.Second})
		o.ended = true
		h := &house{}
		pull(t, h, serve(t, o), Config{})
		reach(o.start, 9*time.Second)
		o.do(func(o *origin) { o.broken["/live.m3u8"] = http.StatusBadGateway })
		reach(o.start, 40*time.Second)
		first := h.only(t)
		first.wantEnd(t, media.ConnectionLost)
		if n := len(first.of(media.Video)); n != 4*60 {
			t.Errorf("%d pictures before", n)
		}
		o.do(func(o *origin) { delete(o.broken, "/live.m3u8") })
		reach(o.start, 90*time.Second)
		pubs := h.publishes()
		if len(pubs) != 2 {
			t.Fatalf("%d publishes", len(pubs))
		}
		pubs[1].wantEnd(t, media.Unpublished)
		if n := len(pubs[1].of(media.Video)); n != 4*60 {
			t.Errorf("%d pictures after", n)
		}
	})
}

// Media that is missing leaves a hole, not the end.
func TestMissedMedia(t *testing.T) {
	film := filmOf(t, "ts")
	for name, c := range map[string]struct {
		miss     func(*origin)
		segments int
	}{
		"a gap":             {func(o *origin) { o.gap = 3 }, 7},
		"a segment is gone": {func(o *origin) { o.broken["/0/film3.ts"] = http.StatusNotFound }, 7},
		"out of the list":   {func(o *origin) { o.window, o.frozen = 2, 9*time.Second }, 6},
		"not up at first":   {func(o *origin) { o.down = 2 }, 8},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := newOrigin(act{film: film, n: 8})
				o.ended = true
				c.miss(o)
				h := &house{}
				pull(t, h, serve(t, o), Config{Patience: 20 * time.Second})
				reach(o.start, 60*time.Second)
				p := h.only(t)
				p.wantEnd(t, media.Unpublished)
				if n := len(p.of(media.Video)); n != c.segments*60 {
					t.Errorf("%d pictures, want %d", n, c.segments*60)
				}
			})
		})
	}
}

// Pieces with sound alone, as parts are while a phone's picture stands still and at the end of a show, are no end: their
// sound comes with the next picture, and only what has none after it is left out.
func TestSoundAlone(t *testing.T) {
	film := filmOf(t, "fmp4")
	film.files = maps.Clone(film.files)
	for _, n := range []int{3, 4, 7} {
		name := filepath.Base(film.list.segments[n].url)
		film.files[name] = withoutPictures(t, film.files[name])
	}
	synctest.Test(t, func(t *testing.T) {
		o := newOrigin(act{film: film, n: 8})
		o.ended = true
		h := &house{}
		pull(t, h, serve(t, o), Config{})
		reach(o.start, 40*time.Second)
		p := h.only(t)
		p.wantEnd(t, media.Unpublished)
		if n := len(p.of(media.Video)); n != 5*60 {
			t.Errorf("%d pictures of %d", n, 5*60)
		}
		const whole, segment = 16 * 48_000 / 1024, 2 * 48_000 / 1024
		if n := len(p.of(media.Audio)); n < whole-segment-3 || n > whole-segment+3 {
			t.Errorf("%d packets of sound, not about %d", n, whole-segment)
		}
	})
}

// withoutPictures takes the first track out of a segment.
func withoutPictures(t *testing.T, segment []byte) (out []byte) {
	t.Helper()
	err := bmff.Each(segment, func(b bmff.Box) error {
		if !b.Is("moof") {
			out = append(out, b...)
			return nil
		}
		moof := newBox("moof")
		err := bmff.Each(b.Body(), func(b bmff.Box) error {
			if tfhd := bmff.Find(b.Body(), "tfhd"); !b.Is("traf") || binary.BigEndian.Uint32(tfhd[4:]) != 1 {
				moof = append(moof, b...)
			}
			return nil
		})
		moof = sized(moof)
		out = append(out, moof...)
		return errors.Join(err, moveData(out[len(out)-len(moof):], uint32(len(moof)-len(b))))
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// An origin that lists what it has not is given up.
func TestNothingThere(t *testing.T) {
	film := filmOf(t, "fmp4")
	synctest.Test(t, func(t *testing.T) {
		o := newOrigin(act{film: film, n: 8}, act{film: film, n: 8, at: 16 * time.Second})
		for i := range 8 {
			o.broken[fmt.Sprintf("/0/film%d.m4s", i)], o.broken[fmt.Sprintf("/1/film%d.m4s", i)] = http.StatusNotFound, http.StatusNotFound
		}
		h := &house{}
		pull(t, h, serve(t, o), Config{})
		reach(o.start, 20*time.Second)
		h.publishes()[0].wantEnd(t, media.ConnectionLost)
		reach(o.start, 35*time.Second)
		for _, p := range h.publishes() {
			if n := len(p.of(media.Video)); n != 0 {
				t.Errorf("%d pictures", n)
			}
		}
	})
}

// Who comes in person is more than a source; when the owner ends the show it stays ended.
func TestGivesWay(t *testing.T) {
	film := filmOf(t, "fmp4")
	kicked := errs.New(errs.Conflict, "live", "the show has ended")
	start := func(t *testing.T, h *house) *origin {
		o := newOrigin(act{film: film, n: 8}, act{film: film, n: 8, at: 100 * time.Second})
		pull(t, h, serve(t, o), Config{})
		return o
	}
	t.Run("another publisher first", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := &house{busy: true}
			o := start(t, h)
			reach(o.start, 8*time.Second)
			if n := len(h.publishes()); n != 0 {
				t.Fatalf("%d publishes beside another publisher", n)
			}
			h.setBusy(false)
			reach(o.start, 16*time.Second)
			h.only(t)
		})
	})
	t.Run("another publisher takes over", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := &house{}
			o := start(t, h)
			reach(o.start, 8*time.Second)
			h.setBusy(true)
			h.only(t).kick(kicked)
			reach(o.start, 12*time.Second)
			h.only(t).wantEnd(t, media.ConnectionLost)
			h.setBusy(false)
			reach(o.start, 16*time.Second)
			if n := len(h.publishes()); n != 2 {
				t.Errorf("%d publishes", n)
			}
		})
	})
	t.Run("the owner ends the show", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := &house{}
			o := start(t, h)
			reach(o.start, 8*time.Second)
			h.only(t).kick(kicked)
			reach(o.start, 30*time.Second)
			h.only(t)
			o.do(func(o *origin) { o.broken["/live.m3u8"] = http.StatusNotFound }) // its show is over
			reach(o.start, 90*time.Second)
			o.do(func(o *origin) { delete(o.broken, "/live.m3u8") })
			reach(o.start, 150*time.Second)
			if n := len(h.publishes()); n != 2 {
				t.Errorf("%d publishes", n)
			}
		})
	})
}

// The puller keeps step with the rooms.
func TestSourcesChange(t *testing.T) {
	film := filmOf(t, "fmp4")
	synctest.Test(t, func(t *testing.T) {
		o := newOrigin(act{film: film, n: 8})
		h := &house{sources: map[string]string{}}
		p := pull(t, h, serve(t, o), Config{})
		reach(o.start, 5*time.Second)
		h.setSources(p, map[string]string{"room_1": "http://origin/live.m3u8"})
		reach(o.start, 9*time.Second)
		first := h.only(t)
		h.setSources(p, map[string]string{"room_1": "http://origin/live.m3u8?other", "room_2": "http://origin/missing.m3u8"})
		reach(o.start, 14*time.Second)
		first.wantEnd(t, media.ConnectionLost)
		if pubs := h.publishes(); len(pubs) != 2 || pubs[1].req.Room != "room_1" {
			t.Errorf("%d publishes", len(pubs))
		}
		h.setSources(p, nil)
		synctest.Wait()
		h.publishes()[1].wantEnd(t, media.ConnectionLost)
	})
}
