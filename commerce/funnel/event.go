package funnel

import (
	"regexp"
	"time"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/internal/errs"
)

// Kind is what a viewer did. Orders and payments are read from the orders.
type Kind string

// The kinds.
const (
	Exposure Kind = "exposure" // a product came into sight: its pin, or its place in the bag
	Click    Kind = "click"    // its card was opened
	Add      Kind = "add"      // it was put into the cart
)

// MaxBatch is how many events one report may hold.
const MaxBatch = 100

// Event is one thing that a viewer's page tells.
type Event struct {
	// ID is the page's own name of the event, unique for the viewer: what comes twice counts once. 1 to 64 characters of
	// [0-9A-Za-z_-].
	ID        string
	Kind      Kind
	ProductID string // may be empty beside a pin
	commerce.Attribution
}

// Entry is an event that was made sure of, as it is stored.
type Entry struct {
	Key       string // unique on this server
	Kind      Kind
	StoreID   string
	ViewerID  string
	ProductID string
	commerce.Attribution
	At time.Time // by this server's clock
}

// Reason is why an event does not count.
type Reason string

// The reasons.
const (
	BadEvent   Reason = "malformed"
	NoShow     Reason = "unknown_show"
	NoPin      Reason = "unknown_pin"
	NoProduct  Reason = "unknown_product"
	BadTime    Reason = "show_time" // beyond where the show is
	Overloaded Reason = "overload"  // the queue is full: the store is too slow
	Unstored   Reason = "unstored"  // the store did not take it
)

// Reasons lists all reasons.
var Reasons = []Reason{BadEvent, NoShow, NoPin, NoProduct, BadTime, Overloaded, Unstored}

var (
	eventID = regexp.MustCompile(`^[0-9A-Za-z_-]{1,64}$`)
	// label is a channel as a store calls it: short, and nothing that a spreadsheet would run.
	label = regexp.MustCompile(`^[0-9A-Za-z_][0-9A-Za-z_.-]{0,31}$`)
)

func (e *Event) wellFormed() bool {
	return eventID.MatchString(e.ID) && (e.Kind == Exposure || e.Kind == Click || e.Kind == Add) && e.Source.Valid() &&
		len(e.ShowID) <= 64 && len(e.PinID) <= 64 && len(e.ProductID) <= 64 && (e.ShowID != "" || e.Source == commerce.SourceExternal && e.PinID == "")
}

// CheckChannel tells whether a name can be that of a channel; empty is none. Invalid says what it may be.
func CheckChannel(op, name string) error {
	if name != "" && !label.MatchString(name) {
		return errs.Field(op, "channel", "the channel must be at most 32 of the characters 0-9, A-Z, a-z, _, - and ., and begin with none of the last two")
	}
	return nil
}
