package clip

import (
	"bytes"
	"fmt"
	"strings"
)

// chaptersVTT renders chapters as WebVTT. Cues of zero length are left out: players refuse them.
func chaptersVTT(parts []SidecarPart) []byte {
	var b bytes.Buffer
	b.WriteString("WEBVTT\n")
	for _, p := range parts {
		if p.To <= p.From {
			continue
		}
		fmt.Fprintf(&b, "\n%s\n%s --> %s\n%s\n", cueID(p.ID), stamp(p.From), stamp(p.To), cueText(p.Title))
	}
	return b.Bytes()
}

// stamp is a WebVTT timestamp.
func stamp(ms int64) string {
	return fmt.Sprintf("%02d:%02d:%02d.%03d", ms/3_600_000, ms/60_000%60, ms/1000%60, ms%1000)
}

// cueID is an identifier that cannot be taken for a timing line.
func cueID(id string) string { return strings.ReplaceAll(cleaned(id), "-->", "") }

var escapeCue = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// cueText is a text as a cue holds it: on one line, without markup.
func cueText(s string) string {
	if s = cleaned(s); s == "" {
		return "-"
	}
	return escapeCue.Replace(s)
}
