package backup

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// Read reads the manifest of a backup. Invalid: it is none, or one of a newer program.
func Read(dir string) (*Manifest, error) {
	const op = "backup.Read"
	doc, err := os.ReadFile(filepath.Join(dir, manifestName))
	if err != nil {
		return nil, errs.As(errs.Invalid, op, err, "%s is no complete backup: its %s cannot be read", dir, manifestName)
	}
	m := &Manifest{}
	if err := json.Unmarshal(doc, m); err != nil {
		return nil, errs.As(errs.Invalid, op, err, "the %s of %s is damaged", manifestName, dir)
	}
	if m.Format != format {
		return nil, errs.New(errs.Invalid, op, "the backup %s has format %d and this program knows %d: use the program that made it (%s)", dir, m.Format, format, m.Version)
	}
	for _, f := range m.Files {
		if !filepath.IsLocal(filepath.FromSlash(f.Path)) || f.Mode&^fs.ModePerm != 0 {
			return nil, errs.New(errs.Invalid, op, "the %s of %s names %q, which no backup holds", manifestName, dir, f.Path)
		}
	}
	if !slices.ContainsFunc(m.Files, func(f File) bool { return f.Path == m.Database }) {
		return nil, errs.New(errs.Invalid, op, "the %s of %s names no database", manifestName, dir)
	}
	return m, nil
}

// Restore makes the data folder of a backup, which must not exist or be empty. Every file is checked against the manifest as
// it is copied; the folder appears only when all are right. database takes the backup's database, whose checksum is right,
// into the new folder or wherever it belongs; it comes last.
//
// Conflict: data holds something. Invalid: the backup is damaged or incomplete.
func Restore(ctx context.Context, dir, data string, database func(ctx context.Context, dump, newData string) error) (m *Manifest, err error) {
	const op = "backup.Restore"
	if m, err = Read(dir); err != nil {
		return nil, err
	}
	if err := mustBeFree(op, data); err != nil {
		return nil, err
	}
	temp, err := newBeside(data)
	if err != nil {
		return nil, errs.As(errs.Unavailable, op, err, "the data folder cannot be made at %s", data)
	}
	defer os.RemoveAll(temp) // what was renamed is gone from there
	fresh := filepath.Join(temp, "data")
	if err := os.Mkdir(fresh, 0o750); err != nil {
		return nil, errs.As(errs.Unavailable, op, err, "the data folder cannot be made at %s", data)
	}
	for _, want := range m.Files {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		to := filepath.Join(temp, "database") // checked like the others
		if want.Path != m.Database {
			to = filepath.Join(fresh, filepath.FromSlash(strings.TrimPrefix(want.Path, filesDir+"/")))
		}
		if err := restoreFile(dir, want, to); err != nil {
			return nil, err
		}
	}
	if err := database(ctx, filepath.Join(temp, "database"), fresh); err != nil {
		return nil, err
	}
	return m, errs.As(errs.Unavailable, op, appear(fresh, data), "the data folder cannot be moved to %s", data)
}

func restoreFile(dir string, want File, to string) error {
	const op = "backup.Restore"
	got, err := copyFile(filepath.Join(dir, filepath.FromSlash(want.Path)), to)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errs.As(errs.Invalid, op, err, "the backup lacks %s", want.Path)
	case err != nil:
		return errs.As(errs.Unavailable, op, err, "%s cannot be copied", want.Path)
	case got.Size != want.Size || got.SHA256 != want.SHA256:
		return errs.New(errs.Invalid, op, "the backup is damaged: %s is not what was written", want.Path)
	}
	return errs.As(errs.Unavailable, op, os.Chmod(to, want.Mode), "%s cannot be copied", want.Path)
}
