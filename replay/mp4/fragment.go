// Package mp4 reads where the samples of a recording's fragments are, and writes progressive MP4 files of them. It
// touches no byte of the media itself: who copies it is told where it belongs.
//
// Clauses are those of ISO 14496-12 unless said otherwise.
package mp4

import (
	"errors"
	"fmt"
	"io"
)

const (
	// maxSamples bounds the samples of one segment: two minutes of 240 frames a second with sound are half of it.
	maxSamples = 1 << 16
	// maxMoof bounds a moof box: that of a segment with maxSamples samples, which has 16 bytes for each.
	maxMoof = 2 << 20
	// maxTime bounds times, in units of a track: 3 years at 90 kHz. Sums of a few fit an int64 then.
	maxTime = 1 << 43
	// peek is read at a box's start at once: nearly always all of a moof and the header of the box behind it.
	peek = 4 << 10
)

// Sample is one access unit of a fragment. Times are in units of its track.
type Sample struct {
	Track       uint32
	Offset      int64 // of its bytes in the segment
	Size        int64
	DTS         int64
	Duration    int64
	Composition int64 // PTS - DTS; may be negative
	Sync        bool
}

// PTS is when the sample is presented.
func (s *Sample) PTS() int64 { return s.DTS + s.Composition }

// Flags of tfhd and trun (8.8.7, 8.8.8).
const (
	tfhdBaseDataOffset     = 0x01
	tfhdDescriptionIndex   = 0x02
	tfhdDefaultDuration    = 0x08
	tfhdDefaultSize        = 0x10
	tfhdDefaultFlags       = 0x20
	trunDataOffset         = 0x01
	trunFirstSampleFlags   = 0x04
	trunSampleDuration     = 0x100
	trunSampleSize         = 0x200
	trunSampleFlags        = 0x400
	trunSampleCompositions = 0x800

	sampleIsNonSync = 0x1_0000 // 8.8.3.1
)

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
	if s.size-at < 8 {
		return 0, errTruncated
	}
	head, err := s.bytes(at, min(16, s.size-at))
	if err != nil {
		return 0, err
	}
	p := fields{b: head}
	size, name := int64(p.u32()), ""
	if !p.short {
		name = string(p.b[:4])
		p.skip(4)
	}
	least := int64(8)
	switch size {
	case 0:
		size = s.size - at
	case 1:
		least, size = 16, int64(min(p.u64(), 1<<62))
	}
	if p.short || size < least || size > s.size-at {
		return 0, errTruncated
	}
	if name != "moof" {
		return at + size, nil
	}
	if size > maxMoof {
		return 0, errors.New("moof is too large")
	}
	b, err := s.bytes(at, size)
	if err != nil {
		return 0, err
	}
	return at + size, s.moof(b[least:], at, at+size)
}

func (s *segment) moof(b []byte, at, end int64) error {
	return eachBox(b, func(name string, body []byte) error {
		if name != "traf" {
			return nil
		}
		f := fragment{segment: s, moof: at, end: end}
		return f.read(body)
	})
}

// fragment is the state of one traf while its boxes are read.
type fragment struct {
	*segment
	moof, end                              int64 // offsets of the moof, from which data offsets count, and of what is behind it
	track                                  uint32
	headed, timed                          bool  // tfhd and tfdt were seen
	time                                   int64 // decode time of the next sample
	offset                                 int64 // of the next sample in the segment
	defaultDuration, defaultSize, defaults uint32
}

func (f *fragment) read(traf []byte) error {
	return eachBox(traf, func(name string, body []byte) (err error) {
		switch name {
		case "tfhd":
			err = f.tfhd(body)
		case "tfdt":
			err = f.tfdt(body)
		case "trun":
			err = f.trun(body)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	})
}

func (f *fragment) tfhd(b []byte) error {
	p := fields{b: b}
	flags := p.u32()
	f.track = p.u32()
	if flags&tfhdBaseDataOffset != 0 {
		return errors.New("base_data_offset has no meaning in a segment")
	}
	if flags&tfhdDescriptionIndex != 0 {
		p.u32()
	}
	f.defaultDuration, f.defaultSize, f.defaults = 0, 0, 0
	if flags&tfhdDefaultDuration != 0 {
		f.defaultDuration = p.u32()
	}
	if flags&tfhdDefaultSize != 0 {
		f.defaultSize = p.u32()
	}
	if flags&tfhdDefaultFlags != 0 {
		f.defaults = p.u32()
	}
	f.headed = true
	return p.err()
}

func (f *fragment) tfdt(b []byte) error {
	p := fields{b: b}
	version := p.u32() >> 24
	t := uint64(p.u32())
	if version == 1 {
		t = t<<32 | uint64(p.u32())
	}
	if t > maxTime {
		return errors.New("decode time out of range")
	}
	f.time, f.timed = int64(t), true
	return p.err()
}

// trun reads one run of samples.
func (f *fragment) trun(b []byte) error {
	if !f.headed || !f.timed {
		return errors.New("run before tfhd and tfdt")
	}
	p := fields{b: b}
	flags := p.u32()
	n := p.u32()
	if flags&trunDataOffset != 0 {
		f.offset = f.moof + int64(int32(p.u32()))
	}
	first := f.defaults
	if flags&trunFirstSampleFlags != 0 {
		first = p.u32()
	}
	if n > maxSamples || len(f.samples)+int(n) > maxSamples {
		return errors.New("more samples than a segment can have")
	}
	if n > 0 && (f.offset < f.end || f.offset > f.size) {
		return errors.New("data offset out of range")
	}
	for i := range n {
		defaults := f.defaults
		if i == 0 {
			defaults = first
		}
		if err := f.sample(&p, flags, defaults); err != nil {
			return err
		}
	}
	return p.err()
}

// sample reads the next entry of a run.
func (f *fragment) sample(p *fields, flags, sampleFlags uint32) error {
	duration, size, composition := f.defaultDuration, f.defaultSize, int32(0)
	if flags&trunSampleDuration != 0 {
		duration = p.u32()
	}
	if flags&trunSampleSize != 0 {
		size = p.u32()
	}
	if flags&trunSampleFlags != 0 {
		sampleFlags = p.u32()
	}
	if flags&trunSampleCompositions != 0 {
		composition = int32(p.u32()) // version 0 is unsigned, yet nobody composes 13 hours ahead
	}
	switch {
	case p.short:
		return errTruncated
	case size == 0 || int64(size) > f.size-f.offset:
		return errors.New("sample outside of the segment")
	case f.time > maxTime:
		return errors.New("decode time out of range")
	}
	f.samples = append(f.samples, Sample{
		Track: f.track, Offset: f.offset, Size: int64(size), DTS: f.time, Duration: int64(duration),
		Composition: int64(composition), Sync: sampleFlags&sampleIsNonSync == 0,
	})
	f.offset += int64(size)
	f.time += int64(duration)
	return nil
}
