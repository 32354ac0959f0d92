package replay

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/ids"
)

// recorded makes an archive with one show of n segments that is over.
func recorded(t testing.TB, cfg Config, n int) (*testArchive, *show) {
	t.Helper()
	s, a, r := onAir(t, cfg)
	s.run(r, n)
	r.End()
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	return a, s
}

func get(a *testArchive, show, name string, header ...string) *httptest.ResponseRecorder {
	return ask(a, http.MethodGet, show, name, header...)
}

func ask(a *testArchive, method, show, name string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(context.Background(), method, "/replay/x", nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	a.Serve(w, r, show, name)
	return w
}

func TestServesMedia(t *testing.T) {
	a, s := recorded(t, Config{}, 3)
	w := get(a, s.id, "1.m4s")
	if w.Code != http.StatusOK || !bytes.Equal(w.Body.Bytes(), s.media[1]) {
		t.Fatalf("%d, %d bytes", w.Code, w.Body.Len())
	}
	for name, want := range map[string]string{
		"Content-Type": "video/mp4", "Cache-Control": cacheMedia, "Access-Control-Allow-Origin": "*",
	} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	etag := w.Header().Get("ETag")
	if got := get(a, s.id, "1.m4s", "If-None-Match", etag); got.Code != http.StatusNotModified {
		t.Errorf("If-None-Match: %d", got.Code)
	}
	part := get(a, s.id, "1.m4s", "Range", "bytes=10-19")
	if part.Code != http.StatusPartialContent || !bytes.Equal(part.Body.Bytes(), s.media[1][10:20]) {
		t.Errorf("range: %d %q", part.Code, part.Header().Get("Content-Range"))
	}
	head := ask(a, http.MethodHead, s.id, "1.m4s")
	if head.Code != http.StatusOK || head.Body.Len() != 0 || head.Header().Get("Content-Length") != w.Header().Get("Content-Length") {
		t.Errorf("HEAD: %d, %d bytes, length %s", head.Code, head.Body.Len(), head.Header().Get("Content-Length"))
	}
	if w := get(a, s.id, "init-1.mp4"); !bytes.Equal(w.Body.Bytes(), s.inits[1]) || w.Header().Get("Content-Type") != "video/mp4" {
		t.Errorf("init: %d", w.Code)
	}
}

func TestServesPlaylists(t *testing.T) {
	ranges := []playlist.DateRange{{
		ID: "pin_0123456789abcdef", Class: "vitrine.pin", Start: begun.Add(time.Second),
		Attrs: []playlist.Attr{{Name: "X-SHOW-TIME-MS", Value: "1000", Number: true}},
	}}
	var rangesErr error
	a, s := recorded(t, Config{Ranges: func(context.Context, string) ([]playlist.DateRange, error) {
		return ranges, rangesErr
	}}, 3)
	w := get(a, s.id, "main.m3u8")
	body := w.Body.String()
	for _, want := range []string{
		"#EXT-X-PLAYLIST-TYPE:VOD\n", "#EXT-X-TARGETDURATION:2\n", "#EXT-X-MAP:URI=\"init-1.mp4\"\n", "#EXTINF:2.000000,\n0.m4s\n",
		"#EXT-X-PROGRAM-DATE-TIME:2026-11-22T12:00:02.000Z\n", "#EXT-X-ENDLIST\n",
		`#EXT-X-DATERANGE:ID="pin_0123456789abcdef",CLASS="vitrine.pin",START-DATE="2026-11-22T12:00:01.000Z",X-SHOW-TIME-MS=1000`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("no %q in\n%s", want, body)
		}
	}
	if w.Header().Get("Content-Type") != typePlaylist || w.Header().Get("Cache-Control") != cacheVOD {
		t.Errorf("header %v", w.Header())
	}
	if w := get(a, s.id, "main.m3u8", "If-None-Match", w.Header().Get("ETag")); w.Code != http.StatusNotModified {
		t.Errorf("If-None-Match: %d", w.Code)
	}
	ranges = append([]playlist.DateRange(nil), ranges...)
	ranges[0].End = begun.Add(2 * time.Second)
	if w := get(a, s.id, "main.m3u8"); !strings.Contains(w.Body.String(), `END-DATE="2026-11-22T12:00:02.000Z"`) {
		t.Error("the end of a pin does not show")
	}
	tsBody := get(a, s.id, "ts/main.m3u8").Body.String()
	if !strings.Contains(tsBody, "\n0.ts\n") || strings.Contains(tsBody, "EXT-X-MAP") {
		t.Errorf("MPEG-TS:\n%s", tsBody)
	}
	rangesErr = errors.New("no database")
	if w := get(a, s.id, "main.m3u8"); w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "database") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestServesMultivariant(t *testing.T) {
	a, s := recorded(t, Config{}, 3)
	peak := 0
	for _, seg := range s.segments {
		peak = max(peak, int(seg.Size)*8/2)
	}
	for name, container := range map[string]playlist.Container{"index.m3u8": playlist.CMAF, "ts/index.m3u8": playlist.TS} {
		body := get(a, s.id, name).Body.String()
		for _, want := range []string{`CODECS="avc1.64001f,mp4a.40.2"`, "RESOLUTION=1280x720", "FRAME-RATE=30.000", "\nmain.m3u8\n", "BANDWIDTH="} {
			if !strings.Contains(body, want) {
				t.Errorf("%s: no %q in\n%s", name, want, body)
			}
		}
		_, rest, _ := strings.Cut(body, ":BANDWIDTH=")
		digits, _, _ := strings.Cut(rest, ",")
		var bandwidth int
		if err := json.Unmarshal([]byte(digits), &bandwidth); err != nil || bandwidth < peak {
			t.Errorf("%s: %s, peak %d", name, digits, peak)
		}
		if container == playlist.CMAF && bandwidth > peak+1 {
			t.Errorf("%s: %d, peak %d", name, bandwidth, peak)
		}
	}
}

