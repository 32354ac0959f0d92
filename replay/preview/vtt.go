package preview

import (
	"fmt"
	"hash/crc32"
	"slices"
	"strings"

	"github.com/vitrine-live/vitrine/media"
)

// VTT renders the storyboard as WebVTT for players that show pictures beside their bar: in play time, which is show time
// without what is not in kept, the spans that the replay plays in order. kept nil: all of the show is played.
func (d *Storyboard) VTT(kept []media.Span) []byte {
	cues := d.without(kept).cues()
	if kept == nil {
		kept = []media.Span{{To: media.FromMilliseconds(d.Covered)}}
	}
	var b strings.Builder
	b.WriteString("WEBVTT\n")
	var play media.Ticks
	for _, k := range kept {
		for _, c := range cues {
			if part := c.span.Intersect(k); !part.Empty() {
				fmt.Fprintf(&b, "\n%s --> %s\n%s#xywh=%d,%d,%d,%d\n", clock(play+part.From-k.From), clock(play+part.To-k.From),
					c.url, c.x, c.y, d.Tile.Width, d.Tile.Height)
			}
		}
		play += k.Len()
	}
	return []byte(b.String())
}

// without is the storyboard of an edited replay: a tile whose picture is not in kept has the time of the next one, so that
// it is never shown, and sheets have other addresses, as such tiles are black on them. kept nil: nothing is left out.
func (d *Storyboard) without(kept []media.Span) *Storyboard {
	if kept == nil {
		return d
	}
	out := *d
	out.Sheets = make([]Sheet, len(d.Sheets))
	version := fmt.Sprintf("kept=%08x", crc32.ChecksumIEEE(fmt.Append(nil, kept)))
	next := d.Covered
	for i := len(d.Sheets) - 1; i >= 0; i-- {
		sep := "?"
		if strings.Contains(d.Sheets[i].URL, "?") {
			sep = "&"
		}
		s := Sheet{URL: d.Sheets[i].URL + sep + version, Tiles: slices.Clone(d.Sheets[i].Tiles)}
		for n := len(s.Tiles) - 1; n >= 0; n-- {
			if inside(kept, s.Tiles[n]) {
				next = s.Tiles[n]
			} else {
				s.Tiles[n] = next
			}
		}
		out.Sheets[i] = s
	}
	return &out
}

// inside reports whether the picture of a tile is in one of the spans. Tiles lost parts of a millisecond.
func inside(kept []media.Span, ms int64) bool {
	at := media.FromMilliseconds(ms)
	return slices.ContainsFunc(kept, func(k media.Span) bool {
		return k.Contains(at) || k.Contains(at+media.TicksPerMillisecond/2)
	})
}

// cue is one tile: when it is shown, and where it is.
type cue struct {
	span media.Span
	url  string
	x, y int
}

func (d *Storyboard) cues() []cue {
	var cues []cue
	for _, s := range d.Sheets {
		for i, ms := range s.Tiles {
			at := media.FromMilliseconds(ms)
			if n := len(cues); n > 0 {
				cues[n-1].span.To = at
			}
			cues = append(cues, cue{media.Span{From: at}, s.URL, i % d.Columns * d.Tile.Width, i / d.Columns * d.Tile.Height})
		}
	}
	if n := len(cues); n > 0 {
		cues[n-1].span.To = media.FromMilliseconds(d.Covered)
	}
	cues = slices.DeleteFunc(cues, func(c cue) bool { return c.span.Empty() })
	if len(cues) > 0 {
		cues[0].span.From = 0
	}
	return cues
}

// clock renders a time as WebVTT does.
func clock(t media.Ticks) string {
	ms := t.Milliseconds()
	return fmt.Sprintf("%02d:%02d:%02d.%03d", ms/3_600_000, ms/60_000%60, ms/1000%60, ms%1000)
}
