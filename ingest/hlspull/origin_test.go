package hlspull

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// film is what ffmpeg made as HLS: its playlist and files.
type testFilm struct {
	list  *mediaPlaylist
	files map[string][]byte
}

const filmLength = 16 * time.Second

// films are encoded once for all tests.
var films = map[string]func() (testFilm, error){
	"fmp4": sync.OnceValues(func() (testFilm, error) { return encode("-hls_segment_type", "fmp4") }),
	"ts":   sync.OnceValues(func() (testFilm, error) { return encode("-hls_segment_type", "mpegts") }),
	"small": sync.OnceValues(func() (testFilm, error) {
		return encode("-hls_segment_type", "fmp4", "-vf", "scale=160:90")
	}),
}

func filmOf(t testing.TB, name string) testFilm {
	t.Helper()
	f, err := films[name]()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// encode makes a film of H264 with B-frames and AAC in segments of two seconds.
func encode(args ...string) (testFilm, error) {
	dir, err := os.MkdirTemp("", "hlspull")
	if err != nil {
		return testFilm{}, err
	}
	defer os.RemoveAll(dir)
	all := []string{
		"-v", "error", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=30", "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000",
		"-t", fmt.Sprint(filmLength.Seconds()), "-c:v", "libx264", "-preset", "veryfast", "-bf", "2", "-g", "60", "-sc_threshold", "0",
		"-pix_fmt", "yuv420p", "-c:a", "aac", "-ac", "2", "-f", "hls", "-hls_time", "2", "-hls_list_size", "0", "-hls_playlist_type", "vod",
	}
	out, err := exec.Command("ffmpeg", append(append(all, args...), filepath.Join(dir, "film.m3u8"))...).CombinedOutput()
	if err != nil {
		return testFilm{}, fmt.Errorf("ffmpeg: %w: %s", err, out)
	}
	f := testFilm{files: map[string][]byte{}}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return testFilm{}, err
	}
	for _, e := range entries {
		if f.files[e.Name()], err = os.ReadFile(filepath.Join(dir, e.Name())); err != nil {
			return testFilm{}, err
		}
	}
	base, _ := url.Parse("http://origin/")
	f.list, err = parseMedia(string(f.files["film.m3u8"]), base)
	return f, err
}

// origin is a live origin on the clock of its bubble: it lists a segment when its time has passed.
type origin struct {
	window int // segments that it lists; 0: all

	mu     sync.Mutex
	acts   []act
	start  time.Time
	ended  bool
	down   int            // answers 503 while positive
	broken map[string]int // status for a path
	asked  map[string]int // by path
	dates  bool
}

// act is one uninterrupted piece of an origin's show.
type act struct {
	at   time.Duration // since the start, on the wall
	film testFilm
	name string
	n    int // segments
}

func newOrigin(acts ...act) *origin {
	return &origin{start: time.Now(), acts: acts, asked: map[string]int{}, broken: map[string]int{}, dates: true}
}

// until is when the whole show is listed.
func (o *origin) until() time.Duration {
	last := o.acts[len(o.acts)-1]
	return last.at + time.Duration(last.n)*2*time.Second
}

func (o *origin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.asked[r.URL.Path]++
	if o.down > 0 {
		o.down--
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	if status := o.broken[r.URL.Path]; status != 0 {
		w.WriteHeader(status)
		return
	}
	if r.URL.Path == "/live.m3u8" {
		_, _ = w.Write([]byte(o.playlist()))
		return
	}
	var n int
	var name string
	_, _ = fmt.Sscanf(strings.ReplaceAll(r.URL.Path, "/", " "), "%d %s", &n, &name)
	if n >= len(o.acts) || o.acts[n].film.files[name] == nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	_, _ = w.Write(o.acts[n].film.files[name])
}

func (o *origin) playlist() string {
	var lines []string
	now := time.Since(o.start)
	for i, a := range o.acts {
		at := a.at
		for n, s := range a.film.list.segments[:a.n] {
			if at += s.duration; at > now {
				break
			}
			var tags string
			if n == 0 && i > 0 {
				tags = "#EXT-X-DISCONTINUITY\n"
			}
			if s.init.url != "" {
				tags += fmt.Sprintf("#EXT-X-MAP:URI=\"%d/%s\"\n", i, filepath.Base(s.init.url))
			}
			if o.dates {
				tags += "#EXT-X-PROGRAM-DATE-TIME:" + o.start.Add(at-s.duration).UTC().Format(time.RFC3339Nano) + "\n"
			}
			lines = append(lines, fmt.Sprintf("%s#EXTINF:%f,\n%d/%s\n", tags, s.duration.Seconds(), i, filepath.Base(s.url)))
		}
	}
	first, gone := 0, 0
	if o.window > 0 {
		first = max(0, len(lines)-o.window)
	}
	for _, l := range lines[:first] {
		gone += strings.Count(l, "#EXT-X-DISCONTINUITY\n")
	}
	text := fmt.Sprintf("#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:%d\n#EXT-X-DISCONTINUITY-SEQUENCE:%d\n", first, gone)
	text += strings.Join(lines[first:], "")
	if o.ended && now > o.until() {
		text += "#EXT-X-ENDLIST\n"
	}
	return text
}

// pipeNet carries HTTP within a bubble.
type pipeNet struct {
	conns chan net.Conn
	done  chan struct{}
}

// serve serves h to whoever dials until the bubble's test ends.
func serve(t *testing.T, h http.Handler) *pipeNet {
	p := &pipeNet{conns: make(chan net.Conn), done: make(chan struct{})}
	srv := &http.Server{Handler: h}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = srv.Serve(p)
	}()
	t.Cleanup(func() {
		_ = srv.Close()
		<-ended
	})
	return p
}

func (p *pipeNet) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case p.conns <- far:
		return near, nil
	case <-p.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *pipeNet) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipeNet) Close() error {
	select {
	case <-p.done:
	default:
		close(p.done)
	}
	return nil
}

func (p *pipeNet) Addr() net.Addr { return &net.TCPAddr{} }
