package clip_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/overlay"
	"github.com/vitrine-live/vitrine/replay/clip"
)

// An instant clip is there while the show is on air, names its own segments alone, and tells what stood on the picture.
func TestInstantClip(t *testing.T) {
	h := newHouse(t, clip.Config{})
	h.tape.play(2)
	carried, inside := h.pin(1, 1000, 7000), h.pin(2, 6000, 9500)
	h.pin(3, 200, 900)
	c, err := h.clips.Create(t.Context(), clip.Want{ShowID: h.show.ID, From: ms(3440), To: ms(9000), Title: "Two\nteas"})
	if err != nil || c.State != clip.Done || c.Title != "Two teas" || !clip.ValidID(c.ID) {
		t.Fatalf("%+v, %v", c, err)
	}
	text := h.get(c.ID, "main.m3u8").Body.String()
	for _, want := range []string{"#EXT-X-PLAYLIST-TYPE:VOD", "#EXT-X-ENDLIST", "TIME-OFFSET=1.440000,PRECISE=YES", "#EXT-X-MEDIA-SEQUENCE:1\n", "\n4.m4s\n", `URI="init-1.mp4"`} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	for name, want := range map[string]int{
		"index.m3u8": 200, "ts/index.m3u8": 200, "ts/main.m3u8": 200, "1.m4s": 200, "4.m4s": 200, "ts/2.ts": 200, "init-1.mp4": 200,
		"0.m4s": 404, "5.m4s": 404, "ts/0.ts": 404, "init-2.mp4": 404, "1.0.m4s": 404, "clip.mp4": 404, "index.jsonl": 404, "../../vitrine.db": 404,
		"ts/../0.m4s": 404, "poster.jpg": 200, "chapters.vtt": 200, "result.json": 404, "ts/1.m4s": 404, "1.ts": 404,
	} {
		if w := h.get(c.ID, name); w.Code != want {
			t.Errorf("%s: %d, want %d: %.80s", name, w.Code, want, w.Body)
		}
	}
	doc, err := h.clips.Sidecar(t.Context(), c.ID)
	if err != nil {
		t.Fatal(err)
	}
	h.checkSidecar(doc, carried, inside)
}

func (h *house) checkSidecar(doc *clip.Sidecar, carried, inside overlay.Pin) {
	h.t.Helper()
	var seen []string
	for _, e := range doc.Events {
		if e.ClipTime != e.ShowTime-doc.From || e.ClipTime < 0 || e.ShowTime >= doc.To || e.Carried && e.ClipTime != 0 {
			h.t.Errorf("%+v", e)
		}
		word := string(e.Type)
		if e.Carried {
			word = "carried " + word
		}
		seen = append(seen, word)
	}
	if got := strings.Join(seen, ", "); got != "carried pin, pin, unpin" {
		h.t.Errorf("events: %s", got)
	}
	if doc.From != 3440 || doc.Duration != 5560 || doc.HLSFrom != 1440 || doc.HLS == nil || doc.MP4 != nil || len(doc.Epochs) != 1 {
		h.t.Errorf("%+v", doc)
	}
	if len(doc.Chapters) != 2 || doc.Chapters[0].PinID != carried.ID || doc.Chapters[0].From != 0 || doc.Chapters[1].PinID != inside.ID ||
		doc.Chapters[1].From != 2560 || doc.Chapters[1].To != 5560 || doc.Chapters[1].Link == "" {
		h.t.Errorf("%+v", doc.Chapters)
	}
}

// A clip of what is just being recorded is a playlist that grows, until its end is there.
func TestClipOfTheEdge(t *testing.T) {
	h := newHouse(t, clip.Config{})
	h.tape.play(1)
	c, err := h.clips.Create(t.Context(), clip.Want{ShowID: h.show.ID, From: ms(3000), To: ms(7000)})
	if err != nil {
		t.Fatal(err)
	}
	if text := h.get(c.ID, "main.m3u8").Body.String(); strings.Contains(text, "ENDLIST") || !strings.Contains(text, "TYPE:EVENT") {
		t.Error(text)
	}
	h.tape.connect(3 * time.Second)
	h.tape.play(1)
	h.end()
	if text := h.get(c.ID, "main.m3u8").Body.String(); !strings.Contains(text, "ENDLIST") {
		t.Error(text)
	}
}

