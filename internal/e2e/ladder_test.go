package e2e

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4"

	"github.com/vitrine-live/vitrine/internal/llhls"
)

// wide is larger than two of the presets.
var wide = picture{width: 960, height: 540}

func (s *server) newLadderRoom(t *testing.T, presets ...string) (r room) {
	t.Helper()
	s.call(t, http.MethodPost, "/api/v1/rooms", map[string]any{"title": "Tea evening", "ladder": presets}, &r)
	return r
}

type rendition struct {
	Name   string `json:"name"`
	Width  int    `json:"width"`
	Height int    `json:"height"`
	State  string `json:"state"`
	Reason string `json:"reason"`
}

func (s *server) renditions(t *testing.T, roomID string) []rendition {
	t.Helper()
	var studio struct {
		Renditions []rendition `json:"renditions"`
	}
	s.call(t, http.MethodGet, "/api/v1/rooms/"+roomID+"/studio", nil, &studio)
	return studio.Renditions
}

// laddersAre waits until every rendition is in a state, and returns the reason of the first.
func (s *server) laddersAre(t *testing.T, roomID, state string, within time.Duration) (reason string) {
	t.Helper()
	eventually(t, within, "the renditions to be "+state, func() bool {
		all := s.renditions(t, roomID)
		if len(all) == 0 || slices.ContainsFunc(all, func(r rendition) bool { return r.State != state }) {
			return false
		}
		reason = all[0].Reason
		return true
	})
	return reason
}

// transcoder is the process of ffmpeg that makes the server's ladder.
func (s *server) transcoder(t *testing.T) (pid int) {
	t.Helper()
	paths, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", s.cmd.Process.Pid))
	for _, path := range paths {
		children, _ := os.ReadFile(path)
		for child := range strings.FieldsSeq(string(children)) {
			line, _ := os.ReadFile("/proc/" + child + "/cmdline")
			if strings.Contains(string(line), "-filter_complex") {
				pid, _ = strconv.Atoi(child)
				return pid
			}
		}
	}
	t.Fatal("no process makes a ladder")
	return 0
}

// Renditions hold the same pictures at the same ticks with the same sound. Their maker is killed, and then starved; the
// source goes on without a hole, and they come back with gaps in the lists, by the rules.
func TestLadder(t *testing.T) {
	s := serve(t)
	r := s.newLadderRoom(t, "720p", "480p", "360p")
	pub := publish(t, s, r.StreamKey, publication{picture: wide, bframes: 2})
	s.onAir(t, r.ID)
	s.laddersAre(t, r.ID, "on", 20*time.Second)
	pub.reach(t, 4*fps)

	followed := make(chan *llhls.GroupReport, 1)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	go func() {
		report, err := llhls.FollowAll(ctx, s.url("/live/"+r.ID+"/index.m3u8"), llhls.Options{})
		if err != nil {
			t.Error(err)
			report = &llhls.GroupReport{}
		}
		followed <- report
	}()
	pub.reach(t, 7*fps)
	s.fail(t, r.ID, syscall.SIGKILL)
	pub.reach(t, pub.next()+3*fps)
	s.fail(t, r.ID, syscall.SIGSTOP)
	pub.reach(t, pub.next()+4*fps)
	pub.finish(t)
	report := <-followed
	if err := report.Err(); err != nil {
		t.Error(err)
	}
	t.Logf("%d segments compared", report.Aligned)
	if len(report.Variants) != 3 || report.Aligned < 20 {
		t.Errorf("the checker saw too little: %d variants, %d segments compared", len(report.Variants), report.Aligned)
	}
	s.checkRenditions(t, report.URIs)
	s.stop(t)
}

// fail does something to the maker of the ladder, and waits until another has taken over.
func (s *server) fail(t *testing.T, roomID string, signal syscall.Signal) {
	t.Helper()
	pid := s.transcoder(t)
	if err := syscall.Kill(pid, signal); err != nil {
		t.Fatal(err)
	}
	if reason := s.laddersAre(t, roomID, "down", 20*time.Second); !strings.Contains(reason, "ffmpeg") {
		t.Errorf("after %v the reason is %q", signal, reason)
	}
	s.laddersAre(t, roomID, "on", 20*time.Second)
	if syscall.Kill(pid, 0) == nil {
		t.Errorf("after %v the old process is still there", signal)
	}
}

// listed is a segment of a playlist.
type listed struct {
	gap     bool
	video   []int64  // presentation times in ticks of 90 kHz
	sound   [][]byte // the packets
	soundAt []int64  // their times
}

