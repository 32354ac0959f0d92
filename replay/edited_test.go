package replay

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/overlay"
	"github.com/vitrine-live/vitrine/replay/edit"
)

// state is an edited replay that a test changes.
type state struct{ edit.State }

func (s *state) edited(context.Context, string) (edit.State, error) { return s.State, nil }

func (s *state) apply(t testing.TB, o edit.Op) {
	t.Helper()
	next, err := edit.Apply(s.State, o)
	if err != nil {
		t.Fatal(err)
	}
	s.State = next
}

func cutOf(from, to media.Ticks) edit.Op {
	return edit.Op{Kind: edit.Cut, From: from * media.TicksPerSecond, To: to * media.TicksPerSecond}
}

// names are the segments that a playlist lists, with a bar at each discontinuity.
func names(body string) string {
	var out []string
	for l := range strings.SplitSeq(body, "\n") {
		switch {
		case l == "#EXT-X-DISCONTINUITY":
			out = append(out, "|")
		case l != "" && l[0] != '#':
			out = append(out, strings.TrimSuffix(strings.TrimSuffix(l, ".m4s"), ".ts"))
		}
	}
	return strings.Join(out, " ")
}

func TestServesEditedReplays(t *testing.T) {
	s := &state{edit.Unedited()}
	a, show := recorded(t, Config{Edited: s.edited}, 6) // two seconds each
	whole := get(a, show.id, "main.m3u8").Body.String()
	s.apply(t, cutOf(0, 2))
	s.apply(t, cutOf(5, 9)) // 6-8 lies wholly in it, 4-6 and 8-10 are partly wanted
	for _, ca := range []struct{ name, want string }{
		{"main.m3u8", "1 2 | 4 5"}, {"ts/main.m3u8", "1 2 | 4 5"},
	} {
		w := get(a, show.id, ca.name)
		if got := names(w.Body.String()); got != ca.want || w.Header().Get("Cache-Control") != cacheVOD {
			t.Errorf("%s lists %q, want %q\n%s", ca.name, got, ca.want, w.Body)
		}
	}
	body := get(a, show.id, "main.m3u8").Body.String()
	for _, want := range []string{"#EXT-X-MEDIA-SEQUENCE:1\n", "#EXT-X-PROGRAM-DATE-TIME:2026-11-22T12:00:08.000Z\n#EXTINF:2.000000,\n4.m4s\n", "#EXT-X-MAP:URI=\"init-1.mp4\"\n", "#EXT-X-ENDLIST"} {
		if !strings.Contains(body, want) {
			t.Errorf("no %q in\n%s", want, body)
		}
	}
	for name, status := range map[string]int{
		"0.m4s": 404, "3.m4s": 404, "1.m4s": 200, "4.m4s": 200, "ts/0.ts": 404, "init-1.mp4": 200,
	} {
		if w := get(a, show.id, name); w.Code != status || status == 404 && w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d, want %d: %s", name, w.Code, status, w.Body)
		}
	}
	ask := func(name string) string {
		r, w := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil), httptest.NewRecorder()
		a.ServeWhole(w, r, show.id, name)
		return w.Body.String()
	}
	if got := ask("main.m3u8"); got != whole {
		t.Errorf("the whole recording:\n%s", got)
	}
	if got := ask("0.m4s"); got != string(show.media[0]) {
		t.Error("staff cannot see what is cut out")
	}
	s.State = edit.Unedited()
	if got := get(a, show.id, "main.m3u8").Body.String(); got != whole {
		t.Errorf("after undo:\n%s", got)
	}
}

// Edits made during a show count when it is over: whoever watches it from its beginning meanwhile sees all.
func TestEditsWaitForTheEnd(t *testing.T) {
	s := &state{edit.Unedited()}
	s.apply(t, cutOf(0, 2))
	show := newShow()
	a := newArchive(t, Config{Edited: s.edited})
	r := show.recorder(t, a.Archive)
	show.start(r, 0)
	show.run(r, 3)
	if err := r.Close(); err != nil { // the process stops, the show does not
		t.Fatal(err)
	}
	if got := names(get(a, show.id, "main.m3u8").Body.String()); got != "0 1 2" {
		t.Errorf("on air: %q", got)
	}
	r = show.recorder(t, a.Archive)
	r.End()
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if got := names(get(a, show.id, "main.m3u8").Body.String()); got != "1 2" {
		t.Errorf("afterwards: %q", got)
	}
}

