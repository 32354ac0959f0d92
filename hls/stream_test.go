package hls

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	hlsplaylist "github.com/bluenviron/gohlslib/v2/pkg/playlist"
	"go.uber.org/goleak"

	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/media"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// studio is a publisher, its packager and the stream that delivers it.
type studio struct {
	t   testing.TB
	src plainSource
	p   *Packager
	s   *Stream
}

func newStudio(t testing.TB, cfg Config, resume Resume, archive Archive, more ...Sink) *studio {
	s := NewStream(cfg, resume, archive, nil, nil)
	st := &studio{t: t, s: s, src: plainSource{fps: 30, gop: 60, audio: true, size: 1000, audSize: 100, origin: resume.ShowTime}}
	st.p = NewPackager(cfg, resume, append(sinks{s}, more...), nil, nil)
	st.p.StartEpoch(media.Epoch{ShowTime: resume.ShowTime, Wall: wallStart.Add(resume.ShowTime.Duration())})
	if err := st.p.SetTracks([]media.Track{videoTrack(), audioTrackOf(48_000)}); err != nil {
		t.Fatal(err)
	}
	return st
}

// parts publishes n parts of half a second.
func (st *studio) parts(n int) {
	st.t.Helper()
	frames := 15 * n
	if st.src.frame == 0 {
		frames++ // a part is complete with the picture after it
	}
	st.src.run(st.t, st.p, frames)
}

type sinks []Sink

func (s sinks) OnInit(init playlist.Init, data []byte) {
	for _, sink := range s {
		sink.OnInit(init, data)
	}
}

func (s sinks) OnPart(seg playlist.Segment, part playlist.Part, data []byte) {
	for _, sink := range s {
		sink.OnPart(seg, part, data)
	}
}

func (s sinks) OnSegment(seg playlist.Segment) {
	for _, sink := range s {
		sink.OnSegment(seg)
	}
}

// folder is an Archive in memory that has what its collector got, but for the segments it has not written yet.
type folder struct {
	*collector
	mu    sync.Mutex
	until int64 // segments below it are recorded
}

func (f *folder) Recorded(msn int64) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return msn < f.until
}

func (f *folder) OpenSegment(msn int64) (io.ReadSeekCloser, int64, error) {
	if !f.Recorded(msn) {
		return nil, 0, os.ErrNotExist
	}
	b := f.bytes[msn]
	return nopCloser{bytes.NewReader(b)}, int64(len(b)), nil
}

func (f *folder) InitData(n int) ([]byte, error) {
	if f.initData[n] == nil {
		return nil, os.ErrNotExist
	}
	return f.initData[n], nil
}

type nopCloser struct{ io.ReadSeeker }

func (nopCloser) Close() error { return nil }

// get asks for a file with optional headers "Name: value".
func (st *studio) get(name string, headers ...string) *httptest.ResponseRecorder {
	return st.request(context.Background(), http.MethodGet, name, headers...)
}

func (st *studio) request(ctx context.Context, method, name string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(ctx, method, "/live/room_1/show_1/"+name, nil)
	for _, h := range headers {
		k, v, _ := strings.Cut(h, ": ")
		r.Header.Set(k, v)
	}
	w := httptest.NewRecorder()
	name, _, _ = strings.Cut(name, "?")
	st.s.Serve(w, r, name)
	return w
}

func (st *studio) playlist(query string) *hlsplaylist.Media {
	st.t.Helper()
	w := st.get("main.m3u8" + query)
	if w.Code != 200 {
		st.t.Fatalf("%s: %d %s", query, w.Code, w.Body)
	}
	var m hlsplaylist.Media
	if err := m.Unmarshal(w.Body.Bytes()); err != nil {
		st.t.Fatalf("%v\n%s", err, w.Body)
	}
	return &m
}

