package preview

import (
	"bytes"
	"context"
	"encoding/json"
	"image"
	"image/jpeg"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/ids"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/replay"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func itoa(n int) string { return strconv.Itoa(n) }

// get reads a file of a replay.
func get(t testing.TB, a *replay.Archive, show, name string) *http.Response {
	t.Helper()
	w := httptest.NewRecorder()
	url := "/replay/" + show + "/" + name
	file, _, _ := strings.Cut(name, "?")
	a.Serve(w, httptest.NewRequest(http.MethodGet, url, nil), show, file)
	return w.Result()
}

func read[T any](t testing.TB, a *replay.Archive, show, name string) T {
	t.Helper()
	resp := get(t, a, show, name)
	var v T
	if err := json.NewDecoder(resp.Body).Decode(&v); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v", name, resp.Status, err)
	}
	return v
}

// number reads the counter of the picture in a tile.
func number(pic image.Image, x, y int, tile size) int {
	n := 0
	for bit := range bits {
		r, _, _, _ := pic.At(x+(2*bit+1)*tile.Width/(2*bits), y+tile.Height/2).RGBA()
		if r > 0x8000 {
			n |= 1 << bit
		}
	}
	return n
}

// checkTiles compares each tile with the frame that its time names. first is where each publish began.
func checkTiles(t *testing.T, a *replay.Archive, show string, starts []media.Ticks) (times []int64) {
	t.Helper()
	doc := read[Storyboard](t, a, show, "storyboard.json")
	for _, s := range doc.Sheets {
		resp := get(t, a, show, s.URL)
		pic, err := jpeg.Decode(resp.Body)
		if err != nil || resp.Header.Get("Cache-Control") != cacheFull {
			t.Fatalf("%s: %s %v %v", s.URL, resp.Status, err, resp.Header)
		}
		if want := image.Pt(5*doc.Tile.Width, 5*doc.Tile.Height); pic.Bounds().Size() != want {
			t.Errorf("a sheet of %v, want %v", pic.Bounds().Size(), want)
		}
		for i, ms := range s.Tiles {
			start := starts[0]
			for _, s := range starts {
				if s.Milliseconds() <= ms {
					start = s
				}
			}
			want := int((media.FromMilliseconds(ms) - start + frameTime/2) / frameTime)
			if got := number(pic, i%5*doc.Tile.Width, i/5*doc.Tile.Height, doc.Tile); got != want {
				t.Errorf("the tile of %d ms shows frame %d, want %d", ms, got, want)
			}
			times = append(times, ms)
		}
	}
	return times
}

// A show with a reconnect, looked at while it is on air and after its end, by a process that is restarted between.
func TestPreviewOfAShow(t *testing.T) {
	c := encode(t, "15", "320x180", true)
	dir, show := t.TempDir(), ids.New("show")
	var s *Service
	var kept []media.Span
	beside := func(w http.ResponseWriter, r *http.Request, rec *replay.Recording, name string, _ []media.Span) (bool, error) {
		return s.Beside(w, r, rec, name, kept)
	}
	a := openArchive(t, dir, beside)
	s = New(Config{Batch: 10 * time.Second}, Deps{Archive: a})
	st := record(t, a, show)
	if doc := read[Storyboard](t, a, show, "storyboard.json"); len(doc.Sheets) != 0 || doc.Complete {
		t.Errorf("before anything was made: %+v", doc)
	}
	starts := []media.Ticks{st.publish(c)}
	st.settle()
	s.CatchUp(t.Context())
	early := checkTiles(t, a, show, starts)
	if len(early) != 8 {
		t.Errorf("on air: tiles at %v", early)
	}

	s = New(Config{}, Deps{Archive: a}) // a new process
	for range 3 {
		starts = append(starts, st.publish(c))
	}
	st.settle()
	s.CatchUp(t.Context())
	st.end(true)
	s.CatchUp(t.Context())
	all := checkTiles(t, a, show, starts)
	if len(all) != 32 || !slices.Equal(all[:8], early) {
		t.Errorf("%d tiles at %v", len(all), all)
	}
	doc := read[Storyboard](t, a, show, "storyboard.json")
	if !doc.Complete || doc.Covered != st.p.Position().Milliseconds() || len(doc.Sheets) != 2 || doc.Sheets[0].URL != "storyboard-1.jpg" ||
		doc.Sheets[1].URL != "storyboard-2.jpg?tiles=7" {
		t.Errorf("%+v", doc)
	}
	checkSound(t, a, show, starts)
	whole := soundFiles(t, a, show)
	checkPlayers(t, a, show)
	kept = []media.Span{{From: 0, To: starts[1]}, {From: starts[2], To: st.p.Position()}} // the second publish is cut out
	checkCut(t, a, show, kept)
	checkMuted(t, a, show, kept, whole)
	kept = nil

	// Made in one go, sound is the same as made in pieces.
	other := openArchive(t, copyMedia(t, dir, show), beside)
	s = New(Config{}, Deps{Archive: other})
	s.Want(show)
	s.CatchUp(t.Context())
	if diff := cmp.Diff(whole, soundFiles(t, other, show)); diff != "" {
		t.Errorf("in one go it is another waveform (-pieces +one go):\n%s", diff)
	}
}