// checkRenditions compares the segments that the media playlists hold, the first of which is the source's.
func (s *server) checkRenditions(t *testing.T, addresses []string) {
	t.Helper()
	source := s.segments(t, addresses[0])
	for _, address := range addresses[1:] {
		name := path.Base(path.Dir(address))
		same, gaps := 0, 0
		for msn, seg := range s.segments(t, address) {
			want, known := source[msn]
			switch {
			case !known || want.gap:
				t.Errorf("%s: segment %d is not in the source, or a gap there", name, msn)
			case seg.gap:
				gaps++
			case !slices.Equal(seg.video, want.video) || len(seg.video) == 0:
				t.Errorf("%s: segment %d shows pictures at %v, the source at %v", name, msn, seg.video, want.video)
			case !slices.EqualFunc(seg.sound, want.sound, bytes.Equal) || !slices.Equal(seg.soundAt, want.soundAt):
				t.Errorf("%s: segment %d has other sound than the source", name, msn)
			default:
				same++
			}
		}
		t.Logf("%s: %d segments as the source's, %d gaps", name, same, gaps)
		if same < 2 {
			t.Errorf("%s: %d segments are the source's", name, same)
		}
	}
}

var (
	mapURI   = regexp.MustCompile(`#EXT-X-MAP:URI="([^"]+)"`)
	sequence = regexp.MustCompile(`#EXT-X-MEDIA-SEQUENCE:(\d+)`)
)

// segments reads every segment that a playlist lists.
func (s *server) segments(t *testing.T, address string) map[int]listed {
	t.Helper()
	address = strings.TrimPrefix(address, s.url(""))
	base := path.Dir(address) + "/"
	status, body := s.get(t, address)
	if status != http.StatusOK {
		t.Fatalf("%s: %d", address, status)
	}
	msn, _ := strconv.Atoi(string(sequence.FindSubmatch(body)[1]))
	out := map[int]listed{}
	var ids trackIDs
	gap := false
	for line := range strings.Lines(string(body)) {
		line = strings.TrimSpace(line)
		if m := mapURI.FindStringSubmatch(line); m != nil {
			_, data := s.get(t, base+m[1])
			ids = readInit(t, data)
		}
		gap = gap || line == "#EXT-X-GAP"
		if line == "" || line[0] == '#' {
			continue
		}
		seg := listed{gap: gap}
		if !gap {
			status, data := s.get(t, base+line)
			if status != http.StatusOK {
				t.Errorf("%s%s: %d", base, line, status)
			}
			seg.read(t, ids, data)
		}
		out[msn], gap = seg, false
		msn++
	}
	return out
}

// trackIDs are the tracks of an initialization segment, with their ticks per second.
type trackIDs struct {
	video, sound         int
	videoRate, soundRate int64
}

func readInit(t *testing.T, data []byte) (ids trackIDs) {
	t.Helper()
	var in fmp4.Init
	if err := in.Unmarshal(bytes.NewReader(data)); err != nil {
		t.Fatal(err)
	}
	for _, tr := range in.Tracks {
		if tr.Codec.IsVideo() {
			ids.video, ids.videoRate = tr.ID, int64(tr.TimeScale)
		} else {
			ids.sound, ids.soundRate = tr.ID, int64(tr.TimeScale)
		}
	}
	return ids
}

func (l *listed) read(t *testing.T, ids trackIDs, data []byte) {
	t.Helper()
	var parts fmp4.Parts
	if err := parts.Unmarshal(data); err != nil {
		t.Fatal(err)
	}
	for _, p := range parts {
		for _, tr := range p.Tracks {
			at := int64(tr.BaseTime)
			for _, sample := range tr.Samples {
				if tr.ID == ids.video {
					l.video = append(l.video, (at+int64(sample.PTSOffset))*90_000/ids.videoRate)
				} else {
					l.sound, l.soundAt = append(l.sound, sample.Payload), append(l.soundAt, at*90_000/ids.soundRate)
				}
				at += int64(sample.Duration)
			}
		}
	}
	slices.Sort(l.video)
}

