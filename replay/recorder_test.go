package replay

import (
	"bytes"
	"io"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
)

func TestRecordAndContinue(t *testing.T) {
	s := newShow()
	a := newArchive(t, Config{})
	r, resume, err := a.Record(s.id)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Resume{NextInit: 1}, resume); diff != "" {
		t.Errorf("a new show (-want +got):\n%s", diff)
	}
	if _, _, err := a.Record(s.id); errs.KindOf(err) != errs.Conflict {
		t.Errorf("a second recorder: %v", err)
	}
	s.start(r, 0)
	s.run(r, 3)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	s.check(t, r.Recording())

	r, resume, err = a.Record(s.id)
	if err != nil {
		t.Fatal(err)
	}
	if resume.NextMSN != 3 || resume.NextInit != 2 || resume.ShowTime != 3*testSegment || resume.TargetDuration != 2 || resume.PartTarget != testPart ||
		len(resume.Segments) != 3 || len(resume.Inits) != 1 {
		t.Errorf("resume %+v", resume)
	}
	s.start(r, 5*time.Second)
	s.run(r, 2)
	r.End()
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := a.Record(s.id); errs.KindOf(err) != errs.Conflict {
		t.Errorf("recording an ended show: %v", err)
	}
	rec, err := OpenRecording(filepath.Join(a.dir, s.id))
	if err != nil {
		t.Fatal(err)
	}
	defer rec.Close()
	if n := s.check(t, rec); n != 5*testParts {
		t.Errorf("%d parts", n)
	}
	wantEpochs := media.Epochs{{Wall: begun}, {ShowTime: 3 * testSegment, Wall: begun.Add(11 * time.Second)}}
	if diff := cmp.Diff(wantEpochs, rec.Epochs()); diff != "" {
		t.Errorf("epochs (-want +got):\n%s", diff)
	}
	if !rec.Ended() || rec.TargetDuration() != 2 || rec.Duration() != 5*testSegment || len(rec.Inits()) != 2 {
		t.Errorf("ended %v, target %d, duration %v, %d inits", rec.Ended(), rec.TargetDuration(), rec.Duration(), len(rec.Inits()))
	}
	if got := rec.Inits()[1]; got != (playlist.Init{
		Number: 2, Codecs: "avc1.64001f,mp4a.40.2", Width: 1280, Height: 720, Reorder: 6000, FrameRate: 30,
	}) {
		t.Errorf("init %+v", got)
	}
}

func TestOpenSegmentIsReadable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, a, r := onAir(t, Config{})
		s.run(r, 1)
		seg := s.parts(r, 2)
		synctest.Wait()
		if !r.Recorded(0) || r.Recorded(1) {
			t.Errorf("recorded: %v, %v", r.Recorded(0), r.Recorded(1))
		}
		f, size, err := r.OpenSegment(1)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		b, err := io.ReadAll(f)
		if err != nil || size != seg.Size || !bytes.Equal(b, s.media[1]) {
			t.Errorf("%d of %d bytes: %v", len(b), size, err)
		}
		if d := r.Recording().Duration(); d != testSegment+2*testPart {
			t.Errorf("duration %v", d)
		}
		if _, _, err := r.OpenSegment(2); errs.KindOf(err) != errs.NotFound {
			t.Errorf("a segment to come: %v", err)
		}
		if _, err := r.InitData(2); errs.KindOf(err) != errs.NotFound {
			t.Errorf("an init to come: %v", err)
		}
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

