package hls

import (
	"math"
	"time"

	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/media"
)

// closePart packages the part that ends at c.
func (p *Packager) closePart(c *cut) {
	f := fragment{}
	a := p.cur.audio
	sounds := 0
	if a != nil {
		if p.cur.video == nil {
			sounds = c.samples
		} else {
			p.fillSilence(a, c.at)
			sounds = a.before(c.at)
		}
		f.audio = a.queue[:sounds]
		if sounds > 0 {
			f.lastAudio = a.durationOf(sounds - 1)
		}
	}
	if p.cur.video != nil {
		f.video = p.video.queue[:c.samples]
		f.lastVideo = p.lastDuration(c)
	}
	if len(f.video) == 0 && len(f.audio) == 0 {
		f.empty = &p.partStart
	}
	p.publish(&f, c)
	if a != nil {
		a.queue = shift(a.queue, sounds)
	}
	if p.cur.video != nil {
		p.video.queue = shift(p.video.queue, c.samples)
	}
	p.partStart, p.end = c.at, c.at
	p.scanned, p.ready = 0, nil
	p.cautious = max(p.cautious-1, 0)
	if c.segment {
		p.closeSegment(c)
	}
}

// lastDuration is how long the last picture of a part lasts: until the next, or until the part ends if there is none.
func (p *Packager) lastDuration(c *cut) media.Ticks {
	q := p.video.queue
	switch {
	case c.samples == 0:
		return 0
	case c.samples < len(q):
		return q[c.samples].at - q[c.samples-1].at
	}
	return max(c.at-q[c.samples-1].at, 1)
}

// fillSilence stands in for sound that did not come until t: a player would stop where one of its tracks ends.
func (p *Packager) fillSilence(a *audioTrack, t media.Ticks) {
	if a.begun && a.end() >= t {
		return
	}
	if !a.begun {
		a.begun, a.next = true, a.units(p.seg.Start)
	}
	p.metrics.silence.Add(float64(a.fillUntil(a.units(t))))
}

// publish hands a part to the sink.
func (p *Packager) publish(f *fragment, c *cut) {
	if !p.announced {
		p.announce(f)
	}
	part := playlist.Part{
		Index: len(p.seg.Parts), Duration: c.at - p.partStart, Independent: p.independent(f), Last: c.segment, Offset: p.seg.Size,
	}
	f.sequence = uint32(p.seg.MSN)<<8 | uint32(part.Index&0xFF)
	data := f.marshal()
	part.Size = int64(len(data))
	p.seg.Parts = append(p.seg.Parts, part)
	p.seg.Size += part.Size
	p.seg.Duration = c.at - p.seg.Start
	p.countPart()
	p.sink.OnPart(p.seg, part, data)
	p.lead(f, &part)
}

func (p *Packager) independent(f *fragment) bool {
	if p.cur.video == nil {
		return true
	}
	for i := range f.video {
		if f.video[i].key {
			return true
		}
	}
	return false
}

// announce hands out the initialization segment in force.
func (p *Packager) announce(f *fragment) {
	if n := len(f.video); p.cur.info.FrameRate == 0 && n > 1 {
		p.cur.info.FrameRate = frameRate(n-1, f.video[n-1].at-f.video[0].at)
	}
	p.announced = true
	p.sink.OnInit(p.cur.info, p.cur.data)
}

// frameRate is n pictures in a span: a whole number when it is within a percent of one, which millisecond clocks blur.
func frameRate(n int, span media.Ticks) float64 {
	rate := float64(n) / span.Seconds()
	if whole := math.Round(rate); math.Abs(rate-whole) < whole/100 {
		return whole
	}
	return math.Round(rate*1000) / 1000
}

// countPart measures how regularly parts come.
func (p *Packager) countPart() {
	now := time.Now()
	if !p.lastPart.IsZero() && now.Sub(p.lastPart) > p.cfg.PartTarget*3/2 {
		p.metrics.partsLate.Inc()
	}
	p.lastPart = now
	p.metrics.parts.Inc()
}

