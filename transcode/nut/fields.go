package nut

import (
	"bufio"
	"fmt"
	"math/bits"
)

// fields reads the numbers of a packet. After a failure it reads zeros.
type fields struct {
	rest []byte
	err  error
}

func (p *fields) fail(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf("%w: %s", ErrFormat, fmt.Sprintf(format, args...))
	}
	p.rest = nil
}

func (p *fields) varint() (v uint64) {
	for p.err == nil {
		if len(p.rest) == 0 || v>>57 != 0 {
			p.fail("a number does not end")
			return 0
		}
		x := p.rest[0]
		p.rest = p.rest[1:]
		v = v<<7 | uint64(x&0x7F)
		if x&0x80 == 0 {
			return v
		}
	}
	return 0
}

// signed reads a number whose lowest bit tells its sign.
func (p *fields) signed() int64 {
	v := p.varint() + 1
	if v&1 != 0 {
		return -int64(v >> 1)
	}
	return int64(v >> 1)
}

// atMost reads a number that more than limit makes no sense for.
func (p *fields) atMost(limit uint64, what string) uint64 {
	v := p.varint()
	if v > limit {
		p.fail("%d %s", v, what)
		return 0
	}
	return v
}

func (p *fields) bytes() []byte {
	n := p.varint()
	if n > uint64(len(p.rest)) {
		p.fail("%d bytes where %d are left", n, len(p.rest))
		return nil
	}
	b := p.rest[:n]
	p.rest = p.rest[n:]
	return b
}

// frameHeader reads the numbers before a frame, whose length nothing tells.
type frameHeader struct {
	r   *bufio.Reader
	err error
}

func (h *frameHeader) byte() byte {
	b, err := h.r.ReadByte()
	h.err = err
	return b
}

func (h *frameHeader) varint() (v uint64) {
	if h.err == nil {
		v, h.err = readVarint(h.r)
	}
	return v
}

// when reads a number into v if flag is set.
func (h *frameHeader) when(flag uint64, v *uint64) {
	if flag != 0 {
		*v = h.varint()
	}
}

func (h *frameHeader) skip(n int) {
	if h.err == nil {
		_, h.err = h.r.Discard(n)
	}
}

func readVarint(r *bufio.Reader) (v uint64, err error) {
	for {
		x, err := r.ReadByte()
		if err != nil {
			return 0, err
		}
		if v>>57 != 0 {
			return 0, fmt.Errorf("%w: a number does not end", ErrFormat)
		}
		v = v<<7 | uint64(x&0x7F)
		if x&0x80 == 0 {
			return v, nil
		}
	}
}

// rescale returns v*num/den rounded down, or the greatest time where that does not fit.
func rescale(v, num, den uint64) int64 {
	hi, lo := bits.Mul64(v, num)
	if hi >= den {
		return 1<<63 - 1
	}
	q, _ := bits.Div64(hi, lo, den)
	return int64(min(q, 1<<63-1))
}
