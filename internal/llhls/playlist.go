package llhls

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// playlist is a parsed media playlist.
type playlist struct {
	version       int
	target        time.Duration
	partTarget    time.Duration // 0: no parts
	canBlock      bool
	canSkipUntil  time.Duration
	holdBack      time.Duration
	partHoldBack  time.Duration
	mediaSequence int64
	discontinuity int64 // EXT-X-DISCONTINUITY-SEQUENCE
	kind          string
	independent   bool
	ended         bool
	skipped       int
	segments      []segment // closed ones
	open          *segment  // parts after the last closed one
	hint          string    // of TYPE=PART
	ranges        []dateRange
	reports       []renditionReport
}

type renditionReport struct {
	uri string
	at  position // of the newest part, -1 for a whole segment
}

type segment struct {
	msn           int64
	uri           string
	duration      time.Duration
	date          time.Time
	init          string
	initStated    bool // EXT-X-MAP stands at this very segment
	discontinuity bool
	discSeq       int64
	gap           bool
	parts         []part
}

type part struct {
	uri         string
	duration    time.Duration
	independent bool
	gap         bool
}

type dateRange struct {
	id    string
	attrs attrs
	start time.Time
}

// missing reports whether nothing of the segment can be had.
func (s *segment) missing() bool {
	if len(s.parts) > 0 {
		return s.parts[0].gap
	}
	return s.gap
}

// position says how far a playlist reaches: the next part to come is part part of segment msn.
type position struct {
	msn  int64
	part int
}

func (p position) before(q position) bool {
	return p.msn < q.msn || p.msn == q.msn && p.part < q.part
}

func (p *playlist) next() position {
	pos := position{msn: p.mediaSequence + int64(p.skipped+len(p.segments))}
	if p.open != nil {
		pos.part = len(p.open.parts)
	}
	return pos
}

// all returns the closed segments and the open one.
func (p *playlist) all() []segment {
	if p.open == nil {
		return p.segments
	}
	return append(slices.Clip(p.segments), *p.open)
}

// duration of the closed segments listed.
func (p *playlist) duration() (d time.Duration) {
	for i := range p.segments {
		d += p.segments[i].duration
	}
	return d
}

// parser reads a media playlist line by line. It goes on after a violation, so that one run shows them all.
type parser struct {
	p        *playlist
	complain complain
	seen     map[string]int
	cur      segment
	extinf   bool
	init     string
	discs    int64
	at       int // line
}

func parse(text string, c complain) *playlist {
	ps := &parser{p: &playlist{version: 1}, complain: c, seen: map[string]int{}}
	if !strings.HasSuffix(text, "\n") {
		c(Syntax, "the last line does not end")
	}
	for i, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		ps.at = i + 1
		line = strings.TrimSuffix(line, "\r")
		switch {
		case i == 0:
			if line != "#EXTM3U" {
				c(Syntax, "the first line is %q", line)
			}
		case line == "":
		case strings.HasPrefix(line, "#EXT"):
			ps.tag(line)
		case strings.HasPrefix(line, "#"):
		default:
			ps.uri(line)
		}
	}
	ps.finish()
	return ps.p
}

func (ps *parser) bad(format string, args ...any) {
	ps.complain(Syntax, "line %d: "+format, append([]any{ps.at}, args...)...)
}

// once are the tags that may stand once at most (4.4.1, 4.4.2, 4.4.3, 4.4.5.2).
var once = []string{
	"EXT-X-VERSION", "EXT-X-TARGETDURATION", "EXT-X-MEDIA-SEQUENCE", "EXT-X-DISCONTINUITY-SEQUENCE", "EXT-X-PLAYLIST-TYPE", "EXT-X-PART-INF",
	"EXT-X-SERVER-CONTROL", "EXT-X-INDEPENDENT-SEGMENTS", "EXT-X-ENDLIST", "EXT-X-SKIP", "EXT-X-START",
}

func (ps *parser) tag(line string) {
	name, value, _ := strings.Cut(line[1:], ":")
	ps.seen[name]++
	if slices.Contains(once, name) && ps.seen[name] > 1 {
		ps.bad("%s twice", name)
		return
	}
	if ps.header(name, value) || ps.segmentTag(name, value) || ps.other(name, value) {
		return
	}
	ps.complain(UnknownTag, "line %d: %s", ps.at, name)
}

func (ps *parser) header(name, value string) bool {
	p := ps.p
	switch name {
	case "EXT-X-VERSION":
		p.version = int(ps.number(name, value))
	case "EXT-X-TARGETDURATION":
		p.target = time.Duration(ps.number(name, value)) * time.Second
	case "EXT-X-MEDIA-SEQUENCE":
		p.mediaSequence = ps.number(name, value)
		ps.beforeSegments(name)
	case "EXT-X-DISCONTINUITY-SEQUENCE":
		p.discontinuity = ps.number(name, value)
		ps.beforeSegments(name)
	case "EXT-X-PLAYLIST-TYPE":
		if p.kind = value; value != "EVENT" && value != "VOD" {
			ps.bad("playlist type %q", value)
		}
	case "EXT-X-INDEPENDENT-SEGMENTS":
		p.independent = true
		ps.bare(name, value)
	case "EXT-X-ENDLIST":
		p.ended = true
		ps.bare(name, value)
	case "EXT-X-PART-INF":
		p.partTarget = ps.attrs(name, value).seconds("PART-TARGET")
	case "EXT-X-SERVER-CONTROL":
		a := ps.attrs(name, value)
		p.canBlock, p.canSkipUntil = a.yes("CAN-BLOCK-RELOAD"), a.seconds("CAN-SKIP-UNTIL")
		p.holdBack, p.partHoldBack = a.seconds("HOLD-BACK"), a.seconds("PART-HOLD-BACK")
	case "EXT-X-START":
		ps.attrs(name, value)
	default:
		return false
	}
	return true
}

