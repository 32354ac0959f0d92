package rtmp

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var (
	aud    = []byte{avcAUD, 0xF0}
	filler = []byte{avcFiller, 0xFF, 0xFF, 0x80}
	sei    = []byte{6, 5, 1, 0, 0x80}
	pps2   = []byte{0x68, 0x4B, 0xE3, 0xCB, 0x22, 0xC0} // another ID
)

// avcWith is a configured track.
func avcWith(lengthSize int) *nalTrack {
	return &nalTrack{syntax: &avc, lengthSize: lengthSize, sets: [maxSets][]byte{testSPS, testPPS}}
}

// nalCases are packets of NAL units with 4-byte lengths, as a track with testSPS and testPPS cleans them. They seed the
// fuzzer as well.
var nalCases = []struct {
	name   string
	packet []byte
	want   [][]byte // nil: no picture
	key    bool
	sps    []byte // of the new track, if there is one
	odd    []Anomaly
}{
	{name: "clean", packet: lengthPrefixed(sei, idr), want: [][]byte{sei, idr}, key: true},
	{name: "several slices", packet: lengthPrefixed(slice, slice), want: [][]byte{slice, slice}},
	{name: "delimiter first", packet: lengthPrefixed(aud, slice), want: [][]byte{slice}},
	{name: "filler last", packet: lengthPrefixed(slice, filler, filler), want: [][]byte{slice}},
	{name: "empty units", packet: lengthPrefixed(nil, sei, nil, idr, nil), want: [][]byte{sei, idr}, key: true, odd: []Anomaly{EmptyNAL, EmptyNAL, EmptyNAL}},
	{name: "types that no decoder takes", packet: lengthPrefixed([]byte{0x00, 1}, []byte{0x18, 1}, slice), want: [][]byte{slice}, odd: []Anomaly{UnknownNAL, UnknownNAL}},
	{name: "the track's parameters", packet: lengthPrefixed(aud, testSPS, testPPS, sei, idr), want: [][]byte{sei, idr}, key: true},
	{name: "the track's parameters twice", packet: lengthPrefixed(testSPS, testPPS, testSPS, testPPS, idr), want: [][]byte{idr}, key: true},
	{name: "new parameters with an IDR", packet: lengthPrefixed(otherSPS, testPPS, idr), want: [][]byte{idr}, key: true, sps: otherSPS},
	{name: "new parameters in mid-sequence stay", packet: lengthPrefixed(aud, pps2, slice), want: [][]byte{pps2, slice}, odd: []Anomaly{InBandParameters}},
	{name: "several of a kind stay", packet: lengthPrefixed(testSPS, testPPS, pps2, idr), want: [][]byte{testSPS, testPPS, pps2, idr}, key: true, odd: []Anomaly{InBandParameters}},
	{name: "an SPS that is none stays", packet: lengthPrefixed([]byte{0x67, 1}, idr), want: [][]byte{{0x67, 1}, idr}, key: true, odd: []Anomaly{BadConfig, InBandParameters}},
	{name: "parameters alone", packet: lengthPrefixed(otherSPS, testPPS)},
	{name: "SEI alone", packet: lengthPrefixed(sei), odd: []Anomaly{NoPicture}},
	{name: "nothing", odd: []Anomaly{NoPicture}},
	{name: "length beyond the packet", packet: append(lengthPrefixed(idr), 0, 0, 0, 9, 0x41), odd: []Anomaly{NALOverrun}},
	{name: "length of 2^32-1", packet: []byte{0xFF, 0xFF, 0xFF, 0xFF, 0x65}, odd: []Anomaly{NALOverrun}},
	{name: "cut length", packet: append(lengthPrefixed(idr), 0, 0), odd: []Anomaly{NALOverrun}},
}

func TestCleanNALs(t *testing.T) {
	for _, c := range nalCases {
		t.Run(c.name, func(t *testing.T) {
			track := *avcWith(4)
			var odd []Anomaly
			unit, ok := track.clean(bytes.Clone(c.packet), func(a Anomaly) { odd = append(odd, a) })
			if ok != (c.want != nil) || unit.key != c.key && ok {
				t.Errorf("ok %v, key %v", ok, unit.key)
			}
			if want := lengthPrefixed(c.want...); ok && !bytes.Equal(unit.payload, want) {
				t.Errorf("payload %x, want %x", unit.payload, want)
			}
			if diff := cmp.Diff(c.odd, odd); diff != "" {
				t.Error(diff)
			}
			var sps []byte
			if unit.track != nil {
				sps = unit.track.SPS
			}
			if !bytes.Equal(sps, c.sps) {
				t.Errorf("new track with SPS %x", sps)
			}
		})
	}
}

