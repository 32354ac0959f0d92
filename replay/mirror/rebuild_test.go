package mirror_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/replay/mirror"
)

// damageIndex changes lines of the index here.
func (h *house) damageIndex(show string, change func(lines [][]byte) [][]byte) {
	h.t.Helper()
	lines := change(slices.Collect(bytes.Lines(h.files(show)["index.jsonl"])))
	if err := os.WriteFile(h.path(show, "index.jsonl"), bytes.Join(lines, nil), 0o600); err != nil {
		h.t.Fatal(err)
	}
}

// withoutSegment takes all lines of a segment away.
func withoutSegment(msn string) func([][]byte) [][]byte {
	return func(lines [][]byte) [][]byte {
		return slices.DeleteFunc(lines, func(l []byte) bool { return bytes.Contains(l, []byte(`"msn":`+msn+`,`)) })
	}
}

func TestRepairsTheIndex(t *testing.T) {
	st := newStorage(t)
	h := newHouse(t, st, mirror.Config{})
	show := h.ended(6)
	in := h.inspector(false)
	h.damageIndex(show, func(lines [][]byte) [][]byte { return lines }) // nothing
	if r := in.Verify(t.Context(), show); r.Index.Any() {
		t.Fatalf("%+v", r.Index)
	}
	whole := h.files(show)["index.jsonl"]
	h.sync()

	torn := func(lines [][]byte) [][]byte {
		lines[7][20] ^= 1                             // a line of a part
		lines[len(lines)-1] = lines[len(lines)-1][:9] // the end is torn
		return slices.Delete(lines, 12, 17)           // and a sector is gone
	}
	h.damageIndex(show, torn)
	r := in.Verify(t.Context(), show)
	if r.Healthy() || r.Index.Lines != 1 || !strings.Contains(r.Index.String(), "1 damaged lines, 2 segments of which lines are missing") {
		t.Errorf("%+v", r.Index)
	}
	if r = in.Repair(t.Context(), show); !r.Healthy() || len(r.Mended) != 1 || !strings.Contains(r.Mended[0], "index.jsonl.old-1") {
		t.Errorf("%v %q %+v", r.Err, r.Mended, r.Index)
	}
	files := h.files(show)
	if !bytes.Equal(files["index.jsonl"], whole) || files["index.jsonl.old-1"] == nil || !bytes.Equal(h.stored(show)["index.jsonl"], whole) {
		t.Error("the index is not what it was")
	}

	// The bucket's is damaged too, in another place.
	h.damageIndex(show, withoutSegment("4"))
	there := bytes.Join(withoutSegment("2")(slices.Collect(bytes.Lines(whole))), nil)
	if err := h.bucket.Upload(t.Context(), "recordings/"+show+"/index.jsonl", bytes.NewReader(there), int64(len(there)), checksumOf(there)); err != nil {
		t.Fatal(err)
	}
	if r = in.Repair(t.Context(), show); !r.Healthy() {
		t.Errorf("%v %q", r.Err, r.Mended)
	}
	if !bytes.Equal(h.files(show)["index.jsonl"], whole) || !bytes.Equal(h.stored(show)["index.jsonl"], whole) {
		t.Error("the index is not what it was")
	}
	openHouse(t, st, h.dir, mirror.Config{}).sync()
	if r = in.Verify(t.Context(), show); !r.Healthy() || r.Pending || len(r.Files) != 7 {
		t.Errorf("%+v", r)
	}
}

// What is here alone and cannot be told of is a gap; a show that is not over is left alone.
func TestRepairsTheIndexAlone(t *testing.T) {
	h := newHouse(t, newStorage(t), mirror.Config{})
	in := h.inspector(false)
	in.Bucket = nil
	show := h.ended(5)
	h.damageIndex(show, withoutSegment("2")) // its bytes are no media
	if r := in.Verify(t.Context(), show); r.Healthy() || !slices.Equal(r.Index.Missing, []int64{2}) {
		t.Errorf("%+v", r)
	}
	if r := in.Repair(t.Context(), show); !r.Healthy() || r.Gaps != 1 || r.Segments != 5 {
		t.Errorf("%v %q", r.Err, r.Mended)
	}
	if _, err := os.Stat(h.path(show, "2.m4s")); err != nil {
		t.Errorf("what no line tells of stays: %v", err)
	}

	open := h.ended(3)
	h.damageIndex(open, func(lines [][]byte) [][]byte { return withoutSegment("1")(lines[:len(lines)-1]) })
	before := h.files(open)["index.jsonl"]
	if r := in.Repair(t.Context(), open); errs.KindOf(r.Err) != errs.Conflict || !strings.Contains(errs.MessageOf(r.Err), "show is over") {
		t.Errorf("%v %q", r.Err, r.Mended)
	}
	if _, err := os.Stat(filepath.Join(h.path(open, ""), "index.jsonl.old-1")); !errors.Is(err, os.ErrNotExist) || !bytes.Equal(h.files(open)["index.jsonl"], before) {
		t.Error("it was changed all the same")
	}
}
