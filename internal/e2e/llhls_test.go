package e2e

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/internal/llhls"
)

// A strict player follows for half a minute, through a pin that comes and goes and a reconnect, and finds nothing.
func TestPlaylistsKeepTheRules(t *testing.T) {
	s := serve(t)
	r := s.newRoom(t)
	product := s.newProduct(t, "Tea")
	pub := publish(t, s, r.StreamKey, publication{picture: landscape, bframes: 2})
	showID := s.onAir(t, r.ID)
	pub.reach(t, 3*fps)

	const long = 55 * time.Second
	follow := func(path string) <-chan *llhls.Report {
		out := make(chan *llhls.Report, 1)
		go func() {
			ctx, cancel := context.WithTimeout(t.Context(), long+30*time.Second)
			defer cancel()
			rep, err := llhls.Follow(ctx, s.url("/live/"+r.ID+path), llhls.Options{Duration: long})
			if err != nil {
				t.Error(err)
				rep = &llhls.Report{}
			}
			out <- rep
		}()
		return out
	}
	cmaf, ts := follow("/index.m3u8"), follow("/ts/index.m3u8")
	pub.reach(t, 8*fps)
	p := s.pin(t, r.ID, product, nil)
	pub.reach(t, 12*fps)
	s.unpin(t, r.ID, p.ID)
	s.pin(t, r.ID, product, nil)
	pub.reach(t, 32*fps)
	pub.cut()
	s.state(t, showID, "interrupted", 5*time.Second)
	time.Sleep(3 * time.Second)
	again := publish(t, s, r.StreamKey, publication{picture: landscape, bframes: 2, first: 1000, from: net.IPv4(127, 0, 0, 2)})
	s.state(t, showID, "live", 10*time.Second)

	rep := <-cmaf
	if err := rep.Err(); err != nil {
		t.Errorf("low-latency playlist: %v", err)
	}
	t.Logf("low-latency: %d playlists, %d segments, %d parts, %d hints, %d deltas (%d skipped), %d whole, %d discontinuities, %d date ranges, %d unavailable",
		rep.Playlists, rep.Segments, rep.Parts, rep.Hints, rep.Deltas, rep.Skipped, rep.WholeSegment, rep.Discontinuities, rep.DateRanges, rep.Unavailable)
	if rep.Segments < 18 || rep.Parts < 75 || rep.Hints < 60 || rep.Deltas < 15 || rep.Skipped < 20 || rep.WholeSegment < 15 || rep.Discontinuities != 1 || rep.DateRanges != 2 {
		t.Errorf("the checker saw too little: %+v", *rep)
	}
	rep = <-ts
	if err := rep.Err(); err != nil {
		t.Errorf("MPEG-TS playlist: %v", err)
	}
	if rep.Segments < 18 || rep.Discontinuities != 1 {
		t.Errorf("the checker saw too little of MPEG-TS: %+v", *rep)
	}
	again.finish(t)
	s.state(t, showID, "ended", 5*time.Second)
	for _, path := range []string{"/index.m3u8", "/ts/index.m3u8"} {
		rep, err := llhls.Follow(t.Context(), s.url("/replay/"+showID+path), llhls.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := rep.Err(); err != nil {
			t.Errorf("replay%s: %v", path, err)
		}
		if rep.Segments < 24 || !rep.Ended || rep.DateRanges != 2 || rep.Discontinuities != 1 {
			t.Errorf("replay%s: the checker saw too little: %+v", path, *rep)
		}
	}
}
