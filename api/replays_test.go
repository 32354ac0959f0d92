package api

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/commerce/account"
)

type replayHouse struct {
	*house
	show string
	pins [2]string
}

// newReplayHouse has a show of twelve seconds that is over.
func newReplayHouse(t *testing.T) *replayHouse {
	t.Helper()
	h := &replayHouse{house: newHouse(t, withRecordings(t))}
	h.show, h.pins = h.recorded(6)
	return h
}

func (h *replayHouse) at(name string) string   { return "/api/v1/shows/" + h.show + "/replay" + name }
func (h *replayHouse) file(name string) string { return "/replay/" + h.show + "/" + name }

// edit makes an edit on the newest revision.
func (h *replayHouse) edit(fields map[string]any) (out Replay) {
	h.t.Helper()
	h.read(http.StatusOK, &out, http.MethodGet, h.at(""), adminToken, nil)
	fields["revision"] = out.Revision
	h.read(http.StatusOK, &out, http.MethodPost, h.at("/edits"), adminToken, fields)
	return out
}

// status is the answer to a viewer, or to whoever the headers name.
func (h *replayHouse) status(name string, header ...string) (int, http.Header) {
	h.t.Helper()
	w := h.ask(http.MethodGet, h.file(name), "", nil, header...)
	return w.Code, w.Header()
}

func TestReplayIsEdited(t *testing.T) {
	h := newReplayHouse(t)
	var r Replay
	h.read(http.StatusOK, &r, http.MethodGet, h.at(""), adminToken, nil)
	if !r.Published || !r.Visible || r.Revision != 0 || r.DurationMS != 12_000 || r.PlayMS != 12_000 || len(r.Ranges) != 1 || r.CanUndo {
		t.Fatalf("%+v", r)
	}
	r = h.edit(map[string]any{"kind": "cut", "from_ms": 3500, "to_ms": 8000}) // 4-6 and 6-8 lie wholly in it
	if r.Revision != 1 || r.PlayMS != 8000 || !slices.Equal(r.Ranges, []SpanMS{{0, 4000}, {8000, 12_000}}) || !slices.Equal(r.Cuts, []SpanMS{{3500, 8000}}) || !r.CanUndo {
		t.Errorf("%+v", r)
	}
	h.edit(map[string]any{"kind": "rename_chapter", "chapter": h.pins[1], "title": "Black tea, brewed"})
	h.edit(map[string]any{"kind": "cover", "at_ms": 9000})

	var side struct {
		Ranges, Cuts []SpanMS
		PlayMS       int64 `json:"play_ms"`
		DurationMS   int64 `json:"duration_ms"`
		Events       []struct {
			Type string
			At   int64 `json:"show_time_ms"`
		}
	}
	h.read(http.StatusOK, &side, http.MethodGet, h.file("timeline.json"), "", nil)
	if !slices.Equal(side.Ranges, r.Ranges) || !slices.Equal(side.Cuts, r.Cuts) || side.PlayMS != 8000 {
		t.Errorf("%+v", side)
	}
	i := slices.IndexFunc(side.Events, func(e struct {
		Type string
		At   int64 `json:"show_time_ms"`
	},
	) bool {
		return e.Type == "pin" && e.At == 6000
	})
	if i < 0 {
		t.Errorf("events do not stay in show time: %+v", side.Events)
	}

	var page Replay
	h.server.Editor = http.NotFoundHandler()
	h.read(http.StatusOK, &page, http.MethodGet, h.at(""), adminToken, nil)
	if want := "/edit/" + h.show; page.EditorURL != want {
		t.Errorf("it is edited at %q, not %q", page.EditorURL, want)
	}
	var edits Page[ReplayEdit]
	h.read(http.StatusOK, &edits, http.MethodGet, h.at("/edits?limit=2"), adminToken, nil)
	if len(edits.Items) != 2 || edits.Items[0].Kind != "cover" || *edits.Items[0].AtMS != 9000 || edits.Items[0].By != "admin" || edits.Next == nil {
		t.Fatalf("%+v", edits)
	}
	next := *edits.Next
	edits = Page[ReplayEdit]{}
	h.read(http.StatusOK, &edits, http.MethodGet, h.at("/edits?limit=2&after="+next), adminToken, nil)
	if len(edits.Items) != 1 || edits.Items[0].Kind != "cut" || *edits.Items[0].FromMS != 3500 || edits.Next != nil {
		t.Errorf("%+v", edits)
	}
	for range 3 {
		h.read(http.StatusOK, &r, http.MethodPost, h.at("/edits/undo"), adminToken, map[string]any{"revision": h.revision()})
	}
	if r.PlayMS != 12_000 || len(r.Cuts) != 0 || r.CoverMS != nil || r.CanUndo || !r.CanRedo || r.Revision != 6 {
		t.Errorf("all undone: %+v", r)
	}
	h.detail(http.StatusConflict, http.MethodPost, h.at("/edits/undo"), adminToken, map[string]any{"revision": 6})
	h.read(http.StatusOK, &r, http.MethodPost, h.at("/edits/redo"), adminToken, map[string]any{"revision": 6})
	if r.PlayMS != 8000 {
		t.Errorf("redone: %+v", r)
	}
}

