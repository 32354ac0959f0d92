package bmff

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
)

// box makes a box of its parts.
func box(boxType string, parts ...[]byte) []byte {
	body := bytes.Join(parts, nil)
	return append(append(words(uint32(8+len(body))), boxType...), body...)
}

// long makes a box whose size takes 64 bits.
func long(boxType string, size uint64, body string) []byte {
	b := append(words(1), boxType...)
	return append(binary.BigEndian.AppendUint64(b, size), body...)
}

func words(v ...uint32) (out []byte) {
	for _, w := range v {
		out = binary.BigEndian.AppendUint32(out, w)
	}
	return out
}

func TestNext(t *testing.T) {
	for name, c := range map[string]struct {
		in         []byte
		body, rest string
		err        bool
	}{
		"usual":                {in: append(box("mdat", []byte("abc")), "rest"...), body: "abc", rest: "rest"},
		"empty":                {in: box("free")},
		"to the end":           {in: append(words(0), "mdatall of it"...), body: "all of it"},
		"64 bits":              {in: append(long("mdat", 19, "abc"), "rest"...), body: "abc", rest: "rest"},
		"nothing":              {err: true},
		"half a header":        {in: box("free")[:7], err: true},
		"half a long header":   {in: long("mdat", 16, "")[:15], err: true},
		"less than its header": {in: append(words(7), "free...."...), err: true},
		"less than it, long":   {in: long("mdat", 15, "abcdefgh"), err: true},
		"one byte missing":     {in: box("mdat", []byte("abc"))[:10], err: true},
		"one missing, long":    {in: long("mdat", 20, "abc"), err: true},
		"4 GB":                 {in: append(words(math.MaxUint32), "mdat"...), err: true},
		"negative":             {in: long("mdat", 1<<63, "abc"), err: true},
		"all bits":             {in: long("mdat", math.MaxUint64, "abc"), err: true},
	} {
		b, rest, err := Next(c.in)
		if c.err {
			if !errors.Is(err, ErrTruncated) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil || string(b.Body()) != c.body || string(rest) != c.rest || !b.Is(b.Type()) || len(b)+len(rest) != len(c.in) {
			t.Errorf("%s: %q, %q, %v", name, b, rest, err)
		}
	}
}

// A box of a file that is not in memory may be larger than memory, but not than the file.
func TestReadHeader(t *testing.T) {
	const size = 1 << 40
	head := long("mdat", size, "")
	h, err := ReadHeader(head, size)
	if err != nil || h.Size != size || h.Len != 16 || !h.Is("mdat") {
		t.Error(h, err)
	}
	if _, err := ReadHeader(head, size-1); !errors.Is(err, ErrTruncated) {
		t.Error(err)
	}
	if _, err := ReadHeader(append(words(0), "free"...), 7); !errors.Is(err, ErrTruncated) {
		t.Error(err)
	}
}

func TestFind(t *testing.T) {
	b := slices.Concat(box("free"), box("moov", box("trak", []byte("\x00\x00\x00\x09one!1")), box("trak", box("two!"))), box("moov"))
	if got := Find(b, "moov", "trak", "one!"); string(got) != "1" {
		t.Errorf("%q", got)
	}
	for _, path := range []string{"mdat", "moov trak two!", "moov trak one! more"} { // the first of a type is entered, no other
		if got := Find(b, strings.Fields(path)...); got != nil {
			t.Errorf("%s: %q", path, got)
		}
	}
	if got := Find(append(box("ftyp"), "\xFF\xFF\xFF\xFFmoov"...), "moov"); got != nil {
		t.Errorf("of a damaged box: %q", got)
	}
	if got := Find(box("free"), "free"); got == nil {
		t.Error("an empty box is one")
	}
}

func TestFields(t *testing.T) {
	f := Fields{B: []byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}}
	if f.U8() != 1 || f.U16() != 0x203 || f.U32() != 0x4050607 || f.U64() != 0x8090a0b0c0d0e0f || f.Err() != nil {
		t.Errorf("%+v", f)
	}
	if f.U16() != 0 || !f.Short || len(f.B) != 0 || !errors.Is(f.Err(), ErrTruncated) {
		t.Errorf("%+v", f)
	}
}

const moofIsBase = 0x02_0000 // default-base-is-moof

