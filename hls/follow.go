package hls

import (
	"slices"

	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/media"
)

// advance repeats every step that can be.
func (f *Follower) advance() {
	n := 0
	for n < len(f.steps) && f.repeat(f.steps[n]) {
		n++
	}
	f.steps = slices.Delete(f.steps, 0, n)
}

// repeat reports whether the step is done; it is not while its pictures are awaited.
func (f *Follower) repeat(s *step) bool {
	switch s.kind {
	case stepClose:
		f.closeSegment(s)
	case stepEnd:
		f.broken, f.alive = true, true // the next run may have an encoder that works
	case stepMissed:
		if !f.begun {
			f.begin(s)
		}
		f.lost = true
		f.publishGap(s)
	case stepPart:
		return f.repeatPart(s)
	}
	return true
}

func (f *Follower) repeatPart(s *step) bool {
	if !f.begun {
		if f.alive && s.video && !f.discardBefore(s.first-frameSlack) && !f.isDrained(s) {
			return false
		}
		f.begin(s)
		f.lost = !f.alive || !f.canBegin(s)
		if !f.lost {
			f.prepare(s)
		}
	}
	if !f.lost && s.video {
		switch {
		case !f.alive, f.changesWithin(s):
			f.lost = true
		case f.covers(s):
		case !f.isDrained(s):
			return false
		default:
			f.lost = s.pictures > 0 && len(f.frames) == 0
		}
	}
	if f.lost {
		f.publishGap(s)
	} else {
		f.publishPart(s)
	}
	return true
}

// begin opens the segment of a step.
func (f *Follower) begin(s *step) {
	f.begun, f.seg = true, s.seg
	f.seg.Duration, f.seg.Independent = 0, true
	f.seg.Init = 0
	if f.set != nil {
		f.seg.Init = f.set.info.Number
	}
}

// discardBefore forgets the pictures before t, which no part can show any more, and reports whether others are here.
func (f *Follower) discardBefore(t media.Ticks) bool {
	n := f.framesBefore(t)
	for range n {
		f.drop("before_start")
	}
	f.frames = slices.Delete(f.frames, 0, n)
	return len(f.frames) > 0
}

// canBegin reports whether the segment can begin with the pictures that are here. Behind a gap and with new parameters
// only an IDR can, which must be there as soon as the source's first picture: else those who switch to the rendition
// here would see nothing at first.
func (f *Follower) canBegin(s *step) bool {
	if !s.video {
		return true
	}
	if len(f.frames) == 0 {
		return false
	}
	first := &f.frames[0]
	if !f.broken && first.track == f.setTrack && s.seg.Init == f.setInit {
		return true
	}
	return first.key && first.pts <= s.first+frameSlack
}

// prepare sees to the initialization segment of a segment that begins.
func (f *Follower) prepare(s *step) {
	var video *media.Track
	if s.video {
		video = f.frames[0].track
		f.seg.Independent = f.frames[0].key && f.frames[0].pts <= s.first+frameSlack
	}
	if f.set != nil && video == f.setTrack && s.seg.Init == f.setInit {
		return
	}
	var tracks []media.Track
	for _, t := range []*media.Track{video, s.sound} {
		if t != nil {
			tracks = append(tracks, *t)
		}
	}
	set, err := newTrackSet(tracks)
	if err != nil {
		f.log.Error("the tracks of a rendition cannot be packaged", "err", err)
		f.lost = true
		return
	}
	set.info.Number = int(s.seg.MSN) + 1
	if set.info.FrameRate == 0 && video != nil {
		set.info.FrameRate = s.frameRate
	}
	f.set, f.setTrack, f.setInit, f.announced = set, video, s.seg.Init, false
	f.seg.Init = set.info.Number
}

// covers reports whether all the pictures of a part are here, as is known from a later one.
func (f *Follower) covers(s *step) bool {
	n := len(f.frames)
	return n > 0 && f.frames[n-1].pts >= s.end()-frameSlack
}

