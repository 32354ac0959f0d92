package mp4

import (
	"math"

	"github.com/vitrine-live/vitrine/media"
)

// Flags of tkhd (8.3.2.3).
const (
	trackEnabled  = 1
	trackInMovie  = 2
	chapterFormat = 0 // of the text track: neither
)

func (t *Track) isText() bool { return t.Codec == 0 }

// trak appends one track. base is where mdat's body begins in the file.
func (w *builder) trak(l *layout, i int, base int64) {
	t := &l.tracks[i]
	w.box("trak", func() {
		w.tkhd(l, t, i)
		if len(t.Edits) > 0 {
			w.box("edts", func() { w.elst(t) })
		}
		if i == 0 && len(l.tracks) > len(l.Tracks) {
			w.box("tref", func() { w.box("chap", func() { w.u32(uint32(len(l.tracks))) }) })
		}
		w.box("mdia", func() {
			w.mdhd(l, t)
			w.hdlr(t)
			w.box("minf", func() {
				w.mediaHeader(t)
				w.box("dinf", func() {
					w.full("dref", 0, 0, func() {
						w.u32(1)
						w.full("url ", 0, 1, func() {}) // in this file
					})
				})
				w.box("stbl", func() { w.stbl(l, t, l.chunks[i], base) })
			})
		})
	})
}

func (w *builder) tkhd(l *layout, t *Track, i int) {
	flags, volume, group := uint32(trackEnabled|trackInMovie), uint16(0), uint16(0)
	switch {
	case t.isText():
		flags = chapterFormat
	case t.Codec.Kind() == media.Audio:
		volume, group = 0x100, 1
	}
	width, height := 0, 0
	for _, e := range t.Entries {
		if t.isText() || t.Codec.Kind() == media.Audio {
			break
		}
		x, y := Dimensions(e)
		width, height = max(width, x), max(height, y)
	}
	duration := t.duration()
	long := duration > math.MaxUint32-1
	w.full("tkhd", version(long), flags, func() {
		w.time(l.created(), long)
		w.time(l.created(), long)
		w.u32(uint32(i + 1))
		w.u32(0)
		w.time(int64(duration), long)
		w.zeros(8)
		w.u16(0) // layer
		w.u16(group)
		w.u16(volume)
		w.u16(0)
		w.matrix()
		w.u32(uint32(width) << 16)
		w.u32(uint32(height) << 16)
	})
}

func (w *builder) elst(t *Track) {
	long := false
	for _, e := range t.Edits {
		long = long || e.Length > math.MaxUint32 || e.From != Empty && e.From-t.Samples[0].DTS > math.MaxInt32
	}
	w.full("elst", version(long), 0, func() {
		w.u32(uint32(len(t.Edits)))
		for _, e := range t.Edits {
			at := int64(-1)
			if e.From != Empty {
				at = e.From - t.Samples[0].DTS
			}
			w.time(int64(e.Length), long)
			w.time(at, long)
			w.u32(0x1_0000) // rate 1
		}
	})
}

func (w *builder) mdhd(l *layout, t *Track) {
	duration := t.End - t.Samples[0].DTS
	long := duration > math.MaxUint32-1
	w.full("mdhd", version(long), 0, func() {
		w.time(l.created(), long)
		w.time(l.created(), long)
		w.u32(t.Timescale)
		w.time(duration, long)
		w.language()
	})
}

func (w *builder) hdlr(t *Track) {
	kind, name := "text", "Chapters"
	if !t.isText() {
		kind, name = "vide", "Pictures"
		if t.Codec.Kind() == media.Audio {
			kind, name = "soun", "Sound"
		}
	}
	w.full("hdlr", 0, 0, func() {
		w.u32(0)
		w.text(kind)
		w.zeros(12)
		w.text(name + "\x00")
	})
}

func (w *builder) mediaHeader(t *Track) {
	switch {
	case t.isText():
		w.textHeader()
	case t.Codec.Kind() == media.Audio:
		w.full("smhd", 0, 0, func() { w.u32(0) })
	default:
		w.full("vmhd", 0, 1, func() { w.zeros(8) })
	}
}