func TestStatusAndHeaders(t *testing.T) {
	st := newStudio(t, Config{}, Resume{}, nil)
	st.parts(14) // three segments and two parts
	for _, ca := range []struct {
		name        string
		status      int
		contentType string
		cache       string
	}{
		{"index.m3u8", 200, playlistType, "public, max-age=1"},
		{"main.m3u8", 200, playlistType, "public, max-age=1"},
		{"main.m3u8?session=abc", 200, playlistType, "public, max-age=1"},
		{"main.m3u8?_HLS_msn=2", 200, playlistType, "public, max-age=2"},
		{"main.m3u8?_HLS_msn=3&_HLS_part=1&_HLS_skip=YES", 200, playlistType, "public, max-age=2"},
		{"main.m3u8?_HLS_msn=0", 200, playlistType, "public, max-age=2"},
		{"main.m3u8?_HLS_msn=6", 400, "application/problem+json", "no-store"},
		{"main.m3u8?_HLS_msn=3&_HLS_part=8", 400, "application/problem+json", "no-store"},
		{"main.m3u8?_HLS_part=1", 400, "application/problem+json", "no-store"},
		{"main.m3u8?_HLS_msn=x", 400, "application/problem+json", "no-store"},
		{"main.m3u8?_HLS_msn=-1", 400, "application/problem+json", "no-store"},
		{"main.m3u8?_HLS_msn=3&_HLS_part=-1", 400, "application/problem+json", "no-store"},
		{"main.m3u8?_HLS_msn=99999999999999999999999", 400, "application/problem+json", "no-store"},
		{"init-1.mp4", 200, typeMP4, immutable},
		{"0.m4s", 200, typeMP4, immutable},
		{"2.3.m4s", 200, typeMP4, immutable},
		{"3.1.m4s", 200, typeMP4, immutable},
		{"ts/index.m3u8", 200, playlistType, "public, max-age=1"},
		{"ts/main.m3u8", 200, playlistType, "public, max-age=1"},
		{"init-0.mp4", 404, "application/problem+json", "no-store"},
		{"init-2.mp4", 404, "application/problem+json", "no-store"},
		{"3.m4s", 404, "application/problem+json", "no-store"},
		{"2.4.m4s", 404, "application/problem+json", "no-store"},
		{"3.3.m4s", 404, "application/problem+json", "no-store"},
		{"4.0.m4s", 404, "application/problem+json", "no-store"},
		{"0.ts", 404, "application/problem+json", "no-store"},
		{"ts/0.m4s", 404, "application/problem+json", "no-store"},
		{"ts/3.ts", 404, "application/problem+json", "no-store"},
		{"ts/ts/0.ts", 404, "application/problem+json", "no-store"},
		{"", 404, "application/problem+json", "no-store"},
		{"stream.mp4", 404, "application/problem+json", "no-store"},
		{"../0.m4s", 404, "application/problem+json", "no-store"},
	} {
		w := st.get(ca.name)
		h := w.Header()
		if w.Code != ca.status || h.Get("Content-Type") != ca.contentType || h.Get("Cache-Control") != ca.cache || h.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: %d %v", ca.name, w.Code, h)
		}
		if got := h.Get("Content-Length"); got != fmt.Sprint(w.Body.Len()) {
			t.Errorf("%s: Content-Length %s of %d", ca.name, got, w.Body.Len())
		}
		head := st.request(t.Context(), http.MethodHead, ca.name)
		if head.Code != w.Code || head.Body.Len() != 0 || head.Header().Get("Content-Length") != h.Get("Content-Length") || head.Header().Get("ETag") != h.Get("ETag") {
			t.Errorf("HEAD %s: %d, %d bytes, %v", ca.name, head.Code, head.Body.Len(), head.Header())
		}
		if etag := h.Get("ETag"); ca.status == 200 && etag != "" {
			if w := st.get(ca.name, "If-None-Match: "+`"x", W/`+etag); w.Code != 304 || w.Body.Len() != 0 {
				t.Errorf("%s: If-None-Match answered %d", ca.name, w.Code)
			}
		} else if ca.status == 200 {
			t.Errorf("%s: no ETag", ca.name)
		}
	}
	if w := st.request(t.Context(), http.MethodOptions, "main.m3u8"); w.Code != 204 || w.Header().Get("Access-Control-Allow-Methods") == "" {
		t.Errorf("OPTIONS: %d %v", w.Code, w.Header())
	}
	if w := st.request(t.Context(), http.MethodPost, "main.m3u8"); w.Code != 405 || w.Header().Get("Allow") == "" {
		t.Errorf("POST: %d %v", w.Code, w.Header())
	}
}

