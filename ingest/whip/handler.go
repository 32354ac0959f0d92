package whip

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
)

// Media types of the protocol (RFC 9725, 4.2 and 4.3).
const (
	sdpType      = "application/sdp"
	fragmentType = "application/trickle-ice-sdpfrag"
)

// Methods of the two resources.
const (
	endpointMethods = "OPTIONS, POST"
	sessionMethods  = "DELETE, OPTIONS, PATCH"
)

// target is what a request is about.
type target struct {
	room    string // "" when the stream key alone tells
	session string // "" for the endpoint
}

// ServeHTTP answers the requests of the endpoint, /whip and /whip/{room}, and of the sessions, /whip/{room or -}/{id}.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	where, ok := parseTarget(r.URL.Path)
	cors(w.Header(), where)
	if !ok {
		s.refuse(w, r, refuse(NoSuchMethod, http.StatusNotFound, "there is nothing here: publish to /whip or /whip/{room}"))
		return
	}
	if refused := s.answer(w, r, where); refused != nil {
		s.refuse(w, r, refused)
	}
}

func (s *Server) answer(w http.ResponseWriter, r *http.Request, where target) *refusal {
	if r.Method == http.MethodOptions {
		options(w, where)
		return nil
	}
	if where.session == "" {
		if r.Method != http.MethodPost {
			return noSuchMethod(w, endpointMethods, "POST an offer to publish")
		}
		return s.post(w, r, where)
	}
	switch r.Method {
	case http.MethodPatch:
		return s.patch(w, r, where)
	case http.MethodDelete:
		return s.delete(w, r, where)
	}
	return noSuchMethod(w, sessionMethods, "PATCH or DELETE a session")
}

// refuse answers with the refusal, counts it and logs it: the publisher's screen seldom shows more than the status.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, refused *refusal) {
	s.metrics.refused.WithLabelValues(string(refused.reason)).Inc()
	log := s.log.Info
	if refused.status >= http.StatusInternalServerError && refused.reason != Stopping {
		log = s.log.Error
	}
	args := []any{"method", r.Method, "path", r.URL.Path, "remote", r.RemoteAddr, "status", refused.status, "reason", string(refused.reason), "detail", refused.detail}
	if refused.err != nil {
		args = append(args, "error", refused.err)
	}
	log("request refused", args...)
	refused.write(w)
}

func noSuchMethod(w http.ResponseWriter, allow, detail string) *refusal {
	w.Header().Set("Allow", allow)
	return refuse(NoSuchMethod, http.StatusMethodNotAllowed, "%s", detail)
}

// parseTarget reads /whip, /whip/{room} and /whip/{room or -}/{session}.
func parseTarget(path string) (t target, ok bool) {
	rest, ok := strings.CutPrefix(path, "/whip")
	if !ok || rest != "" && rest[0] != '/' {
		return t, false
	}
	rest = strings.TrimPrefix(rest, "/")
	t.room, t.session, ok = strings.Cut(rest, "/")
	if ok && (t.room == "" || t.session == "" || strings.Contains(t.session, "/")) {
		return t, false
	}
	if t.room == "-" {
		t.room = ""
		return t, t.session != ""
	}
	return t, true
}

// path is where the session of an endpoint is found.
func (t target) path(session string) string {
	room := t.room
	if room == "" {
		room = "-"
	}
	return "/whip/" + room + "/" + session
}

// cors lets pages of any origin publish: who may is decided by the key, which no page gets without being given it.
func cors(h http.Header, where target) {
	methods := endpointMethods
	if where.session != "" {
		methods = sessionMethods
	}
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Allow-Methods", methods)
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, If-Match")
	h.Set("Access-Control-Expose-Headers", "Accept-Patch, Accept-Post, ETag, Link, Location, Retry-After")
	h.Set("Access-Control-Max-Age", "86400")
}

func options(w http.ResponseWriter, where target) {
	if where.session == "" {
		w.Header().Set("Accept-Post", sdpType)
		w.Header().Set("Allow", endpointMethods)
	} else {
		w.Header().Set("Accept-Patch", fragmentType)
		w.Header().Set("Allow", sessionMethods)
	}
	w.WriteHeader(http.StatusNoContent)
}

// bearer returns the stream key of the request (RFC 6750, 2.1), "" when there is none.
func bearer(r *http.Request) string {
	scheme, key, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(key)
}

// body reads a request's body of the given media type.
func (s *Server) body(w http.ResponseWriter, r *http.Request, want string) ([]byte, *refusal) {
	got, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || got != want {
		w.Header().Set("Accept", want)
		return nil, refuse(BadRequest, http.StatusUnsupportedMediaType, "the body must be %s, the request says %q", want, r.Header.Get("Content-Type"))
	}
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, int64(s.cfg.MaxBody)))
	var tooLong *http.MaxBytesError
	switch {
	case errors.As(err, &tooLong):
		return nil, refuse(BadRequest, http.StatusRequestEntityTooLarge, "the body is longer than %d bytes", s.cfg.MaxBody)
	case err != nil:
		return nil, refuse(BadRequest, http.StatusBadRequest, "the body could not be read")
	}
	return b, nil
}

// links names the ICE servers to the publisher (RFC 9725, 4.6).
func links(h http.Header, servers []ICEServer) {
	for _, s := range servers {
		link := fmt.Sprintf("<%s>; rel=\"ice-server\"", s.URL)
		if s.Username != "" {
			link += fmt.Sprintf("; username=%q; credential=%q; credential-type=\"password\"", s.Username, s.Credential)
		}
		h.Add("Link", link)
	}
}
