package replay

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/internal/ids"
	"github.com/vitrine-live/vitrine/media"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// begun is the wall instant of a test show's first picture.
var begun = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// show packages a made-up show: what the packager would hand over, and what the recording has to hold.
type show struct {
	id       string
	partSize int
	pictures string // CODECS of the video
	random   *rand.Rand

	epoch    media.Epoch
	init     int
	msn      int64
	at       media.Ticks
	broken   bool // a discontinuity comes next
	inits    map[int][]byte
	segments []playlist.Segment // with parts, complete ones
	media    map[int64][]byte
}

func newShow() *show {
	return &show{
		id: ids.New("show"), partSize: 300, pictures: "avc1.64001f", random: rand.New(rand.NewPCG(1, 2)), inits: map[int][]byte{}, media: map[int64][]byte{},
		epoch: media.Epoch{Wall: begun},
	}
}

// onAir is a show that is being recorded, from its first epoch on, in an archive of its own.
func onAir(t testing.TB, cfg Config) (*show, *testArchive, *Recorder) {
	t.Helper()
	s, a := newShow(), newArchive(t, cfg)
	r := s.recorder(t, a.Archive)
	s.start(r, 0)
	return s, a, r
}

const (
	testPart    = 45_000 // half a second
	testParts   = 4
	testSegment = testPart * testParts
)

// start begins an epoch after the given pause of the wall clock.
func (s *show) start(r *Recorder, pause time.Duration) {
	wall := s.epoch.WallAt(s.at).Add(pause)
	s.epoch = media.Epoch{ShowTime: s.at, Wall: wall}
	s.broken = s.msn > 0
	s.init++
	data := fmt.Appendf(nil, "init %d of %s", s.init, s.id)
	s.inits[s.init] = data
	r.OnEpoch(s.epoch)
	r.OnInit(playlist.Init{
		Number: s.init, Codecs: s.pictures + ",mp4a.40.2", Width: 1280, Height: 720, Reorder: 6000, FrameRate: 30,
	}, data)
}

func (s *show) open() playlist.Segment {
	return playlist.Segment{
		MSN: s.msn, Start: s.at, Wall: s.epoch.WallAt(s.at), Init: s.init, Discontinuity: s.broken, Independent: true,
	}
}

// parts hands over the first n parts of the next segment.
func (s *show) parts(r *Recorder, n int) playlist.Segment {
	seg := s.open()
	var all []byte
	for i := range n {
		data := make([]byte, s.partSize+s.random.IntN(50))
		for j := range data {
			data[j] = byte(s.random.Uint32())
		}
		p := playlist.Part{
			Index: i, Duration: testPart, Independent: i == 0, Last: i == testParts-1, Offset: seg.Size, Size: int64(len(data)),
		}
		seg.Parts = append(seg.Parts, p)
		seg.Size += p.Size
		seg.Duration += p.Duration
		all = append(all, data...)
		r.OnPart(seg, p, data)
	}
	s.media[seg.MSN] = all
	return seg
}

// end completes a segment.
func (s *show) end(r *Recorder, seg playlist.Segment) {
	seg.TargetDuration, seg.PartTarget = 2, testPart
	s.segments = append(s.segments, seg)
	s.msn, s.at, s.broken = s.msn+1, seg.End(), false
	r.OnSegment(seg)
}

// run hands over n segments.
func (s *show) run(r *Recorder, n int) {
	for range n {
		s.end(r, s.parts(r, testParts))
	}
}

