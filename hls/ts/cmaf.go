package ts

import (
	"errors"

	"github.com/vitrine-live/vitrine/internal/bmff"
	"github.com/vitrine-live/vitrine/media"
)

// segment is what a CMAF segment holds, per track in decode order, on the 90 kHz clock of MPEG-TS.
type segment struct {
	video, audio []sample
}

// sample is one access unit. Its payload is a view of the segment's bytes.
type sample struct {
	pts, dts media.Ticks
	end      media.Ticks // pts and duration
	payload  []byte
}

// readSegment finds the samples of the tracks of r in the moof boxes of b. Tracks that r does not have are ignored.
func (r *Remuxer) readSegment(b []byte) (*segment, error) {
	var found []bmff.Sample
	for rest := b; len(rest) > 0; {
		at := int64(len(b) - len(rest))
		box, next, err := bmff.Next(rest)
		if err != nil {
			return nil, err
		}
		if box.Is("moof") {
			if found, err = bmff.AppendSamples(found, box, at, int64(len(b))); err != nil {
				return nil, err
			}
		}
		rest = next
	}
	s := r.sort(b, found)
	if len(s.video)+len(s.audio) == 0 {
		return nil, errors.New("no sample")
	}
	return s, nil
}

// sort puts the samples that were found in b where they belong, on the clock of MPEG-TS.
func (r *Remuxer) sort(b []byte, found []bmff.Sample) *segment {
	isVideo := func(track uint32) bool { return r.video != nil && r.video.id == track }
	isAudio := func(track uint32) bool { return r.audio != nil && r.audio.id == track }
	pictures, sounds := 0, 0
	for i := range found {
		switch track := found[i].Track; {
		case isVideo(track):
			pictures++
		case isAudio(track):
			sounds++
		}
	}
	s := &segment{video: make([]sample, 0, pictures), audio: make([]sample, 0, sounds)}
	for i := range found {
		f := &found[i]
		payload := b[f.Offset:][:f.Size]
		switch {
		case isVideo(f.Track):
			pts := to90k(f.PTS(), r.video.timescale)
			// PTS below DTS cannot be decoded; a reorder that is too small must not make it so.
			dts := min(to90k(f.DTS, r.video.timescale)-r.reorder, pts)
			s.video = append(s.video, sample{pts: pts, dts: dts, payload: payload})
		case isAudio(f.Track):
			pts, end := to90k(f.DTS, r.audio.timescale), to90k(f.DTS+f.Duration, r.audio.timescale)
			s.audio = append(s.audio, sample{pts: pts, dts: pts, end: end, payload: payload})
		}
	}
	return s
}

// to90k converts a time of a track to the clock of MPEG-TS.
func to90k(t, timescale int64) media.Ticks {
	if timescale == int64(media.TicksPerSecond) {
		return media.Ticks(t) + timeOffset
	}
	return media.Rescale(media.Ticks(t), int64(media.TicksPerSecond), timescale) + timeOffset
}
