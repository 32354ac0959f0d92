package playlist

import (
	"fmt"
	"testing"
	"time"

	hlsplaylist "github.com/bluenviron/gohlslib/v2/pkg/playlist"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/vitrine-live/vitrine/media"
)

var wall = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// show makes n segments of two seconds in parts of half a second.
func show(first int64, n int) []Segment {
	segs := make([]Segment, n)
	for i := range segs {
		start := media.Ticks(first+int64(i)) * 180_000
		segs[i] = Segment{
			MSN: first + int64(i), Start: start, Duration: 180_000, Wall: wall.Add(start.Duration()),
			Init: 1, Independent: true, Size: 650_000, TargetDuration: 2,
		}
		for p := range 4 {
			segs[i].Parts = append(segs[i].Parts, Part{Index: p, Duration: 45_000, Independent: p == 0, Last: p == 3})
		}
	}
	return segs
}

// failedRendition lists a segment of which nothing came, one that is whole, and one of which two parts came.
const failedRendition = `#EXTM3U
#EXT-X-VERSION:9
#EXT-X-TARGETDURATION:2
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.5,CAN-SKIP-UNTIL=12.0,HOLD-BACK=6.0
#EXT-X-PART-INF:PART-TARGET=0.5
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-DISCONTINUITY-SEQUENCE:0
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-PROGRAM-DATE-TIME:2026-11-22T12:00:00.000Z
#EXT-X-GAP
#EXT-X-PART:DURATION=0.500000,URI="0.0.m4s",GAP=YES
#EXT-X-PART:DURATION=0.500000,URI="0.1.m4s",GAP=YES
#EXT-X-PART:DURATION=0.500000,URI="0.2.m4s",GAP=YES
#EXT-X-PART:DURATION=0.500000,URI="0.3.m4s",GAP=YES
#EXTINF:2.000000,
0.m4s
#EXT-X-MAP:URI="init-2.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-11-22T12:00:02.000Z
#EXT-X-PART:DURATION=0.500000,URI="1.0.m4s",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.500000,URI="1.1.m4s"
#EXT-X-PART:DURATION=0.500000,URI="1.2.m4s"
#EXT-X-PART:DURATION=0.500000,URI="1.3.m4s"
#EXTINF:2.000000,
1.m4s
#EXT-X-PROGRAM-DATE-TIME:2026-11-22T12:00:04.000Z
#EXT-X-GAP
#EXT-X-PART:DURATION=0.500000,URI="2.0.m4s",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.500000,URI="2.1.m4s"
#EXT-X-PART:DURATION=0.500000,URI="2.2.m4s",GAP=YES
#EXT-X-PART:DURATION=0.500000,URI="2.3.m4s",GAP=YES
#EXTINF:2.000000,
2.m4s
#EXT-X-PRELOAD-HINT:TYPE=PART,URI="3.0.m4s"
`

func open(s Segment, parts int) *Segment {
	s.Parts = s.Parts[:parts]
	s.Duration = media.Ticks(parts) * 45_000
	return &s
}

