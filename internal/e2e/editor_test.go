package e2e

import (
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// editedReplay is what the API says of a replay.
type editedReplay struct {
	Revision  int64
	Published bool
	Visible   bool
	CoverMS   *int64 `json:"cover_ms"`
	EditorURL string `json:"editor_url"`
	Cuts      []struct {
		FromMS int64 `json:"from_ms"`
		ToMS   int64 `json:"to_ms"`
	}
}

// What a merchant does after a show, in the browser: signs in, names and divides chapters, cuts, takes it back and does it
// again, chooses the cover, takes the replay off the page and puts it on again, exports a chapter.
func TestEditorInTheBrowser(t *testing.T) {
	t.Parallel()
	s := serve(t)
	s.newOwner(t, "mei", "otter lamp rises late")
	r := s.newRoom(t)
	tea, cup := s.newProduct(t, "Tea"), s.newProduct(t, "Cup")
	s.call(t, http.MethodPut, "/api/v1/rooms/"+r.ID+"/bag", map[string]any{"product_ids": []string{tea, cup}}, nil)
	b := browse(t, "about:blank")
	b.run(t, 10*time.Second, chromedp.EmulateViewport(1280, 720))
	pub := publish(t, s, r.StreamKey, publication{picture: landscape})
	showID := s.onAir(t, r.ID)
	first := s.shelve(t, pub, r.ID, tea, 60, 165)
	s.shelve(t, pub, r.ID, cup, 180, 255)
	pub.finish(t)
	s.state(t, showID, "ended", 5*time.Second)

	path := "/api/v1/shows/" + showID + "/replay"
	replay := func() (now editedReplay) {
		s.call(t, http.MethodGet, path, nil, &now)
		return now
	}
	b.open(t, s.url(replay().EditorURL))
	b.run(t, 30*time.Second,
		chromedp.SendKeys(`[data-testid=login]`, "mei", chromedp.ByQuery),
		chromedp.SendKeys(`[data-testid=password]`, "otter lamp rises late"+kb.Enter, chromedp.ByQuery),
		chromedp.WaitVisible(`[data-phase=ready] [data-chapter="`+first.pin+`"]`, chromedp.ByQuery))
	until := func(what string, f func(editedReplay) bool) {
		t.Helper()
		eventually(t, 20*time.Second, what, func() bool { return f(replay()) })
		b.run(t, 20*time.Second, chromedp.WaitVisible(`[data-testid=undo]:not(:disabled)`, chromedp.ByQuery))
	}

	b.renameChapter(t, first.pin, "Green tea, first flush")
	until("the chapter's name", func(editedReplay) bool { return s.chapterTitles(t, showID)[0] == "Green tea, first flush" })

	b.press(t, kb.Home, kb.ArrowRight, kb.ArrowRight, kb.ArrowRight, kb.ArrowRight, "s")
	until("the chapter to be split", func(editedReplay) bool { return len(s.chapterTitles(t, showID)) == 3 })

	b.press(t, kb.Home, kb.ArrowRight, "i", kb.ArrowRight, kb.ArrowRight, kb.ArrowRight, kb.ArrowRight, "o", "x")
	isCut := func(now editedReplay) bool {
		return len(now.Cuts) == 1 && now.Cuts[0].FromMS == 1000 && now.Cuts[0].ToMS == 5000
	}
	until("the cut", isCut)
	b.command(t, "z", false)
	until("the cut to be undone", func(now editedReplay) bool { return len(now.Cuts) == 0 })
	b.command(t, "z", true)
	until("the cut to be made again", isCut)

	b.clickOn(t, `[data-testid=tab-replay]`)
	b.clickOn(t, `[data-testid=set-cover]`)
	until("the cover", func(now editedReplay) bool { return now.CoverMS != nil && *now.CoverMS == 5000 })
	b.clickOn(t, `[data-testid=publish]`)
	until("the replay to be private", func(now editedReplay) bool { return !now.Published && !now.Visible })
	b.run(t, 20*time.Second, chromedp.WaitVisible(`[data-testid=public][data-state=private]`, chromedp.ByQuery))
	if status, _ := s.get(t, "/replay/"+showID+"/index.m3u8"); status != http.StatusNotFound {
		t.Errorf("the public gets %d for a replay that is not published", status)
	}
	b.clickOn(t, `[data-testid=publish]`)
	until("the replay to be public", func(now editedReplay) bool { return now.Published && now.Visible })
	if status, body := s.get(t, "/replay/"+showID+"/main.m3u8"); status != http.StatusOK || !strings.Contains(string(body), "#EXT-X-DISCONTINUITY") {
		t.Errorf("the replay has no seam where it was cut: %d\n%s", status, body)
	}

	b.clickOn(t, `[data-testid=tab-chapters]`)
	b.clickOn(t, `[data-chapter="`+first.pin+`"] [data-testid=export-chapter]`)
	b.clickOn(t, `[data-testid=make-clip]`)
	b.run(t, 30*time.Second, chromedp.WaitVisible(`[data-testid=clips] [data-state=done] [data-testid=download]`, chromedp.ByQuery))
	var file string
	b.eval(t, `document.querySelector('[data-testid=download]').getAttribute('href')`, &file)
	if status, body := s.get(t, file); status != http.StatusOK || len(body) < 1000 || string(body[4:8]) != "ftyp" {
		t.Errorf("the download %s: %d, %d bytes", file, status, len(body))
	}
	s.stop(t)
}

// newOwner lets a person sign in who owns the default store.
func (s *server) newOwner(t *testing.T, login, password string) {
	t.Helper()
	cmd := exec.Command(command, "staff", "add", "--login", login, "--data", s.data, "--password-stdin")
	cmd.Stdin = strings.NewReader(password)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("staff add: %v\n%s", err, out)
	}
}

func (s *server) chapterTitles(t *testing.T, showID string) (titles []string) {
	t.Helper()
	var list struct{ Items []struct{ Title string } }
	s.call(t, http.MethodGet, "/api/v1/shows/"+showID+"/replay/chapters", nil, &list)
	for _, c := range list.Items {
		titles = append(titles, c.Title)
	}
	return titles
}

func (b *browser) renameChapter(t *testing.T, id, title string) {
	t.Helper()
	field := `[data-chapter="` + id + `"] [data-testid=chapter-title]`
	b.clickOn(t, field)
	b.command(t, "a", false)
	b.run(t, 20*time.Second, chromedp.KeyEvent(title+kb.Enter), chromedp.Blur(field, chromedp.ByQuery))
}

// press presses keys where no field has the focus.
func (b *browser) press(t *testing.T, keys ...string) {
	t.Helper()
	for _, key := range keys {
		b.run(t, 10*time.Second, chromedp.KeyEvent(key))
	}
}

// command presses a key with Ctrl, and with Shift too.
func (b *browser) command(t *testing.T, key string, shift bool) {
	t.Helper()
	mods := []input.Modifier{input.ModifierCtrl}
	if shift {
		mods = append(mods, input.ModifierShift)
	}
	b.run(t, 10*time.Second, chromedp.KeyEvent(key, chromedp.KeyModifiers(mods...)))
}

// clickOn clicks what can be clicked, once it can.
func (b *browser) clickOn(t *testing.T, selector string) {
	t.Helper()
	b.run(t, 20*time.Second, chromedp.WaitEnabled(selector, chromedp.ByQuery), chromedp.Click(selector, chromedp.ByQuery))
}
