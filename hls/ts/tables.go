package ts

import "encoding/binary"

// Stream types (ISO 13818-1, table 2-34).
const (
	streamTypeAAC  = 0x0F // ISO 13818-7 with ADTS
	streamTypeH264 = 0x1B
)

const programNumber = 1

// writeTables writes the PAT and the PMT. The PMT's version tells which tracks there are, so that a player that keeps
// it over a discontinuity sees it change.
func (w *writer) writeTables(r *Remuxer) {
	w.packet(&w.pat, 0, true, section(0x00, 1, 0, programNumber>>8, programNumber, 0xE0|pidPMT>>8, pidPMT&0xFF))

	var streams []byte
	var version byte
	if r.video != nil {
		streams = append(streams, streamTypeH264, 0xE0|pidVideo>>8, pidVideo&0xFF, 0xF0, 0)
		version |= 1
	}
	if r.audio != nil {
		streams = append(streams, streamTypeAAC, 0xE0|pidAudio>>8, pidAudio&0xFF, 0xF0, 0)
		version |= 2
	}
	body := append([]byte{0xE0 | byte(w.clock.number>>8), byte(w.clock.number), 0xF0, 0}, streams...)
	w.packet(&w.pmt, 0, true, section(0x02, programNumber, version, body...))
}

// section makes the payload of a packet with one PSI section (ISO 13818-1, 2.4.4): pointer field, header, body, CRC.
func section(tableID byte, extension uint16, version byte, body ...byte) []byte {
	length := 5 + len(body) + 4
	b := []byte{
		0, // pointer_field
		tableID,
		0xB0 | byte(length>>8), byte(length),
		byte(extension >> 8), byte(extension),
		0xC1 | version<<1, // current_next_indicator
		0, 0,              // section_number, last_section_number
	}
	b = append(b, body...)
	return binary.BigEndian.AppendUint32(b, crc32MPEG(b[1:]))
}

// crc32MPEG is the CRC of annex A, which hash/crc32 cannot do: neither reflected nor inverted.
func crc32MPEG(b []byte) uint32 {
	crc := ^uint32(0)
	for _, c := range b {
		crc ^= uint32(c) << 24
		for range 8 {
			carry := crc>>31 != 0
			crc <<= 1
			if carry {
				crc ^= 0x04C11DB7
			}
		}
	}
	return crc
}
