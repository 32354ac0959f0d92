package replay

import (
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// MarkLost notes in the index of an ended show that no good copy is left of segments: they become gaps, which players
// pass over. Nothing else is changed, and MarkFound takes it back. A server that runs notices within seconds. Conflict:
// the show is not over; its recorder alone writes the index.
func MarkLost(dir string, msns []int64) error { return mark(dir, entryLost, msns) }

// MarkFound takes back what MarkLost did. Conflict: as there.
func MarkFound(dir string, msns []int64) error { return mark(dir, entryFound, msns) }

func mark(dir, typ string, msns []int64) error {
	const op = "replay.mark"
	f, err := os.OpenFile(filepath.Join(dir, indexName), os.O_RDWR, 0)
	if err != nil {
		return fileError(op, err)
	}
	err = markIn(f, typ, msns)
	return errs.Wrap(op, errors.Join(err, f.Close()))
}

func markIn(f *os.File, typ string, msns []int64) error {
	ended, err := hasEnded(f)
	if err != nil {
		return err
	}
	if !ended {
		return errs.New(errs.Conflict, "replay.mark", "the show is not over: its index is written by its recorder alone")
	}
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	var lines []byte
	last := make([]byte, 1)
	if _, err := f.ReadAt(last, size-1); err == nil && last[0] != '\n' { // half a line stays nobody's
		lines = append(lines, '\n')
	}
	for _, msn := range msns {
		lines = append(lines, newLine(nil, typ).int("msn", msn).seal(0)...)
	}
	if _, err := f.WriteAt(lines, size); err != nil {
		return errors.Join(err, f.Truncate(size))
	}
	return f.Sync()
}

func hasEnded(f io.ReaderAt) (bool, error) {
	x := NewIndexReader(f)
	ended := false
	for {
		e, err := x.Next()
		if errors.Is(err, io.EOF) {
			return ended, nil
		}
		if err != nil {
			return false, err
		}
		ended = ended || e.End
	}
}
