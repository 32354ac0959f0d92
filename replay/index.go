package replay

// indexFile appends lines to the index of a recording. It belongs to one goroutine, but for Sync of the file.
type indexFile struct {
	file    diskFile
	size    int64  // of the whole lines in the file
	pending []byte // lines that could not be written yet: a gap has one every few seconds
}

// append writes one or more lines behind those that are pending. On an error l is not part of the index.
func (x *indexFile) append(l []byte) error {
	if err := x.flush(); err != nil {
		return err
	}
	return x.write(l)
}

// keep is append for lines that must not be lost: on an error they stay pending.
func (x *indexFile) keep(l []byte) error {
	err := x.append(l)
	if err != nil {
		x.pending = append(x.pending, l...)
	}
	return err
}

func (x *indexFile) flush() error {
	if len(x.pending) == 0 {
		return nil
	}
	if err := x.write(x.pending); err != nil {
		return err
	}
	x.pending = nil
	return nil
}

func (x *indexFile) write(l []byte) error {
	if _, err := x.file.WriteAt(l, x.size); err != nil {
		// A reader would take a torn line for nothing, yet the next one must not follow on it.
		_ = x.file.Truncate(x.size)
		return err
	}
	x.size += int64(len(l))
	return nil
}
