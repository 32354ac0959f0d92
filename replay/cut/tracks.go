package cut

import (
	"math"

	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/replay/mp4"
)

// videoTrack describes the pictures. Decode times are moved ahead until none is later than its presentation: that is
// what all players know; the edit list takes it back.
func (t *take) videoTrack() mp4.Track {
	late := media.Ticks(0)
	for i := range t.video {
		late = max(late, t.video[i].at-t.video[i].pts)
	}
	track := mp4.Track{Timescale: uint32(media.TicksPerSecond), Codec: t.codecs[pictures][t.video[0].entry]}
	entries := newEntries(t.entries[pictures])
	last := media.Ticks(math.MinInt64)
	for i := range t.video {
		x := &t.video[i]
		dts := max(x.at-late, last+1)
		last = dts
		track.Samples = append(track.Samples, mp4.Placed{
			DTS: int64(dts), Composition: int32(x.pts - dts), Size: uint32(x.size) + uint32(len(x.prefix)), Entry: entries.use(x.entry), Sync: x.sync,
		})
	}
	track.Entries = entries.used
	n := len(track.Samples)
	track.End = max(int64(last)+max(t.video[n-1].length, 1), int64(t.visible.To-late))
	track.Edits = t.edits(t.visible, int64(t.visible.From))
	return track
}

// edits present a track in a span of show time, whose beginning is at in its own units.
func (t *take) edits(span media.Span, at int64) (edits []mp4.Edit) {
	if hole := span.From - t.shown.From; hole > 0 {
		edits = append(edits, mp4.Edit{From: mp4.Empty, Length: hole})
	}
	return append(edits, mp4.Edit{From: at, Length: span.Len()})
}

// audioTrack describes the sound. It counts in units of the first sampling rate, as ffmpeg takes the beginning of an edit
// for a number of sound samples; where the rate changes, times are rounded to them.
func (t *take) audioTrack() mp4.Track {
	scale := t.audio[0].rate
	track := mp4.Track{Timescale: uint32(scale), Codec: media.AAC}
	entries := newEntries(t.entries[sound])
	last := int64(math.MinInt64)
	for i := range t.audio {
		x := &t.audio[i]
		dts := max(rescale(x.units, x.rate, scale), last+1)
		last = dts
		track.Samples = append(track.Samples, mp4.Placed{DTS: dts, Size: uint32(x.size), Entry: entries.use(x.entry), Sync: true})
	}
	track.Entries = entries.used
	x := &t.audio[len(t.audio)-1]
	track.End = last + max(rescale(x.length, x.rate, scale), 1)

	const second = int64(media.TicksPerSecond)
	heard, begin := t.shown, rescale(int64(t.shown.From), second, scale)
	if first := track.Samples[0].DTS; first > begin {
		begin, heard.From = first, media.Ticks(rescale(first, scale, second))
	}
	heard.To = min(heard.To, media.Ticks(rescale(track.End, scale, second)))
	track.Edits = t.edits(heard, begin)
	return track
}

// rescale counts v, of which there are from in a second, in units of which there are to.
func rescale(v, from, to int64) int64 { return int64(media.Rescale(media.Ticks(v), to, from)) }

// sampleEntries numbers the sample entries that a file uses.
type sampleEntries struct {
	all  [][]byte
	used [][]byte
	as   map[int]uint16
}

func newEntries(all [][]byte) *sampleEntries { return &sampleEntries{all: all, as: map[int]uint16{}} }

func (e *sampleEntries) use(i int) uint16 {
	n, ok := e.as[i]
	if !ok {
		n = uint16(len(e.used))
		e.as[i] = n
		e.used = append(e.used, e.all[i])
	}
	return n
}