func TestGzip(t *testing.T) {
	st := newStudio(t, Config{}, Resume{}, nil)
	st.parts(8)
	plain := st.get("main.m3u8")
	for header, want := range map[string]bool{
		"gzip": true, "deflate, gzip;q=0.5, br": true, "*": true, "GZIP ; q=1.0": true,
		"": false, "identity": false, "gzip;q=0": false, "gzip; q=0.0, *": false, "*;q=0": false, "br": false, "gzip;q=x": false,
	} {
		w := st.get("main.m3u8", "Accept-Encoding: "+header)
		if w.Header().Get("Vary") != "Accept-Encoding" {
			t.Errorf("%q: no Vary", header)
		}
		if got := w.Header().Get("Content-Encoding") == "gzip"; got != want {
			t.Errorf("%q: gzip %v", header, got)
			continue
		} else if !got {
			continue
		}
		z, err := gzip.NewReader(w.Body)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(z); err != nil || !bytes.Equal(b, plain.Body.Bytes()) {
			t.Errorf("%q: %v\n%s", header, err, b)
		}
		if w.Header().Get("ETag") == plain.Header().Get("ETag") {
			t.Errorf("%q: one ETag for two encodings", header)
		}
	}
}

func TestRangesAndBytes(t *testing.T) {
	c := newCollector(t)
	st := newStudio(t, Config{}, Resume{}, nil, c)
	st.parts(10)
	for msn := range int64(2) {
		name := playlist.SegmentName(msn, playlist.CMAF)
		whole := st.get(name).Body.Bytes()
		if !bytes.Equal(whole, c.bytes[msn]) {
			t.Fatalf("%s: %d bytes, want %d", name, len(whole), len(c.bytes[msn]))
		}
		var joined []byte
		for i := range 4 {
			joined = append(joined, st.get(playlist.PartName(msn, i)).Body.Bytes()...)
		}
		if !bytes.Equal(whole, joined) {
			t.Fatalf("%s: its parts are not its bytes", name)
		}
		for _, ca := range []struct {
			header string
			want   []byte
			status int
		}{
			{"bytes=0-9", whole[:10], 206},
			{"bytes=17000-19999", whole[17000:20000], 206},
			{"bytes=-5", whole[len(whole)-5:], 206},
			{"bytes=17800-", whole[17800:], 206},
			{"bytes=99999999-", nil, 416},
			{"lines=1-2", nil, 416},
		} {
			w := st.get(name, "Range: "+ca.header)
			if w.Code != ca.status || ca.want != nil && !bytes.Equal(w.Body.Bytes(), ca.want) {
				t.Errorf("%s %s: %d, %d bytes", name, ca.header, w.Code, w.Body.Len())
			}
		}
	}
}

// Blocking reloads are answered with the very part or segment that they wait for, not earlier, not later.
func TestBlockingReload(t *testing.T) {
	for _, ca := range []struct {
		query string
		parts int // published when the answer may come; 8 are there at first, that is segments 0 and 1
	}{
		{"?_HLS_msn=1", 8},
		{"?_HLS_msn=1&_HLS_part=3", 8},
		{"?_HLS_msn=1&_HLS_part=4", 9}, // rolls over to part 0 of segment 2
		{"?_HLS_msn=1&_HLS_part=77", 9},
		{"?_HLS_msn=2&_HLS_part=0", 9},
		{"?_HLS_msn=2&_HLS_part=1", 10},
		{"?_HLS_msn=2&_HLS_part=3", 12},
		{"?_HLS_msn=2&_HLS_part=5", 13},
		{"?_HLS_msn=2", 12},
		{"?_HLS_msn=3", 16},
		{"?_HLS_msn=3&_HLS_part=1", 14},
	} {
		t.Run(ca.query, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				st := newStudio(t, Config{}, Resume{}, nil)
				st.parts(8)
				published, answered := 8, 0
				go func() {
					if w := st.get("main.m3u8" + ca.query); w.Code != 200 {
						t.Errorf("%d %s", w.Code, w.Body)
					}
					answered = published
				}()
				for synctest.Wait(); answered == 0 && published < 20; synctest.Wait() {
					published++
					st.parts(1)
					time.Sleep(100 * time.Millisecond)
				}
				if answered != ca.parts {
					t.Errorf("answered with %d parts, want %d", answered, ca.parts)
				}
			})
		})
	}
}

