package edit

import (
	"slices"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// History is the log of a show's edits and what it adds up to. It is a value: adding makes another one.
type History struct {
	entries []Entry
	applied []step // in effect, oldest first
	undone  []Op   // taken back, the newest last: what redo takes
}

// step is an edit in effect and the State with it.
type step struct {
	op    Op
	state State
}

// Revision is the number of the newest entry, 0 when there is none.
func (h *History) Revision() int64 { return int64(len(h.entries)) }

// State is what the log adds up to.
func (h *History) State() State {
	s := Unedited()
	if n := len(h.applied); n > 0 {
		s = h.applied[n-1].state
	}
	s.Revision = h.Revision()
	return s
}

// Entries are the lines of the log, oldest first. The caller must not change them.
func (h *History) Entries() []Entry { return h.entries }

// CanUndo reports whether an edit is in effect.
func (h *History) CanUndo() bool { return len(h.applied) > 0 }

// CanRedo reports whether an edit was taken back and none made since.
func (h *History) CanRedo() bool { return len(h.undone) > 0 }

// Next is the history with an edit more, or with undo or redo. Errors are those of Apply, and: Conflict when there is
// nothing to undo or redo; Exhausted when the log is full.
func (h History) Next(e Entry) (History, error) {
	const op = "edit.Next"
	if len(h.entries) >= MaxEdits {
		return h, errs.New(errs.Exhausted, op, "the replay was edited %d times, which is the most", MaxEdits)
	}
	e.Revision = h.Revision() + 1
	e.Op.Revision = e.Revision
	switch e.Op.Kind {
	case Undo:
		if !h.CanUndo() {
			return h, errs.New(errs.Conflict, op, "there is no edit to undo")
		}
		last := len(h.applied) - 1
		h.undone = append(slices.Clip(h.undone), h.applied[last].op)
		h.applied = h.applied[:last:last]
	case Redo:
		if !h.CanRedo() {
			return h, errs.New(errs.Conflict, op, "there is no edit to redo")
		}
		last := len(h.undone) - 1
		again := h.undone[last]
		h.undone = h.undone[:last:last]
		return h.apply(e, again)
	default:
		h.undone = nil
		return h.apply(e, e.Op)
	}
	h.entries = append(slices.Clip(h.entries), e)
	return h, nil
}

// apply puts o into effect, which entry e brought.
func (h History) apply(e Entry, o Op) (History, error) {
	state, err := Apply(h.State(), o)
	if err != nil {
		return h, err
	}
	h.applied = append(slices.Clip(h.applied), step{o, state})
	h.entries = append(slices.Clip(h.entries), e)
	return h, nil
}

// read is Next for an entry that is stored: it counts whatever it says. One that this program cannot carry out, as a later
// version may have written it, changes nothing.
func (h History) read(e Entry) History {
	next, err := h.Next(e)
	if err == nil {
		return next
	}
	h.entries = append(slices.Clip(h.entries), e)
	if e.Op.Kind != Undo && e.Op.Kind != Redo { // an undo that follows takes this back
		h.undone = nil
		h.applied = append(slices.Clip(h.applied), step{e.Op, h.State()})
	}
	return h
}
