package replay

import (
	"bytes"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/internal/errs"
)

// disaster is what a recorder did to its files, in order, so that any instant of it can be brought back.
type disaster struct {
	show   *show
	inits  map[string][]byte // durable before anything names them
	events []diskEvent
}

// diskEvent is one write, or one sync when b is nil.
type diskEvent struct {
	name string
	b    []byte
	off  int64
}

// record runs a show of two epochs and n segments, the last of them open with two parts. pace lets time pass after each
// segment.
func recordDisaster(t *testing.T, n int, pace time.Duration) *disaster {
	t.Helper()
	d := &disaster{show: newShow(), inits: map[string][]byte{}}
	d.show.partSize = 20
	synctest.Test(t, func(t *testing.T) {
		a := newArchive(t, Config{})
		a.fault.set(func(f *fault) {
			f.watch = func(name string, b []byte, off int64) {
				d.events = append(d.events, diskEvent{name, bytes.Clone(b), off})
			}
			f.synced = func(name string) { d.events = append(d.events, diskEvent{name: name}) }
		})
		r := d.show.recorder(t, a.Archive)
		d.show.start(r, 0)
		for i := range n - 1 {
			if i == n/2 {
				d.show.start(r, 7*time.Second)
			}
			d.show.run(r, 1)
			synctest.Wait()
			time.Sleep(pace)
			synctest.Wait()
		}
		open := d.show.parts(r, 2)
		synctest.Wait()
		d.show.segments = append(d.show.segments, open) // never told to be complete
		for n := range d.show.inits {
			name := playlist.InitName(n)
			b, err := os.ReadFile(filepath.Join(a.dir, d.show.id, name))
			if err != nil {
				t.Fatal(err)
			}
			d.inits[name] = b
		}
		events := d.events
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
		d.events = events // without those of closing
	})
	return d
}

// image is the files after the first n events, and how much of each was durable then.
func (d *disaster) image(n int) (files map[string][]byte, durable map[string]int) {
	files, durable = map[string][]byte{}, map[string]int{}
	for _, e := range d.events[:n] {
		if filepath.Ext(e.name) == tempSuffix {
			continue
		}
		f := files[e.name]
		if e.b == nil {
			durable[e.name] = len(f)
			continue
		}
		if grow := int(e.off) + len(e.b) - len(f); grow > 0 {
			f = append(f, make([]byte, grow)...)
		}
		copy(f[e.off:], e.b)
		files[e.name] = f
	}
	maps.Copy(files, d.inits)
	return files, durable
}

// parts counts the parts whose lines are whole in an index.
func (d *disaster) parts(index []byte) (n int) {
	for line := range bytes.Lines(index) {
		if isPart(line) && line[len(line)-1] == '\n' {
			n++
		}
	}
	return n
}

