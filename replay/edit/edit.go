// Package edit is what a merchant makes of a replay without touching it: parts cut out, chapters named, split, joined and
// hidden, a cover, and whether anybody may see it, until when.
//
// Each edit is an entry at the end of a log per show, undo and redo are entries too, so nothing is ever lost. What the
// log adds up to is a State; the recording, its files and the timeline stay as they are. Applying is pure.
package edit

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
)

// The limits of an edited replay.
const (
	MaxEdits   = 2000 // entries of one log
	MaxCuts    = 500  // after those that touch are joined
	MaxTitle   = 120  // characters of a chapter's title
	MinChapter = media.TicksPerSecond
	maxID      = 64
)

// Kind is what an edit does. The names are part of the public interface and of what is stored.
type Kind string

// The kinds of edits.
const (
	Cut           Kind = "cut"            // From, To
	Uncut         Kind = "uncut"          // From, To
	RenameChapter Kind = "rename_chapter" // Chapter, Title; an empty one: that of the product again
	SplitChapter  Kind = "split_chapter"  // Chapter, At, Title of the second half; empty: as the first
	MergeChapters Kind = "merge_chapters" // Chapter, With the one that follows, Title; empty: that of the first
	HideChapter   Kind = "hide_chapter"   // Chapter
	UnhideChapter Kind = "unhide_chapter" // Chapter
	SetCover      Kind = "cover"          // At; nil: chosen by the server again
	Publish       Kind = "publish"
	Unpublish     Kind = "unpublish"
	Expire        Kind = "expire" // Until; zero: never

	Undo Kind = "undo" // takes the newest edit back that is in effect; no Op of Apply
	Redo Kind = "redo" // the newest one that was taken back
)

// Kinds are the kinds of edits that Apply takes.
var Kinds = []Kind{
	Cut, Uncut, RenameChapter, SplitChapter, MergeChapters, HideChapter, UnhideChapter, SetCover, Publish, Unpublish, Expire,
}

// Op is one edit. Which fields it has depends on its kind. Times are show time.
type Op struct {
	Kind    Kind         `json:"kind"`
	From    media.Ticks  `json:"from,omitempty"`
	To      media.Ticks  `json:"to,omitempty"`
	At      *media.Ticks `json:"at,omitempty"`
	Chapter string       `json:"chapter,omitempty"`
	With    string       `json:"with,omitempty"`
	Title   string       `json:"title,omitempty"`
	Until   time.Time    `json:"until,omitzero"`

	// Revision is the number of the entry that brought the edit, by which a split names its second half. Apply takes the
	// one after the State's for 0.
	Revision int64 `json:"-"`
}

// Span is what a cut or uncut speaks of.
func (o *Op) Span() media.Span { return media.Span{From: o.From, To: o.To} }

// Entry is one line of a show's log of edits.
type Entry struct {
	Revision int64 // 1 for the first of the show, rising by one
	Op       Op    // of kind Undo and Redo as well
	By       string
	ByName   string
	At       time.Time
}

// validate checks what can be told from the edit alone. Fields are named as the API names them.
func (o *Op) validate() error {
	const op = "edit.Op"
	switch o.Kind {
	case Cut, Uncut:
		return checkSpan(op, o.Span())
	case RenameChapter:
		return firstOf(checkChapter(op, "chapter", o.Chapter), checkTitle(op, o.Title))
	case SplitChapter:
		if o.At == nil {
			return errs.Field(op, "at_ms", "say where the chapter is to be split")
		}
		return firstOf(checkChapter(op, "chapter", o.Chapter), checkAt(op, *o.At), checkTitle(op, o.Title))
	case MergeChapters:
		err := firstOf(checkChapter(op, "chapter", o.Chapter), checkChapter(op, "with", o.With), checkTitle(op, o.Title))
		if err == nil && o.Chapter == o.With {
			err = errs.Field(op, "with", "a chapter cannot be merged with itself")
		}
		return err
	case HideChapter, UnhideChapter:
		return checkChapter(op, "chapter", o.Chapter)
	case SetCover:
		if o.At != nil {
			return checkAt(op, *o.At)
		}
		return nil
	case Publish, Unpublish, Expire:
		return nil
	case Undo, Redo:
		return errs.Field(op, "kind", "%s has an operation of its own", o.Kind)
	}
	return errs.Field(op, "kind", "there is no edit of this kind")
}

// maxTime is beyond any show: 30 days.
const maxTime = 30 * 24 * 3600 * media.TicksPerSecond

func checkSpan(op string, s media.Span) error {
	switch {
	case s.From < 0:
		return errs.Field(op, "from_ms", "must be at least 0")
	case s.To < 0 || s.To > maxTime:
		return errs.Field(op, "to_ms", "lies outside of any show")
	case s.To <= s.From:
		return errs.Field(op, "to_ms", "must be later than from_ms")
	}
	return nil
}

func checkAt(op string, at media.Ticks) error {
	if at < 0 || at > maxTime {
		return errs.Field(op, "at_ms", "lies outside of any show")
	}
	return nil
}

func checkChapter(op, field, id string) error {
	switch {
	case id == "":
		return errs.Field(op, field, "say which chapter")
	case len(id) > maxID || strings.Trim(id, "0123456789abcdefghijklmnopqrstuvwxyz_.") != "":
		return errs.Field(op, field, "this is not the id of a chapter")
	}
	return nil
}

func checkTitle(op, title string) error {
	switch {
	case !utf8.ValidString(title) || strings.ContainsFunc(title, unicode.IsControl):
		return errs.Field(op, "title", "the title must be plain text on one line")
	case title != "" && strings.TrimSpace(title) == "":
		return errs.Field(op, "title", "the title is blank; leave it empty for the product's own")
	case utf8.RuneCountInString(title) > MaxTitle:
		return errs.Field(op, "title", "the title must be at most %d characters", MaxTitle)
	}
	return nil
}

func firstOf(failed ...error) error {
	for _, err := range failed {
		if err != nil {
			return err
		}
	}
	return nil
}