func TestPacksPlaylists(t *testing.T) {
	a, s := recorded(t, Config{}, 50)
	plain := get(a, s.id, "main.m3u8")
	packed := get(a, s.id, "main.m3u8", "Accept-Encoding", "br, gzip;q=0.5")
	if packed.Header().Get("Content-Encoding") != "gzip" || packed.Header().Get("Vary") != "Accept-Encoding" {
		t.Fatalf("header %v", packed.Header())
	}
	if packed.Header().Get("ETag") == plain.Header().Get("ETag") {
		t.Error("both forms have one ETag")
	}
	if packed.Body.Len() > plain.Body.Len()/5 {
		t.Errorf("%d of %d bytes", packed.Body.Len(), plain.Body.Len())
	}
	z, err := gzip.NewReader(packed.Body)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil || !bytes.Equal(b, plain.Body.Bytes()) {
		t.Errorf("unpacked %d bytes: %v", len(b), err)
	}
	for header, want := range map[string]bool{
		"": false, "identity": false, "gzip": true, "GZIP": true, "*": true, "gzip;q=0": false, "gzip; q=0.0, *": false,
		"*;q=0": false, "deflate, gzip;q=1.0": true,
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.Header.Set("Accept-Encoding", header)
		if got := acceptsGzip(r); got != want {
			t.Errorf("%q: %v", header, got)
		}
	}
}

func TestEventBecomesVOD(t *testing.T) {
	s, a, r := onAir(t, Config{})
	if w := get(a, s.id, "main.m3u8"); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("before the first segment: %d", w.Code)
	}
	s.run(r, 2)
	if err := r.Close(); err != nil { // the process stops, the show does not
		t.Fatal(err)
	}
	w := get(a, s.id, "main.m3u8")
	if body := w.Body.String(); !strings.Contains(body, "TYPE:EVENT") || strings.Contains(body, "ENDLIST") || w.Header().Get("Cache-Control") != cacheEvent {
		t.Errorf("on air:\n%s", body)
	}
	r = s.recorder(t, a.Archive)
	r.End()
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if body := get(a, s.id, "main.m3u8").Body.String(); !strings.Contains(body, "TYPE:VOD") || !strings.Contains(body, "ENDLIST") {
		t.Errorf("after the end:\n%s", body)
	}
}

func TestRefuses(t *testing.T) {
	a, s := recorded(t, Config{FFmpeg: "no-such-program"}, 2)
	for _, c := range []struct {
		show, name string
		status     int
		detail     string
	}{
		{ids.New("show"), "main.m3u8", 404, "no recording"},
		{"../" + s.id, "main.m3u8", 404, "no such show"},
		{".", s.id + "/index.jsonl", 404, "no such show"},
		{s.id, "index.jsonl", 404, "no file"},
		{s.id, "../" + s.id + "/0.m4s", 404, "no file"},
		{s.id, "/etc/passwd", 404, "no file"},
		{s.id, "", 404, "no file"},
		{s.id, "2.m4s", 404, "not recorded"},
		{s.id, "00.m4s", 404, "no file"},
		{s.id, "0.0.m4s", 404, "no file"},
		{s.id, "0.ts", 404, "no file"},
		{s.id, "ts/0.m4s", 404, "no file"},
		{s.id, "ts/2.ts", 404, "not recorded"},
		{s.id, "ts/poster.jpg", 404, "no file"},
		{s.id, "init-2.mp4", 404, "not recorded"},
		{s.id, "poster.jpg", 404, "ffmpeg is not installed"},
		{s.id, "ts/0.ts", 500, "the server's log"}, // this show's media is noise
	} {
		w := get(a, c.show, c.name)
		var p struct {
			Status int
			Detail string
		}
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
			t.Errorf("%s/%s: %v", c.show, c.name, err)
		}
		if w.Code != c.status || p.Status != c.status || !strings.Contains(p.Detail, c.detail) ||
			w.Header().Get("Content-Type") != "application/problem+json" || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s/%s: %d %q, want %d %q; header %v", c.show, c.name, w.Code, p.Detail, c.status, c.detail, w.Header())
		}
	}
	if w := ask(a, http.MethodPost, s.id, "main.m3u8"); w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") == "" {
		t.Errorf("POST: %d", w.Code)
	}
	if w := ask(a, http.MethodOptions, s.id, "main.m3u8"); w.Code != http.StatusNoContent || w.Header().Get("Access-Control-Allow-Headers") == "" {
		t.Errorf("OPTIONS: %d", w.Code)
	}
}

