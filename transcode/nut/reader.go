package nut

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// The bounds of what a header may ask for.
const (
	maxStreams   = 16
	maxTimeBases = 16
	maxPacket    = 1 << 20
	maxReserved  = 64
)

// Reader reads a stream from its beginning. It is not safe for concurrent use.
type Reader struct {
	r       *bufio.Reader
	streams []Stream
	clocks  []clock
	bases   []timeBase
	codes   [256]frameCode
	elided  [][]byte
}

// clock is the time of one stream.
type clock struct {
	shift uint
	last  int64
}

type timeBase struct{ num, den uint64 }

// frameCode is what one leading byte of a frame stands for.
type frameCode struct {
	flags    uint64
	ptsDelta int64
	mul      uint64
	stream   uint64
	size     uint64
	reserved uint64
	header   uint64
}

// NewReader reads the headers, up to the first frame.
func NewReader(r io.Reader) (*Reader, error) {
	d := &Reader{r: bufio.NewReaderSize(r, 64<<10)}
	name := make([]byte, len(magic))
	if _, err := io.ReadFull(d.r, name); err != nil {
		return nil, err
	}
	if string(name) != magic {
		return nil, fmt.Errorf("%w: it does not begin as NUT", ErrFormat)
	}
	for {
		if err := d.packet(); err != nil {
			return nil, unexpected(err)
		}
		next, err := d.r.Peek(1)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		if d.complete() && (len(next) == 0 || next[0] != 'N') {
			return d, nil
		}
	}
}

// complete reports whether all the headers were read.
func (d *Reader) complete() bool {
	for _, s := range d.streams {
		if s.Tag == "" {
			return false
		}
	}
	return len(d.streams) > 0
}

// Streams returns what the headers say, in the order of Frame.Stream.
func (d *Reader) Streams() []Stream { return d.streams }

// Next returns the next frame, whose data belongs to the caller. The end of the input between two frames is io.EOF.
func (d *Reader) Next() (Frame, error) {
	for {
		first, err := d.r.Peek(1)
		if err != nil {
			return Frame{}, err
		}
		if first[0] != 'N' {
			f, err := d.frame()
			return f, unexpected(err)
		}
		if err := d.packet(); err != nil {
			return Frame{}, unexpected(err)
		}
	}
}

// unexpected makes the end of the input within something an error.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// packet reads one packet with a startcode.
func (d *Reader) packet() error {
	var head [8]byte
	if _, err := io.ReadFull(d.r, head[:]); err != nil {
		return err
	}
	forward, err := readVarint(d.r)
	if err != nil {
		return err
	}
	if forward < 4 || forward > maxPacket {
		return fmt.Errorf("%w: a packet of %d bytes", ErrFormat, forward)
	}
	if forward > longPacket {
		if _, err := d.r.Discard(4); err != nil {
			return err
		}
	}
	b := make([]byte, forward)
	if _, err := io.ReadFull(d.r, b); err != nil {
		return err
	}
	if crc(b) != 0 { // over payload and checksum together
		return fmt.Errorf("%w: wrong checksum of a packet", ErrFormat)
	}
	p := &fields{rest: b[:len(b)-4]}
	switch binary.BigEndian.Uint64(head[:]) {
	case startMain:
		d.mainHeader(p)
	case startStream:
		d.streamHeader(p)
	case startSyncpoint:
		d.syncpoint(p)
	case startIndex, startInfo:
	}
	return p.err
}

func (d *Reader) mainHeader(p *fields) {
	if len(d.streams) > 0 {
		return // repeated
	}
	version := p.varint()
	if version != 3 && version != 4 {
		p.fail("version %d", version)
		return
	}
	if version > 3 {
		p.varint() // minor version
	}
	streams := p.atMost(maxStreams, "streams")
	p.varint() // max_distance, for those who seek
	bases := p.atMost(maxTimeBases, "time bases")
	for range bases {
		b := timeBase{p.varint(), p.varint()}
		if p.err == nil && (b.num == 0 || b.den == 0 || b.num > 1<<31 || b.den > 1<<31) {
			p.fail("time base %d/%d", b.num, b.den)
		}
		d.bases = append(d.bases, b)
	}
	d.frameCodes(p, streams)
	d.elided = [][]byte{nil}
	for range p.atMost(127, "elided headers") {
		d.elided = append(d.elided, p.bytes())
	}
	if p.err == nil {
		d.streams, d.clocks = make([]Stream, streams), make([]clock, streams)
	}
}

