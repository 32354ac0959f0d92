// Package mp4 reads where the samples of a recording's fragments are, and writes progressive MP4 files of them. It
// touches no byte of the media itself: who copies it is told where it belongs.
//
// Clauses are those of ISO 14496-12 unless said otherwise.
package mp4

import (
	"errors"
	"fmt"
	"io"

	"github.com/vitrine-live/vitrine/internal/bmff"
)

const (
	// maxMoof bounds a moof box: that of a segment with bmff.MaxSamples samples, which has 16 bytes for each.
	maxMoof = 2 << 20
	// peek is read at a box's start at once: nearly always all of a moof and the header of the box behind it.
	peek = 4 << 10
)

// Sample is one access unit of a fragment. Times are in units of its track.
type Sample = bmff.Sample

// ReadSamples finds the samples in a segment of the given size by its moof boxes alone: the media is not read. Samples
// come in the order of the file. A segment that is damaged is an error; none of its samples can be trusted then.
func ReadSamples(r io.ReaderAt, size int64) ([]Sample, error) {
	s := segment{r: r, size: size}
	for at := int64(0); at < size; {
		next, err := s.box(at)
		if err != nil {
			return nil, fmt.Errorf("box at byte %d: %w", at, err)
		}
		at = next
	}
	return s.samples, nil
}

// segment is the state of reading one.
type segment struct {
	r       io.ReaderAt
	size    int64
	samples []Sample

	buf  []byte // what was read last
	from int64  // its offset
}

// bytes returns n bytes at an offset, of which the caller made sure that the segment has them.
func (s *segment) bytes(at, n int64) ([]byte, error) {
	if at < s.from || at+n > s.from+int64(len(s.buf)) {
		want := min(max(n, peek), s.size-at)
		if int64(cap(s.buf)) < want {
			s.buf = make([]byte, want)
		}
		s.buf, s.from = s.buf[:want], at
		if got, err := s.r.ReadAt(s.buf, at); int64(got) < want {
			s.buf = s.buf[:0]
			return nil, errors.Join(err, io.ErrUnexpectedEOF)
		}
	}
	return s.buf[at-s.from:][:n], nil
}

// box reads the box at an offset, if it is a moof, and returns where it ends.
func (s *segment) box(at int64) (next int64, err error) {
	left := s.size - at
	head, err := s.bytes(at, min(16, left))
	if err != nil {
		return 0, err
	}
	h, err := bmff.ReadHeader(head, left)
	if err != nil {
		return 0, err
	}
	if !h.Is("moof") {
		return at + h.Size, nil
	}
	if h.Size > maxMoof {
		return 0, errors.New("moof is too large")
	}
	b, err := s.bytes(at, h.Size)
	if err != nil {
		return 0, err
	}
	s.samples, err = bmff.AppendSamples(s.samples, b, at, s.size)
	return at + h.Size, err
}