func TestDeleteAndUsage(t *testing.T) {
	s, a, r := onAir(t, Config{})
	s.run(r, 2)
	if err := a.Delete(s.id); errs.KindOf(err) != errs.Conflict {
		t.Errorf("deleting what is being recorded: %v", err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	used, err := a.Usage(s.id)
	if least := s.segments[0].Size + s.segments[1].Size; err != nil || used <= least {
		t.Errorf("usage %d: %v", used, err)
	}
	shows, err := a.Shows()
	if diff := cmp.Diff([]string{s.id}, shows); diff != "" || err != nil || !a.Has(s.id) {
		t.Errorf("shows %v: %v", shows, err)
	}
	get(a, s.id, "main.m3u8")
	if err := a.Delete(s.id); err != nil {
		t.Fatal(err)
	}
	if w := get(a, s.id, "main.m3u8"); w.Code != http.StatusNotFound || a.Has(s.id) {
		t.Errorf("after deletion: %d", w.Code)
	}
	if err := a.Delete(s.id); errs.KindOf(err) != errs.NotFound {
		t.Errorf("deleting twice: %v", err)
	}
	if _, err := a.Usage(s.id); errs.KindOf(err) != errs.NotFound {
		t.Errorf("usage of nothing: %v", err)
	}
}

// Recordings that nobody asks for leave memory and are read again when somebody does.
func TestForgetsIdleRecordings(t *testing.T) {
	a := newArchive(t, Config{})
	var shows []*show
	for range maxIdle + 3 {
		s := newShow()
		r := s.recorder(t, a.Archive)
		s.start(r, 0)
		s.run(r, 1)
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		shows = append(shows, s)
	}
	if n := len(a.idle); n != maxIdle || len(a.idleOrder) != n {
		t.Errorf("%d recordings in memory, %d in order", n, len(a.idleOrder))
	}
	if a.inMemory(shows[0].id) != nil {
		t.Error("the oldest one is still there")
	}
	if w := get(a, shows[0].id, "main.m3u8"); w.Code != http.StatusOK {
		t.Errorf("%d", w.Code)
	}
	if a.inMemory(shows[0].id) == nil {
		t.Error("what was read is not kept")
	}
}

// MPEG-TS players know H264: what was published as HEVC is a gap of theirs, or a replay that is not there.
func TestMPEGTSWithoutHEVC(t *testing.T) {
	for _, ca := range []struct {
		name   string
		epochs []string
		gaps   int // of the MPEG-TS playlist; negative: there is none
	}{
		{"H264", []string{"avc1.64001f"}, 0},
		{"HEVC", []string{"hvc1.1.6.L93.90"}, -1},
		{"AV1", []string{"av01.0.05M.08"}, -1},
		{"a new encoder", []string{"hvc1.1.6.L93.90", "avc1.64001f"}, 3},
	} {
		t.Run(ca.name, func(t *testing.T) {
			s := newShow()
			a := newArchive(t, Config{})
			r := s.recorder(t, a.Archive)
			for _, s.pictures = range ca.epochs {
				s.start(r, 0)
				s.run(r, 3)
			}
			r.End()
			if err := r.Close(); err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"ts/index.m3u8", "ts/main.m3u8"} {
				w := get(a, s.id, name)
				if ca.gaps < 0 {
					if w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "HEVC or AV1") {
						t.Errorf("%s: %d %s", name, w.Code, w.Body)
					}
					continue
				}
				body := w.Body.String()
				if w.Code != http.StatusOK || strings.Contains(body, "hvc1") || name == "ts/main.m3u8" && strings.Count(body, "#EXT-X-GAP") != ca.gaps {
					t.Errorf("%s: %d\n%s", name, w.Code, body)
				}
			}
			if w := get(a, s.id, "main.m3u8"); strings.Contains(w.Body.String(), "#EXT-X-GAP") {
				t.Errorf("\n%s", w.Body)
			}
			if w := get(a, s.id, "ts/0.ts"); ca.gaps != 0 && w.Code != http.StatusNotFound {
				t.Errorf("HEVC as MPEG-TS: %d", w.Code)
			}
		})
	}
}