// The disk is full in the middle of a segment: it becomes a gap, the timing stays, and recording goes on by itself.
func TestDiskFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, a, r := onAir(t, Config{})
		s.run(r, 2)
		synctest.Wait()
		budget := int64(700)
		a.fault.set(func(f *fault) { f.budget = &budget })
		s.run(r, 3) // 2, 3 and 4 find no place, nor do their lines
		synctest.Wait()
		st := r.Status()
		if !st.Paused || st.Reason != "the disk is full" || st.Gaps != 3 || st.Missing != 3*testSegment || st.WriteErrors == 0 {
			t.Errorf("status %+v", st)
		}
		if _, _, err := r.OpenSegment(2); errs.KindOf(err) != errs.NotFound {
			t.Errorf("a gap opens: %v", err)
		}
		a.fault.set(func(f *fault) { f.budget = nil })
		lookAtSpace()
		s.run(r, 2)
		synctest.Wait()
		if st := r.Status(); st.Paused || st.Reason != "" || st.Gaps != 3 {
			t.Errorf("status %+v", st)
		}
		r.End()
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		checkGaps(t, a, s, 2, 3, 4)
		if n := a.log.count("recording is paused"); n != 1 {
			t.Errorf("%d complaints", n)
		}
		if n := a.log.count("recording goes on"); n != 1 {
			t.Errorf("%d times said to go on", n)
		}
	})
}

// lookAtSpace lets the archive look at the free space, on the clock of a synctest bubble.
func lookAtSpace() {
	time.Sleep(spaceInterval + time.Millisecond)
	synctest.Wait()
}

// checkGaps reads the recording anew: it has the whole show's timing, gaps where said, the media elsewhere.
func checkGaps(t *testing.T, a *testArchive, s *show, gaps ...int) {
	t.Helper()
	rec, err := OpenRecording(filepath.Join(a.dir, s.id))
	if err != nil {
		t.Fatal(err)
	}
	defer rec.Close()
	segments := rec.Segments()
	if len(segments) != len(s.segments) {
		t.Fatalf("%d segments, want %d", len(segments), len(s.segments))
	}
	var missing []int
	for i, got := range segments {
		want := s.segments[i]
		if got.MSN != want.MSN || got.Start != want.Start || got.Duration != want.Duration || !got.Wall.Equal(want.Wall) {
			t.Errorf("segment %d is %+v, want %+v", i, got, want)
		}
		name := playlist.SegmentName(got.MSN, playlist.CMAF)
		if got.Gap {
			missing = append(missing, i)
			if rec.exists(name) {
				t.Errorf("%s of a gap is there", name)
			}
			continue
		}
		if !bytes.Equal(readSegment(t, rec, got.MSN), s.media[got.MSN]) {
			t.Errorf("the bytes of segment %d differ", i)
		}
	}
	if diff := cmp.Diff(gaps, missing); diff != "" {
		t.Errorf("gaps (-want +got):\n%s", diff)
	}
}

// Free space falls below the reserve: recording pauses at the end of the segment and goes on with some room to spare.
func TestReserve(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const reserve = 32 << 20
		s, a, r := onAir(t, Config{Reserve: reserve})
		seg := s.parts(r, 2)
		step := func(free int64, segments int) {
			synctest.Wait()
			a.setFree(free)
			lookAtSpace()
			s.run(r, segments)
			synctest.Wait()
		}
		synctest.Wait()
		a.setFree(reserve - 1)
		lookAtSpace()
		s.end(r, seg) // what was begun is finished
		step(reserve-1, 1)
		if st := r.Status(); !st.Paused || !strings.Contains(st.Reason, "reserve") {
			t.Errorf("status %+v", st)
		}
		step(reserve*33/32, 1) // not yet
		step(reserve*17/16, 1)
		if st := r.Status(); st.Paused {
			t.Errorf("status %+v", st)
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
		checkGaps(t, a, s, 1, 2)
	})
}

// A recording that pauses goes on where a player can begin.
func TestGoesOnAtIDR(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, a, r := onAir(t, Config{})
		s.run(r, 1)
		synctest.Wait()
		a.fault.set(func(f *fault) { f.failure = syscall.EIO })
		s.run(r, 1)
		synctest.Wait()
		if st := r.Status(); !st.Paused || !strings.Contains(st.Reason, "fails") {
			t.Errorf("status %+v", st)
		}
		a.fault.set(func(f *fault) { f.failure = nil })
		seg := s.open() // forced at the target duration, in the middle of a group of pictures
		seg.Independent = false
		part := playlist.Part{Duration: testSegment, Size: 3}
		r.OnPart(seg, part, []byte("abc"))
		seg.Parts, seg.Duration, seg.Size = []playlist.Part{part}, testSegment, 3
		s.end(r, seg)
		s.run(r, 1)
		if err := a.Close(); err != nil {
			t.Error(err)
		}
		checkGaps(t, a, s, 1, 2)
	})
}

