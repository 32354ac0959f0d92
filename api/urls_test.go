package api

import (
	"net/http"
	"net/netip"
	"testing"
)

func httptestAddr(t *testing.T, s string) netip.Addr {
	t.Helper()
	a, err := netip.ParseAddr(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

var nothing = http.NotFoundHandler()

func TestURLs(t *testing.T) {
	for _, c := range []struct {
		name                       string
		server                     Server
		host                       HostInput
		watch, studio, rtmp, rtmps string
	}{
		{
			name: "own host", server: Server{Deps: Deps{RTMPPort: 1935, Studio: nothing}}, host: HostInput{"shop.example:8080", "http"},
			watch: "http://shop.example:8080/r/x", studio: "http://shop.example:8080/studio/x", rtmp: "rtmp://shop.example/live",
		},
		{
			name: "https beside http", server: Server{Deps: Deps{RTMPPort: 11935, RTMPSPort: 1936, HTTPSPort: 443, Studio: nothing}}, host: HostInput{"[2001:db8::1]:8080", "http"},
			watch: "http://[2001:db8::1]:8080/r/x", studio: "https://[2001:db8::1]/studio/x", rtmp: "rtmp://[2001:db8::1]:11935/live", rtmps: "rtmps://[2001:db8::1]:1936/live",
		},
		{
			name: "behind a proxy", server: Server{Deps: Deps{PublicURL: "https://live.example/", HTTPSPort: 8443, Studio: nothing}}, host: HostInput{"10.0.0.1", "http"},
			watch: "https://live.example/r/x", studio: "https://live.example/studio/x", rtmp: "rtmp://live.example/live",
		},
		{name: "no studio", server: Server{}, host: HostInput{"h", "https"}, watch: "https://h/r/x", rtmp: "rtmp://h/live"},
	} {
		u := c.server.urls("x", c.host)
		if u.WatchURL != c.watch || u.StudioURL != c.studio || u.RTMPServer != c.rtmp || u.RTMPSServer != c.rtmps || u.WHIPURL != "" {
			t.Errorf("%s: %+v", c.name, u)
		}
	}
}

func TestLanguages(t *testing.T) {
	for header, want := range map[string]string{
		"": "en", "zh": "zh-CN", "zh-Hant-TW,zh;q=0.9": "zh-CN", "fr, zh;q=0.8, en;q=0.9": "en", "de": "en", "nonsense;;": "en", "zh-CN,zh;q=0.9,en;q=0.8": "zh-CN",
	} {
		if got := (LanguageInput{header}).language(); string(got) != want {
			t.Errorf("%q: %s", header, got)
		}
	}
}
