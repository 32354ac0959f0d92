package bmff

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"slices"
)

const (
	// MaxSamples bounds the samples of one segment: two minutes of 240 frames a second with sound are half of it.
	MaxSamples = 1 << 16
	// MaxTime bounds decode times, in units of a track: 3 years at 90 kHz. Sums of a few fit an int64 then, and no
	// conversion between timescales overflows.
	MaxTime = 1 << 43
)

// Flags of tfhd and trun (8.8.7, 8.8.8), and of samples (8.8.3.1). default-base-is-moof is taken for granted, as CMAF
// demands it: data offsets count from the moof box.
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

	sampleIsNonSync = 0x1_0000
)

// Sample is one access unit of a fragment. Times are in units of its track.
type Sample struct {
	Offset      int64 // of its bytes in the segment
	Size        int64 // at least 1
	DTS         int64
	Duration    int64
	Composition int64 // PTS - DTS; may be negative
	Track       uint32
	Sync        bool
}

// PTS is when the sample is presented.
func (s *Sample) PTS() int64 { return s.DTS + s.Composition }

// AppendSamples appends the samples that a moof box describes to those of the boxes before it in the same segment, in
// the order of the box. The moof is at an offset in the segment, which has size bytes: samples lie between its end and
// the segment's. Where it is damaged, or tells of more than MaxSamples in all, the error says how, and none of what is
// returned can be trusted.
func AppendSamples(samples []Sample, moof Box, at, size int64) ([]Sample, error) {
	r := runs{samples: samples, from: at + int64(len(moof)), size: size}
	err := Each(moof.Body(), func(b Box) error {
		if !b.Is("traf") {
			return nil
		}
		r.traf = traf{moof: at}
		return r.readTraf(b.Body())
	})
	return r.samples, err
}

// runs is the state of reading a moof.
type runs struct {
	traf
	samples    []Sample
	from, size int64 // offsets between which samples lie
}

// traf is the state of a track fragment while its boxes are read.
type traf struct {
	moof                                   int64 // from which data offsets count
	track                                  uint32
	headed, timed                          bool  // tfhd and tfdt were seen
	time                                   int64 // decode time of the next sample
	offset                                 int64 // of the next sample in the segment
	defaultDuration, defaultSize, defaults uint32
}

func (r *runs) readTraf(b []byte) error {
	return Each(b, func(b Box) (err error) {
		switch b.Type() {
		case "tfhd":
			err = r.readTfhd(b.Body())
		case "tfdt":
			err = r.readTfdt(b.Body())
		case "trun":
			err = r.readTrun(b.Body())
		}
		if err != nil {
			return fmt.Errorf("%s: %w", b.Type(), err)
		}
		return nil
	})
}

// readTfhd reads the defaults of a track fragment (8.8.7). Those of trex are not known here: what leaves duration and
// size to them has samples without either.
func (t *traf) readTfhd(b []byte) error {
	f := Fields{B: b}
	flags := f.U32()
	t.track = f.U32()
	if flags&tfhdBaseDataOffset != 0 {
		return errors.New("base_data_offset has no meaning in a segment")
	}
	if flags&tfhdDescriptionIndex != 0 {
		f.U32()
	}
	t.defaultDuration, t.defaultSize, t.defaults = 0, 0, 0
	if flags&tfhdDefaultDuration != 0 {
		t.defaultDuration = f.U32()
	}
	if flags&tfhdDefaultSize != 0 {
		t.defaultSize = f.U32()
	}
	if flags&tfhdDefaultFlags != 0 {
		t.defaults = f.U32()
	}
	t.headed = true
	return f.Err()
}

// readTfdt reads the decode time of the first sample (8.8.12).
func (t *traf) readTfdt(b []byte) error {
	f := Fields{B: b}
	version := f.U32() >> 24
	v := uint64(f.U32())
	if version == 1 {
		v = v<<32 | uint64(f.U32())
	}
	if v > MaxTime {
		return errors.New("decode time out of range")
	}
	t.time, t.timed = int64(v), true
	return f.Err()
}

// readTrun reads one run of samples (8.8.8).
func (r *runs) readTrun(b []byte) error {
	if !r.headed || !r.timed {
		return errors.New("run before tfhd and tfdt")
	}
	f := Fields{B: b}
	flags := f.U32()
	n := f.U32()
	if flags&trunDataOffset != 0 {
		r.offset = r.moof + int64(int32(f.U32()))
	}
	first := r.defaults
	if flags&trunFirstSampleFlags != 0 {
		first = f.U32()
	}
	if n > MaxSamples || len(r.samples)+int(n) > MaxSamples {
		return errors.New("more samples than a segment can have")
	}
	const fields = trunSampleDuration | trunSampleSize | trunSampleFlags | trunSampleCompositions
	table := int(n) * 4 * bits.OnesCount32(flags&fields)
	if f.Short || table > len(f.B) {
		return ErrTruncated
	}
	if n == 0 {
		return nil
	}
	if r.offset < r.from || r.offset > r.size {
		return errors.New("data offset out of range")
	}
	return r.appendRun(f.B[:table], int(n), flags, first)
}

// appendRun appends the n samples of a table, whose entries have the fields that flags say.
func (r *runs) appendRun(table []byte, n int, flags, first uint32) error {
	// No sample is empty, so that there are at most as many as bytes for them.
	out, left := slices.Grow(r.samples, int(min(int64(n), r.size-r.offset))), r.size-r.offset
	next := func() uint32 {
		v := binary.BigEndian.Uint32(table)
		table = table[4:]
		return v
	}
	sampleFlags := first
	for range n {
		duration, size, composition := r.defaultDuration, r.defaultSize, int32(0)
		if flags&trunSampleDuration != 0 {
			duration = next()
		}
		if flags&trunSampleSize != 0 {
			size = next()
		}
		if flags&trunSampleFlags != 0 {
			sampleFlags = next()
		}
		if flags&trunSampleCompositions != 0 {
			composition = int32(next()) // version 0 is unsigned, yet nobody composes 13 hours ahead
		}
		if size == 0 || int64(size) > left {
			return errors.New("sample outside of the segment")
		}
		if r.time > MaxTime {
			return errors.New("decode time out of range")
		}
		out = append(out, Sample{
			Offset: r.offset, Size: int64(size), DTS: r.time, Duration: int64(duration), Composition: int64(composition),
			Track: r.track, Sync: sampleFlags&sampleIsNonSync == 0,
		})
		left -= int64(size)
		r.offset += int64(size)
		r.time += int64(duration)
		sampleFlags = r.defaults
	}
	r.samples = out
	return nil
}
