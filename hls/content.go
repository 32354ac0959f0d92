package hls

import (
	"errors"
	"io"
	"net/http"
)

// countingWriter counts a body and still lets the connection read it from a file by itself.
type countingWriter struct {
	http.ResponseWriter
	sent int64
}

func (c *countingWriter) Write(p []byte) (int, error) {
	n, err := c.ResponseWriter.Write(p)
	c.sent += int64(n)
	return n, err
}

// ReadFrom implements io.ReaderFrom.
func (c *countingWriter) ReadFrom(r io.Reader) (int64, error) {
	n, err := io.Copy(c.ResponseWriter, r)
	c.sent += n
	return n, err
}

// Unwrap lets http.ResponseController through.
func (c *countingWriter) Unwrap() http.ResponseWriter { return c.ResponseWriter }

var errSeek = errors.New("hls: seek before the start")

// position is the arithmetic of io.Seeker.
func position(at, size, offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += at
	case io.SeekEnd:
		offset += size
	}
	if offset < 0 {
		return at, errSeek
	}
	return offset, nil
}

// piecesReader reads the parts of a segment as one file.
type piecesReader struct {
	pieces   [][]byte
	at, size int64
}

func (p *piecesReader) Read(b []byte) (int, error) {
	skip := p.at
	for _, piece := range p.pieces {
		if skip < int64(len(piece)) {
			n := copy(b, piece[skip:])
			p.at += int64(n)
			return n, nil
		}
		skip -= int64(len(piece))
	}
	return 0, io.EOF
}

func (p *piecesReader) Seek(offset int64, whence int) (_ int64, err error) {
	p.at, err = position(p.at, p.size, offset, whence)
	return p.at, err
}

// section is a stretch of a file as a file of its own.
type section struct {
	r            io.ReadSeeker
	offset, size int64
	at           int64
}

func (s *section) Read(b []byte) (int, error) {
	if s.at >= s.size {
		return 0, io.EOF
	}
	if _, err := s.r.Seek(s.offset+s.at, io.SeekStart); err != nil {
		return 0, err
	}
	n, err := s.r.Read(b[:min(int64(len(b)), s.size-s.at)])
	s.at += int64(n)
	return n, err
}

func (s *section) Seek(offset int64, whence int) (_ int64, err error) {
	s.at, err = position(s.at, s.size, offset, whence)
	return s.at, err
}
