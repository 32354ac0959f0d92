package api

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/live"
)

func (h *house) path(rest string) string { return "/api/v1/rooms/" + h.room.ID + rest }

func TestStudioTellsTheAnchorEverything(t *testing.T) {
	h := newHouse(t, func(d *Deps) {
		d.WHIP, d.HTTPSPort, d.RTMPSPort, d.RTMPPort, d.Studio = true, 8443, 1936, 1935, http.NotFoundHandler()
	})
	tea, err := h.goods.Create(t.Context(), commerce.Product{Title: "Longjing", Price: commerce.Money{Amount: 100, Currency: "CNY"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.goods.SetBag(t.Context(), h.room.ID, []string{tea.ID}); err != nil {
		t.Fatal(err)
	}
	h.publish(31)
	var pin Pin
	h.read(http.StatusCreated, &pin, http.MethodPost, h.path("/pins"), h.key, map[string]any{"product_id": tea.ID, "at": h.now.Add(-time.Second).Format(time.RFC3339Nano)})
	if pin.ShowTimeMS != 30_000 {
		t.Errorf("pinned at %d ms", pin.ShowTimeMS)
	}
	var got Studio
	h.read(http.StatusOK, &got, http.MethodGet, h.path("/studio"), h.key, nil, "Accept-Language", "zh-TW, en;q=0.5")
	if got.Room.State != "live" || got.Show == nil || got.Show.DurationMS < 29_000 || len(got.Pins) != 1 || len(got.Products) != 1 {
		t.Errorf("%+v", got)
	}
	if want := float64(h.now.UnixMicro()) / 1000; got.ServerTime != want {
		t.Errorf("server time %f, want %f", got.ServerTime, want)
	}
	if u := got.URLs; u.StudioURL != "https://shop.example:8443/studio/"+h.room.ID || u.WHIPURL != "http://shop.example:8080/whip/"+h.room.ID ||
		u.RTMPServer != "rtmp://shop.example/live" || u.RTMPSServer != "rtmps://shop.example:1936/live" || got.WatchURL != "http://shop.example:8080/r/"+h.room.ID {
		t.Errorf("%+v", u)
	}
	p := got.Publisher
	if p == nil || p.Video != "H264" || p.VideoProfile != "Baseline 3.0" || p.Width != 640 || p.Orientation != "landscape" || p.FPS != 25 || p.KeyIntervalMS != 10_000 ||
		p.State != "sending" || p.RTTMS == nil || *p.RTTMS != 42 || p.Loss != nil || p.Repaired == nil || *p.Repaired != 0.125 || p.SampleRate != 48000 {
		t.Fatalf("%+v", p)
	}
	text := map[string]string{}
	for _, w := range got.Warnings {
		text[w.Code] = w.Message + w.Remedy
	}
	if len(p.Warnings) != len(got.Warnings) || !strings.Contains(text["keyframes_far_apart"], "关键帧间隔长达 10 秒") || !strings.Contains(text["keyframes_far_apart"], "设置 > 输出") {
		t.Errorf("warnings %v", text)
	}
	if !strings.Contains(text["silent"], "混音器") {
		t.Errorf("the silence is not told of: %v", text)
	}
	var room Room
	h.read(http.StatusOK, &room, http.MethodGet, h.path(""), adminToken, nil)
	if room.Publisher == nil || len(room.Publisher.Warnings) == 0 || !strings.HasPrefix(room.Publisher.Warnings[0].Message, "The sound is completely silent") {
		t.Errorf("%+v", room.Publisher)
	}
}

func TestStudioOfARoomThatRests(t *testing.T) {
	h := newHouse(t)
	var got map[string]any
	h.read(http.StatusOK, &got, http.MethodGet, h.path("/studio"), h.key, nil)
	for _, name := range []string{"warnings", "renditions", "pins", "products"} {
		if list, ok := got[name].([]any); !ok || len(list) != 0 {
			t.Errorf("%s is %v, not an empty list", name, got[name])
		}
	}
	if got["show"] != nil || got["publisher"] != nil {
		t.Errorf("%v", got)
	}
}

func TestAnchorsKeyOpensItsRoomAlone(t *testing.T) {
	h := newHouse(t)
	other, otherKey, err := h.rooms.CreateRoom(t.Context(), live.RoomUpdate{Title: new("Other")})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		method, path, token string
		want                int
	}{
		{http.MethodGet, h.path("/studio"), h.key, http.StatusOK},
		{http.MethodGet, h.path("/studio"), adminToken, http.StatusOK},
		{http.MethodGet, h.path("/studio"), otherKey, http.StatusUnauthorized},
		{http.MethodGet, "/api/v1/rooms/" + other.ID + "/studio", h.key, http.StatusUnauthorized},
		{http.MethodGet, "/api/v1/rooms/room_none/studio", h.key, http.StatusUnauthorized},
		{http.MethodGet, "/api/v1/rooms/room_none/studio", adminToken, http.StatusNotFound},
		{http.MethodGet, h.path("/studio"), "", http.StatusUnauthorized},
		{http.MethodGet, h.path("/pins"), h.key, http.StatusOK},
		{http.MethodPost, h.path("/end"), h.key, http.StatusConflict}, // let in, and nothing is on air
		{http.MethodPost, h.path("/announcements"), h.key, http.StatusConflict},
		{http.MethodGet, h.path(""), h.key, http.StatusUnauthorized},
		{http.MethodPost, h.path("/stream-key"), h.key, http.StatusUnauthorized},
		{http.MethodDelete, h.path(""), h.key, http.StatusUnauthorized},
	} {
		if w := h.ask(c.method, c.path, c.token, map[string]any{"text": "hello"}); w.Code != c.want {
			t.Errorf("%s %s: %d, want %d: %s", c.method, c.path, w.Code, c.want, w.Body)
		}
	}
}

func TestWrongKeysAreLimitedByNetwork(t *testing.T) {
	h := newHouse(t, func(d *Deps) { d.MaxWrongKeys = 3 })
	try := func(from, key string) int {
		r := httptest.NewRequest(http.MethodGet, h.path("/studio"), nil)
		r.RemoteAddr = from
		r.Header.Set("Authorization", "Bearer "+key)
		w := httptest.NewRecorder()
		h.server.Handler().ServeHTTP(w, r)
		if w.Code == http.StatusTooManyRequests && w.Header().Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
		return w.Code
	}
	for i := range 3 {
		if got := try(fmt.Sprintf("[2001:db8::%x]:99", i), "live_wrong"); got != http.StatusUnauthorized {
			t.Fatalf("wrong key %d: %d", i, got)
		}
	}
	if got := try("[2001:db8::9]:99", h.key); got != http.StatusTooManyRequests {
		t.Errorf("after three wrong keys: %d", got)
	}
	if got := try("[2001:db8::9]:99", adminToken); got != http.StatusOK {
		t.Errorf("the admin is shut out: %d", got)
	}
	if got := try("192.0.2.1:99", h.key); got != http.StatusOK {
		t.Errorf("another network is shut out: %d", got)
	}
	h.now = h.now.Add(20 * time.Second)
	if got := try("[2001:db8::9]:99", h.key); got != http.StatusOK {
		t.Errorf("twenty seconds later: %d", got)
	}
}

func TestWrongKeysForget(t *testing.T) {
	k, now := newWrongKeys(2), time.Now()
	from := httptestAddr(t, "192.0.2.1")
	k.wrong(from, now)
	k.sweep(now.Add(time.Minute))
	if len(k.networks) != 0 {
		t.Error("a network that owes nothing is remembered")
	}
}

func TestTime(t *testing.T) {
	h := newHouse(t)
	w := h.ask(http.MethodGet, "/api/v1/time", "", nil)
	if want := fmt.Sprintf(`{"unix_ms":%d.456}`, h.now.UnixMilli()); strings.TrimSpace(w.Body.String()) != want {
		t.Errorf("%s, want %s", w.Body, want)
	}
	if w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("%v", w.Header())
	}
}

func TestRoomSettings(t *testing.T) {
	h := newHouse(t)
	shop := h.store("Tea house")
	var r Room
	h.read(http.StatusCreated, &r, http.MethodPost, "/api/v1/rooms", adminToken, map[string]any{
		"title": "Relay", "capture_delay_ms": 250, "ladder": []string{"720p", "360p"}, "source_url": "https://example.com/a.m3u8", "store_id": shop,
	})
	if r.CaptureDelayMS != 250 || len(r.Ladder) != 2 || r.SourceURL != "https://example.com/a.m3u8" || r.StoreID != shop {
		t.Errorf("%+v", r)
	}
	h.read(http.StatusOK, &r, http.MethodPatch, "/api/v1/rooms/"+r.ID, adminToken, map[string]any{"ladder": []string{}, "source_url": ""})
	if r.CaptureDelayMS != 250 || len(r.Ladder) != 0 || r.Title != "Relay" || r.StoreID != shop {
		t.Errorf("%+v", r)
	}
	for _, wrong := range []map[string]any{{"ladder": []string{"9000p"}}, {"source_url": "ftp://x"}, {"store_id": "a b"}, {"capture_delay_ms": -1}} {
		if w := h.ask(http.MethodPatch, "/api/v1/rooms/"+r.ID, adminToken, wrong); w.Code != http.StatusUnprocessableEntity {
			t.Errorf("%v: %d %s", wrong, w.Code, w.Body)
		}
	}
}

// An anchor's repeated calls are carried out once too, and never meet the answers of the admin.
func TestAnchorsMayRepeatThemselves(t *testing.T) {
	h := newHouse(t)
	h.publish(2)
	say := func(token string) Event {
		var ev Event
		h.read(http.StatusCreated, &ev, http.MethodPost, h.path("/announcements"), token, map[string]any{"text": "hello"}, "Idempotency-Key", "k")
		return ev
	}
	first, again, other := say(h.key), say(h.key), say(adminToken)
	if first.Seq != again.Seq || other.Seq == first.Seq {
		t.Errorf("%d, then %d, then the admin's %d", first.Seq, again.Seq, other.Seq)
	}
	if w := h.ask(http.MethodPost, h.path("/announcements"), "live_wrong", map[string]any{"text": "hello"}, "Idempotency-Key", "k"); w.Code != http.StatusUnauthorized {
		t.Errorf("a stranger: %d", w.Code)
	}
}