// switchJS plays with hls.js in a page of its own, and notes number and size of each picture shown.
const switchJS = `async (library, address, { cells, x, y, cell }) => {
	const { Hls } = await import(library);
	const video = document.createElement('video');
	video.muted = true;
	document.body.replaceChildren(video);
	const hls = (window.__hls = new Hls({ lowLatencyMode: true, startLevel: 1 })); // the source, which is asked for first
	window.__shown = [];
	window.__errors = [];
	hls.on('hlsError', (_, e) => { if (e.fatal) window.__errors.push(e.details); });
	const canvas = new OffscreenCanvas(4, 4), cx = canvas.getContext('2d', { willReadFrequently: true });
	const ones = (v) => { let n = 0; for (; v; v &= v - 1) n++; return n; };
	const each = () => video.requestVideoFrameCallback((_, m) => {
		each();
		const k = m.height / cells;
		cx.drawImage(video, x * k, y * k, 4 * cell * k, 4 * cell * k, 0, 0, 4, 4);
		const px = cx.getImageData(0, 0, 4, 4).data;
		let code = 0;
		for (let i = 0; i < 16; i++) code = (code << 1) | (px[i * 4] > 128 ? 1 : 0);
		const n = code >> 4;
		const read = ((n << 4) | ((ones(n) + 1) & 15)) === code;
		window.__shown.push({ n: read ? n : -1, height: m.height, at: m.mediaTime });
	});
	each();
	hls.loadSource(address);
	hls.attachMedia(video);
	await new Promise((done) => hls.once('hlsManifestParsed', done));
	void video.play();
	return hls.levels.map((l) => l.height);
}`

// hls.js goes down to a rendition and up to the source, and goes on with the next picture each time.
func TestPlayerSwitchesRenditions(t *testing.T) {
	s := serve(t)
	r := s.newLadderRoom(t, "360p")
	pub := publish(t, s, r.StreamKey, publication{picture: wide})
	s.onAir(t, r.ID)
	s.laddersAre(t, r.ID, "on", 20*time.Second)
	pub.reach(t, 4*fps)
	library, _ := filepath.Glob("../../web/dist/assets/hls.light-*.js")
	if len(library) != 1 {
		t.Fatalf("hls.js is not built: %v", library)
	}
	b := browse(t, s.url("/healthz"))
	x, y, cell := wide.codeBlock()
	var heights []int
	b.eval(t, fmt.Sprintf("(%s)(%q, %q, { cells: %d, x: %d, y: %d, cell: %d })", switchJS,
		"/assets/"+filepath.Base(library[0]), "/live/"+r.ID+"/index.m3u8", wide.height, x, y, cell), &heights)
	if !slices.Equal(slices.Sorted(slices.Values(heights)), []int{360, 540}) {
		t.Fatalf("the levels are %v", heights)
	}
	var wants []int
	for _, height := range []int{540, 360, 540} {
		wants = append(wants, height)
		var ok bool
		b.eval(t, fmt.Sprintf("(window.__hls.nextLevel = %d, true)", slices.Index(heights, height)), &ok)
		eventually(t, 40*time.Second, fmt.Sprintf("the player to show %d rows", height), func() bool {
			var last int
			b.eval(t, "window.__shown.at(-1)?.height ?? 0", &last)
			return last == height
		})
	}
	b.checkShown(t, wants)
}

// checkShown wants pictures in order, of these heights in this order, each at its time whatever its height.
func (b *browser) checkShown(t *testing.T, heights []int) {
	t.Helper()
	var shown []struct {
		N      int     `json:"n"` // -1: unreadable
		Height int     `json:"height"`
		At     float64 `json:"at"` // show time in seconds
	}
	b.eval(t, "window.__shown", &shown)
	var errs []string
	b.eval(t, "window.__errors", &errs)
	if len(errs) > 0 {
		t.Errorf("hls.js gave up: %q", errs)
	}
	var seen []int
	right := 0
	for i, f := range shown {
		if i == 0 || f.Height != shown[i-1].Height {
			seen = append(seen, f.Height)
		}
		if i > 0 && f.At <= shown[i-1].At {
			t.Errorf("%.3f s in %d rows was shown after %.3f s in %d", f.At, f.Height, shown[i-1].At, shown[i-1].Height)
		}
		if off := f.N - int(math.Round(f.At*fps)); f.N >= 0 && off >= -1 && off <= 1 {
			right++
		}
	}
	t.Logf("%d pictures, %d at their time, heights %v", len(shown), right, seen)
	if !slices.Equal(seen, heights) {
		t.Errorf("heights %v, want %v", seen, heights)
	}
	// A starved browser paints some pictures that it decodes only to reach the one it is to show.
	if right*2 < len(shown) {
		t.Errorf("%d of %d pictures are at their time", right, len(shown))
	}
}