func TestCleanShortLengths(t *testing.T) {
	for _, size := range []int{1, 2} {
		track := *avcWith(size)
		var packet []byte
		for _, n := range [][]byte{aud, testSPS, testPPS, idr, slice} {
			length := binary.BigEndian.AppendUint32(nil, uint32(len(n)))
			packet = append(append(packet, length[4-size:]...), n...)
		}
		unit, ok := track.clean(packet, func(a Anomaly) { t.Error(a) })
		if !ok || !unit.key || !bytes.Equal(unit.payload, lengthPrefixed(idr, slice)) {
			t.Errorf("lengths of %d bytes: %x", size, unit.payload)
		}
	}
}

func TestCleanWithoutConfiguration(t *testing.T) {
	var odd []Anomaly
	if _, ok := (&nalTrack{syntax: &avc}).clean(lengthPrefixed(idr), func(a Anomaly) { odd = append(odd, a) }); ok || len(odd) != 1 || odd[0] != NoConfig {
		t.Errorf("%v %v", ok, odd)
	}
}

// Parameter sets in a packet of their own belong to the next IDR.
func TestParametersAhead(t *testing.T) {
	track := *avcWith(4)
	none := func(a Anomaly) { t.Error(a) }
	if _, ok := track.clean(lengthPrefixed(otherSPS), none); ok {
		t.Fatal("a picture")
	}
	if unit, ok := track.clean(lengthPrefixed(slice), none); !ok || unit.track != nil {
		t.Fatalf("%+v", unit)
	}
	unit, ok := track.clean(lengthPrefixed(idr), none)
	if !ok || unit.track == nil || !bytes.Equal(unit.track.SPS, otherSPS) || !bytes.Equal(unit.track.PPS, testPPS) {
		t.Fatalf("%+v", unit)
	}
	if unit, _ := track.clean(lengthPrefixed(idr), none); unit.track != nil {
		t.Error("the track changed again")
	}
}

func TestAVCConfiguration(t *testing.T) {
	good := avcRecord(4, testSPS, testPPS)
	with := func(at int, v byte) []byte { b := bytes.Clone(good); b[at] = v; return b }
	for _, c := range []struct {
		name   string
		record []byte
		ok     bool
	}{
		{"sound", good, true},
		{"2-byte lengths", avcRecord(2, testSPS, testPPS), true},
		{"trailing bytes", append(bytes.Clone(good), 1, 2, 3), true},
		{"nothing", nil, false},
		{"version 0", with(0, 0), false},
		{"3-byte lengths", with(4, 0xFE), false},
		{"no SPS", with(5, 0xE0), false},
		{"two SPS announced", with(5, 0xE2), false},
		{"an SPS that is none", with(8, 0x68), false},
		{"SPS of garbage", avcRecord(4, []byte{0x67, 1, 2, 3, 4}, testPPS), false},
		{"PPS that is none", avcRecord(4, testSPS, []byte{0x65}), false},
	} {
		track := nalTrack{syntax: &avc}
		got, err := track.configure(c.record)
		if (err == nil) != c.ok || (got != nil) != c.ok {
			t.Errorf("%s: %v %v", c.name, got, err)
		}
		if !c.ok && track.lengthSize != 0 {
			t.Errorf("%s: half configured", c.name)
		}
		if c.ok {
			if again, err := track.configure(c.record); again != nil || err != nil {
				t.Errorf("%s, repeated: %v %v", c.name, again, err)
			}
		}
	}
	for n := range len(good) {
		if _, err := (&nalTrack{syntax: &avc}).configure(good[:n]); err == nil {
			t.Errorf("the first %d of %d bytes were enough", n, len(good))
		}
	}
}

// checkClean cleans a packet and checks what must hold of any: whole NAL units of taken types with 4-byte lengths, one
// slice at least, nothing beyond the packet and its parameter sets.
func checkClean(t *testing.T, track nalTrack, packet []byte) {
	t.Helper()
	unit, ok := track.clean(bytes.Clone(packet), func(Anomaly) {})
	if !ok {
		return
	}
	slices := 0
	nals := nalReader{rest: unit.payload, lengthSize: 4, anomaly: func(a Anomaly) { t.Fatal(a) }}
	for nals.next() {
		switch kind := nals.nal[0] & 0x1F; {
		case kind == 0 || kind > avcMax || kind == avcAUD || kind == avcFiller:
			t.Fatalf("a NAL unit of type %d was left", kind)
		case kind <= avcIDR:
			slices++
		}
	}
	if nals.overrun || slices == 0 {
		t.Fatalf("overrun %v, %d slices in %x", nals.overrun, slices, unit.payload)
	}
}
