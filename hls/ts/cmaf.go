package ts

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/vitrine-live/vitrine/media"
)

// maxSamples bounds the samples of one segment: two minutes of 240 frames a second with sound are half of it.
const maxSamples = 1 << 16

var errTruncated = errors.New("box is cut short")

// segment is what a CMAF segment holds, per track in decode order, on the 90 kHz clock of MPEG-TS.
type segment struct {
	video, audio []sample
	count        int
}

// sample is one access unit. Its payload is a view of the segment's bytes.
type sample struct {
	pts, dts media.Ticks
	end      media.Ticks // pts and duration
	payload  []byte
}

// Flags of tfhd and trun (ISO 14496-12, 8.8.7 and 8.8.8).
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
)

// readSegment finds the samples of the tracks of r in the moof boxes of b. Tracks that r does not have are ignored.
func (r *Remuxer) readSegment(b []byte) (*segment, error) {
	s := &segment{}
	for rest := b; len(rest) > 0; {
		base := len(b) - len(rest)
		typ, body, next, err := nextBox(rest)
		if err != nil {
			return nil, err
		}
		if typ == "moof" {
			if err := r.readMoof(s, body, b[base:]); err != nil {
				return nil, err
			}
		}
		rest = next
	}
	if s.count == 0 {
		return nil, errors.New("no sample")
	}
	return s, nil
}

// readMoof reads the track fragments of a moof. data starts at the moof's first byte, from which offsets count.
func (r *Remuxer) readMoof(s *segment, moof, data []byte) error {
	for len(moof) > 0 {
		typ, body, next, err := nextBox(moof)
		if err != nil {
			return err
		}
		if typ == "traf" {
			f := fragment{data: data}
			if err := r.readTraf(s, &f, body); err != nil {
				return err
			}
		}
		moof = next
	}
	return nil
}

// fragment is the state of one traf while its boxes are read.
type fragment struct {
	data                     []byte // from the moof's first byte on
	track                    uint32
	headed, timed            bool   // tfhd and tfdt were seen
	time                     int64  // decode time of the next sample, in the track's timescale
	offset                   int    // of the next sample in data
	defaultSize, defaultTime uint32 // tfhd
}

func (r *Remuxer) readTraf(s *segment, f *fragment, traf []byte) error {
	for len(traf) > 0 {
		typ, body, next, err := nextBox(traf)
		if err != nil {
			return err
		}
		switch typ {
		case "tfhd":
			err = f.readTfhd(body)
		case "tfdt":
			err = f.readTfdt(body)
		case "trun":
			err = r.readTrun(s, f, body)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", typ, err)
		}
		traf = next
	}
	return nil
}

func (f *fragment) readTfhd(b []byte) error {
	p := fields{b: b}
	flags := p.u32()
	f.track = p.u32()
	if flags&tfhdBaseDataOffset != 0 {
		return errors.New("base_data_offset has no meaning in a segment")
	}
	f.defaultTime, f.defaultSize = 0, 0
	if flags&tfhdDescriptionIndex != 0 {
		p.u32()
	}
	if flags&tfhdDefaultDuration != 0 {
		f.defaultTime = p.u32()
	}
	if flags&tfhdDefaultSize != 0 {
		f.defaultSize = p.u32()
	}
	f.headed = true
	return p.err()
}

func (f *fragment) readTfdt(b []byte) error {
	p := fields{b: b}
	version := p.u32() >> 24
	t := uint64(p.u32())
	if version == 1 {
		t = t<<32 | uint64(p.u32())
	}
	if t > maxTrackTime {
		return errors.New("decode time out of range")
	}
	f.time, f.timed = int64(t), true
	return p.err()
}

