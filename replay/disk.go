package replay

import (
	"errors"
	"io"
	"os"
	"syscall"
)

// disk is the folder that one recorder writes. Tests put failing ones in its place.
type disk interface {
	// open opens a file for writing and makes it when it is not there; create empties it.
	open(name string) (diskFile, error)
	create(name string) (diskFile, error)
	rename(from, to string) error
	remove(name string) error
	// sync makes the names of the folder durable.
	sync() error
	close() error
}

// diskFile is an *os.File, but that Sync may leave out the file's times.
type diskFile interface {
	io.WriterAt
	Truncate(size int64) error
	Sync() error
	Close() error
}

// osDisk is a folder of the operating system. Names cannot lead out of it.
type osDisk struct {
	root   *os.Root
	folder *os.File // the same, for sync
}

func openDisk(archive *os.Root, dir string) (disk, error) {
	root, err := archive.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	folder, err := root.Open(".")
	if err != nil {
		_ = root.Close()
		return nil, err
	}
	return &osDisk{root, folder}, nil
}

func (d *osDisk) open(name string) (diskFile, error) { return d.openFile(name, os.O_CREATE) }

func (d *osDisk) create(name string) (diskFile, error) {
	return d.openFile(name, os.O_CREATE|os.O_TRUNC)
}

func (d *osDisk) openFile(name string, flag int) (diskFile, error) {
	f, err := d.root.OpenFile(name, os.O_RDWR|flag, 0o644)
	if err != nil {
		return nil, err
	}
	return dataFile{f}, nil
}

func (d *osDisk) rename(from, to string) error { return d.root.Rename(from, to) }

func (d *osDisk) remove(name string) error { return d.root.Remove(name) }

func (d *osDisk) sync() error { return d.folder.Sync() }

func (d *osDisk) close() error { return errors.Join(d.folder.Close(), d.root.Close()) }

// dataFile is a file whose Sync makes what can be read back durable.
type dataFile struct{ *os.File }

func (f dataFile) Sync() error { return syncData(f.File) }

// isFull reports whether err says that there is no space.
func isFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}