// waveform is what readers of audiowaveform's JSON expect.
type waveform struct {
	Version         int
	Channels        int
	SampleRate      int `json:"sample_rate"`
	SamplesPerPixel int `json:"samples_per_pixel"`
	Bits            int
	Length          int
	Data            []int
}

func checkSound(t *testing.T, a *replay.Archive, show string, starts []media.Ticks) {
	t.Helper()
	wave := read[waveform](t, a, show, "waveform.json")
	loud := read[Loudness](t, a, show, "loudness.json")
	points := int(loud.Covered / 100)
	if wave.Version != 2 || wave.Channels != 1 || wave.SampleRate != 10*wave.SamplesPerPixel || wave.Bits != 8 || wave.Length < points ||
		len(wave.Data) != 2*wave.Length || !loud.Complete || len(loud.LUFS) != int(loud.Covered+999)/1000 {
		t.Errorf("%+v %+v", wave, loud)
	}
	beeps := func(at media.Ticks) bool { // at the middle of a point
		since := starts[0]
		for _, s := range starts {
			if s <= at {
				since = s
			}
		}
		return (at-since)%(5*media.TicksPerSecond) < media.TicksPerSecond/2
	}
	wrong := 0
	for n := range points {
		at := media.FromMilliseconds(int64(n)*100 + 50)
		peak := wave.Data[2*n+1]
		edge := beeps(at-4500) != beeps(at+4500) // the beep begins or ends in this point
		if !edge && beeps(at) != (peak > 50) {
			wrong++
		}
	}
	if wrong > 0 {
		t.Errorf("%d of %d points are wrong: %v", wrong, points, wave.Data)
	}
	// A sine of 997 Hz at full scale is at -3.01 LUFS. This one is at 0.8, spread over two channels, for half of the second.
	if got := loud.LUFS[0]; math.Abs(got-(-3.01+20*math.Log10(0.8)-3.01-3.01)) > 0.2 {
		t.Errorf("the second of a beep is at %v LUFS", got)
	}
	if got := loud.LUFS[2]; got > -60 {
		t.Errorf("a silent second is at %v LUFS", got)
	}
}

func checkPlayers(t *testing.T, a *replay.Archive, show string) {
	t.Helper()
	body, _ := io.ReadAll(get(t, a, show, "storyboard.vtt").Body)
	vtt := string(body)
	if !strings.HasPrefix(vtt, "WEBVTT\n\n00:00:00.000 --> 00:00:02.000\nstoryboard-1.jpg#xywh=0,0,192,108\n\n00:00:02.000 --> ") ||
		!strings.Contains(vtt, "\nstoryboard-2.jpg?tiles=7#xywh=0,108,192,108\n") {
		t.Error(vtt)
	}
	if resp := get(t, a, show, "storyboard-3.jpg"); resp.StatusCode != http.StatusNotFound {
		t.Error(resp.Status)
	}
	for _, name := range []string{"storyboard-0.jpg", "storyboard-x.jpg", "storyboard.json.tmp", "index.jsonl"} {
		if resp := get(t, a, show, name); resp.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s", name, resp.Status)
		}
	}
}

