package api

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/overlay"
)

// sidecarText is timeline.json of a show.
func (h *house) sidecarText(show string) string {
	h.t.Helper()
	return h.ask("GET", "/replay/"+show+"/timeline.json", "", nil).Body.String()
}

func say(text string, at ...int64) map[string]any {
	body := map[string]any{"text": text}
	if len(at) > 0 {
		body["show_time_ms"] = at[0]
	}
	return body
}

func TestCommentsStandOnTheTimeline(t *testing.T) {
	h := newHouse(t)
	show := h.onAir()
	path := "/api/v1/shows/" + show + "/comments"
	var seen, now PostedComment
	h.read(http.StatusCreated, &seen, "POST", path, h.viewer(), say("  好看\u202e！\n\tGreat  ", 700))
	if seen.ShowTimeMS != 700 || seen.Text != "好看！ Great" || seen.State != "shown" || !strings.HasPrefix(seen.Name, "#") {
		t.Errorf("%+v", seen)
	}
	h.now = h.now.Add(10 * time.Millisecond)
	h.read(http.StatusCreated, &now, "POST", path, h.viewer(), say("from the future", 900_000))
	if now.ShowTimeMS < 1900 || now.ShowTimeMS > 2100 {
		t.Errorf("a playhead that cannot be: %+v", now)
	}
	if text := h.sidecarText(show); !strings.Contains(text, "好看！ Great") || !strings.Contains(text, seen.ID) || strings.Contains(text, "visitor:") {
		t.Errorf("the replay lacks the comment, or says who made it: %s", text)
	}
	var list Page[StaffComment]
	h.read(http.StatusOK, &list, "GET", path+"?limit=1", adminToken, nil)
	if len(list.Items) != 1 || list.Items[0].ID != now.ID || list.Next == nil || !strings.HasPrefix(list.Items[0].ViewerID, "visitor:") {
		t.Errorf("%+v", list)
	}
	if err := h.rooms.End(t.Context(), h.room.ID); err != nil {
		t.Fatal(err)
	}
	h.read(http.StatusConflict, nil, "POST", path, h.viewer(), say("too late"))

	h.read(http.StatusOK, nil, "DELETE", path+"/"+seen.ID, adminToken, nil) // after the show, and once more
	h.read(http.StatusOK, nil, "DELETE", path+"/"+seen.ID, adminToken, nil)
	if text := h.sidecarText(show); strings.Contains(text, "好看") || !strings.Contains(text, `"hidden":true`) || !strings.Contains(text, "from the future") {
		t.Errorf("after hiding: %s", text)
	}
	h.read(http.StatusNotFound, nil, "DELETE", path+"/cmt_x", adminToken, nil)
}

func TestCommentsAreModerated(t *testing.T) {
	h := newHouse(t)
	show := h.onAir()
	path, mutes := "/api/v1/shows/"+show+"/comments", "/api/v1/shows/"+show+"/mutes"
	h.read(http.StatusUnprocessableEntity, nil, "POST", path, h.viewer(), say("Ｆ Ｕ Ｃ Ｋ"))
	h.read(http.StatusUnprocessableEntity, nil, "POST", path, h.viewer(), say(strings.Repeat("长", 201)))
	h.read(http.StatusUnprocessableEntity, nil, "POST", path, h.viewer(), say("\u200b\u0007"))
	var held PostedComment
	author := h.viewer()
	h.read(http.StatusCreated, &held, "POST", path, author, say("加 你.微-信 便宜"))
	if held.State != "shown" {
		t.Fatalf("a word of the list with another within: %+v", held)
	}
	h.read(http.StatusCreated, &held, "POST", path, author, say("加 微-信 便宜"))
	if held.State != "held" || strings.Contains(h.sidecarText(show), held.ID) {
		t.Fatalf("%+v", held)
	}
	var list Page[StaffComment]
	if h.read(http.StatusOK, &list, "GET", path+"?state=held", adminToken, nil); len(list.Items) != 1 || list.Items[0].Reason != "加微信" {
		t.Fatalf("%+v", list)
	}
	h.read(http.StatusOK, nil, "POST", path+"/"+held.ID+"/approve", adminToken, nil)
	h.read(http.StatusConflict, nil, "POST", path+"/"+held.ID+"/approve", adminToken, nil)
	if !strings.Contains(h.sidecarText(show), held.ID) {
		t.Error("an approved comment is not seen")
	}
	var one, all Mute
	h.read(http.StatusCreated, &one, "POST", mutes, adminToken, map[string]any{"comment_id": held.ID})
	h.read(http.StatusForbidden, nil, "POST", path, author, say("hello?"))
	h.read(http.StatusCreated, nil, "POST", path, h.viewer(), say("hello!"))
	h.read(http.StatusCreated, &all, "POST", mutes, adminToken, map[string]any{"everybody": true})
	h.read(http.StatusForbidden, nil, "POST", path, h.viewer(), say("hello!"))
	h.read(http.StatusUnprocessableEntity, nil, "POST", mutes, adminToken, map[string]any{"everybody": true, "viewer_id": "x"})
	for _, m := range []Mute{one, all} {
		h.read(http.StatusNoContent, nil, "DELETE", mutes+"/"+m.ID, adminToken, nil)
	}
	h.read(http.StatusCreated, nil, "POST", path, author, say("back again"))
	var muted Page[Mute]
	if h.read(http.StatusOK, &muted, "GET", mutes, adminToken, nil); len(muted.Items) != 0 {
		t.Errorf("%+v", muted)
	}
}

