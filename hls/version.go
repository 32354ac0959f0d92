package hls

import (
	"bytes"
	"compress/gzip"
	"hash/fnv"
	"slices"
	"strconv"
	"sync"

	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/hls/ts"
	"github.com/vitrine-live/vitrine/media"
)

// edge is the newest version of a show's playlists, and the signal that there is more media than in it.
type edge struct {
	version *version
	changed chan struct{} // closed when media was added or the show ended
}

// version is one immutable state of a show's playlists.
type version struct {
	media         playlist.Media
	variant       playlist.Variant
	independent   bool         // all segments are
	noTS          bool         // the newest tracks are none for MPEG-TS
	withoutTS     map[int]bool // the initialization segments of such tracks
	next          int64        // MSN of the open segment, or of the one to come
	ended, closed bool
	mayLag        media.Ticks // by how much it may be later than the source, which clients come from
	metrics       *Metrics
	reports       func() []playlist.RenditionReport // nil for none

	full, delta, mpegTS document
}

// document is a rendered playlist.
type document struct {
	once   sync.Once
	plain  []byte
	gzip   []byte
	etag   string // of plain
	gzETag string
}

// setVariant fills in what the multivariant playlist says.
func (v *version) setVariant(s *Stream) {
	v.variant = playlist.Variant{Bandwidth: s.rate.bandwidth(), AverageBandwidth: s.rate.averageBandwidth()}
	if s.rendition != nil {
		v.variant.Bandwidth = max(v.variant.Bandwidth, s.rendition.Bandwidth)
		v.mayLag = maxBehind * media.Ticks(s.target) * media.TicksPerSecond
	}
	v.independent = true
	for i := range v.media.Segments {
		v.independent = v.independent && (v.media.Segments[i].Independent || v.media.Segments[i].Gap)
	}
	for n, init := range s.inits {
		if !init.info.HasTS() {
			if v.withoutTS == nil {
				v.withoutTS = map[int]bool{}
			}
			v.withoutTS[n] = true
		}
	}
	if s.newest != nil {
		info := &s.newest.info
		v.noTS = !info.HasTS()
		v.variant.Codecs, v.variant.Width, v.variant.Height, v.variant.FrameRate = info.Codecs, info.Width, info.Height, info.FrameRate
	}
}

// playable reports whether there is a playlist: TARGETDURATION is known with the first complete segment only.
func (v *version) playable() bool { return v.media.TargetDuration > 0 && len(v.media.Segments) > 0 }

// openParts is how many parts of segment next are listed.
func (v *version) openParts() int {
	if v.media.Open == nil {
		return 0
	}
	return len(v.media.Open.Parts)
}

// has reports whether the playlist contains part of segment msn or something later (6.2.5.2); a negative part stands
// for the whole segment. A part beyond the last of a complete segment is part 0 of the next.
func (v *version) has(msn int64, part int) bool {
	switch {
	case part < 0, msn > v.next:
		return msn < v.next
	case msn == v.next:
		return part < v.openParts()
	case msn == v.next-1 && part >= v.partsOf(msn):
		return v.openParts() > 0
	}
	return true
}

// partsOf is the number of parts of a complete segment; of one that is not known, as many as anybody may ask for.
func (v *version) partsOf(msn int64) int {
	segs := v.media.Segments
	if len(segs) == 0 {
		return maxPart
	}
	if i := msn - segs[0].MSN; i >= 0 && i < int64(len(segs)) && len(segs[i].Parts) > 0 {
		return len(segs[i].Parts)
	}
	return maxPart
}

// tooFar reports whether a request is so far ahead that it is an error of the client, not of time (6.2.5.2).
func (v *version) tooFar(msn int64, part int) bool {
	last := v.next
	if v.media.Open == nil {
		last--
	}
	if v.mayLag > 0 {
		last += maxBehind
	}
	if msn > last+2 {
		return true
	}
	advance := 3
	if v.media.PartTarget < media.TicksPerSecond {
		advance = int((3*media.TicksPerSecond + v.media.PartTarget - 1) / v.media.PartTarget)
	}
	advance += int(v.mayLag / v.media.PartTarget)
	return msn == v.next && part > v.openParts()-1+advance
}

// playlistFor returns the rendered playlist. A delta update that would skip nothing is the whole playlist.
func (v *version) playlistFor(c playlist.Container, delta bool) *document {
	switch {
	case c == playlist.TS:
		return v.render(&v.mpegTS, v.asTS)
	case delta && v.media.SkipCount() > 0:
		return v.render(&v.delta, func(m *playlist.Media) { m.Skipped = m.SkipCount() })
	}
	return v.render(&v.full, func(*playlist.Media) {})
}

// asTS makes the playlist that of the MPEG-TS view, with a gap for what it cannot hold.
func (v *version) asTS(m *playlist.Media) {
	m.Container, m.CanSkip = playlist.TS, false
	if len(v.withoutTS) == 0 {
		return
	}
	m.Segments = slices.Clone(m.Segments)
	for i := range m.Segments {
		s := &m.Segments[i]
		s.Gap = s.Gap || v.withoutTS[s.Init]
	}
}

// last is the newest part that is listed; part is negative when the segment is listed without parts, and ok is false when
// there is nothing yet.
func (v *version) last() (msn int64, part int, ok bool) {
	if n := v.openParts(); n > 0 {
		return v.next, n - 1, true
	}
	segs := v.media.Segments
	if len(segs) == 0 {
		return 0, 0, false
	}
	return segs[len(segs)-1].MSN, len(segs[len(segs)-1].Parts) - 1, true
}

func (v *version) render(d *document, change func(*playlist.Media)) *document {
	d.once.Do(func() {
		m := v.media
		change(&m)
		if v.reports != nil && m.LowLatency() && !m.Ended {
			m.Reports = v.reports()
		}
		d.set(m.Append(make([]byte, 0, 8<<10)))
		v.metrics.renders.Inc()
	})
	return d
}

// addTo adds the variant to a multivariant playlist, under the given URI, if it is one of that view.
func (v *version) addTo(m *playlist.Multivariant, uri string) {
	if v.noTS && m.Container == playlist.TS {
		return
	}
	variant := v.variant
	variant.URI = uri
	if m.Container == playlist.TS {
		variant.Bandwidth, variant.AverageBandwidth = ts.Bandwidth(variant.Bandwidth), ts.Bandwidth(variant.AverageBandwidth)
	}
	m.Independent = m.Independent && v.independent
	m.Variants = append(m.Variants, variant)
}

// multivariant renders a multivariant playlist.
func multivariant(m *playlist.Multivariant) *document {
	d := &document{plain: m.Append(nil)}
	d.etag = etagOf(d.plain)
	return d
}

// gzipWriters compress fast: a version lives for half a second, and more effort saves a tenth of 400 bytes.
var gzipWriters = sync.Pool{New: func() any {
	z, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // the level is valid
	return z
}}

func (d *document) set(plain []byte) {
	d.plain, d.etag = bytes.Clone(plain), etagOf(plain)
	var buf bytes.Buffer
	z := gzipWriters.Get().(*gzip.Writer)
	z.Reset(&buf)
	_, _ = z.Write(plain) // a bytes.Buffer takes everything
	_ = z.Close()
	gzipWriters.Put(z)
	d.gzip, d.gzETag = buf.Bytes(), d.etag[:len(d.etag)-1]+`-gz"`
}

// etagOf is a strong entity tag: the same bytes have the same, also after a restart.
func etagOf(b []byte) string {
	h := fnv.New64a()
	_, _ = h.Write(b)
	return `"` + strconv.FormatUint(h.Sum64(), 36) + `"`
}
