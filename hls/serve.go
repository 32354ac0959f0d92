package hls

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/internal/errs"
)

// The names of playlists beside the files of a show, and the folder of the MPEG-TS view.
const (
	multivariantName = "index.m3u8"
	mediaName        = "main.m3u8"
	tsFolder         = "ts/"
)

const playlistType = "application/vnd.apple.mpegurl"

// Serve answers a request for a file of the show: "index.m3u8", "main.m3u8", "init-1.mp4", "12.m4s", "12.3.m4s", and
// "ts/index.m3u8", "ts/main.m3u8", "ts/12.ts". Any other name is 404. A request for media that is about to come waits
// for it, as long as the request's context lives and three target durations at most.
func (s *Stream) Serve(w http.ResponseWriter, r *http.Request, name string) {
	if !allow(w, r) {
		return
	}
	rest, ts := strings.CutPrefix(name, tsFolder)
	container := playlist.CMAF
	if ts {
		container = playlist.TS
	}
	switch rest {
	case multivariantName:
		s.serveMultivariant(w, r, mediaName, container)
		return
	case mediaName:
		s.serveMedia(w, r, container)
		return
	}
	file, ok := playlist.ParseName(rest)
	switch {
	case !ok || ts != (file.Kind == playlist.TSFile):
		fail(w, r, errs.New(errs.NotFound, "hls.Serve", "a show has no such file"))
	case file.Kind == playlist.InitFile:
		s.serveInit(w, r, file.Init)
	case file.Kind == playlist.PartFile:
		s.servePart(w, r, file.MSN, file.Part)
	case file.Kind == playlist.SegmentFile:
		s.serveSegment(w, r, file.MSN)
	case file.Kind == playlist.TSFile:
		s.serveTS(w, r, file.MSN)
	}
}

// ServeMultivariant answers with a multivariant playlist whose variant is variantURI, of the MPEG-TS view if ts is set.
func (s *Stream) ServeMultivariant(w http.ResponseWriter, r *http.Request, variantURI string, ts bool) {
	if !allow(w, r) {
		return
	}
	container := playlist.CMAF
	if ts {
		container = playlist.TS
	}
	s.serveMultivariant(w, r, variantURI, container)
}

func (s *Stream) serveMultivariant(w http.ResponseWriter, r *http.Request, uri string, c playlist.Container) {
	v, err := s.current(r.Context())
	if err != nil {
		fail(w, r, err)
		return
	}
	m := playlist.Multivariant{Container: c, Independent: true}
	v.addTo(&m, uri)
	if len(m.Variants) == 0 {
		fail(w, r, errNoTS)
		return
	}
	s.sendPlaylist(w, r, multivariant(&m), shortAge)
}

// serveMedia answers with a media playlist, once it contains what the delivery directives ask for.
func (s *Stream) serveMedia(w http.ResponseWriter, r *http.Request, c playlist.Container) {
	d, err := parseDirectives(r.URL.RawQuery)
	if err != nil {
		fail(w, r, err)
		return
	}
	v, err := s.current(r.Context())
	if err == nil && c == playlist.TS && v.noTS {
		err = errNoTS
	}
	if err == nil && d.msn >= 0 {
		v, err = s.reload(r.Context(), v, d, c)
	}
	if err != nil {
		fail(w, r, err)
		return
	}
	maxAge := shortAge
	if d.msn >= 0 || v.ended {
		// What was asked for is in it whenever it is read, and who wants more asks for more: a cache may answer all
		// viewers of a part with one copy.
		maxAge = v.media.TargetDuration
	}
	s.sendPlaylist(w, r, v.playlistFor(c, d.skip), maxAge)
}

// reload is a blocking playlist reload (6.2.5.2).
func (s *Stream) reload(ctx context.Context, v *version, d directives, c playlist.Container) (*version, error) {
	if c == playlist.TS {
		d.part = -1
	}
	if !v.ended && v.tooFar(d.msn, d.part) {
		return nil, errs.New(errs.Invalid, "hls.reload", "_HLS_msn or _HLS_part is too far ahead of the show")
	}
	return s.wait(ctx, v.blockLimit(), func(v *version) (bool, error) {
		if v.closed {
			return false, errOver
		}
		return v.ended || v.has(d.msn, d.part), nil
	})
}

