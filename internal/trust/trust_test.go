package trust

import (
	"crypto/tls"
	"html"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"reflect"
	"strings"
	"testing"
)

type authority struct{}

func (authority) DER() []byte         { return []byte("der") }
func (authority) PEM() []byte         { return []byte("pem") }
func (authority) Name() string        { return "Vitrine shop 2026-01-02" }
func (authority) Fingerprint() string { return "AB:CD" }

func atHome() []netip.Addr {
	return []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("172.17.0.1"), netip.MustParseAddr("192.168.1.20"), netip.MustParseAddr("2001:db8::1")}
}

func ask(t *testing.T, c Config, target string, edit func(*http.Request)) *httptest.ResponseRecorder {
	t.Helper()
	if c.Addresses == nil {
		c.Addresses = atHome
	}
	r := httptest.NewRequest(http.MethodGet, target, nil)
	if edit != nil {
		edit(r)
	}
	w := httptest.NewRecorder()
	New(c).ServeHTTP(w, r)
	return w
}

var private = Config{HTTPPort: 8080, HTTPSPort: 8443, Authority: authority{}}

var pageCases = []struct {
	name   string
	cfg    Config
	target string
	edit   func(*http.Request)
	wants  []string
	not    []string
}{
	{
		name: "without TLS", cfg: Config{HTTPPort: 8080}, target: "http://shop.lan:8080/trust",
		wants: []string{english.Off, "tls.mode"}, not: []string{"<svg", "/trust/ca.crt", english.Open},
	},
	{
		name: "private authority", cfg: private, target: "http://192.168.1.20:8080/trust?next=/studio/room_1",
		wants: []string{
			english.Intro, `href="/trust/ca.crt"`, `href="https://192.168.1.20:8443/studio/room_1"`, "http://192.168.1.20:8080/trust?next=/studio/room_1",
			"<svg", "AB:CD", "Vitrine shop 2026-01-02", `data-check="https://192.168.1.20:8443/trust/check"`,
		},
		not: []string{english.OpenHere, "<details open"},
	},
	{
		name: "from this machine: the phone needs its address", cfg: private, target: "http://localhost:8080/trust",
		wants: []string{"https://192.168.1.20:8443/", "http://192.168.1.20:8080/trust"}, not: []string{"localhost"},
	},
	{
		name: "over HTTPS already", cfg: private, target: "https://192.168.1.20:8443/trust",
		edit:  func(r *http.Request) { r.TLS = &tls.ConnectionState{} },
		wants: []string{english.OpenHere, `data-check=""`},
	},
	{
		name: "known authority", cfg: Config{HTTPPort: 80, HTTPSPort: 443}, target: "http://live.example.com/trust",
		wants: []string{english.Public, `href="https://live.example.com/"`}, not: []string{"ca.crt", english.Intro},
	},
	{
		name: "TLS in front of this server", cfg: Config{HTTPPort: 8080, PublicURL: "https://live.example.com/"}, target: "http://10.0.0.1:8080/trust",
		wants: []string{`href="https://live.example.com/"`},
	},
	{
		name: "Chinese", cfg: private, target: "http://shop/trust", edit: func(r *http.Request) { r.Header.Set("Accept-Language", "fr, zh-CN;q=0.9, en;q=0.8") },
		wants: []string{`<html lang="zh-CN">`, chinese.Title},
	},
	{
		name: "the address wins over the browser", cfg: private, target: "http://shop/trust?lang=en", edit: func(r *http.Request) { r.Header.Set("Accept-Language", "zh-CN") },
		wants: []string{`<html lang="en">`},
	},
	{
		name: "an iPhone's steps stand open", cfg: private, target: "http://shop/trust", edit: func(r *http.Request) {
			r.Header.Set("User-Agent", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X)")
		},
		wants: []string{"<details open><summary>iPhone"}, not: []string{"<details open><summary>Android", "<svg"},
	},
	{
		name: "an Android phone is no Linux desktop", cfg: private, target: "http://shop/trust", edit: func(r *http.Request) { r.Header.Set("User-Agent", "Mozilla/5.0 (Linux; Android 15; Pixel)") },
		wants: []string{"<details open><summary>Android"}, not: []string{"<details open><summary>Linux"},
	},
	{
		name: "no other site is where it goes on", cfg: private, target: "http://shop/trust?next=//evil.example/", wants: []string{`href="https://shop:8443/"`}, not: []string{"https://shop:8443//evil"},
	},
	{
		name: "nor a script", cfg: private, target: "http://shop/trust?next=javascript:alert(1)", wants: []string{`href="https://shop:8443/"`}, not: []string{"href=\"javascript"},
	},
	{
		name: "IPv6", cfg: Config{HTTPPort: 80, HTTPSPort: 443, Authority: authority{}}, target: "http://[2001:db8::1]/trust", wants: []string{"https://[2001:db8::1]/"},
	},
}

func TestPage(t *testing.T) {
	for _, c := range pageCases {
		t.Run(c.name, func(t *testing.T) {
			w := ask(t, c.cfg, c.target, c.edit)
			if w.Code != http.StatusOK || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
				t.Fatalf("%d %s", w.Code, w.Header().Get("Content-Type"))
			}
			body := html.UnescapeString(w.Body.String())
			for _, want := range c.wants {
				if !strings.Contains(body, want) {
					t.Errorf("no %q in:\n%s", want, body)
				}
			}
			for _, not := range c.not {
				if strings.Contains(body, not) {
					t.Errorf("%q in:\n%s", not, body)
				}
			}
			if csp := w.Header().Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") {
				t.Errorf("policy %q", csp)
			}
		})
	}
}

func TestCertificate(t *testing.T) {
	c := Config{HTTPPort: 80, HTTPSPort: 443, Authority: authority{}}
	for path, want := range map[string][2]string{
		"/trust/ca.crt": {"application/x-x509-ca-cert", "der"}, "/trust/ca.pem": {"application/x-pem-file", "pem"},
	} {
		w := ask(t, c, "http://shop"+path, nil)
		if got := [2]string{w.Header().Get("Content-Type"), w.Body.String()}; w.Code != http.StatusOK || got != want {
			t.Errorf("%s: %d %v", path, w.Code, got)
		}
		if w := ask(t, Config{HTTPPort: 80, HTTPSPort: 443}, "http://shop"+path, nil); w.Code != http.StatusNotFound {
			t.Errorf("%s without an authority: %d", path, w.Code)
		}
	}
	if w := ask(t, c, "http://shop/trust/check", nil); w.Code != http.StatusNoContent || w.Header().Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("check: %d %v", w.Code, w.Header())
	}
}

// What one language says the other says too.
func TestTextsAreComplete(t *testing.T) {
	zh, en := reflect.ValueOf(chinese), reflect.ValueOf(english)
	for i := range zh.NumField() {
		name := zh.Type().Field(i).Name
		if zh.Field(i).IsZero() || en.Field(i).IsZero() {
			t.Errorf("%s is missing", name)
		}
		if zh.Field(i).Kind() == reflect.Slice && zh.Field(i).Len() != en.Field(i).Len() {
			t.Errorf("%s has %d and %d steps", name, zh.Field(i).Len(), en.Field(i).Len())
		}
	}
}