func TestMediaGolden(t *testing.T) { //nolint:funlen // a table of whole playlists
	lowLatency := func() *Media {
		segs := show(7, 9)
		return &Media{
			TargetDuration: 2, PartTarget: 45_000, CanSkip: true, DiscontinuitySequence: 1,
			Segments: segs[:8], Open: open(segs[8], 2),
		}
	}
	const lowLatencyHeader = `#EXTM3U
#EXT-X-VERSION:9
#EXT-X-TARGETDURATION:2
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.5,CAN-SKIP-UNTIL=12.0,HOLD-BACK=6.0
#EXT-X-PART-INF:PART-TARGET=0.5
#EXT-X-MEDIA-SEQUENCE:7
#EXT-X-DISCONTINUITY-SEQUENCE:1
#EXT-X-INDEPENDENT-SEGMENTS
`
	plain := func(msns ...int) (s string) {
		for _, msn := range msns {
			s += fmt.Sprintf("#EXT-X-PROGRAM-DATE-TIME:2026-11-22T12:00:%02d.000Z\n#EXTINF:2.000000,\n%d.m4s\n", 2*msn, msn)
		}
		return s
	}
	parts := func(msn, n int, closed bool) string {
		s := fmt.Sprintf("#EXT-X-PROGRAM-DATE-TIME:2026-11-22T12:00:%02d.000Z\n", 2*msn)
		for i := range n {
			s += fmt.Sprintf("#EXT-X-PART:DURATION=0.500000,URI=\"%d.%d.m4s\"%s\n", msn, i, map[bool]string{true: ",INDEPENDENT=YES"}[i == 0])
		}
		if closed {
			s += fmt.Sprintf("#EXTINF:2.000000,\n%d.m4s\n", msn)
		}
		return s
	}
	tail := parts(12, 4, true) + parts(13, 4, true) + parts(14, 4, true) + parts(15, 2, false) +
		"#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"15.2.m4s\"\n"

	for _, ca := range []struct {
		name string
		m    func() *Media
		want string
	}{
		{
			"low latency", lowLatency,
			lowLatencyHeader + "#EXT-X-MAP:URI=\"init-1.mp4\"\n" + plain(7, 8, 9, 10, 11) + tail,
		},
		{
			"delta", func() *Media {
				m := lowLatency()
				m.Skipped = m.SkipCount()
				return m
			},
			lowLatencyHeader + "#EXT-X-SKIP:SKIPPED-SEGMENTS=1\n" + plain(8, 9, 10, 11) + tail,
		},
		{
			"between segments, with reports", func() *Media {
				m := lowLatency()
				m.Segments, m.Open, m.DiscontinuitySequence = show(0, 1), nil, 0
				m.Segments[0].Independent = false
				m.Reports = []RenditionReport{{URI: "../480p/main.m3u8", LastMSN: 0, LastPart: 3}}
				return m
			},
			`#EXTM3U
#EXT-X-VERSION:9
#EXT-X-TARGETDURATION:2
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.5,CAN-SKIP-UNTIL=12.0,HOLD-BACK=6.0
#EXT-X-PART-INF:PART-TARGET=0.5
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-DISCONTINUITY-SEQUENCE:0
#EXT-X-MAP:URI="init-1.mp4"
` + parts(0, 4, true) + `#EXT-X-PRELOAD-HINT:TYPE=PART,URI="1.0.m4s"
#EXT-X-RENDITION-REPORT:URI="../480p/main.m3u8",LAST-MSN=0,LAST-PART=3
`,
		},
		{
			"new epoch, gap, dates", func() *Media {
				segs := show(0, 4)
				segs[1].Gap = true
				segs[2].Discontinuity, segs[2].Init = true, 2
				segs[2].Wall = segs[2].Wall.Add(5 * time.Second)
				return &Media{
					Type: VOD, TargetDuration: 2, PartTarget: 45_000, Segments: segs[:3], Ended: true, Prefix: "../",
					DateRanges: []DateRange{{
						ID: "pin_1", Class: "vitrine.pin", Start: wall.Add(1500 * time.Millisecond), End: wall.Add(3 * time.Second),
						Attrs: []Attr{
							{Name: "X-PRODUCT", Value: "prod_1"},
							{Name: "X-SHOW-TIME-MS", Value: "1500", Number: true},
							{Name: "X-TITLE", Value: "6\" 口红\n\xff"},
						},
					}},
				}
			},
			`#EXTM3U
#EXT-X-VERSION:8
#EXT-X-TARGETDURATION:2
#EXT-X-PLAYLIST-TYPE:VOD
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-DATERANGE:ID="pin_1",CLASS="vitrine.pin",START-DATE="2026-11-22T12:00:01.500Z",END-DATE="2026-11-22T12:00:03.000Z",X-PRODUCT="prod_1",X-SHOW-TIME-MS=1500,X-TITLE="6' 口红 ` + "\uFFFD" + `"
#EXT-X-MAP:URI="../init-1.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-11-22T12:00:00.000Z
#EXTINF:2.000000,
../0.m4s
#EXT-X-PROGRAM-DATE-TIME:2026-11-22T12:00:02.000Z
#EXT-X-GAP
#EXTINF:2.000000,
../1.m4s
#EXT-X-DISCONTINUITY
#EXT-X-MAP:URI="../init-2.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-11-22T12:00:09.000Z
#EXTINF:2.000000,
../2.m4s
#EXT-X-ENDLIST
`,
		},
		{
			"a rendition that failed, at first and again", func() *Media {
				m := lowLatency()
				m.Segments, m.DiscontinuitySequence = show(0, 3), 0
				for i, init := range []int{0, 2, 2} {
					m.Segments[i].Init, m.Segments[i].Gap = init, i != 1
				}
				for _, lost := range [][]Part{m.Segments[0].Parts, m.Segments[2].Parts[2:]} {
					for i := range lost {
						lost[i].Gap, lost[i].Independent = true, false
					}
				}
				m.Open = nil
				return m
			},
			failedRendition,
		},
		{
			"MPEG-TS", func() *Media {
				m := lowLatency()
				m.Segments, m.Container, m.CanSkip = m.Segments[:1], TS, false
				return m
			},
			`#EXTM3U
#EXT-X-VERSION:3
#EXT-X-TARGETDURATION:2
#EXT-X-SERVER-CONTROL:HOLD-BACK=6.0
#EXT-X-MEDIA-SEQUENCE:7
#EXT-X-DISCONTINUITY-SEQUENCE:1
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-PROGRAM-DATE-TIME:2026-11-22T12:00:14.000Z
#EXTINF:2.000000,
7.ts
`,
		},
		{
			"event", func() *Media { return &Media{Type: Event, TargetDuration: 2, Segments: show(0, 1)} },
			`#EXTM3U
#EXT-X-VERSION:6
#EXT-X-TARGETDURATION:2
#EXT-X-PLAYLIST-TYPE:EVENT
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MAP:URI="init-1.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-11-22T12:00:00.000Z
#EXTINF:2.000000,
0.m4s
`,
		},
	} {
		t.Run(ca.name, func(t *testing.T) {
			got := string(ca.m().Append(nil))
			if diff := cmp.Diff(ca.want, got); diff != "" {
				t.Fatalf("-want +got:\n%s", diff)
			}
			if _, err := hlsplaylist.Unmarshal([]byte(got)); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestMultivariantGolden(t *testing.T) {
	for _, ca := range []struct {
		m    Multivariant
		want string
	}{
		{
			Multivariant{Independent: true, Variants: []Variant{
				{
					URI: "show_1/main.m3u8", Bandwidth: 3_200_000, AverageBandwidth: 2_700_000, Codecs: "avc1.64001f,mp4a.40.2",
					Width: 1280, Height: 720, FrameRate: 30000. / 1001,
				},
				{URI: "show_1/480p/main.m3u8", Bandwidth: 1_100_000, Codecs: "avc1.4d401e,mp4a.40.2", Width: 854, Height: 480},
			}},
			`#EXTM3U
#EXT-X-VERSION:6
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-STREAM-INF:BANDWIDTH=3200000,AVERAGE-BANDWIDTH=2700000,CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=1280x720,FRAME-RATE=29.970
show_1/main.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=1100000,CODECS="avc1.4d401e,mp4a.40.2",RESOLUTION=854x480
show_1/480p/main.m3u8
`,
		},
		{
			Multivariant{Container: TS, Variants: []Variant{{URI: "main.m3u8", Bandwidth: 130_000, Codecs: "mp4a.40.2"}}},
			`#EXTM3U
#EXT-X-VERSION:3
#EXT-X-STREAM-INF:BANDWIDTH=130000,CODECS="mp4a.40.2"
main.m3u8
`,
		},
	} {
		got := string(ca.m.Append(nil))
		if diff := cmp.Diff(ca.want, got); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		if _, err := hlsplaylist.Unmarshal([]byte(got)); err != nil {
			t.Error(err)
		}
	}
}

func TestSkipCount(t *testing.T) {
	for _, ca := range []struct {
		segments, want int
		ended          bool
	}{
		{0, 0, false}, {1, 0, false}, {6, 0, false}, {7, 0, false}, {8, 1, false}, {20, 13, false}, {20, 0, true},
	} {
		m := Media{TargetDuration: 2, PartTarget: 45_000, CanSkip: true, Segments: show(0, ca.segments), Ended: ca.ended}
		if got := m.SkipCount(); got != ca.want {
			t.Errorf("%d segments, ended %v: got %d, want %d", ca.segments, ca.ended, got, ca.want)
		}
	}
}

// However odd the durations, the sums of what a playlist says never drift from show time.
func TestDurationsDoNotDrift(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		durations := rapid.SliceOfN(rapid.Int64Range(1, 500_000), 1, 300).Draw(t, "durations")
		var at media.Ticks
		var sum int64
		for _, d := range durations {
			line := string(appendInf(nil, at, at+media.Ticks(d)))
			var sec, us int64
			if _, err := fmt.Sscanf(line, "#EXTINF:%d.%06d,", &sec, &us); err != nil {
				t.Fatal(err)
			}
			sum += sec*1_000_000 + us
			at += media.Ticks(d)
		}
		if want := micros(at); sum != want {
			t.Fatalf("sum %d, show time %d", sum, want)
		}
	})
}

// A part of PART-TARGET ticks at any position is never declared longer than PART-TARGET.
func TestPartNeverLongerThanTarget(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := media.Ticks(rapid.Int64Range(0, 90_000*36_000).Draw(t, "at"))
		d := media.Ticks(rapid.Int64Range(1, 200_000).Draw(t, "duration"))
		if got := micros(at+d) - micros(at); got > ceilMicros(d) {
			t.Fatalf("%d > %d", got, ceilMicros(d))
		}
	})
}