func (ps *parser) segmentTag(name, value string) bool {
	switch name {
	case "EXTINF":
		ps.duration(value)
	case "EXT-X-PROGRAM-DATE-TIME":
		d, err := parseDate(value)
		if err != nil || !ps.cur.date.IsZero() {
			ps.bad("%s %s", name, value)
		}
		ps.cur.date = d
	case "EXT-X-DISCONTINUITY":
		ps.bare(name, value)
		if ps.cur.discontinuity || len(ps.cur.parts) > 0 {
			ps.bad("%s amid a segment", name)
		}
		ps.cur.discontinuity = true
		ps.discs++
	case "EXT-X-GAP":
		ps.bare(name, value)
		ps.cur.gap = true
	case "EXT-X-MAP":
		a := ps.attrs(name, value)
		if len(ps.cur.parts) > 0 || !a.has("URI") {
			ps.bad("%s amid a segment or without URI", name)
		}
		ps.init, ps.cur.initStated = a.text("URI"), true
	case "EXT-X-PART":
		a := ps.attrs(name, value)
		if !a.has("URI") || !a.has("DURATION") {
			ps.bad("%s without URI or DURATION", name)
		}
		ps.cur.parts = append(ps.cur.parts, part{uri: a.text("URI"), duration: a.seconds("DURATION"), independent: a.yes("INDEPENDENT"), gap: a.yes("GAP")})
	case "EXT-X-BITRATE":
		ps.number(name, value)
	default:
		return false
	}
	return true
}

func (ps *parser) other(name, value string) bool {
	p := ps.p
	switch name {
	case "EXT-X-DATERANGE":
		a := ps.attrs(name, value)
		start, err := parseDate(a.text("START-DATE"))
		if err != nil && a.has("START-DATE") {
			ps.bad("START-DATE %s", a.text("START-DATE"))
		}
		p.ranges = append(p.ranges, dateRange{id: a.text("ID"), attrs: a, start: start})
	case "EXT-X-SKIP":
		if p.skipped = int(ps.attrs(name, value).int("SKIPPED-SEGMENTS")); p.skipped == 0 || len(p.segments) > 0 {
			ps.bad("%s of %d segments after %d", name, p.skipped, len(p.segments))
		}
	case "EXT-X-PRELOAD-HINT":
		a := ps.attrs(name, value)
		if a["TYPE"] != "PART" && a["TYPE"] != "MAP" || !a.has("URI") {
			ps.bad("%s %s", name, value)
		}
		if a["TYPE"] == "PART" {
			if p.hint != "" {
				ps.bad("two part hints")
			}
			p.hint = a.text("URI")
		}
	case "EXT-X-RENDITION-REPORT":
		a := ps.attrs(name, value)
		if !a.has("URI") || !a.has("LAST-MSN") {
			ps.bad("%s without URI or LAST-MSN", name)
		}
		at := position{a.int("LAST-MSN"), -1}
		if a.has("LAST-PART") {
			at.part = int(a.int("LAST-PART"))
		}
		p.reports = append(p.reports, renditionReport{a.text("URI"), at})
	default:
		return false
	}
	return true
}

func (ps *parser) duration(value string) {
	d, _, comma := strings.Cut(value, ",")
	dur, err := parseSeconds(d)
	if err != nil || !comma || ps.extinf {
		ps.bad("EXTINF %s", value)
	}
	ps.cur.duration, ps.extinf = dur, true
}

func (ps *parser) uri(line string) {
	if strings.TrimSpace(line) != line {
		ps.bad("white space around %q", line)
	}
	if !ps.extinf {
		ps.bad("%q without EXTINF", line)
	}
	ps.cur.uri = line
	ps.place()
	ps.p.segments = append(ps.p.segments, ps.cur)
	ps.cur, ps.extinf = segment{}, false
}

func (ps *parser) place() {
	p := ps.p
	ps.cur.msn = p.mediaSequence + int64(p.skipped+len(p.segments))
	ps.cur.init = ps.init
	ps.cur.discSeq = p.discontinuity + ps.discs
}

func (ps *parser) finish() {
	if ps.extinf {
		ps.bad("EXTINF without a URI")
	}
	if len(ps.cur.parts) > 0 {
		ps.place()
		open := ps.cur
		ps.p.open = &open
	}
	if ps.seen["EXT-X-TARGETDURATION"] == 0 {
		ps.bad("no EXT-X-TARGETDURATION")
	}
}

func (ps *parser) beforeSegments(name string) {
	if len(ps.p.segments) > 0 || len(ps.cur.parts) > 0 || ps.discs > 0 {
		ps.bad("%s after the first segment", name)
	}
}

func (ps *parser) bare(name, value string) {
	if value != "" {
		ps.bad("%s takes no value", name)
	}
}

func (ps *parser) number(name, value string) int64 {
	n, err := strconv.ParseInt(value, 10, 63)
	if err != nil || n < 0 {
		ps.bad("%s %q", name, value)
	}
	return n
}

func (ps *parser) attrs(name, value string) attrs {
	a, err := parseAttrs(name, value)
	if err != nil {
		ps.bad("%v", err)
		return attrs{}
	}
	return a
}
