package api

import (
	"mime"
	"net/http"
	"strings"
	"time"
)

const (
	staffCookie  = "vitrine_staff"
	viewerCookie = "vitrine_viewer"
	// pageHeader is what a page sends with a request that has no JSON body: no form can, and other origins would have to
	// ask first.
	pageHeader = "X-Vitrine-Page"
)

// hostPrefix binds a cookie to this very host over https (RFC 6265bis): no neighbour can plant one.
const hostPrefix = "__Host-"

// secure reports whether the client came over https, here or at the proxy.
func secure(r *http.Request) bool {
	return r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https"
}

// cookie makes a cookie that scripts cannot read and other sites' requests do not carry. An empty value takes it away.
func cookie(https bool, name, value string, until time.Time) http.Cookie {
	c := http.Cookie{Name: name, Value: value, Path: "/", Expires: until.UTC(), HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: https}
	if https {
		c.Name = hostPrefix + name
	}
	if value == "" {
		c.MaxAge = -1
	}
	return c
}

// cookieValue reads a cookie of ours; over https the one alone that only this host can have set.
func cookieValue(r *http.Request, name string) string {
	if secure(r) {
		name = hostPrefix + name
	}
	c, err := r.Cookie(name)
	if err != nil {
		return ""
	}
	return c.Value
}

const wantOwnPage = "A request that changes something with a cookie must come from this server's own pages, with a JSON body or the header " + pageHeader + ": 1. Programs send a token as \"Authorization: Bearer ...\" instead."

// fromOwnPage reports whether a request that a browser sends with our cookies is one that our own pages made: by what the
// browser says of its origin (Sec-Fetch-Site, else Origin), and by something that no form of another site can send.
func (s *Server) fromOwnPage(r *http.Request) bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return true
	}
	if s.origins.Check(r) != nil {
		return false
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return r.Header.Get(pageHeader) != "" || err == nil && (kind == "application/json" || strings.HasSuffix(kind, "+json"))
}

// ownPages knows the origins of this server's pages: that of each request's own host, and the public one, which differs
// when a proxy changes the host.
func ownPages(publicURL string) *http.CrossOriginProtection {
	p := http.NewCrossOriginProtection()
	if publicURL != "" {
		_ = p.AddTrustedOrigin(strings.TrimSuffix(publicURL, "/")) // checked with the configuration
	}
	return p
}
