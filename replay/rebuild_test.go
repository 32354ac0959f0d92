package replay_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/replay"
)

// indexed is a recorded show of two epochs, and the lines of its index.
type indexed struct {
	t     *testing.T
	show  string
	dir   string
	index []byte
	lines [][]byte
	whole []playlist.Segment
}

func newIndexed(t *testing.T) *indexed {
	t.Helper()
	s := newEditedShow(t)
	x := &indexed{t: t, show: s.show}
	rec, err := s.archive.Recording(s.show)
	if err != nil {
		t.Fatal(err)
	}
	x.dir, x.whole = filepath.Join(s.dir, s.show), rec.Segments()
	if x.index, err = os.ReadFile(filepath.Join(x.dir, replay.IndexName)); err != nil {
		t.Fatal(err)
	}
	x.lines = slices.Collect(bytes.Lines(x.index))
	if d := replay.InspectIndex(x.index); d.Any() || len(x.whole) != 8 || len(x.lines) < 40 {
		t.Fatalf("%s, %d segments, %d lines", d.String(), len(x.whole), len(x.lines))
	}
	return x
}

// read reads media, which a test may damage or take away.
func (x *indexed) read(name string) ([]byte, error) {
	b, err := os.ReadFile(filepath.Join(x.dir, name))
	if errors.Is(err, os.ErrNotExist) {
		err = errs.As(errs.NotFound, "test", err, "it is not there")
	}
	return b, err
}

// opened are the segments of a recording with another index.
func (x *indexed) opened(index []byte) []playlist.Segment {
	x.t.Helper()
	path := filepath.Join(x.dir, replay.IndexName)
	if err := os.WriteFile(path, index, 0o600); err != nil {
		x.t.Fatal(err)
	}
	rec, err := replay.OpenRecording(x.dir)
	if err != nil {
		x.t.Fatal(err)
	}
	defer rec.Close()
	if !rec.Ended() {
		x.t.Error("not over")
	}
	return rec.Segments()
}

func (x *indexed) without(gone func(l []byte) bool) []byte {
	return bytes.Join(slices.DeleteFunc(slices.Clone(x.lines), gone), nil)
}

func (x *indexed) rebuild(index, other []byte) (rebuilt []byte, done []string) {
	x.t.Helper()
	rebuilt, done, err := replay.RebuildIndex(x.show, index, other, x.read)
	if err != nil {
		x.t.Fatal(err)
	}
	if d := replay.InspectIndex(rebuilt); d.Any() {
		x.t.Errorf("still %s", d.String())
	}
	return rebuilt, done
}

// checkSums reads all media against an index.
func (x *indexed) checkSums(index []byte) {
	x.t.Helper()
	reader := replay.NewIndexReader(bytes.NewReader(index))
	for {
		e, err := reader.Next()
		if err != nil {
			return
		}
		if e.File == nil {
			continue
		}
		b, err := x.read(e.File.Name)
		if err == nil {
			err = e.File.Check(bytes.NewReader(b))
		}
		if _, proven := e.File.CRC(); err != nil || !proven {
			x.t.Errorf("%s: %v, proven %v", e.File.Name, err, proven)
		}
	}
}

func has(l []byte, what string) bool { return bytes.Contains(l, []byte(what)) }

// Whichever line is lost, and whichever segment with all of its lines, the media tells what they said.
func TestRebuildsIndexFromMedia(t *testing.T) {
	x := newIndexed(t)
	for n, l := range x.lines {
		if has(l, `"type":"end"`) || has(l, `"type":"init","init":1,`) {
			continue
		}
		damaged := bytes.Join(slices.Delete(slices.Clone(x.lines), n, n+1), nil)
		rebuilt, _ := x.rebuild(damaged, nil)
		if diff := cmp.Diff(x.whole, x.opened(rebuilt)); diff != "" {
			t.Fatalf("without %s(-was +is):\n%s", l, diff)
		}
		x.checkSums(rebuilt)
	}
	for msn := range x.whole {
		name := `"msn":` + string(rune('0'+msn)) + ","
		damaged := x.without(func(l []byte) bool { return has(l, name) })
		if d := replay.InspectIndex(damaged); msn < 7 && !slices.Equal(d.Missing, []int64{int64(msn)}) {
			t.Errorf("%+v", d)
		}
		if msn == 3 || msn == 4 { // on both sides of the reconnect: it could belong to either publish
			continue
		}
		rebuilt, done := x.rebuild(damaged, nil)
		if diff := cmp.Diff(x.whole, x.opened(rebuilt)); diff != "" || len(done) != 1 {
			t.Fatalf("without segment %d: %q (-was +is):\n%s", msn, done, diff)
		}
		x.checkSums(rebuilt)
	}
}

