package wechat

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/commerce/reminder"
	"github.com/vitrine-live/vitrine/internal/errs"
)

// board is the part of WeChat's server that sends subscribe messages: it refuses what its documentation says it refuses.
type board struct {
	*httptest.Server
	mu       sync.Mutex
	consents map[string]int // by openid
	answers  []int          // errcodes of the next messages, before anything else is looked at
	tokens   int
	got      []map[string]any
}

func newBoard(t *testing.T) *board {
	t.Helper()
	b := &board{consents: map[string]int{"o1": 1}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /cgi-bin/stable_token", func(w http.ResponseWriter, _ *http.Request) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.tokens++
		_ = json.NewEncoder(w).Encode(map[string]any{"access_token": "token-" + strings.Repeat("i", b.tokens), "expires_in": 7200})
	})
	mux.HandleFunc("POST /cgi-bin/message/subscribe/send", func(w http.ResponseWriter, r *http.Request) {
		var m map[string]any
		_ = json.NewDecoder(r.Body).Decode(&m)
		_ = json.NewEncoder(w).Encode(map[string]any{"errcode": b.judge(m), "errmsg": "as documented"})
	})
	b.Server = httptest.NewServer(mux)
	t.Cleanup(b.Close)
	return b
}

func (b *board) judge(m map[string]any) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.got = append(b.got, m)
	if len(b.answers) > 0 {
		code := b.answers[0]
		b.answers = b.answers[1:]
		return code
	}
	if m["template_id"] != "tpl" {
		return 40037
	}
	data, _ := m["data"].(map[string]any)
	for k, v := range data {
		text, _ := v.(map[string]any)["value"].(string)
		if text == "" || strings.HasPrefix(k, "thing") && len([]rune(text)) > 20 {
			return 47003
		}
	}
	to, _ := m["touser"].(string)
	if b.consents[to] == 0 {
		return 43101
	}
	b.consents[to]--
	return 0
}

var tpl = Subscription{Template: "tpl", Title: "thing1", Time: "time2", Note: "thing3", Page: "pages/room/room?room={room}&show={show}"}

func (b *board) reminders() *Reminders {
	return NewReminders(New(Config{AppID: appid, Secret: "sec", BaseURL: b.URL}, b.Client()), tpl)
}

func announcement() reminder.Message {
	return reminder.Message{
		Target: reminder.Target{AppID: appid, OpenID: "o1", Template: "tpl"}, Started: true,
		Show: commerce.Show{ID: "show_1", RoomID: "room_1", Title: "双十一专场：" + strings.Repeat("茶", 30), StartedAt: time.Date(2026, 11, 11, 12, 5, 0, 0, time.UTC)},
	}
}

func TestOneConsentOneMessage(t *testing.T) {
	b := newBoard(t)
	r := b.reminders()
	if got := r.Send(t.Context(), announcement()); got.Verdict != reminder.Accepted {
		t.Fatalf("%+v", got)
	}
	if got := r.Send(t.Context(), announcement()); got.Verdict != reminder.Refused || !strings.Contains(got.Reason, "43101") {
		t.Errorf("without a consent: %+v", got)
	}
	m := b.got[0]
	data, _ := json.Marshal(m["data"])
	if m["touser"] != "o1" || m["page"] != "pages/room/room?room=room_1&show=show_1" ||
		string(data) != `{"thing1":{"value":"双十一专场：`+strings.Repeat("茶", 13)+`…"},"thing3":{"value":"直播已开始，点击观看"},"time2":{"value":"2026-11-11 20:05"}}` {
		t.Errorf("%v", m)
	}
}

func TestRefusals(t *testing.T) {
	for code, want := range map[int]reminder.Verdict{
		43101: reminder.Refused, 47003: reminder.Refused, 40037: reminder.Refused, 40003: reminder.Refused, 41030: reminder.Refused, 99999: reminder.Refused,
		-1: reminder.Uncertain, 45009: reminder.NotSent, 43108: reminder.NotSent, 45047: reminder.NotSent,
	} {
		b := newBoard(t)
		b.answers = []int{code}
		got := b.reminders().Send(t.Context(), announcement())
		if got.Verdict != want || got.Reason == "" || (got.After > 0) != (want == reminder.NotSent) || len(b.got) != 1 {
			t.Errorf("errcode %d: %+v after %d messages", code, got, len(b.got))
		}
	}
}

// A stale token proves that nothing was sent: it is replaced, once.
func TestStaleToken(t *testing.T) {
	b := newBoard(t)
	b.answers = []int{42001}
	if got := b.reminders().Send(t.Context(), announcement()); got.Verdict != reminder.Accepted || b.tokens != 2 || len(b.got) != 2 {
		t.Errorf("%+v, %d tokens, %d messages", got, b.tokens, len(b.got))
	}
	b.answers = []int{42001, 40001}
	if got := b.reminders().Send(t.Context(), announcement()); got.Verdict != reminder.NotSent {
		t.Errorf("%+v", got)
	}
	b.Close()
	if got := b.reminders().Send(t.Context(), announcement()); got.Verdict != reminder.NotSent {
		t.Errorf("nobody there: %+v", got)
	}
}

func TestReminderTargets(t *testing.T) {
	r := newBoard(t).reminders()
	viewer := account.Viewer{ID: "wechat:" + appid + ":o1", AppID: appid, OpenID: "o1"}
	got, err := r.Target(viewer, reminder.Request{Template: "tpl"})
	if err != nil || got != (reminder.Target{AppID: appid, OpenID: "o1", Template: "tpl"}) {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := r.Target(viewer, reminder.Request{Template: "other"}); errs.FieldOf(err) != "template_id" {
		t.Errorf("another template: %v", err)
	}
	if _, err := r.Target(account.Viewer{ID: "visitor:1"}, reminder.Request{}); errs.KindOf(err) != errs.Conflict {
		t.Errorf("a visitor: %v", err)
	}
}

func TestFit(t *testing.T) {
	for _, c := range []struct{ keyword, value, want string }{
		{"thing1", "a\n b  c", "a b c"},
		{"thing1", strings.Repeat("💡", 21), strings.Repeat("💡", 19) + "…"},
		{"thing12", strings.Repeat("茶", 20), strings.Repeat("茶", 20)},
		{"phrase3", "六个汉字太长", "六个汉字…"},
		{"thing1", " \xff ", "-"},
		{"time2", "2026-11-11 20:05", "2026-11-11 20:05"},
	} {
		if got := fit(c.keyword, c.value); got != c.want {
			t.Errorf("%s %q: %q", c.keyword, c.value, got)
		}
	}
	for _, s := range []Subscription{{Template: "t"}, {Template: "t", Title: "Thing"}, {Template: "t", Title: "thing1", Note: "x"}} {
		if s.Validate() == nil {
			t.Errorf("%+v is valid", s)
		}
	}
}
