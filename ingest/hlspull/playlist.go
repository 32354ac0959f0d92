package hlspull

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// mediaPlaylist is what following a media playlist needs of it (draft-pantos-hls-rfc8216bis, 4.4). The library's parser
// knows one EXT-X-MAP per playlist, which is not enough for a show whose parameters change.
type mediaPlaylist struct {
	target     time.Duration
	partTarget time.Duration // 0: no parts
	canBlock   bool
	partHold   time.Duration // PART-HOLD-BACK; 0: not said
	sequence   int64         // of the first segment
	ended      bool
	segments   []segment // the last one may be open: parts without an address of the whole
}

// segment is a media segment, or the parts of one that is being made.
type segment struct {
	msn           int64
	discontinuity int64 // its discontinuity sequence number
	resource
	duration time.Duration
	date     time.Time // EXT-X-PROGRAM-DATE-TIME, also counted on from earlier ones; zero: unknown
	init     resource  // its EXT-X-MAP; no address: none
	gap      bool
	sealed   bool // encrypted
	open     bool
	parts    []part
}

type part struct {
	resource
	duration    time.Duration
	independent bool
	gap         bool
}

// resource is where bytes are.
type resource struct {
	url  string // absolute; empty: none
	span span
}

const maxSegments = 200_000 // of a playlist: two days of one second

// tagReader turns the lines of a media playlist into a mediaPlaylist.
type tagReader struct {
	playlist mediaPlaylist
	base     *url.URL
	seg      segment
	clock    time.Time        // the date at which seg begins, as far as it is known
	init     resource         // in force
	sealed   bool             // EXT-X-KEY in force
	ends     map[string]int64 // where the last range of a resource ended
	discSeq  int64            // EXT-X-DISCONTINUITY-SEQUENCE and what followed
	header   bool             // EXTM3U was met
}

// parseMedia reads a media playlist that came from base. It returns an Invalid error for what is none.
func parseMedia(text string, base *url.URL) (*mediaPlaylist, error) {
	const op = "hlspull.playlist"
	r := tagReader{base: base, ends: map[string]int64{}}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(strings.TrimPrefix(line, "\ufeff"))
		if !r.header && line != "" {
			if line != "#EXTM3U" {
				return nil, errs.New(errs.Invalid, op, "the address does not lead to an HLS playlist")
			}
			r.header = true
		}
		if err := r.line(line); err != nil {
			return nil, errs.As(errs.Invalid, op, err, "the playlist cannot be read: %v", err)
		}
		if len(r.playlist.segments) > maxSegments {
			return nil, errs.New(errs.Invalid, op, "the playlist has more than %d segments", maxSegments)
		}
	}
	if r.playlist.target <= 0 {
		return nil, errs.New(errs.Invalid, op, "the address does not lead to an HLS media playlist: it has no EXT-X-TARGETDURATION")
	}
	if len(r.seg.parts) > 0 {
		r.seg.open = true
		r.finish()
	}
	return &r.playlist, nil
}

func (r *tagReader) line(line string) (err error) {
	if line == "" {
		return nil
	}
	if !strings.HasPrefix(line, "#") {
		if r.seg.url, err = r.absolute(line); err != nil {
			return err
		}
		r.rangeEnds(&r.seg.resource)
		r.finish()
		return nil
	}
	tag, value, _ := strings.Cut(line, ":")
	switch tag {
	case "#EXT-X-TARGETDURATION":
		r.playlist.target, err = seconds(value)
	case "#EXT-X-MEDIA-SEQUENCE":
		r.playlist.sequence, err = strconv.ParseInt(value, 10, 64)
	case "#EXT-X-DISCONTINUITY-SEQUENCE":
		r.discSeq, err = strconv.ParseInt(value, 10, 64)
	case "#EXT-X-PART-INF":
		r.playlist.partTarget, err = seconds(attributes(value)["PART-TARGET"])
	case "#EXT-X-SERVER-CONTROL":
		a := attributes(value)
		r.playlist.canBlock = a["CAN-BLOCK-RELOAD"] == "YES"
		r.playlist.partHold, _ = seconds(a["PART-HOLD-BACK"])
	case "#EXT-X-ENDLIST":
		r.playlist.ended = true
	default:
		err = r.segmentTag(tag, value)
	}
	return err
}

