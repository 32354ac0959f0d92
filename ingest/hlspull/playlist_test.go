package hlspull

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
)

const examplePlaylist = `#EXTM3U
#EXT-X-VERSION:9
#EXT-X-TARGETDURATION:4
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.5,CAN-SKIP-UNTIL=24
#EXT-X-PART-INF:PART-TARGET=0.5
#EXT-X-MEDIA-SEQUENCE:7
#EXT-X-DISCONTINUITY-SEQUENCE:2
#EXT-X-MAP:URI="init.mp4",BYTERANGE="100@0"
#EXT-X-PROGRAM-DATE-TIME:2026-03-04T05:06:07.500+0800
#EXT-X-BYTERANGE:1000@100
#EXTINF:4.0,a "title", with a comma
all.mp4
#EXT-X-BYTERANGE:500
#EXTINF:2
all.mp4
#EXT-X-GAP
#EXTINF:4,
gone.mp4
#EXT-X-DISCONTINUITY
#EXT-X-MAP:URI="https://cdn.example/x/init2.mp4?a=1,2"
#EXT-X-KEY:METHOD=AES-128,URI="key,1"
#EXT-X-DATERANGE:ID="x",START-DATE="2026-03-04T05:06:07Z",X-A="b"
#EXTINF:3.5,
../other/2.m4s
#EXT-X-KEY:METHOD=NONE
#EXT-X-PART:DURATION=0.5,URI="3.0.m4s",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.4,URI="3.1.m4s",GAP=YES
#EXT-X-PRELOAD-HINT:TYPE=PART,URI="3.2.m4s"
`