// checkCut looks for pictures of what was cut out: nobody is shown one.
func checkCut(t *testing.T, a *replay.Archive, show string, kept []media.Span) {
	t.Helper()
	whole := read[Storyboard](t, a, show, "storyboard.json")
	body, _ := io.ReadAll(get(t, a, show, "storyboard.vtt").Body)
	black := 0
	for _, s := range whole.Sheets {
		if !strings.Contains(s.URL, "kept=") || !strings.Contains(string(body), s.URL+"#") {
			t.Errorf("%s is the address of something else", s.URL)
		}
		for _, url := range []string{s.URL, strings.SplitN(s.URL, "?", 2)[0]} {
			pic, err := jpeg.Decode(get(t, a, show, url).Body)
			if err != nil {
				t.Fatal(err)
			}
			for i, ms := range s.Tiles {
				gone := i+1 < len(s.Tiles) && s.Tiles[i+1] == ms // it has no time of its own
				if gone {
					black++
				}
				if !inside(kept, ms) || gone && number(pic, i%5*whole.Tile.Width, i/5*whole.Tile.Height, whole.Tile) != 0 {
					t.Errorf("the tile of %d ms is shown", ms)
				}
			}
		}
	}
	if black != 2*8 {
		t.Errorf("%d tiles are gone", black)
	}
	if n := strings.Count(string(body), " --> "); n != 24 {
		t.Errorf("%d pictures for players:\n%s", n, body)
	}
}

// checkMuted looks for sound of what was cut out: it is as flat as silence, and nothing else changed.
func checkMuted(t *testing.T, a *replay.Archive, show string, kept []media.Span, whole [2]string) {
	t.Helper()
	var wave, all waveform
	var loud, allLoud Loudness
	for i, v := range []any{&all, &allLoud} {
		if err := json.Unmarshal([]byte(whole[i]), v); err != nil {
			t.Fatal(err)
		}
	}
	wave, loud = read[waveform](t, a, show, "waveform.json"), read[Loudness](t, a, show, "loudness.json")
	if wave.Length != all.Length || len(loud.LUFS) != len(allLoud.LUFS) {
		t.Fatalf("%d points and %d seconds", wave.Length, len(loud.LUFS))
	}
	cut := media.Span{From: kept[0].To, To: kept[1].From}
	muted := 0
	for n := range wave.Length {
		point := media.Span{From: media.FromMilliseconds(int64(n) * 100), To: media.FromMilliseconds(int64(n)*100 + 100)}
		got, was := [2]int(wave.Data[2*n:2*n+2]), [2]int(all.Data[2*n:2*n+2])
		switch out := !point.Intersect(cut).Empty(); {
		case out && got != [2]int{}:
			t.Errorf("what was cut out is heard at %v", point)
		case out && was != got:
			muted++
		case !out && was != got:
			t.Errorf("what was kept is gone at %v", point)
		}
	}
	for n, lufs := range loud.LUFS {
		second := media.Span{From: media.FromMilliseconds(int64(n) * 1000), To: media.FromMilliseconds(int64(n)*1000 + 1000)}
		if out := !second.Intersect(cut).Empty(); out && lufs != noSound || !out && lufs != allLoud.LUFS[n] {
			t.Errorf("second %d is at %v LUFS", n, lufs)
		}
	}
	if muted == 0 {
		t.Error("nothing was cut out that could be heard")
	}
	binary, _ := io.ReadAll(get(t, a, show, "waveform.dat").Body)
	if points, ok := parseWaveform(binary); !ok || string(waveformJSON(points)) != string(mustRead(t, a, show, "waveform.json")) {
		t.Error("the binary form tells another story")
	}
}

