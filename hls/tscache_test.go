package hls

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitrine-live/vitrine/media"
)

func TestTSIsMadeOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var made atomic.Int64
		cfg := Config{TS: func(init, segment []byte, _ media.Ticks) ([]byte, error) {
			made.Add(1)
			time.Sleep(10 * time.Millisecond)
			if len(init) == 0 || len(segment) == 0 {
				return nil, errors.New("no bytes")
			}
			return append([]byte("TS"), segment[:4]...), nil
		}}
		f := &folder{collector: newCollector(t)}
		st := newStudio(t, cfg, Resume{}, f, f.collector)
		st.parts(4 * 10)
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				if w := st.get("ts/5.ts"); w.Code != 200 || w.Body.Len() != 6 {
					t.Errorf("%d, %d bytes", w.Code, w.Body.Len())
				}
			})
		}
		all.Wait()
		if n := made.Load(); n != 1 {
			t.Errorf("made %d times", n)
		}
		// The cache is small, and empty of what left the playlist.
		for msn := range 10 {
			st.get("ts/" + string(rune('0'+msn)) + ".ts")
		}
		if n := len(st.s.ts.files); n != tsCacheSize || made.Load() != 10 {
			t.Errorf("%d kept of %d made", n, made.Load())
		}
		f.mu.Lock()
		f.until = 100
		f.mu.Unlock()
		st.parts(4 * 6)
		if n := len(st.s.ts.files); n != 4 {
			t.Errorf("%d kept after the window moved on", n)
		}
		if w := st.get("ts/7.ts"); w.Code != 200 {
			t.Errorf("from the archive: %d", w.Code)
		}
	})
}

func TestTSFails(t *testing.T) {
	cfg := Config{TS: func(_, _ []byte, _ media.Ticks) ([]byte, error) { return nil, errors.New("odd boxes") }}
	st := newStudio(t, cfg, Resume{}, nil)
	st.parts(8)
	if w := st.get("ts/0.ts"); w.Code != 500 || w.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
