package replay

import (
	"bytes"
	"io"
	"net/http"
	"runtime"

	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/hls/ts"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/memo"
)

// maxRemuxes is how many segments may be remuxed at once: each takes its size twice in memory and a core.
func maxRemuxes() int { return runtime.GOMAXPROCS(0) }

// remuxed is an MPEG-TS segment.
type remuxed []byte

func (b remuxed) size() int64 { return int64(len(b)) + 256 }

// serveTS serves a segment as MPEG-TS, made when it is first asked for.
func (a *Archive) serveTS(w http.ResponseWriter, r *http.Request, rec *Recording, msn int64) error {
	s, ok := rec.segment(msn)
	if !ok || s.Gap {
		return errs.New(errs.NotFound, "replay.serveTS", "segment %d is not recorded", msn)
	}
	always := func(cached) bool { return true }
	v, err := a.cache.Get(memo.Key{Group: rec.show, Name: playlist.SegmentName(msn, playlist.TS)}, always, func() (cached, error) {
		a.remuxes <- struct{}{}
		defer func() { <-a.remuxes }()
		a.metrics.Remuxed.Inc()
		return rec.remux(&s)
	})
	if err != nil {
		return err
	}
	b := v.(remuxed) // made above
	serveMedia(w, r, bytes.NewReader(b), typeTS, etagOf("t", msn, int64(len(b))))
	return nil
}

// errNoTS is the answer where MPEG-TS would have no picture that its players know.
var errNoTS = errs.New(errs.NotFound, "replay.serveTS", "the show was published as HEVC or AV1, which MPEG-TS players do not show")

func (r *Recording) remux(s *playlist.Segment) (remuxed, error) {
	const op = "replay.remux"
	in, ok := r.init(s.Init)
	if !ok {
		return nil, errs.New(errs.NotFound, op, "initialization segment %d is not recorded", s.Init)
	}
	if !in.HasTS() {
		return nil, errNoTS
	}
	init, err := r.InitData(s.Init)
	if err != nil {
		return nil, err
	}
	data, err := r.segmentData(s.MSN)
	if err != nil {
		return nil, err
	}
	b, err := ts.Remux(init, data, in.Reorder)
	return b, errs.Wrap(op, err)
}

// segmentData reads a complete segment.
func (r *Recording) segmentData(msn int64) ([]byte, error) {
	f, size, err := r.OpenSegment(msn)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b := make([]byte, size)
	_, err = io.ReadFull(f, b)
	return b, errs.Wrap("replay.segmentData", err)
}