// shortAge is the max-age, in seconds, of answers that are out of date with the next part.
const shortAge = 1

// sendPlaylist sends a rendered playlist, compressed when the client takes it and there is a compressed one.
func (s *Stream) sendPlaylist(w http.ResponseWriter, r *http.Request, d *document, maxAge int) {
	h := w.Header()
	body, etag := d.plain, d.etag
	if d.gzip != nil {
		h.Set("Vary", "Accept-Encoding")
		if acceptsGzip(r.Header.Get("Accept-Encoding")) {
			body, etag = d.gzip, d.gzETag
			h.Set("Content-Encoding", "gzip")
		}
	}
	h.Set("Cache-Control", "public, max-age="+strconv.Itoa(maxAge))
	h.Set("ETag", etag)
	if matches(r.Header.Get("If-None-Match"), etag) {
		h.Del("Content-Encoding")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", playlistType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	s.write(w, r, classPlaylist, body)
}

// allow sets what every answer carries and answers what is not a GET or HEAD. Media of a show is public: any page may
// play it.
func allow(w http.ResponseWriter, r *http.Request) bool {
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Expose-Headers", "Age, Content-Length, Content-Range, Date, ETag")
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		return true
	case http.MethodOptions:
		h.Set("Access-Control-Allow-Methods", "GET, HEAD, OPTIONS")
		h.Set("Access-Control-Allow-Headers", "*")
		h.Set("Access-Control-Max-Age", "86400")
		w.WriteHeader(http.StatusNoContent)
	default:
		h.Set("Allow", "GET, HEAD, OPTIONS")
		problem(w, r, http.StatusMethodNotAllowed, "media can only be read")
	}
	return false
}

// fail answers with a problem document.
func fail(w http.ResponseWriter, r *http.Request, err error) {
	status := statusOf(err)
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	problem(w, r, status, errs.MessageOf(err))
}

// problem writes an RFC 9457 body.
func problem(w http.ResponseWriter, r *http.Request, status int, detail string) {
	body, _ := json.Marshal(struct { // strings and a number always marshal
		Type   string `json:"type"`
		Title  string `json:"title"`
		Status int    `json:"status"`
		Detail string `json:"detail,omitempty"`
	}{"about:blank", http.StatusText(status), status, detail})
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body)
	}
}

// acceptsGzip reads an Accept-Encoding header (RFC 9110, 12.5.3).
func acceptsGzip(header string) bool {
	anyCoding := false
	for item := range strings.SplitSeq(header, ",") {
		coding, params, _ := strings.Cut(item, ";")
		coding = strings.TrimSpace(coding)
		wanted := !refused(params)
		switch {
		case strings.EqualFold(coding, "gzip"):
			return wanted
		case coding == "*":
			anyCoding = wanted
		}
	}
	return anyCoding
}

// refused reports whether the parameters of an Accept-Encoding item are a weight of zero.
func refused(params string) bool {
	q, found := strings.CutPrefix(strings.ReplaceAll(strings.ToLower(params), " ", ""), "q=")
	weight, err := strconv.ParseFloat(q, 64)
	return found && (err != nil || weight <= 0)
}

// matches reads an If-None-Match header (RFC 9110, 13.1.2), which compares weakly.
func matches(header, etag string) bool {
	for item := range strings.SplitSeq(header, ",") {
		item = strings.TrimSpace(item)
		if item == "*" || strings.TrimPrefix(item, "W/") == etag {
			return header != ""
		}
	}
	return false
}

// errNoTS is the answer where MPEG-TS would have no picture that its players know.
var errNoTS = errs.New(errs.NotFound, "hls.Serve", "the publisher sends HEVC or AV1, which MPEG-TS players do not show: "+
	"turn on the room's quality ladder, which makes H264 of it, or publish H264")
