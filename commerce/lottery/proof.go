package lottery

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// Proof is all that is public of a lottery: what anybody needs to draw it again. The entrants appear when it has closed,
// seed and winners when it is drawn.
type Proof struct {
	Recipe       string        `json:"recipe"`
	Lottery      string        `json:"lottery"`
	Store        string        `json:"store"`
	Show         string        `json:"show"`
	Title        string        `json:"title"`
	State        State         `json:"state"`
	Prizes       []Prize       `json:"prizes"`
	Commitment   string        `json:"commitment"`
	OpenedAt     string        `json:"opened_at"`
	ClosedAt     string        `json:"closed_at,omitempty"`
	Entries      int           `json:"entries"`
	EntrantsHash string        `json:"entrants_hash,omitempty"`
	Entrants     []string      `json:"entrants,omitempty"`
	DrawnAt      string        `json:"drawn_at,omitempty"`
	Seed         string        `json:"seed,omitempty"`
	Winners      []ProofWinner `json:"winners,omitempty"`
	Reason       string        `json:"reason,omitempty"` // why it was cancelled
}

// ProofWinner is one winner of a proof.
type ProofWinner struct {
	Rank    int    `json:"rank"`
	Entrant string `json:"entrant"`
	Prize   string `json:"prize"`
	Name    string `json:"name"` // masked; proves nothing
}

// Proof returns what is public of a lottery at this moment. NotFound, also while it is a draft.
func (s *Service) Proof(ctx context.Context, id string) (Proof, error) {
	const op = "lottery.Proof"
	l, err := s.Public(ctx, id)
	if err != nil {
		return Proof{}, errs.Wrap(op, err)
	}
	p := Proof{
		Recipe: Recipe, Lottery: l.ID, Store: l.StoreID, Show: l.ShowID, Title: l.Title, State: l.State, Prizes: l.Prizes,
		Commitment: l.Commitment, OpenedAt: formatTime(l.OpenedAt), Entries: int(l.Entries), EntrantsHash: l.EntrantsHash, Seed: l.Seed, Reason: l.Reason,
	}
	if !l.ClosedAt.IsZero() {
		p.ClosedAt = formatTime(l.ClosedAt)
		if p.Entrants, err = s.Store.LotteryEntrants(ctx, id); err != nil {
			return Proof{}, errs.Wrap(op, err)
		}
	}
	if l.DrawnAt.IsZero() {
		return p, nil
	}
	p.DrawnAt = formatTime(l.DrawnAt)
	winners, err := s.Store.LotteryWinners(ctx, id)
	for _, w := range winners {
		p.Winners = append(p.Winners, ProofWinner{w.Rank, w.Entrant, w.Prize.Name, w.Name})
	}
	return p, errs.Wrap(op, err)
}

// Verify draws a lottery again from its proof and returns everything that does not fit, in words; nothing when all
// does. The proof must be that of a drawn lottery.
func (p *Proof) Verify() (wrong []string) {
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	if p.Recipe != Recipe {
		say("the recipe is %q; this program knows %q alone", p.Recipe, Recipe)
		return wrong
	}
	if p.State != Drawn {
		say("the lottery is %s: it can be checked once it is drawn", p.State)
		return wrong
	}
	seed, err := hex.DecodeString(p.Seed)
	if err != nil || len(seed) != seedSize || hex.EncodeToString(seed) != p.Seed {
		say("the seed is not %d bytes in lower-case hexadecimal", seedSize)
	}
	if got := Commitment(seed); got != p.Commitment {
		say("the seed is not the one that was committed to at the opening: its SHA-256 is %s, the commitment %s", got, p.Commitment)
	}
	p.verifyEntrants(say)
	p.verifyWinners(seed, say)
	return wrong
}