// frameCodes reads the table of frame codes, which comes in runs.
func (d *Reader) frameCodes(p *fields, streams uint64) {
	var run frameCode
	run.mul = 1
	for i := 0; i < 256 && p.err == nil; {
		run.flags = p.varint()
		n := p.varint()
		field := func(k uint64, v uint64) uint64 {
			if n > k {
				return p.varint()
			}
			return v
		}
		if n > 0 {
			run.ptsDelta = p.signed()
		}
		run.mul = field(1, run.mul)
		run.stream = field(2, run.stream)
		run.size = field(3, 0)
		run.reserved = field(4, 0)
		count := field(5, run.mul-run.size)
		if n > 6 {
			p.signed() // match_time_delta
		}
		run.header = field(7, run.header)
		for k := uint64(8); k < n && p.err == nil; k++ {
			p.varint()
		}
		if p.err == nil && (count == 0 || count > 256 || run.stream >= streams || run.size > MaxFrame || run.mul > 1<<16 || run.reserved > maxReserved) {
			p.fail("frame code %d", i)
		}
		for j := uint64(0); j < count && i < 256 && p.err == nil; i++ {
			d.codes[i] = run
			d.codes[i].size += j
			if i == 'N' { // startcodes begin with it
				d.codes[i].flags = flagInvalid
				continue
			}
			j++
		}
	}
}

func (d *Reader) streamHeader(p *fields) {
	id := p.varint()
	if id >= uint64(len(d.streams)) {
		p.fail("header of stream %d", id)
		return
	}
	s := Stream{Class: Class(p.atMost(3, "classes")), Tag: string(p.bytes())}
	base := p.varint()
	shift := p.atMost(16, "bits of PTS")
	p.varint() // max_pts_distance
	s.Delay = int(p.atMost(1000, "pictures of delay"))
	p.varint() // stream_flags
	s.Extra = p.bytes()
	switch s.Class {
	case Video:
		s.Width, s.Height = int(p.atMost(1<<16, "columns")), int(p.atMost(1<<16, "rows"))
	case Audio:
		rate, den := p.atMost(1<<24, "samples"), p.varint()
		if den > 0 {
			s.SampleRate = int(rate / den)
		}
		s.Channels = int(p.atMost(255, "channels"))
	}
	if base >= uint64(len(d.bases)) || len(s.Tag) == 0 || len(s.Tag) > 16 {
		p.fail("stream with time base %d and a tag of %d bytes", base, len(s.Tag))
	}
	if p.err != nil {
		return
	}
	s.Num, s.Den = uint32(d.bases[base].num), uint32(d.bases[base].den)
	d.streams[id], d.clocks[id] = s, clock{shift: uint(shift)}
}

// syncpoint sets the time of every stream.
func (d *Reader) syncpoint(p *fields) {
	t := p.varint()
	if p.err != nil || len(d.bases) == 0 {
		return
	}
	n := uint64(len(d.bases))
	at, base := t/n, d.bases[t%n]
	for i, s := range d.streams {
		if s.Den == 0 || s.Num == 0 {
			p.fail("a syncpoint before the header of stream %d", i)
			return
		}
		d.clocks[i].last = rescale(at, base.num*uint64(s.Den), base.den*uint64(s.Num))
	}
}

// frame reads one frame.
func (d *Reader) frame() (f Frame, err error) {
	h := frameHeader{r: d.r}
	code := d.codes[h.byte()]
	flags := code.flags
	if flags&flagCoded != 0 {
		flags ^= h.varint()
	}
	if flags&(flagInvalid|flagSideData) != 0 {
		return f, fmt.Errorf("%w: frame flags %#x", ErrFormat, flags)
	}
	stream, coded, msb := code.stream, uint64(0), uint64(0)
	h.when(flags&flagStreamID, &stream)
	h.when(flags&flagCodedPTS, &coded)
	h.when(flags&flagSizeMSB, &msb)
	var ignored uint64
	h.when(flags&flagMatchTime, &ignored)
	h.when(flags&flagHeaderIdx, &code.header)
	h.when(flags&flagReserved, &code.reserved)
	for i := uint64(0); i < min(code.reserved, maxReserved) && h.err == nil; i++ {
		h.varint()
	}
	if flags&flagChecksum != 0 {
		h.skip(4)
	}
	if h.err != nil {
		return f, h.err
	}
	if stream >= uint64(len(d.streams)) || code.header >= uint64(len(d.elided)) || msb > MaxFrame || code.reserved > maxReserved {
		return f, fmt.Errorf("%w: frame of stream %d, header %d", ErrFormat, stream, code.header)
	}
	c := &d.clocks[stream]
	c.last = c.time(flags, coded, code.ptsDelta)
	data, err := d.payload(code.size+code.mul*msb, d.elided[code.header])
	return Frame{Stream: int(stream), PTS: c.last, Key: flags&flagKey != 0, Data: data}, err
}

// payload reads the data of a frame of size bytes, of which those of the elided header are not there.
func (d *Reader) payload(size uint64, elided []byte) ([]byte, error) {
	if size > longPacket {
		elided = nil
	}
	if size > MaxFrame || size < uint64(len(elided)) {
		return nil, fmt.Errorf("%w: a frame of %d bytes", ErrFormat, size)
	}
	data := make([]byte, size)
	_, err := io.ReadFull(d.r, data[copy(data, elided):])
	return data, err
}

// time works out the PTS of a frame.
func (c *clock) time(flags, coded uint64, delta int64) int64 {
	switch {
	case flags&flagCodedPTS == 0:
		return c.last + delta
	case coded >= 1<<c.shift:
		return int64(coded - 1<<c.shift)
	}
	mask := int64(1)<<c.shift - 1
	from := c.last - mask/2
	return (int64(coded)-from)&mask + from
}