// fragment is a moof with a track of pictures, which says all of each, and one of sound, which says it once, behind a
// box that is passed over; then their bytes.
func fragment() []byte {
	build := func(end uint32) []byte {
		return box("moof", box("mfhd", words(0, 1)),
			box("traf", box("tfhd", words(moofIsBase, 1)), box("tfdt", words(1<<24, 1, 5)),
				box("trun", words(1<<24|trunDataOffset|trunSampleDuration|trunSampleSize|trunSampleFlags|trunSampleCompositions, 2, end,
					3000, 7, 0, 0, 3600, 3, sampleIsNonSync, math.MaxUint32-1799))),
			box("traf", box("tfhd", words(moofIsBase|tfhdDescriptionIndex|tfhdDefaultDuration|tfhdDefaultSize|tfhdDefaultFlags, 2, 1, 1024, 2, sampleIsNonSync)),
				box("tfdt", words(0, 48_000)),
				box("trun", words(trunDataOffset|trunFirstSampleFlags, 2, end+10, 0)),
				box("trun", words(0, 1))))
	}
	return append(build(uint32(len(build(0)))+8), box("mdat", []byte("picture"), []byte("two"), []byte("aabbcc"))...)
}

// read reads a whole segment.
func read(b []byte) (samples []Sample, err error) {
	at := int64(0)
	err = Each(b, func(x Box) (err error) {
		if x.Is("moof") {
			samples, err = AppendSamples(samples, x, at, int64(len(b)))
		}
		at += int64(len(x))
		return err
	})
	return samples, err
}

func TestAppendSamples(t *testing.T) {
	b := append(fragment(), fragment()...)
	got, err := read(b)
	if err != nil || len(got) != 10 {
		t.Fatal(got, err)
	}
	for i, want := range []struct {
		bytes string
		Sample
	}{
		{"picture", Sample{Track: 1, DTS: 1<<32 | 5, Duration: 3000, Sync: true}},
		{"two", Sample{Track: 1, DTS: 1<<32 | 3005, Duration: 3600, Composition: -1800}},
		{"aa", Sample{Track: 2, DTS: 48_000, Duration: 1024, Sync: true}},
		{"bb", Sample{Track: 2, DTS: 49_024, Duration: 1024}},
		{"cc", Sample{Track: 2, DTS: 50_048, Duration: 1024}},
	} {
		for _, s := range []Sample{got[i], got[5+i]} {
			if in := string(b[s.Offset:][:s.Size]); in != want.bytes {
				t.Errorf("sample %d is %q", i, in)
			}
			s.Offset, s.Size = 0, 0
			if s != want.Sample {
				t.Errorf("sample %d is %+v, want %+v", i, s, want.Sample)
			}
		}
	}
	if pts := got[1].PTS(); pts != 1<<32|1205 {
		t.Errorf("PTS %d", pts)
	}
}

