package replay_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	hlsplaylist "github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/internal/ids"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/replay"
	"github.com/vitrine-live/vitrine/replay/edit"
	"github.com/vitrine-live/vitrine/replay/mp4"
)

// editedShow is a recorded show of sixteen seconds and two epochs whose edits a test sets, on a server that counts.
type editedShow struct {
	archive  *replay.Archive
	dir      string // of the archive
	state    edit.State
	show     string
	base     string        // of its addresses
	pictures []media.Ticks // show times, in order

	mu   sync.Mutex
	read []string // names of the segments that were asked for
}

// What all these shows are made of, encoded once.
var (
	encodeOnce  sync.Once
	onceEncoded *encoded
)

func newEditedShow(t testing.TB) *editedShow {
	t.Helper()
	s := &editedShow{state: edit.Unedited(), show: ids.New("show"), dir: t.TempDir()}
	var err error
	s.archive, err = replay.Open(s.dir, replay.Config{Edited: func(context.Context, string) (edit.State, error) { return s.state, nil }}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.archive.Close() })
	encodeOnce.Do(func() { onceEncoded = encode(t) })
	if onceEncoded == nil {
		t.Skip("nothing could be encoded")
	}
	s.pictures = onceEncoded.record(t, s.archive, s.show)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(r.URL.Path, "/")
		if strings.HasSuffix(name, ".ts") || strings.HasSuffix(name, ".m4s") {
			s.mu.Lock()
			s.read = append(s.read, name)
			s.mu.Unlock()
		}
		s.archive.Serve(w, r, s.show, name)
	}))
	t.Cleanup(server.Close)
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	s.base = server.URL + "/"
	return s
}

func (s *editedShow) apply(t testing.TB, o edit.Op) {
	t.Helper()
	next, err := edit.Apply(s.state, o)
	if err != nil {
		t.Fatal(err)
	}
	s.state = next
}

func seconds(n float64) media.Ticks { return media.Ticks(n * float64(media.TicksPerSecond)) }

// ffprobe finds the pictures that are kept, and no other, and ffmpeg decodes the rest without complaint.
func TestEditedReplayPlays(t *testing.T) {
	s := newEditedShow(t)
	s.apply(t, edit.Op{Kind: edit.Cut, From: 0, To: seconds(3)})
	s.apply(t, edit.Op{Kind: edit.Cut, From: seconds(5), To: seconds(10.5)})
	src, err := s.archive.Source(s.show)
	if err != nil {
		t.Fatal(err)
	}
	m := edit.MapOf(edit.Keep(src.Segments, s.state.Cuts))
	var want []media.Ticks
	for _, at := range s.pictures {
		if _, ok := m.ToPlay(at); ok {
			want = append(want, at)
		}
	}
	if len(want) == len(s.pictures) || len(want) < 200 {
		t.Fatalf("%d of %d pictures are kept", len(want), len(s.pictures))
	}
	out := run(t, "ffprobe", "-v", "error", "-select_streams", "v", "-show_packets", "-of", "json", s.base+"index.m3u8")
	var probed struct {
		Packets []struct{ PTS media.Ticks }
	}
	if err := json.Unmarshal(out, &probed); err != nil {
		t.Fatal(err)
	}
	var got []media.Ticks
	for _, p := range probed.Packets {
		got = append(got, p.PTS-3000) // see TestReplayPlays
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("%d pictures, want %d", len(got), len(want))
	}
	for _, name := range []string{"index.m3u8", "ts/index.m3u8"} {
		run(t, "ffmpeg", "-v", "error", "-xerror", "-i", s.base+name, "-f", "null", "-")
	}
}

// A player that seeks asks for the segment that it needs, and at most for one more.
func TestSeekingReadsTwoSegments(t *testing.T) {
	s := newEditedShow(t)
	asked := func(args ...string) []string {
		s.mu.Lock()
		s.read = nil
		s.mu.Unlock()
		// As MPEG-TS: in fragmented MP4 ffmpeg 5.1 loses its place and reads on, in playlists of its own making too.
		run(t, "ffmpeg", append(append([]string{"-v", "error", "-xerror", "-http_multiple", "0"}, args...),
			"-i", s.base+"ts/main.m3u8", "-map", "0:v", "-frames:v", "1", "-f", "null", "-")...)
		s.mu.Lock()
		defer s.mu.Unlock()
		return slices.Clone(s.read)
	}
	opened := asked() // ffmpeg looks into the beginning to learn what there is
	for _, at := range []string{"1", "5", "9", "11.5"} {
		sought := asked("-ss", at)
		if more := len(sought) - len(opened); more > 2 || more < 1 {
			t.Errorf("to %s s: %v, after %v to open", at, sought, opened)
		}
	}
}

