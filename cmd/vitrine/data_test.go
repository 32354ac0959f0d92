package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vitrine-live/vitrine/internal/atomicfile"
)

func TestDataFolderIsForOneProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data")
	d, err := openData(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := openData(path); err == nil || !strings.Contains(err.Error(), "another vitrine") {
		t.Errorf("a second process got in: %v", err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := openData(path)
	if err != nil {
		t.Fatalf("the folder was not given free: %v", err)
	}
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestAdminTokenIsMadeOnceAndKeptPrivate(t *testing.T) {
	d, err := openData(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	token, fresh, err := d.adminToken()
	if err != nil || !fresh || !strings.HasPrefix(token, "vat_") {
		t.Fatalf("%q, %v, %v", token, fresh, err)
	}
	if st, err := os.Stat(d.file("admin.token")); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", st.Mode(), err)
	}
	if again, fresh, err := d.adminToken(); again != token || fresh || err != nil {
		t.Errorf("the second time %q, %v, %v", again, fresh, err)
	}
	if err := os.WriteFile(d.file("admin.token"), []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := d.adminToken(); err == nil || !strings.Contains(err.Error(), "delete it") {
		t.Errorf("an empty token passed: %v", err)
	}
}

func TestWriteAtomicLeavesTheOldFileOrTheNew(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	for _, text := range []string{"one", "two"} {
		if err := atomicfile.Write(path, []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
		if b, err := os.ReadFile(path); err != nil || string(b) != text {
			t.Fatalf("%q, %v", b, err)
		}
	}
	if err := atomicfile.Write(filepath.Join(dir, "missing", "file"), nil, 0o640); err == nil {
		t.Error("a file was written into no folder")
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
