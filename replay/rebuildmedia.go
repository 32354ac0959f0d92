package replay

import (
	"bytes"
	"encoding/binary"
	"errors"

	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/replay/mp4"
)

// agreement is how far the times of media may be from what the lines beside it say: pictures are decoded before they are shown.
const agreement = media.TicksPerSecond

// lead is the track that the times of media are read by: the pictures, or the sound where there are none.
type lead struct {
	track, timescale uint32
	pictures         bool
}

// piece is a part of a segment, as its bytes tell of it.
type piece struct {
	offset, size int64
	crc          uint32
	at           media.Ticks // of its first sample
	end          media.Ticks // of its last one
	samples      int         // of the lead
	independent  bool
}

// fromMedia makes the lines of a segment of its bytes, and of those lines that are left (nil: none). It returns nil when they do
// not tell enough, or do not agree with the lines beside them: then nothing is made up.
func (r *rebuilder) fromMedia(msn int64, left *lineGroup) (*lineGroup, error) {
	data, err := r.read(playlist.SegmentName(msn, playlist.CMAF))
	if errs.KindOf(err) == errs.NotFound {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	s, ok := r.headOf(msn, left)
	if !ok {
		return nil, nil
	}
	by, err := r.leadOf(s.Init)
	if err != nil || by.track == 0 {
		return nil, err
	}
	pieces, err := cutUp(data, by)
	if err != nil || !r.agrees(&s, left, pieces, data) {
		return nil, nil //nolint:nilerr // it is no media that could be told of
	}
	made := r.linesOf(&s, left, pieces)
	if left == nil {
		r.tell("segment %d is described by its media", msn)
	} else {
		r.tell("lines of segment %d are made of its media", msn)
	}
	return made, nil
}

// headOf is what is known of a segment: from its own lines, or from those beside it. Its duration may be missing.
func (r *rebuilder) headOf(msn int64, left *lineGroup) (s playlist.Segment, ok bool) {
	after, n := r.following(msn)
	if left != nil {
		s = left.head().segment()
	} else if s, ok = r.between(msn, after); !ok {
		return s, false
	}
	if s.Size = 0; left != nil && left.whole != nil {
		s.Size = left.whole.Size
	} else if s.Duration = 0; n == 1 {
		s.Duration = after.Start - s.Start
	}
	return s, true
}

// between is what lines beside a segment say of it.
func (r *rebuilder) between(msn int64, after *entry) (s playlist.Segment, ok bool) {
	s = playlist.Segment{MSN: msn}
	switch {
	case r.prev == nil && (msn != 0 || after == nil):
		return s, false
	case r.prev == nil:
		s.Init = after.Init
	default:
		s.Init, s.Start = r.prev.Init, r.prev.Start+r.prev.Duration
		if after != nil && after.Init != s.Init {
			return s, false // it may belong to either
		}
	}
	for n := range r.inits { // nor may it belong to one that nobody else uses
		if after == nil && n > s.Init || r.prev == nil && n < s.Init {
			return s, false
		}
	}
	if r.prev != nil && r.prev.Wall != 0 {
		s.Wall = fromUnixMilli(r.prev.Wall).Add(r.prev.Duration.Duration())
	}
	for _, e := range r.epochs {
		if d := e.ShowTime - s.Start; d > -media.TicksPerMillisecond && d < media.TicksPerMillisecond {
			s.Wall, s.Discontinuity = e.Wall, msn > 0
		}
	}
	return s, true
}

// leadOf finds the track that times are read by; none when the initialization segment tells of none.
func (r *rebuilder) leadOf(n int) (lead, error) {
	if by, ok := r.sounds[n]; ok {
		return by, nil
	}
	data, err := r.read(playlist.InitName(n))
	if err != nil && errs.KindOf(err) != errs.NotFound {
		return lead{}, err
	}
	var by lead
	tracks, _ := mp4.ReadInit(data) // what cannot be read has none
	for _, t := range tracks {
		if t.Codec.Kind() == media.Video || by.track == 0 {
			by = lead{t.ID, t.Timescale, t.Codec.Kind() == media.Video}
		}
		if by.pictures {
			break
		}
	}
	r.sounds[n] = by
	return by, nil
}

var errPieces = errors.New("not a row of moof and mdat boxes")

// cutUp finds the parts of a segment: each is a moof box and the mdat box behind it.
func cutUp(data []byte, by lead) (all []piece, err error) {
	for at := 0; at < len(data); {
		end := at
		for _, want := range []string{"moof", "mdat"} {
			if len(data)-end < 8 || string(data[end+4:end+8]) != want {
				return nil, errPieces
			}
			size := int64(binary.BigEndian.Uint32(data[end:]))
			if size < 8 || size > int64(len(data)-end) {
				return nil, errPieces
			}
			end += int(size)
		}
		p, err := pieceOf(data[at:end], by)
		if err != nil {
			return nil, err
		}
		p.offset = int64(at)
		all = append(all, p)
		at = end
	}
	if len(all) == 0 || all[0].samples == 0 {
		return nil, errPieces
	}
	for i := 1; i < len(all); i++ {
		if all[i].samples == 0 { // one picture lasts longer than a part
			all[i].at, all[i].end = all[i-1].end, all[i-1].end
		}
		if all[i].at < all[i-1].at {
			return nil, errPieces
		}
	}
	return all, nil
}

func pieceOf(b []byte, by lead) (piece, error) {
	p := piece{size: int64(len(b)), crc: checksum(b)}
	samples, err := mp4.ReadSamples(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return p, err
	}
	ticks := func(t int64) media.Ticks {
		return media.Rescale(media.Ticks(t), int64(media.TicksPerSecond), int64(by.timescale))
	}
	for i := range samples {
		s := &samples[i]
		if s.Track != by.track {
			continue
		}
		if p.samples == 0 {
			p.at, p.independent = ticks(s.DTS), s.Sync || !by.pictures
		}
		p.end = ticks(s.DTS + s.Duration)
		p.samples++
	}
	return p, nil
}

// agrees compares what the media says with the lines that are left, and fills in what they do not say.
func (r *rebuilder) agrees(s *playlist.Segment, left *lineGroup, pieces []piece, data []byte) bool {
	first, last := &pieces[0], &pieces[len(pieces)-1]
	if left != nil && left.whole != nil && s.Size != int64(len(data)) || !near(first.at, s.Start) {
		return false
	}
	s.Size = int64(len(data))
	if left == nil {
		s.Independent = first.independent
	}
	if s.Duration <= 0 {
		s.Duration = last.end - first.at
	}
	if s.Duration <= 0 || !near(s.Duration, last.end-first.at) {
		return false
	}
	if left == nil {
		return true
	}
	known := map[int64]*piece{}
	for i := range pieces {
		known[pieces[i].offset] = &pieces[i]
	}
	for i := range left.parts {
		p := known[left.parts[i].Offset]
		if p == nil || p.size != left.parts[i].Size || p.crc != left.parts[i].CRC {
			return false // the media is damaged itself
		}
	}
	return true
}

func near(a, b media.Ticks) bool { return a-b <= agreement && b-a <= agreement }

// linesOf writes the lines of a segment; those that are left stay as they are.
func (r *rebuilder) linesOf(s *playlist.Segment, left *lineGroup, pieces []piece) *lineGroup {
	made := &lineGroup{}
	have := map[int64]indexLine{}
	if left != nil {
		made.whole = left.whole
		for _, l := range left.parts {
			have[l.Offset] = l
		}
	}
	end := pieces[0].at + s.Duration
	for i := range pieces {
		p := &pieces[i]
		if l, ok := have[p.offset]; ok {
			made.parts = append(made.parts, l)
			continue
		}
		until := end
		if i+1 < len(pieces) {
			until = pieces[i+1].at
		}
		part := playlist.Part{Index: i, Duration: max(0, until-p.at), Independent: p.independent, Offset: p.offset, Size: p.size}
		made.parts = append(made.parts, *lineOf(appendPart(nil, s, &part, p.crc)))
	}
	if made.whole == nil {
		made.whole = lineOf(appendSegment(s, 0))
	}
	return made
}