// What nobody can mean is refused with the field that is wrong.
func TestHostileWants(t *testing.T) {
	h := newHouse(t, clip.Config{})
	h.tape.play(1)
	h.end()
	huge := media.Ticks(math.MaxInt64)
	for name, c := range map[string]struct {
		want  clip.Want
		field string
	}{
		"negative":         {clip.Want{From: ms(-1), To: ms(1000)}, "from_ms"},
		"reversed":         {clip.Want{From: ms(2000), To: ms(1000)}, "to_ms"},
		"empty":            {clip.Want{From: ms(2000), To: ms(2000)}, "to_ms"},
		"a frame":          {clip.Want{From: ms(2000), To: ms(2040)}, "to_ms"},
		"beyond the end":   {clip.Want{From: ms(1000), To: ms(9000)}, "to_ms"},
		"begins beyond":    {clip.Want{From: ms(9000), To: ms(9900)}, "from_ms"},
		"huge":             {clip.Want{From: ms(0), To: &huge}, "to_ms"},
		"least":            {clip.Want{From: new(media.Ticks(math.MinInt64)), To: &huge}, "from_ms"},
		"no end":           {clip.Want{From: ms(0)}, "to_ms"},
		"no beginning":     {clip.Want{To: ms(1000)}, "from_ms"},
		"nothing":          {clip.Want{}, "from_ms"},
		"two ways":         {clip.Want{From: ms(0), To: ms(1000), Chapter: "x"}, "from_ms"},
		"kind":             {clip.Want{From: ms(0), To: ms(1000), Kind: "../x"}, "kind"},
		"style of a copy":  {clip.Want{From: ms(0), To: ms(1000), Kind: clip.Copy, Style: []byte("{}")}, "style"},
		"title":            {clip.Want{From: ms(0), To: ms(1000), Title: strings.Repeat("茶", 121)}, "title"},
		"pad":              {clip.Want{Event: &clip.Around{Seq: 1, Before: -1}}, "event.before_ms"},
		"pad, huge":        {clip.Want{Event: &clip.Around{Seq: 1, After: huge}}, "event.after_ms"},
		"event of nothing": {clip.Want{Event: &clip.Around{}}, "event"},
	} {
		c.want.ShowID = h.show.ID
		_, err := h.clips.Create(t.Context(), c.want)
		if errs.KindOf(err) != errs.Invalid || errs.FieldOf(err) != c.field {
			t.Errorf("%s: %v, field %q", name, err, errs.FieldOf(err))
		}
	}
	for _, w := range []clip.Want{{Chapter: "../../x"}, {Highlight: "x"}, {Event: &clip.Around{Pin: "pin_x"}}, {Event: &clip.Around{Seq: math.MaxInt64}}, {ShowID: "show_../../etc"}} {
		if w.ShowID == "" {
			w.ShowID = h.show.ID
		}
		_, err := h.clips.Create(t.Context(), w)
		kind(t, err, errs.NotFound)
	}
	for _, id := range []string{"", "..", "clp_../../../../x", "clp_0123456789abcde/", h.show.ID} {
		if w := h.get(id, "clip.mp4"); w.Code != http.StatusNotFound {
			t.Errorf("%q: %d", id, w.Code)
		}
		kind(t, h.clips.Delete(t.Context(), h.show.ID, id), errs.NotFound)
	}
}

