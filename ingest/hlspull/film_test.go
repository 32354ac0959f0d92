package hlspull

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
)

// stretch is what Film.Read gave between two begins.
type stretch struct {
	wall    time.Time
	tracks  []media.Track
	samples []media.Sample
}

func (s *stretch) of(kind media.Kind) (out []media.Sample) {
	for _, x := range s.samples {
		if x.Kind == kind {
			out = append(out, x)
		}
	}
	return out
}

// importer returns a library that may read from this machine, and is not patient.
func testLibrary() *Library {
	return NewLibrary(Config{AllowPrivate: true, Patience: 200 * time.Millisecond, RetryMin: 10 * time.Millisecond, MaxSegment: 4 << 20})
}

func readFilm(t *testing.T, address string) (film *Film, out []stretch, err error) {
	t.Helper()
	film, err = testLibrary().Open(t.Context(), address)
	if err != nil {
		return nil, nil, err
	}
	t.Cleanup(film.Close)
	err = film.Read(t.Context(), func(wall time.Time, tracks []media.Track) error {
		out = append(out, stretch{wall: wall, tracks: tracks})
		return nil
	}, func(s media.Sample) error {
		last := &out[len(out)-1]
		last.samples = append(last.samples, s)
		return nil
	})
	return film, out, err
}

// finished is an origin whose show is over.
func finished(t *testing.T, acts ...act) (*origin, string) {
	t.Helper()
	o := newOrigin(acts...)
	o.start, o.ended = o.start.Add(-time.Hour), true
	srv := httptest.NewServer(o)
	t.Cleanup(srv.Close)
	return o, srv.URL + "/live.m3u8"
}

// Every sample of a finished show comes once, in order, with the date of its beginning.
func TestReadFilm(t *testing.T) {
	if testing.Short() {
		t.Skip("keeps real time")
	}
	for _, kind := range []string{"fmp4", "ts", "ranges", "apart", "apart-ts", "hevc"} {
		t.Run(kind, func(t *testing.T) {
			o, address := finished(t, act{film: filmOf(t, kind), n: 8})
			film, got, err := readFilm(t, address)
			if err != nil || len(got) != 1 {
				t.Fatalf("%d stretches, %v", len(got), err)
			}
			s, want := got[0], media.H264
			if kind == "hevc" {
				want = media.HEVC
			}
			if d := film.Duration(); d < 15900*time.Millisecond || d > 16100*time.Millisecond {
				t.Errorf("lasts %v", d)
			}
			if len(s.tracks) != 2 || s.tracks[0].Codec != want || s.tracks[0].SPS == nil || s.tracks[1].Codec != media.AAC {
				t.Errorf("tracks %+v", s.tracks)
			}
			if off := s.wall.Sub(o.start); off < -time.Millisecond || off > time.Millisecond {
				t.Errorf("begins %v after it did", off)
			}
			pictures, sounds := s.of(media.Video), s.of(media.Audio)
			if len(pictures) != 8*60 || !pictures[0].Key {
				t.Errorf("%d pictures", len(pictures))
			}
			if want := 16 * 48000 / 1024; len(sounds) < want-4 || len(sounds) > want+4 {
				t.Errorf("%d packets of sound, not about %d", len(sounds), want)
			}
			for i := range pictures[1:] {
				if d := pictures[i+1].DTS - pictures[i].DTS; d != 3000 {
					t.Errorf("picture %d decodes %d ticks after the one before", i+1, d)
				}
			}
			var newest [2]media.Ticks
			for _, x := range s.samples {
				newest[int(x.Kind)-1] = x.DTS
				if apart := newest[0] - newest[1]; newest[1] > 0 && (apart > media.TicksPerSecond || apart < -media.TicksPerSecond) {
					t.Fatalf("the tracks are %d ticks apart", apart)
				}
			}
		})
	}
}

