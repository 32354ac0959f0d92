package highlight

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
)

// State is what a merchant made of a proposal.
type State string

// The states. Any may follow any.
const (
	Proposed  State = "proposed" // nobody decided yet
	Accepted  State = "accepted"
	Dismissed State = "dismissed"
)

// Highlight is a moment, and what a merchant made of it.
type Highlight struct {
	ShowID string
	ID     string
	State  State
	Span   media.Span // show time: as found, or as it was trimmed
	Title  string
	Found  Moment // as it was found last

	By string    // who decided last; empty while nobody did
	At time.Time // when; zero likewise
}

// Update changes what is not nil.
type Update struct {
	State    *State
	From, To *media.Ticks
	Title    *string
}

const (
	// maxTitle is of a title in characters.
	maxTitle = 120
	// maxTrim is how long a highlight may be made.
	maxTrim = 10 * 60 * media.TicksPerSecond
)

// Apply changes a highlight of a show of the given length. Invalid errors name the field, as the API calls it.
func (u Update) Apply(h Highlight, duration media.Ticks) (Highlight, error) {
	const op = "highlight.Update"
	if u.State != nil {
		switch *u.State {
		case Proposed, Accepted, Dismissed:
			h.State = *u.State
		default:
			return h, errs.Field(op, "state", "must be proposed, accepted or dismissed")
		}
	}
	if u.Title != nil {
		title := strings.TrimSpace(*u.Title)
		if !utf8.ValidString(title) || utf8.RuneCountInString(title) > maxTitle {
			return h, errs.Field(op, "title", "must have at most %d characters", maxTitle)
		}
		h.Title = title
	}
	if u.From != nil {
		h.Span.From = *u.From
	}
	if u.To != nil {
		h.Span.To = *u.To
	}
	field, edge := "to_ms", h.Span.To
	if u.From != nil {
		field, edge = "from_ms", h.Span.From
	}
	switch {
	case u.From == nil && u.To == nil:
	case h.Span.From < 0 || h.Span.To < 0:
		return h, errs.Field(op, field, "a highlight begins and ends within the show, got %d ms", edge.Milliseconds())
	case h.Span.To > duration:
		return h, errs.Field(op, "to_ms", "the show has only %d ms so far, got %d", duration.Milliseconds(), h.Span.To.Milliseconds())
	case h.Span.Len() < media.TicksPerSecond:
		return h, errs.Field(op, field, "a highlight lasts at least a second, from from_ms to to_ms; it would go from %d to %d ms",
			h.Span.From.Milliseconds(), h.Span.To.Milliseconds())
	case h.Span.Len() > maxTrim:
		return h, errs.Field(op, field, "a highlight lasts at most %d minutes; make a clip of the chapter instead", maxTrim/media.TicksPerSecond/60)
	}
	return h, nil
}
