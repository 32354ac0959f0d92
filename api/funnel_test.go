package api

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/commerce/funnel"
	"github.com/vitrine-live/vitrine/commerce/reminder"
	"github.com/vitrine-live/vitrine/live"
	"github.com/vitrine-live/vitrine/overlay"
	"github.com/vitrine-live/vitrine/store/sqldb"
)

// browsers takes every subscription and sends nothing.
type browsers struct{}

func (browsers) Target(_ account.Viewer, r reminder.Request) (reminder.Target, error) {
	return reminder.Target{Endpoint: r.Endpoint, P256dh: r.P256dh, Auth: r.Auth}, nil
}

func (browsers) Send(context.Context, reminder.Message) reminder.Result {
	return reminder.Result{Verdict: reminder.Accepted}
}

// funnelDeps are the domains of reminders and reports over the house's database.
func funnelDeps(t testing.TB, db *sqldb.DB, rooms *live.Rooms, timeline *overlay.Timeline, log *slog.Logger, clock func() time.Time) FunnelDeps {
	t.Helper()
	reminders, err := reminder.New(reminder.Config{}, reminder.Deps{
		Store: db, Shows: rooms, Providers: map[reminder.Channel]reminder.Provider{reminder.WebPush: browsers{}}, Log: log, Now: clock,
	})
	if err != nil {
		t.Fatal(err)
	}
	f, err := funnel.New(funnel.Config{}, funnel.Deps{Store: db, Shows: rooms, Log: log, Now: clock, Pins: func(ctx context.Context, showID string) (map[string]string, error) {
		ranges, err := timeline.Ranges(ctx, showID)
		pins := map[string]string{}
		for _, r := range ranges {
			pins[r.Pin.ID] = r.Pin.ProductID
		}
		return pins, err
	}})
	if err != nil {
		t.Fatal(err)
	}
	return FunnelDeps{Funnel: f, Reminders: reminders, ReminderChannels: []ReminderChannel{{Channel: "web_push", PublicKey: "BA"}}}
}

// stored lets the funnel store what it has taken.
func (h *house) stored() {
	h.t.Helper()
	ctx, cancel := context.WithCancel(h.t.Context())
	cancel()
	h.server.Funnel.Run(ctx)
}

func (h *house) scheduled(in time.Duration) (show Show) {
	h.t.Helper()
	h.read(http.StatusCreated, &show, http.MethodPost, h.path("/shows"), adminToken, map[string]any{"title": "Tonight", "scheduled_at": h.now.Add(in)})
	return show
}

func TestReminders(t *testing.T) {
	h := newHouse(t)
	show, viewer := h.scheduled(time.Hour), h.viewer()
	wish := map[string]any{"channel": "web_push", "before_minutes": 10, "subscription": map[string]any{"endpoint": "https://push.example/1", "keys": map[string]any{"p256dh": "BA", "auth": "AA"}}}
	var first, again Reminder
	h.read(http.StatusCreated, &first, http.MethodPost, "/api/v1/shows/"+show.ID+"/reminders", viewer, wish)
	h.read(http.StatusOK, &again, http.MethodPost, "/api/v1/shows/"+show.ID+"/reminders", viewer, wish)
	if first != again || first.State != "pending" || first.BeforeMinutes != 10 || first.ShowID != show.ID {
		t.Errorf("%+v, then %+v", first, again)
	}
	var next Reminder
	h.read(http.StatusCreated, &next, http.MethodPost, h.path("/reminders"), viewer, wish)
	if next.ShowID != "" || next.RoomID != h.room.ID {
		t.Errorf("%+v", next)
	}
	var mine Page[Reminder]
	h.read(http.StatusOK, &mine, http.MethodGet, "/api/v1/me/reminders?limit=1", viewer, nil)
	if len(mine.Items) != 1 || mine.Next == nil {
		t.Fatalf("%+v", mine)
	}
	h.read(http.StatusOK, &mine, http.MethodGet, "/api/v1/me/reminders?after="+*mine.Next, viewer, nil)
	if len(mine.Items) != 1 {
		t.Errorf("%+v", mine)
	}
	if w := h.ask(http.MethodDelete, "/api/v1/me/reminders/"+first.ID, h.viewer(), nil); w.Code != http.StatusNotFound {
		t.Errorf("somebody else cancels: %d", w.Code)
	}
	h.read(http.StatusNoContent, nil, http.MethodDelete, "/api/v1/me/reminders/"+first.ID, viewer, nil)
	var counts ReminderCounts
	h.read(http.StatusOK, &counts, http.MethodGet, "/api/v1/shows/"+show.ID+"/reminders", adminToken, nil)
	if counts.Total != 0 || len(counts.Channels) != 1 || counts.Channels[0] != (ReminderChannelCount{Channel: "web_push", Cancelled: 1}) {
		t.Errorf("%+v", counts)
	}
	var channels Page[ReminderChannel]
	h.read(http.StatusOK, &channels, http.MethodGet, "/api/v1/reminder-channels", "", nil)
	if len(channels.Items) != 1 || channels.Items[0].PublicKey == "" {
		t.Errorf("%+v", channels)
	}
}

