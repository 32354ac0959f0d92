package hls

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	hlsplaylist "github.com/bluenviron/gohlslib/v2/pkg/playlist"

	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
)

// ensemble is a show with renditions: source, "720p" and "360p", each with an encoder behind it.
type ensemble struct {
	t        testing.TB
	g        *Group
	p        *Packager
	encoders map[string]*encoder
	rest     []media.Sample // of the source, to be written
}

func newEnsemble(t testing.TB, seconds int, names ...string) *ensemble {
	stream := NewStream(Config{}, Resume{}, nil, nil, nil)
	e := &ensemble{t: t, g: NewGroup(stream, nil, nil), p: NewPackager(Config{}, Resume{}, stream, nil, nil), encoders: map[string]*encoder{}}
	for _, name := range names {
		e.add(name)
	}
	e.p.StartEpoch(media.Epoch{Wall: wallStart})
	if err := e.p.SetTracks([]media.Track{videoTrack(), audioTrackOf(48_000)}); err != nil {
		t.Fatal(err)
	}
	e.rest = sourceSamples(seconds, 0, 1)
	return e
}

func (e *ensemble) add(name string) {
	f, err := e.g.Add(Rendition{Name: name, Bandwidth: 900_000})
	if err != nil {
		e.t.Fatal(err)
	}
	f.SetTrack(otherVideoTrack())
	e.p.Follow(f)
	e.encoders[name] = &encoder{f: f}
}

// until writes what decodes before t.
func (e *ensemble) until(t media.Ticks) {
	for len(e.rest) > 0 && e.rest[0].DTS < t {
		s := e.rest[0]
		e.rest = e.rest[1:]
		if err := e.p.Write(s); err != nil {
			e.t.Fatal(err)
		}
		for _, enc := range e.encoders {
			enc.take(s)
		}
	}
}

// end ends the show.
func (e *ensemble) end() {
	e.p.EndEpoch()
	for _, enc := range e.encoders {
		enc.drain()
	}
	e.g.End()
}

func (e *ensemble) get(name string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/live/room_1/show_1/"+name, nil)
	name, _, _ = strings.Cut(name, "?")
	e.g.Serve(w, r, name)
	return w
}

// body wants an answer that is right.
func (e *ensemble) body(name string) string {
	e.t.Helper()
	w := e.get(name)
	if w.Code != http.StatusOK {
		e.t.Fatalf("%s: %d %s", name, w.Code, w.Body)
	}
	return w.Body.String()
}

func TestGroupMultivariant(t *testing.T) {
	e := newEnsemble(t, 10, "720p", "360p")
	e.until(10 * media.TicksPerSecond)
	const source, made = `CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=1280x720,FRAME-RATE=30.000`, `CODECS="avc1.64000d,mp4a.40.2",RESOLUTION=320x180,FRAME-RATE=30.000`
	for _, ca := range []struct {
		name string
		body func() string
		want []string // URIs
	}{
		{"beside the files", func() string { return e.body("index.m3u8") }, []string{"main.m3u8", "720p/main.m3u8", "360p/main.m3u8"}},
		{"MPEG-TS", func() string { return e.body("ts/index.m3u8") }, []string{"../ts/main.m3u8", "../720p/ts/main.m3u8", "../360p/ts/main.m3u8"}},
		{"of a room", func() string {
			w := httptest.NewRecorder()
			e.g.ServeMultivariant(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil), "show_1/", false)
			return w.Body.String()
		}, []string{"show_1/main.m3u8", "show_1/720p/main.m3u8", "show_1/360p/main.m3u8"}},
	} {
		t.Run(ca.name, func(t *testing.T) {
			body := ca.body()
			var m hlsplaylist.Multivariant
			if err := m.Unmarshal([]byte(body)); err != nil {
				t.Fatal(err)
			}
			if len(m.Variants) != len(ca.want) || strings.Count(body, source) != 1 || strings.Count(body, made) != 2 {
				t.Fatalf("\n%s", body)
			}
			for i, want := range ca.want {
				if v := m.Variants[i]; v.URI != want || i > 0 && v.Bandwidth < 900_000 {
					t.Errorf("%+v, want %s", v, want)
				}
			}
		})
	}
}

