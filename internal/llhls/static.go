package llhls

import (
	"maps"
	"math"
	"time"
)

// millisecond is how exactly the project promises dates and durations.
const millisecond = time.Millisecond

// checkStatic judges one full playlist by itself.
func checkStatic(p *playlist, c complain) {
	checkVersion(p, c)
	checkControl(p, c)
	checkDurations(p, c)
	checkPartWindow(p, c)
	checkURIs(p, c)
	checkDates(p, c)
	checkMaps(p, c)
	checkGaps(p, c)
	checkRanges(p, c)
	checkEnd(p, c)
}

func checkVersion(p *playlist, c complain) {
	need, why := 3, "decimal EXTINF"
	for i := range p.segments {
		if p.segments[i].init != "" {
			need, why = 6, "EXT-X-MAP"
		}
		if p.segments[i].gap && need < 8 {
			need, why = 8, "EXT-X-GAP"
		}
	}
	if p.skipped > 0 {
		need, why = 9, "EXT-X-SKIP"
	}
	if p.version < need {
		c(Version, "%d, but %s needs %d", p.version, why, need)
	}
}

func checkControl(p *playlist, c complain) {
	if p.holdBack != 0 && p.holdBack < 3*p.target {
		c(HoldBack, "HOLD-BACK %v is less than three target durations", p.holdBack)
	}
	if p.canSkipUntil != 0 && p.canSkipUntil < 6*p.target {
		c(HoldBack, "CAN-SKIP-UNTIL %v is less than six target durations", p.canSkipUntil)
	}
	if p.partTarget == 0 {
		return
	}
	if p.partHoldBack < 3*p.partTarget {
		c(HoldBack, "PART-HOLD-BACK %v is less than three part targets of %v", p.partHoldBack, p.partTarget)
	}
	if !p.canBlock && !p.ended {
		c(HoldBack, "parts without CAN-BLOCK-RELOAD=YES")
	}
}

func checkDurations(p *playlist, c complain) {
	for _, s := range p.segments {
		if rounded := time.Duration(math.Round(s.duration.Seconds())) * time.Second; rounded > p.target {
			c(Target, "segment %d lasts %v, the target is %v", s.msn, s.duration, p.target)
		}
		if s.duration <= 0 {
			c(Target, "segment %d lasts %v", s.msn, s.duration)
		}
		checkParts(p, &s, c)
		var sum time.Duration
		for _, part := range s.parts {
			sum += part.duration
		}
		if tolerance := time.Duration(len(s.parts)+1) * millisecond / 2; len(s.parts) > 0 && (sum-s.duration).Abs() > tolerance {
			c(PartSum, "segment %d lasts %v, its parts %v", s.msn, s.duration, sum)
		}
	}
	if p.open != nil {
		checkParts(p, p.open, c)
	}
}

// checkParts judges the durations of a segment's parts. The newest part of an open segment may yet turn out its last.
func checkParts(p *playlist, s *segment, c complain) {
	if len(s.parts) > 0 && p.partTarget == 0 {
		c(PartTarget, "parts without EXT-X-PART-INF")
		return
	}
	for i, part := range s.parts {
		if part.duration > p.partTarget || part.duration <= 0 {
			c(PartTarget, "part %d of segment %d lasts %v, the part target is %v", i, s.msn, part.duration, p.partTarget)
		}
		last := i == len(s.parts)-1
		if !last && part.duration < p.partTarget*85/100 {
			c(PartTarget, "part %d of segment %d lasts %v, less than 85 %% of %v", i, s.msn, part.duration, p.partTarget)
		}
	}
}

// checkPartWindow wants the parts of whatever is within three target durations of the end, and of no more than the
// segment that reaches across that line and the one before.
func checkPartWindow(p *playlist, c complain) {
	if p.partTarget == 0 || p.ended {
		return
	}
	var after time.Duration // from the end of the segment to the end of the playlist
	if p.open != nil {
		for _, part := range p.open.parts {
			after += part.duration
		}
	}
	for i := len(p.segments) - 1; i >= 0; i-- {
		s := &p.segments[i]
		if after+s.duration <= 3*p.target && len(s.parts) == 0 && !s.gap {
			c(PartWindow, "segment %d, %v before the end, has no parts", s.msn, after)
		}
		if after > 3*p.target+s.duration && len(s.parts) > 0 {
			c(PartWindow, "segment %d, %v before the end, still has parts", s.msn, after)
		}
		after += s.duration
	}
}

