package llhls

import (
	"net/http"
	"slices"
	"strconv"
	"time"
)

// compareDelta rebuilds a playlist from the version before and a delta update, as a player would, and wants it to say
// what the whole one says.
func (f *follower) compareDelta(before, update, whole *playlist) {
	rebuilt, ok := f.rebuild(before, update)
	if !ok {
		return
	}
	if rebuilt.mediaSequence != whole.mediaSequence || len(rebuilt.segments) != len(whole.segments) {
		if rebuilt.mediaSequence == whole.mediaSequence {
			f.violate(Delta, "rebuilt: %d segments, whole: %d", len(rebuilt.segments), len(whole.segments))
		}
		return // the window moved between the two answers
	}
	for i := range whole.segments {
		if a, b := &rebuilt.segments[i], &whole.segments[i]; !equalSegments(a, b) {
			f.violate(Delta, "segment %d: rebuilt %+v, whole %+v", b.msn, *a, *b)
		}
	}
	if (rebuilt.open == nil) != (whole.open == nil) || whole.open != nil && !equalSegments(rebuilt.open, whole.open) || update.hint != whole.hint {
		f.violate(Delta, "the open segment or the hint differs")
	}
	if len(update.ranges) != len(whole.ranges) {
		f.violate(Delta, "%d date ranges in the update, %d in the whole", len(update.ranges), len(whole.ranges))
	}
	f.count(func(r *Report) { r.Deltas++; r.Skipped += update.skipped })
}

func (f *follower) rebuild(before, update *playlist) (*playlist, bool) {
	if update.skipped == 0 {
		return update, true
	}
	f.skipBoundary(update)
	out := *update
	out.segments = nil
	for msn := update.mediaSequence; msn < update.mediaSequence+int64(update.skipped); msn++ {
		i := msn - before.mediaSequence
		if i < 0 || i >= int64(len(before.segments)) {
			f.violate(Delta, "segment %d is skipped, but was never seen closed", msn)
			return nil, false
		}
		out.segments = append(out.segments, before.segments[i])
	}
	last := out.segments[len(out.segments)-1]
	out.segments = append(out.segments, update.segments...)
	if out.open != nil {
		open := *out.open
		out.open = &open
	}
	// The map and the discontinuity sequence number carry over from what was skipped.
	skippedDiscs := last.discSeq - update.discontinuity
	init := last.init
	carry := func(s *segment) {
		s.discSeq += skippedDiscs
		if s.init == "" {
			s.init = init
		}
		init = s.init
	}
	for i := update.skipped; i < len(out.segments); i++ {
		carry(&out.segments[i])
	}
	if out.open != nil {
		carry(out.open)
	}
	out.skipped = 0
	return &out, true
}

// skipBoundary wants nothing skipped that is nearer to the end than CAN-SKIP-UNTIL (4.4.3.8).
func (f *follower) skipBoundary(update *playlist) {
	var listed time.Duration
	for _, s := range update.segments {
		listed += s.duration
	}
	if update.open != nil {
		for _, p := range update.open.parts {
			listed += p.duration
		}
	}
	if listed < update.canSkipUntil {
		f.violate(Delta, "only %v listed, CAN-SKIP-UNTIL is %v", listed, update.canSkipUntil)
	}
}

func equalSegments(a, b *segment) bool {
	if len(a.parts) > 0 && len(b.parts) > 0 && !slices.Equal(a.parts, b.parts) {
		return false
	}
	return a.msn == b.msn && a.uri == b.uri && a.duration == b.duration && a.date.Equal(b.date) && a.init == b.init &&
		a.discontinuity == b.discontinuity && a.discSeq == b.discSeq && a.gap == b.gap
}

// cacheLong reports whether a refusal may be kept so long that what comes later is missed.
func cacheLong(h http.Header) bool {
	age, err := strconv.Atoi(cacheControl(h)["max-age"])
	return err == nil && age > 10
}
