// Package llhls is a strict player of HLS playlists that plays nothing: it follows a live playlist over HTTP, low-latency
// or plain, and reports whatever breaks a rule of RFC 8216 and draft-pantos-hls-rfc8216bis (clauses beside the rules), or
// a promise of this project that goes beyond them. It parses playlists and fragmented MP4 by itself, so that it shares no
// mistake with the server it judges.
package llhls

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Rule names what may be broken.
type Rule string

// The rules. Clauses are of draft-pantos-hls-rfc8216bis.
const (
	Syntax       Rule = "syntax"        // 4.1, 4.2: lines and attribute lists; tags where and as often as they may stand
	UnknownTag   Rule = "unknown-tag"   // 4.1: an #EXT line that no clause defines
	Version      Rule = "version"       // 4.4.1.2, 8: EXT-X-VERSION covers what is used
	Constant     Rule = "constant"      // 6.2.1: header values that may not change while the playlist lives
	Target       Rule = "target"        // 4.4.3.1: rounded EXTINF within the target duration
	PartTarget   Rule = "part-target"   // 4.4.3.7: parts within the part target, and no shorter than 85 % but at a segment's end
	PartSum      Rule = "part-sum"      // 4.4.4.9: the parts of a segment make up its duration
	PartWindow   Rule = "part-window"   // 6.2.2: parts within three target durations of the end are listed, older ones not
	HoldBack     Rule = "hold-back"     // 4.4.3.8: HOLD-BACK, PART-HOLD-BACK, CAN-SKIP-UNTIL
	Sequence     Rule = "sequence"      // 4.4.3.2, 6.2.2: media sequence numbers
	Discontinue  Rule = "discontinuity" // 4.4.3.3, 6.2.2: discontinuity sequence numbers
	Immutable    Rule = "immutable"     // 6.2.1: what was listed stays as it was
	Window       Rule = "window"        // 6.2.2: at least three target durations stay
	URIs         Rule = "uris"          // every resource has a name of its own
	Dates        Rule = "dates"         // 4.4.4.6: a date on every segment, continuous but at a discontinuity
	Map          Rule = "map"           // 4.4.4.5: the initialization that a segment needs
	DateRanges   Rule = "date-range"    // 4.4.5.1
	Hint         Rule = "hint"          // 4.4.5.3: the next part, to the byte
	Blocking     Rule = "blocking"      // 6.2.5.2: the answer holds what was asked for
	Delta        Rule = "delta"         // 6.2.5.1: a delta update says the same as the whole
	Bytes        Rule = "bytes"         // 4.4.4.9: a segment is the concatenation of its parts
	Media        Rule = "media"         // 3.1.2: fragments that can be read
	Independent  Rule = "independent"   // 4.4.4.9, 4.4.2.1: what claims to be independent starts with a sync sample
	DecodeTime   Rule = "decode-time"   // 3.1.2: decode times follow from the durations before
	MediaTime    Rule = "media-time"    // durations and dates in the playlist are those of the media
	Bandwidth    Rule = "bandwidth"     // 4.4.6.2: BANDWIDTH at least the peak segment bit rate
	Multivariant Rule = "multivariant"  // 4.4.6
	Gap          Rule = "gap"           // 4.4.4.7, 4.4.4.9: what is missing is marked
	Alignment    Rule = "alignment"     // 6.2.4: variants have the same segments at the same dates; here also the same parts
	Reports      Rule = "reports"       // 4.4.5.4: how far the other renditions are
	Header       Rule = "header"        // 6.2.1: types, caching, access from other origins
	Status       Rule = "status"        // 6.2.5.2: 404 for the unknown, 400 for the unreasonable
)

// Violation is one broken rule.
type Violation struct {
	Rule Rule
	What string // with the place
}

func (v Violation) String() string { return fmt.Sprintf("%s: %s", v.Rule, v.What) }

// Report is what a run saw. The counts say whether it could have seen anything at all.
type Report struct {
	Violations []Violation // each once, in the order of sight

	Playlists       int // answers of the media playlist
	Segments        int // closed segments seen, the bytes of each compared with its parts
	Parts           int // parts read
	Hints           int // preload hints fetched ahead and compared with what was listed later
	Deltas          int // delta updates compared with the whole
	Skipped         int // segments that delta updates left out
	WholeSegment    int // blocking reloads without a part
	Discontinuities int
	DateRanges      int
	Gaps            int // closed segments that are missing
	Unavailable     int // 503 answers, each honoured
	Ended           bool
}

// Err is nil when no rule was broken, else it lists the violations.
func (r *Report) Err() error {
	if len(r.Violations) == 0 {
		return nil
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d violations:", len(r.Violations))
	for i, v := range r.Violations {
		if i == 30 {
			b.WriteString("\n  ...")
			break
		}
		b.WriteString("\n  " + v.String())
	}
	return errors.New(b.String())
}

// recorder collects a report; safe for concurrent use.
type recorder struct {
	mu  sync.Mutex
	rep Report
	log func(format string, args ...any)
}

func (r *recorder) violate(rule Rule, format string, args ...any) {
	v := Violation{rule, fmt.Sprintf(format, args...)}
	r.mu.Lock()
	defer r.mu.Unlock()
	if slices.Contains(r.rep.Violations, v) {
		return
	}
	r.rep.Violations = append(r.rep.Violations, v)
	if r.log != nil {
		r.log("%s", v)
	}
}

func (r *recorder) count(f func(*Report)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f(&r.rep)
}

// complain reports a broken rule.
type complain func(rule Rule, format string, args ...any)