func checkURIs(p *playlist, c complain) {
	seen := map[string]bool{}
	unique := func(uri string) {
		if uri == "" {
			return
		}
		if seen[uri] {
			c(URIs, "%s twice", uri)
		}
		seen[uri] = true
	}
	for _, s := range p.all() {
		unique(s.uri)
		for _, part := range s.parts {
			unique(part.uri)
		}
	}
	if p.hint != "" && seen[p.hint] {
		c(Hint, "%s is listed already", p.hint)
	}
}

func checkDates(p *playlist, c complain) {
	all := p.all()
	for i, s := range all {
		if s.date.IsZero() {
			c(Dates, "segment %d has no date", s.msn)
			continue
		}
		if i == 0 || s.discontinuity || all[i-1].date.IsZero() {
			continue
		}
		if want := all[i-1].date.Add(all[i-1].duration); s.date.Sub(want).Abs() > millisecond {
			c(Dates, "segment %d is dated %v after where segment %d ends", s.msn, s.date.Sub(want), all[i-1].msn)
		}
	}
}

func checkMaps(p *playlist, c complain) {
	all := p.all()
	fragmented := p.skipped == 0 && len(all) > 0 && (all[0].init != "" || p.partTarget > 0)
	for i, s := range all {
		if !fragmented {
			return
		}
		if s.missing() {
			continue // it needs none
		}
		if s.init == "" {
			c(Map, "segment %d has no EXT-X-MAP", s.msn)
		}
		if s.discontinuity && !s.initStated {
			c(Map, "segment %d follows a discontinuity without an EXT-X-MAP", s.msn)
		}
		if i > 0 && s.init != all[i-1].init && !s.discontinuity && !all[i-1].gap {
			c(Map, "segment %d changes to %s without a discontinuity", s.msn, s.init)
		}
	}
}

// checkGaps wants a segment that failed to stay so, and to be marked when it closes.
func checkGaps(p *playlist, c complain) {
	for _, s := range p.all() {
		gap := false
		for i, part := range s.parts {
			if gap && !part.gap {
				c(Gap, "part %d of segment %d follows a gap", i, s.msn)
			}
			if gap = part.gap; gap && part.independent {
				c(Gap, "part %d of segment %d is a gap and INDEPENDENT", i, s.msn)
			}
		}
		if s.uri != "" && len(s.parts) > 0 && gap != s.gap {
			c(Gap, "segment %d: EXT-X-GAP is %v, its last part is a gap: %v", s.msn, s.gap, gap)
		}
	}
}

func checkRanges(p *playlist, c complain) {
	seen := map[string]bool{}
	for _, r := range p.ranges {
		a := r.attrs
		if r.id == "" || !a.has("START-DATE") {
			c(DateRanges, "%q without ID or START-DATE", r.id)
		}
		if seen[r.id] {
			c(DateRanges, "%s twice", r.id)
		}
		seen[r.id] = true
		if a.has("END-DATE") {
			checkRangeEnd(r, c)
		}
		if a.has("END-ON-NEXT") && (!a.yes("END-ON-NEXT") || !a.has("CLASS") || a.has("DURATION") || a.has("END-DATE")) {
			c(DateRanges, "%s misuses END-ON-NEXT", r.id)
		}
	}
	if len(p.ranges) > 0 && len(p.segments) > 0 && p.segments[0].date.IsZero() {
		c(DateRanges, "date ranges without EXT-X-PROGRAM-DATE-TIME")
	}
}

func checkRangeEnd(r dateRange, c complain) {
	end, err := parseDate(r.attrs.text("END-DATE"))
	if err != nil || end.Before(r.start) {
		c(DateRanges, "%s ends at %s, starts at %s", r.id, r.attrs.text("END-DATE"), r.attrs.text("START-DATE"))
	}
	if d := r.attrs.seconds("DURATION"); r.attrs.has("DURATION") && (end.Sub(r.start)-d).Abs() > millisecond {
		c(DateRanges, "%s: DURATION and END-DATE disagree", r.id)
	}
}

func checkEnd(p *playlist, c complain) {
	if p.ended && (p.hint != "" || p.open != nil) {
		c(Hint, "more is promised after EXT-X-ENDLIST")
	}
	if !p.ended && p.partTarget > 0 && p.hint == "" {
		c(Hint, "no preload hint")
	}
}

// sameRange reports whether b is a as it was, or a with an end added (4.4.5.1).
func sameRange(a, b attrs) bool {
	added := maps.Clone(b)
	for _, name := range []string{"END-DATE", "DURATION"} {
		if _, had := a[name]; !had {
			delete(added, name)
		}
	}
	return maps.Equal(a, added)
}
