// Package backup copies everything durable of a running server into a folder, and back into a new data folder. A backup is
// whole or not there: its manifest lists every file with its size and checksum, and restoring checks each of them.
package backup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// The layout of a backup.
const (
	manifestName = "manifest.json"
	filesDir     = "files" // of the data folder
	format       = 1
)

// Manifest says what a backup holds.
type Manifest struct {
	Format   int       `json:"format"`
	MadeAt   time.Time `json:"made_at"`
	Version  string    `json:"version"`  // of the program that made it
	Database string    `json:"database"` // the file that holds it
	Files    []File    `json:"files"`    // all, the database too, by path
	Missing  []string  `json:"missing,omitempty"`
}

// File is one file of a backup.
type File struct {
	Path   string      `json:"path"` // below the backup, with slashes
	Size   int64       `json:"size"`
	SHA256 string      `json:"sha256"`
	Mode   fs.FileMode `json:"mode"`
}

// Size is that of all files together, in bytes.
func (m *Manifest) Size() (n int64) {
	for _, f := range m.Files {
		n += f.Size
	}
	return n
}

// Source is what is backed up.
type Source struct {
	Data string // the data folder
	// Skip tells which paths below the data folder stay out, as slash-separated names.
	Skip    func(path string) bool
	Version string
	// Database writes the database into a new file, named Dump.
	Database func(ctx context.Context, into string) error
	Dump     string
}

// Make writes a backup into the folder dest, which must not exist or be empty; it appears only when it is complete. The server
// may run meanwhile: the database is taken first, so that the files that it speaks of are there; a file that grows is taken as
// long as it was; one that is deleted in between is named in Missing.
//
// Invalid: dest lies in the data folder. Conflict: dest holds something.
func Make(ctx context.Context, s Source, dest string) (m *Manifest, err error) {
	const op = "backup.Make"
	if err := checkPlace(op, s.Data, dest); err != nil {
		return nil, err
	}
	temp, err := newBeside(dest)
	if err != nil {
		return nil, errs.As(errs.Unavailable, op, err, "the backup cannot be written to %s", dest)
	}
	defer func() {
		if err != nil {
			_ = os.RemoveAll(temp)
		}
	}()
	m = &Manifest{Format: format, MadeAt: time.Now().UTC().Truncate(time.Second), Version: s.Version, Database: s.Dump}
	if err := s.Database(ctx, filepath.Join(temp, s.Dump)); err != nil {
		return nil, err
	}
	if err := m.describe(temp, s.Dump); err != nil {
		return nil, errs.As(errs.Unavailable, op, err, "the copy of the database cannot be read")
	}
	if err := m.copyTree(ctx, s, temp); err != nil {
		return nil, errs.As(errs.Unavailable, op, err, "the files of %s cannot be copied", s.Data)
	}
	if err := m.write(temp); err != nil {
		return nil, errs.As(errs.Unavailable, op, err, "the manifest cannot be written")
	}
	return m, errs.As(errs.Unavailable, op, appear(temp, dest), "the backup cannot be moved to %s", dest)
}

// checkPlace refuses a folder that holds something, or that would become a part of what is copied.
func checkPlace(op, data, dest string) error {
	data, dataErr := filepath.Abs(data)
	dest, destErr := filepath.Abs(dest)
	if err := errors.Join(dataErr, destErr); err != nil {
		return errs.As(errs.Invalid, op, err, "the paths cannot be resolved")
	}
	if rel, err := filepath.Rel(data, dest); err == nil && filepath.IsLocal(rel) {
		return errs.New(errs.Invalid, op, "%s lies in the data folder: choose a place outside it, best on another disk", dest)
	}
	return mustBeFree(op, dest)
}

func mustBeFree(op, dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0 {
		return nil
	}
	if err != nil {
		return errs.As(errs.Conflict, op, err, "%s is in the way: nothing is ever overwritten", dir)
	}
	return errs.New(errs.Conflict, op, "%s is not empty: nothing is ever overwritten", dir)
}

// newBeside makes the private folder that is renamed to dest when it is complete.
func newBeside(dest string) (string, error) {
	parent := filepath.Dir(filepath.Clean(dest))
	if err := os.MkdirAll(parent, 0o750); err != nil {
		return "", err
	}
	return os.MkdirTemp(parent, "."+filepath.Base(dest)+".partial-")
}

// appear gives a complete folder its name. An empty folder that stands there gives way.
func appear(temp, dest string) error {
	if err := os.Remove(dest); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.Rename(temp, dest)
}

// describe adds a file that is in the backup already.
func (m *Manifest) describe(dir, name string) error {
	f, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		return err
	}
	defer f.Close()
	sum := sha256.New()
	n, err := io.Copy(sum, f)
	if err != nil {
		return err
	}
	m.Files = append(m.Files, File{name, n, hex.EncodeToString(sum.Sum(nil)), 0o600})
	return f.Sync()
}

func (m *Manifest) copyTree(ctx context.Context, s Source, temp string) error {
	return filepath.WalkDir(s.Data, func(path string, d fs.DirEntry, err error) error {
		rel, relErr := filepath.Rel(s.Data, path)
		name := filepath.ToSlash(rel)
		switch {
		case errors.Is(err, fs.ErrNotExist) && rel != ".":
			m.Missing = append(m.Missing, name)
			return nil
		case err != nil || relErr != nil || ctx.Err() != nil:
			return errors.Join(err, relErr, ctx.Err())
		case rel == "." || s.Skip(name):
			return skipDir(d, rel)
		case !d.Type().IsRegular():
			return nil
		}
		to := filesDir + "/" + name
		f, err := copyFile(path, filepath.Join(temp, filepath.FromSlash(to)))
		if errors.Is(err, fs.ErrNotExist) {
			m.Missing = append(m.Missing, name)
			return nil
		}
		f.Path = to
		m.Files = append(m.Files, f)
		return err
	})
}

func skipDir(d fs.DirEntry, rel string) error {
	if d.IsDir() && rel != "." {
		return filepath.SkipDir
	}
	return nil
}

// copyFile copies a file as long as it is now, and describes what it copied.
func copyFile(from, to string) (File, error) {
	in, err := os.Open(from)
	if err != nil {
		return File{}, err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return File{}, err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o750); err != nil {
		return File{}, err
	}
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, info.Mode().Perm())
	if err != nil {
		return File{}, err
	}
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(out, sum), io.LimitReader(in, info.Size()))
	err = errors.Join(err, out.Sync(), out.Close(), os.Chtimes(to, time.Time{}, info.ModTime()))
	return File{Size: n, SHA256: hex.EncodeToString(sum.Sum(nil)), Mode: info.Mode().Perm()}, err
}

func (m *Manifest) write(dir string) error {
	slices.SortFunc(m.Files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	doc, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(dir, manifestName), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, "%s\n", doc)
	return errors.Join(err, f.Sync(), f.Close())
}
