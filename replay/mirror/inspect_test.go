package mirror_test

import (
	"bytes"
	"hash/crc32"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/vitrine-live/vitrine/replay/mirror"
)

// flipHere damages one bit of a file here, the size being what it was.
func (h *house) flipHere(show, name string) {
	h.t.Helper()
	b, err := os.ReadFile(h.path(show, name))
	if err != nil {
		h.t.Fatal(err)
	}
	b[len(b)/2] ^= 4
	if err := os.WriteFile(h.path(show, name), b, 0o600); err != nil {
		h.t.Fatal(err)
	}
}

// flipThere damages one bit of a file in the bucket. The sum that it carries stays as it was unless told.
func (h *house) flipThere(show, name string, tell bool) {
	h.t.Helper()
	b := bytes.Clone(h.stored(show)[name])
	table := crc32.MakeTable(crc32.Castagnoli)
	sum := crc32.Checksum(b, table)
	b[len(b)/2] ^= 4
	if tell {
		sum = crc32.Checksum(b, table)
	}
	if err := h.bucket.Upload(h.t.Context(), "recordings/"+show+"/"+name, bytes.NewReader(b), int64(len(b)), sum); err != nil {
		h.t.Fatal(err)
	}
}

func checksumOf(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }

func (h *house) inspector(deep bool) *mirror.Inspector {
	return &mirror.Inspector{Dir: filepath.Join(h.dir, "recordings"), State: filepath.Join(h.dir, "mirror"), Bucket: h.bucket, Deep: deep}
}

func TestVerifyAndRepair(t *testing.T) {
	st := newStorage(t)
	h := newHouse(t, st, mirror.Config{})
	show, fine := h.ended(8), h.ended(1)
	h.sync()
	whole := h.files(show)
	in := h.inspector(false)
	if r := in.Verify(t.Context(), show); !r.Healthy() || r.Pending || len(r.Files) != 9 {
		t.Fatalf("%+v", r)
	}
	h.flipHere(show, "1.m4s")
	h.flipHere(show, "init-1.mp4")
	h.flipHere(show, "6.m4s")
	h.flipThere(show, "2.m4s", true)
	h.flipThere(show, "3.m4s", false) // as a disk of the storage would
	h.flipThere(show, "6.m4s", false)
	counts := func(r mirror.Report) [5]int {
		if r.Err != nil {
			t.Fatal(r.Err)
		}
		good, here, there, waiting, lost := r.Counts()
		return [5]int{good, here, there, waiting, lost}
	}
	if got := counts(in.Verify(t.Context(), show)); got != [5]int{5, 3, 1, 0, 0} {
		t.Errorf("%v", got)
	}
	deep := h.inspector(true)
	if got := counts(deep.Verify(t.Context(), show)); got != [5]int{4, 2, 2, 0, 1} {
		t.Errorf("deep: %v", got)
	}
	// Taken at its word the bucket has a good copy of 6; it replaces nothing, as it is looked at on its way.
	r := in.Repair(t.Context(), show)
	if r.Err != nil || len(r.Mended) != 4 {
		t.Fatalf("%v %q", r.Err, r.Mended)
	}
	r = deep.Repair(t.Context(), show)
	if got := counts(r); got != [5]int{8, 0, 0, 0, 1} || !r.Healthy() {
		t.Errorf("%v %q", got, r.Mended)
	}
	r = deep.Verify(t.Context(), show)
	if got := counts(r); got != [5]int{8, 0, 0, 0, 1} || !r.Healthy() {
		t.Errorf("repaired: %v", got)
	}
	again := openHouse(t, st, h.dir, mirror.Config{}) // knows of the gap
	if status, _ := again.get(show, "6.m4s"); status != http.StatusNotFound {
		t.Errorf("%d", status)
	}
	if _, list := again.get(show, "main.m3u8"); bytes.Count(list, []byte("#EXT-X-GAP")) != 1 {
		t.Errorf("%s", list)
	}
	for _, name := range []string{"1.m4s", "2.m4s", "3.m4s", "init-1.mp4"} {
		if !bytes.Equal(h.files(show)[name], whole[name]) || !bytes.Equal(h.stored(show)[name], whole[name]) {
			t.Errorf("%s was not mended", name)
		}
	}
	if !bytes.Equal(h.files(show)["index.jsonl"], h.stored(show)["index.jsonl"]) {
		t.Error("the indexes differ")
	}
	// Somebody finds a good copy: the gap closes.
	if err := os.WriteFile(h.path(show, "6.m4s"), whole["6.m4s"], 0o600); err != nil {
		t.Fatal(err)
	}
	if r := deep.Repair(t.Context(), show); !r.Healthy() || len(r.Mended) != 2 {
		t.Errorf("%q", r.Mended)
	}
	if got := counts(deep.Verify(t.Context(), show)); got != [5]int{9, 0, 0, 0, 0} {
		t.Errorf("found: %v", got)
	}
	if r := deep.Verify(t.Context(), fine); !r.Healthy() {
		t.Errorf("%+v", r)
	}
}

func TestInspectsWithoutABucket(t *testing.T) {
	h := newHouse(t, newStorage(t), mirror.Config{})
	show := h.ended(3)
	in := h.inspector(false)
	in.Bucket = nil
	if r := in.Verify(t.Context(), show); !r.Healthy() {
		t.Errorf("%+v", r)
	}
	h.flipHere(show, "2.m4s")
	if r := in.Verify(t.Context(), show); r.Healthy() {
		t.Error("damage passed")
	}
	if r := in.Repair(t.Context(), show); !r.Healthy() || len(r.Mended) != 1 {
		t.Errorf("%+v", r)
	}
	live := h.onAir("")
	live.run(3)
	live.settle(t)
	if r := in.Repair(t.Context(), live.id); r.Err != nil || len(r.Mended) != 0 {
		t.Errorf("%+v", r)
	}
	live.end(t)
}
