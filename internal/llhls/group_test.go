package llhls

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// runAll follows both renditions of a bent origin in fake time.
func runAll(t *testing.T, b bend) (rep *GroupReport) {
	t.Helper()
	b.second = true
	synctest.Test(t, func(t *testing.T) {
		var err error
		rep, err = FollowAll(t.Context(), "http://origin.example/live/index.m3u8", Options{Client: &http.Client{Transport: newOrigin(b)}, Duration: 30 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
	})
	return rep
}

// gapped makes a segment of the rendition missing, from the given part on.
func gapped(from string) func(string) string {
	lost := swap(`(#EXT-X-PART:DURATION=0.5,URI="22\.[`+from+`-3]\.m4s")(,INDEPENDENT=YES)?`, "$1,GAP=YES")
	closed := swap(`(#EXTINF:2.0,\n22\.m4s)`, "#EXT-X-GAP\n$1")
	return func(text string) string { return closed(lost(text)) }
}

func TestFaultlessGroups(t *testing.T) {
	for name, rendition := range map[string]func(string) string{
		"whole": nil, "a segment failed": gapped("2"), "a segment is missing": gapped("0"),
	} {
		t.Run(name, func(t *testing.T) {
			rep := runAll(t, bend{rendition: rendition})
			if err := rep.Err(); err != nil {
				t.Error(err)
			}
			gaps := 0
			if rendition != nil {
				gaps = 1
			}
			if len(rep.Variants) != 2 || rep.Aligned < 15 || rep.Reported < 100 || rep.Variants[0].Gaps != 0 || rep.Variants[1].Gaps != gaps || rep.Variants[1].Parts < 50 {
				t.Errorf("saw too little: %+v %+v", *rep, *rep.Variants[1])
			}
		})
	}
}

// groupFaults bend the second rendition, each in a way that breaks one rule at least.
var groupFaults = map[string]struct {
	rendition func(string) string
	want      Rule
}{
	"other target":     {swap(`TARGETDURATION:2`, "TARGETDURATION:3"), Alignment},
	"other dates":      {swap(`(PROGRAM-DATE-TIME:.*)\.\d\d\dZ`, "$1.777Z"), Alignment},
	"other numbers":    {func(text string) string { return strings.Replace(text, "#EXT-X-DISCONTINUITY\n", "", 1) }, Alignment},
	"other durations":  {swap(`EXTINF:2.0,`, "EXTINF:1.999,"), Alignment},
	"other parts":      {swap(`DURATION=0.5,URI="(\d+)\.1`, `DURATION=0.499,URI="$1.1`), Alignment},
	"no report":        {swap(`#EXT-X-RENDITION.*\n`, ""), Reports},
	"wrong report":     {swap(`\.\./main\.m3u8`, "../720p/main.m3u8"), Reports},
	"old report":       {swap(`LAST-MSN=\d+`, "LAST-MSN=3"), Reports},
	"gap in the midst": {swap(`(URI="22\.1\.m4s")`, "$1,GAP=YES"), Gap},
	"gap that begins":  {swap(`(URI="22\.0\.m4s",INDEPENDENT=YES)`, "$1,GAP=YES"), Gap},
	"gap not marked":   {swap(`(URI="22\.3\.m4s")`, "$1,GAP=YES"), Gap},
	"gap with media":   {swap(`(#EXTINF:2.0,\n22\.m4s)`, "#EXT-X-GAP\n$1"), Gap},
}

func TestEachGroupRuleCanFail(t *testing.T) {
	for name, c := range groupFaults {
		t.Run(name, func(t *testing.T) {
			rep := runAll(t, bend{rendition: c.rendition})
			found := slices.Clone(rep.Violations)
			for _, v := range rep.Variants {
				found = append(found, v.Violations...)
			}
			if !slices.ContainsFunc(found, func(v Violation) bool { return v.Rule == c.want }) {
				t.Errorf("%s was not seen: %v", c.want, rep.Err())
			}
		})
	}
}
