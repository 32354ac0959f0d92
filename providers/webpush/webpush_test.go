package webpush

import (
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/commerce/reminder"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/netguard"
	"github.com/vitrine-live/vitrine/providers/webpush/pushtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newSender(t *testing.T, guard netguard.Guard) *Sender {
	t.Helper()
	key, err := NewKey()
	if err != nil {
		t.Fatal(err)
	}
	client := guard.Client(0)
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	t.Cleanup(client.CloseIdleConnections)
	s, err := New(Config{PrivateKey: key, Subject: "mailto:ops@shop.example", AllowHTTP: true}, client)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func service(t *testing.T, s *Sender) *pushtest.Service {
	t.Helper()
	p, err := pushtest.New(s.PublicKey())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

func target(t *testing.T, s *Sender, p *pushtest.Service) reminder.Target {
	t.Helper()
	to, err := s.Target(account.Viewer{}, p.Request())
	if err != nil {
		t.Fatal(err)
	}
	return to
}

func TestSend(t *testing.T) {
	s := newSender(t, netguard.Guard{AllowPrivate: true})
	p := service(t, s)
	m := reminder.Message{
		ID: "rem_1", Target: target(t, s, p), URL: "https://shop.example/r/room_1", Started: true,
		Show: commerce.Show{ID: "show_0123456789abcdef", RoomID: "room_1", Title: "晚场 · 茶", ScheduledAt: time.UnixMilli(1_800_000_000_000)},
	}
	if got := s.Send(t.Context(), m); got.Verdict != reminder.Accepted {
		t.Fatalf("%+v, %+v", got, p.Messages())
	}
	sent := p.Messages()[0]
	var got Payload
	if err := json.Unmarshal(sent.Text, &got); err != nil {
		t.Fatal(err)
	}
	want := Payload{
		Type: "reminder", ID: "rem_1", Title: "晚场 · 茶", URL: m.URL, RoomID: "room_1", ShowID: m.Show.ID, Started: true, ScheduledAt: 1_800_000_000_000,
	}
	if got != want {
		t.Errorf("%+v", got)
	}
	if h := sent.Header; h.Get("TTL") != "1800" || h.Get("Urgency") != "high" || h.Get("Topic") != m.Show.ID || h.Get("Content-Encoding") != "aes128gcm" {
		t.Errorf("%v", h)
	}
}

// What an answer proves decides whether a consent may be used again.
func TestVerdicts(t *testing.T) {
	s := newSender(t, netguard.Guard{AllowPrivate: true})
	for status, want := range map[int]reminder.Result{
		200: {Verdict: reminder.Accepted}, 201: {Verdict: reminder.Accepted}, 202: {Verdict: reminder.Accepted},
		400: {Verdict: reminder.Refused}, 403: {Verdict: reminder.Refused}, 404: {Verdict: reminder.Refused}, 410: {Verdict: reminder.Refused}, 413: {Verdict: reminder.Refused},
		307: {Verdict: reminder.Refused}, 429: {Verdict: reminder.NotSent, After: 7 * time.Second}, 503: {Verdict: reminder.NotSent, After: 7 * time.Second},
		500: {Verdict: reminder.Uncertain}, 502: {Verdict: reminder.Uncertain}, 504: {Verdict: reminder.Uncertain},
	} {
		p := service(t, s)
		p.Answer = func(int, pushtest.Message) (int, http.Header) {
			return status, http.Header{"Retry-After": {"7"}, "Location": {"http://192.0.2.1/"}}
		}
		got := s.Send(t.Context(), reminder.Message{Target: target(t, s, p)})
		if got.Verdict != want.Verdict || got.After != want.After || (got.Reason == "") != (want.Verdict == reminder.Accepted) {
			t.Errorf("%d: %+v", status, got)
		}
	}
	for header, want := range map[string]time.Duration{"": 0, "x": 0, "-1": 0, "30": 30 * time.Second, "999999": time.Hour} {
		if got := retryAfter(header); got != want {
			t.Errorf("Retry-After %q: %v", header, got)
		}
	}
}

func TestUnreachable(t *testing.T) {
	s := newSender(t, netguard.Guard{AllowPrivate: true})
	p := service(t, s)
	to := target(t, s, p)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone := to
	gone.Endpoint = "http://" + l.Addr().String() + "/"
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if got := s.Send(t.Context(), reminder.Message{Target: gone}); got.Verdict != reminder.NotSent {
		t.Errorf("nobody listens: %+v", got)
	}
	cut := service(t, s)
	cut.Answer = func(int, pushtest.Message) (int, http.Header) { panic(http.ErrAbortHandler) }
	if got := s.Send(t.Context(), reminder.Message{Target: target(t, s, cut)}); got.Verdict != reminder.Uncertain || got.Reason == "" {
		t.Errorf("cut off before the answer: %+v", got)
	}
	if len(cut.Messages()) != 1 {
		t.Errorf("%d messages: the client repeated it by itself", len(cut.Messages()))
	}
	guarded := newSender(t, netguard.Guard{})
	if got := guarded.Send(t.Context(), reminder.Message{Target: to}); got.Verdict != reminder.Refused {
		t.Errorf("an address of this machine: %+v", got)
	}
	if len(p.Messages()) != 0 {
		t.Error("it was reached")
	}
	bad := to
	bad.P256dh = "AAAA"
	if got := s.Send(t.Context(), reminder.Message{Target: bad}); got.Verdict != reminder.Refused {
		t.Errorf("a key that is none: %+v", got)
	}
	if got := s.Send(t.Context(), reminder.Message{Target: to, Show: commerce.Show{Title: strings.Repeat("台", 2000)}}); got.Verdict != reminder.Refused {
		t.Errorf("too long: %+v", got)
	}
}

func TestTarget(t *testing.T) {
	s := newSender(t, netguard.Guard{})
	good := service(t, s).Request()
	s.cfg.AllowHTTP = false
	for field, change := range map[string]func(*reminder.Request){
		"":         func(r *reminder.Request) { r.Auth += "==" },
		"endpoint": func(r *reminder.Request) { r.Endpoint = strings.Replace(r.Endpoint, "https:", "http:", 1) },
		"p256dh":   func(r *reminder.Request) { r.P256dh = "BA" + strings.Repeat("A", 85) },
		"auth":     func(r *reminder.Request) { r.Auth = "AAAA" },
	} {
		r := good
		r.Endpoint = "https://push.example/1"
		change(&r)
		if _, err := s.Target(account.Viewer{}, r); errs.FieldOf(err) != field || (err == nil) != (field == "") {
			t.Errorf("%s: %v", field, err)
		}
	}
	for _, cfg := range []Config{{PrivateKey: "?", Subject: "mailto:a@b"}, {PrivateKey: "AAAA", Subject: "mailto:a@b"}, {PrivateKey: s.cfg.PrivateKey, Subject: "a@b"}} {
		if _, err := New(cfg, nil); errs.KindOf(err) != errs.Invalid {
			t.Errorf("%+v: %v", cfg, err)
		}
	}
}