// segmentTag takes the tags that belong to the next segment.
func (r *tagReader) segmentTag(tag, value string) (err error) {
	switch tag {
	case "#EXTINF":
		length, _, _ := strings.Cut(value, ",")
		r.seg.duration, err = seconds(length)
	case "#EXT-X-BYTERANGE":
		r.seg.span, err = byteRange(value)
	case "#EXT-X-DISCONTINUITY":
		r.discSeq++
		r.clock = time.Time{} // dates are not continuous across it
	case "#EXT-X-GAP":
		r.seg.gap = true
	case "#EXT-X-PROGRAM-DATE-TIME":
		if at, ok := parseDate(value); ok {
			r.clock = at
		}
	case "#EXT-X-KEY":
		method := attributes(value)["METHOD"]
		r.sealed = method != "NONE" && method != ""
	case "#EXT-X-MAP":
		r.init, err = r.resource(attributes(value))
	case "#EXT-X-PART":
		a := attributes(value)
		p := part{independent: a["INDEPENDENT"] == "YES", gap: a["GAP"] == "YES"}
		if p.duration, err = seconds(a["DURATION"]); err == nil {
			p.resource, err = r.resource(a)
		}
		r.seg.parts = append(r.seg.parts, p)
	}
	return err
}

// finish appends the segment that is described so far.
func (r *tagReader) finish() {
	s := r.seg
	s.msn = r.playlist.sequence + int64(len(r.playlist.segments))
	s.discontinuity, s.date, s.init, s.sealed = r.discSeq, r.clock, r.init, r.sealed
	if s.open {
		for _, p := range s.parts {
			s.duration += p.duration
		}
	}
	r.playlist.segments = append(r.playlist.segments, s)
	if !r.clock.IsZero() {
		r.clock = r.clock.Add(s.duration)
	}
	r.seg = segment{}
}

// resource reads URI and BYTERANGE.
func (r *tagReader) resource(a map[string]string) (out resource, err error) {
	if out.url, err = r.absolute(a["URI"]); err != nil {
		return out, err
	}
	if v := a["BYTERANGE"]; v != "" {
		if out.span, err = byteRange(v); err != nil {
			return out, err
		}
		r.rangeEnds(&out)
	}
	return out, nil
}

// rangeEnds gives a range without an offset the one after the range before it (4.4.4.2).
func (r *tagReader) rangeEnds(s *resource) {
	if s.span.length == 0 {
		return
	}
	if s.span.offset < 0 {
		s.span.offset = r.ends[s.url]
	}
	r.ends[s.url] = s.span.offset + s.span.length
}

func (r *tagReader) absolute(ref string) (string, error) {
	u, err := r.base.Parse(ref)
	if err != nil {
		return "", err
	}
	if _, err := checkURL(u); err != nil {
		return "", err
	}
	return u.String(), nil
}

// byteRange reads n[@o]; without o the offset is negative.
func byteRange(s string) (span, error) {
	n, o, ok := strings.Cut(s, "@")
	out := span{offset: -1}
	var err error
	if out.length, err = strconv.ParseInt(strings.TrimSpace(n), 10, 48); err != nil {
		return span{}, err
	}
	if ok {
		out.offset, err = strconv.ParseInt(strings.TrimSpace(o), 10, 48)
	}
	if out.length <= 0 || ok && out.offset < 0 {
		return span{}, strconv.ErrRange
	}
	return out, err
}

// seconds reads a decimal number of seconds, up to a day.
func seconds(s string) (time.Duration, error) {
	f, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err != nil {
		return 0, err
	}
	if f < 0 || !(f <= 86400) {
		return 0, strconv.ErrRange
	}
	return time.Duration(f * float64(time.Second)), nil
}

// parseDate reads an ISO 8601 date and time (4.4.4.6); the zone may lack its colon. One without a zone is UTC.
func parseDate(s string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700", "2006-01-02T15:04:05.999999999"} {
		if at, err := time.Parse(layout, strings.TrimSpace(s)); err == nil {
			return at.UTC(), true
		}
	}
	return time.Time{}, false
}

// attributes reads an attribute list (4.2), quotes taken off. What is malformed is left out.
func attributes(list string) map[string]string {
	out := map[string]string{}
	for list != "" {
		name, rest, ok := strings.Cut(list, "=")
		if !ok {
			break
		}
		var value string
		if quoted, isQuoted := strings.CutPrefix(rest, `"`); isQuoted {
			value, rest, _ = strings.Cut(quoted, `"`)
			_, rest, _ = strings.Cut(rest, ",")
		} else {
			value, rest, _ = strings.Cut(rest, ",")
		}
		out[strings.TrimSpace(name)] = strings.TrimSpace(value)
		list = rest
	}
	return out
}