// A file is what was asked for, downloads under a harmless name, in pieces too, and is gone with its clip. It plays without
// the recording, which instant clips do not.
func TestFile(t *testing.T) {
	h := newHouse(t, clip.Config{})
	h.tape.play(2)
	pin := h.pin(1, 2000, 6000)
	h.end()
	c, err := h.clips.Create(t.Context(), clip.Want{
		ShowID: h.show.ID, Kind: clip.Copy, Event: &clip.Around{Pin: pin.ID, Before: 90_000, After: 90_000}, Title: "../..\\\"茶\u202e.exe\r\nX: y",
	})
	if err != nil || c.State != clip.Queued || c.Span != (media.Span{From: 90_000, To: 630_000}) {
		t.Fatalf("%+v, %v", c, err)
	}
	if w := h.get(c.ID, "clip.mp4"); w.Code != http.StatusServiceUnavailable {
		t.Errorf("before it is made: %d", w.Code)
	}
	stop := h.run()
	h.settled()
	stop()
	h.checkFiles([]clip.Clip{c})
	w := h.get(c.ID, "clip.mp4?download", "Range", "bytes=0-99")
	if w.Code != http.StatusPartialContent || w.Body.Len() != 100 || w.Header().Get("ETag") == "" {
		t.Errorf("%d, %d bytes", w.Code, w.Body.Len())
	}
	if name := w.Header().Get("Content-Disposition"); name != "attachment; filename*=utf-8''%E8%8C%B6.exe%20X%20y.mp4" {
		t.Error(name)
	}
	if err := h.archive.Delete(h.show.ID); err != nil {
		t.Fatal(err)
	}
	doc, err := h.clips.Sidecar(t.Context(), c.ID)
	if err != nil || doc.HLS != nil || doc.MP4 == nil || len(doc.Chapters) != 1 {
		t.Errorf("%+v, %v", doc, err)
	}
	for name, want := range map[string]int{"clip.mp4": 200, "main.m3u8": 404, "chapters.vtt": 200, "poster.jpg": 200} {
		if w := h.get(c.ID, name); w.Code != want {
			t.Errorf("%s without the recording: %d", name, w.Code)
		}
	}
	if err := h.clips.Delete(t.Context(), h.show.ID, c.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(h.dir, "clips", c.ID)); !errors.Is(err, os.ErrNotExist) {
		t.Error("the files are still there")
	}
	if w := h.get(c.ID, "clip.mp4"); w.Code != http.StatusNotFound {
		t.Errorf("deleted: %d", w.Code)
	}
}