func (h *replayHouse) revision() int64 {
	h.t.Helper()
	var r Replay
	h.read(http.StatusOK, &r, http.MethodGet, h.at(""), adminToken, nil)
	return r.Revision
}

func TestReplayChapters(t *testing.T) {
	h := newReplayHouse(t)
	h.edit(map[string]any{"kind": "cut", "from_ms": 3500, "to_ms": 8000})
	h.edit(map[string]any{"kind": "rename_chapter", "chapter": h.pins[1], "title": "Black tea, brewed"})
	var doc PublicChapters
	h.read(http.StatusOK, &doc, http.MethodGet, h.file("chapters.json"), "", nil)
	if doc.DurationMS != 8000 || len(doc.Chapters) != 2 {
		t.Fatalf("%+v", doc)
	}
	a, b := doc.Chapters[0], doc.Chapters[1]
	if a.ID != h.pins[0] || a.FromMS != 2000 || a.ToMS != 6000 || a.PlayFromMS != 2000 || a.PlayToMS != 4000 || a.Link != "https://shop.example/tea" || a.Product.Title != "Green <tea> & cup" {
		t.Errorf("%+v", a)
	}
	if b.FromMS != 6000 || b.PlayFromMS != 4000 || b.Title != "Black tea, brewed" || b.PinID != h.pins[1] {
		t.Errorf("%+v", b)
	}
	w := h.ask(http.MethodGet, h.file("chapters.vtt"), "", nil)
	want := "WEBVTT\n\n" + h.pins[0] + "\n00:00:02.000 --> 00:00:04.000\nGreen &lt;tea&gt; &amp; cup\n\n" + h.pins[1] + "\n00:00:04.000 --> "
	if got := w.Body.String(); !strings.HasPrefix(got, want) || w.Header().Get("Content-Type") != "text/vtt; charset=utf-8" || w.Header().Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("%s\n%v", got, w.Header())
	}
	h.edit(map[string]any{"kind": "hide_chapter", "chapter": h.pins[0]})
	var list ChapterList
	h.read(http.StatusOK, &list, http.MethodGet, h.at("/chapters"), adminToken, nil)
	if len(list.Items) != 2 || !list.Items[0].Hidden || *list.Items[0].PlayFromMS != 2000 {
		t.Errorf("%+v", list)
	}
	if got := h.ask(http.MethodGet, h.file("chapters.vtt"), "", nil).Body.String(); strings.Contains(got, h.pins[0]) {
		t.Errorf("a hidden chapter is shown:\n%s", got)
	}
}

func TestStaleEditLearnsTheRevision(t *testing.T) {
	h := newReplayHouse(t)
	h.edit(map[string]any{"kind": "cut", "from_ms": 0, "to_ms": 2000})
	w := h.ask(http.MethodPost, h.at("/edits"), adminToken, map[string]any{"revision": 0, "kind": "unpublish"})
	var p struct {
		Detail string
		Errors []struct {
			Location string
			Value    int64
		}
	}
	decodeInto(t, w, http.StatusConflict, &p)
	if len(p.Errors) != 1 || p.Errors[0].Location != "body.revision" || p.Errors[0].Value != 1 || !strings.Contains(p.Detail, "revision 1") {
		t.Errorf("%s", w.Body)
	}
}

