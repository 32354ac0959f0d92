package hls

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitrine-live/vitrine/internal/llhls"
	"github.com/vitrine-live/vitrine/media"
)

// onAir serves a show without a network, in fake time.
type onAir struct{ g *Group }

func (o onAir) RoundTrip(req *http.Request) (*http.Response, error) {
	done := make(chan *http.Response, 1)
	go func() {
		w := httptest.NewRecorder()
		o.g.Serve(w, req, strings.TrimPrefix(req.URL.Path, "/show/"))
		done <- w.Result()
	}()
	select {
	case res := <-done:
		return res, nil
	case <-req.Context().Done():
		return nil, req.Context().Err()
	}
}

// A strict player follows all renditions of a show of 40 s: one is faultless, one fails and comes back, and once the
// source has new parameters.
func TestGroupUnderRules(t *testing.T) {
	for _, view := range []string{"", "ts/"} {
		t.Run("view "+view, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := newEnsemble(t, 40, "720p", "360p")
				go e.air()
				rep, err := llhls.FollowAll(t.Context(), "http://origin.example/show/"+view+"index.m3u8", llhls.Options{Client: &http.Client{Transport: onAir{e.g}}})
				if err != nil {
					t.Fatal(err)
				}
				if err := rep.Err(); err != nil {
					t.Error(err)
				}
				if len(rep.Variants) != 3 || rep.Aligned < 50 || view == "" && rep.Reported < 400 {
					t.Fatalf("saw too little: %+v", *rep)
				}
				for i, v := range rep.Variants {
					gaps := 0
					if i == 2 {
						gaps = 3
					}
					if v.Gaps != gaps || v.Segments < 16 || !v.Ended || v.Discontinuities != 1 || view == "" && v.Parts < 60 {
						t.Errorf("%s: %+v", rep.URIs[i], *v)
					}
				}
			})
		})
	}
}

// air sends the show as time passes.
func (e *ensemble) air() {
	const step = media.TicksPerSecond / 10
	began := media.Ticks(0)
	for at := began; len(e.rest) > 0; at += step {
		switch at {
		case 15 * media.TicksPerSecond:
			e.encoders["360p"].fail()
			e.encoders["360p"].off = true
		case 19 * media.TicksPerSecond:
			e.encoders["360p"].off = false
		case 30 * media.TicksPerSecond:
			if err := e.p.SetTracks([]media.Track{otherVideoTrack(), audioTrackOf(48_000)}); err != nil {
				e.t.Error(err)
			}
		}
		e.until(at)
		time.Sleep(step.Duration())
	}
	e.end()
}
