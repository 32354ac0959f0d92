package hlspull

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4/seekablebuffer"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/mp4/codecs"

	"github.com/vitrine-live/vitrine/internal/bmff"
	"github.com/vitrine-live/vitrine/media"
)

func boxOf(kind string, parts ...[]byte) []byte {
	return sized(append(newBox(kind), bytes.Join(parts, nil)...))
}

func words(v ...uint32) (out []byte) {
	for _, w := range v {
		out = binary.BigEndian.AppendUint32(out, w)
	}
	return out
}

// terse is a segment of three AAC packets of six bytes, of which nothing but their number is said; the init segment's
// trex says the rest.
func terse(t testing.TB) (init, segment []byte) {
	var buf seekablebuffer.Buffer
	in := fmp4.Init{Tracks: []*fmp4.InitTrack{{ID: 7, TimeScale: 48000, Codec: &codecs.MPEG4Audio{Config: testAAC}}}}
	if err := in.Marshal(&buf); err != nil {
		t.Fatal(err)
	}
	init = buf.Bytes()
	if err := walk(init, []string{"moov", "mvex", "trex"}, func(b bmff.Box) error {
		copy(b[20:], words(1024, 6))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	moof := func(offset uint32) []byte {
		return boxOf("moof", boxOf("mfhd", words(0, 1)), boxOf("traf",
			boxOf("tfhd", words(0x20000|tfhdDescription, 7, 1)), boxOf("tfdt", words(0, 48000)), boxOf("trun", words(1, 3, offset))))
	}
	data := []byte("\x21AAAAA\x21BBBBB\x21CCCCC")
	return init, append(moof(uint32(len(moof(0)))+8), boxOf("mdat", data)...)
}

func TestDefaultsOfTrex(t *testing.T) {
	init, segment := terse(t)
	d, err := newFMP4Demuxer(init)
	if err != nil {
		t.Fatal(err)
	}
	before := bytes.Clone(segment)
	got, err := d.demux(segment)
	if err != nil || len(got) != 3 {
		t.Fatalf("%d samples, %v", len(got), err)
	}
	for i, s := range got {
		if want := media.TicksPerSecond + media.Ticks(i)*1920; s.DTS != want || len(s.Payload) != 6 || s.Payload[1] != byte('A'+i) {
			t.Errorf("sample %d: %q at %d", i, s.Payload, s.DTS)
		}
	}
	if !bytes.Equal(before, segment) {
		t.Error("what was read is changed")
	}
	tame, _, err := tameInit(init)
	if err != nil || defaultsOf(tame) != nil {
		t.Errorf("the client is told of defaults: %v", err)
	}
}

// A segment that says everything, and one that nobody understands, stay as they are.
func TestSpellOutLeavesAlone(t *testing.T) {
	_, segment := terse(t)
	if got := spellOut(segment, nil); &got[0] != &segment[0] {
		t.Error("copied for nothing")
	}
	defaults := map[uint32]sampleDefaults{7: {1, 1}}
	for n := range segment {
		_ = spellOut(segment[:n], defaults)
	}
	if got := spellOut(segment, map[uint32]sampleDefaults{8: {1, 1}}); !bytes.Equal(got, segment) {
		t.Error("the defaults of another track were taken")
	}
	once := spellOut(segment, defaults)
	if got := spellOut(longHeaders(t, segment), defaults); !bytes.Equal(got, once) {
		t.Error("sizes of 64 bits were not understood")
	}
	if twice := spellOut(once, defaults); !bytes.Equal(once, twice) {
		t.Error("said twice")
	}
}

// longHeaders gives the moof of a segment, its traf and its tfhd sizes of 64 bits. Data offsets grow with them.
func longHeaders(t *testing.T, segment []byte) []byte {
	t.Helper()
	long := func(kind string, body []byte) []byte {
		b := append(words(1), kind...)
		return append(binary.BigEndian.AppendUint64(b, uint64(16+len(body))), body...)
	}
	within := func(b bmff.Box, kind string, change func(bmff.Box) []byte) (out []byte) {
		if err := bmff.Each(b.Body(), func(b bmff.Box) error {
			if b.Is(kind) {
				b = change(b)
			}
			out = append(out, b...)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return long(b.Type(), out)
	}
	moof, data, err := bmff.Next(segment)
	if err != nil {
		t.Fatal(err)
	}
	grown := within(moof, "traf", func(traf bmff.Box) []byte {
		return within(traf, "tfhd", func(tfhd bmff.Box) []byte { return long("tfhd", tfhd.Body()) })
	})
	if err := moveData(grown, uint32(len(grown)-len(moof))); err != nil {
		t.Fatal(err)
	}
	return append(grown, data...)
}

func FuzzSpellOut(f *testing.F) {
	_, segment := terse(f)
	f.Add(segment)
	f.Fuzz(func(_ *testing.T, data []byte) {
		_ = defaultsOf(data)
		_ = spellOut(data, map[uint32]sampleDefaults{7: {1024, 6}})
	})
}