// A copy has what is lost here, and the other way round.
func TestRebuildsIndexFromACopy(t *testing.T) {
	x := newIndexed(t)
	nothing := func(string) ([]byte, error) { return nil, errs.New(errs.NotFound, "test", "no media is here") }
	random := rand.New(rand.NewPCG(5, 6))
	for range 50 {
		var here, there []byte
		for _, l := range x.lines {
			switch random.IntN(5) {
			case 0:
				bad := bytes.Clone(l)
				bad[random.IntN(len(bad)-1)] ^= 1
				here, there = append(here, bad...), append(there, l...)
			case 1:
				here = append(here, l...)
			default:
				here, there = append(here, l...), append(there, l...)
			}
		}
		rebuilt, done, err := replay.RebuildIndex(x.show, here, there, nothing)
		if err != nil || len(done) > 0 || !slices.EqualFunc(x.opened(rebuilt), x.whole, func(a, b playlist.Segment) bool { return cmp.Equal(a, b) }) {
			t.Fatalf("%v %q\n%s", err, done, rebuilt)
		}
		if len(rebuilt) != len(x.index) {
			t.Fatalf("%d bytes of %d", len(rebuilt), len(x.index))
		}
	}
}

// What cannot be known is not made up, and what there is never becomes less.
func TestRebuildsNoWorse(t *testing.T) {
	x := newIndexed(t)
	if _, _, err := replay.RebuildIndex(x.show, x.lines[0], nil, x.read); errs.KindOf(err) != errs.Conflict {
		t.Errorf("not over: %v", err)
	}
	of2 := func(l []byte) bool { return has(l, `"msn":2,`) }
	media, err := x.read("2.m4s")
	if err != nil {
		t.Fatal(err)
	}
	for what, b := range map[string][]byte{"missing": nil, "no media": []byte("something else"), "of another time": must(x.read("7.m4s")), "torn": media[:len(media)-9]} {
		path := filepath.Join(x.dir, "2.m4s")
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		if b != nil {
			if err := os.WriteFile(path, b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		rebuilt, done := x.rebuild(x.without(of2), nil)
		segments := x.opened(rebuilt)
		if len(segments) != 8 || !segments[2].Gap || segments[2].Duration != x.whole[2].Duration || !segments[3].Wall.Equal(x.whole[3].Wall) || !strings.Contains(done[0], "gap") {
			t.Errorf("%s: %q %+v", what, done, segments)
		}
	}
	// Lines that are left tell that the media is not what was recorded: it is not given new sums.
	bad := bytes.Clone(media)
	bad[len(bad)-9] ^= 1
	if err := os.WriteFile(filepath.Join(x.dir, "2.m4s"), bad, 0o600); err != nil {
		t.Fatal(err)
	}
	first := true
	damaged := x.without(func(l []byte) bool {
		gone := of2(l) && first
		first = first && !gone
		return gone
	})
	if rebuilt, _, err := replay.RebuildIndex(x.show, damaged, nil, x.read); err == nil && len(replay.InspectIndex(rebuilt).Unproven) != 1 {
		t.Error("damaged media has sums now")
	}
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}

func TestReplaceIndexKeepsTheOld(t *testing.T) {
	dir := t.TempDir()
	if _, err := replay.ReplaceIndex(dir, nil); errs.KindOf(err) != errs.NotFound {
		t.Errorf("%v", err)
	}
	path := filepath.Join(dir, replay.IndexName)
	if err := os.WriteFile(path, []byte("first"), 0o600); err != nil {
		t.Fatal(err)
	}
	for i, next := range []string{"second", "third"} {
		kept, err := replay.ReplaceIndex(dir, []byte(next))
		if err != nil {
			t.Fatal(err)
		}
		old, now := must(os.ReadFile(filepath.Join(dir, kept))), must(os.ReadFile(path))
		if string(old) != []string{"first", "second"}[i] || string(now) != next {
			t.Errorf("%s: %q, now %q", kept, old, now)
		}
	}
}

func FuzzRebuildIndex(f *testing.F) {
	f.Add([]byte("{}\n"), []byte(nil), []byte(nil))
	f.Fuzz(func(t *testing.T, index, other, file []byte) {
		n := 0
		read := func(string) ([]byte, error) {
			if n++; n > 100 {
				return nil, errs.New(errs.NotFound, "test", "no more")
			}
			return file, nil
		}
		if rebuilt, _, err := replay.RebuildIndex("show_0123456789abcdef", index, other, read); err == nil {
			if d := replay.InspectIndex(rebuilt); d.Lines > 0 {
				t.Errorf("%s", d.String())
			}
		}
	})
}