// hostile are segments that claim what cannot be.
func hostile() map[string][]byte {
	head, time := box("tfhd", words(moofIsBase|tfhdDefaultDuration|tfhdDefaultSize, 1, 1000, 1)), box("tfdt", words(0, 0))
	run := func(v ...uint32) []byte { return box("trun", words(v...)) }
	segment := func(boxes ...[]byte) []byte {
		return append(box("moof", box("traf", boxes...)), box("mdat", make([]byte, 100))...)
	}
	data := uint32(len(segment(head, time, run(trunDataOffset, 1, 0))) - 100)
	return map[string][]byte{
		"run before tfdt":         segment(head, run(trunDataOffset, 1, data)),
		"run before tfhd":         segment(time, run(trunDataOffset, 1, data)),
		"empty traf header":       segment(box("tfhd"), time, run(trunDataOffset, 1, data)),
		"base data offset":        segment(box("tfhd", words(tfhdBaseDataOffset, 1, 0, 0)), time, run(trunDataOffset, 1, data)),
		"tfhd without defaults":   segment(box("tfhd", words(tfhdDefaultDuration|tfhdDefaultSize, 1, 1000)), time, run(trunDataOffset, 1, data)),
		"half a decode time":      segment(head, box("tfdt", words(1<<24, 0)), run(trunDataOffset, 1, data)),
		"late decode time":        segment(head, box("tfdt", words(1<<24, 1<<12, 0)), run(trunDataOffset, 1, data)),
		"overflow of times":       segment(box("tfhd", words(tfhdDefaultDuration|tfhdDefaultSize, 1, math.MaxUint32, 1)), box("tfdt", words(1<<24, 1<<11, 0)), run(trunDataOffset, 2, data)),
		"no data offset":          segment(head, time, run(0, 1)),
		"offset within the moof":  segment(head, time, run(trunDataOffset, 1, data-9)),
		"offset behind the end":   segment(head, time, run(trunDataOffset, 1, data+101)),
		"negative offset":         segment(head, time, run(trunDataOffset, 1, math.MaxUint32)),
		"sample at the end":       segment(head, time, run(trunDataOffset, 1, data+100)),
		"one sample too many":     segment(head, time, run(trunDataOffset, 101, data)),
		"a table of 4 GB":         segment(head, time, run(trunDataOffset|trunSampleSize, 1<<30, data)),
		"all samples there are":   segment(head, time, run(trunDataOffset, math.MaxUint32, data)),
		"half a table":            segment(head, time, run(trunDataOffset|trunSampleSize, 2, data+4, 1)),
		"run without fields":      segment(head, time, run(trunDataOffset)),
		"a sample of 4 GB":        segment(head, time, run(trunDataOffset|trunSampleSize, 1, data+4, math.MaxUint32)),
		"an empty sample":         segment(head, time, run(trunDataOffset|trunSampleSize, 1, data+4, 0)),
		"a box that is too large": segment(head, time, append(words(1000), "trun"...)),
	}
}

func TestHostile(t *testing.T) {
	for name, b := range hostile() {
		if got, err := read(b); err == nil {
			t.Errorf("%s: no error, %+v", name, got)
		}
	}
	whole := fragment()
	for n := 1; n < len(whole); n++ { // a cut between moof and mdat takes the samples' bytes
		if _, err := read(whole[:n]); err == nil {
			t.Errorf("no error when cut after %d of %d bytes", n, len(whole))
		}
	}
}

// The bound holds for a segment, not for each run of it: here each has 30,000 samples.
func TestMaxSamples(t *testing.T) {
	const n = 30_000
	traf := func(offset uint32) []byte {
		return box("traf", box("tfhd", words(tfhdDefaultSize, 1, 1)), box("tfdt", words(0, 0)), box("trun", words(trunDataOffset, n, offset)))
	}
	for trafs := 1; trafs <= 3; trafs++ {
		moof := box("moof", bytes.Repeat(traf(1000), trafs))
		b := append(append(moof, box("free", make([]byte, 1000-len(moof)-8))...), make([]byte, n)...)
		got, err := AppendSamples(nil, Box(moof), 0, int64(len(b)))
		if ok := trafs*n <= MaxSamples; ok != (err == nil) || ok && len(got) != trafs*n {
			t.Errorf("%d runs: %d samples, %v", trafs, len(got), err)
		}
	}
}

// Whatever a segment says, boxes and samples lie within it, and reading it takes no more memory than it is worth.
func FuzzSegment(f *testing.F) {
	whole := fragment()
	f.Add(whole)
	f.Add(append(fragment(), whole...))
	f.Add(long("moof", math.MaxUint64, "traf"))
	f.Add(long("moof", uint64(len(whole)), string(whole[8:])))
	for _, n := range []int{7, 9, 24, 100, len(whole) / 2, len(whole) - 1} {
		f.Add(whole[:n])
	}
	for _, b := range hostile() {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if body := Find(b, "moof", "traf", "tfhd"); len(body) > max(0, len(b)-24) {
			t.Fatalf("a box of %d bytes in %d", len(body), len(b))
		}
		samples, err := read(b)
		if limit := 2*len(b) + 16; cap(samples) > limit {
			t.Fatalf("room for %d samples in %d bytes", cap(samples), len(b))
		}
		if err != nil {
			return
		}
		for _, s := range samples {
			if s.Offset < 8 || s.Size <= 0 || s.Offset+s.Size > int64(len(b)) || s.DTS < 0 || s.DTS > MaxTime || s.Duration < 0 {
				t.Fatalf("%+v in %d bytes", s, len(b))
			}
		}
	})
}
