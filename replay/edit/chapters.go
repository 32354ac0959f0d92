package edit

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/overlay"
)

// Chapter is the interval of one pin, as the merchant left it.
type Chapter struct {
	// ID is the pin's; that of the second half of a split one is "{pin}.{n}", where n is the revision of the split: it
	// never means another chapter, whatever is undone.
	ID      string
	Title   string
	Span    media.Span // show time
	Product overlay.ProductSnapshot
	PinID   string
	Hidden  bool
}

// FromPins makes a chapter of every pin that was on screen before end, where what is recorded ends, in order. A pin that
// is still on screen lasts until end.
func FromPins(pins []overlay.Range, end media.Ticks) []Chapter {
	var out []Chapter
	for i := range pins {
		p := &pins[i]
		span := media.Span{From: p.Pin.ShowTime, To: end}
		if !p.Active() {
			span.To = min(p.End, end)
		}
		if span.Empty() {
			continue
		}
		out = append(out, Chapter{ID: p.Pin.ID, PinID: p.Pin.ID, Title: p.Pin.Product.Title, Span: span, Product: p.Pin.Product})
	}
	slices.SortStableFunc(out, inOrder)
	return out
}

func inOrder(a, b Chapter) int { return cmp.Compare(a.Span.From, b.Span.From) }

// Chapters are the chapters of a show, hidden ones flagged, in order: those of its pins after what was done to them. An
// edit of a chapter that is not there any more does nothing.
func (s *State) Chapters(pins []Chapter) []Chapter {
	all := slices.Clone(pins)
	for i := range s.chapters {
		all = changed(all, &s.chapters[i])
	}
	return all
}

func changed(all []Chapter, o *Op) []Chapter {
	i := find(all, o.Chapter)
	if i < 0 {
		return all
	}
	c := &all[i]
	switch o.Kind {
	case RenameChapter:
		c.Title = cmp.Or(o.Title, c.Product.Title)
	case HideChapter, UnhideChapter:
		c.Hidden = o.Kind == HideChapter
	case SplitChapter:
		return split(all, i, o)
	case MergeChapters:
		return merge(all, i, o)
	default: // no edit of a chapter
	}
	return all
}

func split(all []Chapter, i int, o *Op) []Chapter {
	if !all[i].Span.Contains(*o.At) || all[i].Span.From == *o.At {
		return all
	}
	second := all[i]
	second.ID = second.PinID + "." + strconv.FormatInt(o.Revision, 10)
	second.Title = cmp.Or(o.Title, second.Title)
	second.Span.From, all[i].Span.To = *o.At, *o.At
	all = append(all, second)
	slices.SortStableFunc(all, inOrder)
	return all
}

func merge(all []Chapter, i int, o *Op) []Chapter {
	j := find(all, o.With)
	if j < 0 || j == i {
		return all
	}
	c := &all[i]
	c.Span = media.Span{From: min(c.Span.From, all[j].Span.From), To: max(c.Span.To, all[j].Span.To)}
	c.Title = cmp.Or(o.Title, c.Title)
	all = slices.Delete(all, j, j+1)
	slices.SortStableFunc(all, inOrder)
	return all
}

func find(all []Chapter, id string) int {
	return slices.IndexFunc(all, func(c Chapter) bool { return c.ID == id })
}

// checkChapters checks an edit of chapters against those that there are.
func checkChapters(all []Chapter, o *Op) error {
	const op = "edit.checkChapters"
	i := find(all, o.Chapter)
	if i < 0 {
		return errs.Field(op, "chapter", "the show has no chapter of this id; it may have been merged into another")
	}
	c := &all[i]
	switch o.Kind {
	case RenameChapter:
		if c.Title == cmp.Or(o.Title, c.Product.Title) {
			return unchanged("this is the chapter's title already")
		}
	case HideChapter, UnhideChapter:
		if c.Hidden == (o.Kind == HideChapter) {
			return unchanged("%s", map[Kind]string{HideChapter: "the chapter is hidden already", UnhideChapter: "the chapter is not hidden"}[o.Kind])
		}
	case SplitChapter:
		if *o.At < c.Span.From+MinChapter || *o.At > c.Span.To-MinChapter {
			return errs.Field(op, "at_ms", "must lie between %d and %d: each half lasts a second at least",
				(c.Span.From + MinChapter).Milliseconds(), (c.Span.To - MinChapter).Milliseconds())
		}
	case MergeChapters:
		return checkMerge(all, i, o)
	default: // no edit of a chapter
	}
	return nil
}

// checkMerge lets neighbours be merged alone: what lies between would be within both.
func checkMerge(all []Chapter, i int, o *Op) error {
	const op = "edit.checkMerge"
	j := find(all, o.With)
	switch {
	case j < 0:
		return errs.Field(op, "with", "the show has no chapter of this id; it may have been merged into another")
	case all[i].Hidden:
		return errs.Field(op, "chapter", "the chapter is hidden; show it again first")
	case all[j].Hidden:
		return errs.Field(op, "with", "the chapter is hidden; show it again first")
	}
	for k := min(i, j) + 1; k < max(i, j); k++ {
		if !all[k].Hidden {
			return errs.Field(op, "with", "chapter %s stands between the two; merge neighbours", all[k].ID)
		}
	}
	return nil
}
