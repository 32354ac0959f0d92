// Package blob keeps whole files by name: pictures of products. A Folder keeps them on this machine's disk.
package blob

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/vitrine-live/vitrine/internal/atomicfile"
	"github.com/vitrine-live/vitrine/internal/errs"
)

// maxName is the longest name, in bytes.
const maxName = 100

// Folder keeps files below one folder, spread over as many folders as their names have first two characters. Names are
// lower-case letters, digits, '-', '_' and '.', and begin with two letters or digits. A name stands for one content for
// good: content-addressed names do. Safe for concurrent use, also by several processes.
type Folder struct{ dir string }

// Open makes the folder if it is not there. Unavailable: it cannot be made.
func Open(dir string) (*Folder, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, errs.As(errs.Unavailable, "blob.Open", err, "the folder %s cannot be made", dir)
	}
	return &Folder{dir}, nil
}

// Put keeps b under a name; what is there under it stays. It is whole or absent, whenever the machine stops. Invalid: the
// name; Exhausted: the disk is full; Unavailable: it cannot be written.
func (f *Folder) Put(_ context.Context, name string, b []byte) error {
	const op = "blob.Put"
	path, err := f.path(op, name)
	if err != nil {
		return err
	}
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	err = os.MkdirAll(filepath.Dir(path), 0o750)
	if err == nil {
		err = atomicfile.Write(path, b, 0o640)
	}
	if isFull(err) {
		return errs.As(errs.Exhausted, op, err, "the disk of %s is full", f.dir)
	}
	return errs.As(errs.Unavailable, op, err, "files cannot be written to %s", f.dir)
}

// File is an open file; close it.
type File struct {
	io.ReadSeekCloser
	Size     int64
	Modified time.Time
}

// Get opens a file. NotFound: there is none; Unavailable: it cannot be read.
func (f *Folder) Get(_ context.Context, name string) (*File, error) {
	const op = "blob.Get"
	path, err := f.path(op, name)
	if err != nil {
		return nil, errs.As(errs.NotFound, op, err, "there is no such file")
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, failure(op, err)
	}
	info, err := file.Stat()
	if err != nil {
		return nil, errors.Join(failure(op, err), file.Close())
	}
	return &File{file, info.Size(), info.ModTime()}, nil
}

// Delete removes a file; one that is not there is no error. Unavailable: it cannot be removed.
func (f *Folder) Delete(_ context.Context, name string) error {
	const op = "blob.Delete"
	path, err := f.path(op, name)
	if err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return failure(op, err)
	}
	return nil
}

// List calls fn with the name and the size of each file, in the order of their names, until it fails. Files that are being
// written are left out.
func (f *Folder) List(ctx context.Context, fn func(name string, size int64) error) error {
	const op = "blob.List"
	return filepath.WalkDir(f.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return failure(op, err)
		}
		if ctx.Err() != nil {
			return errs.As(errs.Unavailable, op, ctx.Err(), "listing was cut off")
		}
		if want, err := f.path(op, d.Name()); d.IsDir() || err != nil || want != path {
			return nil //nolint:nilerr // a file of somebody else's
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil // deleted meanwhile
		} else if err != nil {
			return failure(op, err)
		}
		return fn(d.Name(), info.Size())
	})
}

// path is where a file is. What is written first gets a name with a dot at its end and digits, so no name may have two dots.
func (f *Folder) path(op, name string) (string, error) {
	const allowed = "abcdefghijklmnopqrstuvwxyz0123456789"
	if len(name) < 3 || len(name) > maxName || strings.Trim(name[:2], allowed) != "" || strings.Trim(name, allowed+"-_.") != "" || strings.Count(name, ".") > 1 {
		return "", errs.New(errs.Invalid, op, "%q is no name of a file", name)
	}
	return filepath.Join(f.dir, name[:2], name), nil
}

func failure(op string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return errs.As(errs.NotFound, op, err, "there is no such file")
	}
	return errs.As(errs.Unavailable, op, err, "the file cannot be read for now")
}
