package replay

import (
	"bytes"
	"errors"
	"hash/crc32"
	"io"
	"time"

	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
)

// Sum is what an index says of bytes: how many, and their CRC-32C.
type Sum struct {
	Size int64
	CRC  uint32
}

// FileSum is what an index says of a file of the show.
type FileSum struct {
	Name  string
	Size  int64
	Parts []Sum // they make up the file, in order; nil: lines of the index are damaged, only the size is known
}

// CRC is the CRC-32C of the whole file; ok is false when it is not known.
func (f *FileSum) CRC() (crc uint32, ok bool) {
	for i, p := range f.Parts {
		if i == 0 {
			crc = p.CRC
			continue
		}
		crc = combine(crc, p.CRC, p.Size)
	}
	return crc, len(f.Parts) > 0
}

// Check compares what r gives with the sums. It returns NotFound when r ends early, Conflict with the number of the part
// when bytes are different, and what reading fails with.
func (f *FileSum) Check(r io.Reader) error {
	const op = "replay.Check"
	left := f.Size
	for i, p := range f.Parts {
		h := crc32.New(castagnoli)
		n, err := io.CopyN(h, r, p.Size)
		left -= n
		if errors.Is(err, io.EOF) {
			return errs.New(errs.NotFound, op, "%s ends after %d of %d bytes", f.Name, f.Size-left, f.Size)
		}
		if err != nil {
			return errs.Wrap(op, err)
		}
		if h.Sum32() != p.CRC {
			return errs.New(errs.Conflict, op, "part %d of %s is damaged", i, f.Name)
		}
	}
	if n, err := io.Copy(io.Discard, io.LimitReader(r, left+1)); err != nil || n != left {
		if err != nil {
			return errs.Wrap(op, err)
		}
		return errs.New(errs.Conflict, op, "%s does not have %d bytes", f.Name, f.Size)
	}
	return nil
}

// IndexEntry is what a line of an index says of the show, or, for a segment, what those of its parts say with it.
type IndexEntry struct {
	Show    string   // of the line that begins an index
	Epoch   bool     // a publish began: Start and Wall say when
	File    *FileSum // of an initialization or a complete segment, nil for everything else
	Segment bool     // it is a segment, or a gap when File is nil
	MSN     int64    // of a segment, a gap, or the segment that was lost or found
	Lost    bool     // no good copy is left of segment MSN
	Found   bool     // there is one again
	End     bool     // the show is over

	Start    media.Ticks
	Duration media.Ticks
	Wall     time.Time

	Durable int64 // how many segments were known to be on the disk when the line was written
	Next    int64 // offset behind the line
}

// IndexReader reads an index line by line, also one that grows. Lines that are damaged are skipped. It belongs to one
// goroutine.
type IndexReader struct {
	file  io.ReaderAt
	at    int64 // offset of buf
	buf   []byte
	long  bool // in a line too long to be one
	parts []entry
	ready []IndexEntry
}

// NewIndexReader reads from the beginning of file.
func NewIndexReader(file io.ReaderAt) *IndexReader { return &IndexReader{file: file} }

// Reset goes on with another open file of the same index.
func (x *IndexReader) Reset(file io.ReaderAt) { x.file = file }

// Next returns the next entry, io.EOF when the file has no other one yet; it may be called again then. Unavailable: the
// index was written by a newer version of Vitrine.
func (x *IndexReader) Next() (IndexEntry, error) {
	for len(x.ready) == 0 {
		l, err := x.line()
		if err != nil {
			return IndexEntry{}, err
		}
		if !checkLine(l) {
			continue
		}
		e, err := parseLine(l)
		if err != nil {
			continue
		}
		if e.Type == entryMeta && e.Version > indexVersion {
			return IndexEntry{}, errs.New(errs.Unavailable, "replay.IndexReader", "%s was recorded by a newer version of Vitrine (index %d)", e.Show, e.Version)
		}
		x.take(&e)
	}
	next := x.ready[0]
	x.ready = x.ready[1:]
	return next, nil
}

// line returns the next whole line without its line feed, valid until the next call.
func (x *IndexReader) line() ([]byte, error) {
	for {
		if i := bytes.IndexByte(x.buf, '\n'); i >= 0 {
			l := x.buf[:i]
			x.buf = x.buf[i+1:]
			x.at += int64(i) + 1
			if x.long {
				x.long = false
				continue
			}
			return l, nil
		}
		if len(x.buf) > maxLine {
			x.at += int64(len(x.buf))
			x.buf, x.long = nil, true
		}
		chunk := make([]byte, maxLine)
		n, err := x.file.ReadAt(chunk, x.at+int64(len(x.buf)))
		x.buf = append(bytes.Clone(x.buf), chunk[:n]...)
		if n == 0 {
			return nil, err
		}
	}
}

func (x *IndexReader) take(e *entry) {
	switch e.Type {
	case entryPart:
		if len(x.parts) > 0 && x.parts[0].MSN != e.MSN {
			x.close()
		}
		x.parts = append(x.parts, *e)
	case entrySegment:
		if len(x.parts) > 0 && x.parts[0].MSN != e.MSN {
			x.close()
		}
		x.segment(e)
	case entryGap:
		x.parts = nil
		x.add(IndexEntry{Segment: true, MSN: e.MSN, Start: e.Start, Duration: e.Duration, Wall: fromUnixMilli(e.Wall), Durable: e.Durable})
	case entryInit:
		x.add(IndexEntry{File: &FileSum{Name: playlist.InitName(e.Init), Size: e.Size, Parts: []Sum{{e.Size, e.CRC}}}})
	case entryMeta:
		x.add(IndexEntry{Show: e.Show})
	case entryEpoch:
		x.add(IndexEntry{Epoch: true, Start: e.Start, Wall: fromUnixMilli(e.Wall)})
	case entryLost, entryFound:
		x.add(IndexEntry{MSN: e.MSN, Lost: e.Type == entryLost, Found: e.Type == entryFound})
	case entryEnd:
		x.close()
		x.add(IndexEntry{End: true, Durable: e.Durable})
	}
}

func (x *IndexReader) add(e IndexEntry) {
	e.Next = x.at
	x.ready = append(x.ready, e)
}

// close makes a segment of parts whose own line is damaged.
func (x *IndexReader) close() {
	if len(x.parts) == 0 {
		return
	}
	whole := x.parts[0]
	whole.Size, whole.Duration = 0, 0
	for _, p := range x.parts {
		whole.Size += p.Size
		whole.Duration += p.Duration
	}
	whole.Durable = 0
	x.segment(&whole)
}

func (x *IndexReader) segment(e *entry) {
	f := &FileSum{Name: playlist.SegmentName(e.MSN, playlist.CMAF), Size: e.Size}
	var at int64
	for _, p := range x.parts {
		if p.Offset != at || p.Size < 0 {
			break
		}
		f.Parts = append(f.Parts, Sum{p.Size, p.CRC})
		at += p.Size
	}
	if at != e.Size { // a line is missing
		f.Parts = nil
	}
	x.parts = nil
	x.add(IndexEntry{
		File: f, Segment: true, MSN: e.MSN, Start: e.Start, Duration: e.Duration, Wall: fromUnixMilli(e.Wall), Durable: e.Durable,
	})
}