func TestSchedulesChange(t *testing.T) {
	h := newHouse(t)
	show := h.scheduled(time.Hour)
	var got Show
	h.read(http.StatusOK, &got, http.MethodPatch, "/api/v1/shows/"+show.ID, adminToken, map[string]any{"title": "Later", "scheduled_at": h.now.Add(2 * time.Hour)})
	if got.Title != "Later" || *got.ScheduledAt == *show.ScheduledAt || got.State != "scheduled" {
		t.Errorf("%+v", got)
	}
	h.read(http.StatusOK, &got, http.MethodPost, "/api/v1/shows/"+show.ID+"/call-off", adminToken, nil)
	if got.State != "ended" || got.StartedAt != nil {
		t.Errorf("%+v", got)
	}
	for _, again := range []string{"", "/call-off"} {
		method := map[string]string{"": http.MethodPatch, "/call-off": http.MethodPost}[again]
		if w := h.ask(method, "/api/v1/shows/"+show.ID+again, adminToken, map[string]any{}); w.Code != http.StatusConflict {
			t.Errorf("%s: %d %s", again, w.Code, w.Body)
		}
	}
	h.publish(1) // no publish carries it out
	if st := h.rooms.StatusOf(h.room.ID); st.Show == nil || st.Show.ID == show.ID {
		t.Errorf("%+v", st.Show)
	} else if w := h.ask(http.MethodPost, "/api/v1/shows/"+st.Show.ID+"/call-off", adminToken, nil); w.Code != http.StatusConflict {
		t.Errorf("on air: %d", w.Code)
	}
}