// A disk that hangs costs nobody time and no more memory than the queue's.
func TestSlowDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, a, r := onAir(t, Config{Queue: 1 << 20})
		s.partSize = 100 << 10
		s.run(r, 1)
		synctest.Wait()
		gate := make(chan struct{})
		a.fault.set(func(f *fault) { f.gate = gate })
		s.run(r, 10)
		synctest.Wait()
		time.Sleep(3 * time.Second)
		st := r.Status()
		if st.LagBytes > 1<<20 || st.LagBytes < 900<<10 || st.Lag < 3*time.Second {
			t.Errorf("status %+v", st)
		}
		a.watchOnce()
		a.fault.set(func(f *fault) { f.gate = nil })
		close(gate)
		synctest.Wait()
		if st := r.Status(); !st.Paused || !strings.Contains(st.Reason, "too slow") || st.LagBytes != 0 || st.Lag != 0 {
			t.Errorf("status %+v", st)
		}
		s.run(r, 1)
		if err := a.Close(); err != nil {
			t.Error(err)
		}
		checkGaps(t, a, s, 3, 4, 5, 6, 7, 8, 9, 10)
		if n := a.log.count("level=ERROR"); n != 1 {
			t.Errorf("%d complaints", n)
		}
	})
}

// An initialization segment that found no place is written when there is some, before what needs it.
func TestInitWaitsForSpace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShow()
		a := newArchive(t, Config{})
		r := s.recorder(t, a.Archive)
		a.fault.set(func(f *fault) { f.failure = syscall.ENOSPC })
		s.start(r, 0)
		s.run(r, 2)
		synctest.Wait()
		if segs := r.Recording().Segments(); len(segs) != 2 || !segs[0].Gap || segs[0].Init != 0 {
			t.Errorf("segments %+v", segs)
		}
		a.fault.set(func(f *fault) { f.failure = nil })
		lookAtSpace()
		s.run(r, 2)
		if err := a.Close(); err != nil {
			t.Error(err)
		}
		checkGaps(t, a, s, 0, 1)
		rec, err := OpenRecording(filepath.Join(a.dir, s.id))
		if err != nil {
			t.Fatal(err)
		}
		defer rec.Close()
		if b, err := rec.InitData(1); err != nil || !bytes.Equal(b, s.inits[1]) {
			t.Errorf("init: %q %v", b, err)
		}
		if next := rec.Resume().NextInit; next != 2 {
			t.Errorf("next init %d", next)
		}
	})
}

func TestSyncedWithinASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShow()
		a := newArchive(t, Config{})
		synced := map[string]int{}
		a.fault.set(func(f *fault) { f.synced = func(name string) { synced[name]++ } })
		r := s.recorder(t, a.Archive)
		s.start(r, 0)
		s.run(r, 1)
		s.parts(r, 1)
		synctest.Wait()
		time.Sleep(time.Second)
		synctest.Wait()
		if synced["0.m4s"] != 1 || synced["1.m4s"] != 1 || synced[indexName] < 1 {
			t.Errorf("synced %v", synced)
		}
		before := synced[indexName]
		time.Sleep(10 * time.Second) // nothing is new
		if synced["1.m4s"] != 1 || synced[indexName] != before {
			t.Errorf("synced %v", synced)
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestSyncsAreSpread(t *testing.T) {
	a := newArchive(t, Config{})
	slots := make([]int, 10)
	for range 250 {
		slots[a.syncPhase()*10/time.Second]++
	}
	for i, n := range slots {
		if n < 20 || n > 30 {
			t.Errorf("%d of 250 recorders sync in tenth %d of the second", n, i)
		}
	}
}
