package clip

import (
	"context"
	"slices"

	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/hls/ts"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/replay"
)

// view is what the recording has of a clip: whole segments, of which the first begins before the in-point and the last ends
// after the out-point.
type view struct {
	span     media.Span
	target   int // seconds
	segments []playlist.Segment
	inits    []playlist.Init // of these segments
	epochs   media.Epochs
	whole    bool // everything up to the out-point is there
}

// viewOf looks at a recording. NotFound when it has nothing of the interval.
func viewOf(rec *replay.Recording, span media.Span) (*view, error) {
	all := rec.Segments()
	v := &view{
		span: span, target: rec.TargetDuration(), segments: slices.Clone(segmentsOf(all, span)), epochs: rec.Epochs(),
		whole: rec.Ended() || len(all) > 0 && all[len(all)-1].End() >= span.To,
	}
	if len(v.segments) == 0 {
		if v.whole {
			return nil, errs.New(errs.NotFound, "clip.view", "the recording has nothing of this clip any more")
		}
		return nil, errs.New(errs.Unavailable, "clip.view", "the first seconds of the clip are still being recorded")
	}
	v.segments[0].Discontinuity = false // nothing is before it
	for _, in := range rec.Inits() {
		if slices.ContainsFunc(v.segments, func(s playlist.Segment) bool { return s.Init == in.Number }) {
			v.inits = append(v.inits, in)
		}
	}
	return v, nil
}

// keepTS makes gaps of what MPEG-TS cannot show, and reports whether anything is left.
func (v *view) keepTS() bool {
	kept := v.inits[:0:0]
	for _, in := range v.inits {
		if in.HasTS() {
			kept = append(kept, in)
		}
	}
	v.inits = kept
	for i := range v.segments {
		s := &v.segments[i]
		s.Gap = s.Gap || !slices.ContainsFunc(kept, func(in playlist.Init) bool { return in.Number == s.Init })
	}
	return len(kept) > 0
}

// media renders the playlist of the segments.
func (v *view) media(c playlist.Container, ranges []playlist.DateRange) []byte {
	m := playlist.Media{
		Type: playlist.Event, Container: c, TargetDuration: v.target, Segments: v.segments, DateRanges: v.within(ranges), Ended: v.whole,
		Start: new(max(0, v.span.From-v.segments[0].Start)),
	}
	if v.whole {
		m.Type = playlist.VOD
	}
	return m.Append(nil)
}

// within are the date ranges that the segments show something of.
func (v *view) within(ranges []playlist.DateRange) (in []playlist.DateRange) {
	first, last := &v.segments[0], &v.segments[len(v.segments)-1]
	begin, end := v.epochs.WallAt(first.Start), v.epochs.WallAt(last.End()-1)
	for _, r := range ranges {
		if !r.Start.After(end) && (r.End.IsZero() || r.End.After(begin)) {
			in = append(in, r)
		}
	}
	return in
}

// multivariant renders the playlist that names the other one.
func (v *view) multivariant(c playlist.Container) []byte {
	variant := playlist.VariantOf(v.inits)
	variant.URI = "main.m3u8"
	variant.Bandwidth, variant.AverageBandwidth = v.bandwidth()
	if c == playlist.TS {
		variant.Bandwidth, variant.AverageBandwidth = ts.Bandwidth(variant.Bandwidth), ts.Bandwidth(variant.AverageBandwidth)
	}
	m := playlist.Multivariant{Container: c, Independent: playlist.Independent(v.segments), Variants: []playlist.Variant{variant}}
	return m.Append(nil)
}

// bandwidth is the peak of the segments and their mean, in bit/s. Segments are not joined to find the peak (RFC 8216bis,
// 4.4.6.2, lets short ones be): what is said is never too little.
func (v *view) bandwidth() (peak, mean int) {
	var bytes int64
	var length media.Ticks
	for _, s := range v.segments {
		if s.Gap || s.Duration <= 0 {
			continue
		}
		bytes += s.Size
		length += s.Duration
		peak = max(peak, bitrate(s.Size, s.Duration))
	}
	return max(peak, 1), bitrate(bytes, length)
}

func bitrate(bytes int64, length media.Ticks) int {
	if length <= 0 {
		return 0
	}
	return int((bytes*8*int64(media.TicksPerSecond) + int64(length) - 1) / int64(length))
}

// has reports whether a file of the recording belongs to the clip.
func (v *view) has(n playlist.Name) bool {
	switch n.Kind {
	case playlist.InitFile:
		return slices.ContainsFunc(v.inits, func(in playlist.Init) bool { return in.Number == n.Init })
	case playlist.SegmentFile, playlist.TSFile:
		first, last := v.segments[0].MSN, v.segments[len(v.segments)-1].MSN
		return n.MSN >= first && n.MSN <= last
	case playlist.PartFile:
	}
	return false
}

// playlist renders one of the clip's playlists; final says that it will not change but for its pins.
func (s *Service) playlist(ctx context.Context, c *Clip, name string, container playlist.Container) (text []byte, final bool, err error) {
	const op = "clip.playlist"
	rec, err := s.recording(c.ShowID)
	if err != nil {
		return nil, false, err
	}
	v, err := viewOf(rec, c.Span)
	if err != nil {
		return nil, false, err
	}
	if container == playlist.TS && !v.keepTS() {
		return nil, false, errs.New(errs.NotFound, op, "the show was published as HEVC or AV1, which MPEG-TS players do not show")
	}
	if name == "index.m3u8" {
		return v.multivariant(container), v.whole, nil
	}
	var ranges []playlist.DateRange
	if s.Ranges != nil {
		if ranges, err = s.Ranges(ctx, c.ShowID); err != nil {
			return nil, false, errs.Wrap(op, err)
		}
	}
	return v.media(container, ranges), v.whole, nil
}