func TestHostileEdits(t *testing.T) {
	h := newReplayHouse(t)
	for name, fields := range map[string]map[string]any{
		"negative":            {"kind": "cut", "from_ms": -1, "to_ms": 5},
		"reversed":            {"kind": "cut", "from_ms": 5000, "to_ms": 4000},
		"beyond the end":      {"kind": "cut", "from_ms": 5000, "to_ms": 12_001},
		"everything":          {"kind": "cut", "from_ms": 0, "to_ms": 12_000},
		"without an end":      {"kind": "cut", "from_ms": 0},
		"a number in words":   {"kind": "cut", "from_ms": "NaN", "to_ms": "Infinity"},
		"a fraction":          {"kind": "cut", "from_ms": 0.5, "to_ms": 2000},
		"a huge number":       {"kind": "cut", "from_ms": 0, "to_ms": 1e300},
		"a list":              {"kind": "cut", "from_ms": []int{1}, "to_ms": 5},
		"another kind":        {"kind": "format", "from_ms": 0, "to_ms": 5},
		"undo":                {"kind": "undo"},
		"a path":              {"kind": "hide_chapter", "chapter": "../../index.jsonl"},
		"a long path":         {"kind": "hide_chapter", "chapter": strings.Repeat("../", 100)},
		"two lines":           {"kind": "rename_chapter", "chapter": h.pins[0], "title": "a\r\nX-Evil: 1"},
		"NUL":                 {"kind": "rename_chapter", "chapter": h.pins[0], "title": "a\x00b"},
		"split outside":       {"kind": "split_chapter", "chapter": h.pins[0], "at_ms": 11_000},
		"merge with itself":   {"kind": "merge_chapters", "chapter": h.pins[0], "with": h.pins[0]},
		"a cover beyond":      {"kind": "cover", "at_ms": 12_000},
		"no instant":          {"kind": "expire", "expires_at": "tomorrow"},
		"an unknown field":    {"kind": "cut", "from_ms": 0, "to_ms": 2000, "path": "/etc/passwd"},
		"a negative revision": {"kind": "unpublish", "revision": -1},
	} {
		body := map[string]any{"revision": 0}
		for k, v := range fields {
			body[k] = v
		}
		w := h.ask(http.MethodPost, h.at("/edits"), adminToken, body)
		var p struct{ Errors []struct{ Location string } }
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Code != http.StatusUnprocessableEntity || len(p.Errors) == 0 || !strings.HasPrefix(p.Errors[0].Location, "body") {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	if got := h.revision(); got != 0 {
		t.Errorf("revision %d after nothing but mistakes", got)
	}
	for _, name := range []string{"..%2f" + h.show + "%2findex.jsonl", "whole/index.jsonl", "chapters.vtt/../index.jsonl", "poster-0.jpg", "whole/../0.m4s"} {
		if status, _ := h.status(name); status == http.StatusOK {
			t.Errorf("%s was served", name)
		}
	}
	// Cuts over cuts are taken, as one.
	h.edit(map[string]any{"kind": "cut", "from_ms": 0, "to_ms": 5000})
	if r := h.edit(map[string]any{"kind": "cut", "from_ms": 4000, "to_ms": 6000}); !slices.Equal(r.Cuts, []SpanMS{{0, 6000}}) {
		t.Errorf("%+v", r.Cuts)
	}
}

// served are all names under which viewers read a replay.
var served = []string{
	"index.m3u8", "main.m3u8", "init-1.mp4", "0.m4s", "timeline.json", "chapters.vtt", "chapters.json",
	"storyboard.vtt", "storyboard.json", "waveform.json", "waveform.dat", "loudness.json",
}

func TestUnpublishedReplay(t *testing.T) {
	h := newReplayHouse(t)
	_, session := h.staff(account.DefaultStore, "lee", account.Assistant)
	_, stranger := h.staff(h.store("Coffee"), "stranger", account.Owner)
	r := h.edit(map[string]any{"kind": "unpublish"})
	if r.Visible || !strings.Contains(r.Hidden, "not published") {
		t.Errorf("%+v", r)
	}
	cookie := func(session string) []string { return []string{"Cookie", staffCookie + "=" + session} }
	for _, name := range served {
		w := h.ask(http.MethodGet, h.file(name), "", nil)
		if w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "not published") || w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s to the public: %d %s %v", name, w.Code, w.Body, w.Header())
		}
		for who, header := range map[string][]string{
			"staff": cookie(session), "admin": {"Authorization", "Bearer " + adminToken},
			"token": {"Authorization", "Bearer " + h.apiToken(account.DefaultStore, account.RoomsRead)},
		} {
			if status, header := h.status(name, header...); status != http.StatusOK || header.Get("Cache-Control") != "private, no-cache" {
				t.Errorf("%s to %s: %d %q", name, who, status, header.Get("Cache-Control"))
			}
		}
		for who, header := range map[string][]string{
			"a stranger": cookie(stranger), "a viewer": {"Authorization", "Bearer " + h.viewer()}, "nobody": {"Authorization", "Bearer x"},
			"a token without the scope": {"Authorization", "Bearer " + h.apiToken(account.DefaultStore, account.WebhooksWrite)},
		} {
			if status, _ := h.status(name, header...); status != http.StatusNotFound {
				t.Errorf("%s to %s: %d", name, who, status)
			}
		}
	}
	if got := h.lastShow(); got != nil {
		t.Errorf("the room shows %+v", got)
	}
	h.edit(map[string]any{"kind": "publish"})
	for _, name := range served {
		if status, header := h.status(name); status != http.StatusOK || strings.Contains(header.Get("Cache-Control"), "private") {
			t.Errorf("%s once it is public: %d %v", name, status, header)
		}
	}
	if got := h.lastShow(); got == nil || got.ID != h.show {
		t.Errorf("the room shows %+v", got)
	}
}

