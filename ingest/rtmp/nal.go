package rtmp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/vitrine-live/vitrine/media"
)

// nalRole is what a NAL unit is to the media path.
type nalRole uint8

const (
	nalOther   nalRole = iota // goes along with its picture
	nalSlice                  // of a picture
	nalKey                    // of a picture that decoding may begin with
	nalSet                    // a parameter set
	nalDropped                // delimiters and filler, which the container makes needless
	nalUnknown                // types that no decoder takes
)

// maxSets is how many kinds of parameter sets a codec has: VPS, SPS and PPS.
const maxSets = 3

// nalSyntax is what sets the codecs apart that are made of NAL units.
type nalSyntax struct {
	// kinds is how many kinds of parameter sets there are.
	kinds int
	// role tells what a NAL unit, which is not empty, is; set is the kind of a parameter set.
	role func(nal []byte) (role nalRole, set int)
	// parse reads a decoder configuration record.
	parse func(record []byte) (lengthSize int, sets [maxSets][]byte, err error)
	// track describes the parameter sets, or says why they are unusable.
	track func(sets [maxSets][]byte) (*media.Track, error)
}

// nalTrack is the picture of a publisher in a codec that is made of NAL units.
type nalTrack struct {
	syntax     *nalSyntax
	lengthSize int             // of the NAL unit lengths on the wire: 1, 2 or 4. 0 before the configuration
	sets       [maxSets][]byte // in use
	next       [maxSets][]byte // sent in a packet of their own, for the next key picture
}

// accessUnit is one picture as the media path wants it.
type accessUnit struct {
	payload []byte
	key     bool
	track   *media.Track // set when the parameters changed with this picture
}

// configure takes a decoder configuration record. It returns nil when the parameter sets are those in use already. An
// error says that the record is unusable.
func (t *nalTrack) configure(record []byte) (*media.Track, error) {
	lengthSize, sets, err := t.syntax.parse(record)
	if err != nil {
		return nil, err
	}
	track, err := t.adopt(sets)
	if err != nil {
		return nil, err
	}
	t.lengthSize = lengthSize
	return track, nil
}

// adopt makes sets those in use.
func (t *nalTrack) adopt(sets [maxSets][]byte) (*media.Track, error) {
	same := true
	for i := range t.syntax.kinds {
		same = same && bytes.Equal(sets[i], t.sets[i])
	}
	if same {
		return nil, nil
	}
	for i := range sets {
		sets[i] = bytes.Clone(sets[i])
	}
	track, err := t.syntax.track(sets)
	if err != nil {
		return nil, err
	}
	t.sets = sets
	return track, nil
}

// checkSize refuses pictures that no encoder makes.
func checkSize(w, h int) error {
	if w < 1 || h < 1 || w > 1<<14 || h > 1<<14 {
		return fmt.Errorf("a picture of %dx%d", w, h)
	}
	return nil
}

// clean makes an access unit out of the NAL units of one packet, which it owns: 4-byte lengths, no delimiters, no filler,
// no empty units, and no parameter sets where they stand in the track. It works in place, so that a picture is copied at
// most once. ok is false when the packet holds no usable picture; anomaly then has been told, unless that is in order.
func (t *nalTrack) clean(packet []byte, anomaly func(Anomaly)) (unit accessUnit, ok bool) {
	if t.lengthSize == 0 {
		anomaly(NoConfig)
		return unit, false
	}
	nals := nalReader{rest: packet, lengthSize: t.lengthSize, anomaly: anomaly}
	kept := nalWriter{buffer: packet, inPlace: t.lengthSize == 4}
	var found parameterSets
	slices := 0
	for nals.next() {
		switch role, set := t.syntax.role(nals.nal); role {
		case nalDropped:
		case nalUnknown:
			anomaly(UnknownNAL)
		case nalSet:
			found.add(set, nals.nal)
		case nalSlice, nalKey:
			slices++
			unit.key = unit.key || role == nalKey
			kept.add(nals.nal)
		default:
			kept.add(nals.nal)
		}
	}
	if nals.overrun || slices == 0 {
		t.withoutPicture(found, nals.overrun, anomaly)
		return unit, false
	}
	unit.payload = kept.bytes()
	t.promote(&unit, found, anomaly)
	return unit, true
}

// withoutPicture remembers parameter sets that came in a packet of their own, for the next key picture.
func (t *nalTrack) withoutPicture(found parameterSets, overrun bool, anomaly func(Anomaly)) {
	switch {
	case overrun:
		anomaly(NALOverrun)
	case len(found.all) == 0:
		anomaly(NoPicture)
	default:
		for i := range t.next {
			t.next[i] = latest(found.sets[i], t.next[i])
		}
	}
}