// Players read the multivariant playlist once: it waits for a rendition that is about to come, and not for one that failed.
func TestGroupWaitsForRenditions(t *testing.T) {
	for _, ca := range []struct {
		name     string
		lag      int
		down     bool
		stalls   bool // the source
		seconds  int  // of the show before the request
		variants int
		waits    time.Duration
	}{
		{"all there", 0, false, false, 6, 3, 0},
		{"one comes late", 65, false, false, 2, 3, 800 * time.Millisecond},
		{"one never comes", 1000, false, false, 2, 2, 2500 * time.Millisecond}, // known two target durations after its first part
		{"one never comes, nor does the source", 1000, false, true, 2, 2, variantWait},
		{"one is down", 0, true, false, 4, 2, 0},
	} {
		t.Run(ca.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := newEnsemble(t, 20, "720p", "360p")
				late := e.encoders["720p"]
				late.lag = ca.lag
				if ca.down {
					late.off = true
					late.f.Down()
				}
				now := media.Ticks(ca.seconds)*media.TicksPerSecond + 9000
				e.until(now)
				done := make(chan string)
				began := time.Now()
				go func() { done <- e.body("index.m3u8") }()
				for {
					synctest.Wait()
					select {
					case body := <-done:
						if got := strings.Count(body, "#EXT-X-STREAM-INF"); got != ca.variants {
							t.Errorf("%d variants, want %d\n%s", got, ca.variants, body)
						}
						if got := time.Since(began); got < ca.waits || got > ca.waits+200*time.Millisecond {
							t.Errorf("waited %v, want %v", got, ca.waits)
						}
						return
					default:
					}
					time.Sleep(100 * time.Millisecond)
					if !ca.stalls {
						now += 9000
						e.until(now)
					}
				}
			})
		})
	}
}

func TestGroupReports(t *testing.T) {
	e := newEnsemble(t, 12, "720p", "360p")
	e.encoders["360p"].lag = 20
	e.until(9*media.TicksPerSecond + 18_000)
	const report = "#EXT-X-RENDITION-REPORT:URI="
	for name, want := range map[string][]string{
		"main.m3u8":      {`"720p/main.m3u8",LAST-MSN=4,LAST-PART=1`, `"360p/main.m3u8",LAST-MSN=3,LAST-PART=3`},
		"720p/main.m3u8": {`"../main.m3u8",LAST-MSN=4,LAST-PART=1`, `"../360p/main.m3u8",LAST-MSN=3,LAST-PART=3`},
		"360p/main.m3u8": {`"../main.m3u8",LAST-MSN=4,LAST-PART=1`, `"../720p/main.m3u8",LAST-MSN=4,LAST-PART=1`},
	} {
		body := e.body(name)
		for _, w := range want {
			if !strings.Contains(body, report+w+"\n") {
				t.Errorf("%s: no %s%s in\n%s", name, report, w, body)
			}
		}
		if got := strings.Count(body, report); got != len(want) {
			t.Errorf("%s: %d reports", name, got)
		}
	}
	if body := e.body("ts/main.m3u8"); strings.Contains(body, report) {
		t.Errorf("MPEG-TS with reports:\n%s", body)
	}
}

func TestGroupFiles(t *testing.T) {
	e := newEnsemble(t, 20, "720p")
	enc := e.encoders["720p"]
	e.until(9*media.TicksPerSecond + 9000)
	enc.drainTo(9*media.TicksPerSecond + 1)
	enc.fail() // with segment 4 open and two of its parts out
	enc.off = true
	e.until(13 * media.TicksPerSecond)
	enc.off = false
	e.until(17*media.TicksPerSecond + 9000)
	for name, want := range map[string]int{
		"0.m4s": 200, "720p/0.m4s": 200, "720p/0.0.m4s": 200, "720p/init-1.mp4": 200, "720p/ts/0.ts": 200,
		"720p/4.0.m4s": 200, "720p/4.1.m4s": 200, "720p/4.2.m4s": 404, "720p/4.m4s": 404, "720p/ts/4.ts": 404, // a gap with two parts
		"720p/5.0.m4s": 404, "720p/5.m4s": 404, "4.m4s": 200, "5.3.m4s": 200,
		"720p/7.m4s": 200, "720p/init-2.mp4": 404, // the same parameters came back
		"480p/main.m3u8": 404, "720p": 404, "720p/": 404, "720p/720p/main.m3u8": 404, "720p/nothing.m4s": 404, "ts/720p/main.m3u8": 404,
	} {
		if w := e.get(name); w.Code != want {
			t.Errorf("%s: %d, want %d", name, w.Code, want)
		}
	}
	if e.body("init-1.mp4") == e.body("720p/init-1.mp4") {
		t.Error("the rendition has the source's parameters")
	}
	for name, gaps := range map[string]int{"main.m3u8": 0, "720p/main.m3u8": 3, "720p/ts/main.m3u8": 3} {
		body := e.body(name)
		if got := strings.Count(body, "#EXT-X-GAP"); got != gaps {
			t.Errorf("%s: %d gaps\n%s", name, got, body)
		}
		if _, err := hlsplaylist.Unmarshal([]byte(body)); err != nil {
			t.Error(err)
		}
	}
}

