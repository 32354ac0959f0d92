package preview

import (
	"fmt"
	"strings"

	"github.com/vitrine-live/vitrine/media"
)

// VTT renders the storyboard as WebVTT for players that show pictures beside their bar: in play time, which is show time
// without what is not in kept, the spans that the playlist plays. kept nil: all of the show is played.
func (d *Storyboard) VTT(kept []media.Span) []byte {
	if kept == nil {
		kept = []media.Span{{To: max(media.FromMilliseconds(d.Covered), 0)}}
	}
	cues := d.cues()
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
			} else {
				at = 0
			}
			cues = append(cues, cue{media.Span{From: at}, s.URL, i % d.Columns * d.Tile.Width, i / d.Columns * d.Tile.Height})
		}
	}
	if n := len(cues); n > 0 {
		cues[n-1].span.To = max(media.FromMilliseconds(d.Covered), cues[n-1].span.From+1)
	}
	return cues
}

// clock renders a time as WebVTT does.
func clock(t media.Ticks) string {
	ms := t.Milliseconds()
	return fmt.Sprintf("%02d:%02d:%02d.%03d", ms/3_600_000, ms/60_000%60, ms/1000%60, ms%1000)
}