// A discontinuity, a gap, or a leap of the timestamps that no tag announces, begins a stretch.
func TestReadFilmInStretches(t *testing.T) {
	fmp4, ts, small := filmOf(t, "fmp4"), filmOf(t, "ts"), filmOf(t, "small")
	for name, c := range map[string]struct {
		acts   []act
		change func(*origin)
		want   []int // pictures of each stretch
	}{
		"new parameters": {acts: []act{{film: fmp4, n: 3}, {film: small, n: 2, at: 20 * time.Second}}, want: []int{180, 120}},
		"same again":     {acts: []act{{film: ts, n: 3}, {film: ts, n: 2, at: 20 * time.Second}}, want: []int{180, 120}},
		"a gap":          {acts: []act{{film: fmp4, n: 5}}, change: func(o *origin) { o.gap = 3 }, want: []int{120, 120}},
		"not announced":  {acts: []act{{film: ts, n: 3}, {film: ts, n: 2, at: 6 * time.Second}}, change: func(o *origin) { o.untagged = true }, want: []int{180, 120}},
		"without dates":  {acts: []act{{film: ts, n: 2}}, change: func(o *origin) { o.dates = false }, want: []int{120}},
	} {
		t.Run(name, func(t *testing.T) {
			o, address := finished(t, c.acts...)
			if c.change != nil {
				o.do(c.change)
			}
			_, got, err := readFilm(t, address)
			if err != nil || len(got) != len(c.want) {
				t.Fatalf("%d stretches, %v", len(got), err)
			}
			for i, s := range got {
				if n := len(s.of(media.Video)); n != c.want[i] {
					t.Errorf("%d pictures in stretch %d, want %d", n, i, c.want[i])
				}
				if !s.samples[0].Key || s.samples[0].Kind != media.Video {
					t.Errorf("stretch %d begins with %+v", i, s.samples[0].Kind)
				}
				if s.wall.IsZero() == o.dates {
					t.Errorf("stretch %d begins at %v", i, s.wall)
				}
			}
		})
	}
}

// What cannot be imported is refused in words.
func TestOpenFilmRefuses(t *testing.T) {
	film := filmOf(t, "fmp4")
	const head = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n"
	pages := map[string]string{
		"/live":      head + "#EXTINF:4,\na.ts\n",
		"/locked":    head + "#EXT-X-KEY:METHOD=AES-128,URI=\"k\"\n#EXTINF:4,\na.ts\n#EXT-X-ENDLIST\n",
		"/empty":     head + "#EXT-X-ENDLIST\n",
		"/page":      "<html>",
		"/vp9":       "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS=\"vp09.00.10.08\"\na.m3u8\n",
		"/elsewhere": "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nfile:///etc/passwd\n",
		"/notmedia":  head + "#EXTINF:4,\npage\n#EXT-X-ENDLIST\n",
		"/missing":   head + "#EXTINF:4,\nnothing.ts\n#EXT-X-ENDLIST\n",
		"/badinit":   head + "#EXT-X-MAP:URI=\"page\"\n#EXTINF:4,\npage\n#EXT-X-ENDLIST\n",
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if pages[r.URL.Path] == "" {
			w.WriteHeader(http.StatusNotFound)
		}
		_, _ = w.Write([]byte(pages[r.URL.Path]))
	}))
	defer srv.Close()
	for path, c := range map[string]struct {
		kind errs.Kind
		says string
	}{
		"/live": {errs.Invalid, "still going on"}, "/locked": {errs.Invalid, "encrypted"}, "/empty": {errs.Invalid, "no segments"},
		"/page": {errs.Invalid, "does not lead to an HLS playlist"}, "/vp9": {errs.Invalid, "no variant"}, "/elsewhere": {errs.Invalid, "only http and https"},
		"/notmedia": {errs.Invalid, "cannot be read"}, "/missing": {errs.NotFound, "HTTP 404"}, "/badinit": {errs.Invalid, "initialization segment"},
		"/nowhere": {errs.NotFound, "HTTP 404"},
	} {
		_, _, err := readFilm(t, srv.URL+path)
		if errs.KindOf(err) != c.kind || !strings.Contains(errs.MessageOf(err), c.says) {
			t.Errorf("%s: %v: %v", path, errs.KindOf(err), err)
		}
	}
	if _, err := testLibrary().Open(t.Context(), "ftp://a/b"); errs.FieldOf(err) != "url" {
		t.Errorf("ftp: %v", err)
	}
	if _, err := NewLibrary(Config{}).Open(t.Context(), srv.URL+"/live"); errs.KindOf(err) != errs.Forbidden {
		t.Errorf("a private address: %v", err)
	}

	o := newOrigin(act{film: film, n: 2})
	o.start, o.ended = o.start.Add(-time.Hour), true
	whole := httptest.NewServer(o)
	defer whole.Close()
	f, err := testLibrary().Open(t.Context(), whole.URL+"/live.m3u8")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	stop := errors.New("enough")
	err = f.Read(t.Context(), func(time.Time, []media.Track) error { return nil }, func(media.Sample) error { return stop })
	if !errors.Is(err, stop) {
		t.Errorf("the writer's error is %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := f.Read(ctx, nil, nil); err == nil {
		t.Error("read after the end")
	}
}
