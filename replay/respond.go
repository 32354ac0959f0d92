package replay

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// allowOrigins lets players on any page read a replay.
func allowOrigins(h http.Header) {
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Expose-Headers", "Content-Length, Content-Range, Date, ETag, Retry-After")
}

func preflight(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Access-Control-Allow-Methods", "GET, HEAD, OPTIONS")
	h.Set("Access-Control-Allow-Headers", "Range, If-None-Match")
	h.Set("Access-Control-Max-Age", "86400")
	w.WriteHeader(http.StatusNoContent)
}

// serveMedia serves immutable bytes, with ranges and conditions.
func serveMedia(w http.ResponseWriter, r *http.Request, content io.ReadSeeker, typ, etag string) {
	h := w.Header()
	h.Set("Content-Type", typ)
	h.Set("Cache-Control", cacheMedia)
	h.Set("ETag", etag)
	http.ServeContent(w, r, "", time.Time{}, content)
}

// text is a rendered playlist. Packed is its gzip form, nil when that gains nothing.
type text struct {
	plain, packed []byte
	etag          string
}

// leastPacked is the size below which packing gains nothing: it all goes into one packet anyway.
const leastPacked = 1024

func newText(plain []byte) text {
	t := text{plain: plain, etag: strconv.FormatUint(uint64(checksum(plain)), 16) + "-" + strconv.Itoa(len(plain))}
	if len(plain) < leastPacked {
		return t
	}
	var buf bytes.Buffer
	z, _ := gzip.NewWriterLevel(&buf, gzip.BestSpeed) // the level is valid
	_, _ = z.Write(plain)                             // a buffer takes everything
	_ = z.Close()
	t.packed = buf.Bytes()
	return t
}

// serve answers with the playlist in the form that the client takes. An ETag names one form of one version.
func (t *text) serve(w http.ResponseWriter, r *http.Request, typ, cacheControl string) {
	h := w.Header()
	h.Set("Content-Type", typ)
	h.Set("Cache-Control", cacheControl)
	h.Set("Vary", "Accept-Encoding")
	body, etag := t.plain, `"`+t.etag+`"`
	if t.packed != nil && acceptsGzip(r) {
		body, etag = t.packed, `"`+t.etag+`-gzip"`
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("ETag", etag)
	if matches(r.Header.Get("If-None-Match"), etag) {
		h.Del("Content-Type")
		h.Del("Content-Encoding")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body)
	}
}

// matches reports whether an If-None-Match header names etag, by weak comparison (RFC 9110, 13.1.2).
func matches(header, etag string) bool {
	for part := range strings.SplitSeq(header, ",") {
		part = strings.TrimSpace(part)
		if part == "*" || strings.TrimPrefix(part, "W/") == etag {
			return true
		}
	}
	return false
}

// acceptsGzip reads Accept-Encoding (RFC 9110, 12.5.3): gzip or *, unless its weight is 0.
func acceptsGzip(r *http.Request) bool {
	accepted := false
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, params, _ := strings.Cut(part, ";")
		name = strings.ToLower(strings.TrimSpace(name))
		if name != "gzip" && name != "*" {
			continue
		}
		yes := true
		if q, ok := strings.CutPrefix(strings.ReplaceAll(params, " ", ""), "q="); ok {
			weight, err := strconv.ParseFloat(q, 64)
			yes = err == nil && weight > 0
		}
		if name == "gzip" {
			return yes // says more than *
		}
		accepted = yes
	}
	return accepted
}

// refuse answers with the problem that err is.
func (a *Archive) refuse(w http.ResponseWriter, r *http.Request, showID string, err error) {
	if r.Context().Err() != nil {
		return // nobody is left to read it
	}
	status, detail := http.StatusInternalServerError, "the recording could not be read; the server's log says why"
	switch errs.KindOf(err) {
	case errs.NotFound:
		status, detail = http.StatusNotFound, errs.MessageOf(err)
	case errs.Unavailable, errs.Exhausted:
		status, detail = http.StatusServiceUnavailable, errs.MessageOf(err)
		w.Header().Set("Retry-After", "1")
	default:
		a.log.Error("a replay could not be served", "show", showID, "path", r.URL.Path, "error", err)
	}
	writeProblem(w, status, detail)
}

// writeProblem answers with problem details (RFC 9457).
func writeProblem(w http.ResponseWriter, status int, detail string) {
	h := w.Header()
	for _, name := range []string{"ETag", "Content-Encoding", "Content-Length"} {
		h.Del(name)
	}
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(struct {
		Type   string `json:"type"`
		Title  string `json:"title"`
		Status int    `json:"status"`
		Detail string `json:"detail"`
	}{"about:blank", http.StatusText(status), status, detail})
}
