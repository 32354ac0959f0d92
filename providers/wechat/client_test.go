package wechat

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vitrine-live/vitrine/internal/errs"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// standIn is WeChat's server as its documentation describes it.
type standIn struct {
	*httptest.Server
	mu      sync.Mutex
	current string         // the access token that is good
	made    int            // how many tokens were made
	asked   atomic.Int32   // requests for a token
	login   map[string]any // answer to code2session
	status  int
}

func newStandIn(t *testing.T) *standIn {
	t.Helper()
	s := &standIn{status: http.StatusOK}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /sns/jscode2session", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if q.Get("appid") != appid || q.Get("secret") != "sec" || q.Get("grant_type") != "authorization_code" || q.Get("js_code") == "" {
			t.Errorf("query %v", q)
		}
		w.WriteHeader(s.status)
		_ = json.NewEncoder(w).Encode(s.login)
	})
	mux.HandleFunc("POST /cgi-bin/stable_token", s.token)
	mux.HandleFunc("POST /say", func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if r.URL.Query().Get("access_token") != s.current {
			_, _ = w.Write([]byte(`{"errcode":42001,"errmsg":"access_token expired"}`))
			return
		}
		_, _ = w.Write([]byte(`{"errcode":0,"errmsg":"ok","said":true}`))
	})
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

func (s *standIn) token(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Grant string `json:"grant_type"`
		Force bool   `json:"force_refresh"`
	}
	_ = json.NewDecoder(r.Body).Decode(&in)
	s.asked.Add(1)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current == "" || in.Force {
		s.made++
		s.current = "token-" + strings.Repeat("i", s.made)
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"access_token": s.current, "expires_in": 7200})
}

const appid = "wx0123456789abcdef"

func (s *standIn) client() *Client {
	return New(Config{AppID: appid, Secret: "sec", BaseURL: s.URL + "/"}, s.Client())
}

func TestLogin(t *testing.T) {
	s := newStandIn(t)
	s.login = map[string]any{"openid": "o1", "unionid": "u1", "session_key": "k"}
	got, err := s.client().Login(t.Context(), "code")
	if err != nil || got != (Session{OpenID: "o1", UnionID: "u1"}) {
		t.Errorf("%+v, %v", got, err)
	}
	for code, want := range map[int]errs.Kind{
		40029: errs.Unauthorized, 40163: errs.Unauthorized, 45011: errs.Exhausted, 40226: errs.Forbidden, -1: errs.Unavailable,
		40013: errs.Unavailable, 40125: errs.Unavailable,
	} {
		s.login = map[string]any{"errcode": code, "errmsg": "no"}
		if _, err := s.client().Login(t.Context(), "code"); errs.KindOf(err) != want || errs.MessageOf(err) == "" || CodeOf(err) != code {
			t.Errorf("errcode %d: %v", code, err)
		}
	}
	s.login = map[string]any{}
	if _, err := s.client().Login(t.Context(), "code"); errs.KindOf(err) != errs.Unavailable {
		t.Errorf("an answer without openid: %v", err)
	}
	if _, err := s.client().Login(t.Context(), ""); errs.KindOf(err) != errs.Invalid {
		t.Errorf("no code: %v", err)
	}
}

func TestFailuresKeepTheSecret(t *testing.T) {
	s := newStandIn(t)
	s.status = http.StatusBadGateway
	_, err := s.client().Login(t.Context(), "code")
	if errs.KindOf(err) != errs.Unavailable {
		t.Errorf("502: %v", err)
	}
	c := s.client()
	s.Close()
	_, err = c.Login(t.Context(), "code")
	if errs.KindOf(err) != errs.Unavailable || strings.Contains(err.Error(), "sec") && strings.Contains(err.Error(), "secret=") {
		t.Errorf("closed: %v", err)
	}
}

func TestAccessTokenIsSharedAndReplaced(t *testing.T) {
	s := newStandIn(t)
	c := s.client()
	now := time.Now()
	c.now = func() time.Time { return now }
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if err := c.post(t.Context(), "/say", map[string]string{"a": "&"}, nil); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := s.asked.Load(); n != 1 {
		t.Errorf("%d requests for a token", n)
	}
	now = now.Add(2*time.Hour - tokenMargin)
	if err := c.post(t.Context(), "/say", nil, nil); err != nil || s.asked.Load() != 2 {
		t.Errorf("after its time: %v, %d requests", err, s.asked.Load())
	}
	s.mu.Lock()
	s.current = "made-elsewhere" // the old one is refused, asking again brings this one
	s.mu.Unlock()
	var out struct{ Said bool }
	if err := c.post(t.Context(), "/say", nil, &out); err != nil || !out.Said || s.made != 1 {
		t.Errorf("after 42001: %v, %+v, %d made", err, out, s.made)
	}
}

// TestTokenRefusedAgain is WeChat handing out a token that it refuses: one is forced, once.
func TestTokenRefusedAgain(t *testing.T) {
	var forced, said atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/say" {
			said.Add(1)
			_, _ = w.Write([]byte(`{"errcode":40001,"errmsg":"invalid credential"}`))
			return
		}
		var in struct {
			Force bool `json:"force_refresh"`
		}
		_ = json.NewDecoder(r.Body).Decode(&in)
		if in.Force {
			forced.Add(1)
		}
		_, _ = w.Write([]byte(`{"access_token":"same","expires_in":7200}`))
	}))
	defer srv.Close()
	c := New(Config{AppID: appid, Secret: "sec", BaseURL: srv.URL}, srv.Client())
	if err := c.post(t.Context(), "/say", nil, nil); CodeOf(err) != 40001 || forced.Load() != 1 || said.Load() != 2 {
		t.Errorf("%v after %d forced tokens and %d calls", err, forced.Load(), said.Load())
	}
}

func TestWaitingEndsWithTheCaller(t *testing.T) {
	hold := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		<-hold
		_, _ = w.Write([]byte(`{"access_token":"late","expires_in":7200}`))
	}))
	defer srv.Close()
	c := New(Config{AppID: appid, Secret: "sec", BaseURL: srv.URL}, srv.Client())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := c.accessToken(ctx, "")
	if errs.KindOf(err) != errs.Unavailable || !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	close(hold)
	if token, err := c.accessToken(t.Context(), ""); token != "late" || err != nil { // the request of the first went on
		t.Errorf("%q, %v", token, err)
	}
}

func TestConfig(t *testing.T) {
	for _, c := range []struct {
		cfg  Config
		good bool
	}{
		{Config{}, true},
		{Config{AppID: appid, Secret: "s"}, true},
		{Config{AppID: appid, Secret: "s", BaseURL: "http://127.0.0.1:1"}, true},
		{Config{AppID: appid}, false},
		{Config{Secret: "s"}, false},
		{Config{AppID: "wx1", Secret: "s"}, false},
		{Config{AppID: appid, Secret: "s", BaseURL: "nowhere"}, false},
	} {
		if err := c.cfg.Validate(); (err == nil) != c.good {
			t.Errorf("%+v: %v", c.cfg, err)
		}
	}
	if (Config{}).Enabled() || !(Config{AppID: appid}).Enabled() {
		t.Error("enabled")
	}
}
