package whip

import (
	"encoding/binary"

	"github.com/vitrine-live/vitrine/media"
)

// vp8Format makes frames out of VP8 payloads (RFC 7741).
type vp8Format struct {
	width, height int // of the last keyframe

	buf   []byte
	begun bool
	last  int
}

func (f *vp8Format) begin() {
	f.buf, f.begun = make([]byte, 0, f.last+f.last/4+256), false
}

// begins implements depacketizer: the start of the first partition (RFC 7741, 4.2).
func (f *vp8Format) begins(payload []byte) bool {
	const start, partition = 0x10, 0x07
	return payload[0]&start != 0 && payload[0]&partition == 0
}

func (f *vp8Format) add(payload []byte) bool {
	header, ok := vp8Descriptor(payload)
	if !ok || !f.begun && !f.begins(payload) || len(f.buf)+len(payload) > maxPicture {
		return false
	}
	f.begun = true
	f.buf = append(f.buf, payload[header:]...)
	return true
}

// vp8Descriptor returns the size of the payload descriptor (RFC 7741, 4.2).
func vp8Descriptor(b []byte) (size int, ok bool) {
	const extended, picture, level, temporal, key = 0x80, 0x80, 0x40, 0x20, 0x10
	size = 1
	if len(b) == 0 || b[0]&extended == 0 {
		return size, len(b) > size
	}
	size = 2
	if len(b) < 3 {
		return 0, false
	}
	bits := b[1]
	if bits&picture != 0 {
		if b[2]&0x80 != 0 {
			size++
		}
		size++
	}
	if bits&level != 0 {
		size++
	}
	if bits&(temporal|key) != 0 {
		size++
	}
	return size, len(b) > size
}

func (f *vp8Format) finish() (p picture, ok bool) {
	p = picture{payload: f.buf}
	f.last = len(f.buf)
	f.buf = nil
	if len(p.payload) < 3 {
		return p, false
	}
	p.key = p.payload[0]&1 == 0
	if !p.key {
		return p, true
	}
	// RFC 6386, 9.1: start code, then width and height with two bits of scaling each.
	if len(p.payload) < 10 || p.payload[3] != 0x9D || p.payload[4] != 0x01 || p.payload[5] != 0x2A {
		return p, false
	}
	w, h := int(binary.LittleEndian.Uint16(p.payload[6:])&0x3FFF), int(binary.LittleEndian.Uint16(p.payload[8:])&0x3FFF)
	if w == 0 || h == 0 {
		return p, false
	}
	if w != f.width || h != f.height {
		f.width, f.height = w, h
		p.track = &media.Track{Codec: media.VP8, Width: w, Height: h}
	}
	return p, true
}
