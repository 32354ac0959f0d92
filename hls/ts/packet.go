package ts

import (
	"bytes"
	"errors"

	"github.com/vitrine-live/vitrine/media"
)

const (
	packetSize  = 188
	syncByte    = 0x47
	payloadSize = packetSize - 4

	pidPAT   = 0x0000
	pidVideo = 0x0100
	pidAudio = 0x0101
	pidPMT   = 0x1000

	streamIDAudio = 0xC0
	streamIDVideo = 0xE0

	// maxPESPayload keeps PES_packet_length, which has 16 bits, within range with room for the header.
	maxPESPayload = 65_000

	// pcrInterval is how far the program clock may run without a PCR. ISO 13818-1, 2.7.2 allows 100 ms.
	pcrInterval = 90 * media.TicksPerMillisecond
	// maxPCRFill is the most packets that a segment may spend on a clock nobody samples: a minute's worth.
	maxPCRFill = 667
)

// Flags of the adaptation field (ISO 13818-1, 2.4.3.4).
const (
	flagDiscontinuity = 0x80
	flagRandomAccess  = 0x40
	flagPCR           = 0x10
)

// pid is the state of one packet identifier within a segment.
type pid struct {
	number  uint16
	counter byte // continuity_counter of the next packet with a payload
	started bool
}

// writer builds one segment.
type writer struct {
	out   []byte
	limit int    // of out: malformed input must not grow without bound
	pes   []byte // the PES packet under construction

	pat, pmt, video, audio pid

	clock     *pid        // the PID that carries the PCR
	lastPCR   media.Ticks // valid once clock.started
	fillsLeft int
}

func newWriter(r *Remuxer, size, samples int) *writer {
	// The smallest frames grow most: a 24-byte sample and its run entry to one or two packets.
	limit := 16*size + 1<<20
	w := &writer{
		limit: limit,
		// Headers take 2.2 %, stuffing of the last packet of a PES half a packet at the mean.
		out:       make([]byte, 0, min(limit, size+size/32+(samples+4)*packetSize/2)),
		pat:       pid{number: pidPAT},
		pmt:       pid{number: pidPMT},
		video:     pid{number: pidVideo},
		audio:     pid{number: pidAudio},
		fillsLeft: maxPCRFill,
	}
	w.clock = &w.video
	if r.video == nil {
		w.clock = &w.audio
	}
	w.writeTables(r)
	return w
}

// beginPES starts a PES packet (ISO 13818-1, 2.4.3.6) of unstated length in w.pes.
func (w *writer) beginPES(streamID byte, pts, dts media.Ticks) {
	w.pes = append(w.pes[:0], 0, 0, 1, streamID, 0, 0, 0x84 /* data_alignment_indicator */)
	if pts == dts {
		w.pes = appendTimestamp(append(w.pes, 0x80, 5), 0x2, pts)
		return
	}
	w.pes = appendTimestamp(append(w.pes, 0xC0, 10), 0x3, pts)
	w.pes = appendTimestamp(w.pes, 0x1, dts)
}

// appendTimestamp appends the 33 low bits of t between marker bits.
func appendTimestamp(dst []byte, prefix byte, t media.Ticks) []byte {
	return append(dst,
		prefix<<4|byte(t>>29)&0x0E|1,
		byte(t>>22),
		byte(t>>14)|1,
		byte(t>>7),
		byte(t<<1)|1,
	)
}

// flushPES writes the PES packet of w.pes, due at the given time, as packets of p.
func (w *writer) flushPES(p *pid, due media.Ticks, randomAccess bool) error {
	w.runClock(due - pcrLead)
	var flags byte
	if randomAccess {
		flags |= flagRandomAccess
	}
	if p == w.clock {
		flags |= flagPCR
		w.lastPCR = due - pcrLead
	}
	if need := (len(w.pes)/payloadSize + 2) * packetSize; len(w.out)+need > w.limit {
		return errors.New("samples do not fit a segment of this size")
	}
	rest := w.packet(p, flags, true, w.pes)
	for len(rest) > 0 {
		rest = w.packet(p, 0, false, rest)
	}
	return nil
}

// runClock sends PCRs of their own where the access units before time now are too far apart.
func (w *writer) runClock(now media.Ticks) {
	if !w.clock.started {
		return
	}
	for now-w.lastPCR > pcrInterval && w.fillsLeft > 0 {
		w.fillsLeft--
		w.lastPCR += pcrInterval
		w.packet(w.clock, flagPCR, false, nil)
	}
}

// packet writes one packet of p with as much of payload as fits, and returns the rest. What is missing to a whole
// packet is stuffed in the adaptation field, as 2.4.3.5 has it.
func (w *writer) packet(p *pid, flags byte, unitStart bool, payload []byte) []byte {
	if !p.started {
		p.started = true
		flags |= flagDiscontinuity
	}
	need := 0 // bytes of the adaptation field including its length
	if flags != 0 {
		need = 2
	}
	if flags&flagPCR != 0 {
		need += 6
	}
	n := min(len(payload), payloadSize-need)

	head := [4]byte{syncByte, byte(p.number >> 8), byte(p.number), p.counter & 0x0F}
	if unitStart {
		head[1] |= 0x40
	}
	if n > 0 {
		head[3] |= 0x10
		p.counter++
	} else {
		head[3] = (p.counter - 1) & 0x0F // 2.4.3.3: it stands still without a payload
	}
	if n < payloadSize {
		head[3] |= 0x20
	}
	w.out = append(w.out, head[:]...)
	w.adaptationField(payloadSize-n, flags)
	w.out = append(w.out, payload[:n]...)
	return payload[n:]
}

// adaptationField writes an adaptation field of size bytes.
func (w *writer) adaptationField(size int, flags byte) {
	switch size {
	case 0:
		return
	case 1: // a length of nothing
		w.out = append(w.out, 0)
		return
	}
	w.out = append(w.out, byte(size-1), flags)
	size -= 2
	if flags&flagPCR != 0 {
		t := w.lastPCR
		w.out = append(w.out, byte(t>>25), byte(t>>17), byte(t>>9), byte(t>>1), byte(t<<7)|0x7E, 0)
		size -= 6
	}
	w.out = append(w.out, stuffing[:size]...)
}

// stuffing is stuffing_byte as often as a packet can need it.
var stuffing = bytes.Repeat([]byte{0xFF}, payloadSize)
