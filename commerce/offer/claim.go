package offer

import (
	"strings"
	"time"

	"github.com/vitrine-live/vitrine/commerce/pricing"
)

// ClaimState is that of a claim.
type ClaimState string

// The states of a claim. One whose validity is over stays claimed: see Claim.ValidUntil.
const (
	Claimed ClaimState = "claimed"
	Used    ClaimState = "used" // by Claim.OrderID
	Void    ClaimState = "void"
)

// Claim is a coupon that a viewer has.
type Claim struct {
	ID         string // "clm_…"
	CouponID   string // the coupon's or the red packet's
	StoreID    string
	ViewerID   string
	Terms      Terms
	State      ClaimState
	OrderID    string // that used it
	ShowID     string // where it was claimed; may be empty
	ShowTimeMS int64
	ClaimedAt  time.Time
	ValidUntil time.Time
	UsedAt     time.Time
}

// Kind tells what was claimed.
func (c *Claim) Kind() Kind {
	if strings.HasPrefix(c.CouponID, packetPrefix+"_") {
		return RedPacketKind
	}
	return CouponKind
}

// priced is the claim as prices count it.
func (c *Claim) priced() pricing.Coupon {
	p := pricing.Coupon{
		ClaimID: c.ID, CouponID: c.CouponID, Title: c.Terms.Title, Currency: c.Terms.Currency,
		Amount: c.Terms.Amount, Percent: c.Terms.Percent, MaxOff: c.Terms.MaxOff, MinSpend: c.Terms.MinSpend,
		Products: c.Terms.Products, Stacks: c.Terms.Stacks, ValidFrom: c.ClaimedAt, ValidUntil: c.ValidUntil,
	}
	switch c.State {
	case Used:
		p.Refused = pricing.Spent
	case Void:
		p.Refused = pricing.Unknown
	case Claimed:
	}
	return p
}

// Usable says which claims a list is of.
type Usable string

// The lists of claims.
const (
	AllClaims     Usable = ""
	UsableClaims  Usable = "usable"
	UsedClaims    Usable = "used"
	ExpiredClaims Usable = "expired"
)

// ClaimFilter selects a viewer's claims.
type ClaimFilter struct {
	StoreID string // empty: of all stores
	Usable  Usable
	At      time.Time // that decides what is usable
	Before  string    // those that are older than the claim of this id; empty: from the newest on
	Limit   int
}
