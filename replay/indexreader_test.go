package replay

import (
	"bytes"
	"errors"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"testing"

	"pgregory.net/rapid"

	"github.com/vitrine-live/vitrine/internal/errs"
)

func TestCombine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.SliceOf(rapid.Byte()).Draw(t, "a"), rapid.SliceOf(rapid.Byte()).Draw(t, "b")
		want := crc32.Checksum(append(bytes.Clone(a), b...), castagnoli)
		if got := combine(checksum(a), checksum(b), int64(len(b))); got != want {
			t.Fatalf("%08x, want %08x", got, want)
		}
	})
}

func readIndex(t *testing.T, x *IndexReader) (entries []IndexEntry) {
	t.Helper()
	for {
		e, err := x.Next()
		if errors.Is(err, io.EOF) {
			return entries
		}
		if err != nil {
			t.Fatal(err)
		}
		entries = append(entries, e)
	}
}

// A reader that meets the index as it grows reads what one that comes late does, and its sums are those of the files.
func TestIndexReaderFollows(t *testing.T) {
	s, a, r := onAir(t, Config{})
	s.run(r, 5)
	r.End()
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(a.dir, s.id)
	index, err := os.ReadFile(filepath.Join(dir, IndexName))
	if err != nil {
		t.Fatal(err)
	}
	whole := readIndex(t, NewIndexReader(bytes.NewReader(index)))
	var slow []IndexEntry
	x := NewIndexReader(bytes.NewReader(nil))
	for n := 0; n <= len(index); n += 7 {
		x.Reset(bytes.NewReader(index[:n]))
		slow = append(slow, readIndex(t, x)...)
	}
	x.Reset(bytes.NewReader(index))
	slow = append(slow, readIndex(t, x)...)
	files := 0
	for i, e := range whole {
		if slow[i].MSN != e.MSN || slow[i].Next != e.Next || slow[i].End != e.End {
			t.Fatalf("entry %d is %+v, read slowly %+v", i, e, slow[i])
		}
		if e.File == nil {
			continue
		}
		files++
		b, err := os.ReadFile(filepath.Join(dir, e.File.Name))
		if err != nil {
			t.Fatal(err)
		}
		if crc, ok := e.File.CRC(); !ok || crc != checksum(b) || e.File.Size != int64(len(b)) || e.File.Check(bytes.NewReader(b)) != nil {
			t.Errorf("%s: %+v", e.File.Name, e.File)
		}
		b[len(b)-1] ^= 1
		if e.File.Check(bytes.NewReader(b)) == nil || e.File.Check(bytes.NewReader(b[1:])) == nil || e.File.Check(bytes.NewReader(append(b, 0))) == nil {
			t.Errorf("%s: damage passed", e.File.Name)
		}
	}
	if files != 6 || len(slow) != len(whole) || !whole[len(whole)-1].End {
		t.Errorf("%d files, %d and %d entries", files, len(whole), len(slow))
	}
}

// What is lost becomes a gap, also in the memory of who had read it, and comes back.
func TestMarkLost(t *testing.T) {
	s, a, r := onAir(t, Config{})
	s.run(r, 3)
	dir := filepath.Join(a.dir, s.id)
	if err := MarkLost(dir, []int64{1}); errs.KindOf(err) != errs.Conflict {
		t.Fatalf("the index of a show on air was changed: %v", err)
	}
	r.End()
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	mustRead := func() *Recording {
		rec, err := OpenRecording(dir)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = rec.Close() })
		return rec
	}
	duration := mustRead().Duration()
	if err := MarkLost(dir, []int64{1, 77}); err != nil {
		t.Fatal(err)
	}
	rec := mustRead()
	if rec.Recorded(1) || !rec.Recorded(0) || !rec.Recorded(2) || rec.Duration() != duration || !rec.Ended() || len(rec.Segments()) != 3 {
		t.Errorf("%+v", rec.Segments())
	}
	kept, err := a.Recording(s.id)
	if err != nil {
		t.Fatal(err)
	}
	kept.index.checked.Store(0)
	if again, err := a.Recording(s.id); err != nil || again == kept || again.Recorded(1) {
		t.Errorf("the change was not noticed: %v", err)
	}
	if err := MarkFound(dir, []int64{1}); err != nil {
		t.Fatal(err)
	}
	rec = mustRead()
	s.check(t, rec)
	if !rec.Recorded(1) {
		t.Error("what was found is still lost")
	}
}