// readTrun reads one run of samples. The entries of tracks that r does not have are skipped.
func (r *Remuxer) readTrun(s *segment, f *fragment, b []byte) error {
	if !f.headed || !f.timed {
		return errors.New("run before tfhd and tfdt")
	}
	p := fields{b: b}
	flags := p.u32()
	n := p.u32()
	if flags&trunDataOffset != 0 {
		f.offset = int(int32(p.u32()))
	}
	if flags&trunFirstSampleFlags != 0 {
		p.u32()
	}
	if f.offset <= 0 || n > maxSamples || s.count+int(n) > maxSamples {
		return errors.New("data offset or number of samples out of range")
	}
	put := r.putter(s, f.track)
	for range n {
		e, err := f.next(&p, flags)
		if err != nil {
			return err
		}
		if put != nil {
			s.count++
			put(e)
		}
	}
	return p.err()
}

// entry is one sample of a run, in the track's timescale.
type entry struct {
	time, duration, composition int64
	payload                     []byte
}

// next reads the next entry of a run and takes its bytes.
func (f *fragment) next(p *fields, flags uint32) (e entry, err error) {
	duration, size, composition := f.defaultTime, f.defaultSize, int32(0)
	if flags&trunSampleDuration != 0 {
		duration = p.u32()
	}
	if flags&trunSampleSize != 0 {
		size = p.u32()
	}
	if flags&trunSampleFlags != 0 {
		p.u32()
	}
	if flags&trunSampleCompositions != 0 {
		composition = int32(p.u32()) // version 0 is unsigned, yet nobody composes 13 hours ahead
	}
	if p.short {
		return e, errTruncated
	}
	if size == 0 || f.offset > len(f.data) || int64(size) > int64(len(f.data)-f.offset) {
		return e, errors.New("sample outside of the segment")
	}
	if f.time > maxTrackTime {
		return e, errors.New("decode time out of range")
	}
	e = entry{f.time, int64(duration), int64(composition), f.data[f.offset : f.offset+int(size)]}
	f.offset += int(size)
	f.time += int64(duration)
	return e, nil
}

// putter returns what appends entries of a track to s, on the clock of MPEG-TS; nil for an unknown track.
func (r *Remuxer) putter(s *segment, track uint32) func(entry) {
	switch {
	case r.video != nil && r.video.id == track:
		scale := r.video.timescale
		return func(e entry) {
			pts := to90k(e.time+e.composition, scale)
			// PTS below DTS cannot be decoded; a reorder that is too small must not make it so.
			dts := min(to90k(e.time, scale)-r.reorder, pts)
			s.video = append(s.video, sample{pts: pts, dts: dts, payload: e.payload})
		}
	case r.audio != nil && r.audio.id == track:
		scale := r.audio.timescale
		return func(e entry) {
			pts, end := to90k(e.time, scale), to90k(e.time+e.duration, scale)
			s.audio = append(s.audio, sample{pts: pts, dts: pts, end: end, payload: e.payload})
		}
	}
	return nil
}

// to90k converts a time of a track to the clock of MPEG-TS.
func to90k(t, timescale int64) media.Ticks {
	if timescale == int64(media.TicksPerSecond) {
		return media.Ticks(t) + timeOffset
	}
	return media.Rescale(media.Ticks(t), int64(media.TicksPerSecond), timescale) + timeOffset
}

// nextBox splits the first box off b (ISO 14496-12, 4.2).
func nextBox(b []byte) (typ string, body, rest []byte, err error) {
	if len(b) < 8 {
		return "", nil, nil, errTruncated
	}
	size, head := uint64(binary.BigEndian.Uint32(b)), uint64(8)
	typ = string(b[4:8])
	switch size {
	case 0: // to the end
		size = uint64(len(b))
	case 1:
		if len(b) < 16 {
			return "", nil, nil, errTruncated
		}
		size, head = binary.BigEndian.Uint64(b[8:]), 16
	}
	if size < head || size > uint64(len(b)) {
		return "", nil, nil, errTruncated
	}
	return typ, b[head:size], b[size:], nil
}

// fields reads the fields of a box, and zeros after its end.
type fields struct {
	b     []byte
	short bool
}

func (p *fields) u32() uint32 {
	if len(p.b) < 4 {
		p.short = true
		return 0
	}
	v := binary.BigEndian.Uint32(p.b)
	p.b = p.b[4:]
	return v
}

func (p *fields) err() error {
	if p.short {
		return errTruncated
	}
	return nil
}
