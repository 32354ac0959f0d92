package cut

import (
	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/replay"
)

// Clamp returns the part of span, in show time, that is recorded so far: what reaches beyond the end of the recording
// by less than a second is cut off. Errors are Invalid and name the field, "from" or "to": a negative instant, an end
// that is not after the beginning, one beyond the end, a span in which nothing is recorded.
func Clamp(rec *replay.Recording, span media.Span) (media.Span, error) {
	const op = "cut.Clamp"
	end := rec.Duration()
	switch {
	case span.From < 0:
		return span, errs.Field(op, "from", "a clip cannot begin before the show")
	case span.Empty():
		return span, errs.Field(op, "to", "a clip must end after it begins")
	case span.From >= end:
		return span, errs.Field(op, "from", "the recording ends at %s; let the clip begin before that", clock(end))
	case span.To > end+media.TicksPerSecond:
		return span, errs.Field(op, "to", "the recording ends at %s; let the clip end there", clock(end))
	}
	span.To = min(span.To, end)
	for _, s := range segments(rec) {
		if !s.Gap && span.Overlaps(media.Span{From: s.Start, To: s.End()}) {
			return span, nil
		}
	}
	return span, errs.Field(op, "from", "nothing was recorded between %s and %s", clock(span.From), clock(span.To))
}

// segments are all that can be read, with the one that is being recorded.
func segments(rec *replay.Recording) []playlist.Segment {
	all := rec.Segments()
	if open, ok := rec.Open(); ok {
		all = append(all[:len(all):len(all)], open)
	}
	return all
}
