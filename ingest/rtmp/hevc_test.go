package rtmp

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vitrine-live/vitrine/media"
)

// What x265 says of 320x180 and of 640x360, and pictures that begin like its own.
var (
	hevcTestVPS  = unhex("40010c01ffff01600000030090000003000003003c928090")
	hevcTestSPS  = unhex("42010101600000030090000003000003003ca00a080b9f7964a924caf0168080000003008000000f04")
	hevcOtherSPS = unhex("42010101600000030090000003000003003fa0050201696592a4932bc05a020000030002000003003c10")
	hevcTestPPS  = unhex("4401c172b46240")
	hevcIDR      = []byte{0x26, 0x01, 0xAF, 0x06}
	hevcCRA      = []byte{0x2A, 0x01, 0xAF, 0x06}
	hevcTrail    = []byte{0x02, 0x01, 0xD0, 0x10}
	hevcSEI      = []byte{0x4E, 0x01, 0x05, 0x80}
	hevcAUDNAL   = []byte{0x46, 0x01, 0x50}
)

func hevcWith(lengthSize int) *nalTrack {
	return &nalTrack{syntax: &hevc, lengthSize: lengthSize, sets: [maxSets][]byte{hevcTestVPS, hevcTestSPS, hevcTestPPS}}
}

// hevcRecord makes an HEVCDecoderConfigurationRecord; each NAL unit is an array of its own.
func hevcRecord(nals ...[]byte) []byte {
	b := append(make([]byte, 21), 0xFF, byte(len(nals)))
	b[0] = 1
	for _, n := range nals {
		b = append(b, 0x80|n[0]>>1&0x3F, 0, 1)
		b = append(binary.BigEndian.AppendUint16(b, uint16(len(n))), n...)
	}
	return b
}

