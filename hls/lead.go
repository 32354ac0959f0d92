package hls

import (
	"slices"

	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/media"
)

// step is one thing that a packager did, for its followers to repeat. It is immutable and shared by all of them.
type step struct {
	kind stepKind
	seg  playlist.Segment // the open one, with the packager's Init and without Size and Parts
	part playlist.Part    // stepPart

	video     bool        // there is a video track
	pictures  int         // in the part
	first     media.Ticks // decode time of the part's first picture; where the part starts if it has none
	frameRate float64

	sound     *media.Track // nil for none
	audio     []sample
	lastAudio int64 // duration of the last of audio, in units of the sampling rate
}

// stepKind is what a packager does.
type stepKind uint8

const (
	stepPart   stepKind = iota // published a part
	stepMissed                 // published a part before anybody followed
	stepClose                  // closed the segment
	stepEnd                    // ended the run: what comes next has a new initialization segment
)

// start and end are the show times of a part.
func (s *step) start() media.Ticks { return s.end() - s.part.Duration }
func (s *step) end() media.Ticks   { return s.seg.Start + s.seg.Duration }

// Follow makes renditions of the show repeat every cut from now on. Like Write it belongs to the goroutine that writes
// samples. A segment that is open already will be a gap of theirs.
func (p *Packager) Follow(followers ...*Follower) {
	p.followers = append(p.followers, followers...)
	if p.cur == nil {
		return
	}
	seg := p.seg
	seg.Duration = 0
	for _, part := range p.seg.Parts {
		seg.Duration += part.Duration
		s := p.step(stepMissed, &seg)
		s.part = part
		for _, f := range followers {
			f.follow(s)
		}
	}
}

// lead tells the followers of a part that was published.
func (p *Packager) lead(f *fragment, part *playlist.Part) {
	if len(p.followers) == 0 {
		return
	}
	s := p.step(stepPart, &p.seg)
	s.part, s.first = *part, p.partStart
	s.video, s.pictures = p.cur.video != nil, len(f.video)
	s.frameRate = p.cur.info.FrameRate
	if len(f.video) > 0 {
		s.first = f.video[0].at
	}
	if a := p.cur.audio; a != nil {
		s.sound, s.audio, s.lastAudio = a.track, slices.Clone(f.audio), f.lastAudio
	}
	p.tell(s)
}

// leadOn tells the followers that the segment or the run is over.
func (p *Packager) leadOn(kind stepKind) {
	if len(p.followers) > 0 {
		p.tell(p.step(kind, &p.seg))
	}
}

func (p *Packager) tell(s *step) {
	for _, f := range p.followers {
		f.follow(s)
	}
}

func (p *Packager) step(kind stepKind, seg *playlist.Segment) *step {
	s := &step{kind: kind, seg: *seg}
	s.seg.Size, s.seg.Parts = 0, nil
	return s
}
