package e2e

import (
	"math/bits"
	"testing"
)

// picture makes the test video: grey, with the frame's number as a block of 16 black and white squares, a bar that
// moves, and a white band at the top of flash frames. Everything below the squares stays plain, so that what the page
// draws there stands out.
type picture struct {
	width, height int
	flash         func(n int) bool
}

const (
	grey  = 96
	black = 16
	white = 235
	fps   = 30
)

// codeBlock is where the squares are, as shares of a picture.
func (p picture) codeBlock() (x, y, cell int) {
	cell = min(p.width, p.height) / 8
	return (p.width - 4*cell) / 2, p.height * 22 / 100, cell
}

// code is n with a check: 12 bits of number, 4 that count its ones plus one, so that neither plain grey, black nor white
// reads as a number.
func code(n int) uint16 {
	v := uint16(n & 0xfff)
	return v<<4 | uint16(bits.OnesCount16(v)+1)&0xf
}

func decode(c uint16) (n int, ok bool) {
	n = int(c >> 4)
	return n, code(n) == c
}

// size of a frame of yuv420p.
func (p picture) size() int { return p.width * p.height * 3 / 2 }

// draw draws frame n into a buffer of size bytes.
func (p picture) draw(buf []byte, n int) {
	y := buf[:p.width*p.height]
	for i := range y {
		y[i] = grey
	}
	for i := p.width * p.height; i < len(buf); i++ {
		buf[i] = 128
	}
	if p.flash != nil && p.flash(n) {
		p.fill(y, 0, 0, p.width, p.height/8, white)
	}
	p.fill(y, n*6%(p.width-24), p.height/8, 24, p.height/16, 200)
	x0, y0, cell := p.codeBlock()
	c := code(n)
	for i := range 16 {
		level := byte(black)
		if c>>(15-i)&1 == 1 {
			level = white
		}
		p.fill(y, x0+i%4*cell, y0+i/4*cell, cell, cell, level)
	}
}

func (p picture) fill(y []byte, left, top, width, height int, level byte) {
	for row := top; row < top+height; row++ {
		line := y[row*p.width+left:][:width]
		for i := range line {
			line[i] = level
		}
	}
}

// read reads the number out of a picture of any size; luma gives the brightness at a point given in pixels of the
// original.
func (p picture) read(luma func(x, y float64) float64) (n int, ok bool) {
	x0, y0, cell := p.codeBlock()
	var c uint16
	for i := range 16 {
		var sum float64
		for _, d := range []float64{0.35, 0.5, 0.65} {
			sum += luma(float64(x0)+(float64(i%4)+d)*float64(cell), float64(y0)+(float64(i/4)+d)*float64(cell))
		}
		c <<= 1
		if sum/3 > 128 {
			c |= 1
		}
	}
	return decode(c)
}

// readGray reads the number out of a decoded frame of one byte a pixel.
func (p picture) readGray(frame []byte) (n int, ok bool) {
	return p.read(func(x, y float64) float64 { return float64(frame[int(y)*p.width+int(x)]) })
}

func TestPicture(t *testing.T) {
	for _, p := range []picture{{width: 640, height: 360}, {width: 360, height: 640}} {
		buf := make([]byte, p.size())
		for _, n := range []int{0, 1, 29, 1500, 4095} {
			p.draw(buf, n)
			if got, ok := p.readGray(buf); !ok || got != n {
				t.Errorf("%dx%d: drew %d, read %d, %v", p.width, p.height, n, got, ok)
			}
		}
		for _, level := range []float64{black, grey, white} {
			if n, ok := p.read(func(float64, float64) float64 { return level }); ok {
				t.Errorf("a plain picture reads as %d", n)
			}
		}
	}
}

// truthMS is the show time of frame n of an epoch that begins at startMS, in exact milliseconds.
func truthMS(startMS int64, n int) float64 { return float64(startMS) + float64(n)*1000/fps }
