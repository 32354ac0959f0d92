package hls

import (
	"bytes"
	"cmp"
	"maps"
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/vitrine-live/vitrine/media"
)

// encoder makes a rendition of the source's pictures: the same numbers under the same times, some pictures later.
type encoder struct {
	f       *Follower
	lag     int  // pictures
	off     bool // it takes nothing
	restart bool // it begins at the next IDR

	pending []media.Sample // in the order of presentation
	made    int
}

// take is the source's picture going in.
func (e *encoder) take(s media.Sample) {
	if e.off || s.Kind != media.Video || e.restart && !s.Key {
		return
	}
	e.restart = false
	i, _ := slices.BinarySearchFunc(e.pending, s, func(a, b media.Sample) int { return cmp.Compare(a.PTS, b.PTS) })
	e.pending = slices.Insert(e.pending, i, s)
	for len(e.pending) > e.lag+4 { // reordering is never deeper
		e.emit()
	}
}

func (e *encoder) emit() {
	s := e.pending[0]
	e.pending = e.pending[1:]
	s.DTS = s.PTS
	e.made++
	e.f.Write(s)
}

func (e *encoder) drain() {
	for len(e.pending) > 0 {
		e.emit()
	}
	e.f.Drained()
}

// fail is a crash; the next IDR finds the encoder up again.
func (e *encoder) fail() {
	e.pending, e.restart = nil, true
	e.f.Down()
}

// twins is a packager, and a follower fed by an encoder.
type twins struct {
	leader, follower *collector
	p                *Packager
	e                *encoder
}

func newTwins(t fataler, lag int) *twins {
	tw := &twins{leader: newCollector(t), follower: newCollector(t)}
	tw.follower.follows = true
	tw.p = NewPackager(Config{}, Resume{}, tw.leader, nil, nil)
	f := NewFollower(tw.follower, nil, nil)
	f.SetTrack(otherVideoTrack())
	tw.p.Follow(f)
	tw.e = &encoder{f: f, lag: lag}
	return tw
}

func (tw *twins) start(t testing.TB, tracks ...media.Track) {
	tw.p.StartEpoch(media.Epoch{ShowTime: tw.p.Position(), Wall: wallStart.Add(tw.p.Position().Duration())})
	if len(tracks) == 0 {
		tracks = []media.Track{videoTrack(), audioTrackOf(48_000)}
	}
	if err := tw.p.SetTracks(tracks); err != nil {
		t.Fatal(err)
	}
}

func (tw *twins) write(t fataler, s media.Sample) {
	if err := tw.p.Write(s); err != nil {
		t.Fatal(err)
	}
	tw.e.take(s)
}

// source is what plainSource makes, in the order of time.
func sourceSamples(seconds int, origin media.Ticks, first uint32) (samples []media.Sample) {
	for i := range seconds * 30 {
		at := origin + media.Ticks(i)*3000
		samples = append(samples, media.Sample{Kind: media.Video, PTS: at, DTS: at, Key: i%60 == 0, Payload: payload(first, 200)})
		first++
	}
	for i := range seconds * 48_000 / 1024 {
		at := origin + media.Ticks(i)*1920
		samples = append(samples, media.Sample{Kind: media.Audio, PTS: at, DTS: at, Key: true, Payload: payload(first, 20)})
		first++
	}
	slices.SortStableFunc(samples, func(a, b media.Sample) int { return cmp.Compare(a.DTS, b.DTS) })
	return samples
}

// checkMirror holds the follower's segments against the leader's: the same cuts, sound and dates, and gaps by the rules.
func checkMirror(t fataler, leader, follower *collector) {
	if len(leader.segments) != len(follower.segments) || follower.open != nil {
		t.Fatalf("%d segments follow %d, open: %+v", len(follower.segments), len(leader.segments), follower.open)
	}
	for i, want := range leader.segments {
		got := follower.segments[i]
		if got.MSN != want.MSN || got.Start != want.Start || got.Duration != want.Duration || !got.Wall.Equal(want.Wall) ||
			got.Discontinuity != want.Discontinuity || got.TargetDuration != want.TargetDuration || len(got.Parts) != len(want.Parts) {
			t.Fatalf("\n%+v follows\n%+v", got, want)
		}
		gap := false
		for j, part := range got.Parts {
			if p := want.Parts[j]; part.Index != p.Index || part.Duration != p.Duration || part.Last != p.Last {
				t.Fatalf("segment %d: %+v follows %+v", i, part, p)
			}
			if gap && !part.Gap || part.Gap && (part.Size != 0 || part.Independent) {
				t.Fatalf("segment %d: %+v", i, part)
			}
			gap = part.Gap
		}
		if gap != got.Gap {
			t.Fatalf("segment %d: %+v", i, got)
		}
		if !gap && i > 0 && follower.segments[i-1].Gap && !got.Independent {
			t.Fatalf("segment %d comes back without an IDR", i)
		}
	}
	checkSameSound(t, leader, follower)
	checkOwnPictures(t, leader, follower)
}

