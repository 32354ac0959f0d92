package cut

import (
	"context"
	"slices"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/replay"
)

// take is what a file is made of: the samples in it, and what of them is shown.
type take struct {
	source
	wanted media.Span

	all   stretch // around the span, in decode order
	video []sample
	audio []sample

	shown   media.Span // of the whole
	visible media.Span // of the pictures; empty without
	frames  int
	encoded media.Ticks
	passing bool // the file is read once and need not outlive a crash
}

// newTake selects what a clip without encoding consists of.
func newTake(ctx context.Context, op string, rec *replay.Recording, span media.Span) (*take, error) {
	span, err := Clamp(rec, span)
	if err != nil {
		return nil, errs.Wrap(op, err)
	}
	t := &take{wanted: span, source: source{op: op, rec: rec, segments: segments(rec), inits: map[int]*initialization{}}}
	if err := t.load(ctx); err != nil {
		return nil, err
	}
	t.choosePictures()
	t.chooseSound()
	if len(t.video) == 0 && len(t.audio) == 0 {
		return nil, errs.Field(op, "from", "nothing was recorded between %s and %s", clock(span.From), clock(span.To))
	}
	return t, t.checkCodecs()
}

// load reads the segments of the span, those before it back to an IDR, and one after it.
func (t *take) load(ctx context.Context) error {
	first := 0
	for first+1 < len(t.segments) && t.segments[first].End() <= t.wanted.From {
		first++
	}
	from := first
	var before []stretch
	for i, covered := first, false; i >= 0; i-- {
		s, err := t.read(ctx, i)
		if err != nil {
			return err
		}
		before, from, covered = append(before, s), i, covered || t.covers(i, s)
		if t.begins(i) || i < first && covered { // sound needs what is before it too
			break
		}
	}
	run := 0
	add := func(i int, s stretch) {
		if i > from && t.begins(i) || t.segments[i].Gap {
			run++
		}
		for _, list := range [][]sample{s.video, s.audio} {
			for j := range list {
				list[j].run = run
			}
		}
		t.all.video = append(t.all.video, s.video...)
		t.all.audio = append(t.all.audio, s.audio...)
	}
	for i, s := range slices.Backward(before) {
		add(first-i, s)
	}
	for i := first + 1; i < len(t.segments); i++ {
		s, err := t.read(ctx, i)
		if err != nil {
			return err
		}
		add(i, s)
		if t.segments[i].Start >= t.wanted.To {
			break
		}
	}
	t.all.video = decodable(t.all.video)
	return nil
}

// begins reports whether segment i does not go on where the one before it ended.
func (t *take) begins(i int) bool {
	s := &t.segments[i]
	return i == 0 || s.Gap || s.Discontinuity || t.segments[i-1].Gap || t.segments[i-1].Init != s.Init
}

// covers reports whether what is shown at the span's beginning can be decoded from s on, the samples of segment i.
func (t *take) covers(i int, s stretch) bool {
	if in := t.inits[t.segments[i].Init]; in != nil && !in.has(pictures) {
		return true
	}
	return slices.ContainsFunc(s.video, func(x sample) bool { return x.sync && x.pts <= t.wanted.From })
}

// decodable drops the pictures of each run that come before its first IDR, or are shown before it.
func decodable(video []sample) []sample {
	run, from := -1, media.Ticks(-1)
	return slices.DeleteFunc(video, func(x sample) bool {
		if x.run != run {
			if !x.sync {
				return true
			}
			run, from = x.run, x.pts
		}
		return x.pts < from
	})
}
