package mp4

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/vitrine-live/vitrine/internal/bmff"
	"github.com/vitrine-live/vitrine/media"
)

// InitTrack is one track of an initialization segment.
type InitTrack struct {
	ID        uint32
	Timescale uint32 // units a second
	Codec     media.Codec
	// Entry is the sample entry as it stands in stsd, header included. It shares the memory of the segment.
	Entry []byte
}

// ReadInit reads the tracks of an initialization segment. Tracks of codecs that no show has are an error.
func ReadInit(b []byte) ([]InitTrack, error) {
	moov := bmff.Find(b, "moov")
	if moov == nil {
		return nil, errors.New("no moov box")
	}
	var tracks []InitTrack
	err := bmff.Each(moov, func(b bmff.Box) error {
		if !b.Is("trak") {
			return nil
		}
		t, err := readTrak(b.Body())
		if err == nil {
			tracks = append(tracks, t)
		}
		return err
	})
	if err == nil && len(tracks) == 0 {
		err = errors.New("no tracks")
	}
	return tracks, err
}

// codecs are the sample entries that shows have.
var codecs = map[string]media.Codec{
	"avc1": media.H264, "avc3": media.H264, "hvc1": media.HEVC, "hev1": media.HEVC, "av01": media.AV1, "mp4a": media.AAC,
}

func readTrak(trak []byte) (t InitTrack, err error) {
	tkhd := bmff.Fields{B: bmff.Find(trak, "tkhd")}
	t.ID = versioned(&tkhd)
	mdhd := bmff.Fields{B: bmff.Find(trak, "mdia", "mdhd")}
	t.Timescale = versioned(&mdhd)
	stsd := bmff.Fields{B: bmff.Find(trak, "mdia", "minf", "stbl", "stsd")}
	stsd.Skip(8)
	if tkhd.Short || mdhd.Short || stsd.Short || t.Timescale == 0 {
		return t, errors.New("track without tkhd, mdhd or stsd")
	}
	entry, _, err := bmff.Next(stsd.B)
	if err != nil {
		return t, fmt.Errorf("stsd: %w", err)
	}
	codec, ok := codecs[entry.Type()]
	if !ok {
		return t, fmt.Errorf("sample entry %q is unknown", entry.Type())
	}
	t.Codec, t.Entry = codec, entry
	return t, nil
}

// versioned reads the field behind the two times that version 1 has longer (8.3.2, 8.4.2).
func versioned(p *bmff.Fields) uint32 {
	if p.U32()>>24 == 1 {
		p.Skip(16)
	} else {
		p.Skip(8)
	}
	return p.U32()
}

// visualFields is what a visual sample entry has before its boxes, with its own header (12.1.3).
const visualFields = 8 + 78

// Dimensions is the size of the picture that a visual sample entry tells; 0, 0 for others.
func Dimensions(entry []byte) (width, height int) {
	if len(entry) < visualFields {
		return 0, 0
	}
	return int(binary.BigEndian.Uint16(entry[32:])), int(binary.BigEndian.Uint16(entry[34:]))
}

// ParameterSets returns the NAL units of an H264 or HEVC sample entry, as they stand in its avcC or hvcC box
// (ISO 14496-15, 5.3.3 and 8.3.3), in order; for AV1 the OBUs of av1C as one (AV1-ISOBMFF, 2.3).
func ParameterSets(entry []byte) ([][]byte, error) {
	if len(entry) < visualFields {
		return nil, bmff.ErrTruncated
	}
	boxes := entry[visualFields:]
	if b := bmff.Find(boxes, "avcC"); b != nil {
		return avcSets(b)
	}
	if b := bmff.Find(boxes, "hvcC"); b != nil {
		return hevcSets(b)
	}
	if b := bmff.Find(boxes, "av1C"); len(b) > 4 {
		return [][]byte{b[4:]}, nil
	}
	return nil, errors.New("sample entry without parameters")
}

func avcSets(b []byte) (sets [][]byte, err error) {
	p := bmff.Fields{B: b}
	p.Skip(5)
	for _, mask := range [2]uint8{0x1F, 0xFF} {
		for range p.U8() & mask {
			sets = append(sets, unit(&p))
		}
	}
	return sets, p.Err()
}