func mustRead(t *testing.T, a *replay.Archive, show, name string) []byte {
	t.Helper()
	b, err := io.ReadAll(get(t, a, show, name).Body)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func soundFiles(t *testing.T, a *replay.Archive, show string) (files [2]string) {
	t.Helper()
	for i, name := range []string{"waveform.json", "loudness.json"} {
		b, err := io.ReadAll(get(t, a, show, name).Body)
		if err != nil {
			t.Fatal(err)
		}
		files[i] = string(b)
	}
	return files
}

// An upright show with a change of its size, without sound.
func TestUprightSilentShow(t *testing.T) {
	show := ids.New("show")
	a := openArchive(t, t.TempDir(), nil)
	s := New(Config{}, Deps{Archive: a})
	st := record(t, a, show)
	st.publish(encode(t, "6", "180x320", false))
	st.publish(encode(t, "4", "360x640", false))
	st.end(true)
	s.Want(show)
	s.CatchUp(t.Context())
	rec, err := a.Recording(show)
	if err != nil {
		t.Fatal(err)
	}
	doc := s.storyboard(rec)
	if doc.Tile != (size{108, 192}) || len(doc.Sheets) != 1 || len(doc.Sheets[0].Tiles) != 5 || !doc.Complete {
		t.Fatalf("%+v", doc)
	}
	b, err := rec.ReadKept("storyboard-1.jpg")
	if err != nil {
		t.Fatal(err)
	}
	pic, err := jpeg.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{0, 50, 100, 0, 50} {
		if got := number(pic, i*doc.Tile.Width, 0, doc.Tile); got != want {
			t.Errorf("tile %d shows frame %d, want %d", i, got, want)
		}
	}
	if loud := s.loudness(rec); !loud.Complete || slices.ContainsFunc(loud.LUFS, func(l float64) bool { return l != noSound }) {
		t.Errorf("%+v", loud)
	}
}

// What ffmpeg cannot read is tried again, then passed over; without ffmpeg nothing is made and nothing is lost.
func TestFailures(t *testing.T) {
	a, show := ended(t, encode(t, "6", "320x180", true))
	rec, err := a.Recording(show)
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	s := New(Config{FFmpeg: "no-such-program"}, Deps{Archive: a, Log: slog.New(slog.NewTextHandler(&said, nil)), Now: func() time.Time { return now }})
	s.Want(show)
	s.CatchUp(t.Context())
	if doc := s.storyboard(rec); len(doc.Sheets) > 0 || strings.Count(said.String(), "not installed") != 1 {
		t.Errorf("%+v %s", doc, said.String())
	}
	s.cfg.FFmpeg = "false" // fails always
	for range 3 {
		s.CatchUp(t.Context())
		s.CatchUp(t.Context()) // too early
		now = now.Add(2 * retryAfter)
	}
	if n := strings.Count(said.String(), "cannot be made for now"); n != 3 {
		t.Errorf("%d failures are told:\n%s", n, said.String())
	}
	s.CatchUp(t.Context())
	if doc := s.storyboard(rec); !doc.Complete || len(doc.Sheets) > 0 {
		t.Errorf("%+v", doc)
	}
}

// A process that was killed in the middle of a show leaves it to the next one, which finds it unasked; so does a show that
// is interrupted and ends later. Nothing is made of a show that is gone.
func TestLeftBehind(t *testing.T) {
	c := encode(t, "6", "320x180", true)
	dir, show, gone := t.TempDir(), ids.New("show"), ids.New("show")
	a := openArchive(t, dir, nil)
	for _, id := range []string{show, gone} {
		st := record(t, a, id)
		st.publish(c)
		st.end(id == gone)
	}
	s := New(Config{}, Deps{Archive: a})
	s.Want(gone)
	if err := a.Delete(gone); err != nil {
		t.Fatal(err)
	}
	s.CatchUp(t.Context())
	rec, err := a.Recording(show)
	if err != nil {
		t.Fatal(err)
	}
	if doc := s.storyboard(rec); doc.Complete || len(doc.Sheets) != 1 || len(doc.Sheets[0].Tiles) != 3 {
		t.Errorf("interrupted: %+v", doc)
	}
	if _, err := os.Stat(filepath.Join(dir, gone)); err == nil {
		t.Error("a deleted show is back")
	}
	st := record(t, a, show)
	s.CatchUp(t.Context()) // sees that it is on air
	st.publish(c)
	st.end(true)
	s.CatchUp(t.Context())
	if rec, err = a.Recording(show); err != nil {
		t.Fatal(err)
	}
	if doc := s.storyboard(rec); !doc.Complete || len(doc.Sheets[0].Tiles) != 6 {
		t.Errorf("ended: %+v", doc)
	}
}

// The disk is full for a while: nothing is skipped.
func TestNoRoom(t *testing.T) {
	a, show := ended(t, encode(t, "6", "320x180", true))
	full := &fullDisk{Archive: a, left: 2}
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	s := New(Config{}, Deps{Archive: full, Now: func() time.Time { return now }})
	s.Want(show)
	for range 2 * maxFails {
		s.CatchUp(t.Context())
		now = now.Add(2 * retryAfter)
	}
	full.left = 100
	s.CatchUp(t.Context())
	rec, err := a.Recording(show)
	if err != nil {
		t.Fatal(err)
	}
	if doc := s.storyboard(rec); !doc.Complete || len(doc.Sheets) != 1 || len(doc.Sheets[0].Tiles) != 3 {
		t.Errorf("%+v", doc)
	}
	if loud := s.loudness(rec); !loud.Complete || len(loud.LUFS) < 6 || loud.LUFS[0] < -20 {
		t.Errorf("%+v", loud)
	}
}

// fullDisk has room for so many files.
type fullDisk struct {
	*replay.Archive
	left int
}

func (f *fullDisk) Keep(show, name string, data []byte) error {
	if f.left == 0 {
		return errs.New(errs.Exhausted, "test", "no room")
	}
	f.left--
	return f.Archive.Keep(show, name, data)
}

// An ffmpeg that hangs holds up nobody for ever.
func TestHanging(t *testing.T) {
	a, show := ended(t, encode(t, "6", "320x180", true))
	program := filepath.Join(t.TempDir(), "ffmpeg")
	if err := os.WriteFile(program, []byte("#!/bin/sh\nexec sleep 600\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	s := New(Config{FFmpeg: program}, Deps{Archive: a, Log: slog.New(slog.NewTextHandler(&said, nil))})
	s.patience = 20 * time.Millisecond
	s.Want(show)
	s.CatchUp(t.Context())
	if !strings.Contains(said.String(), "took too long") || s.shows[show].fails != 1 {
		t.Error(said.String())
	}
}

func TestRunEnds(t *testing.T) {
	s := New(Config{FFmpeg: "no-such-program"}, Deps{Archive: openArchive(t, t.TempDir(), nil)})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { s.Run(ctx); close(done) }()
	s.Want(ids.New("show"))
	cancel()
	<-done
}

func TestConfig(t *testing.T) {
	for batch, ok := range map[time.Duration]bool{0: true, time.Minute: true, time.Millisecond: false, 2 * time.Hour: false, -1: false} {
		if err := (Config{Batch: batch}).Validate(); (err == nil) != ok {
			t.Errorf("%v: %v", batch, err)
		}
	}
}

// What is damaged or strange on the disk is made anew, and never crashes.
func FuzzKept(f *testing.F) {
	f.Add([]byte(`{"show":"x","complete":false,"covered_ms":99999999999,"sheets":[{"tiles_ms":[1]}],"next_segment":-5}`), []byte(`{"show":"x","covered_ms":-1,"lufs":[1],"next_segment":7}`), appendWaveform(nil, []int8{1, 2}))
	f.Add([]byte(`{"show":"x","tile":{"width":1000000,"height":2}}`), []byte(`{"show":"x","covered_ms":-5000,"lufs":[1,2],"next_segment":7}`), appendWaveform(nil, []int8{1, 2}))
	f.Add([]byte("null"), []byte("[]"), []byte("\x02\x00\x00\x00\x01"))
	f.Fuzz(func(_ *testing.T, board, loud, wave []byte) {
		segments := []playlist.Segment{{MSN: 0, Duration: 180_000}, {MSN: 1, Start: 180_000, Duration: 180_000}}
		b := loadBoard("x", board)
		b.resume(segments)
		from(segments, b.doc.Next)
		b.doc.VTT(nil)
		s := loadSound("x", loud, wave)
		s.resume(segments)
		from(segments, s.doc.Next)
	})
}

func FuzzFirstFragment(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x09moof1\x00\x00\x00\x0amdat12rest"))
	f.Add([]byte("\x00\x00\x00\x00moof"))
	f.Add([]byte("\xff\xff\xff\xffmdat"))
	f.Fuzz(func(t *testing.T, b []byte) {
		out, err := firstFragment(bytes.NewReader(b))
		if err == nil && !bytes.HasPrefix(b, out) {
			t.Errorf("%x of %x", out, b)
		}
	})
}

func TestShots(t *testing.T) {
	var segments []playlist.Segment
	at := media.Ticks(0)
	for n := range 4 * 3600 / 2 {
		segments = append(segments, playlist.Segment{MSN: int64(n), Start: at, Duration: 180_000, Init: 1, Independent: true})
		at += 180_000
	}
	segments[3].Gap, segments[4].Independent = true, false
	all := shots(segments, map[int]bool{1: true}, 0)
	if sheets := (len(all) + perSheet - 1) / perSheet; sheets > 100 || sheets < 60 {
		t.Errorf("four hours have %d tiles on %d sheets", len(all), sheets)
	}
	if all[2].msn != 2 || all[3].msn != 5 {
		t.Errorf("%+v", all[:5])
	}
	for i := 1; i < len(all); i++ {
		if d := all[i].at - all[i-1].at; d < interval(all[i-1].at)-slack {
			t.Fatalf("tiles %v apart at %v", d, all[i].at)
		}
	}
	if len(shots(segments, nil, 0)) != 0 {
		t.Error("pictures of a show without")
	}
}

// What stands on a sheet before the storyboard tells of it may be anything: nobody is shown it once something was cut out.
func TestTilesThatNobodyKnows(t *testing.T) {
	tile := fit(192, 108)
	full := newSheet(tile)
	white := bytes.Repeat([]byte{255}, tile.bytes())
	for n := range perSheet {
		full.put(n, white)
	}
	data, err := full.jpeg()
	if err != nil {
		t.Fatal(err)
	}
	ms := media.FromMilliseconds
	var m masks
	for range 2 { // made, and remembered
		masked, err := m.get("a", data, tile, []int64{0, 2000, 4000}, []media.Span{{From: 0, To: ms(1000)}, {From: ms(3000), To: ms(9000)}})
		if err != nil {
			t.Fatal(err)
		}
		pic, err := jpeg.Decode(bytes.NewReader(masked))
		if err != nil {
			t.Fatal(err)
		}
		for n := range perSheet {
			r, _, _, _ := pic.At(n%columns*tile.Width+9, n/columns*tile.Height+9).RGBA()
			if shown := r > 0x4000; shown != (n == 0 || n == 2) {
				t.Errorf("tile %d: shown %v", n, shown)
			}
		}
	}
	for n := range 3 * maxMasked {
		m.put(itoa(n), nil)
	}
	if len(m.made) > maxMasked {
		t.Errorf("%d sheets are remembered", len(m.made))
	}
}

func TestVTTWithCuts(t *testing.T) {
	d := Storyboard{Covered: 8000, Tile: size{10, 6}, Columns: 5, Rows: 5, Sheets: []Sheet{{"a.jpg", []int64{40, 2000, 4000, 6000}}}}
	ms := media.FromMilliseconds
	got := string(d.VTT([]media.Span{{From: ms(1000), To: ms(3000)}, {From: ms(7000), To: ms(8000)}}))
	// Of what was cut no picture is shown, not even where it would be the nearest before: the next one is.
	const url = "a.jpg?kept=6ea57dc6"
	want := "WEBVTT\n\n00:00:00.000 --> 00:00:02.000\n" + url + "#xywh=10,0,10,6\n\n00:00:02.000 --> 00:00:03.000\n" + url + "#xywh=10,0,10,6\n"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestFit(t *testing.T) {
	for _, c := range []struct {
		w, h int
		want size
	}{{1920, 1080, size{192, 108}}, {720, 1280, size{108, 192}}, {1000, 1000, size{192, 192}}, {4000, 100, size{192, 32}}, {0, 0, size{192, 108}}, {640, 480, size{192, 144}}} {
		if got := fit(c.w, c.h); got != c.want {
			t.Errorf("fit(%d, %d) = %v, want %v", c.w, c.h, got, c.want)
		}
	}
}

// copyMedia makes an archive of the recorder's files alone.
func copyMedia(t *testing.T, dir, show string) string {
	t.Helper()
	to := t.TempDir()
	files, err := filepath.Glob(filepath.Join(dir, show, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if name := filepath.Base(f); strings.HasSuffix(name, ".m4s") || strings.HasSuffix(name, ".mp4") || name == "index.jsonl" {
			copyFile(t, f, filepath.Join(to, show, name))
		}
	}
	return to
}
