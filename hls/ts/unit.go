package ts

import (
	"encoding/binary"
	"errors"
)

// NAL unit types (ISO 14496-10, table 7-1).
const (
	nalIDR = 5
	nalSPS = 7
	nalAUD = 9
)

const (
	adtsSize = 7
	// maxADTSFrame is what the 13 bits of aac_frame_length hold (ISO 14496-3, 1.A.2.2).
	maxADTSFrame = 1<<13 - 1
	// maxAudioGroup is the most sound that goes into one PES packet, in ticks: about 100 ms.
	maxAudioGroup = 9_000
)

// accessUnitDelimiter allows every slice type; Apple's players want one before each access unit.
var accessUnitDelimiter = []byte{0, 0, 0, 1, nalAUD, 0xF0}

// writeVideo writes one access unit: its delimiter first, the parameter sets before an IDR that does not bring its own.
func (w *writer) writeVideo(u *sample, params []byte) error {
	idr, sps, err := scanNALs(u.payload)
	if err != nil {
		return err
	}
	w.beginPES(streamIDVideo, u.pts, u.dts)
	w.pes = append(w.pes, accessUnitDelimiter...)
	if idr && !sps {
		w.pes = append(w.pes, params...)
	}
	w.pes = appendAnnexB(w.pes, u.payload)
	return w.flushPES(&w.video, u.dts, idr)
}

// scanNALs checks the NAL unit lengths of an access unit and tells whether it has an IDR slice and an SPS.
func scanNALs(au []byte) (idr, sps bool, err error) {
	for len(au) > 0 {
		if len(au) < 4 {
			return false, false, errors.New("NAL unit length is cut short")
		}
		n := binary.BigEndian.Uint32(au)
		au = au[4:]
		if uint64(n) > uint64(len(au)) {
			return false, false, errors.New("NAL unit is longer than its sample")
		}
		if n > 0 {
			idr = idr || au[0]&0x1F == nalIDR
			sps = sps || au[0]&0x1F == nalSPS
		}
		au = au[n:]
	}
	return idr, sps, nil
}

// appendAnnexB appends the NAL units of a scanned access unit behind start codes, without empty ones and delimiters.
func appendAnnexB(dst, au []byte) []byte {
	for len(au) > 0 {
		n := binary.BigEndian.Uint32(au)
		nal := au[4 : 4+n]
		au = au[4+n:]
		if n > 0 && nal[0]&0x1F != nalAUD {
			dst = appendNAL(dst, nal)
		}
	}
	return dst
}

func appendNAL(dst, nal []byte) []byte {
	return append(append(dst, 0, 0, 0, 1), nal...)
}

// audioGroup is how many of the first samples share a PES packet: those that follow each other without a hole for
// about 100 ms, as only the first of a PES packet gets a timestamp.
func audioGroup(s []sample) int {
	n, size := 1, adtsSize+len(s[0].payload)
	for n < len(s) {
		hole := s[n].pts - s[n-1].end
		size += adtsSize + len(s[n].payload)
		if hole < -1 || hole > 1 || s[n].end-s[0].pts > maxAudioGroup || size > maxPESPayload {
			break
		}
		n++
	}
	return n
}

// writeAudio writes AAC frames that follow each other in one PES packet.
func (w *writer) writeAudio(group []sample, adts [adtsSize]byte) error {
	pts := group[0].pts
	w.beginPES(streamIDAudio, pts, pts)
	for i := range group {
		n := adtsSize + len(group[i].payload)
		if n > maxADTSFrame {
			return errors.New("AAC frame is too long for ADTS")
		}
		h := adts
		h[3] = h[3]&^0x03 | byte(n>>11)
		h[4] = byte(n >> 3)
		h[5] = h[5]&0x1F | byte(n<<5)
		w.pes = append(append(w.pes, h[:]...), group[i].payload...)
	}
	// The length is known, so the last packet of a segment is complete without the next one.
	binary.BigEndian.PutUint16(w.pes[4:], uint16(len(w.pes)-6))
	return w.flushPES(&w.audio, pts, !w.audio.started)
}