// A rendition that comes to a show on air lists the same segments as the source, as gaps.
func TestGroupAddOnAir(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEnsemble(t, 40)
		e.until(27 * media.TicksPerSecond)
		e.add("480p")
		e.encoders["480p"].restart = true
		e.until(27*media.TicksPerSecond + 9000)
		header := func(name string) string {
			from, _, _ := strings.Cut(e.body(name), "#EXTINF")
			return from[:strings.Index(from, "#EXT-X-PROGRAM")]
		}
		if got, want := header("480p/main.m3u8"), strings.Replace(header("main.m3u8"), "#EXT-X-MAP:URI=\"init-1.mp4\"\n", "", 1); got != want {
			t.Errorf("\n%s, want\n%s", got, want)
		}
		if body := e.body("480p/main.m3u8"); strings.Count(body, "#EXT-X-GAP") != 10 || strings.Count(body, ",GAP=YES") != 14 {
			t.Errorf("\n%s", body)
		}
		if body := e.body("index.m3u8"); strings.Contains(body, "480p") {
			t.Errorf("a rendition without parameters is offered:\n%s", body)
		}
		e.until(40 * media.TicksPerSecond)
		e.end()
		if body := e.body("480p/main.m3u8"); !strings.Contains(body, "\n#EXT-X-MAP:URI=\"init-15.mp4\"\n#EXT-X-PROGRAM-DATE-TIME:2026-11-22T12:00:28.000Z\n") {
			t.Errorf("\n%s", body)
		}
	})
}

// A player that comes from the source asks a rendition that is late for what the source has.
func TestGroupLateRendition(t *testing.T) {
	e := newEnsemble(t, 20, "720p")
	e.encoders["720p"].lag = 100 // 3.5 s
	e.until(11*media.TicksPerSecond + 9000)
	for query, want := range map[string]int{"_HLS_msn=5&_HLS_part=2": 503, "_HLS_msn=5": 503, "_HLS_msn=3&_HLS_part=1": 200, "_HLS_msn=8": 400} {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		w := httptest.NewRecorder()
		e.g.Serve(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "/?"+query, nil), "720p/main.m3u8")
		cancel()
		if w.Code != want { // 503: it waits
			t.Errorf("%s: %d, want %d", query, w.Code, want)
		}
	}
}

// The window of a rendition is bounded, since all of it is in memory.
func TestGroupWindow(t *testing.T) {
	stream := NewStream(Config{Window: 1000}, Resume{}, nil, nil, nil)
	g := NewGroup(stream, nil, nil)
	f, err := g.Add(Rendition{Name: "360p", Bandwidth: 1})
	if err != nil {
		t.Fatal(err)
	}
	p := NewPackager(Config{}, Resume{}, stream, nil, nil)
	p.Follow(f)
	f.SetTrack(otherVideoTrack())
	p.StartEpoch(media.Epoch{Wall: wallStart})
	if err := p.SetTracks([]media.Track{videoTrack()}); err != nil {
		t.Fatal(err)
	}
	for i := range 80 * 60 {
		at := media.Ticks(i) * 3000
		s := media.Sample{Kind: media.Video, PTS: at, DTS: at, Key: i%60 == 0, Payload: payload(1, 20)}
		f.Write(s)
		if err := p.Write(s); err != nil {
			t.Fatal(err)
		}
	}
	r := g.find("360p").stream
	if n := len(r.live.Load().version.media.Segments); n != renditionWindow || len(r.all()) != renditionWindow+goneSegments {
		t.Errorf("%d segments listed, %d held", n, len(r.all()))
	}
	if n := len(stream.live.Load().version.media.Segments); n != 79 {
		t.Errorf("the source lists %d", n)
	}
}

func TestGroupEnd(t *testing.T) {
	e := newEnsemble(t, 5, "720p")
	e.g.SetDateRanges([]playlist.DateRange{{ID: "pin_1", Start: wallStart}})
	e.until(5 * media.TicksPerSecond)
	e.end()
	for _, name := range []string{"main.m3u8", "720p/main.m3u8", "ts/main.m3u8", "720p/ts/main.m3u8"} {
		body := e.body(name)
		if !strings.HasSuffix(body, "#EXT-X-ENDLIST\n") || !strings.Contains(body, `ID="pin_1"`) || strings.Count(body, "#EXTINF") != 3 {
			t.Errorf("%s:\n%s", name, body)
		}
	}
	e.g.Close()
	for _, name := range []string{"index.m3u8", "main.m3u8", "720p/main.m3u8", "720p/0.m4s"} {
		if w := e.get(name); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d after Close", name, w.Code)
		}
	}
}

func TestRenditionNames(t *testing.T) {
	g := NewGroup(NewStream(Config{}, Resume{}, nil, nil, nil), nil, nil)
	for name, want := range map[string]errs.Kind{
		"": errs.Invalid, "ts": errs.Invalid, "a/b": errs.Invalid, "main.m3u8": errs.Invalid, "720P": errs.Invalid, strings.Repeat("x", 33): errs.Invalid,
	} {
		if _, err := g.Add(Rendition{Name: name, Bandwidth: 1}); errs.KindOf(err) != want {
			t.Errorf("%q: %v", name, err)
		}
	}
	if _, err := g.Add(Rendition{Name: "720p"}); errs.KindOf(err) != errs.Invalid {
		t.Errorf("no bandwidth: %v", err)
	}
	f, err := g.Add(Rendition{Name: "720p", Bandwidth: 1})
	if err != nil || g.Follower("720p") != f || g.Follower("480p") != nil {
		t.Errorf("%v", err)
	}
	if _, err := g.Add(Rendition{Name: "720p", Bandwidth: 1}); errs.KindOf(err) != errs.Conflict {
		t.Errorf("twice: %v", err)
	}
}
