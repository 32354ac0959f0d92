package replay

import (
	"errors"
	"io/fs"
	"os"
)

// dropMedia removes the files of segments from the folder of a show.
func dropMedia(root *os.Root, d disk, show string) (freed int64, err error) {
	entries, err := fs.ReadDir(root.FS(), show)
	if err != nil {
		return 0, err
	}
	for _, e := range entries {
		if !IsMedia(e.Name()) {
			continue
		}
		info, err := e.Info()
		if err == nil {
			err = d.remove(e.Name())
		}
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return freed, err
		}
		freed += info.Size()
	}
	return freed, d.sync()
}
