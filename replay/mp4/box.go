package mp4

import (
	"encoding/binary"
	"errors"
)

var errTruncated = errors.New("box is cut short")

// nextBox splits the first box off b (ISO 14496-12, 4.2).
func nextBox(b []byte) (name string, body, rest []byte, err error) {
	if len(b) < 8 {
		return "", nil, nil, errTruncated
	}
	size, head := uint64(binary.BigEndian.Uint32(b)), uint64(8)
	name = string(b[4:8])
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
	return name, b[head:size], b[size:], nil
}

// eachBox calls visit with every box in b until one fails.
func eachBox(b []byte, visit func(name string, body []byte) error) error {
	for len(b) > 0 {
		name, body, rest, err := nextBox(b)
		if err != nil {
			return err
		}
		if err := visit(name, body); err != nil {
			return err
		}
		b = rest
	}
	return nil
}

// find returns the body of the first box on the path below b, nil when there is none.
func find(b []byte, path ...string) []byte {
	for _, want := range path {
		var found []byte
		_ = eachBox(b, func(name string, body []byte) error { // what is damaged holds nothing
			if name == want && found == nil {
				found = body
			}
			return nil
		})
		if found == nil {
			return nil
		}
		b = found
	}
	return b
}

// fields reads the fields of a box, and zeros after its end.
type fields struct {
	b     []byte
	short bool
}

func (p *fields) skip(n int) {
	if len(p.b) < n {
		p.b, p.short = nil, true
		return
	}
	p.b = p.b[n:]
}

func (p *fields) u8() (v uint8) {
	if b := p.b; len(b) >= 1 {
		v = b[0]
	}
	p.skip(1)
	return v
}

func (p *fields) u16() (v uint16) {
	if b := p.b; len(b) >= 2 {
		v = binary.BigEndian.Uint16(b)
	}
	p.skip(2)
	return v
}

func (p *fields) u32() (v uint32) {
	if b := p.b; len(b) >= 4 {
		v = binary.BigEndian.Uint32(b)
	}
	p.skip(4)
	return v
}

func (p *fields) u64() uint64 {
	hi := uint64(p.u32())
	return hi<<32 | uint64(p.u32())
}

func (p *fields) err() error {
	if p.short {
		return errTruncated
	}
	return nil
}

// builder appends boxes and their fields.
type builder struct{ b []byte }

// box appends a box with what fill appends.
func (w *builder) box(name string, fill func()) {
	at := len(w.b)
	w.u32(0)
	w.b = append(w.b, name...)
	fill()
	binary.BigEndian.PutUint32(w.b[at:], uint32(len(w.b)-at))
}

// full appends a box that begins with version and flags (4.2).
func (w *builder) full(name string, version uint8, flags uint32, fill func()) {
	w.box(name, func() {
		w.u32(uint32(version)<<24 | flags)
		fill()
	})
}

func (w *builder) u8(v uint8)     { w.b = append(w.b, v) }
func (w *builder) u16(v uint16)   { w.b = binary.BigEndian.AppendUint16(w.b, v) }
func (w *builder) u32(v uint32)   { w.b = binary.BigEndian.AppendUint32(w.b, v) }
func (w *builder) u64(v uint64)   { w.b = binary.BigEndian.AppendUint64(w.b, v) }
func (w *builder) bytes(b []byte) { w.b = append(w.b, b...) }
func (w *builder) text(s string)  { w.b = append(w.b, s...) }
func (w *builder) zeros(n int)    { w.b = append(w.b, make([]byte, n)...) }
func (w *builder) language()      { w.u16(0x55C4); w.u16(0) } // "und" (8.4.2.3), pre_defined
func (w *builder) time(v int64, long bool) {
	if long {
		w.u64(uint64(v))
	} else {
		w.u32(uint32(v))
	}
}

// matrix is the identity (8.2.2.2).
func (w *builder) matrix() {
	for _, v := range [9]uint32{0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000} {
		w.u32(v)
	}
}

func (w *builder) putU32(at int, v uint32) { binary.BigEndian.PutUint32(w.b[at:], v) }
