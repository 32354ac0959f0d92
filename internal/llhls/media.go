package llhls

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// track is what an initialization segment says of a track (ISO 14496-12).
type track struct {
	timescale int64
	video     bool

	// trex
	duration, size, flags uint32
}

// fragment is what a part or segment holds of one track.
type fragment struct {
	track   uint32
	base    int64 // tfdt
	samples []sample
}

type sample struct {
	duration int64
	offset   int64 // composition
	sync     bool
}

func (f *fragment) duration() (d int64) {
	for _, s := range f.samples {
		d += s.duration
	}
	return d
}

// firstPresented is the least presentation time.
func (f *fragment) firstPresented() int64 {
	at, least := f.base, int64(0)
	for i, s := range f.samples {
		if pts := at + s.offset; i == 0 || pts < least {
			least = pts
		}
		at += s.duration
	}
	return least
}

const nonSync = 0x10000 // sample_is_non_sync_sample (8.8.3.1)

var errShort = errors.New("box cut short")

// boxes calls f for each box of b.
func boxes(b []byte, f func(kind string, body []byte) error) error {
	for len(b) > 0 {
		if len(b) < 8 {
			return errShort
		}
		size := uint64(binary.BigEndian.Uint32(b))
		head := uint64(8)
		if size == 1 && len(b) >= 16 {
			size, head = binary.BigEndian.Uint64(b[8:]), 16
		}
		if size < head || size > uint64(len(b)) {
			return errShort
		}
		if err := f(string(b[4:8]), b[head:size]); err != nil {
			return fmt.Errorf("%s: %w", b[4:8], err)
		}
		b = b[size:]
	}
	return nil
}

// parseInit reads the tracks of an initialization segment (8.3, 8.4, 8.8.3).
func parseInit(data []byte) (map[uint32]*track, error) {
	tracks := map[uint32]*track{}
	get := func(id uint32) *track {
		if tracks[id] == nil {
			tracks[id] = &track{}
		}
		return tracks[id]
	}
	err := boxes(data, func(kind string, body []byte) error {
		if kind != "moov" {
			return nil
		}
		return boxes(body, func(kind string, body []byte) error {
			switch kind {
			case "trak":
				return parseTrak(body, get)
			case "mvex":
				return boxes(body, func(kind string, b []byte) error {
					if kind == "trex" && len(b) >= 24 {
						t := get(u32(b[4:]))
						t.duration, t.size, t.flags = u32(b[12:]), u32(b[16:]), u32(b[20:])
					}
					return nil
				})
			}
			return nil
		})
	})
	if err == nil && len(tracks) == 0 {
		err = errors.New("no tracks")
	}
	return tracks, err
}

func parseTrak(body []byte, get func(uint32) *track) error {
	var t *track
	return boxes(body, func(kind string, b []byte) error {
		switch kind {
		case "tkhd":
			at := 12 // version, flags, two times
			if len(b) > 0 && b[0] == 1 {
				at = 20
			}
			if len(b) < at+4 {
				return errShort
			}
			t = get(u32(b[at:]))
		case "mdia":
			if t == nil {
				return errors.New("mdia before tkhd")
			}
			return boxes(b, func(kind string, b []byte) error { return parseMdia(t, kind, b) })
		}
		return nil
	})
}

func parseMdia(t *track, kind string, b []byte) error {
	switch kind {
	case "mdhd":
		at := 12
		if len(b) > 0 && b[0] == 1 {
			at = 20
		}
		if len(b) < at+4 {
			return errShort
		}
		t.timescale = int64(u32(b[at:]))
	case "hdlr":
		if len(b) < 12 {
			return errShort
		}
		t.video = string(b[8:12]) == "vide"
	}
	return nil
}

// parseFragments reads the movie fragments of a part or segment, joined per track.
func parseFragments(data []byte, tracks map[uint32]*track) (map[uint32]*fragment, error) {
	out := map[uint32]*fragment{}
	var media int
	err := boxes(data, func(kind string, body []byte) error {
		if kind == "mdat" {
			media += len(body)
		}
		if kind != "moof" {
			return nil
		}
		return boxes(body, func(kind string, body []byte) error {
			if kind != "traf" {
				return nil
			}
			f, err := parseTraf(body, tracks)
			if err != nil {
				return err
			}
			if have := out[f.track]; have == nil {
				out[f.track] = f
			} else if have.base+have.duration() != f.base {
				return fmt.Errorf("track %d: decode time %d after %d", f.track, f.base, have.base+have.duration())
			} else {
				have.samples = append(have.samples, f.samples...)
			}
			return nil
		})
	})
	if err == nil && (len(out) == 0 || media == 0) {
		err = errors.New("no media")
	}
	return out, err
}

func parseTraf(body []byte, tracks map[uint32]*track) (*fragment, error) {
	f := &fragment{}
	var defaults track
	err := boxes(body, func(kind string, b []byte) error {
		switch kind {
		case "tfhd":
			return parseTfhd(b, f, &defaults, tracks)
		case "tfdt": // 8.8.12
			if len(b) >= 12 && b[0] == 1 {
				f.base = int64(binary.BigEndian.Uint64(b[4:]))
			} else if len(b) >= 8 {
				f.base = int64(u32(b[4:]))
			}
		case "trun":
			return parseTrun(b, f, &defaults)
		}
		return nil
	})
	return f, err
}

func parseTfhd(b []byte, f *fragment, d *track, tracks map[uint32]*track) error {
	r := reader{b: b}
	flags := r.u32()
	f.track = r.u32()
	t, ok := tracks[f.track]
	if !ok {
		return fmt.Errorf("track %d is not in the initialization", f.track)
	}
	*d = *t
	if flags&0x01 != 0 {
		r.skip(8)
	}
	if flags&0x02 != 0 {
		r.skip(4)
	}
	for _, o := range []struct {
		flag uint32
		to   *uint32
	}{{0x08, &d.duration}, {0x10, &d.size}, {0x20, &d.flags}} {
		if flags&o.flag != 0 {
			*o.to = r.u32()
		}
	}
	return r.err
}

func parseTrun(b []byte, f *fragment, d *track) error { // 8.8.8
	r := reader{b: b}
	flags := r.u32()
	n := r.u32()
	if n > 1<<20 {
		return fmt.Errorf("%d samples", n)
	}
	if flags&0x001 != 0 {
		r.skip(4)
	}
	first := d.flags
	if flags&0x004 != 0 {
		first = r.u32()
	}
	for i := range n {
		s := sample{duration: int64(d.duration)}
		sf := d.flags
		if i == 0 {
			sf = first
		}
		if flags&0x100 != 0 {
			s.duration = int64(r.u32())
		}
		if flags&0x200 != 0 {
			r.skip(4)
		}
		if flags&0x400 != 0 {
			sf = r.u32()
		}
		if flags&0x800 != 0 {
			s.offset = int64(int32(r.u32()))
		}
		if r.err != nil {
			return r.err
		}
		s.sync = sf&nonSync == 0
		f.samples = append(f.samples, s)
	}
	return r.err
}

type reader struct {
	b   []byte
	err error
}

func (r *reader) u32() uint32 {
	if len(r.b) < 4 {
		r.err = errShort
		return 0
	}
	v := u32(r.b)
	r.b = r.b[4:]
	return v
}

func (r *reader) skip(n int) {
	if len(r.b) < n {
		r.err = errShort
		return
	}
	r.b = r.b[n:]
}

func u32(b []byte) uint32 { return binary.BigEndian.Uint32(b) }

func ticks(n, timescale int64) time.Duration {
	return time.Duration(float64(n) * float64(time.Second) / float64(timescale))
}