func TestHintedPart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := newStudio(t, Config{}, Resume{}, nil)
		st.parts(9)
		var codes [3]int
		for i, name := range []string{"2.1.m4s", "2.1.m4s", "2.1.m4s?x=1"} {
			go func() { codes[i] = st.get(name).Code }()
		}
		synctest.Wait()
		if codes != [3]int{} {
			t.Fatalf("answered before the part was there: %v", codes)
		}
		st.parts(1)
		synctest.Wait()
		if codes != [3]int{200, 200, 200} {
			t.Fatalf("%v", codes)
		}
		// The epoch ends before the hinted part: it will never be.
		gone := 0
		go func() { gone = st.get("2.3.m4s").Code }()
		go func() { st.get("2.2.m4s") }()
		synctest.Wait()
		st.p.EndEpoch()
		synctest.Wait()
		if gone != 404 {
			t.Errorf("a part that never came: %d", gone)
		}
	})
}

func TestWaitingEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := newStudio(t, Config{MaxWaiters: 3}, Resume{}, nil)
		start := time.Now()
		if w := st.get("main.m3u8"); w.Code != 503 || w.Header().Get("Retry-After") == "" || time.Since(start) != firstPlaylistWait {
			t.Errorf("before the first segment: %d after %v", w.Code, time.Since(start))
		}
		st.parts(8)
		start = time.Now()
		if w := st.get("main.m3u8?_HLS_msn=2"); w.Code != 503 || time.Since(start) != 6*time.Second {
			t.Errorf("no more media: %d after %v", w.Code, time.Since(start))
		}
		if w := st.get("2.0.m4s"); w.Code != 503 {
			t.Errorf("hinted part: %d", w.Code)
		}

		// A client that goes away leaves nothing behind.
		ctx, cancel := context.WithCancel(t.Context())
		left := make(chan struct{})
		go func() {
			st.request(ctx, http.MethodGet, "main.m3u8?_HLS_msn=2")
			close(left)
		}()
		synctest.Wait()
		if n := st.s.waiting.Load(); n != 1 {
			t.Errorf("%d are waiting", n)
		}
		cancel()
		<-left
		if n := st.s.waiting.Load(); n != 0 {
			t.Errorf("%d are waiting", n)
		}

		// The cap.
		codes := make(chan int, 3)
		for range 3 {
			go func() { codes <- st.get("main.m3u8?_HLS_msn=2").Code }()
		}
		synctest.Wait()
		if w := st.get("main.m3u8?_HLS_msn=2"); w.Code != 503 || w.Header().Get("Retry-After") != "1" {
			t.Errorf("beyond the cap: %d %v", w.Code, w.Header())
		}
		if w := st.get("main.m3u8"); w.Code != 200 {
			t.Errorf("without waiting: %d", w.Code)
		}
		st.s.End()
		for range 3 {
			if code := <-codes; code != 200 {
				t.Errorf("at the end: %d", code)
			}
		}
		m := st.playlist("?_HLS_msn=50&_HLS_skip=YES")
		if !m.Endlist || m.PreloadHint != nil || m.Skip != nil {
			t.Errorf("%+v", m)
		}
		st.s.Close()
		for _, name := range []string{"main.m3u8", "index.m3u8", "0.m4s", "2.0.m4s", "init-1.mp4", "ts/0.ts"} {
			if w := st.get(name); w.Code != 404 {
				t.Errorf("closed: %s %d", name, w.Code)
			}
		}
	})
}

func TestCloseReleasesWaiters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := newStudio(t, Config{}, Resume{}, nil)
		codes := make(chan int, 3)
		for _, name := range []string{"main.m3u8", "index.m3u8", "0.0.m4s"} {
			go func() { codes <- st.get(name).Code }()
		}
		synctest.Wait()
		st.s.Close()
		for range 3 {
			if code := <-codes; code != 404 {
				t.Errorf("%d", code)
			}
		}
	})
}

func TestDelta(t *testing.T) {
	st := newStudio(t, Config{}, Resume{}, nil)
	st.parts(40)
	full, delta := st.playlist(""), st.playlist("?_HLS_skip=YES")
	if full.Skip != nil || len(full.Segments) != 10 || full.Map == nil {
		t.Errorf("full: %+v", full)
	}
	if delta.Skip == nil || delta.Skip.SkippedSegments != 3 || len(delta.Segments) != 7 || delta.MediaSequence != full.MediaSequence || delta.Map != nil {
		t.Errorf("delta: %+v", delta)
	}
	if got := st.playlist("?_HLS_skip=v2").Skip; got == nil {
		t.Error("v2 is not answered with a delta")
	}
	short := newStudio(t, Config{}, Resume{}, nil)
	short.parts(20)
	if got := short.playlist("?_HLS_skip=YES"); got.Skip != nil || got.Map == nil {
		t.Errorf("nothing to skip: %+v", got)
	}
}

