package hlspull

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// The address that is dialled counts: neither a redirect nor a playlist leads inside.
func TestPrivateAddressesAreRefused(t *testing.T) {
	asked := false
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	defer inside.Close()
	cfg := Config{RetryMin: time.Millisecond, Patience: time.Second}.withDefaults()
	for _, address := range []string{inside.URL, strings.Replace(inside.URL, "127.0.0.1", "localhost", 1), strings.Replace(inside.URL, "127.0.0.1", "[::ffff:127.0.0.1]", 1)} {
		f := newFetcher(cfg, dialerOf(cfg))
		defer f.close()
		u, err := url.Parse(address + "/live.m3u8")
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = f.playlist(t.Context(), u)
		if errs.KindOf(err) != errs.Forbidden || !strings.Contains(errs.MessageOf(err), "pull.allow_private") {
			t.Errorf("%s: %v", address, err)
		}
	}
	if asked {
		t.Error("a private address was asked")
	}
	cfg.AllowPrivate = true
	f := newFetcher(cfg, dialerOf(cfg))
	defer f.close()
	u, _ := url.Parse(inside.URL)
	if _, _, err := f.playlist(t.Context(), u); err != nil || !asked {
		t.Errorf("where it is allowed: %v", err)
	}
}

func TestFetchLimits(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/endless", func(w http.ResponseWriter, _ *http.Request) {
		for {
			if _, err := w.Write(make([]byte, 4096)); err != nil {
				return
			}
		}
	})
	mux.HandleFunc("/whole", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("0123456789")) }) // knows no ranges
	mux.HandleFunc("/ranges", func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader("0123456789"))
	})
	mux.HandleFunc("/round", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/round", http.StatusFound) })
	mux.HandleFunc("/file", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "file:///etc/passwd")
		w.WriteHeader(http.StatusFound)
	})
	mux.HandleFunc("/hangs", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	mux.HandleFunc("/no", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })
	srv := httptest.NewServer(mux)
	defer srv.Close()
	cfg := Config{AllowPrivate: true, MaxSegment: 8 << 10, RequestTimeout: 200 * time.Millisecond}.withDefaults()
	f := newFetcher(cfg, dialerOf(cfg))
	defer f.close()
	for path, c := range map[string]struct {
		span span
		want string
		kind errs.Kind
		says string
	}{
		"/endless":  {kind: errs.Invalid, says: "longer than 8192 bytes"},
		"/whole":    {span: span{3, 4}, want: "3456"},
		"/ranges":   {span: span{3, 4}, want: "3456"},
		"/ranges?2": {span: span{8, 4}, kind: errs.Unavailable, says: "2 of 4 bytes"},
		"/ranges?3": {span: span{0, 1 << 30}, kind: errs.Invalid, says: "longer"},
		"/round":    {kind: errs.Invalid, says: "redirects more than 5 times"},
		"/file":     {kind: errs.Invalid, says: "only http and https"},
		"/hangs":    {kind: errs.Unavailable, says: "does not answer in time"},
		"/nothing":  {kind: errs.NotFound, says: "HTTP 404"},
		"/no":       {kind: errs.Forbidden, says: "HTTP 403"},
	} {
		data, err := f.media(t.Context(), resource{url: srv.URL + path, span: c.span})
		if c.says == "" && (err != nil || string(data) != c.want) {
			t.Errorf("%s: %q, %v", path, data, err)
		}
		if c.says != "" && (errs.KindOf(err) != c.kind || !strings.Contains(errs.MessageOf(err), c.says)) {
			t.Errorf("%s: %v: %v", path, errs.KindOf(err), err)
		}
	}
}

func TestErrorsInWords(t *testing.T) {
	cfg := Config{AllowPrivate: true, Patience: time.Millisecond}.withDefaults()
	f := newFetcher(cfg, dialerOf(cfg))
	defer f.close()
	closed := httptest.NewServer(nil)
	closed.Close()
	for address, says := range map[string]string{closed.URL: "cannot be reached: connection refused", "http://nowhere.invalid/": "nowhere.invalid cannot be resolved"} {
		u, _ := url.Parse(address)
		_, _, err := f.playlist(t.Context(), u)
		if errs.KindOf(err) != errs.Unavailable || !strings.Contains(errs.MessageOf(err), says) {
			t.Errorf("%s: %v", address, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := f.persist(ctx, func(context.Context) error { return errs.New(errs.Unavailable, "x", "y") }); err == nil {
		t.Error("persists after the end")
	}
}

func TestConfig(t *testing.T) {
	if err := (Config{}).Validate(); err != nil {
		t.Error(err)
	}
	for field, c := range map[string]Config{
		"MaxPlaylist": {MaxPlaylist: 1}, "MaxSegment": {MaxSegment: 2 << 30}, "RequestTimeout": {RequestTimeout: -1}, "Patience": {Patience: 1},
		"RetryMin": {RetryMin: time.Hour},
	} {
		if err := c.Validate(); errs.FieldOf(err) != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}

func TestCheckURL(t *testing.T) {
	for address, want := range map[string]bool{"http://a/b": true, "https://a": true, "ftp://a": false, "file:///etc": false, "data:,x": false, "/x": false} {
		u, err := url.Parse(address)
		if err == nil {
			_, err = checkURL(u)
		}
		if (err == nil) != want {
			t.Errorf("%s: %v", address, err)
		}
	}
}