func TestCommentsAreLimited(t *testing.T) {
	h := newHouse(t)
	path := "/api/v1/shows/" + h.onAir() + "/comments"
	token := h.viewer()
	for range 5 {
		h.read(http.StatusCreated, nil, "POST", path, token, say("hi"))
	}
	h.read(http.StatusTooManyRequests, nil, "POST", path, token, say("hi"))
	h.now = h.now.Add(2 * time.Second)
	h.read(http.StatusCreated, nil, "POST", path, token, say("hi"))
}

func TestLikesAreCoalesced(t *testing.T) {
	h := newHouse(t)
	show := h.onAir()
	path := "/api/v1/shows/" + show + "/likes"
	var total LikesTotal
	for _, token := range []string{h.viewer(), h.viewer()} {
		for range 10 {
			h.read(http.StatusOK, &total, "POST", path, token, map[string]any{"count": 30})
		}
	}
	if total.Total != 600 || h.told != 600 {
		t.Errorf("%d likes, the channel heard of %d", total.Total, h.told)
	}
	h.read(http.StatusUnprocessableEntity, nil, "POST", path, h.viewer(), map[string]any{"count": 31})
	bursts := func() (all []overlay.LikesData) {
		events, err := h.server.Timeline.Events(t.Context(), show, 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			var data overlay.LikesData
			if e.Type == overlay.TypeLikes && json.Unmarshal(e.Data, &data) == nil {
				all = append(all, data)
			}
		}
		return all
	}
	if n := len(bursts()); n != 0 {
		t.Errorf("%d events before anything was kept", n)
	}
	h.likes.Flush(t.Context())
	h.likes.Flush(t.Context())
	h.read(http.StatusOK, &total, "POST", path, h.viewer(), map[string]any{"count": 1})
	h.likes.Flush(t.Context())
	if got := bursts(); len(got) != 2 || got[0] != (overlay.LikesData{Count: 600, Total: 600}) || got[1] != (overlay.LikesData{Count: 1, Total: 601}) {
		t.Errorf("%+v", got)
	}
}

func TestLotteryConditions(t *testing.T) {
	h := newHouse(t)
	show := h.onAir()
	terms := lotteryTerms(show)
	terms["conditions"] = map[string]any{"phrase": "我要 茶", "min_likes": 40}
	var l Lottery
	h.read(http.StatusCreated, &l, "POST", "/api/v1/stores/store_default/lotteries", adminToken, terms)
	token, early := h.viewer(), h.viewer()
	h.read(http.StatusCreated, nil, "POST", "/api/v1/shows/"+show+"/comments", early, say("我要茶"))
	h.now = h.now.Add(time.Second)
	h.read(http.StatusOK, nil, "POST", "/api/v1/stores/store_default/lotteries/"+l.ID+"/open", adminToken, nil)
	entries := "/api/v1/lotteries/" + l.ID + "/entries"
	missing := func(token string) string {
		var e LotteryEntry
		h.read(http.StatusOK, &e, "GET", entries+"/mine", token, nil)
		return strings.Join(e.Missing, " ")
	}
	if got := missing(early); got != "comment likes" {
		t.Errorf("a comment from before the opening: %q is missing", got)
	}
	h.read(http.StatusConflict, nil, "POST", entries, token, nil)
	h.read(http.StatusCreated, nil, "POST", "/api/v1/shows/"+show+"/comments", token, say("老板，我要【茶】！"))
	h.read(http.StatusOK, nil, "POST", "/api/v1/shows/"+show+"/likes", token, map[string]any{"count": 30})
	h.likes.Flush(t.Context())
	if got := missing(token); got != "likes" {
		t.Errorf("%q is missing", got)
	}
	h.read(http.StatusOK, nil, "POST", "/api/v1/shows/"+show+"/likes", token, map[string]any{"count": 10}) // not kept yet: it counts all the same
	h.read(http.StatusOK, nil, "POST", entries, token, nil)
}
