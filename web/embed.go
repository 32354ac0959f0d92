// Package web holds the pages of Vitrine as they are built: HTML, scripts and styles, embedded in the binary. The
// sources are TypeScript in this folder; dist is their build and is committed, so that building the server needs Go
// alone.
package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"
)

//go:embed dist
var dist embed.FS

// contentSecurityPolicy lets a page run its own scripts and nothing else. Media are object URLs (Media Source
// Extensions); product images may come from any shop; no text of a product or a room can become a script.
const contentSecurityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https: http: data:; " +
	"media-src 'self' blob:; connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors "

const (
	cachePage  = "no-cache"                            // asked for again at each visit, answered by 304
	cacheAsset = "public, max-age=31536000, immutable" // the name changes with the content
)

// file is one built file, ready to be sent.
type file struct {
	body, zipped []byte // zipped is nil where it would not be smaller
	contentType  string
	etag         string
}

// Viewer serves the viewer page for every path it is mounted on: the page reads its room from its address. Safe for
// concurrent use.
func Viewer() http.Handler {
	return page("viewer.html", map[string]string{
		"Content-Security-Policy": contentSecurityPolicy + "'self'",
		"Referrer-Policy":         "strict-origin-when-cross-origin",
	})
}

// Clip serves the page of a clip for every path it is mounted on: the page reads the clip from its address. Safe for
// concurrent use.
func Clip() http.Handler {
	return page("clip.html", map[string]string{
		"Content-Security-Policy": contentSecurityPolicy + "'self'",
		"Referrer-Policy":         "strict-origin-when-cross-origin",
	})
}

// Studio serves the anchor's page for every path it is mounted on, /studio/{room}. It may use the camera, stands in no
// frame, and tells nobody its address, whose fragment may carry a stream key. Safe for concurrent use.
func Studio() http.Handler {
	return page("studio.html", map[string]string{
		"Content-Security-Policy": contentSecurityPolicy + "'none'",
		"Permissions-Policy":      "camera=(self), microphone=(self), screen-wake-lock=(self)",
		"Referrer-Policy":         "no-referrer",
	})
}

// Editor serves the page where staff edit a replay for every path it is mounted on, /edit/{show}. It stands in no frame, where
// a press could be stolen, and tells other sites nothing. Safe for concurrent use.
func Editor() http.Handler {
	return page("editor.html", map[string]string{
		"Content-Security-Policy": contentSecurityPolicy + "'none'",
		"Referrer-Policy":         "same-origin",
	})
}

// Push serves the service worker behind reminders, which lives at the root so that it may speak for every room's page. Safe
// for concurrent use.
func Push() http.Handler { return page("push.js", nil) }

// Assets serves the hashed files below /assets/, which it expects in the request's path. Names it does not know are
// answered with 404. Safe for concurrent use.
func Assets() http.Handler {
	files := load("dist/assets")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f, ok := files[strings.TrimPrefix(r.URL.Path, "/assets/")]
		if !ok {
			http.NotFound(w, r)
			return
		}
		f.serve(w, r, cacheAsset)
	})
}

func page(name string, header map[string]string) http.Handler {
	f := load("dist")[name]
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for k, v := range header {
			w.Header().Set(k, v)
		}
		f.serve(w, r, cachePage)
	})
}

func (f file) serve(w http.ResponseWriter, r *http.Request, cache string) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "this is only for reading", http.StatusMethodNotAllowed)
		return
	}
	h.Set("Content-Type", f.contentType)
	h.Set("Cache-Control", cache)
	body, etag := f.body, f.etag
	if f.zipped != nil {
		h.Set("Vary", "Accept-Encoding")
		if acceptsGzip(r) {
			h.Set("Content-Encoding", "gzip")
			body, etag = f.zipped, f.etag+"-gzip"
		}
	}
	h.Set("ETag", `"`+etag+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}

// acceptsGzip reports whether the client takes gzip (RFC 9110, 12.5.3).
func acceptsGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		coding, params, _ := strings.Cut(part, ";")
		if strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			q, found := strings.CutPrefix(strings.ReplaceAll(params, " ", ""), "q=")
			return !found || strings.Trim(q, "0.") != ""
		}
	}
	return false
}

// load reads a folder of the built files. They are part of the binary, so that a failure is a fault of the build.
func load(dir string) map[string]file {
	entries, err := fs.ReadDir(dist, dir)
	if err != nil {
		panic(fmt.Sprintf("web: the embedded pages are broken: %v", err))
	}
	files := make(map[string]file, len(entries))
	for _, e := range entries {
		if e.IsDir() {
			continue
		}
		body, err := dist.ReadFile(path.Join(dir, e.Name()))
		if err != nil {
			panic(fmt.Sprintf("web: the embedded pages are broken: %v", err))
		}
		files[e.Name()] = newFile(e.Name(), body)
	}
	return files
}

func newFile(name string, body []byte) file {
	sum := sha256.Sum256(body)
	f := file{body: body, contentType: contentType(name), etag: hex.EncodeToString(sum[:12])}
	if zipped := zip(body); len(zipped) < len(body) {
		f.zipped = zipped
	}
	return f
}

// types are named here because those of the mime package depend on the machine.
var types = map[string]string{
	".html":  "text/html; charset=utf-8",
	".js":    "text/javascript; charset=utf-8",
	".css":   "text/css; charset=utf-8",
	".svg":   "image/svg+xml",
	".woff2": "font/woff2",
	".png":   "image/png",
}

func contentType(name string) string {
	ext := path.Ext(name)
	if t, ok := types[ext]; ok {
		return t
	}
	if t := mime.TypeByExtension(ext); t != "" {
		return t
	}
	return "application/octet-stream"
}

func zip(body []byte) []byte {
	var buf bytes.Buffer
	// Neither call can fail: the level is valid and the writer is memory.
	zw, _ := gzip.NewWriterLevel(&buf, gzip.BestCompression)
	_, _ = zw.Write(body)
	_ = zw.Close()
	return buf.Bytes()
}