func writeImage(t testing.TB, dir string, files map[string][]byte) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, b := range files {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// The process is killed while it writes the index, after any byte of it: the recording is what has a whole line.
func TestKilledAtAnyByteOfIndex(t *testing.T) {
	d := recordDisaster(t, 3, 0)
	files, _ := d.image(len(d.events))
	index := files[indexName]
	dir := filepath.Join(t.TempDir(), d.show.id)
	writeImage(t, dir, files)
	for n := range len(index) + 1 {
		if err := os.WriteFile(filepath.Join(dir, indexName), index[:n], 0o644); err != nil {
			t.Fatal(err)
		}
		rec, err := OpenRecording(dir)
		if err != nil {
			if errs.KindOf(err) != errs.NotFound || bytes.IndexByte(index[:n], '\n') >= 0 {
				t.Fatalf("index of %d bytes: %v", n, err)
			}
			continue
		}
		if got, want := d.show.check(t, rec), d.parts(index[:n]); got != want {
			t.Fatalf("index of %d bytes: %d parts, want %d", n, got, want)
		}
		if rec.Ended() {
			t.Fatal("ended")
		}
		_ = rec.Close()
	}
}

// The same, and the show goes on after it. Then it is killed again while that is recorded.
func TestContinuesAfterKill(t *testing.T) {
	d := recordDisaster(t, 5, 0)
	random := rand.New(rand.NewPCG(7, 7))
	for range 20 {
		files, _ := d.image(len(d.events))
		index := files[indexName]
		files[indexName] = index[:random.IntN(len(index)+1)]
		if name := "4.m4s"; random.IntN(3) == 0 { // of a part that was being written
			files[name] = append(files[name], "half a part"...)
		}
		files["17.m4s"], files["init-9.mp4"+tempSuffix] = []byte("unknown"), []byte("half")
		want := d.parts(files[indexName])
		root := t.TempDir()
		writeImage(t, filepath.Join(root, d.show.id), files)
		s := continueShow(t, root, d.show, want)

		for range 2 { // killed once more, and taken up again
			s = continueShow(t, root, s, -1)
		}
	}
}

// continueShow records three more segments behind what is there, which must be parts of the old show (if not negative).
func continueShow(t *testing.T, root string, old *show, parts int) *show {
	t.Helper()
	a := newArchiveIn(t, root, Config{})
	r, resume, err := a.Record(old.id)
	if err != nil {
		t.Fatal(err)
	}
	if got := old.check(t, r.Recording()); parts >= 0 && got != parts {
		t.Fatalf("%d parts, want %d", got, parts)
	}
	if _, err := os.Stat(filepath.Join(root, old.id, "17.m4s")); err == nil {
		t.Error("media that the index does not know is still there")
	}
	s := *old
	s.segments = append([]playlist.Segment(nil), old.segments[:len(resume.Segments)]...)
	for i, seg := range resume.Segments {
		for s.segments[i].Size > seg.Size { // the segment of the crash keeps what it has
			p := s.segments[i].Parts
			s.segments[i].Size -= p[len(p)-1].Size
			s.segments[i].Duration -= p[len(p)-1].Duration
			s.segments[i].Parts = p[:len(p)-1]
		}
	}
	s.msn, s.at, s.init = resume.NextMSN, resume.ShowTime, resume.NextInit-1
	s.media, s.inits = maps.Clone(old.media), maps.Clone(old.inits)
	s.start(r, time.Minute)
	s.run(r, 3)
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	rec, err := OpenRecording(filepath.Join(root, s.id))
	if err != nil {
		t.Fatal(err)
	}
	defer rec.Close()
	s.check(t, rec)
	if len(rec.Segments()) != len(s.segments) {
		t.Fatalf("%d segments, want %d", len(rec.Segments()), len(s.segments))
	}
	checkPlaylist(t, rec)
	return &s
}

// The power fails at any instant: of what was not synced any part may be missing or zero. What was durable stays, the
// rest is a beginning of what was written.
func TestPowerFailure(t *testing.T) {
	d := recordDisaster(t, 8, 700*time.Millisecond)
	random := rand.New(rand.NewPCG(3, 5))
	for range 200 {
		files, durable := d.image(random.IntN(len(d.events) + 1))
		least := d.durableParts(files, durable)
		for name, b := range files {
			if _, init := d.inits[name]; init || len(b) == durable[name] {
				continue
			}
			keep := durable[name] + random.IntN(len(b)-durable[name]+1)
			switch random.IntN(3) {
			case 0: // is short
				files[name] = b[:keep]
			case 1: // has its size but not its data
				clear(b[keep:])
			}
		}
		root := t.TempDir()
		writeImage(t, filepath.Join(root, d.show.id), files)
		rec, err := OpenRecording(filepath.Join(root, d.show.id))
		if err != nil {
			if errs.KindOf(err) != errs.NotFound || least > 0 {
				t.Fatal(err)
			}
			continue
		}
		if got := d.show.check(t, rec); got < least {
			t.Fatalf("%d parts, %d were durable", got, least)
		}
		_ = rec.Close()
		if random.IntN(8) == 0 {
			continueShow(t, root, d.show, -1)
		}
	}
}

// durableParts counts the first parts of which both the bytes and the line were durable.
func (d *disaster) durableParts(files map[string][]byte, durable map[string]int) (n int) {
	for line := range bytes.Lines(files[indexName][:durable[indexName]]) {
		if !isPart(line) {
			continue
		}
		e, err := parseLine(bytes.TrimSpace(line))
		if err != nil || int64(durable[playlist.SegmentName(e.MSN, playlist.CMAF)]) < e.Offset+e.Size {
			return n
		}
		n++
	}
	return n
}

// Any one byte of the index flips: the other lines keep their worth, and the timing is whole.
func TestDamagedIndex(t *testing.T) {
	d := recordDisaster(t, 4, 2*time.Second)
	files, _ := d.image(len(d.events))
	index := files[indexName]
	dir := filepath.Join(t.TempDir(), d.show.id)
	writeImage(t, dir, files)
	for i := range index {
		bad := bytes.Clone(index)
		bad[i] ^= 0x15
		if err := os.WriteFile(filepath.Join(dir, indexName), bad, 0o644); err != nil {
			t.Fatal(err)
		}
		rec, err := OpenRecording(dir)
		if err != nil {
			t.Fatalf("byte %d: %v", i, err)
		}
		segments := rec.Segments()
		if len(segments) < 3 {
			t.Fatalf("byte %d: %d segments", i, len(segments))
		}
		for j, s := range segments[:3] {
			if s.MSN != int64(j) || s.Start != d.show.segments[j].Start || s.Duration != testSegment {
				t.Fatalf("byte %d: segment %d is %+v", i, j, s)
			}
		}
		_ = rec.Close()
	}
}

func FuzzIndex(f *testing.F) {
	seg := playlist.Segment{MSN: 0, Wall: begun, Init: 1, Independent: true, Duration: 180_000, Size: 3}
	lines := [][]byte{
		appendMeta("show_0123456789abcdef"), appendInit(&playlist.Init{Number: 1}, []byte("x")),
		appendPart(nil, &seg, &playlist.Part{Duration: 180_000, Size: 3}, 5), appendSegment(&seg, 1), appendTarget(2, testPart), appendEnd(1),
	}
	f.Add(bytes.Join(lines, nil), int64(0))
	f.Add(appendSegment(&playlist.Segment{MSN: 1 << 40}, 0), int64(-1))
	f.Fuzz(func(t *testing.T, index []byte, msn int64) {
		// A line of any content is only met with a right checksum, so it is given one.
		for line := range bytes.Lines(bytes.Clone(index)) {
			if body, ok := bytes.CutSuffix(bytes.TrimSpace(line), []byte("}")); ok {
				index = append(index, '\n')
				index = append(index, newLineOf(body)...)
			}
		}
		dir := t.TempDir()
		writeImage(t, dir, map[string][]byte{indexName: index})
		rec, err := OpenRecording(dir)
		if err != nil {
			return
		}
		defer rec.Close()
		rec.Recorded(msn)
		rec.Resume()
		v := rec.view()
		v.media(playlist.CMAF, nil)
		v.multivariant(playlist.TS)
		if f, _, err := rec.OpenSegment(msn); err == nil {
			_, _ = io.Copy(io.Discard, f)
			_ = f.Close()
		}
	})
}

func newLineOf(body []byte) []byte { return line(bytes.Clone(body)).seal(0) }
