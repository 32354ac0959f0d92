package hlspull

import (
	"encoding/binary"
	"errors"
	"slices"
)

// Flags of tfhd (ISO 14496-12, 8.8.7).
const (
	tfhdBaseOffset  = 0x1
	tfhdDescription = 0x2
	tfhdDuration    = 0x8
	tfhdSize        = 0x10
)

// sampleDefaults are what trex says of the samples of a track whose fragments do not (8.8.3).
type sampleDefaults struct{ duration, size uint32 }

// defaultsOf are the defaults that an initialization segment gives its tracks; nil when it gives none. The library reads
// fragments that say everything themselves, as most packagers make them; some, GPAC among them, rely on trex.
func defaultsOf(init []byte) map[uint32]sampleDefaults {
	var out map[uint32]sampleDefaults
	_ = walk(init, []string{"moov", "mvex", "trex"}, func(b box) error {
		if len(b.body()) < 24 {
			return errTorn
		}
		body := b.body()
		d := sampleDefaults{duration: binary.BigEndian.Uint32(body[12:]), size: binary.BigEndian.Uint32(body[16:])}
		if d != (sampleDefaults{}) {
			if out == nil {
				out = map[uint32]sampleDefaults{}
			}
			out[binary.BigEndian.Uint32(body[4:])] = d
		}
		return nil
	})
	return out
}

// spellOut writes the defaults of trex into the fragments of a segment. What cannot be understood stays as it is: the
// library says what is wrong with it.
func spellOut(segment []byte, defaults map[uint32]sampleDefaults) []byte {
	if defaults == nil {
		return segment
	}
	var out []byte
	err := boxes(segment, func(b box) error {
		if b.kind() != "moof" {
			out = append(out, b...)
			return nil
		}
		moof, err := spellOutMoof(b, defaults)
		out = append(out, moof...)
		return err
	})
	if err != nil {
		return segment
	}
	return out
}

func spellOutMoof(moof box, defaults map[uint32]sampleDefaults) ([]byte, error) {
	out := newBox("moof")
	err := boxes(moof.body(), func(b box) error {
		if b.kind() != "traf" {
			out = append(out, b...)
			return nil
		}
		traf := newBox("traf")
		err := boxes(b.body(), func(b box) (err error) {
			if b.kind() == "tfhd" {
				b, err = spellOutHeader(b, defaults)
			}
			traf = append(traf, b...)
			return err
		})
		out = append(out, traf.sized()...)
		return err
	})
	if err != nil {
		return nil, err
	}
	out = out.sized()
	return out, moveData(out, uint32(len(out)-len(moof)))
}

// spellOutHeader adds to a tfhd what it leaves to trex.
func spellOutHeader(tfhd box, defaults map[uint32]sampleDefaults) (box, error) {
	const fixed = 8 + 4 + 4 // header, version and flags, track
	if len(tfhd) < fixed {
		return nil, errTorn
	}
	flags, d := binary.BigEndian.Uint32(tfhd[8:]), defaults[binary.BigEndian.Uint32(tfhd[12:])]
	at := fixed
	if flags&tfhdBaseOffset != 0 {
		at += 8
	}
	if flags&tfhdDescription != 0 {
		at += 4
	}
	out := slices.Clone(tfhd)
	for _, field := range []struct{ flag, value uint32 }{{tfhdDuration, d.duration}, {tfhdSize, d.size}} {
		if at > len(out) {
			return nil, errTorn
		}
		if flags&field.flag == 0 && field.value != 0 {
			flags |= field.flag
			out = slices.Insert(out, at, binary.BigEndian.AppendUint32(nil, field.value)...)
		}
		if flags&field.flag != 0 {
			at += 4
		}
	}
	binary.BigEndian.PutUint32(out[8:], flags)
	return out.sized(), nil
}

// moveData adds by to the data offsets of a moof, which count from its beginning (8.8.8).
func moveData(moof []byte, by uint32) error {
	return walk(moof, []string{"moof", "traf", "trun"}, func(b box) error {
		const offsetPresent = 0x1
		if len(b) < 20 || binary.BigEndian.Uint32(b[8:])&offsetPresent == 0 {
			return nil
		}
		binary.BigEndian.PutUint32(b[16:], binary.BigEndian.Uint32(b[16:])+by)
		return nil
	})
}

// box is an ISO base media box with its header, of 32-bit size.
type box []byte

var errTorn = errors.New("a box is cut short")

func newBox(kind string) box { return append(box{0, 0, 0, 0}, kind...) }

func (b box) kind() string { return string(b[4:8]) }

func (b box) body() []byte { return b[8:] }

// sized writes the size into the header.
func (b box) sized() box {
	binary.BigEndian.PutUint32(b, uint32(len(b)))
	return b
}

// boxes calls f for each box of b.
func boxes(b []byte, f func(box) error) error {
	for len(b) > 0 {
		if len(b) < 8 {
			return errTorn
		}
		size := uint64(binary.BigEndian.Uint32(b))
		if size < 8 || size > uint64(len(b)) {
			return errTorn // also 64-bit sizes, which segments have no use for
		}
		if err := f(box(b[:size:size])); err != nil {
			return err
		}
		b = b[size:]
	}
	return nil
}

// walk calls f for every box at the end of a path of kinds.
func walk(b []byte, path []string, f func(box) error) error {
	return boxes(b, func(b box) error {
		switch {
		case b.kind() != path[0]:
			return nil
		case len(path) == 1:
			return f(b)
		}
		return walk(b.body(), path[1:], f)
	})
}