func TestWindowAndMemory(t *testing.T) {
	f := &folder{collector: newCollector(t)}
	st := newStudio(t, Config{}, Resume{}, f, f.collector)
	held := func() (segments int) {
		st.s.mu.Lock()
		defer st.s.mu.Unlock()
		for _, seg := range st.s.all() {
			if seg.parts != nil {
				segments++
			}
		}
		return segments
	}
	st.parts(4 * 20)
	if got := held(); got != 10+goneSegments {
		t.Errorf("nothing recorded: %d segments in memory", got)
	}
	f.mu.Lock()
	f.until = 18
	f.mu.Unlock()
	st.parts(4)
	if got := held(); got != 3 {
		t.Errorf("recorded: %d segments in memory", got)
	}
	m := st.playlist("")
	if m.MediaSequence != 11 || len(m.Segments) != 10 {
		t.Errorf("from %d, %d segments", m.MediaSequence, len(m.Segments))
	}
	// Everything listed can be had, and all that is recorded, and parts for as long as their segment is known.
	for msn := range int64(21) {
		w := st.get(playlist.SegmentName(msn, playlist.CMAF))
		if w.Code != 200 || !bytes.Equal(w.Body.Bytes(), f.bytes[msn]) {
			t.Errorf("segment %d: %d, %d bytes", msn, w.Code, w.Body.Len())
		}
		if msn < 8 {
			continue
		}
		var joined []byte
		for i := range 4 {
			joined = append(joined, st.get(playlist.PartName(msn, i)).Body.Bytes()...)
		}
		if !bytes.Equal(joined, f.bytes[msn]) {
			t.Errorf("parts of segment %d: %d bytes", msn, len(joined))
		}
	}
	w := st.get("12.1.m4s", "Range: bytes=100-199")
	p := m.Segments[1]
	if w.Code != 206 || w.Body.Len() != 100 || p.URI != "12.m4s" {
		t.Errorf("range of an archived part: %d, %d bytes", w.Code, w.Body.Len())
	}
	// Parts are listed for three target durations.
	for i, seg := range m.Segments {
		if got := len(seg.Parts) > 0; got != (i >= 7) {
			t.Errorf("segment %d: %d parts listed", 11+i, len(seg.Parts))
		}
	}
}

func TestShortSegmentsKeepThreeTargetDurations(t *testing.T) {
	st := newStudio(t, Config{SegmentTarget: time.Second, PartTarget: 500 * time.Millisecond, Window: 3}, Resume{}, nil)
	st.src.gop = 90 // TARGETDURATION 3 by the first segment
	st.parts(6)
	st.src.gop = 30
	st.parts(40)
	m := st.playlist("")
	var sum time.Duration
	for _, s := range m.Segments {
		sum += s.Duration
	}
	if m.TargetDuration != 3 || sum < 9*time.Second || sum > 10*time.Second {
		t.Errorf("TARGETDURATION %d, %v listed", m.TargetDuration, sum)
	}
}

func TestDateRanges(t *testing.T) {
	st := newStudio(t, Config{}, Resume{}, nil)
	st.parts(8)
	before := st.get("main.m3u8").Header().Get("ETag")
	at := func(s int) time.Time { return wallStart.Add(time.Duration(s) * time.Second) }
	st.s.SetDateRanges([]playlist.DateRange{
		{ID: "pin_closed", Start: at(1), End: at(3)}, {ID: "pin_open", Start: at(1)}, {ID: "pin_future", Start: at(100), End: at(200)},
	})
	w := st.get("main.m3u8")
	if w.Header().Get("ETag") == before {
		t.Error("no new version")
	}
	for _, name := range []string{"main.m3u8", "ts/main.m3u8"} {
		if body := st.get(name).Body.String(); strings.Count(body, "#EXT-X-DATERANGE") != 3 {
			t.Errorf("%s:\n%s", name, body)
		}
	}
	st.parts(4 * 12) // the window begins at 8 s now
	body := st.get("main.m3u8?_HLS_skip=YES").Body.String()
	if strings.Contains(body, "pin_closed") || !strings.Contains(body, "pin_open") || !strings.Contains(body, "pin_future") {
		t.Errorf("\n%s", body)
	}
}

