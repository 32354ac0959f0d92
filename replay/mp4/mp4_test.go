package mp4

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4/seekablebuffer"
	mp4codecs "github.com/bluenviron/mediacommon/v2/pkg/formats/mp4/codecs"

	"github.com/vitrine-live/vitrine/internal/bmff"
	"github.com/vitrine-live/vitrine/media"
)

var (
	testSPS = mustHex("6742c01fd9005005bb011000000300100000030320f1832480")
	testPPS = mustHex("68cb83cb20")
)

func mustHex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

// testInit is an initialization segment with H264 and AAC.
func testInit(t testing.TB) []byte {
	t.Helper()
	in := fmp4.Init{Tracks: []*fmp4.InitTrack{
		{ID: 1, TimeScale: 90_000, Codec: &mp4codecs.H264{SPS: testSPS, PPS: testPPS}},
		{ID: 2, TimeScale: 44_100, Codec: &mp4codecs.MPEG4Audio{Config: mpeg4audio.AudioSpecificConfig{
			Type: mpeg4audio.ObjectTypeAACLC, SampleRate: 44_100, ChannelConfig: 2,
		}}},
	}}
	var buf seekablebuffer.Buffer
	if err := in.Marshal(&buf); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// testSegment is a segment of two fragments as another writer makes them.
func testSegment(t testing.TB) []byte {
	t.Helper()
	var all []byte
	for i := range 2 {
		part := fmp4.Part{SequenceNumber: uint32(i), Tracks: []*fmp4.PartTrack{
			{ID: 1, BaseTime: 90_000 + uint64(i)*7200, Samples: []*fmp4.Sample{
				{Duration: 3600, PTSOffset: 0, Payload: []byte("picture one")},
				{Duration: 3600, PTSOffset: -1800, IsNonSyncSample: true, Payload: []byte("two")},
			}},
			{ID: 2, BaseTime: 44_100 + uint64(i)*1024, Samples: []*fmp4.Sample{{Duration: 1024, Payload: []byte("sound")}}},
		}}
		var buf seekablebuffer.Buffer
		if err := part.Marshal(&buf); err != nil {
			t.Fatal(err)
		}
		all = append(all, buf.Bytes()...)
	}
	return all
}

func TestReadSamples(t *testing.T) {
	b := testSegment(t)
	got, err := ReadSamples(bytes.NewReader(b), int64(len(b)))
	if err != nil || len(got) != 6 {
		t.Fatal(got, err)
	}
	for i, want := range []struct {
		payload string
		Sample
	}{
		{"picture one", Sample{Track: 1, DTS: 90_000, Duration: 3600, Sync: true}},
		{"two", Sample{Track: 1, DTS: 93_600, Duration: 3600, Composition: -1800}},
		{"sound", Sample{Track: 2, DTS: 44_100, Duration: 1024, Sync: true}},
		{"picture one", Sample{Track: 1, DTS: 97_200, Duration: 3600, Sync: true}},
	} {
		s := got[i]
		if string(b[s.Offset:s.Offset+s.Size]) != want.payload {
			t.Errorf("sample %d is %q", i, b[s.Offset:s.Offset+s.Size])
		}
		s.Offset, s.Size = 0, 0
		if s != want.Sample {
			t.Errorf("sample %d is %+v, want %+v", i, s, want.Sample)
		}
	}
}

// Whatever a segment says, samples lie within it, and reading it takes no more memory than it is worth.
func FuzzReadSamples(f *testing.F) {
	whole := testSegment(f)
	f.Add(whole)
	for _, n := range []int{0, 7, 20, 100, len(whole) / 2, len(whole) - 1} {
		f.Add(whole[:n])
	}
	for _, box := range []string{"moof", "traf", "tfhd", "tfdt", "trun", "mdat"} {
		for _, v := range []uint32{0, 1, 1 << 20, math.MaxUint32} {
			for _, field := range []int{-4, 4, 8, 12} { // sizes, flags, counts and offsets
				b := bytes.Clone(whole)
				binary.BigEndian.PutUint32(b[bytes.Index(b, []byte(box))+field:], v)
				f.Add(b)
			}
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		samples, err := ReadSamples(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		for _, s := range samples {
			if s.Offset < 8 || s.Size <= 0 || s.Offset+s.Size > int64(len(b)) || s.DTS < 0 || s.DTS > 2*bmff.MaxTime || s.Duration < 0 {
				t.Fatalf("%+v in %d bytes", s, len(b))
			}
		}
	})
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func TestReadInit(t *testing.T) {
	tracks, err := ReadInit(testInit(t))
	if err != nil || len(tracks) != 2 {
		t.Fatal(tracks, err)
	}
	v, a := tracks[0], tracks[1]
	if v.ID != 1 || v.Timescale != 90_000 || v.Codec != media.H264 || a.ID != 2 || a.Timescale != 44_100 || a.Codec != media.AAC {
		t.Errorf("%+v", tracks)
	}
	if w, h := Dimensions(v.Entry); w != 1280 || h != 720 {
		t.Errorf("%d x %d", w, h)
	}
	sets, err := ParameterSets(v.Entry)
	if err != nil || !reflect.DeepEqual(sets, [][]byte{testSPS, testPPS}) {
		t.Errorf("%x %v", sets, err)
	}
	if f, ok := Audio(a.Entry); !ok || f != (AudioFormat{ObjectType: 2, Rate: 44_100, Channels: 2}) {
		t.Errorf("%+v %v", f, ok)
	}
}

func FuzzReadInit(f *testing.F) {
	whole := testInit(f)
	for n := 0; n <= len(whole); n += 13 {
		f.Add(whole[:n])
	}
	for _, box := range []string{"moov", "trak", "stsd", "avc1", "avcC", "mp4a", "esds"} {
		b := bytes.Clone(whole)
		copy(b[bytes.Index(b, []byte(box))+4:], "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF")
		f.Add(b)
	}
	f.Fuzz(func(_ *testing.T, b []byte) {
		tracks, err := ReadInit(b)
		if err != nil {
			return
		}
		for _, t := range tracks {
			_, _ = ParameterSets(t.Entry)
			_, _ = Dimensions(t.Entry)
			_, _ = Audio(t.Entry)
			_, _ = WithParameterSets(t.Entry, [][]byte{testSPS}, [][]byte{testPPS})
		}
	})
}

// One sample entry has the parameter sets of both encoders, with the higher level.
func TestWithParameterSets(t *testing.T) {
	tracks, err := ReadInit(testInit(t))
	if err != nil {
		t.Fatal(err)
	}
	sps, pps := bytes.Clone(testSPS), []byte("\x68\x01")
	sps[3] = 42
	both, err := WithParameterSets(tracks[0].Entry, [][]byte{sps}, [][]byte{pps})
	if err != nil {
		t.Fatal(err)
	}
	sets, err := ParameterSets(both)
	if err != nil || !reflect.DeepEqual(sets, [][]byte{testSPS, sps, testPPS, pps}) {
		t.Errorf("%x %v", sets, err)
	}
	if avcC := bmff.Find(both[visualFields:], "avcC"); avcC[3] != 42 {
		t.Errorf("level %d", avcC[3])
	}
	if n := binary.BigEndian.Uint32(both); int(n) != len(both) {
		t.Errorf("a box of %d bytes says %d", len(both), n)
	}
	if _, err := WithParameterSets(tracks[1].Entry, nil, nil); err == nil {
		t.Error("sound has no avcC")
	}
}

// movie is one of n pictures and as much sound, each sample of size bytes.
func movie(t testing.TB, n int, size uint32) *Movie {
	t.Helper()
	tracks, err := ReadInit(testInit(t))
	if err != nil {
		t.Fatal(err)
	}
	m := &Movie{Tracks: []Track{
		{Codec: media.H264, Timescale: 90_000, Entries: [][]byte{tracks[0].Entry, tracks[0].Entry}},
		{Codec: media.AAC, Timescale: 44_100, Entries: [][]byte{tracks[1].Entry}},
	}}
	for i := range n {
		entry := uint16(boolInt(i > n/2))
		m.Tracks[0].Samples = append(m.Tracks[0].Samples, Placed{DTS: int64(i) * 3600, Composition: 3600, Size: size, Sync: i%10 == 0, Entry: entry})
		m.Tracks[1].Samples = append(m.Tracks[1].Samples, Placed{DTS: int64(i) * 1024, Size: size, Sync: true})
	}
	m.Tracks[0].End, m.Tracks[1].End = int64(n)*3600, int64(n)*1024
	for i := 0; i < n; i += 5 {
		m.Chunks = append(m.Chunks, Chunk{0, min(5, n-i)}, Chunk{1, min(5, n-i)})
	}
	return m
}

// Offsets point at the samples behind the head, with 32 bits as long as they suffice and 64 when they do not.
func TestOffsets(t *testing.T) {
	for name, size := range map[string]uint32{"stco": 1000, "co64": math.MaxUint32 / 64} {
		m := movie(t, 64, size)
		m.Chapters = []Chapter{{Span: media.Span{To: 90_000}, Title: "One"}, {Span: media.Span{From: 90_000, To: 180_000}, Title: strings.Repeat("长", 200)}}
		head, err := m.Head()
		if err != nil {
			t.Fatal(err)
		}
		text := chapterSamples(m.fillChapters())
		if !bytes.HasSuffix(head, text) {
			t.Error("the chapters' text is not behind the header of mdat")
		}
		at := int64(len(head))
		want := map[int][]int64{}
		for _, c := range m.Chunks {
			want[c.Track] = append(want[c.Track], at)
			at += int64(c.Samples) * int64(size)
		}
		moov := bmff.Find(head, "moov")
		track := 0
		_ = bmff.Each(moov, func(b bmff.Box) error {
			if !b.Is("trak") || track > 1 {
				return nil
			}
			table := bmff.Find(b.Body(), "mdia", "minf", "stbl", name)
			if table == nil {
				t.Fatalf("track %d has no %s", track, name)
			}
			var got []int64
			p := bmff.Fields{B: table}
			p.Skip(4)
			for range p.U32() {
				if name == "co64" {
					got = append(got, int64(p.U64()))
				} else {
					got = append(got, int64(p.U32()))
				}
			}
			for _, w := range want[track] {
				if !slices.Contains(got, w) {
					t.Errorf("%s of track %d: %d is missing in %v", name, track, w, got)
				}
			}
			// The pictures' sample entry changes within a chunk.
			if extra := len(got) - len(want[track]); extra != boolInt(track == 0) {
				t.Errorf("track %d has %d chunks more than were asked for", track, extra)
			}
			track++
			return nil
		})
	}
}

// A movie whose chunks and samples do not fit together is an error, not a file.
func TestChunks(t *testing.T) {
	for name, spoil := range map[string]func(*Movie){
		"too few":    func(m *Movie) { m.Chunks = m.Chunks[:3] },
		"too many":   func(m *Movie) { m.Chunks = append(m.Chunks, Chunk{0, 1}) },
		"none":       func(m *Movie) { m.Chunks = nil },
		"no samples": func(m *Movie) { m.Chunks[0].Samples = 0 },
		"no track":   func(m *Movie) { m.Chunks[0].Track = 2 },
	} {
		m := movie(t, 64, 10)
		spoil(m)
		if _, err := m.Head(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// BenchmarkHead makes the index of a clip of an hour.
func BenchmarkHead(b *testing.B) {
	m := movie(b, 90_000, 1000)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.Head(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkReadSamples reads the index of a segment of two fragments.
func BenchmarkReadSamples(b *testing.B) {
	segment := testSegment(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ReadSamples(bytes.NewReader(segment), int64(len(segment))); err != nil {
			b.Fatal(err)
		}
	}
}