func (w *builder) stbl(l *layout, t *Track, chunks []placedChunk, base int64) {
	w.full("stsd", 0, 0, func() {
		w.u32(uint32(len(t.Entries)))
		for _, e := range t.Entries {
			w.bytes(e)
		}
	})
	w.stts(t)
	w.ctts(t)
	w.stss(t)
	w.stsc(chunks)
	w.full("stsz", 0, 0, func() {
		w.u32(0)
		w.u32(uint32(len(t.Samples)))
		for i := range t.Samples {
			w.u32(t.Samples[i].Size)
		}
	})
	w.offsets(chunks, base, l)
	if t.Codec == media.AAC {
		w.roll(len(t.Samples))
	}
}

// runs appends a table of runs: each is preceded by how many samples in turn have the same value.
func (w *builder) runs(n int, value func(i int) uint32) {
	count := len(w.b)
	w.u32(0)
	entries := uint32(0)
	for i := 0; i < n; {
		v, from := value(i), i
		for i < n && value(i) == v {
			i++
		}
		w.u32(uint32(i - from))
		w.u32(v)
		entries++
	}
	w.putU32(count, entries)
}

func (w *builder) stts(t *Track) {
	w.full("stts", 0, 0, func() {
		w.runs(len(t.Samples), func(i int) uint32 {
			if i+1 < len(t.Samples) {
				return uint32(t.Samples[i+1].DTS - t.Samples[i].DTS)
			}
			return uint32(t.End - t.Samples[i].DTS)
		})
	})
}

// ctts is left out where every sample is presented when it is decoded. Offsets below zero need version 1 (8.6.1.3).
func (w *builder) ctts(t *Track) {
	needed, signed := false, false
	for i := range t.Samples {
		c := t.Samples[i].Composition
		needed, signed = needed || c != 0, signed || c < 0
	}
	if needed {
		w.full("ctts", version(signed), 0, func() {
			w.runs(len(t.Samples), func(i int) uint32 { return uint32(t.Samples[i].Composition) })
		})
	}
}

// stss is left out where every sample is a sync sample (8.6.2).
func (w *builder) stss(t *Track) {
	syncs := uint32(0)
	for i := range t.Samples {
		if t.Samples[i].Sync {
			syncs++
		}
	}
	if int(syncs) == len(t.Samples) {
		return
	}
	w.full("stss", 0, 0, func() {
		w.u32(syncs)
		for i := range t.Samples {
			if t.Samples[i].Sync {
				w.u32(uint32(i + 1))
			}
		}
	})
}

func (w *builder) stsc(chunks []placedChunk) {
	w.full("stsc", 0, 0, func() {
		count := len(w.b)
		w.u32(0)
		entries := uint32(0)
		for i, c := range chunks {
			if i > 0 && chunks[i-1].samples == c.samples && chunks[i-1].entry == c.entry {
				continue
			}
			w.u32(uint32(i + 1))
			w.u32(uint32(c.samples))
			w.u32(uint32(c.entry) + 1)
			entries++
		}
		w.putU32(count, entries)
	})
}

func (w *builder) offsets(chunks []placedChunk, base int64, l *layout) {
	name := "stco"
	if l.long {
		name = "co64"
	}
	base -= int64(len(l.text)) // which stands in the head already
	w.full(name, 0, 0, func() {
		w.u32(uint32(len(chunks)))
		for _, c := range chunks {
			w.time(base+c.offset, l.long)
		}
	})
}

// roll says that sound needs the access unit before to come out right (10.1).
func (w *builder) roll(samples int) {
	w.full("sgpd", 1, 0, func() {
		w.text("roll")
		w.u32(2) // default_length
		w.u32(1)
		w.u16(0xFFFF) // -1
	})
	w.full("sbgp", 0, 0, func() {
		w.text("roll")
		w.u32(1)
		w.u32(uint32(samples))
		w.u32(1)
	})
}