// A recording that is deleted for good takes along what stood on it: instant clips and pictures. Files stay.
func TestRecordingDeleted(t *testing.T) {
	h := newHouse(t, clip.Config{})
	h.tape.play(2)
	h.end()
	create := func(k clip.Kind) clip.Clip {
		c, err := h.clips.Create(t.Context(), clip.Want{ShowID: h.show.ID, Kind: k, From: ms(1000), To: ms(4000)})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	instant, file := create(clip.Instant), create(clip.Copy)
	stop := h.run()
	h.settled()
	stop()
	waits := create(clip.Copy)
	for _, c := range []clip.Clip{instant, file, waits} {
		if w := h.get(c.ID, "poster.jpg"); w.Code != http.StatusOK {
			t.Fatalf("%s: %d %s", c.Kind, w.Code, w.Body)
		}
	}
	if err := h.archive.Delete(h.show.ID); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"index.m3u8", "main.m3u8", "0.m4s", "poster.jpg"} { // whether or not anybody told the clips
		if w := h.get(instant.ID, name); w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "not there any more") {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	for range 2 { // a second time nothing is left to do
		if err := h.clips.RecordingDeleted(t.Context(), h.show.ID); err != nil {
			t.Fatal(err)
		}
	}
	_, err := h.clips.Get(t.Context(), h.show.ID, instant.ID)
	kind(t, err, errs.NotFound)
	gone := []string{instant.ID, filepath.Join(waits.ID, "poster.jpg")}
	absent := func() {
		t.Helper()
		for _, name := range gone {
			if _, err := os.Stat(filepath.Join(h.dir, "clips", name)); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("%s is still there", name)
			}
		}
	}
	absent()
	for name, want := range map[string]int{"clip.mp4": 200, "poster.jpg": 200, "main.m3u8": 404} {
		if w := h.get(file.ID, name); w.Code != want {
			t.Errorf("%s of the file: %d", name, w.Code)
		}
	}
	// Whoever was not told finds out with the next start.
	if err := os.MkdirAll(filepath.Join(h.dir, "clips", instant.ID), 0o750); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{instant.ID, waits.ID} {
		if err := os.WriteFile(filepath.Join(h.dir, "clips", id, "poster.jpg"), []byte("a picture"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.clips.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := clip.Open(filepath.Join(h.dir, "clips"), clip.Config{Reserve: -1}, h.clips.Deps)
	if err != nil {
		t.Fatal(err)
	}
	h.clips = again
	stop = h.run()
	h.settled()
	stop()
	absent()
	if c, err := h.clips.Get(t.Context(), h.show.ID, waits.ID); err != nil || c.State != clip.Failed || !strings.Contains(c.Error, "not there any more") {
		t.Errorf("%+v, %v", c, err)
	}
	if w := h.get(file.ID, "clip.mp4"); w.Code != http.StatusOK {
		t.Errorf("the file: %d", w.Code)
	}
}

// slowMaker makes nothing until it is cancelled.
type slowMaker struct {
	clip.Maker
	begun chan string
}

func (m *slowMaker) Make(ctx context.Context, j clip.Job) (clip.Made, error) {
	m.begun <- j.Clip.ID
	<-ctx.Done()
	return clip.Made{}, context.Cause(ctx)
}

// What is cancelled stops at once; what is being made when the server stops waits again, and it does not count.
func TestCancelAndStop(t *testing.T) {
	m := &slowMaker{Maker: &clip.Makers{}, begun: make(chan string)}
	h := newHouse(t, clip.Config{Queue: 2}, func(d *clip.Deps) { d.Maker = m })
	h.tape.play(1)
	h.end()
	want := clip.Want{ShowID: h.show.ID, Kind: clip.Exact, From: ms(0), To: ms(3000)}
	var made []clip.Clip
	for range 2 {
		c, err := h.clips.Create(t.Context(), want)
		if err != nil {
			t.Fatal(err)
		}
		made = append(made, c)
	}
	_, err := h.clips.Create(t.Context(), want)
	kind(t, err, errs.Exhausted)
	stop := h.run()
	first := <-m.begun
	if _, err := h.clips.Cancel(t.Context(), h.show.ID, first); err != nil {
		t.Fatal(err)
	}
	second := <-m.begun // its turn came because the other one ended
	stop()
	for i := range made {
		c, err := h.clips.Get(t.Context(), h.show.ID, made[i].ID)
		switch {
		case err != nil:
			t.Fatal(err)
		case c.ID == first && c.State != clip.Cancelled, c.ID == second && (c.State != clip.Queued || c.Attempts != 0):
			t.Errorf("%+v", c)
		}
	}
	_, err = h.clips.Cancel(t.Context(), h.show.ID, first)
	kind(t, err, errs.Conflict)
	if c, err := h.clips.Retry(t.Context(), h.show.ID, first); err != nil || c.State != clip.Queued {
		t.Errorf("%+v, %v", c, err)
	}
	_, err = h.clips.Get(t.Context(), "show_0123456789abcdef", first)
	kind(t, err, errs.NotFound)
}

// BenchmarkSidecar asks for what goes with a clip of a show with 20,000 comments.
func BenchmarkSidecar(b *testing.B) {
	h := newHouse(b, clip.Config{})
	h.tape.play(2)
	h.end()
	events := make([]overlay.Event, 0, overlay.MaxEvents)
	for n := 0; n < 20_000; n += len(events) {
		events = events[:0]
		for i := range overlay.MaxEvents {
			events = append(events, overlay.Event{Type: overlay.TypeComment, Wall: begun, Data: fmt.Appendf(nil, `{"id":"cmt_%d","text":"a comment"}`, n+i)})
		}
		if _, err := h.db.AppendEvents(b.Context(), h.show.ID, events); err != nil {
			b.Fatal(err)
		}
	}
	c, err := h.clips.Create(b.Context(), clip.Want{ShowID: h.show.ID, From: ms(1000), To: ms(3000)})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := h.clips.Sidecar(b.Context(), c.ID); err != nil {
			b.Fatal(err)
		}
	}
}
