package llhls

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// run follows a bent origin in fake time.
func run(t *testing.T, b bend, d time.Duration) (rep *Report) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		o := newOrigin(b)
		var err error
		rep, err = Follow(t.Context(), "http://origin.example/live/index.m3u8", Options{Client: &http.Client{Transport: o}, Duration: d})
		if err != nil {
			t.Fatal(err)
		}
	})
	return rep
}

func TestFaultless(t *testing.T) {
	rep := run(t, bend{}, 60*time.Second)
	if err := rep.Err(); err != nil {
		t.Error(err)
	}
	if rep.Segments < 30 || rep.Parts < 100 || rep.Hints < 90 || rep.Deltas < 20 || rep.Skipped < 40 || rep.WholeSegment < 20 || rep.Discontinuities != 1 || rep.DateRanges != 1 {
		t.Errorf("saw too little: %+v", *rep)
	}
}

func TestFaultlessToTheEnd(t *testing.T) {
	rep := run(t, bend{end: 30}, 0)
	if err := rep.Err(); err != nil {
		t.Error(err)
	}
	if !rep.Ended || rep.Segments < 15 {
		t.Errorf("%+v", *rep)
	}
}

func TestFaultlessPlain(t *testing.T) {
	rep := run(t, bend{plain: true}, 40*time.Second)
	if err := rep.Err(); err != nil {
		t.Error(err)
	}
	if rep.Segments < 20 || rep.Parts != 0 {
		t.Errorf("%+v", *rep)
	}
}

// later makes a bend of the text that begins in the middle of the run.
func later(f func(text string) string) func(*origin, url.Values, string) string {
	return func(o *origin, _ url.Values, text string) string {
		if time.Since(o.start) < head+5*time.Second {
			return text
		}
		return f(text)
	}
}

func always(f func(text string) string) func(*origin, url.Values, string) string {
	return func(_ *origin, _ url.Values, text string) string { return f(text) }
}

func swap(pattern, with string) func(string) string {
	re := regexp.MustCompile(pattern)
	return func(text string) string { return re.ReplaceAllString(text, with) }
}

func header(name, key, value string) func(*origin, string, url.Values, *answer) {
	return func(_ *origin, got string, _ url.Values, a *answer) {
		if strings.Contains(got, name) && a.status == 200 {
			a.header.Set(key, value)
		}
	}
}

