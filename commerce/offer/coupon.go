package offer

import (
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// State is that of a coupon or a red packet.
type State string

// The states. A coupon goes from draft to active, and between active and stopped at will; a red packet goes from draft to
// active when it is dropped, and ends empty or stopped.
const (
	Draft   State = "draft"
	Active  State = "active"
	Empty   State = "empty"
	Stopped State = "stopped"
)

// MaxQuota is the most claims of a coupon.
const MaxQuota = 100_000_000

// Coupon is a campaign: viewers claim coupons of it.
type Coupon struct {
	ID      string // "cpn_…"
	StoreID string
	State   State
	Terms
	Rules
	Quota     int64 // claims in all; 0: any number
	PerViewer int64 // claims of one viewer, at least 1
	Claimed   int64 // so far
	Used      int64 // of these, by orders; counted when the coupon is read alone
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Left is how many claims are left; nil: any number.
func (c *Coupon) Left() *int64 {
	if c.Quota == 0 {
		return nil
	}
	return new(max(c.Quota-c.Claimed, 0))
}

func (c *Coupon) validate(op string) error {
	if err := c.Terms.validate(op); err != nil {
		return err
	}
	if err := c.Rules.validate(op, Anywhere, InLive, InReplay); err != nil {
		return err
	}
	switch {
	case c.Quota < 0 || c.Quota > MaxQuota:
		return errs.Field(op, "quota", "the quota must be 0 (any number) to %d claims", MaxQuota)
	case c.PerViewer < 1 || c.PerViewer > 100:
		return errs.Field(op, "per_viewer", "one viewer may claim 1 to 100")
	}
	return nil
}

// CouponChange is what is to change of a coupon; nil fields stay. Once a coupon was activated what a claim is worth stays
// too.
type CouponChange struct {
	State     *State
	Terms     *Terms
	Rules     *Rules
	Quota     *int64
	PerViewer *int64
}

// change applies a change to the coupon, or says what forbids it.
func (c *Coupon) change(op string, to CouponChange, at time.Time) error {
	if to.Terms != nil {
		if c.State != Draft {
			return errs.New(errs.Conflict, op, "viewers may have claimed this coupon: what it is worth stays; stop it and make another")
		}
		c.Terms = *to.Terms
	}
	if to.Rules != nil {
		c.Rules = *to.Rules
	}
	if to.PerViewer != nil {
		c.PerViewer = *to.PerViewer
	}
	if to.Quota != nil {
		c.Quota = *to.Quota
	}
	if c.Quota > 0 && c.Quota < c.Claimed {
		return errs.Field(op, "quota", "%d are claimed already: the quota cannot be less", c.Claimed)
	}
	if to.State != nil {
		if *to.State != Active && *to.State != Stopped || c.State == Draft && *to.State == Stopped {
			return errs.Field(op, "state", "a coupon goes from draft to active, and between active and stopped")
		}
		c.State = *to.State
	}
	c.UpdatedAt = at
	return c.validate(op)
}
