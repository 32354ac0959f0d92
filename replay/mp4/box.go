package mp4

import "encoding/binary"

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