func (h *replayHouse) lastShow() *ShowHead {
	h.t.Helper()
	var room PublicRoom
	h.read(http.StatusOK, &room, http.MethodGet, h.path("/public"), "", nil)
	return room.LastShow
}

func TestReplayExpiresAtItsInstant(t *testing.T) {
	h := newReplayHouse(t)
	until := h.now.Add(time.Hour).Truncate(time.Millisecond)
	h.edit(map[string]any{"kind": "expire", "expires_at": until.Format(time.RFC3339Nano)})
	h.now = until.Add(-time.Millisecond)
	for _, name := range served {
		if status, _ := h.status(name); status != http.StatusOK {
			t.Errorf("%s before: %d", name, status)
		}
	}
	h.now = until
	for _, name := range served {
		if w := h.ask(http.MethodGet, h.file(name), "", nil); w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "expired on") {
			t.Errorf("%s at the instant: %d %s", name, w.Code, w.Body)
		}
	}
	if h.lastShow() != nil {
		t.Error("the room still shows it")
	}
	h.edit(map[string]any{"kind": "expire"})
	if status, _ := h.status("main.m3u8"); status != http.StatusOK {
		t.Errorf("for ever again: %d", status)
	}
}

func TestWholeRecordingIsForStaff(t *testing.T) {
	h := newReplayHouse(t)
	h.edit(map[string]any{"kind": "cut", "from_ms": 0, "to_ms": 2000})
	for _, name := range []string{"whole/main.m3u8", "whole/0.m4s", "whole/index.m3u8", "whole/init-1.mp4"} {
		if status, _ := h.status(name); status != http.StatusUnauthorized {
			t.Errorf("%s to the public: %d", name, status)
		}
		status, header := h.status(name, "Authorization", "Bearer "+adminToken)
		if status != http.StatusOK || header.Get("Cache-Control") != "private, no-cache" {
			t.Errorf("%s to staff: %d %v", name, status, header)
		}
	}
	if status, _ := h.status("0.m4s"); status != http.StatusNotFound {
		t.Errorf("what is cut out: %d", status)
	}
}

// A show on air is public whatever its replay will be.
func TestUnpublishedWhileOnAir(t *testing.T) {
	h := &replayHouse{house: newHouse(t, withRecordings(t))}
	h.show = h.onAir()
	if _, _, err := h.server.Archive.Record(h.show); err != nil {
		t.Fatal(err)
	}
	h.edit(map[string]any{"kind": "unpublish"})
	if status, _ := h.status("timeline.json"); status != http.StatusOK {
		t.Errorf("on air: %d", status)
	}
	h.read(http.StatusNoContent, nil, http.MethodPost, h.path("/end"), h.key, nil)
	if status, _ := h.status("timeline.json"); status != http.StatusNotFound {
		t.Errorf("afterwards: %d", status)
	}
}
