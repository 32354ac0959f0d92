package preview

import (
	"bytes"
	"encoding/binary"
	"io"

	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/internal/errs"
)

// maxFragment is more than a part of the highest bit rate takes.
const maxFragment = 32 << 20

// firstFragment reads the first moof box of a segment and the mdat behind it: the part that begins with the IDR. All
// that a picture needs is in it, which is a fraction of the segment.
func firstFragment(r io.Reader) ([]byte, error) {
	const op = "preview.firstFragment"
	var out bytes.Buffer
	for {
		var head [8]byte
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return nil, errs.As(errs.Internal, op, err, "the segment ends before its first picture")
		}
		size := int64(binary.BigEndian.Uint32(head[:4]))
		if size < 8 || int64(out.Len())+size > maxFragment {
			return nil, errs.New(errs.Internal, op, "the segment has a box of %d bytes", size)
		}
		out.Write(head[:])
		if n, err := io.CopyN(&out, r, size-8); err != nil {
			return nil, errs.As(errs.Internal, op, err, "a box of the segment ends after %d of %d bytes", n+8, size)
		}
		if string(head[4:]) == "mdat" {
			return out.Bytes(), nil
		}
	}
}

// source is what is read of a recording.
type source interface {
	Segments() []playlist.Segment
	Inits() []playlist.Init
	InitData(n int) ([]byte, error)
	OpenSegment(msn int64) (io.ReadSeekCloser, int64, error)
	Ended() bool
}

// stream reads an initialization segment and then segments, one open file at a time.
type stream struct {
	src   source
	next  []int64 // segments to come
	whole bool    // all of each, not its first fragment alone
	cur   io.Reader
	file  io.Closer
}

func newStream(src source, init int, msns []int64, whole bool) (*stream, error) {
	b, err := src.InitData(init)
	if err != nil {
		return nil, err
	}
	return &stream{src: src, next: msns, whole: whole, cur: bytes.NewReader(b)}, nil
}

func (s *stream) Read(p []byte) (int, error) {
	for {
		if s.cur != nil {
			n, err := s.cur.Read(p)
			if n > 0 || err != nil && err != io.EOF {
				return n, err
			}
			s.Close()
		}
		if len(s.next) == 0 {
			return 0, io.EOF
		}
		if err := s.open(s.next[0]); err != nil {
			return 0, err
		}
		s.next = s.next[1:]
	}
}

func (s *stream) open(msn int64) error {
	f, _, err := s.src.OpenSegment(msn)
	if err != nil {
		return err
	}
	if s.whole {
		s.cur, s.file = f, f
		return nil
	}
	defer f.Close()
	b, err := firstFragment(f)
	s.cur = bytes.NewReader(b)
	return err
}

// Close releases the file that is open.
func (s *stream) Close() {
	if s.file != nil {
		_ = s.file.Close()
	}
	s.cur, s.file = nil, nil
}
