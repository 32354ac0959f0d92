package replay

import (
	"net/http"
	"slices"
	"strings"

	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/hls/ts"
	"github.com/vitrine-live/vitrine/internal/errs"
)

// rendered is a playlist and the state of the show that it was rendered from.
type rendered struct {
	text
	version uint64
	ended   bool
	ranges  []playlist.DateRange
}

func (r *rendered) size() int64 { return int64(len(r.plain)+len(r.packed)) + 256 }

// servePlaylist serves a playlist, rendered and packed once for each state of the show.
func (a *Archive) servePlaylist(w http.ResponseWriter, r *http.Request, rec *Recording, name string, c playlist.Container) error {
	const op = "replay.servePlaylist"
	view := rec.view()
	if len(view.segments) == 0 {
		if view.ended {
			return errs.New(errs.NotFound, op, "nothing of the show was recorded")
		}
		return errs.New(errs.Unavailable, op, "the first seconds of the show are still being recorded")
	}
	key := cacheKey{rec.show, name}
	if c == playlist.TS {
		key.name = "ts/" + name
		if !view.keepTS() {
			return errNoTS
		}
	}
	var ranges []playlist.DateRange
	render := view.multivariant
	if name == "main.m3u8" {
		var err error
		if ranges, err = a.cfg.Ranges(r.Context(), rec.show); err != nil {
			return errs.Wrap(op, err)
		}
		render = func(c playlist.Container) []byte { return view.media(c, ranges) }
	}
	fresh := func(v cached) bool {
		old, ok := v.(*rendered)
		return ok && old.version == view.version && slices.EqualFunc(old.ranges, ranges, sameRange)
	}
	v, err := a.cache.get(key, fresh, func() (cached, error) {
		return &rendered{newText(render(c)), view.version, view.ended, ranges}, nil
	})
	if err != nil {
		return err
	}
	out := v.(*rendered) // made above
	cacheControl := cacheEvent
	if out.ended {
		cacheControl = cacheVOD
	}
	out.serve(w, r, typePlaylist, cacheControl)
	return nil
}

// view is what a playlist shows of a recording at one instant.
type view struct {
	version  uint64
	ended    bool
	target   int
	inits    []playlist.Init
	segments []playlist.Segment
	rate     rate
}

func (r *Recording) view() view {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return view{r.version, r.ended, r.targetDuration(), slices.Clip(r.inits), slices.Clip(r.segments), r.rate}
}

// keepTS makes of the view what MPEG-TS can show, with gaps for the rest, and reports whether that is anything.
func (v *view) keepTS() bool {
	kept := v.inits[:0:0]
	has := map[int]bool{}
	for _, in := range v.inits {
		if in.HasTS() {
			kept, has[in.Number] = append(kept, in), true
		}
	}
	if len(kept) == len(v.inits) {
		return true
	}
	v.inits, v.segments = kept, slices.Clone(v.segments)
	for i := range v.segments {
		s := &v.segments[i]
		s.Gap = s.Gap || !has[s.Init]
	}
	return len(kept) > 0
}

// segmentLine is about what a segment takes in a playlist.
const segmentLine = 112

func (v *view) media(c playlist.Container, ranges []playlist.DateRange) []byte {
	m := playlist.Media{
		Type: playlist.Event, Container: c, TargetDuration: v.target, Segments: v.segments, DateRanges: ranges, Ended: v.ended,
	}
	if v.ended {
		m.Type = playlist.VOD
	}
	return m.Append(make([]byte, 0, 1024+len(v.segments)*segmentLine+len(ranges)*256))
}

func (v *view) multivariant(c playlist.Container) []byte { return v.multivariantOf(c, "main.m3u8") }

// multivariantOf leads to the media playlist at uri.
func (v *view) multivariantOf(c playlist.Container, uri string) []byte {
	variant := playlist.Variant{URI: uri, Codecs: v.codecs()}
	variant.Bandwidth, variant.AverageBandwidth = v.rate.bandwidth()
	if c == playlist.TS {
		variant.Bandwidth, variant.AverageBandwidth = ts.Bandwidth(variant.Bandwidth), ts.Bandwidth(variant.AverageBandwidth)
	}
	for _, in := range v.inits {
		if in.Width*in.Height > variant.Width*variant.Height {
			variant.Width, variant.Height = in.Width, in.Height
		}
		variant.FrameRate = max(variant.FrameRate, in.FrameRate)
	}
	m := playlist.Multivariant{Container: c, Independent: v.independent(), Variants: []playlist.Variant{variant}}
	return m.Append(nil)
}

// codecs lists every format that the show has anywhere (RFC 6381), each once.
func (v *view) codecs() string {
	var all []string
	for _, in := range v.inits {
		for codec := range strings.SplitSeq(in.Codecs, ",") {
			if codec != "" && !slices.Contains(all, codec) {
				all = append(all, codec)
			}
		}
	}
	return strings.Join(all, ",")
}

func (v *view) independent() bool {
	return !slices.ContainsFunc(v.segments, func(s playlist.Segment) bool { return !s.Independent && !s.Gap })
}

func sameRange(a, b playlist.DateRange) bool {
	return a.ID == b.ID && a.Class == b.Class && a.Start.Equal(b.Start) && a.End.Equal(b.End) &&
		slices.Equal(a.Attrs, b.Attrs)
}
