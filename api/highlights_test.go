package api

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/live"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/overlay"
	"github.com/vitrine-live/vitrine/replay/highlight"
	"github.com/vitrine-live/vitrine/store/sqldb"
)

func highlightDeps(db *sqldb.DB, rooms *live.Rooms, timeline *overlay.Timeline, clock func() time.Time) HighlightDeps {
	return HighlightDeps{highlight.New(highlight.Deps{
		Store: db, Timeline: timeline, Now: clock, OnAir: func() []highlight.Sample { return nil },
		Duration: func(ctx context.Context, showID string) (media.Ticks, error) {
			show, err := rooms.Show(ctx, showID)
			return show.Duration, err
		},
	})}
}

// lovedShow is one of ten minutes whose audience loved its fifth.
func (h *house) lovedShow() string {
	h.t.Helper()
	show := live.Show{
		ID: "show_aaaaaaaaaaaaaaaa", RoomID: h.room.ID, StoreID: h.room.StoreID, Title: "Evening", State: live.Ended, CreatedAt: h.now, StartedAt: h.now,
		EndedAt: h.now.Add(10 * time.Minute), Duration: 600 * media.TicksPerSecond,
	}
	if err := h.db.CreateShow(h.t.Context(), show); err != nil {
		h.t.Fatal(err)
	}
	var events []overlay.Event
	add := func(second int64, typ overlay.Type, data any) {
		b, err := json.Marshal(data)
		if err != nil {
			h.t.Fatal(err)
		}
		events = append(events, overlay.Event{Type: typ, ShowTime: media.FromMilliseconds(second * 1000), Wall: h.now, Data: b})
	}
	for s := range int64(600) {
		likes := int64(10)
		if s > 305 && s < 330 {
			likes = 120
			add(s+4, overlay.TypeComment, overlay.CommentData{ID: "c", Name: "n", Text: "t"})
		}
		if s%3 == 0 {
			add(s, overlay.TypeLikes, overlay.LikesData{Count: likes})
		}
	}
	if _, err := h.db.AppendEvents(h.t.Context(), show.ID, events); err != nil {
		h.t.Fatal(err)
	}
	if err := h.db.AddViewerSamples(h.t.Context(), []highlight.Sample{{ShowID: show.ID, At: 0, Viewers: 10}, {ShowID: show.ID, At: 10 * media.TicksPerSecond, Viewers: 20}}); err != nil {
		h.t.Fatal(err)
	}
	return "/api/v1/shows/" + show.ID
}

func TestHighlights(t *testing.T) {
	h := newHouse(t)
	show := h.lovedShow()
	var list Page[Highlight]
	h.read(http.StatusOK, &list, http.MethodGet, show+"/highlights", adminToken, nil)
	if len(list.Items) != 1 || list.Items[0].State != "proposed" || list.Items[0].FromMS > 305_000 || list.Items[0].ToMS < 325_000 || len(list.Items[0].Reasons) != 2 ||
		list.Items[0].DecidedAt != nil {
		t.Fatalf("%+v", list)
	}
	found := list.Items[0]
	for _, r := range found.Reasons {
		if r.Value < 10 || r.Strength < 4 {
			t.Errorf("%+v", r)
		}
	}
	one := show + "/highlights/" + found.ID
	var got Highlight
	h.read(http.StatusOK, &got, http.MethodPatch, one, adminToken, map[string]any{"state": "accepted", "from_ms": 300_500, "title": " 茶 "})
	if got.State != "accepted" || got.FromMS != 300_500 || got.ToMS != found.ToMS || got.Title != "茶" || got.DecidedBy != "admin" || got.DecidedAt == nil || got.Score != found.Score {
		t.Errorf("%+v", got)
	}
	h.read(http.StatusOK, &list, http.MethodGet, show+"/highlights", adminToken, nil)
	if len(list.Items) != 1 || list.Items[0].FromMS != 300_500 || list.Items[0].ID != found.ID {
		t.Errorf("%+v", list)
	}
	for _, c := range []struct {
		body any
		want int
	}{
		{map[string]any{"state": "loved"}, http.StatusUnprocessableEntity},
		{map[string]any{"from_ms": -1}, http.StatusUnprocessableEntity},
		{map[string]any{"from_ms": 500_000, "to_ms": 400_000}, http.StatusUnprocessableEntity},
		{map[string]any{"to_ms": 600_001}, http.StatusUnprocessableEntity},
		{map[string]any{"from_ms": int64(1) << 62}, http.StatusUnprocessableEntity},
		{map[string]any{"from_ms": "NaN"}, http.StatusUnprocessableEntity},
		{map[string]any{"from_ms": 1.5}, http.StatusUnprocessableEntity},
		{map[string]any{}, http.StatusOK},
	} {
		if w := h.ask(http.MethodPatch, one, adminToken, c.body); w.Code != c.want {
			t.Errorf("%v: %d %s", c.body, w.Code, w.Body)
		}
	}
	for _, id := range []string{"hl_1", "hl_x", "..%2F..%2Fx", "hl_99999999999999999999"} {
		if w := h.ask(http.MethodPatch, show+"/highlights/"+id, adminToken, map[string]any{"state": "accepted"}); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d %s", id, w.Code, w.Body)
		}
	}
}

func TestSignals(t *testing.T) {
	h := newHouse(t)
	show := h.lovedShow()
	var s Signals
	h.read(http.StatusOK, &s, http.MethodGet, show+"/signals", adminToken, nil)
	if s.StepMS != 1000 || s.DurationMS != 600_000 || len(s.Likes) != 600 || len(s.Viewers) != 600 || len(s.Score) != 600 || *s.Viewers[5] != 15 || s.Viewers[100] != nil || s.Loudness[0] != -70 {
		t.Errorf("%+v", s)
	}
	h.read(http.StatusOK, &s, http.MethodGet, show+"/signals?step_ms=60000", adminToken, nil)
	if len(s.Likes) != 10 || s.Likes[0] != 200 || s.Likes[5] != 20*10+8*110 || s.Comments[5] != 24 {
		t.Errorf("%+v", s)
	}
	for _, step := range []string{"0.5", "NaN", "-1000", "1500", "999"} {
		if w := h.ask(http.MethodGet, show+"/signals?step_ms="+step, adminToken, nil); w.Code != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", step, w.Code)
		}
	}
}