// As fragmented MP4, the segment at a position and its initialization segment are enough to show the picture there: what
// players in browsers ask for when they seek.
func TestSeekingNeedsOneSegment(t *testing.T) {
	s := newEditedShow(t)
	playlist := string(s.get(t, "main.m3u8"))
	for _, at := range []media.Ticks{0, seconds(1.999), seconds(2), seconds(7.99), seconds(8), seconds(15.9)} {
		s.read = nil
		name := segmentAt(t, playlist, at)
		before := playlist[:strings.Index(playlist, "\n"+name+"\n")]
		_, uri, _ := strings.Cut(before[strings.LastIndex(before, "#EXT-X-MAP:"):], `URI="`)
		uri, _, _ = strings.Cut(uri, `"`)
		file := append(s.get(t, uri), s.get(t, name)...)
		path := filepath.Join(t.TempDir(), "sought.mp4")
		if err := os.WriteFile(path, file, 0o644); err != nil {
			t.Fatal(err)
		}
		run(t, "ffmpeg", "-v", "error", "-xerror", "-i", path, "-f", "null", "-")
		samples, err := mp4.ReadSamples(bytes.NewReader(file), int64(len(file)))
		if err != nil {
			t.Fatal(err)
		}
		const picture = media.TicksPerSecond / 30
		first := slices.IndexFunc(samples, func(x mp4.Sample) bool { return x.Track == 1 })
		if first < 0 || !samples[first].Sync || !slices.ContainsFunc(samples, func(x mp4.Sample) bool {
			shown := media.Ticks(x.PTS())
			return x.Track == 1 && shown <= at && at < shown+picture
		}) {
			t.Errorf("%s does not begin with a keyframe, or not show %v", name, at.Duration())
		}
		if len(s.read) != 1 {
			t.Errorf("read %v", s.read)
		}
	}
}

// In an edited replay the segment at a play time, by the lengths that the playlist tells, holds the instant that the map
// says: one request, whatever was cut before it.
func TestSeekingInAnEditedReplay(t *testing.T) {
	s := newEditedShow(t)
	s.apply(t, edit.Op{Kind: edit.Cut, From: seconds(2), To: seconds(6)})
	s.apply(t, edit.Op{Kind: edit.Cut, From: seconds(9), To: seconds(13)})
	src, err := s.archive.Source(s.show)
	if err != nil {
		t.Fatal(err)
	}
	m := edit.MapOf(edit.Keep(src.Segments, s.state.Cuts))
	playlist := string(s.get(t, "main.m3u8"))
	for play := media.Ticks(0); play < m.Duration(); play += seconds(0.5) {
		s.mu.Lock()
		s.read = nil
		s.mu.Unlock()
		name := segmentAt(t, playlist, play)
		s.get(t, name)
		i := slices.IndexFunc(src.Segments, func(seg hlsplaylist.Segment) bool { return name == hlsplaylist.SegmentName(seg.MSN, hlsplaylist.CMAF) })
		if show := m.ToShow(play); i < 0 || show < src.Segments[i].Start || show >= src.Segments[i].End() || len(s.read) != 1 {
			t.Errorf("play time %v is show time %v, in %s", play.Duration(), show.Duration(), name)
		}
	}
}

func (s *editedShow) get(t *testing.T, name string) []byte {
	t.Helper()
	resp, err := http.Get(s.base + name)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v", name, resp.Status, err)
	}
	return b
}

