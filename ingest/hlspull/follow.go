package hlspull

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
)

const (
	// minReload is the shortest time between two loads of a playlist.
	minReload = 200 * time.Millisecond
)

// item is a piece of media to read: a segment, or a part of one.
type item struct {
	resource
	msn      int64
	part     int // of a segment that is read in parts, else -1
	duration time.Duration
	date     time.Time
	init     resource
	disc     int64
}

// place is a position in a media playlist: the next item is part part of segment msn.
type place struct {
	msn  int64
	part int
}

// follower reads one media playlist on and on and gives its items in order. It is for one goroutine.
type follower struct {
	fetch  *fetcher
	url    *url.URL
	missed func(why string)

	list   *mediaPlaylist
	loaded time.Time // when list was asked for
	grew   time.Time // when it last had something new
	at     place
	placed bool
	// apart is set when what comes next does not continue what came before: media was missed.
	apart bool
	held  *item // read ahead: the first of the next run
}

// run is an uninterrupted stretch of media: one initialization segment, one timeline.
type run struct {
	init resource
	disc int64
}

func (i *item) run() run { return run{init: i.init, disc: i.disc} }

// inRun returns the next item of a run; ok is false at its end. The item then waits for the run that it begins.
func (f *follower) inRun(ctx context.Context, r run) (item, bool, error) {
	if f.held == nil {
		it, ok, err := f.next(ctx)
		if err != nil || !ok {
			return item{}, false, err
		}
		f.held = &it
	}
	if f.apart || f.held.run() != r {
		return item{}, false, nil
	}
	it := *f.held
	f.held = nil
	return it, true, nil
}

// begin waits until a run can begin, with enough behind its first item not to stall at once, and returns it; ok is
// false at the end of the show.
func (f *follower) begin(ctx context.Context) (r run, ok bool, err error) {
	if f.held == nil {
		it, ok, err := f.next(ctx)
		if err != nil || !ok {
			return run{}, false, err
		}
		f.held = &it
	}
	for {
		if length, all := f.behind(); all || length >= f.list.hold() {
			break
		}
		if err := f.reload(ctx); err != nil {
			return run{}, false, err
		}
	}
	f.apart = false
	return f.held.run(), true, nil
}

// next returns the next item; ok is false at the end of the show. It waits for items that are yet to come, but not
// longer than the patience without anything new.
func (f *follower) next(ctx context.Context) (it item, ok bool, err error) {
	for {
		if f.list == nil {
			if err := f.load(ctx); err != nil {
				return item{}, false, err
			}
		}
		f.catchUp()
		if it, found, err := f.find(); found || err != nil {
			return it, found, err
		}
		if f.list.ended {
			return item{}, false, nil
		}
		if err := f.reload(ctx); err != nil {
			return item{}, false, err
		}
	}
}

// find returns the item at the present place, passing over gaps, and steps behind it.
func (f *follower) find() (item, bool, error) {
	for {
		i := int(f.at.msn - f.list.sequence)
		if i >= len(f.list.segments) {
			return item{}, false, nil
		}
		s := &f.list.segments[i]
		if s.sealed {
			return item{}, false, errs.New(errs.Invalid, "hlspull.follow", "the media is encrypted (EXT-X-KEY); only clear media can be read")
		}
		switch byParts := f.list.inParts(s); {
		case byParts && f.at.part < len(s.parts):
			p := s.parts[f.at.part]
			it := item{resource: p.resource, msn: s.msn, part: f.at.part, duration: p.duration, init: s.init, disc: s.discontinuity, date: dateWithin(s, f.at.part)}
			f.at.part++
			if p.gap {
				f.apart = true
				continue
			}
			return it, true, nil
		case byParts && s.open:
			return item{}, false, nil
		case byParts:
			f.at = place{msn: f.at.msn + 1}
		default:
			it := item{resource: s.resource, msn: s.msn, part: -1, duration: s.duration, init: s.init, disc: s.discontinuity, date: s.date}
			f.at = place{msn: f.at.msn + 1}
			if s.gap {
				f.apart = true
				continue
			}
			return it, true, nil
		}
	}
}

// inParts reports whether a segment is read part by part: near the end of the playlist.
func (p *mediaPlaylist) inParts(s *segment) bool { return len(s.parts) > 0 && p.lowLatency() }

func (p *mediaPlaylist) lowLatency() bool { return p.partTarget > 0 && p.canBlock }

// dateWithin is the date of a part.
func dateWithin(s *segment, n int) time.Time {
	if s.date.IsZero() {
		return s.date
	}
	at := s.date
	for _, p := range s.parts[:n] {
		at = at.Add(p.duration)
	}
	return at
}

// catchUp finds a place to begin, or to go on from when the playlist went past the place there was.
func (f *follower) catchUp() {
	first, behind := f.list.sequence, f.list.sequence+int64(len(f.list.segments))
	switch {
	case !f.placed:
		f.at, f.placed = f.list.start(), true
	case f.at.msn < first:
		f.missed("it does not list what comes next any more")
		f.at, f.apart = f.list.start(), true
	case f.at.msn > behind:
		f.missed("it counts its segments anew")
		f.at, f.apart = f.list.start(), true
	case f.at.part > 0 && f.at.msn < behind && len(f.list.segments[f.at.msn-first].parts) < f.at.part:
		f.at, f.apart = place{msn: f.at.msn + 1}, true // its parts are not listed any more
	}
}

