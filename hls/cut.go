package hls

import "github.com/vitrine-live/vitrine/media"

// Where parts and segments end.
const (
	// maxTargetDuration caps EXT-X-TARGETDURATION, in seconds, for publishers whose keyframes are far apart.
	maxTargetDuration = 12
	// roundingRoom is what a segment may exceed the target duration by: less than what rounds up to the next second.
	roundingRoom = 450 * media.TicksPerMillisecond
	// earlyIDR is how much before the segment target an IDR may already end a segment.
	earlyIDR = 100 * media.TicksPerMillisecond
	// minPartPercent is how much of the part target a part has at least, unless it is the last of its segment (4.4.4.9).
	minPartPercent = 85

	// clockBlur is how far the mean of a few steps and a length, both rounded to milliseconds, may be off.
	clockBlur = 3 * media.TicksPerMillisecond / 2
	// cautiousParts is for how many parts a failed prediction is remembered.
	cautiousParts = 32

	// interleaveHold is how long, in media time, pictures wait for their sound before a part closes without it.
	interleaveHold = 300 * media.TicksPerMillisecond
	// interleaveLimit bounds the wait for a publisher whose sound is found to lag steadily.
	interleaveLimit = 1 * media.TicksPerSecond
	// interleaveRoom is waited beyond the lag that was found.
	interleaveRoom = 100 * media.TicksPerMillisecond
)

// cut is where a part ends.
type cut struct {
	at      media.Ticks
	samples int // of the leading queue that the part holds
	segment bool
	forced  bool // the segment ends without an IDR
	final   bool // it is the last of its run
	begins  *trackSet
}

// leading returns the samples that decide where parts end.
func (p *Packager) leading() []sample {
	if p.cur.video != nil {
		return p.video.queue
	}
	return p.cur.audio.queue
}

// advance packages every part that is complete.
func (p *Packager) advance() {
	for {
		if p.ready == nil {
			p.ready = p.nextCut()
		}
		if p.ready == nil || !p.soundReady(p.ready) {
			return
		}
		p.closePart(p.ready)
	}
}

// nextCut finds the end of the part in the samples that are here.
func (p *Packager) nextCut() *cut {
	lead := p.leading()
	for ; p.scanned < len(lead); p.scanned++ {
		if c := p.cutBefore(p.scanned, lead); c != nil {
			return c
		}
	}
	if p.picturesStandStill() {
		return p.cutWithin(len(lead))
	}
	return nil
}

// picturesStandStill reports whether the next picture is so late behind the sound that the part cannot wait for it.
// Rare pictures are not late.
func (p *Packager) picturesStandStill() bool {
	a := p.cur.audio
	if p.cur.video == nil || a == nil || !a.begun {
		return false
	}
	return a.end() >= p.partStart+p.partTarget+p.hold+2*p.video.longestStep()
}

// cutBefore returns the end of the part if that is known from sample i of the leading queue, which does not belong to
// it. Parts end between samples where the 85 % rule allows, else at the part target in the middle of a sample.
func (p *Packager) cutBefore(i int, lead []sample) *cut {
	s := &lead[i]
	length := s.at - p.partStart
	switch {
	case length <= 0:
		return nil
	case length > p.partTarget:
		return p.cutBack(i, lead)
	case s.begins != nil || p.endsSegment(s):
		return &cut{at: s.at, samples: i, segment: true, begins: s.begins}
	case s.at-p.seg.Start+p.longestStep() > p.longestSegment():
		return &cut{at: s.at, samples: i, segment: true, forced: !s.key}
	case p.longEnough(length) && (!p.nextFits(length) || s.key && p.cur.video != nil):
		return &cut{at: s.at, samples: i}
	}
	return nil
}

// nextFits predicts whether a part of this length may take the next picture too. Millisecond clocks make steps of 33
// and 34 ms of 30 fps, whose fifteenth picture ends a part of 500 ms exactly: the mean step tells, and a prediction that
// fails costs one picture's delay, after which the longest step is reckoned with for a while.
func (p *Packager) nextFits(length media.Ticks) bool {
	step := p.longestStep()
	if p.cur.video != nil && p.cautious == 0 {
		step = p.video.usualStep() - clockBlur
	}
	return length+step <= p.partTarget
}

// cutBack ends a part that sample i would make too long: before the sample ahead of i if that leaves it long enough.
func (p *Packager) cutBack(i int, lead []sample) *cut {
	if i > 0 && p.longEnough(lead[i-1].at-p.partStart) {
		p.cautious = cautiousParts
		return &cut{at: lead[i-1].at, samples: i - 1}
	}
	return p.cutWithin(i)
}

// cutWithin ends the part at the part target, or at the longest segment, whatever lasts there.
func (p *Packager) cutWithin(samples int) *cut {
	c := &cut{at: p.partStart + p.partTarget, samples: samples}
	if limit := p.seg.Start + p.segmentLimit(); c.at >= limit {
		c.at, c.segment, c.forced = limit, true, true
	}
	return c
}

func (p *Packager) longEnough(length media.Ticks) bool {
	return length*100 >= p.partTarget*minPartPercent
}

// endsSegment reports whether a segment ends before s because the next can begin with it.
func (p *Packager) endsSegment(s *sample) bool {
	length := s.at - p.seg.Start
	switch {
	case p.cur.video == nil:
		return length >= p.segmentTarget
	case !s.key:
		return false
	case !p.seg.Independent:
		// The one before was cut without an IDR: get back in step with the IDRs as soon as there is something to cut.
		return length >= p.segmentTarget/4
	}
	return length >= p.segmentTarget-earlyIDR
}

// longestSegment is the length at which a segment ends without an IDR. Where IDRs are known to be further apart, the
// stretch between two is divided into equal segments.
func (p *Packager) longestSegment() media.Ticks {
	limit := p.segmentLimit()
	if gop := p.video.gop; p.cur.video != nil && gop > limit {
		n := (gop + limit - 1) / limit
		return (gop + n - 1) / n
	}
	return limit
}

// segmentLimit is what no segment may exceed.
func (p *Packager) segmentLimit() media.Ticks {
	if p.target == 0 {
		return maxTargetDuration * media.TicksPerSecond
	}
	return media.Ticks(p.target)*media.TicksPerSecond + roundingRoom
}

func (p *Packager) longestStep() media.Ticks {
	if p.cur.video == nil {
		return p.cur.audio.frameTicks()
	}
	return p.video.longestStep()
}

// soundReady reports whether all the sound before a cut is here, or is not worth waiting for.
func (p *Packager) soundReady(c *cut) bool {
	a := p.cur.audio
	switch {
	case p.cur.video == nil, a == nil, a.silent, a.passed(c.at):
		return true
	case c.begins != nil && c.begins.audio != a:
		return true // its parameters changed: no more of it comes
	}
	if p.video.newest-c.at < p.hold {
		return false
	}
	a.silent = true
	return true
}

// widenHold makes pictures wait longer for a track that was found to come late, so that the next part has its sound.
func (p *Packager) widenHold(late media.Ticks) {
	p.hold = max(p.hold, min(late+interleaveRoom, interleaveLimit))
}