// segmentAt is the segment at a position of a playlist, as players find it.
func segmentAt(t *testing.T, playlist string, play media.Ticks) string {
	t.Helper()
	at, length := media.Ticks(0), media.Ticks(0)
	for l := range strings.SplitSeq(playlist, "\n") {
		if inf, ok := strings.CutPrefix(l, "#EXTINF:"); ok {
			d, err := time.ParseDuration(strings.TrimSuffix(inf, ",") + "s")
			if err != nil {
				t.Fatal(err)
			}
			length = media.FromDuration(d)
		} else if l != "" && l[0] != '#' {
			if at += length; at > play {
				return l
			}
		}
	}
	t.Fatalf("nothing plays at %v", play.Duration())
	return ""
}

// gray decodes every picture of the replay as it was recorded.
func (s *editedShow) gray(t *testing.T) [][]byte {
	t.Helper()
	b := run(t, "ffmpeg", "-v", "error", "-i", s.base+"index.m3u8", "-map", "0:v", "-fps_mode", "passthrough", "-pix_fmt", "gray", "-f", "rawvideo", "pipe:1")
	return slices.Collect(slices.Chunk(b, 320*180))
}

func (s *editedShow) poster(t *testing.T) (*http.Response, image.Image) {
	t.Helper()
	resp, err := http.Get(s.base + "poster.jpg")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	picture, err := jpeg.Decode(resp.Body)
	if err != nil {
		t.Fatalf("%s: %v", resp.Status, err)
	}
	return resp, picture
}

// nearest is the number of the picture that looks most like a poster.
func nearest(pictures [][]byte, poster image.Image) (best int) {
	least := int64(1) << 62
	luma := poster.(*image.YCbCr)
	for n, p := range pictures {
		var sum int64
		for y := range 180 {
			for x := range 320 {
				// full range, as JPEG has it, and the range of video
				d := int64(luma.Y[y*luma.YStride+x]) - int64(p[y*320+x])
				sum += d * d
			}
		}
		if sum < least {
			least, best = sum, n
		}
	}
	return best
}

func TestCover(t *testing.T) {
	if testing.Short() {
		t.Skip("runs ffmpeg for every picture")
	}
	program(t, "ffmpeg")
	s := newEditedShow(t)
	pictures := s.gray(t)
	if len(pictures) != len(s.pictures) {
		t.Fatalf("%d pictures decoded of %d", len(pictures), len(s.pictures))
	}
	first, original := s.poster(t)
	for _, n := range []int{0, 1, 59, 60, 101, 240, 333, len(s.pictures) - 1} {
		// As a page names it: the position of a paused player in whole milliseconds.
		s.apply(t, edit.Op{Kind: edit.SetCover, At: new(media.FromMilliseconds(s.pictures[n].Milliseconds()))})
		resp, cover := s.poster(t)
		if got := nearest(pictures[:240], cover); got != n%240 { // both epochs show the same
			t.Errorf("the cover at %d ms is picture %d, want %d", s.pictures[n].Milliseconds(), got, n)
		}
		if resp.Header.Get("ETag") == first.Header.Get("ETag") {
			t.Error("both posters have one ETag")
		}
	}
	s.apply(t, edit.Op{Kind: edit.SetCover}) // as undo does
	if _, again := s.poster(t); !bytes.Equal(again.(*image.YCbCr).Y, original.(*image.YCbCr).Y) {
		t.Error("the old poster is gone")
	}
}

// What was cut out does not stand on the front page, chosen by hand or by the server.
func TestCoverIsNotWhatWasCut(t *testing.T) {
	program(t, "ffmpeg")
	s := newEditedShow(t)
	pictures := s.gray(t)
	s.apply(t, edit.Op{Kind: edit.SetCover, At: new(seconds(1))})
	s.apply(t, edit.Op{Kind: edit.Cut, From: 0, To: seconds(6)}) // also where the server looks
	_, cover := s.poster(t)
	if got := nearest(pictures, cover); s.pictures[got] != seconds(6) {
		t.Errorf("picture %d, at %v", got, s.pictures[got].Duration())
	}
}

func TestCoverWithoutFFmpeg(t *testing.T) {
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("ffmpeg is not installed") // to make a show
	}
	s := newEditedShow(t)
	_, _ = s.poster(t) // is there
	s.apply(t, edit.Op{Kind: edit.SetCover, At: new(seconds(999))})
	if resp, _ := s.poster(t); resp.StatusCode != http.StatusOK {
		t.Errorf("a cover that cannot be made takes the poster away: %s", fmt.Sprint(resp.Status))
	}
}
