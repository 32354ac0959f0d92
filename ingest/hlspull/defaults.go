package hlspull

import (
	"encoding/binary"

	"github.com/vitrine-live/vitrine/internal/bmff"
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
	_ = walk(init, []string{"moov", "mvex", "trex"}, func(b bmff.Box) error {
		body := b.Body()
		if len(body) < 24 {
			return bmff.ErrTruncated
		}
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
	err := bmff.Each(segment, func(b bmff.Box) error {
		if !b.Is("moof") {
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

func spellOutMoof(moof bmff.Box, defaults map[uint32]sampleDefaults) ([]byte, error) {
	out := newBox("moof")
	err := bmff.Each(moof.Body(), func(b bmff.Box) error {
		if !b.Is("traf") {
			out = append(out, b...)
			return nil
		}
		traf := newBox("traf")
		err := bmff.Each(b.Body(), func(b bmff.Box) (err error) {
			if b.Is("tfhd") {
				b, err = spellOutHeader(b, defaults)
			}
			traf = append(traf, b...)
			return err
		})
		out = append(out, sized(traf)...)
		return err
	})
	if err != nil {
		return nil, err
	}
	out = sized(out)
	return out, moveData(out, uint32(len(out)-len(moof)))
}

// spellOutHeader adds to a tfhd what it leaves to trex.
func spellOutHeader(tfhd bmff.Box, defaults map[uint32]sampleDefaults) (bmff.Box, error) {
	f := bmff.Fields{B: tfhd.Body()}
	flags := f.U32()
	d := defaults[f.U32()]
	if flags&tfhdBaseOffset != 0 {
		f.Skip(8)
	}
	if flags&tfhdDescription != 0 {
		f.Skip(4)
	}
	out := append(newBox("tfhd"), tfhd.Body()[:len(tfhd.Body())-len(f.B)]...)
	for _, field := range []struct{ flag, value uint32 }{{tfhdDuration, d.duration}, {tfhdSize, d.size}} {
		switch {
		case flags&field.flag != 0:
			out = binary.BigEndian.AppendUint32(out, f.U32())
		case field.value != 0:
			flags |= field.flag
			out = binary.BigEndian.AppendUint32(out, field.value)
		}
	}
	if f.Short {
		return nil, bmff.ErrTruncated
	}
	out = append(out, f.B...) // the default flags
	binary.BigEndian.PutUint32(out[8:], flags)
	return sized(out), nil
}

// moveData adds by to the data offsets of a moof, which count from its beginning (8.8.8).
func moveData(moof []byte, by uint32) error {
	return walk(moof, []string{"moof", "traf", "trun"}, func(b bmff.Box) error {
		const offsetPresent = 0x1
		body := b.Body()
		if len(body) < 12 || binary.BigEndian.Uint32(body)&offsetPresent == 0 {
			return nil
		}
		binary.BigEndian.PutUint32(body[8:], binary.BigEndian.Uint32(body[8:])+by)
		return nil
	})
}

// newBox is the header of a box whose body is still to be appended.
func newBox(kind string) bmff.Box { return append(bmff.Box{0, 0, 0, 0}, kind...) }

// sized writes the size of a box made by newBox into its header.
func sized(b bmff.Box) bmff.Box {
	binary.BigEndian.PutUint32(b, uint32(len(b)))
	return b
}

// walk calls f for every box at the end of a path of kinds.
func walk(b []byte, path []string, f func(bmff.Box) error) error {
	return bmff.Each(b, func(b bmff.Box) error {
		switch {
		case !b.Is(path[0]):
			return nil
		case len(path) == 1:
			return f(b)
		}
		return walk(b.Body(), path[1:], f)
	})
}
