package audience

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// MaxText is how many characters a comment may have.
const MaxText = 200

const (
	maxName   = 24
	maxReason = 80
)

// State says who may see a comment.
type State string

// The states of a comment.
const (
	Shown  State = "shown"  // it is on the timeline
	Held   State = "held"   // staff decide first
	Hidden State = "hidden" // taken back, or not let through
)

// Comment is what a viewer said in a show.
type Comment struct {
	ID          string // "cmt_…"
	ShowID      string
	StoreID     string
	ViewerID    string
	Name        string // as shown to the others
	Text        string
	State       State
	Reason      string // why it is held: the words that were found
	ShowTimeMS  int64
	CreatedAt   time.Time
	ModeratedBy string    // empty: nobody
	ModeratedAt time.Time // zero: never
}

// Mute keeps a viewer, or everybody, from commenting in a show.
type Mute struct {
	ID        string // "mute_…"
	ShowID    string
	ViewerID  string // empty: everybody
	Name      string // as the viewer was called
	By        string
	CreatedAt time.Time
}

// clean makes a comment of what was typed: one line of printable characters without runs of spaces.
func clean(op, text string) (string, error) {
	if !utf8.ValidString(text) || len(text) > 8*MaxText {
		return "", errs.Field(op, "text", "a comment may have at most %d characters", MaxText)
	}
	text = strings.Join(strings.Fields(strings.Map(visible, text)), " ")
	if n := utf8.RuneCountInString(text); n == 0 || n > MaxText {
		return "", errs.Field(op, "text", "a comment must have 1 to %d characters", MaxText)
	}
	return text, nil
}

// visible drops what would disturb a line: control characters, and those that turn or hide the text around them. The joiner
// of composed emoji and the selector of their look stay.
func visible(r rune) rune {
	switch {
	case unicode.IsSpace(r):
		return ' '
	case r == '\u200d', r == '\ufe0f':
		return r
	case unicode.IsControl(r), unicode.Is(unicode.Cf, r), r == utf8.RuneError, unicode.Is(unicode.Co, r):
		return -1
	}
	return r
}

func clip(s string, runes int) string {
	r := []rune(s)
	return string(r[:min(len(r), runes)])
}
