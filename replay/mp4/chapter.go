package mp4

import (
	"encoding/binary"
	"math"
	"strings"

	"github.com/vitrine-live/vitrine/media"
)

const (
	// maxTitle is how much of a chapter's title is kept, in bytes: what chpl can hold.
	maxTitle = 255
	// maxNero is how many chapters chpl can hold.
	maxNero = 255
)

// fillChapters returns the chapters without holes, as a text track has none: an untitled one stands in each.
func (m *Movie) fillChapters() (filled []Chapter) {
	at := media.Ticks(0)
	for _, c := range m.Chapters {
		c.Span.From = max(c.Span.From, at)
		if c.Span.Empty() {
			continue
		}
		if c.Span.From > at {
			filled = append(filled, Chapter{Span: media.Span{From: at, To: c.Span.From}})
		}
		c.Title = truncate(c.Title, maxTitle)
		filled = append(filled, c)
		at = c.Span.To
	}
	return filled
}

// truncate cuts a text to at most n bytes without breaking a character.
func truncate(s string, n int) string {
	if len(s) > n {
		s = s[:n]
	}
	return strings.ToValidUTF8(s, "")
}

// chapterTrack is the text track of the chapters (QuickTime File Format, "Chapter Lists"); nil without any.
func (m *Movie) chapterTrack() *Track {
	filled := m.fillChapters()
	if len(filled) == 0 {
		return nil
	}
	t := &Track{Timescale: uint32(media.TicksPerSecond), Entries: [][]byte{textEntry()}}
	for _, c := range filled {
		t.Samples = append(t.Samples, Placed{DTS: int64(c.Span.From), Size: uint32(len(chapterSample(c.Title))), Sync: true})
		t.End = int64(c.Span.To)
	}
	return t
}

func chapterSamples(chapters []Chapter) (b []byte) {
	for _, c := range chapters {
		b = append(b, chapterSample(c.Title)...)
	}
	return b
}

// chapterSample is a text behind its length, and an encd box that says that it is UTF-8.
func chapterSample(title string) []byte {
	w := builder{b: binary.BigEndian.AppendUint16(nil, uint16(len(title)))}
	w.text(title)
	w.box("encd", func() { w.u32(0x100) })
	return w.b
}

// textEntry is a sample description of QuickTime text.
func textEntry() []byte {
	var w builder
	w.box("text", func() {
		w.zeros(6)
		w.u16(1) // data_reference_index
		w.u32(1) // do not scale
		w.u32(1) // centred
		w.zeros(6 + 8 + 8)
		w.u16(0)   // font
		w.u16(0)   // plain
		w.zeros(3) // reserved
		for range 3 {
			w.u16(math.MaxUint16) // white
		}
		w.u8(0) // no name of a font
	})
	return w.b
}

// textHeader is the base media header of QuickTime text.
func (w *builder) textHeader() {
	w.box("gmhd", func() {
		w.full("gmin", 0, 0, func() {
			w.u16(0x40) // dither copy
			for range 3 {
				w.u16(0x8000)
			}
			w.zeros(4)
		})
		w.box("text", func() { w.matrix() })
	})
}

// udta appends the user data: chapters as Nero's players read them, and the tags.
func (w *builder) udta(m *Movie) {
	w.box("udta", func() {
		if len(m.Chapters) > 0 {
			w.chpl(m.fillChapters())
		}
		w.full("meta", 0, 0, func() {
			w.full("hdlr", 0, 0, func() {
				w.u32(0)
				w.text("mdirappl")
				w.zeros(9)
			})
			w.box("ilst", func() { w.tags(&m.Tags) })
		})
	})
}

func (w *builder) chpl(chapters []Chapter) {
	chapters = chapters[:min(len(chapters), maxNero)]
	w.full("chpl", 1, 0, func() {
		w.u32(0)
		w.u8(uint8(len(chapters)))
		for _, c := range chapters {
			w.u64(uint64(c.Span.From) * 1000 / 9) // of 100 ns
			w.u8(uint8(len(c.Title)))
			w.text(c.Title)
		}
	})
}

// tags appends the items of iTunes' metadata list.
func (w *builder) tags(t *Tags) {
	for _, item := range []struct{ name, value string }{
		{"\xa9nam", t.Title}, {"\xa9cmt", t.Comment}, {"\xa9too", "Vitrine"},
	} {
		if item.value != "" {
			w.box(item.name, func() { w.utf8(item.value) })
		}
	}
	for _, c := range t.Custom {
		w.box("----", func() {
			w.full("mean", 0, 0, func() { w.text(c.Domain) })
			w.full("name", 0, 0, func() { w.text(c.Name) })
			w.utf8(c.Value)
		})
	}
}

func (w *builder) utf8(s string) {
	w.full("data", 0, 1, func() {
		w.u32(0) // locale
		w.text(strings.ToValidUTF8(s, "\uFFFD"))
	})
}
