package web

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

func get(t *testing.T, h http.Handler, method, path string, header ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func text(t *testing.T, r io.Reader) string {
	t.Helper()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestViewerIsOnePageForEveryRoom(t *testing.T) {
	h := Viewer()
	a, b := get(t, h, "GET", "/r/room_1"), get(t, h, "GET", "/r/room_2/")
	if a.StatusCode != 200 || text(t, a.Body) != text(t, b.Body) {
		t.Fatalf("status %d, or the pages differ", a.StatusCode)
	}
	for name, want := range map[string]string{
		"Content-Type":           "text/html; charset=utf-8",
		"Cache-Control":          "no-cache",
		"X-Content-Type-Options": "nosniff",
		"Referrer-Policy":        "strict-origin-when-cross-origin",
	} {
		if got := a.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

func TestStudioMayUseTheCameraAndTellsNobodyItsAddress(t *testing.T) {
	res := get(t, Studio(), "GET", "/studio/room_1")
	if res.StatusCode != 200 || !strings.Contains(text(t, res.Body), `id="studio"`) {
		t.Fatalf("status %d, or it is another page", res.StatusCode)
	}
	for name, want := range map[string]string{
		"Permissions-Policy": "camera=(self), microphone=(self)",
		"Referrer-Policy":    "no-referrer",
		"Cache-Control":      "no-cache",
	} {
		if got := res.Header.Get(name); !strings.HasPrefix(got, want) {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if csp := res.Header.Get("Content-Security-Policy"); !strings.HasSuffix(csp, "frame-ancestors 'none'") {
		t.Errorf("the policy %q lets others frame the page", csp)
	}
}

func TestEditorStandsInNoFrame(t *testing.T) {
	res := get(t, Editor(), "GET", "/edit/show_1")
	if res.StatusCode != 200 || !strings.Contains(text(t, res.Body), `id="editor"`) {
		t.Fatalf("status %d, or it is another page", res.StatusCode)
	}
	if got := res.Header.Get("Referrer-Policy"); got != "same-origin" {
		t.Errorf("Referrer-Policy is %q", got)
	}
	if csp := res.Header.Get("Content-Security-Policy"); !strings.HasSuffix(csp, "frame-ancestors 'none'") {
		t.Errorf("the policy %q lets others frame the page", csp)
	}
}

func TestPagesRunOnlyTheirOwnScripts(t *testing.T) {
	for name, h := range map[string]http.Handler{"viewer": Viewer(), "studio": Studio(), "editor": Editor()} {
		t.Run(name, func(t *testing.T) { checkScripts(t, h) })
	}
}

func checkScripts(t *testing.T, h http.Handler) {
	t.Helper()
	res := get(t, h, "GET", "/r/room_1")
	csp := res.Header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "script-src 'self'", "base-uri 'none'", "frame-ancestors"} {
		if !strings.Contains(csp, want) {
			t.Errorf("the policy %q lacks %q", csp, want)
		}
	}
	if strings.Contains(csp, "unsafe-") {
		t.Errorf("the policy %q allows what is unsafe", csp)
	}
	html := text(t, res.Body)
	if regexp.MustCompile(`<script[^>]*>[^<]`).MatchString(html) || strings.Contains(html, "style=") || strings.Contains(html, "<style") {
		t.Error("the page has an inline script or style, which its own policy refuses")
	}
}

func TestEveryFileOfThePagesIsServed(t *testing.T) {
	for name, h := range map[string]http.Handler{"viewer": Viewer(), "studio": Studio(), "editor": Editor()} {
		t.Run(name, func(t *testing.T) { checkFiles(t, h) })
	}
}

func checkFiles(t *testing.T, h http.Handler) {
	t.Helper()
	html := text(t, get(t, h, "GET", "/r/room_1").Body)
	refs := regexp.MustCompile(`(?:src|href)="(/assets/[^"]+)"`).FindAllStringSubmatch(html, -1)
	if len(refs) < 3 {
		t.Fatalf("the page names %d assets, want its script, its style and its icon", len(refs))
	}
	hashed := regexp.MustCompile(`-[\w-]{8}\.\w+$`)
	for _, ref := range refs {
		res := get(t, Assets(), "GET", ref[1])
		if res.StatusCode != 200 || res.Header.Get("Cache-Control") != "public, max-age=31536000, immutable" {
			t.Errorf("%s: status %d, %q", ref[1], res.StatusCode, res.Header.Get("Cache-Control"))
		}
		if !hashed.MatchString(ref[1]) {
			t.Errorf("%s is served as immutable but its name has no hash", ref[1])
		}
	}
}

func TestAssetsRefuseWhatTheyAreNot(t *testing.T) {
	h := Assets()
	for _, path := range []string{"/assets/", "/assets/none.js", "/assets/../viewer.html", "/viewer.html", "/"} {
		r := httptest.NewRequest("GET", "/", nil)
		r.URL.Path = path
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != 404 {
			t.Errorf("%s: status %d, want 404", path, w.Code)
		}
	}
	if res := get(t, Viewer(), "POST", "/r/room_1"); res.StatusCode != 405 || res.Header.Get("Allow") != "GET, HEAD" {
		t.Errorf("POST: status %d, Allow %q", res.StatusCode, res.Header.Get("Allow"))
	}
}

func TestGzipIsTheSameFile(t *testing.T) {
	h := Viewer()
	plain := get(t, h, "GET", "/r/room_1")
	zipped := get(t, h, "GET", "/r/room_1", "Accept-Encoding", "br, gzip")
	if zipped.Header.Get("Content-Encoding") != "gzip" || plain.Header.Get("Content-Encoding") != "" {
		t.Fatalf("encodings %q and %q", plain.Header.Get("Content-Encoding"), zipped.Header.Get("Content-Encoding"))
	}
	zr, err := gzip.NewReader(zipped.Body)
	if err != nil {
		t.Fatal(err)
	}
	if text(t, zr) != text(t, plain.Body) {
		t.Error("the unzipped page differs from the plain one")
	}
	if plain.Header.Get("ETag") == zipped.Header.Get("ETag") || plain.Header.Get("Vary") != "Accept-Encoding" {
		t.Error("a cache could mix up the two representations")
	}
}

func TestRevisitsAreAnsweredWithoutABody(t *testing.T) {
	for _, encoding := range []string{"", "gzip"} {
		first := get(t, Viewer(), "GET", "/r/room_1", "Accept-Encoding", encoding)
		again := get(t, Viewer(), "GET", "/r/room_1", "Accept-Encoding", encoding, "If-None-Match", first.Header.Get("ETag"))
		if again.StatusCode != http.StatusNotModified || text(t, again.Body) != "" {
			t.Errorf("encoding %q: status %d", encoding, again.StatusCode)
		}
	}
	if head := get(t, Viewer(), "HEAD", "/r/room_1"); head.StatusCode != 200 || text(t, head.Body) != "" {
		t.Errorf("HEAD: status %d", head.StatusCode)
	}
}

func TestAcceptsGzip(t *testing.T) {
	for header, want := range map[string]bool{
		"": false, "gzip": true, "br;q=1.0, GZIP;q=0.8": true, "gzip;q=0": false, "gzip; q=0.000": false, "deflate, br": false, "gzip;q=0.001": true,
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Accept-Encoding", header)
		if got := acceptsGzip(r); got != want {
			t.Errorf("%q: %v, want %v", header, got, want)
		}
	}
}
