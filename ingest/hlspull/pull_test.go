package hlspull

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitrine-live/vitrine/media"
)

// A show is pulled from near its beginning to its end: every sample once, evenly in time, then a clean end.
func TestWholeShow(t *testing.T) {
	for _, kind := range []string{"fmp4", "ts"} {
		t.Run(kind, func(t *testing.T) {
			film := filmOf(t, kind)
			synctest.Test(t, func(t *testing.T) {
				o := newOrigin(act{film: film, n: 8})
				o.ended = true
				h := &house{}
				pull(t, h, serve(t, o), Config{})
				reach(o.start, 30*time.Second)
				pubs := h.publishes()
				if len(pubs) != 1 {
					t.Fatalf("%d publishes", len(pubs))
				}
				p := pubs[0]
				if closed, why := p.ended(); !closed || why != media.Unpublished {
					t.Errorf("ended: %v, %v", closed, why)
				}
				wantFilm(t, p, 8)
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