// faults bend the origin, each in a way that breaks one rule at least.
var faults = map[string]struct {
	bend bend
	want Rule
}{
	"unknown tag":              {bend{playlist: always(swap(`(#EXT-X-VERSION)`, "#EXT-X-FOO:1\n$1"))}, UnknownTag},
	"first line":               {bend{playlist: always(swap(`#EXTM3U`, "#EXTM4U"))}, Syntax},
	"unknown attribute":        {bend{playlist: always(swap(`PART-TARGET=0.5`, "PART-TARGET=0.5,FOO=1"))}, Syntax},
	"unquoted":                 {bend{playlist: always(swap(`ID="pin_1"`, "ID=pin_1"))}, Syntax},
	"twice":                    {bend{playlist: always(swap(`(#EXT-X-VERSION:9)`, "$1\n$1"))}, Syntax},
	"no target":                {bend{playlist: always(swap(`#EXT-X-TARGETDURATION:2\n`, ""))}, Syntax},
	"version":                  {bend{playlist: always(swap(`VERSION:9`, "VERSION:4"))}, Version},
	"target exceeded":          {bend{playlist: always(swap(`TARGETDURATION:2`, "TARGETDURATION:1"))}, Target},
	"target moved":             {bend{playlist: later(swap(`TARGETDURATION:2`, "TARGETDURATION:3"))}, Constant},
	"part target moved":        {bend{playlist: later(swap(`PART-TARGET=0.5`, "PART-TARGET=0.533"))}, Constant},
	"part beyond target":       {bend{playlist: always(swap(`PART-TARGET=0.5`, "PART-TARGET=0.4"))}, PartTarget},
	"part too short":           {bend{playlist: always(swap(`PART-TARGET=0.5`, "PART-TARGET=0.6"))}, PartTarget},
	"parts do not sum up":      {bend{playlist: always(swap(`EXTINF:2.0`, "EXTINF:2.01"))}, PartSum},
	"parts missing":            {bend{playlist: always(swap(`(?s)(#EXT-X-PART:[^\n]*\n)+(#EXTINF)`, "$2"))}, PartWindow},
	"part hold back":           {bend{playlist: always(swap(`PART-HOLD-BACK=1.5`, "PART-HOLD-BACK=1.0"))}, HoldBack},
	"skip until":               {bend{playlist: always(swap(`CAN-SKIP-UNTIL=12.0`, "CAN-SKIP-UNTIL=6.0"))}, HoldBack},
	"window":                   {bend{window: 2}, Window},
	"uri twice":                {bend{playlist: always(swap(`URI="\d+\.1\.m4s"`, `URI="1.1.m4s"`))}, URIs},
	"no date":                  {bend{playlist: always(swap(`#EXT-X-PROGRAM[^\n]*\n`, ""))}, Dates},
	"date jumps":               {bend{playlist: always(swap(`(PROGRAM-DATE-TIME:.*)\.\d\d\dZ\n#EXT-X-PART`, "$1.500Z\n#EXT-X-PART"))}, Dates},
	"no map":                   {bend{playlist: always(swap(`#EXT-X-MAP[^\n]*\n`, ""))}, Map},
	"discontinuity gone":       {bend{playlist: always(swap(`#EXT-X-DISCONTINUITY\n`, ""))}, Map},
	"discontinuity sequence":   {bend{playlist: always(swap(`#EXT-X-DISCONTINUITY-SEQUENCE:1\n`, ""))}, Discontinue},
	"sequence back":            {bend{playlist: later(swap(`MEDIA-SEQUENCE:\d+`, "MEDIA-SEQUENCE:7"))}, Sequence},
	"segment changed":          {bend{playlist: later(swap(`(\d+)\.m4s\n`, "$1.m4s?v=2\n"))}, Immutable},
	"date range without start": {bend{playlist: always(swap(`,START-DATE="[^"]*"`, ""))}, DateRanges},
	"date range changed":       {bend{playlist: later(swap(`X-PRODUCT="p"`, `X-PRODUCT="q"`))}, DateRanges},
	"date range end changed": {bend{playlist: func(_ *origin, _ url.Values, text string) string {
		end := time.Now().UTC().Truncate(3 * time.Second).Format("2006-01-02T15:04:05.000Z")
		return swap(`,X-PRODUCT`, `,END-DATE="`+end+`",X-PRODUCT`)(text)
	}}, DateRanges},
	"no hint":      {bend{playlist: always(swap(`#EXT-X-PRELOAD[^\n]*\n`, ""))}, Hint},
	"wrong hint":   {bend{playlist: always(swap(`(HINT:TYPE=PART,URI="\d+\.)\d`, "${1}9"))}, Hint},
	"early":        {bend{hold: func(q url.Values) bool { return !q.Has("_HLS_part") }}, Blocking},
	"early, whole": {bend{hold: func(q url.Values) bool { return q.Has("_HLS_part") }}, Blocking},
	"hint differs": {bend{answer: func(_ *origin, name string, _ url.Values, a *answer) {
		if strings.Count(name, ".") == 2 && calls.Add(1)%2 == 1 {
			a.body = append(slices.Clip(a.body), 0, 0, 0, 8, 'f', 'r', 'e', 'e')
		}
	}}, Hint},
	"delta lies": {bend{playlist: func(_ *origin, q url.Values, text string) string {
		if q.Has("_HLS_skip") {
			return swap(`EXTINF:2.0`, "EXTINF:1.9")(text)
		}
		return text
	}}, Delta},
	"delta skips too much": {bend{playlist: func(_ *origin, q url.Values, text string) string {
		if q.Has("_HLS_skip") {
			return swap(`12\.0`, "14.5")(text)
		}
		return text
	}}, Delta},
	"segment is not its parts": {bend{answer: func(_ *origin, name string, _ url.Values, a *answer) {
		if strings.Count(name, ".") == 1 && strings.HasSuffix(name, "m4s") && a.status == 200 {
			a.body = append(slices.Clip(a.body), 0, 0, 0, 8, 'f', 'r', 'e', 'e')
		}
	}}, Bytes},
	"garbage":         {bend{part: func(int64, int) []byte { return []byte("garbage") }}, Media},
	"false claim":     {bend{moof: func(_ int64, _ int, v *fragment) { v.samples[0].sync = false }}, Independent},
	"unclaimed":       {bend{moof: func(_ int64, _ int, v *fragment) { v.samples[0].sync = true }}, Independent},
	"decode time":     {bend{moof: func(msn int64, _ int, v *fragment) { v.base += msn }}, DecodeTime},
	"part lasts less": {bend{moof: func(_ int64, _ int, v *fragment) { v.samples[3].duration = 2000 }}, MediaTime},
	"segment lasts less": {bend{moof: func(msn int64, _ int, v *fragment) {
		if msn%2 == 1 {
			v.samples[0].offset = 900
		}
	}}, MediaTime},
	"dates drift": {bend{playlist: func(_ *origin, _ url.Values, text string) string {
		return swap(`EXTINF:2.0`, "EXTINF:2.002")(text)
	}}, MediaTime},
	"bandwidth": {bend{answer: func(_ *origin, _ string, _ url.Values, a *answer) {
		a.body = []byte(strings.ReplaceAll(string(a.body), "BANDWIDTH=100000", "BANDWIDTH=30000"))
	}}, Bandwidth},
	"no codecs": {bend{answer: func(_ *origin, _ string, _ url.Values, a *answer) {
		a.body = []byte(strings.ReplaceAll(string(a.body), `,CODECS="avc1.64001f,mp4a.40.2"`, ""))
	}}, Multivariant},
	"playlist type":   {bend{answer: header("m3u8", "Content-Type", "text/plain")}, Header},
	"playlist cached": {bend{answer: header("m3u8", "Cache-Control", "max-age=600")}, Header},
	"ended and cached": {bend{end: 3, answer: func(_ *origin, _ string, _ url.Values, a *answer) {
		if strings.Contains(string(a.body), "#EXT-X-ENDLIST") {
			a.header.Set("Cache-Control", "max-age=60")
		}
	}}, Header},
	"media type":       {bend{answer: header("m4s", "Content-Type", "text/plain")}, Header},
	"media not cached": {bend{answer: header("m4s", "Cache-Control", "no-cache")}, Header},
	"closed origin":    {bend{answer: header("m4s", "Access-Control-Allow-Origin", "")}, Header},
	"unknown is 200": {bend{answer: func(_ *origin, _ string, _ url.Values, a *answer) {
		if a.status == 404 {
			a.status = 200
		}
	}}, Status},
	"far ahead is 200": {bend{answer: func(_ *origin, _ string, _ url.Values, a *answer) {
		if a.status == 400 {
			a.status = 200
		}
	}}, Status},
	"neither end nor hint": {bend{end: 30, playlist: always(swap(`#EXT-X-ENDLIST\n`, ""))}, Hint},
}