// What viewers do comes into the reports, by token, and by beacon from another site's page.
func TestEventsAndReports(t *testing.T) {
	h := newHouse(t)
	var lamp Product
	h.read(http.StatusCreated, &lamp, http.MethodPost, "/api/v1/stores/"+account.DefaultStore+"/products", adminToken, map[string]any{"title": "=Lamp", "price": 100, "currency": "CNY"})
	h.publish(2)
	show, viewer := h.rooms.StatusOf(h.room.ID).Show.ID, h.viewer()
	var code, same ShareCode
	h.read(http.StatusOK, &code, http.MethodPost, "/api/v1/shows/"+show+"/share-codes", viewer, nil)
	h.read(http.StatusOK, &same, http.MethodGet, "/api/v1/share-codes/"+code.Code, "", nil)
	if code != same || code.URL != "http://shop.example:8080/r/"+h.room.ID+"?share="+code.Code {
		t.Errorf("%+v, %+v", code, same)
	}
	event := func(id, kind string) map[string]any {
		return map[string]any{"id": id, "kind": kind, "product_id": lamp.ID, "show_id": show, "show_time_ms": 1000, "source": "live", "share_code": code.Code}
	}
	var taken FunnelTaken
	h.read(http.StatusAccepted, &taken, http.MethodPost, "/api/v1/events", viewer, map[string]any{"events": []any{event("a", "exposure"), event("a", "exposure"), event("x y", "click")}})
	if taken.Accepted != 2 || taken.Dropped["malformed"] != 1 {
		t.Errorf("%+v", taken)
	}
	for token, want := range map[string]int{viewer: http.StatusAccepted, "": http.StatusUnauthorized} {
		body := fmt.Sprintf(`{"token":%q,"events":[{"id":"b","kind":"click","product_id":%q,"show_id":%q,"source":"live"}]}`, token, lamp.ID, show)
		r := httptest.NewRequest(http.MethodPost, "http://shop.example:8080/api/v1/events/beacon", strings.NewReader(body))
		r.Header.Set("Content-Type", "text/plain;charset=UTF-8")
		r.Header.Set("Origin", "https://elsewhere.example")
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		r.AddCookie(&http.Cookie{Name: viewerCookie, Value: viewer})
		w := httptest.NewRecorder()
		if h.server.Handler().ServeHTTP(w, r); w.Code != want {
			t.Errorf("beacon: %d %s", w.Code, w.Body)
		}
	}
	h.stored()
	var r Report
	h.read(http.StatusOK, &r, http.MethodGet, "/api/v1/shows/"+show+"/report", adminToken, nil)
	want := ReportRow{Viewers: 1, Exposures: 1, Clickers: 1, Clicks: 1, ClickRate: 1, Sales: []ReportSales{}}
	if fmt.Sprint(r.Totals) != fmt.Sprint(want) || len(r.Products) != 1 || r.Products[0].Title != "=Lamp" || len(r.ShareCodes) != 2 || r.WindowHours != 24 {
		t.Errorf("%+v", r)
	}
	w := h.ask(http.MethodGet, "/api/v1/shows/"+show+"/report.csv", adminToken, nil)
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "text/csv; charset=utf-8" || !strings.Contains(w.Body.String(), "\n"+lamp.ID+",'=Lamp,1,1,1,1,0,,0,") {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	period := "?from=" + h.now.Add(-time.Hour).Format(time.RFC3339) + "&to=" + h.now.Add(time.Hour).Format(time.RFC3339)
	var all StoreReport
	h.read(http.StatusOK, &all, http.MethodGet, "/api/v1/stores/"+account.DefaultStore+"/report"+period, adminToken, nil)
	if len(all.Shows) != 1 || all.Shows[0].Key != show || all.Totals.Clicks != 1 {
		t.Errorf("%+v", all)
	}
	if w := h.ask(http.MethodGet, "/api/v1/stores/"+account.DefaultStore+"/report.csv"+period, adminToken, nil); w.Code != http.StatusOK || !strings.HasPrefix(w.Body.String(), "\ufeffshow,title,") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	_, assistant := h.staff(account.DefaultStore, "assistant", account.Assistant)
	for _, path := range []string{"/report", "/report.csv"} {
		if w := h.as(assistant, http.MethodGet, "/api/v1/shows/"+show+path, nil); w.Code != http.StatusForbidden {
			t.Errorf("an assistant reads %s: %d", path, w.Code)
		}
	}
	var channel ShareCode
	h.read(http.StatusOK, &channel, http.MethodPut, "/api/v1/shows/"+show+"/channels/group-5", adminToken, nil)
	var channels Page[ShareCode]
	h.read(http.StatusOK, &channels, http.MethodGet, "/api/v1/shows/"+show+"/channels", adminToken, nil)
	if len(channels.Items) != 1 || channels.Items[0] != channel || channel.Channel != "group-5" {
		t.Errorf("%+v", channels)
	}
}