func (p *Proof) verifyEntrants(say func(string, ...any)) {
	if p.Entries != len(p.Entrants) {
		say("%d entries were counted at the closing and %d entrants are listed", p.Entries, len(p.Entrants))
	}
	for i := 1; i < len(p.Entrants); i++ {
		if p.Entrants[i-1] == p.Entrants[i] {
			say("the entrant %s is listed twice", p.Entrants[i])
		} else if p.Entrants[i-1] > p.Entrants[i] {
			say("the entrants are not in ascending order: %s stands before %s", p.Entrants[i-1], p.Entrants[i])
			break
		}
	}
	if got := EntrantsHash(p.Lottery, p.Entrants); got != p.EntrantsHash {
		say("the entrants are not those that were published at the closing: their hash is %s, the published one %s", got, p.EntrantsHash)
	}
}

func (p *Proof) verifyWinners(seed []byte, say func(string, ...any)) {
	terms := Terms{Prizes: p.Prizes}
	want := Rank(seed, p.Lottery, p.EntrantsHash, p.Entrants, terms.Winners())
	if len(p.Winners) != len(want) {
		say("%d winners are named; by the recipe there are %d", len(p.Winners), len(want))
	}
	for i, w := range p.Winners {
		switch {
		case w.Rank != i+1:
			say("the winner in place %d has rank %d", i+1, w.Rank)
		case !slices.Contains(p.Entrants, w.Entrant):
			say("the winner of rank %d, %s, is not among the entrants", w.Rank, w.Entrant)
		case i < len(want) && w.Entrant != want[i]:
			say("the winner of rank %d is %s; by the recipe it is %s", w.Rank, w.Entrant, want[i])
		}
		if k := PrizeOf(p.Prizes, i+1); k < 0 || w.Prize != p.Prizes[k].Name {
			say("the winner of rank %d got %q, which is not the prize of this rank", w.Rank, w.Prize)
		}
	}
}

// Published is what somebody noted of a lottery while it went on: the two hashes as they stood on the timeline. Comparing
// it with the proof shows whether both were exchanged since.
type Published struct {
	Commitment   string // empty: not noted
	EntrantsHash string
}

// Compare returns where the proof is not what was noted.
func (p *Proof) Compare(noted Published) (wrong []string) {
	if noted.Commitment != "" && noted.Commitment != p.Commitment {
		wrong = append(wrong, fmt.Sprintf("the commitment was %s when it was noted; the proof says %s", noted.Commitment, p.Commitment))
	}
	if noted.EntrantsHash != "" && noted.EntrantsHash != p.EntrantsHash {
		wrong = append(wrong, fmt.Sprintf("the hash of the entrants was %s when it was noted; the proof says %s", noted.EntrantsHash, p.EntrantsHash))
	}
	return wrong
}

// Told is what one event of the timeline told of a lottery.
type Told struct {
	ID    string `json:"id"`
	State State  `json:"state"`
	Offer View   `json:"offer"`
}

// CompareTimeline returns where the proof is not what the timeline told, event by event in the order of the log: the
// commitment first, then the entrants' hash, then the seed.
func (p *Proof) CompareTimeline(told []Told) (wrong []string) {
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	var closed bool
	if len(told) == 0 || told[0].State != Open {
		say("the timeline does not begin with the opening of %s", p.Lottery)
	}
	for _, t := range told {
		if t.Offer.Commitment != p.Commitment {
			say("when it was %s, the timeline told the commitment %s; the proof says %s", t.State, t.Offer.Commitment, p.Commitment)
		}
		switch t.State {
		case Closed, Drawn:
			if t.Offer.EntrantsHash != p.EntrantsHash {
				say("when it was %s, the timeline told the entrants' hash %s; the proof says %s", t.State, t.Offer.EntrantsHash, p.EntrantsHash)
			}
			if t.State == Drawn && !closed {
				say("the seed was published before the hash of the entrants")
			}
			closed = true
		case Open, Draft, Cancelled:
		}
		if t.Offer.Seed != "" && t.Offer.Seed != p.Seed {
			say("the timeline told the seed %s; the proof says %s", t.Offer.Seed, p.Seed)
		}
		if t.Offer.Seed != "" && t.State != Drawn {
			say("the timeline told the seed when the lottery was %s", t.State)
		}
	}
	return wrong
}
