package replay

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/hls/ts"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/memo"
	"github.com/vitrine-live/vitrine/media"
)

// rendered is a playlist and the state of the show that it was rendered from.
type rendered struct {
	text
	version uint64
	ended   bool
	ranges  []playlist.DateRange
	cuts    []media.Span
}

func (r *rendered) size() int64 { return int64(len(r.plain)+len(r.packed)) + 256 }

// servePlaylist serves a playlist, rendered and packed once for each state of the show.
func (s serving) servePlaylist(w http.ResponseWriter, r *http.Request, rec *Recording, name string, c playlist.Container) error {
	const op = "replay.servePlaylist"
	view := rec.view()
	if len(view.segments) == 0 {
		if view.ended {
			return errs.New(errs.NotFound, op, "nothing of the show was recorded")
		}
		return errs.New(errs.Unavailable, op, "the first seconds of the show are still being recorded")
	}
	state, err := s.edits(r.Context(), rec)
	if err != nil {
		return errs.Wrap(op, err)
	}
	if c == playlist.TS && !view.hasTS() {
		return errNoTS
	}
	var ranges []playlist.DateRange
	if name == mediaName {
		if ranges, err = s.a.cfg.Ranges(r.Context(), rec.show); err != nil {
			return errs.Wrap(op, err)
		}
	}
	fresh := func(v cached) bool {
		old, ok := v.(*rendered)
		return ok && old.version == view.version && slices.Equal(old.cuts, state.Cuts) && slices.EqualFunc(old.ranges, ranges, sameRange)
	}
	v, err := s.a.cache.Get(s.playlistKey(rec, name, c), fresh, func() (cached, error) {
		return &rendered{newText(view.render(name, c, ranges, state.Cuts)), view.version, view.ended, ranges, state.Cuts}, nil
	})
	if err != nil {
		return err
	}
	out := v.(*rendered) // made above
	out.serve(w, r, typePlaylist, maxAge(out.ended, state.ExpiresAt, time.Now()))
	return nil
}

// mediaName is the media playlist; the other one is the multivariant playlist.
const mediaName = "main.m3u8"

func (s serving) playlistKey(rec *Recording, name string, c playlist.Container) memo.Key {
	if c == playlist.TS {
		name = "ts/" + name
	}
	if s.whole {
		name = "whole/" + name
	}
	return memo.Key{Group: rec.show, Name: name}
}

// maxAge is how long caches may keep a playlist: not beyond the instant at which the replay expires.
func maxAge(ended bool, expires, now time.Time) string {
	if !ended {
		return cacheEvent
	}
	if left := expires.Sub(now); !expires.IsZero() && left < vodAge {
		return "public, max-age=" + strconv.Itoa(max(0, int(left/time.Second)))
	}
	return cacheVOD
}

// render renders a playlist of what the cuts leave of the view.
func (v view) render(name string, c playlist.Container, ranges []playlist.DateRange, cuts []media.Span) []byte {
	ranges = clipRanges(ranges, v.segments, cuts)
	v.keep(cuts)
	if c == playlist.TS {
		v.keepTS()
	}
	if name == mediaName {
		return v.media(c, ranges)
	}
	return v.multivariant(c)
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

// hasTS reports whether MPEG-TS can show anything of the view.
func (v *view) hasTS() bool {
	return len(v.inits) == 0 || slices.ContainsFunc(v.inits, func(in playlist.Init) bool { return in.HasTS() })
}

// keepTS makes of the view what MPEG-TS can show, with gaps for the rest.
func (v *view) keepTS() {
	kept := v.inits[:0:0]
	has := map[int]bool{}
	for _, in := range v.inits {
		if in.HasTS() {
			kept, has[in.Number] = append(kept, in), true
		}
	}
	if len(kept) == len(v.inits) {
		return
	}
	v.inits, v.segments = kept, slices.Clone(v.segments)
	for i := range v.segments {
		s := &v.segments[i]
		s.Gap = s.Gap || !has[s.Init]
	}
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
	variant := playlist.VariantOf(v.inits)
	variant.URI = uri
	variant.Bandwidth, variant.AverageBandwidth = v.rate.bandwidth()
	if c == playlist.TS {
		variant.Bandwidth, variant.AverageBandwidth = ts.Bandwidth(variant.Bandwidth), ts.Bandwidth(variant.AverageBandwidth)
	}
	m := playlist.Multivariant{Container: c, Independent: playlist.Independent(v.segments), Variants: []playlist.Variant{variant}}
	return m.Append(nil)
}

func sameRange(a, b playlist.DateRange) bool {
	return a.ID == b.ID && a.Class == b.Class && a.Start.Equal(b.Start) && a.End.Equal(b.End) &&
		slices.Equal(a.Attrs, b.Attrs)
}
