package clip

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// The files of a clip, in a folder of its name.
const (
	fileName   = "clip.mp4"
	resultName = "result.json" // written once clip.mp4 is whole
	posterName = "poster.jpg"
)

func (s *Service) path(id, name string) string { return filepath.Join(s.dir, id, name) }

// settle gives the file of an attempt its name, and notes that it is whole. The row is told afterwards: if the process dies
// in between, the next attempt finds the file.
func (s *Service) settle(c *Clip, made Made) error {
	b, err := json.Marshal(made)
	if err != nil {
		return err
	}
	if err := s.root.Rename(path.Join(c.ID, workName(c.Turn)), path.Join(c.ID, fileName)); err != nil {
		return err
	}
	part := path.Join(c.ID, resultName+".part")
	if err := s.root.WriteFile(part, b, 0o640); err != nil {
		return err
	}
	return errors.Join(s.root.Rename(part, path.Join(c.ID, resultName)), s.sync(c.ID))
}

// sync makes the names in a clip's folder durable.
func (s *Service) sync(id string) error {
	d, err := s.root.Open(id)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// finished finds the file of an attempt whose end was not noted.
func (s *Service) finished(id string) (made Made, ok bool) {
	b, err := s.root.ReadFile(path.Join(id, resultName))
	if err != nil || json.Unmarshal(b, &made) != nil {
		return Made{}, false
	}
	st, err := s.root.Stat(path.Join(id, fileName))
	return made, err == nil && st.Size() == made.Bytes
}

// sweep removes what attempts left behind.
func (s *Service) sweep(id string) {
	entries, err := fs.ReadDir(s.root.FS(), id)
	if err != nil {
		return
	}
	for _, e := range entries {
		if name := e.Name(); name != fileName && name != resultName && name != posterName {
			_ = s.root.RemoveAll(path.Join(id, name))
		}
	}
}

// clean removes what is left of a clip whose making nobody wants any more.
func (s *Service) clean(c *Clip) {
	now, err := s.Store.Clip(context.Background(), c.ID)
	switch {
	case errs.KindOf(err) == errs.NotFound:
		err = s.removeFiles(c.ID)
	case err == nil && now.Turn == c.Turn: // nobody else is at it
		s.sweep(c.ID)
	}
	if err != nil {
		s.Log.Warn("what is left of a clip could not be removed", "clip", c.ID, "error", err)
	}
}

// removeFiles removes all files of a clip.
func (s *Service) removeFiles(id string) error {
	if !ValidID(id) {
		return nil
	}
	err := s.root.RemoveAll(id)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// tidy removes the files of clips that were deleted while the server died, or by another one, and pictures of recordings that
// were.
func (s *Service) tidy(ctx context.Context) {
	entries, err := fs.ReadDir(s.root.FS(), ".")
	if err != nil {
		return
	}
	for _, e := range entries {
		if !e.IsDir() || !ValidID(e.Name()) || strings.Contains(e.Name(), ".") {
			continue
		}
		c, err := s.Store.Clip(ctx, e.Name())
		switch {
		case errs.KindOf(err) == errs.NotFound:
			err = s.removeFiles(e.Name())
		case err == nil && !c.HasFile() && (s.Archive == nil || !s.Archive.Has(c.ShowID)):
			err = s.removePoster(e.Name()) // is made again, should the recording be found
		}
		if err != nil {
			s.Log.Warn("what is left of a clip could not be removed", "clip", e.Name(), "error", err)
		}
	}
}
