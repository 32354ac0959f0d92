package edit

import (
	"fmt"
	"strings"

	"github.com/vitrine-live/vitrine/media"
)

// Played is a chapter of a replay as it is played.
type Played struct {
	Chapter
	Play media.Span // play time, never empty
}

// Play are the chapters that viewers see, in playing order: without those that are hidden or of which nothing is left.
func Play(chapters []Chapter, m Map) []Played {
	var out []Played
	for _, c := range chapters {
		if span := m.ToPlaySpan(c.Span); !c.Hidden && !span.Empty() {
			out = append(out, Played{c, span})
		}
	}
	return out
}

// VTT renders chapters as a WebVTT file for a track of kind chapters (https://www.w3.org/TR/webvtt1/, 2.4). Cues of such
// a file either lie within one another or do not overlap: of two that do, the earlier ends where the later begins.
func VTT(chapters []Played) []byte {
	b := []byte("WEBVTT\n")
	for i, c := range chapters {
		end := c.Play.To
		for _, later := range chapters[i+1:] {
			if later.Play.From > c.Play.From && later.Play.From < end && later.Play.To > end {
				end = later.Play.From
			}
		}
		b = fmt.Appendf(b, "\n%s\n%s --> %s\n%s\n", c.ID, timestamp(c.Play.From), timestamp(end), cueText(c.Title))
	}
	return b
}

// timestamp renders a WebVTT timestamp.
func timestamp(t media.Ticks) string {
	ms := t.Milliseconds()
	return fmt.Sprintf("%02d:%02d:%02d.%03d", ms/3_600_000, ms/60_000%60, ms/1000%60, ms%1000)
}

var cueEscapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "\r", " ", "\n", " ", "\x00", " ")

// cueText is a title that is text and nothing else: no tag, no arrow, no line of its own.
func cueText(title string) string {
	if strings.TrimSpace(title) == "" {
		return "…"
	}
	return cueEscapes.Replace(title)
}
