package rtmp

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/av1"

	"github.com/vitrine-live/vitrine/media"
)

// OBU types (AV1 Bitstream & Decoding Process Specification, 6.2.2).
const (
	obuSequenceHeader    = 1
	obuTemporalDelimiter = 2
	obuFrameHeader       = 3
	obuFrame             = 6
	obuRedundantHeader   = 7
	obuTileList          = 8
	obuPadding           = 15
)

// av1Track is the picture of a publisher that sends AV1.
type av1Track struct {
	sequence []byte // the sequence header in use, without a size field; nil before the configuration
	reduced  bool   // it says that every frame is a shown key frame without saying so itself
}

// configure takes an AV1CodecConfigurationRecord (AV1-ISOBMFF, 2.3). It returns nil when its sequence header is the one
// in use already. An error says that the record is unusable.
func (t *av1Track) configure(record []byte) (*media.Track, error) {
	const header, markerAndVersion = 4, 0x81
	if len(record) < header || record[0] != markerAndVersion {
		return nil, fmt.Errorf("AV1 configuration of %d bytes", len(record))
	}
	obus := obuReader{rest: record[header:]}
	for obus.next() {
		if obus.kind == obuSequenceHeader {
			return t.adopt(obus.bare())
		}
	}
	return nil, errors.New("AV1 configuration without sequence header")
}

// adopt makes a sequence header the one in use.
func (t *av1Track) adopt(sequence []byte) (*media.Track, error) {
	if bytes.Equal(sequence, t.sequence) {
		return nil, nil
	}
	var parsed av1.SequenceHeader
	if err := parsed.Unmarshal(sequence); err != nil {
		return nil, fmt.Errorf("sequence header: %w", err)
	}
	if err := checkSize(parsed.Width(), parsed.Height()); err != nil {
		return nil, err
	}
	t.sequence, t.reduced = sequence, parsed.ReducedStillPictureHeader
	return &media.Track{Codec: media.AV1, SequenceHeader: sequence}, nil
}

// clean makes a temporal unit out of the OBUs of one packet, which it owns, as AV1-ISOBMFF (2.4) wants it: without
// temporal delimiters, padding, repeated headers and tile lists, a key frame behind its sequence header. ok is false when
// the packet holds no usable picture; anomaly then has been told.
func (t *av1Track) clean(packet []byte, anomaly func(Anomaly)) (unit accessUnit, ok bool) {
	if t.sequence == nil {
		anomaly(NoConfig)
		return unit, false
	}
	var sequence []byte // of the packet
	n, pictures := 0, 0
	obus := obuReader{rest: packet}
	for obus.next() {
		switch obus.kind {
		case obuTemporalDelimiter, obuRedundantHeader, obuTileList, obuPadding:
			continue
		case obuSequenceHeader:
			sequence = obus.bare()
		case obuFrame, obuFrameHeader:
			if pictures++; pictures == 1 {
				unit.key = t.shownKey(obus.payload)
			}
		}
		n += copy(packet[n:], obus.whole) // never ahead of the reader; nothing moves before something was left out
	}
	switch {
	case obus.broken:
		anomaly(NALOverrun)
		return unit, false
	case pictures == 0:
		anomaly(NoPicture)
		return unit, false
	}
	unit.payload = packet[:n:n]
	t.promote(&unit, sequence, anomaly)
	return unit, true
}

// promote takes the sequence header that came with a key frame into the track, and gives the key frame one when it came
// without.
func (t *av1Track) promote(unit *accessUnit, sequence []byte, anomaly func(Anomaly)) {
	switch {
	case !unit.key:
		if sequence != nil && !bytes.Equal(sequence, t.sequence) {
			anomaly(InBandParameters)
		}
	case sequence == nil:
		unit.payload = append(sized(t.sequence), unit.payload...)
	default:
		track, err := t.adopt(sequence)
		if err != nil {
			anomaly(BadConfig)
		}
		unit.track = track
	}
}

// shownKey reads the beginning of uncompressed_header (5.9.2): whether it is a key frame that is shown.
func (t *av1Track) shownKey(header []byte) bool {
	if t.reduced {
		return true
	}
	if len(header) == 0 {
		return false
	}
	showExisting, frameType, show := header[0]>>7, header[0]>>5&3, header[0]>>4&1
	return showExisting == 0 && frameType == 0 && show == 1
}

// obuReader walks over the OBUs of a temporal unit in the low-overhead format (5.3).
type obuReader struct {
	rest    []byte
	kind    byte
	whole   []byte // the OBU with its header
	header  []byte // one byte, or two with the extension
	payload []byte
	broken  bool // an OBU is longer than what is left
}

func (r *obuReader) next() bool {
	if len(r.rest) == 0 {
		return false
	}
	const hasExtension, hasSize = 0x04, 0x02
	r.kind = r.rest[0] >> 3 & 0xF
	at := 1
	if r.rest[0]&hasExtension != 0 {
		at = 2
	}
	if len(r.rest) < at {
		r.broken = true
		return false
	}
	r.header = r.rest[:at]
	size := uint64(len(r.rest) - at) // without a size field it is the last of the packet
	if r.rest[0]&hasSize != 0 {
		value, length, ok := leb128(r.rest[at:])
		if at += length; !ok || value > uint64(len(r.rest)-at) {
			r.broken = true
			return false
		}
		size = value
	}
	end := at + int(size)
	r.whole, r.payload, r.rest = r.rest[:end], r.rest[at:end], r.rest[end:]
	return true
}

// bare returns a copy of the OBU without its size field.
func (r *obuReader) bare() []byte {
	const hasSize = 0x02
	b := append(bytes.Clone(r.header), r.payload...)
	b[0] &^= hasSize
	return b
}

// sized returns an OBU that bare made with its size field again. Sequence headers are far shorter than 128 bytes; a
// longer one has its size in as many bytes as it takes.
func sized(bare []byte) []byte {
	const hasExtension, hasSize = 0x04, 0x02
	header := 1
	if bare[0]&hasExtension != 0 {
		header = 2
	}
	out := append([]byte{}, bare[:header]...)
	out[0] |= hasSize
	size := len(bare) - header
	for ; size >= 0x80; size >>= 7 {
		out = append(out, byte(size)|0x80)
	}
	return append(append(out, byte(size)), bare[header:]...)
}

// leb128 reads a number of at most eight bytes (4.10.5).
func leb128(b []byte) (value uint64, length int, ok bool) {
	for i := range min(len(b), 8) {
		value |= uint64(b[i]&0x7F) << (7 * i)
		if b[i]&0x80 == 0 {
			return value, i + 1, true
		}
	}
	return 0, 0, false
}
