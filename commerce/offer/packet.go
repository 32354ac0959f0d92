package offer

import (
	"time"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/internal/errs"
)

// MaxPieces is the most pieces of a red packet.
const MaxPieces = 10_000

// RedPacket is an amount of money in pieces of random size, each a coupon for the one who claims it: one piece a viewer.
type RedPacket struct {
	ID      string // "rpk_…"
	StoreID string
	State   State
	Terms   // without Amount and Percent
	Rules
	Total         int64 // minor units
	Pieces        int64
	Least         int64 // the smallest piece, at least 1
	Claimed       int64 // pieces so far
	ClaimedAmount int64 // what they sum to
	CreatedAt     time.Time
	UpdatedAt     time.Time
}

func (p *RedPacket) validate(op string) error {
	if err := p.validateCommon(op); err != nil {
		return err
	}
	if err := p.Rules.validate(op, InLive, InReplay); err != nil {
		return err
	}
	switch {
	case p.Pieces < 1 || p.Pieces > MaxPieces:
		return errs.Field(op, "pieces", "a red packet has 1 to %d pieces", MaxPieces)
	case p.Least < 1:
		return errs.Field(op, "least", "the smallest piece must be at least 1 minor unit")
	case p.Total < 1 || p.Total > commerce.MaxAmount:
		return errs.Field(op, "total", "the total must be 1 to %d minor units", commerce.MaxAmount)
	case p.Least > p.Total/p.Pieces:
		return errs.Field(op, "total", "%d pieces of at least %d need a total of at least %d: give more, or fewer pieces", p.Pieces, p.Least, p.Pieces*min(p.Least, commerce.MaxAmount))
	}
	return nil
}
