package reminder

import (
	"context"
	"time"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/commerce/account"
)

// Provider carries messages through one channel. It is safe for concurrent use.
type Provider interface {
	// Target makes the target of a viewer's request, or says why the viewer cannot be reached by this channel: Invalid
	// names the field, Conflict says what the viewer has to do first.
	Target(v account.Viewer, r Request) (Target, error)
	// Send sends one message. It is called at most once for each consent unless it says NotSent.
	Send(ctx context.Context, m Message) Result
}

// Message is what one viewer is told.
type Message struct {
	ID      string // of the reminder
	Target  Target
	Show    commerce.Show
	Started bool   // the show is on air; else it will begin at its scheduled time
	URL     string // the page to watch it on
}

// Verdict is what became of an attempt.
type Verdict int

// The verdicts. The zero value is Uncertain, so that a provider that forgets to say never sends twice.
const (
	Uncertain Verdict = iota // it may have been sent
	Accepted                 // the provider took it
	Refused                  // the provider did not take it and never will
	NotSent                  // nothing was sent, provably; it may be tried again
)

// Result is the outcome of an attempt.
type Result struct {
	Verdict Verdict
	Reason  string        // for people; empty when Accepted
	After   time.Duration // when NotSent: not to be tried again before; 0: as the worker sees fit
}

// Request is a viewer's wish to be reminded.
type Request struct {
	ShowID   string // the show, or
	RoomID   string // the room whose next show it is
	Channel  Channel
	Before   time.Duration // see Reminder.Before
	Endpoint string        // of Web Push, see Target
	P256dh   string
	Auth     string
	Template string // of WeChat: the template that the viewer agreed to; empty: the configured one
}
