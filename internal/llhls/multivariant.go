package llhls

import (
	"strings"
)

// variant is one entry of a multivariant playlist.
type variant struct {
	uri       string
	bandwidth int64
}

// parseMultivariant reads a multivariant playlist (4.4.6) as strictly as the media playlists.
func parseMultivariant(text string, c complain) (out []variant) {
	var pending attrs
	for i, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		name, value, _ := strings.Cut(strings.TrimPrefix(line, "#"), ":")
		switch {
		case i == 0 && line == "#EXTM3U", line == "", line == "#EXT-X-INDEPENDENT-SEGMENTS":
		case name == "EXT-X-VERSION" && value != "":
		case name == "EXT-X-STREAM-INF":
			a, err := parseAttrs(name, value)
			if err != nil {
				c(Syntax, "multivariant line %d: %v", i+1, err)
			}
			checkVariant(a, c)
			pending = a
		case strings.HasPrefix(line, "#EXT"):
			c(UnknownTag, "multivariant line %d: %s", i+1, name)
		case strings.HasPrefix(line, "#"):
		case pending == nil:
			c(Multivariant, "%q without EXT-X-STREAM-INF", line)
		default:
			out = append(out, variant{line, pending.int("BANDWIDTH")})
			pending = nil
		}
	}
	if pending != nil || len(out) == 0 {
		c(Multivariant, "EXT-X-STREAM-INF without a URI, or none at all")
	}
	return out
}

func checkVariant(a attrs, c complain) {
	if a.int("BANDWIDTH") <= 0 {
		c(Multivariant, "no BANDWIDTH")
	}
	if a.has("AVERAGE-BANDWIDTH") && a.int("AVERAGE-BANDWIDTH") > a.int("BANDWIDTH") {
		c(Multivariant, "AVERAGE-BANDWIDTH beyond BANDWIDTH")
	}
	if a.text("CODECS") == "" {
		c(Multivariant, "no CODECS")
	}
	for _, video := range []string{"avc1", "hvc1", "av01"} {
		if strings.Contains(a.text("CODECS"), video) && !a.has("RESOLUTION") {
			c(Multivariant, "video without RESOLUTION")
		}
	}
}
