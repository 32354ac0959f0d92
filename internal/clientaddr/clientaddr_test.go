package clientaddr

import (
	"net/http"
	"net/netip"
	"testing"
)

func TestOf(t *testing.T) {
	proxies := Trusting([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8")})
	for _, c := range []struct {
		name      string
		finder    Finder
		remote    string
		forwarded []string
		want      string
	}{
		{"nobody is believed", Finder{}, "127.0.0.1:5", []string{"203.0.113.7"}, "127.0.0.1"},
		{"no proxy", proxies, "203.0.113.7:5", nil, "203.0.113.7"},
		{"a client that pretends", proxies, "203.0.113.7:5", []string{"198.51.100.1"}, "203.0.113.7"},
		{"one proxy", proxies, "127.0.0.1:5", []string{"203.0.113.7"}, "203.0.113.7"},
		{"a client that pretends to the proxy", proxies, "127.0.0.1:5", []string{"198.51.100.1, 203.0.113.7"}, "203.0.113.7"},
		{"two proxies, two headers", proxies, "[::ffff:127.0.0.1]:5", []string{"203.0.113.7", "10.1.2.3"}, "203.0.113.7"},
		{"nonsense", proxies, "127.0.0.1:5", []string{"203.0.113.7, unknown"}, "127.0.0.1"},
		{"all are proxies", proxies, "127.0.0.1:5", []string{"10.0.0.9"}, "10.0.0.9"},
		{"IPv6", proxies, "127.0.0.1:5", []string{"2001:db8::1"}, "2001:db8::1"},
	} {
		r := &http.Request{RemoteAddr: c.remote, Header: http.Header{"X-Forwarded-For": c.forwarded}}
		if got := c.finder.Of(r); got.String() != c.want {
			t.Errorf("%s: %v, want %s", c.name, got, c.want)
		}
	}
	if got := proxies.Of(&http.Request{RemoteAddr: "@"}); got.IsValid() {
		t.Errorf("a unix socket has no address, got %v", got)
	}
}
