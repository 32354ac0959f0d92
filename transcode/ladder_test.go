package transcode

import (
	"log/slog"
	"slices"
	"testing"

	"go.uber.org/goleak"

	"github.com/vitrine-live/vitrine/media"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// window is how many pictures may be under way in a test, far less than what counts as falling behind.
const window = 60

// feed writes pictures no faster than they come out.
func feed(l *Ladder, g *gathered, samples []media.Sample) {
	g.mu.Lock()
	before := len(g.samples[0])
	g.mu.Unlock()
	for i, s := range samples {
		g.wait(func() bool { return i-(len(g.samples[0])-before) < window })
		l.Write(s)
	}
}

var sources = map[string]string{
	"H264 with B-frames":  "-f lavfi -i testsrc2=s=640x360:r=30:d=3 -c:v libx264 -preset veryfast -g 50 -bf 3",
	"H264 upright, 25/s":  "-f lavfi -i testsrc2=s=360x640:r=25:d=3 -c:v libx264 -preset veryfast -g 40 -bf 0",
	"H264 at 29.97":       "-f lavfi -i testsrc2=s=640x360:r=30000/1001:d=3 -c:v libx264 -preset veryfast -g 60 -bf 0",
	"H264, uneven":        "-f lavfi -i testsrc2=s=640x360:r=30:d=3 -vf settb=1/90000,setpts=PTS+random(1)*1500 -enc_time_base 1:90000 -c:v libx264 -preset veryfast -g 50 -bf 0",
	"HEVC":                "-f lavfi -i testsrc2=s=640x360:r=30:d=3 -c:v libx265 -preset ultrafast -x265-params log-level=none:keyint=50:open-gop=0:bframes=2",
	"HEVC of 10 bits":     "-f lavfi -i testsrc2=s=640x360:r=30:d=3 -pix_fmt yuv420p10le -c:v libx265 -preset ultrafast -x265-params log-level=none:keyint=50:open-gop=0:bframes=0",
	"AV1":                 "-f lavfi -i testsrc2=s=640x360:r=30:d=3 -c:v libaom-av1 -cpu-used 8 -usage realtime -g 50",
	"VP8 as a source too": "-f lavfi -i testsrc2=s=640x360:r=30:d=3 -c:v libvpx -deadline realtime -cpu-used 8 -g 50",
}

// Every picture of the source is in every rendition at the very tick, and key pictures are where the source's are.
func TestLadderKeepsEveryTick(t *testing.T) {
	if testing.Short() {
		t.Skip("keeps real time")
	}
	for name, args := range sources {
		t.Run(name, func(t *testing.T) {
			f := readFilm(t, args)
			source, err := SourceOf(f.track, 0)
			if err != nil {
				t.Fatal(err)
			}
			plan := []Rendition{
				{"a", source.Width * 3 / 4, source.Height * 3 / 4, 500_000},
				{"b", source.Width / 2, source.Height / 2, 300_000},
			}
			g := newGathered()
			l, err := newTranscoder(t, Config{}).StartLadder(f.track, source.FPS, plan, g, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			feed(l, g, f.samples)
			l.Close()
			if len(g.downs) > 0 || g.drained != 1 {
				t.Fatalf("down %q, drained %d times", g.downs, g.drained)
			}
			for i, r := range plan {
				checkRendition(t, f, r, g.tracks[i], g.samples[i])
			}
		})
	}
}

func checkRendition(t *testing.T, f film, r Rendition, tracks []media.Track, samples []media.Sample) {
	t.Helper()
	want := slices.SortedFunc(slices.Values(f.samples), func(a, b media.Sample) int { return int(a.PTS - b.PTS) })
	if len(samples) != len(want) {
		t.Fatalf("%s: %d pictures of %d", r.Name, len(samples), len(want))
	}
	for i, s := range samples {
		if s.PTS != want[i].PTS || s.DTS != s.PTS || s.Kind != media.Video {
			t.Fatalf("%s: picture %d is a %s at %d/%d, want %d", r.Name, i, s.Kind, s.PTS, s.DTS, want[i].PTS)
		}
		if s.Key != want[i].Key {
			t.Errorf("%s: picture %d: key %v, want %v", r.Name, i, s.Key, want[i].Key)
		}
	}
	if len(tracks) != 1 {
		t.Fatalf("%s: parameters told %d times", r.Name, len(tracks))
	}
	if got, err := SourceOf(tracks[0], 0); err != nil || got.Width != r.Width || got.Height != r.Height {
		t.Errorf("%s: the picture is %dx%d (%v), want %dx%d", r.Name, got.Width, got.Height, err, r.Width, r.Height)
	}
}