// recorder opens a recorder in an archive of the given settings, which ends with the test.
func (s *show) recorder(t testing.TB, a *Archive) *Recorder {
	t.Helper()
	r, _, err := a.Record(s.id)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// check compares a recording with the show: the first segments of it, whole but for the last, which may lack parts at
// its end. It returns how many parts there are.
func (s *show) check(t testing.TB, rec *Recording) (parts int) {
	t.Helper()
	segments := rec.Segments()
	if len(segments) > len(s.segments) {
		t.Fatalf("%d segments, only %d were made", len(segments), len(s.segments))
	}
	for i := range segments {
		got, want := &segments[i], s.segments[i]
		if i < len(segments)-1 && got.Size != want.Size {
			t.Fatalf("segment %d in the middle has %d of %d bytes", i, got.Size, want.Size)
		}
		n, size, duration := 0, int64(0), media.Ticks(0)
		for n < len(want.Parts) && size < got.Size {
			size += want.Parts[n].Size
			duration += want.Parts[n].Duration
			n++
		}
		parts += n
		if size != got.Size || duration != got.Duration || n == 0 {
			t.Fatalf("segment %d has %d bytes of %v, want %d bytes of %v", i, got.Size, got.Duration, size, duration)
		}
		if got.MSN != want.MSN || got.Start != want.Start || !got.Wall.Equal(want.Wall) || got.Init != want.Init ||
			got.Discontinuity != want.Discontinuity || got.Independent != want.Independent || got.Gap {
			t.Fatalf("segment %d is %+v, want %+v", i, *got, want)
		}
		if b := readSegment(t, rec, got.MSN); !bytes.Equal(b, s.media[got.MSN][:size]) {
			t.Fatalf("the bytes of segment %d differ", i)
		}
		init, err := rec.InitData(got.Init)
		if err != nil || !bytes.Equal(init, s.inits[got.Init]) {
			t.Fatalf("init %d: %v", got.Init, err)
		}
	}
	return parts
}

func readSegment(t testing.TB, rec *Recording, msn int64) []byte {
	t.Helper()
	b, err := rec.segmentData(msn)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// testArchive is an archive whose disk can be made to fail.
type testArchive struct {
	*Archive
	dir   string
	fault *fault
	log   *logLines

	mu   sync.Mutex
	free int64
}

func newArchive(t testing.TB, cfg Config) *testArchive {
	t.Helper()
	return newArchiveIn(t, t.TempDir(), cfg)
}

func newArchiveIn(t testing.TB, dir string, cfg Config) *testArchive {
	t.Helper()
	return newArchiveOn(t, dir, cfg, nil)
}

// newArchiveOn makes an archive whose free space is what space says, or setFree when that is nil.
func newArchiveOn(t testing.TB, dir string, cfg Config, space func(string) (int64, error)) *testArchive {
	t.Helper()
	ta := &testArchive{dir: dir, fault: &fault{}, log: &logLines{}, free: 1 << 40}
	if space == nil {
		space = ta.space
	}
	a, err := open(ta.dir, cfg, slog.New(slog.NewTextHandler(ta.log, nil)), nil, ta.fault.openDisk, space)
	if err != nil {
		t.Fatal(err)
	}
	ta.Archive = a
	t.Cleanup(func() {
		ta.fault.set(func(f *fault) { f.budget, f.failure, f.gate = nil, nil, nil })
		_ = a.Close()
	})
	return ta
}

func (a *testArchive) space(string) (int64, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.free, nil
}

func (a *testArchive) setFree(n int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.free = n
}

// logLines collects what is logged.
type logLines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logLines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logLines) count(s string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.b.String(), s)
}

// fault makes writes fail.
type fault struct {
	mu      sync.Mutex
	budget  *int64        // bytes that may still be written; then ENOSPC
	failure error         // of every write
	gate    chan struct{} // writes wait until it is closed
	watch   func(name string, b []byte, off int64)
	synced  func(name string)
}

func (f *fault) set(change func(*fault)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(f)
}

// allow tells how many of n bytes may be written.
func (f *fault) allow(n int) (int, error) {
	f.mu.Lock()
	gate := f.gate
	f.mu.Unlock()
	if gate != nil {
		<-gate
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.failure != nil:
		return 0, f.failure
	case f.budget == nil:
		return n, nil
	case *f.budget >= int64(n):
		*f.budget -= int64(n)
		return n, nil
	}
	n = int(*f.budget)
	*f.budget = 0
	return n, &os.PathError{Op: "write", Err: syscall.ENOSPC}
}

func (f *fault) openDisk(root *os.Root, dir string) (disk, error) {
	d, err := openDisk(root, dir)
	return &faultyDisk{d, f}, err
}

type faultyDisk struct {
	disk
	fault *fault
}

func (d *faultyDisk) open(name string) (diskFile, error) {
	f, err := d.disk.open(name)
	return &faultyFile{f, name, d.fault}, err
}

func (d *faultyDisk) create(name string) (diskFile, error) {
	if _, err := d.fault.allow(0); err != nil {
		return nil, err
	}
	f, err := d.disk.create(name)
	return &faultyFile{f, name, d.fault}, err
}

type faultyFile struct {
	diskFile
	name  string
	fault *fault
}

func (f *faultyFile) WriteAt(b []byte, off int64) (int, error) {
	allowed, err := f.fault.allow(len(b))
	n, werr := f.diskFile.WriteAt(b[:allowed], off)
	f.fault.mu.Lock()
	watch := f.fault.watch
	f.fault.mu.Unlock()
	if watch != nil {
		watch(f.name, b[:n], off)
	}
	return n, errors.Join(werr, err)
}

func (f *faultyFile) Sync() error {
	f.fault.mu.Lock()
	synced := f.fault.synced
	f.fault.mu.Unlock()
	if synced != nil {
		synced(f.name)
	}
	return f.diskFile.Sync()
}
