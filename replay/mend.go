package replay

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/internal/errs"
)

// takeUp opens the folder of a show for recording: a new one, or one that is there, mended. The show is claimed.
func (a *Archive) takeUp(showID string) (rec *Recording, d disk, index *indexFile, err error) {
	const op = "replay.takeUp"
	rec, left, err := a.read(showID)
	fresh := errs.KindOf(err) == errs.NotFound
	switch {
	case fresh:
		rec = &Recording{show: showID, root: a.root, dir: showID, archive: a}
		if mkErr := a.root.Mkdir(showID, 0o755); mkErr != nil && !errors.Is(mkErr, fs.ErrExist) {
			return nil, nil, nil, cannotWrite(op, mkErr)
		}
	case err != nil:
		return nil, nil, nil, err
	case rec.ended:
		return nil, nil, nil, errs.New(errs.Conflict, op, "%s has ended", showID)
	}
	d, err = a.newDisk(a.root, showID)
	if err != nil {
		return nil, nil, nil, cannotWrite(op, err)
	}
	index, err = mend(d, rec, left, fresh)
	if err != nil {
		_ = d.close()
		return nil, nil, nil, cannotWrite(op, err)
	}
	a.syncFolder()
	return rec, d, index, nil
}

func cannotWrite(op string, err error) error {
	return errs.As(errs.Unavailable, op, err, "the recording cannot be written; check the disk and the owner of the folder")
}

// syncFolder makes the names of the shows durable. Where it cannot be done nothing can be done about it.
func (a *Archive) syncFolder() {
	if f, err := a.root.Open("."); err == nil {
		_ = f.Sync()
		_ = f.Close()
	}
}

// mend brings the files in line with what was read of the index, in an order that may be interrupted and begun anew:
// the tail of the index goes, then media that it does not know, then what was open is closed.
func mend(d disk, rec *Recording, left leftovers, fresh bool) (*indexFile, error) {
	f, err := d.open(indexName)
	if err != nil {
		return nil, err
	}
	index := &indexFile{file: f, size: left.size}
	if err := mendFiles(d, index, rec, left, fresh); err != nil {
		_ = f.Close()
		return nil, err
	}
	return index, nil
}

func mendFiles(d disk, index *indexFile, rec *Recording, left leftovers, fresh bool) error {
	if err := index.file.Truncate(index.size); err != nil {
		return err
	}
	if err := removeUnknown(d, rec); err != nil {
		return err
	}
	for _, s := range left.loose {
		if s.Gap || !rec.exists(playlist.SegmentName(s.MSN, playlist.CMAF)) { // what is not here is whole where it is
			continue
		}
		if err := settle(d, &s); err != nil {
			return err
		}
	}
	for _, s := range left.sealed {
		if err := index.append(appendSegment(&s, 0)); err != nil {
			return err
		}
	}
	if fresh {
		if err := index.append(appendMeta(rec.show)); err != nil {
			return err
		}
	}
	return errors.Join(index.file.Sync(), d.sync())
}

// settle takes half a part off the end of a segment and makes the rest durable.
func settle(d disk, s *playlist.Segment) error {
	f, err := d.open(playlist.SegmentName(s.MSN, playlist.CMAF))
	if err != nil {
		return err
	}
	return errors.Join(f.Truncate(s.Size), f.Sync(), f.Close())
}

// removeUnknown removes media after the end of the recording and files that were being made.
func removeUnknown(d disk, rec *Recording) error {
	entries, err := fs.ReadDir(rec.root.FS(), rec.dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		n, ok := playlist.ParseName(e.Name())
		known := true
		switch {
		case strings.HasSuffix(e.Name(), tempSuffix):
			known = false
		case ok && n.Kind == playlist.SegmentFile:
			known = n.MSN < rec.nextMSN()
		case ok && n.Kind == playlist.InitFile:
			_, known = rec.init(n.Init)
		}
		if known {
			continue
		}
		if err := d.remove(e.Name()); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// exists reports whether the show has the file.
func (r *Recording) exists(file string) bool {
	_, err := r.root.Stat(path.Join(r.dir, file))
	return err == nil
}
