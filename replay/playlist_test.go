package replay

import (
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/vitrine-live/vitrine/hls/playlist"
)

// checkPlaylist checks the rendered playlist of a recording: its durations add up to show time, no segment is longer
// than the target, numbers and discontinuities are those of the recording.
func checkPlaylist(t testing.TB, rec *Recording) {
	t.Helper()
	v := rec.view()
	var sum float64
	var names, discontinuities, target int
	for line := range strings.Lines(string(v.media(playlist.CMAF, nil))) {
		line = strings.TrimSpace(line)
		tag, value, _ := strings.Cut(line, ":")
		switch tag {
		case "#EXT-X-TARGETDURATION":
			target, _ = strconv.Atoi(value)
		case "#EXTINF":
			d, err := strconv.ParseFloat(strings.TrimSuffix(value, ","), 64)
			if err != nil || math.Round(d) > float64(target) {
				t.Fatalf("%s with a target of %d", line, target)
			}
			sum += d
		case "#EXT-X-DISCONTINUITY":
			discontinuities++
		}
		if strings.HasSuffix(line, ".m4s") {
			if want := strconv.Itoa(names) + ".m4s"; line != want {
				t.Fatalf("segment %s, want %s", line, want)
			}
			names++
		}
	}
	last := v.segments[len(v.segments)-1]
	if want := last.End().Seconds(); math.Abs(sum-want) > 1e-5 || names != len(v.segments) {
		t.Fatalf("%d segments of %f s, want %d of %f s", names, sum, len(v.segments), want)
	}
	if want := len(v.inits) - 1; discontinuities > want {
		t.Fatalf("%d discontinuities in %d epochs", discontinuities, want+1)
	}
}
