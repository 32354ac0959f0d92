package sqldb_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/store/sqldb"
	"github.com/vitrine-live/vitrine/store/sqldb/sqldbtest"
)

// A reader sees what a server commits meanwhile, and changes nothing.
func TestReader(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vitrine.db")
	server := sqldbtest.OpenAt(t, path)
	defer server.Close()
	r, err := sqldb.OpenReader(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := server.SettingOr(t.Context(), "colour", "green"); err != nil {
		t.Fatal(err)
	}
	if got, err := r.Setting(t.Context(), "colour"); err != nil || got != "green" {
		t.Errorf("read %q, %v", got, err)
	}
	if _, err := r.SettingOr(t.Context(), "shape", "round"); errs.KindOf(err) != errs.Unavailable {
		t.Errorf("a write through the reader: %v", err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

// After the server has ended, the file is the same bytes as before it was read.
func TestReaderLeavesTheFileAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vitrine.db")
	if err := sqldbtest.OpenAt(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r, err := sqldb.OpenReader(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Stores(t.Context(), account.StoreFilter{}, "", 10); err != nil {
		t.Error(err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	after, err := os.ReadFile(path)
	if err != nil || string(after) != string(before) {
		t.Errorf("the file changed, %v", err)
	}
}

func TestReaderRefuses(t *testing.T) {
	dir := t.TempDir()
	text, empty := filepath.Join(dir, "text.db"), filepath.Join(dir, "empty.db")
	for path, content := range map[string]string{text: strings.Repeat("no database\n", 100), empty: ""} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{text, empty, filepath.Join(dir, "none.db")} {
		if db, err := sqldb.OpenReader(t.Context(), path); errs.KindOf(err) != errs.Unavailable || db != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "none.db")); err == nil {
		t.Error("a database was made")
	}
}