// checkSameSound wants the very packets of the leader in every part that is here.
func checkSameSound(t fataler, leader, follower *collector) {
	type place struct {
		msn  int64
		part int
	}
	want := map[place][]packaged{}
	for _, s := range leader.samples() {
		if s.track == audioTrackID {
			want[place{s.msn, s.partIndex}] = append(want[place{s.msn, s.partIndex}], s)
		}
	}
	for _, s := range follower.samples() {
		if s.track != audioTrackID {
			continue
		}
		at := place{s.msn, s.partIndex}
		if len(want[at]) == 0 {
			t.Fatalf("part %v has sound that the leader has not", at)
		}
		w := want[at][0]
		want[at] = want[at][1:]
		if s.dts != w.dts || s.duration != w.duration || !bytes.Equal(s.payload, w.payload) {
			t.Fatalf("part %v: sound %+v, want %+v", at, s, w)
		}
	}
	for at, missing := range want {
		if len(missing) > 0 && !follower.segments[at.msn].Parts[at.part].Gap {
			t.Fatalf("part %v lacks %d packets", at, len(missing))
		}
	}
}

// checkOwnPictures wants every picture of the leader's under the same time to the tick, but for those in gaps.
func checkOwnPictures(t fataler, leader, follower *collector) {
	type shown struct {
		pts int64
		key bool
	}
	of := map[uint32]shown{}
	in := map[uint32]int64{}
	for _, s := range leader.samples() {
		if s.track == videoTrackID {
			of[s.number], in[s.number] = shown{s.pts, s.key}, s.msn
		}
	}
	var end int64
	last := int64(-2)
	for _, s := range follower.samples() {
		if s.track != videoTrackID {
			continue
		}
		seg := follower.segments[s.msn]
		if want, ok := of[s.number]; !ok || want != (shown{s.pts, s.key}) {
			t.Fatalf("picture %d is shown at %d (IDR %v), want %+v (%v)", s.number, s.pts, s.key, want, ok)
		}
		delete(of, s.number)
		if media.Ticks(s.dts) < seg.Start-frameSlack || s.key && s.dts != s.pts || s.pts < s.dts-int64(frameSlack) || s.pts > s.dts+int64(frameSlack) || s.duration <= 0 {
			t.Fatalf("%+v in %+v", s, seg)
		}
		if (s.msn == last || s.msn == last+1 && !seg.Discontinuity && !follower.segments[last].Gap) && s.dts != end {
			t.Fatalf("segment %d: decodes at %d, the one before ends at %d", s.msn, s.dts, end)
		}
		end, last = s.dts+s.duration, s.msn
	}
	for n := range of {
		if !follower.segments[in[n]].Gap && !nearGap(follower, in[n]) {
			t.Fatalf("picture %d of segment %d is missing", n, in[n])
		}
	}
}

// nearGap reports whether a neighbour of a segment is a gap: rounding may have put one of its pictures there.
func nearGap(c *collector, msn int64) bool {
	return msn > 0 && c.segments[msn-1].Gap || msn+1 < int64(len(c.segments)) && c.segments[msn+1].Gap
}

func TestFollowerProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tw := newTwins(t, rapid.IntRange(0, 3).Draw(t, "lag"))
		number := uint32(0)
		faults := rapid.Bool().Draw(t, "faults")
		for epoch := range rapid.IntRange(1, 3).Draw(t, "epochs") {
			plan := drawEpoch(t, epoch, &number)
			begin := tw.p.Position()
			fail := -1
			if faults {
				fail = rapid.IntRange(0, len(plan.arrivals)).Draw(t, "fails at")
			}
			plan.follow(t, tw, media.Epoch{ShowTime: begin, Wall: wallStart.Add(begin.Duration())}, fail)
		}
		checkMirror(t, tw.leader, tw.follower)
		for _, seg := range tw.follower.segments {
			if seg.Gap && !faults {
				t.Fatalf("segment %d is a gap: %+v", seg.MSN, seg)
			}
		}
	})
}

