package llhls

import (
	"slices"
)

// history judges each version of a playlist by the versions before it. One loop owns it.
type history struct {
	complain complain
	last     *playlist
	segments map[int64]segment // as first seen closed; parts as first seen
	parts    map[position]part
	ranges   map[string]attrs
	inits    map[string]bool
}

func newHistory(c complain) *history {
	return &history{complain: c, segments: map[int64]segment{}, parts: map[position]part{}, ranges: map[string]attrs{}, inits: map[string]bool{}}
}

// add takes the next full version.
func (h *history) add(p *playlist) {
	if h.last != nil {
		h.checkHeader(h.last, p)
		h.checkProgress(h.last, p)
		h.checkHint(h.last, p)
	}
	for _, s := range p.all() {
		h.checkSegment(s)
	}
	for _, r := range p.ranges {
		old, known := h.ranges[r.id]
		if known && !sameRange(old, r.attrs) {
			h.complain(DateRanges, "%s was %v, is %v", r.id, old, r.attrs)
		}
		h.ranges[r.id] = r.attrs
	}
	h.last = p
}

func (h *history) checkHeader(old, p *playlist) {
	c := h.complain
	if old.target != p.target {
		c(Constant, "EXT-X-TARGETDURATION was %v, is %v", old.target, p.target)
	}
	if old.partTarget != p.partTarget {
		c(Constant, "PART-TARGET was %v, is %v", old.partTarget, p.partTarget)
	}
	if old.holdBack != p.holdBack || old.partHoldBack != p.partHoldBack || old.canSkipUntil != p.canSkipUntil || old.canBlock != p.canBlock {
		c(Constant, "EXT-X-SERVER-CONTROL changed")
	}
	if old.kind != p.kind && (old.kind != "EVENT" || p.kind != "VOD" || !p.ended) {
		c(Constant, "EXT-X-PLAYLIST-TYPE was %q, is %q", old.kind, p.kind)
	}
}

func (h *history) checkProgress(old, p *playlist) {
	c := h.complain
	if p.mediaSequence < old.mediaSequence {
		c(Sequence, "EXT-X-MEDIA-SEQUENCE went back from %d to %d", old.mediaSequence, p.mediaSequence)
	}
	if p.next().before(old.next()) {
		c(Sequence, "went back from %v to %v", old.next(), p.next())
	}
	if p.mediaSequence > old.mediaSequence {
		if p.kind != "" {
			c(Sequence, "an %s playlist lost segments", p.kind)
		}
		if d := p.duration(); d < 3*p.target && !p.ended {
			c(Window, "segment %d was removed though only %v remain", p.mediaSequence-1, d)
		}
	}
}

// checkHint wants the first new part to be the one that the version before announced, unless a discontinuity intervened.
func (h *history) checkHint(old, p *playlist) {
	if old.hint == "" || !old.next().before(p.next()) {
		return
	}
	want := old.next()
	for _, s := range p.all() {
		if s.msn != want.msn && s.msn != want.msn+1 {
			continue
		}
		if s.msn == want.msn+1 && want.part == 0 {
			continue
		}
		i := want.part
		if s.msn == want.msn && s.uri != "" && len(s.parts) == 0 {
			return // so old already that its parts have left the list
		}
		if s.msn == want.msn+1 {
			i = 0 // the segment hinted at closed without another part
		}
		if i == 0 && s.discontinuity {
			return
		}
		if i < len(s.parts) {
			if s.parts[i].uri != old.hint {
				h.complain(Hint, "%s was announced, %s came", old.hint, s.parts[i].uri)
			}
			return
		}
	}
}

func (h *history) checkSegment(s segment) {
	for i, part := range s.parts {
		at := position{s.msn, i}
		if old, known := h.parts[at]; known && old != part {
			h.complain(Immutable, "part %d of segment %d was %+v, is %+v", i, s.msn, old, part)
		}
		h.parts[at] = part
	}
	old, known := h.segments[s.msn]
	if known && old.uri != "" && !sameSegment(old, s) {
		h.complain(Immutable, "segment %d was %+v, is %+v", s.msn, old, s)
	}
	if known && old.discSeq != s.discSeq {
		h.complain(Discontinue, "segment %d had discontinuity sequence number %d, has %d", s.msn, old.discSeq, s.discSeq)
	}
	if known && (!old.date.Equal(s.date) || old.init != s.init || old.discontinuity != s.discontinuity) {
		h.complain(Immutable, "segment %d changed its date, its map or its discontinuity", s.msn)
	}
	h.segments[s.msn] = s
}

// sameSegment compares closed segments; parts may have left the list.
func sameSegment(a, b segment) bool {
	if len(b.parts) > 0 && !slices.Equal(a.parts, b.parts) {
		return false
	}
	return a.uri == b.uri && a.duration == b.duration && a.gap == b.gap
}
