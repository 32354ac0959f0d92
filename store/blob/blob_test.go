package blob

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/vitrine-live/vitrine/internal/errs"
)

func TestFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "blobs")
	f, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	if _, err := f.Get(ctx, "ab12.jpg"); errs.KindOf(err) != errs.NotFound {
		t.Errorf("got %v", err)
	}
	if err := errors.Join(f.Put(ctx, "ab12.jpg", []byte("one")), f.Put(ctx, "aa-x.png", nil), f.Put(ctx, "ab12.jpg", []byte("another"))); err != nil {
		t.Fatal(err)
	}
	file, err := f.Get(ctx, "ab12.jpg")
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(file)
	if err := errors.Join(err, file.Close()); err != nil || string(b) != "one" || file.Size != 3 || file.Modified.IsZero() {
		t.Errorf("%q %+v %v", b, file, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "ab", "ab12.jpg.123"), nil, 0o600); err != nil { // being written
		t.Fatal(err)
	}
	var names []string
	err = f.List(ctx, func(name string, _ int64) error { names = append(names, name); return nil })
	if err != nil || !slices.Equal(names, []string{"aa-x.png", "ab12.jpg"}) {
		t.Errorf("%q %v", names, err)
	}
	if err := errors.Join(f.Delete(ctx, "ab12.jpg"), f.Delete(ctx, "ab12.jpg")); err != nil {
		t.Error(err)
	}
	if _, err := f.Get(ctx, "ab12.jpg"); errs.KindOf(err) != errs.NotFound {
		t.Errorf("got %v", err)
	}
}

func TestNames(t *testing.T) {
	f, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"", "a", "..", "../x.jpg", "ab/../x", "AB12.jpg", "ab\x00", "..jpg", "ab.jpg.tmp", "ab" + strings.Repeat("c", 100)} {
		if err := f.Put(t.Context(), name, nil); errs.KindOf(err) != errs.Invalid {
			t.Errorf("%q: %v", name, err)
		}
		if _, err := f.Get(t.Context(), name); errs.KindOf(err) != errs.NotFound {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestManyPutTheSame(t *testing.T) {
	f, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			if err := f.Put(t.Context(), "ab.jpg", make([]byte, 1000)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	n := 0
	if err := f.List(t.Context(), func(string, int64) error { n++; return nil }); err != nil || n != 1 {
		t.Errorf("%d files, %v", n, err)
	}
}