// follow publishes the epoch to both twins.
func (p *epochPlan) follow(t *rapid.T, tw *twins, epoch media.Epoch, fail int) {
	tw.p.StartEpoch(epoch)
	if err := tw.p.SetTracks(p.tracks()); err != nil {
		t.Fatal(err)
	}
	for i, a := range p.arrivals {
		if a.newTracks != nil {
			if err := tw.p.SetTracks(a.newTracks); err != nil {
				t.Fatal(err)
			}
		}
		if i == fail {
			tw.e.fail()
		}
		a.PTS += epoch.ShowTime
		a.DTS += epoch.ShowTime
		tw.write(t, a.Sample)
	}
	tw.p.EndEpoch()
	if rapid.Bool().Draw(t, "drains") || fail < 0 {
		tw.e.drain()
	} else {
		tw.e.fail()
		tw.e.restart = false
	}
}

// gaps lists the segments that are gaps, and how many of their parts were out before.
func (c *collector) gaps() map[int64]int {
	out := map[int64]int{}
	for _, seg := range c.segments {
		if seg.Gap {
			out[seg.MSN] = present(seg.Parts)
		}
	}
	return out
}

func (tw *twins) writeAll(t fataler, samples []media.Sample) {
	for _, s := range samples {
		tw.write(t, s)
	}
}

// until returns the first samples, those that decode before t, and the rest.
func until(samples []media.Sample, t media.Ticks) (before, after []media.Sample) {
	i := slices.IndexFunc(samples, func(s media.Sample) bool { return s.DTS >= t })
	return samples[:i], samples[i:]
}

func TestFollowerComesBack(t *testing.T) {
	const second = media.TicksPerSecond
	type show = *twins
	for _, ca := range []struct {
		name string
		lag  int
		at   media.Ticks // when the event happens
		do   func(show)
		then media.Ticks // when the next one does
		undo func(show)
		want map[int64]int // gaps, with the parts that were out
	}{
		// The rest of the segment is a gap. The next one begins with the IDR that the encoder begins with.
		{"failure in a segment", 5, 5 * second, func(tw show) { tw.e.fail() }, 6 * second, func(show) {}, map[int64]int{2: 1}},
		{"failure at a segment's start", 0, 4 * second, func(tw show) { tw.e.fail() }, 5 * second, func(show) {}, map[int64]int{1: 3}},
		// At once as long as nothing comes.
		{"long failure", 0, 5 * second, func(tw show) { tw.e.fail(); tw.e.off = true }, 9 * second, func(tw show) { tw.e.off = false }, map[int64]int{2: 1, 3: 0, 4: 0}},
		// Two target durations are waited before the first gap: those of 4 to 8 s are given up with the part that ends at
		// 8.5 s, and the rest of that segment for want of an IDR.
		{"silence", 0, 4 * second, func(tw show) { tw.e.off = true }, 9 * second, func(tw show) { tw.e.off, tw.e.restart = false, true }, map[int64]int{1: 3, 2: 0, 3: 0, 4: 0}},
		// Other parameters with an IDR are a new initialization segment; before one they are a gap.
		{"new parameters", 0, 6 * second, func(tw show) { tw.e.drainTo(6 * second); tw.e.f.SetTrack(videoTrack()) }, 9 * second, func(show) {}, map[int64]int{}},
		{"new parameters amid a segment", 0, 5 * second, func(tw show) { tw.e.drainTo(5 * second); tw.e.f.SetTrack(videoTrack()) }, 9 * second, func(show) {}, map[int64]int{2: 2}},
		{"parameters that cannot be", 0, 5 * second, func(tw show) { tw.e.drainTo(5 * second); tw.e.f.SetTrack(media.Track{Codec: media.H264}) }, 9 * second, func(tw show) { tw.e.f.SetTrack(otherVideoTrack()) }, map[int64]int{2: 1, 3: 0, 4: 0}},
	} {
		t.Run(ca.name, func(t *testing.T) {
			tw := newTwins(t, ca.lag)
			tw.start(t)
			before, rest := until(sourceSamples(16, 0, 1), ca.at)
			tw.writeAll(t, before)
			ca.do(tw)
			before, rest = until(rest, ca.then)
			tw.writeAll(t, before)
			ca.undo(tw)
			tw.writeAll(t, rest)
			tw.p.EndEpoch()
			tw.e.drain()
			checkMirror(t, tw.leader, tw.follower)
			if got := tw.follower.gaps(); !maps.Equal(got, ca.want) {
				t.Errorf("gaps %v, want %v", got, ca.want)
			}
		})
	}
}

// drainTo emits the pictures before t.
func (e *encoder) drainTo(t media.Ticks) {
	for len(e.pending) > 0 && e.pending[0].PTS < t {
		e.emit()
	}
}