func TestNames(t *testing.T) {
	for s, want := range map[string]Name{
		"init-1.mp4":  {Kind: InitFile, Init: 1},
		"init-12.mp4": {Kind: InitFile, Init: 12},
		"0.m4s":       {Kind: SegmentFile},
		"12.m4s":      {Kind: SegmentFile, MSN: 12},
		"12.3.m4s":    {Kind: PartFile, MSN: 12, Part: 3},
		"12.ts":       {Kind: TSFile, MSN: 12},
	} {
		got, ok := ParseName(s)
		if !ok || got != want {
			t.Errorf("%s: got %+v, %v", s, got, ok)
		}
		back := map[FileKind]string{
			InitFile: InitName(got.Init), SegmentFile: SegmentName(got.MSN, CMAF), PartFile: PartName(got.MSN, got.Part), TSFile: SegmentName(got.MSN, TS),
		}[got.Kind]
		if back != s {
			t.Errorf("%s comes back as %s", s, back)
		}
	}
	for _, s := range []string{
		"", "m4s", ".m4s", "a.m4s", "-1.m4s", "+1.m4s", "01.m4s", "1.01.m4s", "1.2.3.m4s", "1..m4s", "1.m4s.", "init-.mp4",
		"init-x.mp4", "1.mp4", "1.2.ts", "../1.m4s", "99999999999999999999.m4s", "1.99999999.m4s", "１.m4s",
	} {
		if n, ok := ParseName(s); ok {
			t.Errorf("%q taken as %+v", s, n)
		}
	}
}

func BenchmarkMediaAppend(b *testing.B) {
	segs := show(1000, 11)
	m := &Media{TargetDuration: 2, PartTarget: 45_000, CanSkip: true, Segments: segs[:10], Open: open(segs[10], 3)}
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf = m.Append(buf[:0])
	}
	b.SetBytes(int64(len(buf)))
}