// hold is how much media is to lie between what is read and the end of the playlist, so that one that comes late does
// not stall viewers: one segment beyond the one that is read, or what the origin advises for parts.
func (p *mediaPlaylist) hold() time.Duration {
	if !p.lowLatency() {
		return p.target
	}
	return max(p.partHold, 3*p.partTarget) - p.partTarget
}

// start is the newest place that leaves enough to come: the start of a segment, or of an independent part.
func (p *mediaPlaylist) start() place {
	var after time.Duration
	for i := len(p.segments) - 1; i >= 0; i-- {
		s := &p.segments[i]
		if !p.inParts(s) {
			if after >= p.hold() {
				return place{msn: s.msn}
			}
			after += s.duration
			continue
		}
		for n := len(s.parts) - 1; n >= 0; n-- {
			if after >= p.hold() && (n == 0 || s.parts[n].independent) {
				return place{msn: s.msn, part: n}
			}
			after += s.parts[n].duration
		}
	}
	return place{msn: p.sequence}
}

// behind is how much media of the run is listed from the present place on, and whether that is all there will be.
func (f *follower) behind() (length time.Duration, all bool) {
	for i := max(0, int(f.at.msn-f.list.sequence)); i < len(f.list.segments); i++ {
		s := &f.list.segments[i]
		if f.held != nil && s.discontinuity != f.held.disc {
			return length, true
		}
		length += s.duration
	}
	return length, f.list.ended
}

// end is how far a playlist reaches.
func (p *mediaPlaylist) end() place {
	n := len(p.segments)
	if n > 0 && p.segments[n-1].open {
		s := &p.segments[n-1]
		return place{msn: s.msn, part: len(s.parts)}
	}
	return place{msn: p.sequence + int64(n)}
}

// reload loads the playlist again when it is time (6.3.4), and complains when it stands still for too long.
func (f *follower) reload(ctx context.Context) error {
	before := f.list.end()
	if err := wait(ctx, f.pause()); err != nil {
		return err
	}
	if err := f.load(ctx); err != nil {
		return err
	}
	switch now := time.Now(); {
	case f.list.end() != before || f.list.ended:
		f.grew = now
	case now.Sub(f.grew) > max(f.fetch.cfg.Patience, 3*f.list.target):
		return errs.New(errs.Unavailable, "hlspull.follow", "the origin's playlist stands still: it has had nothing new for three segments, and longer than %v", f.fetch.cfg.Patience)
	}
	return nil
}

// pause is how long to wait before the playlist is loaded again. An origin that holds the answer back needs no wait.
func (f *follower) pause() time.Duration {
	since := time.Since(f.loaded)
	if f.list.canBlock {
		return minReload/4 - since
	}
	every := f.list.target / 2
	if n := len(f.list.segments); n > 0 && f.grew.Equal(f.loaded) {
		every = min(f.list.target, f.list.segments[n-1].duration)
	}
	return max(minReload, every) - since
}

// load reads the playlist; what may pass is tried again within the patience.
func (f *follower) load(ctx context.Context) error {
	u := *f.url
	if f.list != nil && f.list.canBlock {
		u.RawQuery = f.directives(u.Query())
	}
	asked := time.Now()
	var list *mediaPlaylist
	err := f.fetch.persist(ctx, func(ctx context.Context) error {
		text, base, err := f.fetch.playlist(ctx, &u)
		if err != nil {
			return err
		}
		list, err = parseMedia(string(text), base)
		return err
	})
	if err != nil {
		return err
	}
	if f.list == nil || f.list.end() != list.end() {
		f.grew = asked
	}
	f.list, f.loaded = list, asked
	return nil
}

// directives asks for the playlist that has what comes next (6.2.5.2).
func (f *follower) directives(q url.Values) string {
	end := f.list.end()
	q.Set("_HLS_msn", fmt.Sprint(end.msn))
	if f.list.lowLatency() {
		q.Set("_HLS_part", fmt.Sprint(end.part))
	}
	return q.Encode()
}

// alignTo begins at the segment that holds date, or else as far from the end as other does.
func (f *follower) alignTo(other *follower) {
	f.at, f.placed = f.list.start(), true
	i := int(other.at.msn - other.list.sequence)
	if i < 0 || i >= len(other.list.segments) {
		return
	}
	date, disc := other.list.segments[i].date, other.list.segments[i].discontinuity
	at := slices.IndexFunc(f.list.segments, func(s segment) bool {
		return s.discontinuity == disc && !date.IsZero() && !s.date.IsZero() && s.date.Add(s.duration).After(date)
	})
	if at < 0 {
		at = max(0, len(f.list.segments)-(len(other.list.segments)-i))
	}
	f.at = place{msn: f.list.sequence + int64(at)}
}

// wait waits for d, if that is positive, or until ctx ends.
func wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
