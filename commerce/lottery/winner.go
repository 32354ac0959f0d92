package lottery

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// Entry is a viewer who takes part.
type Entry struct {
	ViewerID string
	Entrant  string // public
	Name     string // as the viewer was called then, masked
	At       time.Time
}

// PrizeState is what became of what a winner won.
type PrizeState string

// The states of a prize that was won.
const (
	Pending PrizeState = "pending" // the winner has not claimed it yet
	Claimed PrizeState = "claimed"
	Lapsed  PrizeState = "lapsed" // not claimed in time; nobody else gets it
)

// Winner is somebody who won, and what becomes of the prize.
type Winner struct {
	ID        string // "win_…"
	LotteryID string
	StoreID   string
	Title     string // of the lottery
	Rank      int    // from 1
	Entrant   string
	ViewerID  string
	Name      string // masked
	Prize     Prize  // Count says nothing here
	State     PrizeState
	ClaimBy   time.Time
	ClaimedAt time.Time // zero: not claimed
	Address   *Address  // nil: not given, or not needed
	CouponRef string    // what the coupons made of the claim; empty: no coupon
}

// Address is where a prize is sent to.
type Address struct {
	Name       string `json:"name"`
	Phone      string `json:"phone"`
	Region     string `json:"region,omitempty"` // province, city, district, as the country has it
	Street     string `json:"street"`
	PostalCode string `json:"postal_code,omitempty"`
}

// Validate returns an Invalid error that names the first field that cannot be.
func (a *Address) Validate() error {
	const op = "lottery.Address"
	for _, f := range []struct {
		name, value string
		least, most int
	}{
		{"name", a.Name, 1, 60},
		{"phone", a.Phone, 5, 30},
		{"region", a.Region, 0, 120},
		{"street", a.Street, 1, maxText},
		{"postal_code", a.PostalCode, 0, 20},
	} {
		if n := utf8.RuneCountInString(strings.TrimSpace(f.value)); n < f.least || n > f.most {
			return errs.Field(op, "address."+f.name, "must have %d to %d characters", f.least, f.most)
		}
	}
	return nil
}

// Mask leaves of a name what its owner recognises: its first character.
func Mask(name string) string {
	first, _ := utf8.DecodeRuneInString(strings.TrimSpace(name))
	if first == utf8.RuneError {
		return "***"
	}
	return string(first) + "***"
}

// winnersOf are those who win by the recipe. entries hold every one of the entrants, in any order.
func winnersOf(l *Lottery, seed []byte, entrants []string, entries map[string]Entry, claimBy time.Time, newID func() string) []Winner {
	ranked := Rank(seed, l.ID, l.EntrantsHash, entrants, l.Winners())
	winners := make([]Winner, len(ranked))
	for i, entrant := range ranked {
		e := entries[entrant]
		winners[i] = Winner{
			ID: newID(), LotteryID: l.ID, StoreID: l.StoreID, Title: l.Title, Rank: i + 1, Entrant: entrant, ViewerID: e.ViewerID,
			Name: e.Name, Prize: l.Prizes[PrizeOf(l.Prizes, i+1)], State: Pending, ClaimBy: claimBy,
		}
	}
	return winners
}