func TestEditedReconnects(t *testing.T) {
	s := &state{edit.Unedited()}
	show := newShow()
	a := newArchive(t, Config{Edited: s.edited})
	r := show.recorder(t, a.Archive)
	for range 3 { // 0-4 s with init 1, 4-8 s with init 2, 8-12 s with init 3
		show.start(r, time.Minute)
		show.run(r, 2)
	}
	r.End()
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	s.apply(t, cutOf(4, 8))
	body := get(a, show.id, "main.m3u8").Body.String()
	if got := names(body); got != "0 1 | 4 5" || strings.Contains(body, "init-2.mp4") || !strings.Contains(body, "#EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI=\"init-3.mp4\"\n") {
		t.Errorf("%q\n%s", got, body)
	}
}

func TestClipsDateRanges(t *testing.T) {
	wall := func(seconds float64) time.Time { return begun.Add(time.Duration(seconds * float64(time.Second))) }
	span := func(id string, from, to float64) playlist.DateRange {
		return playlist.DateRange{ID: id, Start: wall(from), End: wall(to), Attrs: []playlist.Attr{{Name: showTimeAttr, Value: fmt.Sprint(from * 1000), Number: true}}}
	}
	open := span("open", 3, 0)
	open.End = time.Time{}
	ranges := []playlist.DateRange{
		span("kept", 4.5, 5.5), span("inside", 2.5, 3.5), span("to the hole's end", 2.5, 4), span("begins inside", 3, 5), span("ends inside", 1, 3),
		span("over it", 1, 5), open, span("ends with the first", 0, 2), span("in the last", 10, 11), span("into the last", 9, 12),
	}
	var segments []playlist.Segment
	for i := range 6 {
		segments = append(segments, playlist.Segment{MSN: int64(i), Start: media.Ticks(i) * testSegment, Duration: testSegment, Wall: wall(float64(2 * i))})
	}
	cuts := []media.Span{{From: 2 * media.TicksPerSecond, To: 4 * media.TicksPerSecond}, {From: 10 * media.TicksPerSecond, To: 12 * media.TicksPerSecond}}
	before := slices.Clone(ranges)
	var got []string
	for _, r := range clipRanges(ranges, segments, cuts) {
		end := "open"
		if !r.End.IsZero() {
			end = fmt.Sprint(r.End.Sub(begun).Seconds())
		}
		got = append(got, fmt.Sprintf("%s %v-%s at %s", r.ID, r.Start.Sub(begun).Seconds(), end, r.Attrs[0].Value))
	}
	want := []string{
		"kept 4.5-5.5 at 4500", "begins inside 4-5 at 4000", "ends inside 1-2 at 1000", "over it 1-5 at 1000", "open 4-open at 4000",
		"ends with the first 0-2 at 0", "into the last 9-10 at 9000",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(before, ranges); diff != "" {
		t.Error("the timeline's own ranges changed", diff)
	}
}

func TestPlaylistsDoNotOutliveTheirReplay(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for _, ca := range []struct {
		ended   bool
		expires time.Time
		want    string
	}{
		{true, time.Time{}, cacheVOD},
		{true, now.Add(time.Hour), cacheVOD},
		{true, now.Add(3500 * time.Millisecond), "public, max-age=3"},
		{true, now.Add(-time.Hour), "public, max-age=0"},
		{false, now.Add(-time.Hour), cacheEvent},
	} {
		if got := maxAge(ca.ended, ca.expires, now); got != ca.want {
			t.Errorf("%+v: %s", ca, got)
		}
	}
}

// log is a store of edits in memory.
type log []edit.Entry

func (l *log) AppendEdit(_ context.Context, _ string, e edit.Entry) error {
	if e.Revision != int64(len(*l))+1 {
		return errs.New(errs.Conflict, "log", "too late")
	}
	*l = append(*l, e)
	return nil
}

func (l *log) EditsAfter(_ context.Context, _ string, after int64, _ int) ([]edit.Entry, error) {
	return (*l)[after:], nil
}

type ranges []overlay.Range

func (r ranges) Ranges(context.Context, string) ([]overlay.Range, error) { return r, nil }

// snapshot is every file of a folder.
func snapshot(t testing.TB, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(name)
		files[name] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// Whatever is edited and undone, in whatever order: the recording's files stay byte for byte as they were, what is served is
// what the edits say, chapters map into play time in order, and when all is undone everything is as it was.
func TestEditsAtRandom(t *testing.T) {
	show := newShow()
	var entries log
	var service *edit.Service
	a := newArchive(t, Config{FFmpeg: "no-such-program", Edited: func(ctx context.Context, id string) (edit.State, error) { return service.State(ctx, id) }})
	r := show.recorder(t, a.Archive)
	for range 2 {
		show.start(r, time.Minute)
		show.run(r, 10)
	}
	r.End()
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	var pins ranges
	for i := range media.Ticks(6) {
		at := i * 6 * media.TicksPerSecond
		pins = append(pins, overlay.Range{
			Pin: overlay.Pin{ID: fmt.Sprintf("pin_%d", i), ShowTime: at, Product: overlay.ProductSnapshot{Title: "Tea"}}, End: at + 9*media.TicksPerSecond, EndWall: begun,
		})
	}
	files, asked := snapshot(t, a.dir), httptest.NewRecorder()
	a.ServeWhole(asked, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil), show.id, "main.m3u8")
	whole := asked.Body.String()
	rapid.Check(t, func(rt *rapid.T) {
		entries = nil
		var err error
		if service, err = edit.New(edit.Config{}, edit.Deps{Store: &entries, Recordings: a.Archive, Timeline: pins}); err != nil {
			rt.Fatal(err)
		}
		m := &editing{rt, a, show, service}
		for range rapid.IntRange(1, 15).Draw(rt, "steps") {
			m.step()
			m.check()
		}
		m.undoAll()
		if got := get(a, show.id, "main.m3u8").Body.String(); got != whole {
			rt.Fatalf("after all was undone:\n%s", got)
		}
	})
	if diff := cmp.Diff(files, snapshot(t, a.dir)); diff != "" {
		t.Error("the recording was changed", diff)
	}
}

// editing is one random session.
type editing struct {
	*rapid.T
	a       *testArchive
	show    *show
	service *edit.Service
}

func (m *editing) history() *edit.History {
	h, err := m.service.History(context.Background(), m.show.id)
	if err != nil {
		m.Fatal(err)
	}
	return h
}

// step makes one edit, which may be refused in words.
func (m *editing) step() {
	ctx, h := context.Background(), m.history()
	revision, by := h.Revision(), edit.Author{}
	second := func(label string) media.Ticks {
		return media.Ticks(rapid.IntRange(0, 41).Draw(m.T, label)) * media.TicksPerSecond
	}
	chapter := func(label string) string { return fmt.Sprintf("pin_%d", rapid.IntRange(0, 6).Draw(m.T, label)) }
	var o edit.Op
	switch rapid.IntRange(0, 7).Draw(m.T, "what") {
	case 0:
		o = edit.Op{Kind: edit.Undo}
	case 1:
		o = edit.Op{Kind: edit.Redo}
	case 2:
		o = edit.Op{Kind: edit.Uncut, From: second("from"), To: second("to")}
	case 3:
		o = edit.Op{Kind: edit.SplitChapter, Chapter: chapter("chapter"), At: new(second("at"))}
	case 4:
		o = edit.Op{Kind: edit.MergeChapters, Chapter: chapter("chapter"), With: chapter("with")}
	case 5:
		o = edit.Op{Kind: edit.HideChapter, Chapter: chapter("chapter")}
	default:
		o = edit.Op{Kind: edit.Cut, From: second("from"), To: second("to")}
	}
	var err error
	switch o.Kind {
	case edit.Undo:
		_, err = m.service.Undo(ctx, m.show.id, revision, by)
	case edit.Redo:
		_, err = m.service.Redo(ctx, m.show.id, revision, by)
	default:
		_, err = m.service.Apply(ctx, m.show.id, revision, o, by)
	}
	if err != nil && errs.KindOf(err) != errs.Invalid && errs.KindOf(err) != errs.Conflict {
		m.Fatal(err)
	}
}

// check compares what is served with what the edits say.
func (m *editing) check() {
	ctx := context.Background()
	state := m.history()
	cuts := state.State().Cuts
	var want []string
	seam := false
	for i := range m.show.segments {
		s := &m.show.segments[i]
		if edit.LeftOut(s, cuts) {
			seam = true
			continue
		}
		if s.Discontinuity || seam && len(want) > 0 {
			want = append(want, "|")
		}
		seam = false
		want = append(want, fmt.Sprint(s.MSN))
	}
	if got := names(get(m.a, m.show.id, "main.m3u8").Body.String()); got != strings.Join(want, " ") {
		m.Fatalf("with cuts %v the playlist lists %q, want %q", cuts, got, strings.Join(want, " "))
	}
	chapters, err := m.service.Chapters(ctx, m.show.id)
	if err != nil {
		m.Fatal(err)
	}
	played, err := m.service.Map(ctx, m.show.id)
	if err != nil {
		m.Fatal(err)
	}
	last := media.Ticks(0)
	for _, c := range edit.Play(chapters, played) {
		if c.Play.From < last || c.Play.To > played.Duration() || c.Play.Empty() || c.Play.Len() > c.Span.Len() {
			m.Fatalf("chapter %+v", c)
		}
		last = c.Play.From
	}
}

func (m *editing) undoAll() {
	for h := m.history(); h.CanUndo(); h = m.history() {
		if _, err := m.service.Undo(context.Background(), m.show.id, h.Revision(), edit.Author{}); err != nil {
			m.Fatal(err)
		}
	}
}

// A show of four hours can be played the moment it is over: its playlists come from what the recorder knows already. No
// media is read for them: they are the same when there is none left.
func TestReplayIsThereAtOnce(t *testing.T) {
	s := &state{edit.Unedited()}
	a, show := recorded(t, Config{Edited: s.edited}, 2)
	rec, err := a.Recording(show.id)
	if err != nil {
		t.Fatal(err)
	}
	full, _ := long()
	rec.mu.Lock()
	rec.segments, rec.inits = full.segments, full.inits
	rec.mu.Unlock()
	for _, msn := range []string{"0.m4s", "1.m4s", "init-1.mp4"} {
		if err := os.Remove(filepath.Join(a.dir, show.id, msn)); err != nil {
			t.Fatal(err)
		}
	}
	s.apply(t, cutOf(3600, 7200))
	for name, want := range map[string]string{"index.m3u8": "main.m3u8", "main.m3u8": "#EXT-X-ENDLIST", "ts/main.m3u8": "#EXT-X-ENDLIST"} {
		if w := get(a, show.id, name); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
	if got := strings.Count(get(a, show.id, "main.m3u8").Body.String(), "#EXTINF"); got != 7200-1800 {
		t.Errorf("%d segments", got)
	}
}

// BenchmarkEditedVOD renders, packs and serves the playlist of four hours with a hundred cuts, as it is after each edit.
func BenchmarkEditedVOD(b *testing.B) {
	rec, dates := long()
	var cuts []media.Span
	for i := range media.Ticks(100) {
		from := i * 140 * media.TicksPerSecond
		cuts = append(cuts, media.Span{From: from, To: from + 21*media.TicksPerSecond})
	}
	b.ReportAllocs()
	for b.Loop() {
		newText(rec.view().render(mediaName, playlist.CMAF, dates, cuts))
	}
}

// BenchmarkShowEnds is what it takes from the end of a recording of four hours to the answer with its VOD playlist.
func BenchmarkShowEnds(b *testing.B) {
	a, show := recorded(b, Config{}, 2)
	rec, err := a.Recording(show.id)
	if err != nil {
		b.Fatal(err)
	}
	full, _ := long()
	rec.segments, rec.inits = full.segments, full.inits
	for b.Loop() {
		rec.mu.Lock()
		rec.version++ // as the end does
		rec.mu.Unlock()
		if w := get(a, show.id, "main.m3u8", "Accept-Encoding", "gzip"); w.Code != http.StatusOK {
			b.Fatal(w.Code)
		}
	}
}

// Of the covers that were tried a few stay, whichever were made last.
func TestCoversArePruned(t *testing.T) {
	a, s := newArchive(t, Config{}), newShow()
	r := s.recorder(t, a.Archive)
	s.start(r, 0)
	s.run(r, 2)
	r.End()
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	rec := r.Recording()
	for n := range 7 {
		name := fmt.Sprintf("poster-%d.jpg", 900-n)
		if err := a.writePoster(rec, name, []byte{byte(n)}); err != nil {
			t.Fatal(err)
		}
		at := begun.Add(time.Duration(n) * time.Second)
		if err := os.Chtimes(filepath.Join(a.dir, s.id, name), at, at); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{posterName, "poster-x.jpg", "poster-.jpg", "storyboard-1.jpg"} {
		if IsCover(name) {
			t.Errorf("%s is no cover", name)
		}
		if err := os.WriteFile(filepath.Join(a.dir, s.id, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.pruneCovers(rec); err != nil {
		t.Fatal(err)
	}
	pictures, err := filepath.Glob(filepath.Join(a.dir, s.id, "*.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range pictures {
		pictures[i] = filepath.Base(pictures[i])
	}
	want := []string{"poster-.jpg", "poster-894.jpg", "poster-895.jpg", "poster-896.jpg", "poster-897.jpg", "poster-x.jpg", "poster.jpg", "storyboard-1.jpg"}
	if !slices.Equal(pictures, want) {
		t.Errorf("%q", pictures)
	}
}

// Whoever keeps something of a recording is told once it is gone for good.
func TestDeletedIsTold(t *testing.T) {
	var told []string
	a, s := newArchive(t, Config{Deleted: func(show string) { told = append(told, show) }}), newShow()
	r := s.recorder(t, a.Archive)
	s.start(r, 0)
	s.run(r, 2)
	if err := a.Delete(s.id); errs.KindOf(err) != errs.Conflict || len(told) > 0 {
		t.Errorf("on air: %v, told of %q", err, told)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if err := a.Delete(s.id); err != nil || !slices.Equal(told, []string{s.id}) {
		t.Errorf("%v, told of %q", err, told)
	}
	if err := a.Delete(s.id); errs.KindOf(err) != errs.NotFound || len(told) != 1 {
		t.Errorf("again: %v, told of %q", err, told)
	}
}