func TestParseMedia(t *testing.T) {
	base, _ := url.Parse("http://origin/live/show/main.m3u8?token=1")
	got, err := parseMedia(strings.ReplaceAll(examplePlaylist, "\n", "\r\n"), base)
	if err != nil {
		t.Fatal(err)
	}
	date := time.Date(2026, 3, 3, 21, 6, 7, 5e8, time.UTC)
	first := resource{url: "http://origin/live/show/init.mp4", span: span{0, 100}}
	second := resource{url: "https://cdn.example/x/init2.mp4?a=1,2"}
	want := &mediaPlaylist{
		target: 4 * time.Second, partTarget: 500 * time.Millisecond, canBlock: true, partHold: 1500 * time.Millisecond, sequence: 7,
		segments: []segment{
			{msn: 7, discontinuity: 2, resource: resource{"http://origin/live/show/all.mp4", span{100, 1000}}, duration: 4 * time.Second, date: date, init: first},
			{msn: 8, discontinuity: 2, resource: resource{"http://origin/live/show/all.mp4", span{1100, 500}}, duration: 2 * time.Second, date: date.Add(4 * time.Second), init: first},
			{msn: 9, discontinuity: 2, resource: resource{url: "http://origin/live/show/gone.mp4"}, duration: 4 * time.Second, date: date.Add(6 * time.Second), init: first, gap: true},
			{msn: 10, discontinuity: 3, resource: resource{url: "http://origin/live/other/2.m4s"}, duration: 3500 * time.Millisecond, init: second, sealed: true},
			{msn: 11, discontinuity: 3, init: second, open: true, duration: 900 * time.Millisecond, parts: []part{
				{resource: resource{url: "http://origin/live/show/3.0.m4s"}, duration: 500 * time.Millisecond, independent: true},
				{resource: resource{url: "http://origin/live/show/3.1.m4s"}, duration: 400 * time.Millisecond, gap: true},
			}},
		},
	}
	all := cmp.AllowUnexported(mediaPlaylist{}, segment{}, part{}, resource{}, span{})
	if diff := cmp.Diff(want, got, all); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestParseMediaRefuses(t *testing.T) {
	base, _ := url.Parse("http://origin/live.m3u8")
	for name, text := range map[string]string{
		"a page":         "<html>",
		"nothing":        "",
		"no target":      "#EXTM3U\n#EXTINF:4,\na.ts\n",
		"a wrong number": "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:x\n",
		"endless":        "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:1e300,\na.ts\n",
		"not a number":   "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:NaN,\na.ts\n",
		"a file":         "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\nfile:///etc/passwd\n",
		"a bad range":    "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-BYTERANGE:-4@1\n#EXTINF:4,\na.ts\n",
		"a bad address":  "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\nhttp://%zz/\n",
	} {
		if _, err := parseMedia(text, base); errs.KindOf(err) != errs.Invalid || errs.MessageOf(err) == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzParseMedia(f *testing.F) {
	f.Add(examplePlaylist)
	f.Add("#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-BYTERANGE:4\n#EXTINF:4,\na.ts\n")
	base, _ := url.Parse("http://origin/live.m3u8")
	f.Fuzz(func(t *testing.T, text string) {
		list, err := parseMedia(text, base)
		if err != nil {
			return
		}
		if at := list.start(); at.msn < list.sequence || at.part < 0 {
			t.Errorf("begins at %+v", at)
		}
		for i := range list.segments {
			s := &list.segments[i]
			if s.duration < 0 || s.span.length < 0 || s.span.offset < 0 || !s.open && s.url == "" {
				t.Errorf("segment %+v", s)
			}
		}
	})
}

func FuzzInit(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x10ftypiso6\x00\x00\x00\x01"))
	f.Fuzz(func(_ *testing.T, data []byte) { _, _, _ = tameInit(data) })
}

func FuzzDemux(f *testing.F) {
	f.Add([]byte{0x47, 0x40, 0, 0x10})
	f.Fuzz(func(_ *testing.T, data []byte) { _, _ = newTSDemuxer().demux(data) })
}

// Where to begin in playlists of two-second segments and half-second parts.
func TestStart(t *testing.T) {
	parts := func(n int) (out []part) {
		for i := range n {
			out = append(out, part{duration: 500 * time.Millisecond, independent: i%2 == 0})
		}
		return out
	}
	whole := func(n int, parts []part) (out []segment) {
		for i := range n {
			out = append(out, segment{msn: int64(10 + i), duration: 2 * time.Second})
		}
		for i := max(0, n-3); i < n && parts != nil; i++ {
			out[i].parts = parts
		}
		return out
	}
	open := func(n int, s []segment) []segment {
		return append(s, segment{msn: int64(10 + len(s)), open: true, parts: parts(n), duration: time.Duration(n) * 500 * time.Millisecond})
	}
	for name, c := range map[string]struct {
		segments []segment
		low      bool
		want     place
	}{
		"plain":                 {whole(5, nil), false, place{13, 0}},
		"one segment":           {whole(1, nil), false, place{10, 0}},
		"none":                  {nil, false, place{10, 0}},
		"parts, segment begins": {open(1, whole(4, parts(4))), true, place{13, 2}},
		"parts, segment ends":   {open(3, whole(4, parts(4))), true, place{14, 0}},
		"parts alone":           {open(2, nil), true, place{10, 0}},
	} {
		list := &mediaPlaylist{target: 2 * time.Second, sequence: 10, segments: c.segments}
		if c.low {
			list.partTarget, list.partHold, list.canBlock = 500*time.Millisecond, 1500*time.Millisecond, true
		}
		if got := list.start(); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

func TestMerge(t *testing.T) {
	sample := func(kind media.Kind, at media.Ticks) timed {
		return timed{Sample: media.Sample{Kind: kind, DTS: at}}
	}
	var got []media.Ticks
	write := func(t timed) error { got = append(got, t.DTS); return nil }
	m := merger{tracks: 2}
	for _, at := range []media.Ticks{0, 3000, 6000} {
		_ = m.put(sample(media.Video, at), write)
	}
	for _, at := range []media.Ticks{100, 2000, 4000} {
		_ = m.put(sample(media.Audio, at), write)
	}
	if diff := cmp.Diff([]media.Ticks{0, 100, 2000, 3000, 4000}, got); diff != "" {
		t.Error(diff)
	}
	for at := media.Ticks(9000); at <= 6000+mergeSpan+3000; at += 3000 {
		_ = m.put(sample(media.Video, at), write)
	}
	if n := len(m.queues[0]); n > int(mergeSpan/3000)+1 || n < int(mergeSpan/3000) {
		t.Errorf("%d pictures wait for sound that does not come", n)
	}
	_ = m.flush(write)
	if len(m.queues[0])+len(m.queues[1]) > 0 || got[len(got)-1] != 6000+mergeSpan+3000 {
		t.Error("not everything came out")
	}
}
