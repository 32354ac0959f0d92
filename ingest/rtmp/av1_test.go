package rtmp

import (
	"bytes"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vitrine-live/vitrine/media"
)

// What libaom says of 320x180, and OBUs that begin like its own.
var (
	av1Sequence  = unhex("0a0b000000043cfeccdaf90040")
	av1Bare      = unhex("08000000043cfeccdaf90040")
	av1Other     = unhex("0a0b000000043cffbcffaf0040") // 1024x768
	av1Delimiter = []byte{0x12, 0x00}
	av1KeyFrame  = []byte{0x32, 0x03, 0x10, 0x00, 0xAA}
	av1Hidden    = []byte{0x32, 0x02, 0x00, 0xAA}
	av1Inter     = []byte{0x32, 0x02, 0x30, 0xAA}
	av1Existing  = []byte{0x1A, 0x01, 0x80}
	av1Metadata  = []byte{0x2A, 0x01, 0x05}
	av1Padding   = []byte{0x7A, 0x02, 0x00, 0x00}
	av1Unsized   = []byte{0x30, 0x30, 0xAA, 0xBB} // the last OBU may do without its size
	av1Layered   = []byte{0x36, 0x00, 0x02, 0x30, 0xAA}
)

func av1With() *av1Track { return &av1Track{sequence: av1Bare} }

func TestCleanAV1(t *testing.T) {
	for _, c := range []struct {
		name   string
		packet [][]byte
		want   [][]byte // nil: no picture
		key    bool
		track  []byte
		odd    []Anomaly
	}{
		{name: "key frame", packet: [][]byte{av1Delimiter, av1Sequence, av1KeyFrame}, want: [][]byte{av1Sequence, av1KeyFrame}, key: true},
		{name: "key frame without its sequence header", packet: [][]byte{av1Delimiter, av1KeyFrame}, want: [][]byte{av1Sequence, av1KeyFrame}, key: true},
		{name: "a hidden key frame is no entrance", packet: [][]byte{av1Hidden, av1Existing}, want: [][]byte{av1Hidden, av1Existing}},
		{name: "inter frame", packet: [][]byte{av1Delimiter, av1Metadata, av1Inter, av1Padding, av1Inter}, want: [][]byte{av1Metadata, av1Inter, av1Inter}},
		{name: "without size", packet: [][]byte{av1Delimiter, av1Unsized}, want: [][]byte{av1Unsized}},
		{name: "with the extension", packet: [][]byte{av1Layered}, want: [][]byte{av1Layered}},
		{name: "new sequence header", packet: [][]byte{av1Other, av1KeyFrame}, want: [][]byte{av1Other, av1KeyFrame}, key: true, track: av1Other},
		{name: "new sequence header in mid-sequence", packet: [][]byte{av1Other, av1Inter}, want: [][]byte{av1Other, av1Inter}, odd: []Anomaly{InBandParameters}},
		{name: "a sequence header that is none", packet: [][]byte{{0x0A, 0x01, 0xFF}, av1KeyFrame}, want: [][]byte{{0x0A, 0x01, 0xFF}, av1KeyFrame}, key: true, odd: []Anomaly{BadConfig}},
		{name: "delimiter alone", packet: [][]byte{av1Delimiter}, odd: []Anomaly{NoPicture}},
		{name: "cut short", packet: [][]byte{av1Inter, {0x32, 0x09, 0x30}}, odd: []Anomaly{NALOverrun}},
		{name: "a size without end", packet: [][]byte{{0x32, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0}}, odd: []Anomaly{NALOverrun}},
		{name: "half an extension", packet: [][]byte{{0x36}}, odd: []Anomaly{NALOverrun}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var odd []Anomaly
			unit, ok := av1With().clean(slices.Concat(c.packet...), func(a Anomaly) { odd = append(odd, a) })
			if ok != (c.want != nil) || unit.key != c.key && ok {
				t.Errorf("ok %v, key %v", ok, unit.key)
			}
			if want := slices.Concat(c.want...); ok && !bytes.Equal(unit.payload, want) {
				t.Errorf("payload %x, want %x", unit.payload, want)
			}
			if diff := cmp.Diff(c.odd, odd); diff != "" {
				t.Error(diff)
			}
			if (unit.track != nil) != (c.track != nil) {
				t.Errorf("new track %+v", unit.track)
			}
		})
	}
}

func TestAV1Configuration(t *testing.T) {
	record := func(obus ...[]byte) []byte {
		return append([]byte{0x81, 0x00, 0x0C, 0x00}, slices.Concat(obus...)...)
	}
	for _, c := range []struct {
		name   string
		record []byte
		ok     bool
	}{
		{"sound", record(av1Sequence), true},
		{"metadata first", record(av1Metadata, av1Sequence), true},
		{"without sequence header", record(), false},
		{"another version", append([]byte{0x82}, record(av1Sequence)[1:]...), false},
		{"a sequence header that is cut short", record(av1Sequence[:8]), false},
		{"nothing", nil, false},
	} {
		var track av1Track
		got, err := track.configure(c.record)
		if (err == nil) != c.ok || (got != nil) != c.ok {
			t.Errorf("%s: %v %v", c.name, got, err)
			continue
		}
		if !c.ok {
			continue
		}
		if got.Codec != media.AV1 || !bytes.Equal(got.SequenceHeader, av1Bare) {
			t.Errorf("%s: %+v", c.name, got)
		}
		if again, err := track.configure(c.record); again != nil || err != nil {
			t.Errorf("%s, repeated: %v %v", c.name, again, err)
		}
	}
}

func TestSizedOBU(t *testing.T) {
	if got := sized(av1Bare); !bytes.Equal(got, av1Sequence) {
		t.Errorf("%x, want %x", got, av1Sequence)
	}
	long := append([]byte{0x0C, 0x20}, bytes.Repeat([]byte{7}, 300)...) // with the extension
	r := obuReader{rest: sized(long)}
	if !r.next() || len(r.payload) != 300 || !bytes.Equal(r.bare(), long) || len(r.rest) != 0 {
		t.Errorf("%+v", r)
	}
}

func TestAV1Publisher(t *testing.T) {
	h := serve(t, Config{})
	c := h.dial()
	if code, description := c.publish(goodKey); code != "NetStream.Publish.Start" {
		t.Fatal(code, description)
	}
	pub := h.next()
	c.video(0, exTag(1, exSequenceStart, "av01", slices.Concat([]byte{0x81, 0, 0x0C, 0}, av1Sequence)))
	c.audio(0, aacConfig)
	c.video(0, exTag(1, exCodedFrames, "av01", slices.Concat(av1Delimiter, av1Sequence, av1KeyFrame)))
	c.video(33, exTag(2, exCodedFrames, "av01", slices.Concat(av1Delimiter, av1Inter)))
	c.video(66, exTag(1, exSequenceEnd, "av01", nil))
	pub.waitSamples(t, 2)
	video := pub.of(media.Video)
	if !video[0].Key || video[1].Key || video[1].PTS != media.FromMilliseconds(33) || !bytes.Equal(video[1].Payload, av1Inter) {
		t.Errorf("%+v", video)
	}
	pub.mu.Lock()
	defer pub.mu.Unlock()
	if first := pub.tracks[0][0]; first.Codec != media.AV1 || !bytes.Equal(first.SequenceHeader, av1Bare) {
		t.Errorf("%+v", first)
	}
}