// isDrained reports whether nothing is to be waited for: then the last picture lasts to the part's end.
func (f *Follower) isDrained(s *step) bool { return s.seg.Init <= f.drained }

// changesWithin reports whether other parameters come into force within a part.
func (f *Follower) changesWithin(s *step) bool {
	for _, fr := range f.frames[:f.framesBefore(s.end()-frameSlack)] {
		if fr.track != f.setTrack {
			return true
		}
	}
	return false
}

func (f *Follower) framesBefore(t media.Ticks) (n int) {
	for n < len(f.frames) && f.frames[n].pts < t {
		n++
	}
	return n
}

// publishPart packages the pictures that are here until the part's end, with the packager's sound.
func (f *Follower) publishPart(s *step) {
	frag := fragment{sequence: uint32(s.seg.MSN)<<8 | uint32(s.part.Index&0xFF), audio: s.audio, lastAudio: s.lastAudio}
	part := playlist.Part{Index: s.part.Index, Duration: s.part.Duration, Independent: !s.video, Last: s.part.Last, Offset: f.seg.Size}
	n := 0
	if s.video {
		n = f.framesBefore(s.end() - frameSlack)
		frag.video, frag.lastVideo = f.pictures(s, n)
	}
	for i := range frag.video {
		part.Independent = part.Independent || frag.video[i].key
	}
	start := s.start()
	if len(frag.video) == 0 && len(frag.audio) == 0 {
		frag.empty = &start
	}
	data := frag.marshal()
	part.Size = int64(len(data))
	if !f.announced {
		f.announced = true
		f.sink.OnInit(f.set.info, f.set.data)
	}
	f.publish(s, part, data)
	f.frames = slices.Delete(f.frames, 0, n)
}

// pictures takes the first n pictures as the samples of a part, whose last lasts until the next picture.
func (f *Follower) pictures(s *step, n int) (samples []sample, last media.Ticks) {
	if n == 0 {
		return nil, 0
	}
	f.frames[0].snap(s.start())
	samples = make([]sample, n)
	for i := range samples {
		samples[i] = f.frames[i].sample
		if i > 0 {
			samples[i].at = max(samples[i].at, samples[i-1].at+1)
		}
	}
	next := s.end()
	if n < len(f.frames) {
		f.frames[n].snap(next)
		next = f.frames[n].at
	}
	return samples, max(next-samples[n-1].at, 1)
}

// snap makes a picture decode at a cut that only rounding keeps it from, so that fragments stand on the packager's
// cuts; its presentation time stays the source's to the tick. An IDR decodes when it is presented.
func (fr *frame) snap(cut media.Ticks) {
	if !fr.key && fr.at == fr.pts && fr.pts >= cut-frameSlack && fr.pts <= cut+frameSlack {
		fr.at = cut
	}
}

func (f *Follower) publishGap(s *step) {
	f.publish(s, playlist.Part{Index: s.part.Index, Duration: s.part.Duration, Last: s.part.Last, Gap: true, Offset: f.seg.Size}, nil)
}

// publish hands a part to the sink.
func (f *Follower) publish(s *step, part playlist.Part, data []byte) {
	f.seg.Parts = append(f.seg.Parts, part)
	f.seg.Size += part.Size
	f.seg.Duration = s.seg.Duration
	f.seg.TargetDuration = s.seg.TargetDuration
	f.out = s.end()
	f.sink.OnPart(f.seg, part, data)
}

func (f *Follower) closeSegment(s *step) {
	if !f.begun {
		return
	}
	f.seg.TargetDuration, f.seg.Gap = s.seg.TargetDuration, f.lost
	f.sink.OnSegment(f.seg)
	if f.lost {
		f.metrics.gaps.Inc()
	} else if f.broken {
		f.log.Info("a rendition is in step", "msn", f.seg.MSN)
	}
	f.begun, f.broken = false, f.lost
}