// A rendition that is added to a show on air has a gap for what was before, and nothing else.
func TestFollowAmidSegment(t *testing.T) {
	tw := newTwins(t, 3)
	tw.start(t)
	before, rest := until(sourceSamples(8, 0, 1), 3*media.TicksPerSecond)
	tw.writeAll(t, before)
	late := newCollector(t)
	late.follows = true
	f := NewFollower(late, nil, nil)
	f.SetTrack(otherVideoTrack())
	tw.p.Follow(f)
	second := encoder{f: f, restart: true}
	for _, s := range rest {
		tw.write(t, s)
		second.take(s)
	}
	tw.p.EndEpoch()
	tw.e.drain()
	second.drain()
	checkMirror(t, tw.leader, tw.follower)
	if len(late.segments) != 3 || late.segments[0].MSN != 1 || !maps.Equal(late.gaps(), map[int64]int{1: 0}) {
		t.Errorf("%+v", late.segments)
	}
}

// The end of a show does not wait for pictures: the last one that is here stays.
func TestFollowerFinish(t *testing.T) {
	tw := newTwins(t, 10)
	tw.start(t)
	tw.writeAll(t, sourceSamples(5, 0, 1))
	tw.p.EndEpoch()
	tw.e.f.finish()
	tw.e.drain() // too late
	checkSameSound(t, tw.leader, tw.follower)
	if got := tw.follower.gaps(); len(got) > 0 || len(tw.follower.segments) != 3 {
		t.Errorf("%d segments, gaps %v", len(tw.follower.segments), got)
	}
	pictures := 0
	for _, s := range tw.follower.samples() {
		if s.track == videoTrackID {
			pictures++
		}
	}
	if want := 5*30 - 14; pictures != want {
		t.Errorf("%d pictures, want %d", pictures, want)
	}
}

// The publisher's goroutine and the encoder's meet in the follower.
func TestFollowerConcurrent(t *testing.T) {
	tw := newTwins(t, 2)
	tw.start(t)
	samples := make(chan media.Sample, 4)
	var wg sync.WaitGroup
	wg.Go(func() {
		for s := range samples {
			tw.e.take(s)
		}
		tw.e.drain()
	})
	for _, s := range sourceSamples(20, 0, 1) {
		if err := tw.p.Write(s); err != nil {
			t.Error(err)
		}
		samples <- s
	}
	tw.p.EndEpoch()
	close(samples)
	wg.Wait()
	checkMirror(t, tw.leader, tw.follower)
	if got := tw.follower.gaps(); len(got) > 0 {
		t.Errorf("gaps %v", got)
	}
}

// An encoder that failed for good is no reason to give up the next epoch's, however slowly that begins.
func TestFollowerNewEpoch(t *testing.T) {
	tw := newTwins(t, 0)
	tw.start(t)
	samples := sourceSamples(5, 0, 1)
	before, rest := until(samples, 3*media.TicksPerSecond)
	tw.writeAll(t, before)
	tw.e.fail()
	tw.e.off = true
	tw.writeAll(t, rest)
	origin := tw.p.EndEpoch()
	tw.e = &encoder{f: tw.e.f, lag: 80}
	tw.start(t)
	tw.writeAll(t, sourceSamples(8, origin, uint32(len(samples)+1)))
	tw.p.EndEpoch()
	tw.e.drain()
	checkMirror(t, tw.leader, tw.follower)
	if got := tw.follower.gaps(); !maps.Equal(got, map[int64]int{1: 1, 2: 0}) {
		t.Errorf("gaps %v", got)
	}
}

// The source's parameters change: the encoder ends with what it has, and another begins, slowly. Nothing is lost.
func TestFollowerNewEncoder(t *testing.T) {
	tw := newTwins(t, 12)
	tw.start(t)
	before, rest := until(sourceSamples(16, 0, 1), 6*media.TicksPerSecond)
	tw.writeAll(t, before)
	tw.e.drain()
	if err := tw.p.SetTracks([]media.Track{otherVideoTrack(), audioTrackOf(48_000)}); err != nil {
		t.Fatal(err)
	}
	second := &encoder{f: tw.e.f, lag: 80, restart: true}
	tw.e = second
	second.f.SetTrack(videoTrack())
	tw.writeAll(t, rest)
	tw.p.EndEpoch()
	second.drain()
	checkMirror(t, tw.leader, tw.follower)
	if got := tw.follower.gaps(); len(got) > 0 || len(tw.follower.inits) != 2 || !tw.follower.segments[3].Discontinuity {
		t.Errorf("gaps %v, %d inits", got, len(tw.follower.inits))
	}
}