func TestCleanHEVC(t *testing.T) {
	for _, c := range []struct {
		name   string
		packet []byte
		want   [][]byte
		key    bool
		sps    []byte
		odd    []Anomaly
	}{
		{name: "IDR", packet: lengthPrefixed(hevcAUDNAL, hevcSEI, hevcIDR), want: [][]byte{hevcSEI, hevcIDR}, key: true},
		{name: "CRA: where an open GOP begins", packet: lengthPrefixed(hevcCRA), want: [][]byte{hevcCRA}, key: true},
		{name: "trailing picture", packet: lengthPrefixed(hevcTrail, hevcTrail), want: [][]byte{hevcTrail, hevcTrail}},
		{name: "the track's parameters", packet: lengthPrefixed(hevcTestVPS, hevcTestSPS, hevcTestPPS, hevcIDR), want: [][]byte{hevcIDR}, key: true},
		{name: "new parameters", packet: lengthPrefixed(hevcTestVPS, hevcOtherSPS, hevcTestPPS, hevcIDR), want: [][]byte{hevcIDR}, key: true, sps: hevcOtherSPS},
		{name: "types of transport formats", packet: lengthPrefixed([]byte{0x62, 1, 0}, []byte{0x26}, hevcTrail), want: [][]byte{hevcTrail}, odd: []Anomaly{UnknownNAL, UnknownNAL}},
		{name: "no picture", packet: lengthPrefixed(hevcSEI), odd: []Anomaly{NoPicture}},
	} {
		t.Run(c.name, func(t *testing.T) {
			track := hevcWith(4)
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

func TestHEVCConfiguration(t *testing.T) {
	good := hevcRecord(hevcTestVPS, hevcTestSPS, hevcTestPPS, hevcSEI)
	with := func(at int, v byte) []byte { b := bytes.Clone(good); b[at] = v; return b }
	for _, c := range []struct {
		name   string
		record []byte
		ok     bool
	}{
		{"sound", good, true},
		{"another order", hevcRecord(hevcTestPPS, hevcTestSPS, hevcTestVPS), true},
		{"before the standard", with(0, 0), true},
		{"an empty array", append(with(22, 5), 0xA7, 0, 0), true},
		{"a version that is not known", with(0, 2), false},
		{"3-byte lengths", with(21, 0xFE), false},
		{"without VPS", hevcRecord(hevcTestSPS, hevcTestPPS), false},
		{"without SPS", hevcRecord(hevcTestVPS, hevcTestPPS), false},
		{"without PPS", hevcRecord(hevcTestVPS, hevcTestSPS), false},
		{"SPS of garbage", hevcRecord(hevcTestVPS, []byte{0x42, 1, 2, 3}, hevcTestPPS), false},
		{"more arrays announced than there are", with(22, 6), false},
		{"nothing", nil, false},
	} {
		track := nalTrack{syntax: &hevc}
		got, err := track.configure(c.record)
		if (err == nil) != c.ok || (got != nil) != c.ok {
			t.Errorf("%s: %v %v", c.name, got, err)
			continue
		}
		if !c.ok {
			if track.lengthSize != 0 {
				t.Errorf("%s: half configured", c.name)
			}
			continue
		}
		if got.Codec != media.HEVC || !bytes.Equal(got.VPS, hevcTestVPS) || !bytes.Equal(got.SPS, hevcTestSPS) || !bytes.Equal(got.PPS, hevcTestPPS) {
			t.Errorf("%s: %+v", c.name, got)
		}
		if again, err := track.configure(c.record); again != nil || err != nil {
			t.Errorf("%s, repeated: %v %v", c.name, again, err)
		}
	}
	whole := hevcRecord(hevcTestVPS, hevcTestSPS, hevcTestPPS)
	for n := range len(whole) {
		if _, err := (&nalTrack{syntax: &hevc}).configure(whole[:n]); err == nil {
			t.Errorf("the first %d of %d bytes were enough", n, len(whole))
		}
	}
}

// exTag is a video tag of Enhanced RTMP.
func exTag(frameType, packet byte, fourCC string, payload []byte) []byte {
	return slices.Concat([]byte{0x80 | frameType<<4 | packet}, []byte(fourCC), payload)
}

func TestHEVCPublisher(t *testing.T) {
	h := serve(t, Config{})
	c := h.dial()
	if code, description := c.publish(goodKey); code != "NetStream.Publish.Start" {
		t.Fatal(code, description)
	}
	pub := h.next()
	c.video(0, exTag(1, exSequenceStart, "hvc1", hevcRecord(hevcTestVPS, hevcTestSPS, hevcTestPPS)))
	c.audio(0, append([]byte{0x90, 'm', 'p', '4', 'a'}, aacConfig[2:]...))
	c.video(0, exTag(1, exCodedFrames, "hvc1", append([]byte{0, 0, 66}, lengthPrefixed(hevcIDR)...)))
	c.audio(10, append([]byte{0x91, 'm', 'p', '4', 'a'}, aacFrame[2:]...))
	c.video(33, exTag(2, exCodedFramesX, "hvc1", lengthPrefixed(hevcTrail)))
	c.video(66, exTag(1, exSequenceStart, "avc1", avcRecord(4, testSPS, testPPS))) // the anchor turns to another codec
	c.video(66, exTag(2, exCodedFramesX, "hvc1", lengthPrefixed(hevcTrail)))       // a straggler
	c.video(99, exTag(1, exCodedFramesX, "avc1", lengthPrefixed(idr)))
	pub.waitSamples(t, 4)
	pub.mu.Lock()
	var codecs [][]media.Codec
	for _, tracks := range pub.tracks {
		var list []media.Codec
		for _, tr := range tracks {
			list = append(list, tr.Codec)
		}
		codecs = append(codecs, list)
	}
	pub.mu.Unlock()
	if diff := cmp.Diff([][]media.Codec{{media.HEVC, media.AAC}, {media.H264, media.AAC}}, codecs); diff != "" {
		t.Error(diff)
	}
	video := pub.of(media.Video)
	if len(video) != 3 || !video[0].Key || video[0].PTS-video[0].DTS != media.FromMilliseconds(66) || video[1].Key || !video[2].Key {
		t.Errorf("%+v", video)
	}
	if n := h.anomalies(NoConfig); n != 1 {
		t.Errorf("%v frames without configuration, want the straggler", n)
	}
}
