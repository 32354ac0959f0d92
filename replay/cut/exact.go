package cut

import (
	"bytes"
	"context"
	"os"
	"slices"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/replay"
)

// Exact makes an MP4 file that has the frames of span whose PTS lies in it and no others: what a player does with edit
// lists does not matter to the pictures. Only the group of pictures that the beginning breaks is encoded again, and the
// one at the end where later frames would be left in it; everything between is the recording's, bit for bit. The sound
// is copied, and cut to the sample by an edit list.
//
// The encoded frames keep their presentation times to the tick, and size, pixel format and colours.
//
// Errors are those of Copy; Invalid for AV1, which cannot be cut so; Unavailable when ffmpeg is missing.
func Exact(ctx context.Context, rec *replay.Recording, span media.Span, path string, meta Meta, ff Encoder, p Progress) (Result, error) {
	const op = "cut.Exact"
	t, err := newTake(ctx, op, rec, span)
	if err != nil {
		return Result{}, err
	}
	e := encoding{take: t, encoder: ff, temp: path + tempSuffix}
	defer os.Remove(e.temp)
	if err := e.run(ctx); err != nil {
		return Result{}, err
	}
	if err := t.finishSound(ctx, path+tempSuffix, ff); err != nil {
		return Result{}, err
	}
	if err := t.repeatParameters(); err != nil {
		return Result{}, err
	}
	return t.write(ctx, path, &meta, p)
}

// tempSuffix follows the name of a file in that of what is decoded for it.
const tempSuffix = ".source"

// group is a stretch of take.video from an IDR on that is encoded again, and the frames of it that are wanted.
type group struct {
	from, to    int         // indices; to is the first of the next group
	decode      int         // index of the IDR from which on it is decoded, before from where pictures need it
	first, last media.Ticks // PTS of the first and last wanted frame
}

// edges finds the groups of pictures that hold hidden frames: that of the beginning, that of the end, which may be the
// same.
func (t *take) edges() (groups []group) {
	if len(t.video) == 0 {
		return nil
	}
	order := displayed(t.video)
	first, last := t.firstShown(order), t.lastShown(order)
	if order[0].pts < first {
		g := group{from: 0, to: len(t.video), first: first, last: last}
		if next := slices.IndexFunc(t.video, func(x sample) bool { return x.sync && x.pts > first }); next > 0 {
			g.to = next
			g.last = t.lastBefore(order, t.video[next].pts)
		}
		groups = append(groups, g)
	}
	if order[len(order)-1].pts <= last || len(groups) > 0 && groups[0].to == len(t.video) {
		return groups
	}
	g := t.tail(last)
	if len(groups) > 0 {
		g.first = max(g.first, groups[0].last+1)
	}
	if len(groups) > 0 && g.from < groups[0].to { // pictures behind an IDR that are shown before it
		return []group{{from: 0, to: len(t.video), first: first, last: last}}
	}
	return append(groups, g)
}

// tail is the group of the last wanted frame. Where the group is open, it begins with frames that stand behind its IDR and
// are shown before it; those need the group before.
func (t *take) tail(last media.Ticks) group {
	g := group{to: len(t.video), last: last}
	for i := range t.video {
		if x := &t.video[i]; x.sync && x.pts <= last {
			g.decode, g.from, g.first = g.from, i, x.pts
		}
	}
	open := false
	for _, x := range t.video[g.from:] {
		open = open || x.pts < g.first
		g.first = min(g.first, x.pts)
	}
	if !open {
		g.decode = g.from
	}
	return g
}

// firstShown is the PTS of the first frame that is not hidden: the one before the visible span may last into it.
func (t *take) firstShown(order []*sample) media.Ticks {
	return order[len(t.hiddenBefore(order))].pts
}

func (t *take) hiddenBefore(order []*sample) []*sample {
	n := 0
	for n+1 < len(order) && order[n+1].pts <= t.visible.From {
		n++
	}
	return order[:n]
}

func (t *take) lastShown(order []*sample) media.Ticks {
	n := len(order) - 1
	for n > 0 && order[n].pts >= t.visible.To-nearly {
		n--
	}
	return order[n].pts
}

func (t *take) lastBefore(order []*sample, at media.Ticks) media.Ticks {
	n := len(order) - 1
	for n > 0 && order[n].pts >= at {
		n--
	}
	return order[n].pts
}

// encoding is the state of Exact.
type encoding struct {
	*take
	encoder Encoder
	temp    string // for the frames that are decoded
}

// run replaces the groups that hold hidden frames.
func (e *encoding) run(ctx context.Context) error {
	groups := e.edges()
	var made [][]sample
	for _, g := range groups {
		samples, err := e.encode(ctx, g)
		if err != nil {
			return err
		}
		made = append(made, samples)
	}
	for i, g := range slices.Backward(groups) {
		e.video = e.spliced(g, made[i])
	}
	return nil
}

// spliced puts samples in the place of a group. Pictures behind the next IDR that are shown before it belong to the group.
func (e *encoding) spliced(g group, made []sample) []sample {
	video := append(slices.Clone(e.video[:g.from]), made...)
	for i := g.to; i < len(e.video); i++ {
		if e.video[i].pts > g.last {
			video = append(video, e.video[i])
		}
	}
	return video
}

// encode returns the samples that take the place of a group.
func (e *encoding) encode(ctx context.Context, g group) ([]sample, error) {
	end := g.to
	for i := g.to + 1; i < len(e.video) && e.video[i].pts < e.video[g.to].pts; i++ {
		if e.video[i].pts <= g.last {
			end = i + 1 // it is behind the next IDR, but shown before it
		}
	}
	var wanted []sample
	for _, x := range e.video[g.from:end] {
		if x.pts >= g.first && x.pts <= g.last {
			wanted = append(wanted, x)
		}
	}
	encoded, err := e.reencode(ctx, e.video[g.decode:end], g)
	if err != nil {
		return nil, err
	}
	if len(encoded.samples) != len(wanted) {
		return nil, errs.New(errs.Internal, e.op, "%d frames at %s were encoded again, %d wanted", len(encoded.samples), clock(g.first), len(wanted))
	}
	entry, err := e.describe(wanted[0].entry, encoded)
	if err != nil {
		return nil, err
	}
	made := slices.Clone(wanted) // they lie where those do
	pts := displayed(wanted)
	for i := range made {
		x := &encoded.samples[i]
		made[i].pts, made[i].at = pts[i].pts, pts[i].pts
		made[i].sync, made[i].entry = x.Sync, entry
		made[i].data, made[i].size = bytes.Clone(encoded.file[x.Offset:x.Offset+x.Size]), x.Size
	}
	e.encoded += g.last - g.first + pts[len(pts)-1].frameLength(pts)
	return made, nil
}

// frameLength is how long the last of some frames lasts: as long as the one before it.
func (x *sample) frameLength(order []*sample) media.Ticks {
	if n := len(order); n > 1 {
		return order[n-1].pts - order[n-2].pts
	}
	return media.Ticks(x.length)
}
