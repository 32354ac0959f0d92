package mp4

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

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
	moov := find(b, "moov")
	if moov == nil {
		return nil, errors.New("no moov box")
	}
	var tracks []InitTrack
	err := eachBox(moov, func(name string, body []byte) error {
		if name != "trak" {
			return nil
		}
		t, err := readTrak(body)
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
	tkhd := fields{b: find(trak, "tkhd")}
	t.ID = versioned(&tkhd)
	mdhd := fields{b: find(trak, "mdia", "mdhd")}
	t.Timescale = versioned(&mdhd)
	stsd := fields{b: find(trak, "mdia", "minf", "stbl", "stsd")}
	stsd.skip(8)
	if tkhd.short || mdhd.short || stsd.short || t.Timescale == 0 {
		return t, errors.New("track without tkhd, mdhd or stsd")
	}
	name, _, rest, err := nextBox(stsd.b)
	if err != nil {
		return t, fmt.Errorf("stsd: %w", err)
	}
	codec, ok := codecs[name]
	if !ok {
		return t, fmt.Errorf("sample entry %q is unknown", name)
	}
	t.Codec, t.Entry = codec, stsd.b[:len(stsd.b)-len(rest)]
	return t, nil
}

// versioned reads the field behind the two times that version 1 has longer (8.3.2, 8.4.2).
func versioned(p *fields) uint32 {
	if p.u32()>>24 == 1 {
		p.skip(16)
	} else {
		p.skip(8)
	}
	return p.u32()
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
		return nil, errTruncated
	}
	boxes := entry[visualFields:]
	if b := find(boxes, "avcC"); b != nil {
		return avcSets(b)
	}
	if b := find(boxes, "hvcC"); b != nil {
		return hevcSets(b)
	}
	if b := find(boxes, "av1C"); len(b) > 4 {
		return [][]byte{b[4:]}, nil
	}
	return nil, errors.New("sample entry without parameters")
}

func avcSets(b []byte) (sets [][]byte, err error) {
	p := fields{b: b}
	p.skip(5)
	for _, mask := range [2]uint8{0x1F, 0xFF} {
		for range p.u8() & mask {
			sets = append(sets, p.unit())
		}
	}
	return sets, p.err()
}

func hevcSets(b []byte) (sets [][]byte, err error) {
	p := fields{b: b}
	p.skip(22)
	for range p.u8() {
		p.skip(1)
		for range p.u16() {
			if p.short {
				return nil, errTruncated
			}
			sets = append(sets, p.unit())
		}
	}
	return sets, p.err()
}

// unit reads a NAL unit behind its length in two bytes.
func (p *fields) unit() []byte {
	n := int(p.u16())
	b := p.b
	p.skip(n)
	if p.short {
		return nil
	}
	return b[:n]
}

// WithParameterSets returns an avc1 sample entry whose avcC box also has these SPS and PPS, whose identifiers must
// differ from those it has. Profile and level become the greater ones.
func WithParameterSets(entry []byte, sps, pps [][]byte) ([]byte, error) {
	if len(entry) < visualFields {
		return nil, errTruncated
	}
	w := builder{b: bytes.Clone(entry[:visualFields])}
	found := false
	err := eachBox(entry[visualFields:], func(name string, body []byte) (err error) {
		w.box(name, func() {
			if name != "avcC" {
				w.bytes(body)
				return
			}
			found = true
			err = w.avcC(body, sps, pps)
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
	p := fields{b: b}
	p.skip(5)
	var old [2][][]byte
	for i, mask := range [2]uint8{0x1F, 0xFF} {
		for range p.u8() & mask {
			old[i] = append(old[i], p.unit())
		}
	}
	if p.short {
		return errTruncated
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
	w.bytes(p.b) // the chroma format and depths of high profiles
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
	p := fields{b: find(entry[soundFields:], "esds")}
	p.skip(4)
	for len(p.b) > 0 {
		tag, size := p.u8(), 0
		for { // of up to four bytes
			b := p.u8()
			size = size<<7 | int(b&0x7F)
			if b&0x80 == 0 || p.short {
				break
			}
		}
		switch tag {
		case 3: // ES descriptor: its own fields, then others
			p.skip(3)
		case 4: // decoder configuration
			p.skip(13)
		case 5: // decoder-specific information
			bits := p.u16()
			index := int(bits >> 7 & 15)
			if p.short || index >= len(rates) || bits>>11 == 31 {
				return f, false
			}
			return AudioFormat{ObjectType: int(bits >> 11), Rate: rates[index], Channels: int(bits >> 3 & 15)}, true
		default:
			p.skip(size)
		}
	}
	return f, false
}
