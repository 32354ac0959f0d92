package cut

import (
	"cmp"
	"slices"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
)

// preroll is how many access units of sound before the first one that is heard go into a file: what AAC needs to come
// out right, with spectral band replication.
const preroll = 2

// choosePictures finds the frames of the span, and what they are decoded from.
func (t *take) choosePictures() {
	t.shown = t.wanted
	order := displayed(t.all.video)
	from, to := t.wanted.From-nearly, t.wanted.To-nearly
	first, _ := slices.BinarySearchFunc(order, from, func(x *sample, at media.Ticks) int { return cmp.Compare(x.pts, at) })
	end, _ := slices.BinarySearchFunc(order, to, func(x *sample, at media.Ticks) int { return cmp.Compare(x.pts, at) })
	t.visible = t.wanted
	switch begins := first < end; {
	case begins && order[first].pts-t.wanted.From <= shortly:
		t.visible.From = order[first].pts
		t.shown.From = t.visible.From
	case first > 0 && t.holds(order[first-1]): // the frame that is on the screen when the span begins
		first--
	case begins:
		t.visible.From = order[first].pts
	}
	if first >= end {
		t.visible = media.Span{}
		return
	}
	t.frames = end - first
	next := t.endOf(order, end-1)
	switch {
	case next-t.wanted.To <= shortly && t.wanted.To-next <= shortly:
		t.visible.To = next
		t.shown.To = next
	default:
		t.visible.To = min(next, t.wanted.To)
	}
	t.video = t.decodedFor(order[first:end])
}

// displayed lists frames in the order of presentation.
func displayed(video []sample) []*sample {
	order := make([]*sample, len(video))
	for i := range video {
		order[i] = &video[i]
	}
	slices.SortStableFunc(order, func(a, b *sample) int { return cmp.Compare(a.pts, b.pts) })
	return order
}

// holds reports whether a frame is on the screen when the span begins: the last one before it is, unless pictures ended.
func (t *take) holds(x *sample) bool {
	return t.segments[x.segment].End() > t.wanted.From || !t.endsRun(x)
}

// endsRun reports whether no picture follows x in its run.
func (t *take) endsRun(x *sample) bool {
	last := &t.all.video[len(t.all.video)-1]
	return x.run == last.run && x.segment == last.segment
}

// endOf is when frame i of the order is taken off the screen: when the next one comes, or with its segment.
func (t *take) endOf(order []*sample, i int) media.Ticks {
	if i+1 < len(order) {
		return order[i+1].pts
	}
	x := order[i]
	end := t.segments[x.segment].End()
	if end <= x.pts {
		end = x.pts + media.Ticks(max(x.length, 1))
	}
	return end
}

// decodedFor returns the frames that are needed to show some: from the IDR before the first of them on, up to the last
// in decode order.
func (t *take) decodedFor(shown []*sample) []sample {
	index := func(x *sample) int {
		i, _ := slices.BinarySearchFunc(t.all.video, x.at, func(y sample, at media.Ticks) int { return cmp.Compare(y.at, at) })
		return i
	}
	from, to := index(shown[0]), 0
	for _, x := range shown {
		i := index(x)
		from, to = min(from, i), max(to, i)
	}
	for from > 0 && (!t.all.video[from].sync || t.all.video[from].pts > shown[0].pts) {
		from--
	}
	return t.all.video[from : to+1]
}

// chooseSound finds the access units that are heard in the span, and some before them.
func (t *take) chooseSound() {
	all := t.all.audio
	first := slices.IndexFunc(all, func(x sample) bool { return x.soundEnd() > t.shown.From })
	if first < 0 {
		return
	}
	end := first
	for end < len(all) && all[end].at < t.shown.To {
		end++
	}
	if first == end {
		return
	}
	for range preroll {
		if first > 0 && all[first-1].run == all[first].run && all[first-1].entry == all[first].entry {
			first--
		}
	}
	t.audio = all[first:end]
}

func (x *sample) soundEnd() media.Ticks {
	return media.Ticks((x.units + x.length) * int64(media.TicksPerSecond) / x.rate)
}

// checkCodecs refuses what no file can hold: pictures of two codecs.
func (t *take) checkCodecs() error {
	for i := range t.video {
		if a, b := t.codecs[pictures][t.video[0].entry], t.codecs[pictures][t.video[i].entry]; a != b {
			at := t.video[i].pts
			return errs.Field(t.op, "from", "the pictures change from %v to %v at %s; choose a range before or after that", a, b, clock(at))
		}
	}
	return nil
}