func TestMultivariant(t *testing.T) {
	st := newStudio(t, Config{}, Resume{}, nil)
	st.src.size = 10_800 // 2.6 Mbit/s
	st.parts(12)
	for _, ts := range []bool{false, true} {
		w := httptest.NewRecorder()
		st.s.ServeMultivariant(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/live/room_1/index.m3u8", nil), "show_1/main.m3u8", ts)
		var m hlsplaylist.Multivariant
		if err := m.Unmarshal(w.Body.Bytes()); err != nil {
			t.Fatal(err)
		}
		v := m.Variants[0]
		if v.URI != "show_1/main.m3u8" || v.Resolution != "1280x720" || *v.FrameRate != 30 || v.Codecs[0] != "avc1.64001f" || v.Codecs[1] != "mp4a.40.2" {
			t.Errorf("%+v", v)
		}
		if v.Bandwidth < 2_600_000 || v.Bandwidth > 3_500_000 || *v.AverageBandwidth < 2_600_000 || *v.AverageBandwidth > v.Bandwidth {
			t.Errorf("BANDWIDTH %d, average %d", v.Bandwidth, *v.AverageBandwidth)
		}
	}
}

func TestResume(t *testing.T) {
	f := &folder{collector: newCollector(t), until: 1 << 40}
	st := newStudio(t, Config{}, Resume{}, f, f.collector)
	st.parts(26)
	end := st.p.EndEpoch()
	resume := Resume{
		NextMSN: 7, NextInit: 2, ShowTime: end, TargetDuration: 2, Segments: f.segments, Inits: f.inits,
	}
	st = newStudio(t, Config{}, resume, f, f.collector)
	before := st.playlist("")
	if before.MediaSequence != 0 || len(before.Segments) != 7 || before.PreloadHint.URI != "7.0.m4s" {
		t.Errorf("%+v", before)
	}
	if w := st.get("init-1.mp4"); w.Code != 200 {
		t.Errorf("old init: %d", w.Code)
	}
	if w := st.get("6.1.m4s"); w.Code != 200 {
		t.Errorf("old part: %d", w.Code)
	}
	st.parts(8)
	m := st.playlist("")
	if m.TargetDuration != 2 || len(m.Segments) != 9 || !m.Segments[7].Discontinuity || m.Segments[7].URI != "7.m4s" {
		t.Errorf("%+v", m.Segments[7])
	}
	if body := st.get("main.m3u8").Body.String(); strings.Count(body, "#EXT-X-MAP") != 2 || !strings.Contains(body, `"init-2.mp4"`) {
		t.Errorf("\n%s", body)
	}
	st.parts(4 * 20)
	if m := st.playlist(""); *m.DiscontinuitySequence != 1 || m.MediaSequence != 19 {
		t.Errorf("DISCONTINUITY-SEQUENCE %d, MEDIA-SEQUENCE %d", *m.DiscontinuitySequence, m.MediaSequence)
	}
}

// A show keeps its part target when the configuration changed while it was interrupted.
func TestResumeKeepsPartTarget(t *testing.T) {
	f := &folder{collector: newCollector(t), until: 1 << 40}
	st := newStudio(t, Config{}, Resume{}, f, f.collector)
	st.parts(26)
	end := st.p.EndEpoch()
	resume := Resume{
		NextMSN: 7, NextInit: 2, ShowTime: end, TargetDuration: 2, PartTarget: f.segments[0].PartTarget, Segments: f.segments, Inits: f.inits,
	}
	st = newStudio(t, Config{PartTarget: time.Second}, resume, f, f.collector)
	st.parts(8)
	if m := st.playlist(""); m.PartInf.PartTarget != 500*time.Millisecond || m.ServerControl.PartHoldBack == nil || *m.ServerControl.PartHoldBack != 1500*time.Millisecond {
		t.Errorf("%+v %+v", m.PartInf, m.ServerControl)
	}
	for _, seg := range f.segments {
		for _, part := range seg.Parts {
			if part.Duration > 45_000 {
				t.Errorf("segment %d: %+v", seg.MSN, part)
			}
		}
	}
}
