package lottery

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// What a lottery may hold at most.
const (
	MaxWinners  = 200     // the event that tells of the draw names them all
	MaxEntrants = 200_000 // the proof names them all: some 8 MB
	maxPrizes   = 20
	maxPhrase   = 50
	maxTitle    = 120
	maxText     = 200
	minWindow   = 10 * time.Second
	maxWindow   = 4 * time.Hour
	maxClaimFor = 90 * 24 * time.Hour
	minClaimFor = time.Hour
)

// State is how far a lottery has come. It only moves forward.
type State string

// The states.
const (
	Draft     State = "draft"     // its terms may change; viewers do not see it
	Open      State = "open"      // the commitment is published, viewers enter
	Closed    State = "closed"    // the entrants are fixed and their hash is published
	Drawn     State = "drawn"     // the seed is published and the winners follow from it
	Cancelled State = "cancelled" // given up before it closed; what was published stays
)

// next is the one table of what may become of a lottery.
var next = map[State][]State{
	Draft:  {Open, Cancelled},
	Open:   {Closed, Cancelled},
	Closed: {Drawn},
}

// May reports whether a lottery in state s may go over to state to.
func (s State) May(to State) bool { return slices.Contains(next[s], to) }

// Prize is what so many winners get.
type Prize struct {
	Name     string `json:"name"`
	ImageURL string `json:"image_url,omitempty"`
	Count    int    `json:"count"`
	// CouponID makes the prize a coupon of the store, which needs no address; empty: it is sent.
	CouponID string `json:"coupon_id,omitempty"`
}

// Conditions are what a viewer must have done to enter; all that are set must hold.
type Conditions struct {
	Phrase   string `json:"phrase,omitempty"`    // a comment with it since the opening
	MinLikes int64  `json:"min_likes,omitempty"` // so many likes in this show
	Reminder bool   `json:"reminder,omitempty"`  // asked to be reminded of this show
	Bought   bool   `json:"bought,omitempty"`    // paid for an order that came from this show
}

// Terms are what staff decide about a lottery, while it is a draft.
type Terms struct {
	ShowID     string
	Title      string
	Prizes     []Prize // the winner of rank 1 gets the first piece of the first prize, and so on
	Conditions Conditions
	Window     time.Duration // on the show's clock, from the opening to the closing
	// OpensAtMS opens it by itself at this show time; nil: by hand.
	OpensAtMS *int64
	ClaimFor  time.Duration // how long a winner may claim after the draw
}

// Lottery is one draw.
type Lottery struct {
	ID      string
	StoreID string
	Terms
	State  State
	Reason string // why it was cancelled
	// Entries counts those who entered so far; from closing on it is final.
	Entries int64

	// What has been published, empty until then.
	Commitment   string
	EntrantsHash string
	Seed         string // hexadecimal

	// OpenedMS and ClosesMS are show times; zero times and -1 are unset.
	OpenedMS, ClosesMS             int64
	ClosesBy                       time.Time // closes it at the latest, also when the show's clock stands
	CreatedAt, OpenedAt, ClosedAt  time.Time
	DrawnAt, CancelledAt, ClaimsBy time.Time
	// Announced is the state that viewers of the show were told last.
	Announced State
}

// Winners is how many can win.
func (t *Terms) Winners() int {
	n := 0
	for _, p := range t.Prizes {
		n += p.Count
	}
	return n
}

// PrizeOf is the index of the prize of a rank from 1 to Winners.
func PrizeOf(prizes []Prize, rank int) int {
	for i, p := range prizes {
		if rank -= p.Count; rank <= 0 {
			return i
		}
	}
	return -1
}

// Validate returns an Invalid error that names the first field that cannot be.
func (t *Terms) Validate() error {
	const op = "lottery.Terms"
	switch {
	case strings.TrimSpace(t.Title) == "" || utf8.RuneCountInString(t.Title) > maxTitle:
		return errs.Field(op, "title", "the title must have 1 to %d characters", maxTitle)
	case t.ShowID == "":
		return errs.Field(op, "show_id", "name the show in which it takes place")
	case t.Window < minWindow || t.Window > maxWindow:
		return errs.Field(op, "window_seconds", "viewers must have %v to %v to enter", minWindow, maxWindow)
	case t.ClaimFor < minClaimFor || t.ClaimFor > maxClaimFor:
		return errs.Field(op, "claim_hours", "winners must have 1 hour to 90 days to claim")
	case t.OpensAtMS != nil && *t.OpensAtMS < 0:
		return errs.Field(op, "opens_at_ms", "the show time must be at least 0")
	case utf8.RuneCountInString(t.Conditions.Phrase) > maxPhrase:
		return errs.Field(op, "conditions.phrase", "the phrase may have at most %d characters", maxPhrase)
	case t.Conditions.MinLikes < 0 || t.Conditions.MinLikes > 100_000:
		return errs.Field(op, "conditions.min_likes", "must be 0 to 100,000 likes")
	}
	return t.validatePrizes(op)
}

func (t *Terms) validatePrizes(op string) error {
	if len(t.Prizes) == 0 || len(t.Prizes) > maxPrizes {
		return errs.Field(op, "prizes", "there must be 1 to %d different prizes", maxPrizes)
	}
	for _, p := range t.Prizes {
		if strings.TrimSpace(p.Name) == "" || utf8.RuneCountInString(p.Name) > maxTitle {
			return errs.Field(op, "prizes", "the name of each prize must have 1 to %d characters", maxTitle)
		}
		if p.Count < 1 || p.Count > MaxWinners {
			return errs.Field(op, "prizes", "there must be 1 to %d of each prize", MaxWinners)
		}
		if len(p.ImageURL) > 2048 {
			return errs.Field(op, "prizes", "the address of a prize's image may have at most 2048 bytes")
		}
	}
	if t.Winners() > MaxWinners {
		return errs.Field(op, "prizes", "there may be at most %d winners in all", MaxWinners)
	}
	return nil
}
