package llhls

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// GroupReport is what following all variants of a multivariant playlist saw.
type GroupReport struct {
	Report             // of the multivariant playlist, and of what lies between its variants
	Variants []*Report // in the order of the multivariant playlist
	Aligned  int       // closed segments that were compared between two variants
	Reported int       // rendition reports
	URIs     []string  // of the variants
}

// Err is nil when no rule was broken anywhere, else it lists the violations.
func (g *GroupReport) Err() error {
	all := []error{g.Report.Err()}
	for i, v := range g.Variants {
		if err := v.Err(); err != nil {
			all = append(all, fmt.Errorf("%s: %w", g.URIs[i], err))
		}
	}
	return errors.Join(all...)
}

// FollowAll plays every variant of the multivariant playlist at address at once, as Follow plays one, and holds them
// against each other. An error says that it could not begin.
func FollowAll(ctx context.Context, address string, o Options) (*GroupReport, error) {
	index, err := newFollower(address, o)
	if err != nil {
		return nil, err
	}
	a, err := index.start(ctx)
	if err != nil {
		return nil, err
	}
	all, err := index.siblingsOf(index.variants(a), o)
	if err != nil {
		return nil, err
	}
	var wg sync.WaitGroup
	failed := make([]error, len(all))
	for i, f := range all {
		wg.Go(func() {
			first, err := f.start(ctx)
			if err == nil {
				err = f.play(ctx, first, f.declared, o.Duration)
			}
			failed[i] = err
		})
	}
	wg.Wait()
	if err := errors.Join(failed...); err != nil {
		return nil, err
	}
	return index.hold(all), nil
}

// siblingsOf makes a follower for each variant, which knows of the others.
func (f *follower) siblingsOf(variants []variant, o Options) (all []*follower, err error) {
	for _, v := range variants {
		address, err := f.base.Parse(v.uri)
		if err != nil {
			return nil, err
		}
		s, err := newFollower(address.String(), o)
		if err != nil {
			return nil, err
		}
		s.declared = v.bandwidth
		all = append(all, s)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s: no variant", f.base)
	}
	for _, s := range all {
		s.siblings = map[string]bool{}
		for _, other := range all {
			if other != s {
				s.siblings[other.base.String()] = true
			}
		}
	}
	return all, nil
}

// hold compares what the variants were seen to be.
func (f *follower) hold(all []*follower) *GroupReport {
	g := &GroupReport{}
	for i, s := range all {
		for _, other := range all[i+1:] {
			g.Aligned += compare(s, other, f.violate)
		}
		g.Variants = append(g.Variants, &s.rep)
		g.Reported += s.reported
		g.URIs = append(g.URIs, s.base.String())
	}
	g.Report = f.rep
	return g
}

// compare wants the segments and parts that both have to be the same but for their media, and returns how many closed
// segments they share.
func compare(a, b *follower, c complain) (shared int) {
	if a.seen.last.target != b.seen.last.target || a.seen.last.partTarget != b.seen.last.partTarget {
		c(Alignment, "%s has other targets than %s", b.base, a.base)
	}
	for _, msn := range slices.Sorted(maps.Keys(a.seen.segments)) {
		s := a.seen.segments[msn]
		o, known := b.seen.segments[msn]
		if !known || s.uri == "" || o.uri == "" {
			continue
		}
		shared++
		if s.duration != o.duration || !s.date.Equal(o.date) || s.discontinuity != o.discontinuity || s.discSeq != o.discSeq {
			c(Alignment, "segment %d of %s is %+v, of %s %+v", msn, a.base, s, b.base, o)
		}
	}
	inOrder := func(p, q position) int { return cmp.Or(cmp.Compare(p.msn, q.msn), cmp.Compare(p.part, q.part)) }
	for _, at := range slices.SortedFunc(maps.Keys(a.seen.parts), inOrder) {
		if o, known := b.seen.parts[at]; known && o.duration != a.seen.parts[at].duration {
			c(Alignment, "part %v of %s lasts %v, of %s %v", at, a.base, a.seen.parts[at].duration, b.base, o.duration)
		}
	}
	return shared
}

// staleReports is how many segments a rendition may be behind.
const staleReports = 4

// checkReports wants a low-latency playlist to tell of every other rendition.
func (f *follower) checkReports(p *playlist) {
	if f.siblings == nil || p.ended || p.partTarget == 0 {
		return
	}
	told := map[string]bool{}
	for _, r := range p.reports {
		address, err := f.base.Parse(r.uri)
		if err != nil || !f.siblings[address.String()] || told[address.String()] {
			f.violate(Reports, "%s is no other rendition, or twice", r.uri)
			continue
		}
		told[address.String()] = true
		if now := p.next(); r.at.msn < now.msn-staleReports || r.at.msn > now.msn+staleReports {
			f.violate(Reports, "%s is told to be at %v while this one is at %v", r.uri, r.at, now)
		}
	}
	if len(told) < len(f.siblings) {
		f.violate(Reports, "%d of %d renditions are told of: %s", len(told), len(f.siblings), strings.Join(slices.Sorted(maps.Keys(told)), " "))
	}
	f.mu.Lock()
	f.reported += len(told)
	f.mu.Unlock()
}