func hevcSets(b []byte) (sets [][]byte, err error) {
	p := bmff.Fields{B: b}
	p.Skip(22)
	for range p.U8() {
		p.Skip(1)
		for range p.U16() {
			if p.Short {
				return nil, bmff.ErrTruncated
			}
			sets = append(sets, unit(&p))
		}
	}
	return sets, p.Err()
}

// unit reads a NAL unit behind its length in two bytes.
func unit(p *bmff.Fields) []byte {
	n := int(p.U16())
	b := p.B
	p.Skip(n)
	if p.Short {
		return nil
	}
	return b[:n]
}

// WithParameterSets returns an avc1 sample entry whose avcC box also has these SPS and PPS, whose identifiers must
// differ from those it has. Profile and level become the greater ones.
func WithParameterSets(entry []byte, sps, pps [][]byte) ([]byte, error) {
	if len(entry) < visualFields {
		return nil, bmff.ErrTruncated
	}
	w := builder{b: bytes.Clone(entry[:visualFields])}
	found := false
	err := bmff.Each(entry[visualFields:], func(b bmff.Box) (err error) {
		w.box(b.Type(), func() {
			if !b.Is("avcC") {
				w.bytes(b.Body())
				return
			}
			found = true
			err = w.avcC(b.Body(), sps, pps)
		})
		return err
	})
	if err == nil && !found {
		err = errors.New("sample entry without avcC")
	}
	binary.BigEndian.PutUint32(w.b, uint32(len(w.b)))
	return w.b, err
}

func (w *builder) avcC(b []byte, sps, pps [][]byte) error {
	p := bmff.Fields{B: b}
	p.Skip(5)
	var old [2][][]byte
	for i, mask := range [2]uint8{0x1F, 0xFF} {
		for range p.U8() & mask {
			old[i] = append(old[i], unit(&p))
		}
	}
	if p.Short {
		return bmff.ErrTruncated
	}
	if len(old[0])+len(sps) > 31 || len(old[1])+len(pps) > 255 {
		return errors.New("too many parameter sets")
	}
	w.u8(b[0])
	w.u8(b[1])
	w.u8(b[2])
	level := b[3]
	for _, s := range sps {
		if len(s) < 4 {
			return errors.New("SPS is cut short")
		}
		level = max(level, s[3])
	}
	w.u8(level)
	w.u8(b[4])
	w.u8(0xE0 | uint8(len(old[0])+len(sps)))
	w.units(old[0], sps)
	w.u8(uint8(len(old[1]) + len(pps)))
	w.units(old[1], pps)
	w.bytes(p.B) // the chroma format and depths of high profiles
	return nil
}

func (w *builder) units(lists ...[][]byte) {
	for _, list := range lists {
		for _, unit := range list {
			w.u16(uint16(len(unit)))
			w.bytes(unit)
		}
	}
}

// AudioFormat is what an AudioSpecificConfig begins with (ISO 14496-3, 1.6.2.1).
type AudioFormat struct {
	ObjectType int // 2 for AAC-LC
	Rate       int // samples a second
	Channels   int // by the channel configuration; 0: told elsewhere
}

// soundFields is what a sound sample entry has before its boxes, with its own header (12.2.3).
const soundFields = 8 + 28

// rates are the sampling rates of the sampling frequency index (ISO 14496-3, table 1.18).
var rates = [...]int{96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350}

// Audio reads the format of an mp4a sample entry; ok is false where it is escaped or damaged.
func Audio(entry []byte) (f AudioFormat, ok bool) {
	if len(entry) < soundFields {
		return f, false
	}
	p := bmff.Fields{B: bmff.Find(entry[soundFields:], "esds")}
	p.Skip(4)
	for len(p.B) > 0 {
		tag, size := p.U8(), 0
		for { // of up to four bytes
			b := p.U8()
			size = size<<7 | int(b&0x7F)
			if b&0x80 == 0 || p.Short {
				break
			}
		}
		switch tag {
		case 3: // ES descriptor: its own fields, then others
			p.Skip(3)
		case 4: // decoder configuration
			p.Skip(13)
		case 5: // decoder-specific information
			bits := p.U16()
			index := int(bits >> 7 & 15)
			if p.Short || index >= len(rates) || bits>>11 == 31 {
				return f, false
			}
			return AudioFormat{ObjectType: int(bits >> 11), Rate: rates[index], Channels: int(bits >> 3 & 15)}, true
		default:
			p.Skip(size)
		}
	}
	return f, false
}
