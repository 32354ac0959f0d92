// Package trust serves the page that brings a phone to this server over HTTPS: what to open, and, where the certificate
// comes from a private authority, how the phone learns to trust that.
package trust

import (
	"bytes"
	"crypto/rand"
	_ "embed"
	"html/template"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// Authority is the private authority that devices are to trust.
type Authority interface {
	DER() []byte
	PEM() []byte
	Name() string
	Fingerprint() string
}

// Config says how the server is reached.
type Config struct {
	// HTTPPort and HTTPSPort are where this server listens; HTTPSPort is 0 when it speaks no TLS.
	HTTPPort, HTTPSPort int
	// PublicURL is how people reach this server, if the operator has said so.
	PublicURL string
	// Authority is nil when certificates come from authorities that every device knows.
	Authority Authority
	// Addresses tells this machine's addresses. Default: those of its network interfaces.
	Addresses func() []netip.Addr
}

// page is the handler of /trust and what is below it.
type page struct {
	Config
}

//go:embed trust.html
var source string

var layout = template.Must(template.New("trust").Parse(source))

// New makes the handler of /trust, /trust/ca.crt (DER), /trust/ca.pem and /trust/check. It is safe for concurrent use.
func New(c Config) http.Handler {
	if c.Addresses == nil {
		c.Addresses = interfaceAddresses
	}
	p := page{c}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /trust", p.show)
	mux.HandleFunc("GET /trust/check", check)
	if c.Authority != nil {
		// Without Content-Disposition: iOS offers to install what it is shown, and only files what it is told to save.
		mux.HandleFunc("GET /trust/ca.crt", p.certificate("application/x-x509-ca-cert", c.Authority.DER()))
		mux.HandleFunc("GET /trust/ca.pem", p.certificate("application/x-pem-file", c.Authority.PEM()))
	}
	return mux
}

func (p page) certificate(contentType string, body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Cache-Control", "no-cache")
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		_, _ = w.Write(body)
	}
}

// check answers the page's question whether this device trusts the certificate: that the answer arrives over HTTPS is
// the answer.
func check(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w.WriteHeader(http.StatusNoContent)
}

// view is what the page shows.
type view struct {
	*texts
	Nonce string

	HTTPS       bool   // this server can be reached over HTTPS
	Here        bool   // and is, by this request
	Private     bool   // by a certificate of the private authority
	Phone       string // the address of this page for a phone
	QR          template.HTML
	Secure      string // where to go over HTTPS in the end
	Check       string
	Name        string
	Fingerprint string
	Device      string // what the page believes to be opened on
}

// OnPhone reports whether there is nobody to scan the QR code.
func (v view) OnPhone() bool { return v.Device == "ios" || v.Device == "android" }

func (p page) show(w http.ResponseWriter, r *http.Request) {
	t := speak(r)
	v := view{texts: t, Nonce: rand.Text(), Device: device(r.UserAgent()), Here: r.TLS != nil}
	host := p.host(r)
	switch {
	case strings.HasPrefix(p.PublicURL, "https://"):
		v.HTTPS, v.Secure = true, strings.TrimSuffix(p.PublicURL, "/")
	case p.HTTPSPort != 0:
		v.HTTPS, v.Secure = true, address("https", host, p.HTTPSPort)
	}
	if v.HTTPS {
		v.Check, v.Phone = v.Secure+"/trust/check", v.Secure+next(r)
		v.Secure += next(r)
	}
	if p.Authority != nil {
		v.Private, v.Name, v.Fingerprint = true, p.Authority.Name(), p.Authority.Fingerprint()
		v.Phone = address("http", host, p.HTTPPort) + "/trust" // the phone does not trust us yet
		if r.URL.RawQuery != "" {
			v.Phone += "?" + r.URL.RawQuery
		}
	}
	if v.Phone != "" {
		v.QR = qr(v.Phone)
	}
	var body bytes.Buffer
	if err := layout.Execute(&body, v); err != nil {
		http.Error(w, "the page cannot be shown", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", t.Lang)
	h.Set("Vary", "Accept-Language, User-Agent")
	h.Set("Cache-Control", "no-cache")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Content-Security-Policy", "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; connect-src https: 'self'; style-src 'nonce-"+v.Nonce+"'; script-src 'nonce-"+v.Nonce+"'")
	_, _ = w.Write(body.Bytes())
}

// next is where to go once all is well: a path on this server.
func next(r *http.Request) string {
	to, err := url.Parse(r.URL.Query().Get("next"))
	if err != nil || to.IsAbs() || to.Host != "" || to.User != nil || !strings.HasPrefix(to.Path, "/") || strings.HasPrefix(to.Path, "//") {
		return "/"
	}
	return to.EscapedPath()
}

// host is how a phone reaches this machine: as this request did, unless that came from the machine itself.
func (p page) host(r *http.Request) string {
	if u, err := url.Parse(p.PublicURL); p.PublicURL != "" && err == nil {
		return u.Hostname()
	}
	host := (&url.URL{Host: r.Host}).Hostname()
	if addr, err := netip.ParseAddr(host); host != "localhost" && (err != nil || !addr.Unmap().IsLoopback()) {
		return host
	}
	if addr, ok := reachable(p.Addresses()); ok {
		return addr.String()
	}
	return host
}

// reachable picks the address that phones in the same network most likely reach.
func reachable(all []netip.Addr) (best netip.Addr, ok bool) {
	rank := func(a netip.Addr) int {
		switch {
		case !a.IsGlobalUnicast():
			return 0
		case a.Is4() && netip.MustParsePrefix("172.16.0.0/12").Contains(a): // often a container's network
			return 2
		case a.Is4() && a.IsPrivate():
			return 4
		case a.Is4():
			return 3
		}
		return 1
	}
	for _, a := range all {
		a = a.Unmap()
		if r := rank(a); r > 0 && (!ok || r > rank(best)) {
			best, ok = a, true
		}
	}
	return best, ok
}

func interfaceAddresses() (list []netip.Addr) {
	found, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	for _, a := range found {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			list = append(list, p.Addr())
		}
	}
	return list
}

// address is scheme://host, with the port where it is not the scheme's own.
func address(scheme, host string, port int) string {
	if scheme == "http" && port == 80 || scheme == "https" && port == 443 {
		if strings.Contains(host, ":") {
			host = "[" + host + "]"
		}
		return scheme + "://" + host
	}
	return scheme + "://" + net.JoinHostPort(host, strconv.Itoa(port))
}

// device guesses the kind of device: the steps for it stand open.
func device(userAgent string) string {
	for _, d := range []struct{ mark, device string }{
		{"iPhone", "ios"}, {"iPad", "ios"}, {"Android", "android"}, {"Windows", "windows"}, {"Macintosh", "macos"}, {"Linux", "linux"},
	} {
		if strings.Contains(userAgent, d.mark) {
			return d.device
		}
	}
	return ""
}