var calls atomic.Int64

func TestEachRuleCanFail(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	for name, c := range faults {
		t.Run(name, func(t *testing.T) {
			calls.Store(0)
			rep := run(t, c.bend, 40*time.Second)
			if !slices.ContainsFunc(rep.Violations, func(v Violation) bool { return v.Rule == c.want }) {
				t.Errorf("%s was not seen: %v", c.want, rep.Err())
			}
		})
	}
}

func TestUnavailableIsHonoured(t *testing.T) {
	var n atomic.Int64
	rep := run(t, bend{answer: func(_ *origin, _ string, q url.Values, a *answer) {
		if q.Has("_HLS_part") && n.Add(1)%5 == 0 {
			a.status, a.body = 503, nil
			a.header.Set("Retry-After", "1")
		}
	}}, 20*time.Second)
	if rep.Unavailable == 0 {
		t.Error("none seen")
	}
	if i := slices.IndexFunc(rep.Violations, func(v Violation) bool { return v.Rule != Status }); i >= 0 {
		t.Error(rep.Err())
	}
}

func TestCannotBegin(t *testing.T) {
	o := &origin{start: time.Now(), bend: bend{window: 1, answer: func(_ *origin, _ string, _ url.Values, a *answer) { a.status = 404 }}}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if _, err := Follow(ctx, "http://origin.example/index.m3u8", Options{Client: &http.Client{Transport: o}}); err == nil {
		t.Error("no error for 404")
	}
}
