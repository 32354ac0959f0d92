package nut

import (
	"encoding/binary"
	"fmt"
	"io"
)

// Writer writes one stream. Each frame is one Write of the underlying writer, whole. It is not safe for concurrent use.
type Writer struct {
	w      io.Writer
	buffer []byte
}

// NewWriter writes the headers of s.
func NewWriter(w io.Writer, s Stream) (*Writer, error) {
	b := append([]byte(magic), packet(startMain, mainHeader(s))...)
	b = append(b, packet(startStream, streamHeader(s))...)
	// A piped stream has a single syncpoint, to say that the headers are over.
	b = append(b, packet(startSyncpoint, []byte{0, 0})...)
	if _, err := w.Write(b); err != nil {
		return nil, err
	}
	return &Writer{w: w, buffer: b[:0]}, nil
}

// pipe says that there are no syncpoints to wait for.
const pipe = 2

func mainHeader(s Stream) []byte {
	b := varints(nil, 4, 0, 1, 65536, 1, uint64(s.Num), uint64(s.Den)) // version 4.0, streams, max_distance, time bases
	// Two runs of frame codes: 0 is invalid, all others say everything in the frame itself.
	// The fields: flags, how many follow, pts, mul, stream, size, reserved, count.
	b = varints(b, flagInvalid, 6, 0, 1, 0, 0, 0, 1)
	b = varints(b, flagCoded, 6, 0, 1, 0, 0, 0, 254)
	return varints(b, 0, pipe) // header_count_minus1, main_flags
}

func streamHeader(s Stream) []byte {
	b := varints(nil, 0, uint64(s.Class), uint64(len(s.Tag)))
	b = append(b, s.Tag...)
	const maxPTSDistance = 0 // every frame has a checksum, whatever its distance
	b = varints(b, 0, ptsShift, maxPTSDistance, uint64(s.Delay), 0, uint64(len(s.Extra)))
	b = append(b, s.Extra...)
	if s.Class == Video {
		return varints(b, uint64(s.Width), uint64(s.Height), 0, 0, 0) // sample aspect unknown, colour space unknown
	}
	return varints(b, uint64(s.SampleRate), 1, uint64(s.Channels))
}

// Write writes a frame of the stream; its Stream is not looked at. Negative times do not exist in NUT.
func (w *Writer) Write(f Frame) error { return w.WriteParts(f, f.Data) }

// WriteParts writes a frame whose data comes in pieces; f.Data is not looked at.
func (w *Writer) WriteParts(f Frame, parts ...[]byte) error {
	size := 0
	for _, p := range parts {
		size += len(p)
	}
	if f.PTS < 0 || size > MaxFrame {
		return fmt.Errorf("nut: a frame of %d bytes at %d cannot be written", size, f.PTS)
	}
	flags := uint64(flagCodedPTS | flagStreamID | flagSizeMSB | flagChecksum)
	if f.Key {
		flags |= flagKey
	}
	b := varints(w.buffer[:0], 1, flags, 0, uint64(f.PTS)+1<<ptsShift, uint64(size))
	b = binary.BigEndian.AppendUint32(b, crc(b))
	for _, p := range parts {
		b = append(b, p...)
	}
	w.buffer = b[:0]
	_, err := w.w.Write(b)
	return err
}

// packet puts payload between its startcode and its checksum.
func packet(startcode uint64, payload []byte) []byte {
	b := binary.BigEndian.AppendUint64(nil, startcode)
	forward := uint64(len(payload)) + 4
	b = varints(b, forward)
	if forward > longPacket {
		b = binary.BigEndian.AppendUint32(b, crc(b))
	}
	return binary.BigEndian.AppendUint32(append(b, payload...), crc(payload))
}

// varints appends numbers in groups of seven bits, the most significant first.
func varints(b []byte, values ...uint64) []byte {
	for _, v := range values {
		shift := 0
		for v>>shift > 0x7F {
			shift += 7
		}
		for ; shift > 0; shift -= 7 {
			b = append(b, byte(v>>shift)|0x80)
		}
		b = append(b, byte(v)&0x7F)
	}
	return b
}
