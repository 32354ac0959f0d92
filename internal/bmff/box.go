// Package bmff reads files of the ISO base media format: boxes, their fields, and the samples of movie fragments. It is
// pure and copies nothing: what it returns are views of the bytes it was given, and offsets in them. Whatever those
// bytes claim, it neither reads beyond them nor takes memory out of proportion to them.
//
// Clauses are those of ISO/IEC 14496-12 unless said otherwise. Everything here is safe for concurrent use, except for a
// Fields by several goroutines.
package bmff

import (
	"encoding/binary"
	"errors"
)

// ErrTruncated says that a box, or a field in it, reaches beyond what it lies in.
var ErrTruncated = errors.New("box is cut short")

// headerSize is how many bytes at most ReadHeader looks at: size, type and largesize (4.2).
const headerSize = 16

// Header is what a box begins with (4.2).
type Header struct {
	Type [4]byte
	Len  int64 // bytes of the header itself: 8, or 16 where the size takes 64 bits
	Size int64 // bytes of the box, header included; at least Len
}

// Is tells whether the box has a type, as "moof".
func (h *Header) Is(boxType string) bool { return string(h.Type[:]) == boxType }

// ReadHeader reads the header at the beginning of b, of a box in something of which left bytes are left. It needs 16
// bytes of b where there are so many. A box that is larger than what is left is ErrTruncated.
func ReadHeader(b []byte, left int64) (h Header, err error) {
	if len(b) < 8 {
		return h, ErrTruncated
	}
	copy(h.Type[:], b[4:])
	h.Len, h.Size = 8, int64(binary.BigEndian.Uint32(b))
	switch h.Size {
	case 0: // to the end
		h.Size = left
	case 1:
		if len(b) < headerSize {
			return h, ErrTruncated
		}
		h.Len, h.Size = headerSize, int64(binary.BigEndian.Uint64(b[8:])) // one of 2^63 and more is negative, thus refused
	}
	if h.Size < h.Len || h.Size > left {
		return h, ErrTruncated
	}
	return h, nil
}

// Box is a whole box, header included, whose header was checked against its length.
type Box []byte

// Next splits the first box off b.
func Next(b []byte) (box Box, rest []byte, err error) {
	h, err := ReadHeader(b, int64(len(b)))
	if err != nil {
		return nil, nil, err
	}
	return b[:h.Size:h.Size], b[h.Size:], nil
}

// Is tells whether the box has a type, as "moof".
func (b Box) Is(boxType string) bool { return string(b[4:8]) == boxType }

// Type is the type of the box, as "moof".
func (b Box) Type() string { return string(b[4:8]) }

// Body is what stands behind the header.
func (b Box) Body() []byte {
	if binary.BigEndian.Uint32(b) == 1 {
		return b[headerSize:]
	}
	return b[8:]
}

// Each calls visit with every box in b, until one fails or visit does.
func Each(b []byte, visit func(Box) error) error {
	for len(b) > 0 {
		box, rest, err := Next(b)
		if err != nil {
			return err
		}
		if err := visit(box); err != nil {
			return err
		}
		b = rest
	}
	return nil
}

// Find returns the body of the first box on a path of types below b, nil when there is none before b ends or is damaged.
func Find(b []byte, path ...string) []byte {
	for _, boxType := range path {
		for {
			box, rest, err := Next(b)
			if err != nil {
				return nil
			}
			if box.Is(boxType) {
				b = box.Body()
				break
			}
			b = rest
		}
	}
	return b
}

// Fields reads the fields of a box one after the other, and zeros after its end.
type Fields struct {
	B     []byte // what is not read yet
	Short bool   // more was read than there was
}

// Skip passes over n bytes.
func (f *Fields) Skip(n int) {
	if len(f.B) < n {
		f.B, f.Short = nil, true
		return
	}
	f.B = f.B[n:]
}

// U8 reads one byte.
func (f *Fields) U8() (v uint8) {
	if b := f.B; len(b) >= 1 {
		v = b[0]
	}
	f.Skip(1)
	return v
}

// U16 reads two bytes.
func (f *Fields) U16() (v uint16) {
	if b := f.B; len(b) >= 2 {
		v = binary.BigEndian.Uint16(b)
	}
	f.Skip(2)
	return v
}

// U32 reads four bytes.
func (f *Fields) U32() (v uint32) {
	if b := f.B; len(b) >= 4 {
		v = binary.BigEndian.Uint32(b)
	}
	f.Skip(4)
	return v
}

// U64 reads eight bytes.
func (f *Fields) U64() uint64 {
	hi := uint64(f.U32())
	return hi<<32 | uint64(f.U32())
}

// Err is ErrTruncated after more was read than there was.
func (f *Fields) Err() error {
	if f.Short {
		return ErrTruncated
	}
	return nil
}