// closeSegment hands over the segment that ends at c and begins the next, unless nothing follows.
func (p *Packager) closeSegment(c *cut) {
	if p.target == 0 {
		p.target = targetDuration(p.segmentTarget, p.seg.Duration)
	}
	p.seg.TargetDuration = p.target
	p.metrics.segments.Inc()
	if c.forced {
		p.metrics.forcedCuts.Inc()
		p.noteForced()
	}
	p.sink.OnSegment(p.seg)
	p.leadOn(stepClose)
	p.seg.MSN++
	if c.final {
		return
	}
	if c.begins != nil {
		p.switchTracks(c)
	}
	lead := p.leading()
	p.beginSegment(c.at, len(lead) > 0 && lead[0].key && lead[0].at == c.at)
}

func (p *Packager) noteForced() {
	if p.forcedNoted {
		return
	}
	p.forcedNoted = true
	p.log.Warn("no keyframe within the target duration: segments are cut without one",
		"msn", p.seg.MSN, "target_duration", p.target, "keyframe_interval", p.video.gop.Duration())
}

// switchTracks puts the tracks of the IDR at c into force.
func (p *Packager) switchTracks(c *cut) {
	old := p.cur
	p.cur, p.broken = c.begins, true
	idr := &p.video.queue[0]
	idr.begins = nil
	p.beginInit(p.cur, p.video.shift)
	if a := p.cur.audio; a != nil && a != old.audio {
		a.queue = shift(a.queue, a.before(c.at))
	}
	if old.audio != nil && old.audio != p.cur.audio {
		clear(old.audio.queue)
	}
}

// endRun packages all that is held and ends part and segment where the last of it ends.
func (p *Packager) endRun() {
	if p.cur == nil {
		return
	}
	end := p.partStart
	if p.cur.video != nil && len(p.video.queue) > 0 {
		end = max(end, p.video.end())
	}
	if a := p.cur.audio; a != nil && len(a.queue) > 0 {
		end = max(end, a.end())
	}
	p.endRunAt(max(floorMillisecond(end), p.partStart))
}

// floorMillisecond makes the next epoch begin at a whole millisecond, so that dates and show times, which are told in
// milliseconds, agree exactly. Rounding up would ask for silence where the sound ends.
func floorMillisecond(t media.Ticks) media.Ticks { return t - t%media.TicksPerMillisecond }

// endRunAt packages all that is held before end, and ends part and segment there. Sound from end on stays queued.
func (p *Packager) endRunAt(end media.Ticks) {
	if a := p.cur.audio; p.cur.video == nil {
		p.fillSilence(a, end)
	}
	for {
		c := p.cutUntil(end)
		if c == nil {
			break
		}
		p.closePart(c)
	}
	switch {
	case end > p.partStart:
		p.closePart(&cut{at: end, samples: p.samplesBefore(end), segment: true, final: true})
	case len(p.seg.Parts) > 0:
		p.closeSegment(&cut{final: true})
	}
	p.leadOn(stepEnd)
	p.cur, p.ready, p.broken, p.lastPart = nil, nil, true, time.Time{}
}

// cutUntil finds the end of the part when nothing comes from end on; nil when that is end itself.
func (p *Packager) cutUntil(end media.Ticks) *cut {
	c := p.ready
	if c == nil {
		c = p.nextCut()
	}
	if c == nil || c.at >= end {
		c = nil
		n := p.samplesBefore(end)
		limit := p.seg.Start + p.segmentLimit()
		switch {
		case end-p.partStart > p.partTarget:
			c = p.cutBack(n, p.leading()[:n])
		case end > limit && limit > p.partStart:
			c = &cut{at: limit, samples: p.samplesBefore(limit), segment: true, forced: true}
		}
	}
	return c
}

// samplesBefore counts the samples of the leading queue that begin before t.
func (p *Packager) samplesBefore(t media.Ticks) (n int) {
	lead := p.leading()
	for n < len(lead) && lead[n].at < t {
		n++
	}
	return n
}

// shift drops the first n samples and forgets their payloads.
func shift(queue []sample, n int) []sample {
	rest := copy(queue, queue[n:])
	clear(queue[rest:])
	return queue[:rest]
}
