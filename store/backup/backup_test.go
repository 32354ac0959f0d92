package backup

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// tree writes files into a new folder.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o750), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func source(data string) Source {
	return Source{
		Data: data, Version: "test", Dump: "db", Skip: func(path string) bool { return path == "lock" || path == "skipped" },
		Database: func(_ context.Context, into string) error { return os.WriteFile(into, []byte("database"), 0o600) },
	}
}

func made(t *testing.T) (dir string) {
	t.Helper()
	data := tree(t, map[string]string{"lock": "", "a/b.txt": "hello", "token": "secret", "skipped/x": "y"})
	dir = filepath.Join(t.TempDir(), "backup")
	m, err := Make(t.Context(), source(data), dir)
	if err != nil || len(m.Files) != 3 || m.Size() != int64(len("database"+"hello"+"secret")) {
		t.Fatalf("got %+v, %v", m, err)
	}
	return dir
}

// keep puts the database into the new folder.
func keep(_ context.Context, dump, newData string) error {
	return os.Rename(dump, filepath.Join(newData, "db"))
}

func TestRoundTrip(t *testing.T) {
	dir, data := made(t), filepath.Join(t.TempDir(), "data")
	if _, err := Restore(t.Context(), dir, data, keep); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"a/b.txt": "hello", "token": "secret", "db": "database"} {
		got, err := os.ReadFile(filepath.Join(data, name))
		info, statErr := os.Stat(filepath.Join(data, name))
		if string(got) != want || err != nil || statErr != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: got %q, %v, %v", name, got, err, statErr)
		}
	}
	for _, parent := range []string{filepath.Dir(dir), filepath.Dir(data)} {
		if entries, _ := os.ReadDir(parent); len(entries) != 1 {
			t.Errorf("left in %s: %v", parent, entries)
		}
	}
}

func TestNothingIsOverwritten(t *testing.T) {
	dir := made(t)
	full := tree(t, map[string]string{"x": "y"})
	_, err := Restore(t.Context(), dir, full, keep)
	if errs.KindOf(err) != errs.Conflict {
		t.Errorf("got %v", err)
	}
	if _, err := Make(t.Context(), source(full), dir); errs.KindOf(err) != errs.Conflict {
		t.Errorf("got %v", err)
	}
	if _, err := Make(t.Context(), source(full), filepath.Join(full, "inside")); errs.KindOf(err) != errs.Invalid {
		t.Errorf("got %v", err)
	}
	if _, err := Restore(t.Context(), dir, t.TempDir(), keep); err != nil { // an empty folder is free
		t.Error(err)
	}
}

// A backup that is not what was written is refused, and nothing is left of the attempt.
func TestDamageIsFound(t *testing.T) {
	path := func(dir, name string) string { return filepath.Join(dir, filepath.FromSlash(name)) }
	for name, harm := range map[string]func(dir string) error{
		"changed":     func(dir string) error { return os.WriteFile(path(dir, "files/a/b.txt"), []byte("hellO"), 0o600) },
		"cut":         func(dir string) error { return os.Truncate(path(dir, "files/token"), 3) },
		"gone":        func(dir string) error { return os.Remove(path(dir, "files/token")) },
		"database":    func(dir string) error { return os.WriteFile(path(dir, "db"), []byte("databasE"), 0o600) },
		"no manifest": func(dir string) error { return os.Remove(path(dir, manifestName)) },
		"escapes": func(dir string) error {
			return os.WriteFile(path(dir, manifestName), []byte(`{"format":1,"database":"db","files":[{"path":"../../x"},{"path":"db"}]}`), 0o600)
		},
		"newer": func(dir string) error { return os.WriteFile(path(dir, manifestName), []byte(`{"format":2}`), 0o600) },
		"no database": func(dir string) error {
			return os.WriteFile(path(dir, manifestName), []byte(`{"format":1,"database":"db"}`), 0o600)
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir, parent := made(t), t.TempDir()
			if err := harm(dir); err != nil {
				t.Fatal(err)
			}
			_, err := Restore(t.Context(), dir, filepath.Join(parent, "data"), keep)
			if errs.KindOf(err) != errs.Invalid || errs.MessageOf(err) == "" {
				t.Errorf("got %v", err)
			}
			if entries, _ := os.ReadDir(parent); len(entries) != 0 {
				t.Errorf("left behind: %v", entries)
			}
		})
	}
}

func TestFailedBackupLeavesNothing(t *testing.T) {
	s, parent := source(tree(t, map[string]string{"a": "b"})), t.TempDir()
	s.Database = func(context.Context, string) error { return errors.New("no database") }
	if _, err := Make(t.Context(), s, filepath.Join(parent, "backup")); err == nil {
		t.Error("made")
	}
	if entries, _ := os.ReadDir(parent); len(entries) != 0 {
		t.Errorf("left behind: %v", entries)
	}
}
