package hlspull

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// film is what ffmpeg made as HLS: its playlist and files.
type testFilm struct {
	list  *mediaPlaylist
	sound *mediaPlaylist // nil: in list
	files map[string][]byte
}

const filmLength = 16 * time.Second

// films are encoded once for all tests.
var films = map[string]func() (testFilm, error){
	"fmp4":   sync.OnceValues(func() (testFilm, error) { return encode("-hls_segment_type", "fmp4") }),
	"ts":     sync.OnceValues(func() (testFilm, error) { return encode("-hls_segment_type", "mpegts") }),
	"ranges": sync.OnceValues(func() (testFilm, error) { return encode("-hls_segment_type", "fmp4", "-hls_flags", "single_file") }),
	"apart": sync.OnceValues(func() (testFilm, error) {
		return encodeApart([]string{"-hls_segment_type", "fmp4"}, "-hls_fmp4_init_filename", "sound_init.mp4", "-hls_segment_filename", "sound%d.m4s")
	}),
	"apart-ts": sync.OnceValues(func() (testFilm, error) {
		return encodeApart([]string{"-hls_segment_type", "mpegts"}, "-hls_segment_filename", "sound%d.ts")
	}),
	"hevc": sync.OnceValues(func() (testFilm, error) {
		return encode("-hls_segment_type", "fmp4", "-c:v", "libx265", "-preset", "ultrafast", "-tag:v", "hvc1",
			"-x265-params", "log-level=none:bframes=2:keyint=60:min-keyint=60:scenecut=0:open-gop=0")
	}),
	"small": sync.OnceValues(func() (testFilm, error) {
		return encode("-hls_segment_type", "fmp4", "-vf", "scale=160:90")
	}),
}

// encodeApart makes a film whose sound has a playlist and segments of its own.
func encodeApart(both []string, sound ...string) (testFilm, error) {
	pictures, err := encode(append(both, "-an")...)
	if err != nil {
		return testFilm{}, err
	}
	other, err := encode(append(append(both, "-vn"), sound...)...)
	if err != nil {
		return testFilm{}, err
	}
	maps.Copy(pictures.files, other.files)
	pictures.sound = other.list
	return pictures, nil
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
		"-t", fmt.Sprint(filmLength.Seconds()), "-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-g", "60", "-sc_threshold", "0",
		"-pix_fmt", "yuv420p", "-c:a", "aac", "-ac", "2", "-f", "hls", "-hls_time", "2", "-hls_list_size", "0", "-hls_playlist_type", "vod",
	}
	name := "film.m3u8"
	if slices.Contains(args, "-vn") {
		name = "sound.m3u8"
	}
	for i, a := range args {
		if strings.HasPrefix(a, "sound%") {
			args[i] = filepath.Join(dir, a)
		}
	}
	out, err := exec.Command("ffmpeg", append(append(all, args...), filepath.Join(dir, name))...).CombinedOutput()
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
	f.list, err = parseMedia(string(f.files[name]), base)
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
	gap    int            // number of a segment that is missing, from 1; 0: none
	dates  bool

	datesOff time.Duration
	untagged bool          // discontinuities are not announced
	cut      int           // answers cut short while positive
	stale    int           // playlists without their newest segment while positive
	frozen   time.Duration // the playlist does not change before this long after the start
}

// do changes the origin.
func (o *origin) do(f func(*origin)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	f(o)
}

// act is one uninterrupted piece of an origin's show.
type act struct {
	at   time.Duration // since the start, on the wall
	film testFilm
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
	if o.cut > 0 {
		o.cut--
		w.Header().Set("Content-Length", "1000")
		_, _ = w.Write([]byte("#EXTM3U\n"))
		return
	}
	if status := o.broken[r.URL.Path]; status != 0 {
		w.WriteHeader(status)
		return
	}
	switch r.URL.Path {
	case "/live.m3u8":
		film := o.acts[0].film
		if film.sound == nil {
			_, _ = w.Write([]byte(o.playlist(film.list)))
			return
		}
		_, _ = w.Write([]byte("#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"s\",NAME=\"x\",URI=\"other.m3u8\"\n" +
			"#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"s\",NAME=\"y\",DEFAULT=YES,URI=\"sound.m3u8\"\n" +
			"#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS=\"avc1.64000c,mp4a.40.2\",AUDIO=\"s\"\nnone.m3u8\n" +
			"#EXT-X-STREAM-INF:BANDWIDTH=9,CODECS=\"hvc1.1.6.L93.B0,mp4a.40.2\",AUDIO=\"s\"\nnone.m3u8\n" +
			"#EXT-X-STREAM-INF:BANDWIDTH=2,CODECS=\"avc1.64000c,mp4a.40.2\",AUDIO=\"s\"\npictures.m3u8\n"))
		return
	case "/pictures.m3u8":
		_, _ = w.Write([]byte(o.playlist(o.acts[0].film.list)))
		return
	case "/sound.m3u8":
		_, _ = w.Write([]byte(o.playlist(o.acts[0].film.sound)))
		return
	}
	var n int
	var name string
	_, _ = fmt.Sscanf(strings.ReplaceAll(r.URL.Path, "/", " "), "%d %s", &n, &name)
	if n >= len(o.acts) || o.acts[n].film.files[name] == nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(o.acts[n].film.files[name]))
}

// playlist lists what has passed; only is the list of the first act.
func (o *origin) playlist(only *mediaPlaylist) string {
	var lines []string
	now := max(time.Since(o.start), o.frozen)
	for i, a := range o.acts {
		list := a.film.list
		if i == 0 {
			list = only
		}
		at := a.at
		for n, s := range list.segments[:min(a.n, len(list.segments))] {
			if at += s.duration; at > now {
				break
			}
			lines = append(lines, o.entry(s, i, n, at))
		}
	}
	if o.stale > 0 {
		o.stale--
		lines = lines[:len(lines)-1]
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

// entry is segment n of act i, which ends at at.
func (o *origin) entry(s segment, i, n int, at time.Duration) (text string) {
	if n == 0 && i > 0 && !o.untagged {
		text = "#EXT-X-DISCONTINUITY\n"
	}
	if n+1 == o.gap {
		text += "#EXT-X-GAP\n"
	}
	if s.init.url != "" {
		text += fmt.Sprintf("#EXT-X-MAP:URI=\"%d/%s\"%s\n", i, filepath.Base(s.init.url), rangeText(",BYTERANGE=\"%d@%d\"", s.init.span))
	}
	if o.dates {
		text += "#EXT-X-PROGRAM-DATE-TIME:" + o.start.Add(at-s.duration-o.datesOff).UTC().Format(time.RFC3339Nano) + "\n"
	}
	text += rangeText("#EXT-X-BYTERANGE:%d@%d\n", s.span)
	return text + fmt.Sprintf("#EXTINF:%f,\n%d/%s\n", s.duration.Seconds(), i, filepath.Base(s.url))
}

func rangeText(format string, s span) string {
	if s.length == 0 {
		return ""
	}
	return fmt.Sprintf(format, s.length, s.offset)
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
