package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/vitrine-live/vitrine/internal/atomicfile"
	"github.com/vitrine-live/vitrine/internal/ids"
)

// dataDir is the folder of everything durable, held by one process at a time.
type dataDir struct {
	path string
	lock *os.File
}

// openData makes the folder if it is missing and takes it for this process.
func openData(path string) (*dataDir, error) {
	if err := os.MkdirAll(path, 0o750); err != nil {
		return nil, fmt.Errorf("cannot make the data folder: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(path, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cannot write to the data folder: %w", err)
	}
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = lock.Close()
		return nil, fmt.Errorf("another vitrine runs on %s; stop it, or choose another folder with --data", path)
	}
	return &dataDir{path: path, lock: lock}, nil
}

// Close gives the folder free. The lock file stays: removing it would race with the next process.
func (d *dataDir) Close() error { return d.lock.Close() }

func (d *dataDir) file(name string) string { return filepath.Join(d.path, name) }

// adminToken reads the admin token, or makes one at the first start; fresh tells which.
func (d *dataDir) adminToken() (token string, fresh bool, err error) {
	path := d.file("admin.token")
	b, err := os.ReadFile(path)
	if err == nil {
		token = strings.TrimSpace(string(b))
		if token == "" {
			return "", false, fmt.Errorf("%s is empty; delete it to get a new token", path)
		}
		return token, false, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", false, err
	}
	token = ids.Secret("vat")
	return token, true, atomicfile.Write(path, []byte(token+"\n"), 0o600)
}