// promote takes new parameter sets of a key picture into the track. Sets that the track cannot say (several of a kind,
// or new ones in mid-sequence) go back into the picture, where decoders find them.
func (t *nalTrack) promote(unit *accessUnit, found parameterSets, anomaly func(Anomaly)) {
	if unit.key && !found.several {
		var sets [maxSets][]byte
		for i := range sets {
			sets[i] = latest(found.sets[i], t.next[i], t.sets[i])
		}
		track, err := t.adopt(sets)
		if err != nil {
			anomaly(BadConfig)
		}
		unit.track = track
		t.next = [maxSets][]byte{}
	}
	if found.saidBy(t.sets) {
		return
	}
	anomaly(InBandParameters)
	with := nalWriter{}
	for _, set := range found.all {
		with.add(set)
	}
	unit.payload = append(with.other, unit.payload...)
}

// latest returns the first that is there.
func latest(candidates ...[]byte) []byte {
	for _, c := range candidates {
		if c != nil {
			return c
		}
	}
	return nil
}

// parameterSets are those among the NAL units of a packet, copied.
type parameterSets struct {
	all     [][]byte
	sets    [maxSets][]byte
	several bool // different ones of a kind
}

func (p *parameterSets) add(kind int, nal []byte) {
	set := &p.sets[kind]
	if bytes.Equal(*set, nal) {
		return
	}
	p.several = p.several || *set != nil
	*set = bytes.Clone(nal)
	p.all = append(p.all, *set)
}

// saidBy reports whether a track with these sets says all of them.
func (p *parameterSets) saidBy(sets [maxSets][]byte) bool {
	for i, set := range p.sets {
		if set != nil && !bytes.Equal(set, sets[i]) {
			return false
		}
	}
	return !p.several
}

// nalReader walks over NAL units with their lengths, skipping empty ones.
type nalReader struct {
	rest       []byte
	lengthSize int
	anomaly    func(Anomaly)
	nal        []byte
	overrun    bool // a unit is longer than what is left
}

func (r *nalReader) next() bool {
	for len(r.rest) > 0 {
		if len(r.rest) < r.lengthSize {
			r.overrun = true
			return false
		}
		var size uint32
		for _, b := range r.rest[:r.lengthSize] {
			size = size<<8 | uint32(b)
		}
		body := r.rest[r.lengthSize:]
		if uint64(size) > uint64(len(body)) {
			r.overrun = true
			return false
		}
		r.nal, r.rest = body[:size], body[size:]
		if size > 0 {
			return true
		}
		r.anomaly(EmptyNAL)
	}
	return false
}

// nalWriter collects NAL units with 4-byte lengths. In place it writes over the packet that they come from, never ahead
// of the reader, and moves nothing as long as nothing was left out.
type nalWriter struct {
	buffer  []byte // the packet
	inPlace bool
	n       int    // bytes of the packet that are written
	other   []byte // when not in place
}

func (w *nalWriter) add(nal []byte) {
	if !w.inPlace {
		w.other = append(binary.BigEndian.AppendUint32(w.other, uint32(len(nal))), nal...)
		return
	}
	dst := w.buffer[w.n+4 : w.n+4+len(nal)]
	if &dst[0] != &nal[0] {
		copy(dst, nal)
	}
	binary.BigEndian.PutUint32(w.buffer[w.n:], uint32(len(nal)))
	w.n += 4 + len(nal)
}

func (w *nalWriter) bytes() []byte {
	if w.inPlace {
		return w.buffer[:w.n:w.n]
	}
	return w.other
}

// lengthSizeOf reads the lengthSizeMinusOne field of a configuration record (ISO 14496-15, 5.3.3.1.2 and 8.3.3.1.2).
func lengthSizeOf(b byte) (int, error) {
	size := int(b&3) + 1
	if size == 3 {
		return 0, errors.New("a configuration with 3-byte lengths")
	}
	return size, nil
}

// firstSet reads n parameter sets with their 16-bit lengths and returns the first and what follows the last.
func firstSet(b []byte, n int) (first, rest []byte, ok bool) {
	for i := range n {
		if len(b) < 2 {
			return nil, nil, false
		}
		size := int(binary.BigEndian.Uint16(b))
		if b = b[2:]; size > len(b) {
			return nil, nil, false
		}
		if i == 0 {
			first = b[:size]
		}
		b = b[size:]
	}
	return first, b, len(first) > 0
}
