package mp4

import (
	"errors"
	"math"
	"time"

	"github.com/vitrine-live/vitrine/media"
)

// Movie is a progressive MP4 file whose index stands before its media, so that it plays while it is being fetched. The
// media follows what Head returns, in the order of Chunks.
type Movie struct {
	Tracks   []Track // pictures before sound
	Chunks   []Chunk
	Chapters []Chapter
	Tags     Tags
	Created  time.Time // whole seconds; zero: not told
}

// Track is one track of a Movie.
type Track struct {
	Codec     media.Codec
	Timescale uint32 // units a second
	// Entries are the sample entries, with their headers: a second one where parameters change.
	Entries [][]byte
	// Samples are in decode order, their DTS rising strictly; at least one.
	Samples []Placed
	// End is the decode time at which the last sample ends.
	End int64
	// Edits say what is presented, from the movie's start on; none is everything.
	Edits []Edit
}

// Placed is one sample of a Movie. Times are in units of its track, from any origin.
type Placed struct {
	DTS         int64
	Composition int32 // PTS - DTS
	Size        uint32
	Entry       uint16 // index into Entries
	Sync        bool
}

// Empty is the media time of an Edit that presents nothing.
const Empty = math.MinInt64

// Edit presents a stretch of a track (8.6.6).
type Edit struct {
	From   int64 // PTS at which it begins, on the clock of the samples, or Empty
	Length media.Ticks
}

// Chunk is a run of samples of one track that lie together. Those of a track come in the order of its samples and
// cover them all.
type Chunk struct {
	Track   int
	Samples int
}

// Chapter is one entry of the table of contents. Chapters are in order and do not overlap.
type Chapter struct {
	Span  media.Span // from the movie's start
	Title string
}

// Tags describe the movie to players and libraries. Empty ones are left out.
type Tags struct {
	Title, Comment string
	Custom         []Custom
}

// Custom is a tag of one's own.
type Custom struct{ Domain, Name, Value string }

// Head makes everything before the media: ftyp, moov, and the header of mdat. The result is an error for a movie
// whose chunks and samples do not fit together.
func (m *Movie) Head() ([]byte, error) {
	chapters := m.chapterTrack()
	l := layout{Movie: m, tracks: m.Tracks}
	if chapters != nil {
		l.tracks = append(l.tracks[:len(l.tracks):len(l.tracks)], *chapters)
		l.text = chapterSamples(m.fillChapters())
	}
	if err := l.place(); err != nil {
		return nil, err
	}
	// The table of chunk offsets stands before what it points to: its size is known only when the rest is.
	head := l.head(0)
	if l.last+int64(len(head)) > math.MaxUint32 {
		l.long = true
		head = l.head(0)
	}
	return l.head(int64(len(head))), nil
}

// layout is a movie whose samples have their place.
type layout struct {
	*Movie
	tracks []Track
	text   []byte // samples of the chapters, which stand before the media
	long   bool   // chunk offsets need 64 bits
	media  int64  // bytes of mdat's body
	last   int64  // offset of the last chunk in it
	chunks [][]placedChunk
}

// placedChunk is a chunk of samples with one sample entry.
type placedChunk struct {
	offset  int64 // in mdat's body
	samples int
	entry   uint16
}

// place finds the offset of every chunk.
func (l *layout) place() error {
	l.chunks = make([][]placedChunk, len(l.tracks))
	if n := len(l.tracks) - 1; len(l.tracks) > len(l.Tracks) {
		l.chunks[n] = []placedChunk{{samples: len(l.tracks[n].Samples)}}
	}
	l.media = int64(len(l.text))
	next := make([]int, len(l.Tracks))
	for _, c := range l.Chunks {
		if c.Track < 0 || c.Track >= len(l.Tracks) || c.Samples < 1 || c.Samples > len(l.Tracks[c.Track].Samples)-next[c.Track] {
			return errors.New("a chunk has samples that its track has not")
		}
		samples := l.Tracks[c.Track].Samples[next[c.Track]:][:c.Samples]
		next[c.Track] += c.Samples
		l.placeChunk(c.Track, samples)
	}
	for i := range next {
		if next[i] != len(l.Tracks[i].Samples) || next[i] == 0 {
			return errors.New("samples are in no chunk")
		}
	}
	return nil
}

// placeChunk places samples that lie together, as many chunks as they have sample entries in turn.
func (l *layout) placeChunk(track int, samples []Placed) {
	c := placedChunk{offset: l.media, entry: samples[0].Entry}
	for i := range samples {
		if s := &samples[i]; s.Entry != c.entry {
			l.chunks[track] = append(l.chunks[track], c)
			c = placedChunk{offset: l.media, entry: s.Entry}
		}
		c.samples++
		l.media += int64(samples[i].Size)
	}
	l.chunks[track] = append(l.chunks[track], c)
	l.last = c.offset
}

// brands: version 2 of ISO base media, which edit lists and signed compositions came with, and MP4.
var brands = []string{"isom", "iso4", "mp42"}

func (l *layout) head(base int64) []byte {
	var w builder
	w.box("ftyp", func() {
		w.text("isom")
		w.u32(0x200)
		for _, brand := range brands {
			w.text(brand)
		}
	})
	w.box("moov", func() {
		w.mvhd(l)
		for i := range l.tracks {
			w.trak(l, i, base)
		}
		w.udta(l.Movie)
	})
	if size := l.media + 8; size <= math.MaxUint32 {
		w.u32(uint32(size))
		w.text("mdat")
	} else {
		w.u32(1)
		w.text("mdat")
		w.u64(uint64(size + 8))
	}
	w.bytes(l.text)
	return w.b
}

// duration is how long a track is presented.
func (t *Track) duration() (d media.Ticks) {
	if len(t.Edits) == 0 {
		return media.Rescale(media.Ticks(t.End-t.Samples[0].DTS), int64(media.TicksPerSecond), int64(t.Timescale))
	}
	for _, e := range t.Edits {
		d += e.Length
	}
	return d
}

// since1904 is the epoch of MP4's times (8.2.2.3).
const since1904 = 2_082_844_800

func (m *Movie) created() int64 {
	if m.Created.IsZero() {
		return 0
	}
	return m.Created.Unix() + since1904
}

func (w *builder) mvhd(l *layout) {
	duration := media.Ticks(0)
	for i := range l.tracks {
		duration = max(duration, l.tracks[i].duration())
	}
	long := duration > math.MaxUint32-1
	w.full("mvhd", version(long), 0, func() {
		w.time(l.created(), long)
		w.time(l.created(), long)
		w.u32(uint32(media.TicksPerSecond))
		w.time(int64(duration), long)
		w.u32(0x1_0000) // rate
		w.u16(0x100)    // volume
		w.zeros(10)
		w.matrix()
		w.zeros(24)
		w.u32(uint32(len(l.tracks) + 1))
	})
}

func version(long bool) uint8 {
	if long {
		return 1
	}
	return 0
}
